"""Every route of the viewer, those that come later too: who is answered, and what hostile names do.

The routes are asked of the application itself. What stands in braces in their addresses is filled
with names that exist and with names that attack, in every number of parts.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("duckdb")

from valuesim.cli import main
from valuesim.cli.replay import bound
from valuesim.errors import InputError, ValueSimError
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.security import HEADERS, LARGEST_BODY, TOKEN_HEADER, Access
from valuesim.replay.server import create_app, serve
from valuesim.replay.server.answering import json_answer
from valuesim.replay.server.following import event
from valuesim.replay.sharing import in_script
from valuesim.replay.understanding import process, questions

ACCESS = Access(token="the-token")
SECRET = "planted-beside-what-is-shown"
HOLE = re.compile(r"\{\w+(?::(\w+))?\}")
MOST_PARTS = 4
HOSTILE = (
    *("..%2f..%2fsecret.txt", "%2e%2e%2fsecret.txt", "..%252f..%252fsecret.txt", "..", "."),
    *("..%5c..%5csecret.txt", "..%c0%af..%c0%afsecret.txt", "%c0%ae%c0%ae/secret.txt"),
    *("%00", "secret.txt%00.json", "%ff%fe", "%ed%a0%80", "%e2%80%ae", "%0d%0aSet-Cookie:%20a=b"),
    *("x" * 20_000, "9" * 40, "-1", "NaN", "__proto__", "constructor", "~", "%24(id)", "%7b%7d"),
    *("%27%29%3b%20DROP%20TABLE%20own%3b--", "file:%2f%2f%2fetc%2fpasswd", "%2fetc%2fpasswd"),
)
FIELDS = (
    *("run", "episode", "step", "role", "changes", "game", "partner", "level", "episodes", "seed"),
    *("participant", "number", "text", "option", "choice", "judge", "reason", "name", "against"),
)
"""What bodies are known to hold; a route takes what it knows of them."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a request came to; of a stream of events the beginning."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Served:
    """A viewer that answers at `port`, its routes, and names that exist there."""

    port: int
    routes: tuple[tuple[str, str], ...]
    real: tuple[str, ...]
    root: Path

    def ask(self, method: str, path: str, body: Any = None, **headers: str | None) -> Answer:
        """Ask as the page itself does, unless `headers` say otherwise; None leaves one out."""
        host = f"127.0.0.1:{self.port}"
        sent = (
            b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        )
        told: dict[str, str | None] = {"host": host, "origin": f"http://{host}"}
        if method not in ("GET", "HEAD"):
            told |= {"content-type": "application/json", TOKEN_HEADER: ACCESS.token}
            told |= {"content-length": str(len(sent))}
        told |= {name.replace("_", "-"): each for name, each in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, each in told.items():
                if each is not None:
                    connection.putheader(name, each)
            connection.endheaders(sent)
            answer = connection.getresponse()
            return Answer(
                status=answer.status,
                headers={name.lower(): each for name, each in answer.getheaders()},
                body=_read(answer),
            )
        finally:
            connection.close()


def _read(answer: http.client.HTTPResponse) -> bytes:
    """Return the body; a stream of events may be silent, and has no end."""
    is_stream = (answer.getheader("content-type") or "").startswith("text/event-stream")
    return b"" if is_stream else answer.read()


def worked_out_here(
    question: Mapping[str, Any], tell: object, is_wanted: object
) -> tuple[dict[str, Any], bytes]:
    """Work a question out as `process` does, without a process for each of hundreds."""
    try:
        answer, table = process.answered(orjson.loads(orjson.dumps(question)))
    except ValueSimError as error:
        return {"error": str(error), "is_input": isinstance(error, InputError)}, b""
    return orjson.loads(orjson.dumps({"answer": answer})), table


@pytest.fixture(scope="module", autouse=True)
def nothing_is_worked_out_in_a_process_of_its_own() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(questions, "worked_out", worked_out_here)
        patch.setattr(process, "_write", lambda _: None)
        yield


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    folder = tmp_path_factory.mktemp("place")
    for run in (folder / "shown" / "one", folder / "outside"):
        given = ["env=dictator", "agents=random", "episodes=1", f"run.name={run}"]
        assert main(["run", *given]) == 0
    (folder / "secret.txt").write_text(SECRET)
    (folder / "shown" / "secret.txt").write_text(SECRET)
    shelf = Shelf(folder / "shown")
    app = create_app(shelf, ACCESS)
    listening = bound("127.0.0.1", None)
    # a daemon: it ends with the tests
    threading.Thread(target=serve, args=(app, listening), daemon=True).start()
    ((run, episode),) = shelf.rows.ask("SELECT run, episode FROM own")
    return Served(
        port=listening.getsockname()[1],
        routes=tuple(_routes(app)),
        real=(run, episode, "0", "Alpha"),
        root=folder,
    )


def _routes(app: Any) -> Iterator[tuple[str, str]]:
    """Yield the method and the pattern of every route; fail for what could hide others."""
    for route in app.routes:
        methods = getattr(route, "methods", None)
        assert methods, f"{route!r} is no plain route: its addresses are not tried here"
        yield from ((method, route.path) for method in sorted(methods))


def filled(pattern: str, part: str, *, before: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the addresses of a pattern with `part` in its holes.

    A hole for any number of parts gets up to four, the first of them out of `before`.
    """
    holes = HOLE.findall(pattern)
    if not holes:
        return
    counts = [range(1, MOST_PARTS + 1) if kind in ("any", "path") else (1,) for kind in holes]
    for numbers in product(*counts):
        parts = iter(
            "/".join([*before[: number - 1], *[part] * (number - len(before[: number - 1]))])
            for number in numbers
        )
        yield HOLE.sub(lambda _: next(parts), pattern)  # noqa: B023


def existing(served: Served, pattern: str) -> str:
    """Return an address of a pattern, in which what exists stands wherever it may."""
    return HOLE.sub(lambda hole: "/".join(served.real[:2] if hole[1] else served.real[:1]), pattern)


def changing(served: Served) -> list[tuple[str, str]]:
    return [(m, existing(served, p)) for m, p in served.routes if m not in ("GET", "HEAD")]


def reading(served: Served) -> list[str]:
    return [existing(served, p) for m, p in served.routes if m == "GET"]


def is_safe(answer: Answer) -> bool:
    """Return whether an answer carries the headers of safety, and nothing that it should not."""
    told = answer.headers
    assert set(HEADERS) <= set(told), f"missing: {set(HEADERS) - set(told)}"
    assert "default-src 'none'" in told["content-security-policy"]
    assert "unsafe" not in told["content-security-policy"]
    for name in ("x-content-type-options", "referrer-policy", "x-frame-options", "cache-control"):
        assert told[name] == HEADERS[name]
    assert "set-cookie" not in told
    assert "access-control-allow-origin" not in told
    assert SECRET.encode() not in answer.body
    assert ACCESS.token.encode() not in answer.body
    return True


def outside(served: Served) -> list[tuple[str, int]]:
    """Return all files that are not below what is shown, with their sizes."""
    shown = served.root / "shown"
    files = (path for path in served.root.rglob("*") if not path.is_relative_to(shown))
    return sorted((str(path), path.stat().st_size) for path in files)


def test_every_answer_is_safe_also_an_error(served: Served) -> None:
    assert len(reading(served)) >= 5
    for path in (*reading(served), "/", "/app.js", "/nothing", "/api/", "/api/nothing"):
        for method in ("GET", "HEAD"):
            assert is_safe(served.ask(method, path)), path
    for method, path in (*changing(served), ("PUT", "/api/about"), ("DELETE", "/")):
        answer = served.ask(method, path, body={})
        assert is_safe(answer)
        assert 200 <= answer.status < 500, f"{method} {path}: {answer.body!r:.300}"


def test_another_host_is_refused_everywhere(served: Served) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", ""):
        for path in (*reading(served), "/"):
            answer = served.ask("GET", path, host=host)
            assert (answer.status, is_safe(answer)) == (421, True), path
        for method, path in changing(served):
            assert served.ask(method, path, body={}, host=host).status == 421, path


def test_a_page_of_another_site_is_answered_nothing(served: Served) -> None:
    for site in ("cross-site", "same-site"):
        for path in reading(served):
            if path.startswith("/api/"):
                answer = served.ask("GET", path, sec_fetch_site=site)
                assert (answer.status, is_safe(answer)) == (403, True), path
        for method, path in changing(served):
            answer = served.ask(method, path, body={}, origin=None, sec_fetch_site=site)
            assert answer.status == 403, path


def test_nothing_changes_but_by_the_page_itself_with_short_json(served: Served) -> None:
    for method, path in changing(served):
        for origin in ("https://evil.example", "null", f"http://localhost:{served.port}"):
            assert served.ask(method, path, body={}, origin=origin).status == 403
        for token in (None, "", "wrong"):
            answer = served.ask(method, path, body={}, **{TOKEN_HEADER: token})
            assert (answer.status, is_safe(answer)) == (401, True), path
        for kind in (None, "text/plain", "application/x-www-form-urlencoded"):
            assert served.ask(method, path, body={}, content_type=kind).status == 415
        long = str(LARGEST_BODY + 1)
        assert served.ask(method, path, body=b"", content_length=long).status == 413
        assert served.ask(method, path, content_length=None).status == 411
        chunked = served.ask(
            method, path, body=b"2\r\n{}\r\n0\r\n\r\n", transfer_encoding="chunked"
        )
        assert chunked.status == 411, "chunks are as long as they like, whatever length is told"


def test_where_others_can_connect_nothing_is_read_without_the_token(served: Served) -> None:
    app = create_app(Shelf(served.root / "shown"), Access(host="0.0.0.0", token="the-token"))
    listening = bound("127.0.0.1", None)
    threading.Thread(target=serve, args=(app, listening), daemon=True).start()
    port = listening.getsockname()[1]
    open_one = Served(port=port, routes=served.routes, real=served.real, root=served.root)
    for path in reading(served):
        if path.startswith("/api/"):
            for token in (None, "wrong"):
                answer = open_one.ask("GET", path, **{TOKEN_HEADER: token})
                assert (answer.status, is_safe(answer)) == (401, True), path
            assert open_one.ask("GET", path, **{TOKEN_HEADER: "the-token"}).status != 401


@pytest.mark.parametrize("part", HOSTILE, ids=lambda part: f"{part:.30}")
def test_a_hostile_name_is_nowhere_and_reads_nothing(served: Served, part: str) -> None:
    before = outside(served)
    names = [part, quote(str(served.root / "secret.txt"), safe="")]
    for method, pattern in served.routes:
        if method == "HEAD":
            continue
        for name, known in product(names, ((), served.real)):
            for path in filled(pattern, name, before=known):
                answer = served.ask(method, path, body=None if method == "GET" else {})
                assert is_safe(answer)
                assert 400 <= answer.status < 500, f"{method} {path:.200}: {answer.body!r:.300}"
    assert outside(served) == before


@pytest.mark.parametrize("part", HOSTILE, ids=lambda part: f"{part:.30}")
def test_a_hostile_question_breaks_nothing(served: Served, part: str) -> None:
    for path in reading(served):
        for key in ("run", "text", "sort", "offset", "by", "group", "against", "condition.x", part):
            answer = served.ask("GET", f"{path}?{key}={part}")
            assert is_safe(answer)
            assert answer.status < 500, f"{path}?{key}={part:.60}: {answer.body!r:.300}"


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"\xff\xfe", b"null", b"[]", b'"x"', b"1e999", b"[" * 100_000),
        b'{"run":' * 50_000,
        *(json.dumps(dict.fromkeys(FIELDS, each)).encode() for each in (None, [], {}, -1, 2**70)),
        *(
            json.dumps(dict.fromkeys(FIELDS, each)).encode()
            for each in ("../x", "a\x00b", "\ud800")
        ),
        json.dumps({"__proto__": {}, "constructor": "x"}).encode(),
    ],
    ids=lambda body: f"{body[:24]!r}",
)
def test_a_hostile_body_is_refused_in_a_sentence(served: Served, body: bytes) -> None:
    before = outside(served)
    for method, path in changing(served):
        answer = served.ask(method, path, body=body)
        assert is_safe(answer)
        assert 400 <= answer.status < 500, f"{method} {path}: {answer.status} {answer.body!r:.300}"
        assert isinstance(json.loads(answer.body)["error"], str)
    assert outside(served) == before


def test_what_is_nested_deeper_than_json_is_written_is_cut() -> None:
    told: Any = "the bottom"
    for _ in range(900):
        told = {"in": [told]}
    sent = json_answer({"view": told, "beside": 1}).body, in_script({"view": told, "beside": 1})
    streamed = event("step", {"view": told, "beside": 1}).partition(b"data: ")[2]
    for each in (*sent, streamed):
        written = bytes(each) if isinstance(each, bytes | memoryview) else each.encode()
        assert b"nested too deep" in written
        assert json.loads(written)["beside"] == 1
