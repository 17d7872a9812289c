"""Who the viewer answers, and what hostile runs, names and addresses come to."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("duckdb")

import pyarrow.parquet as parquet
from fastapi.testclient import TestClient

from valuesim.cli import main
from valuesim.cli.replay import bound
from valuesim.errors import InputError
from valuesim.log import read_run
from valuesim.replay.indexing.archetyping import Archetypes
from valuesim.replay.indexing.index import FOLDER, index_of
from valuesim.replay.indexing.naming import found_below
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.security import CONTENT_POLICY, Access, Asked, refusal
from valuesim.replay.server import create_app, serve

HERE = "http://127.0.0.1:8765"
ACCESS = Access(token="the-token")
OPEN = Access(host="0.0.0.0", token="the-token")
OWN = {"host": "127.0.0.1:8765", "content-type": "application/json", "content-length": "2"}
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "[x](javascript:alert(1))",
    "\u202egnirts\u202c",
    "a'); DROP TABLE own; --",
    "../../etc/passwd",
    "line\nbreak\r\nSet-Cookie: x=1",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "one"
    given = ["env=dictator", "agents=random", "episodes=2", f"run.name={folder}"]
    assert main(["run", *given]) == 0
    return folder


def client_of(path: Path, access: Access = ACCESS) -> TestClient:
    return TestClient(create_app(Shelf(path), access), base_url=HERE, raise_server_exceptions=False)


def asked(method: str = "GET", path: str = "/api/about", **headers: str) -> Asked:
    token = headers.pop("token", None)
    given = OWN | {name.replace("_", "-"): each for name, each in headers.items()}
    return Asked(method=method, path=path, headers=given, token=token)


def status(request: Asked, access: Access = ACCESS) -> int:
    refused = refusal(request, access)
    return 200 if refused is None else refused.status


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "LOCALHOST:80", "[::1]:8765"])
def test_this_machine_may_look_without_a_token(host: str) -> None:
    assert status(asked(host=host)) == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "127.0.0.2", "@"],
)
def test_a_name_that_was_made_to_lead_here_is_refused(host: str) -> None:
    assert status(asked(host=host)) == 421
    assert status(asked("POST", host=host, token="the-token")) == 421


def test_a_page_of_another_site_may_not_ask() -> None:
    for site in ("cross-site", "same-site"):
        assert status(asked(sec_fetch_site=site)) == 403
        assert status(asked(path="/", sec_fetch_site=site)) == 200, "a link may lead to the page"
        assert status(asked("POST", sec_fetch_site=site, token="the-token")) == 403


@pytest.mark.parametrize("token", [None, "", "the-toke", "the-token ", "THE-TOKEN", "\udcff"])
def test_nothing_changes_without_the_token(token: str | None) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        request = Asked(method=method, path="/api/branches", headers=OWN, token=token)
        assert status(request) == 401


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://127.0.0.1:8765", 200),
        ("http://127.0.0.1:9999", 403),
        ("http://localhost:8765", 403),
        ("https://evil.example", 403),
        ("null", 403),
        ("", 403),
    ],
)
def test_only_the_page_itself_may_change_anything(origin: str, expected: int) -> None:
    assert status(asked("POST", origin=origin, token="the-token")) == expected


def test_a_change_is_short_json() -> None:
    assert status(asked("POST", token="the-token")) == 200
    assert status(asked("POST", token="the-token", content_length="9999999")) == 413
    assert status(asked("POST", token="the-token", content_length="")) == 411
    assert status(asked("POST", token="the-token", content_type="text/plain")) == 415


def test_where_others_can_connect_everybody_needs_the_token() -> None:
    for host in ("127.0.0.1:8765", "box.example:8765"):
        assert status(asked(host=host), OPEN) == 401
        assert status(asked(host=host, token="the-token"), OPEN) == 200
        assert status(asked(path="/", host=host), OPEN) == 200, "the page itself holds no run"


def test_each_session_has_a_token_of_its_own() -> None:
    one, other = Access(), Access()
    assert len(one.token) >= 43
    assert one.token != other.token
    assert Access(host="::1", token="t").url(9) == "http://[::1]:9/?token=t"


def test_every_answer_carries_the_headers_of_safety(run: Path) -> None:
    client = client_of(run)
    for path in ("/", "/api/about", "/api/nothing", "/api/episodes?limit=x", "/app.js"):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == CONTENT_POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers
    refused = client.get("/api/about", headers={"host": "evil.example"})
    assert refused.status_code == 421
    assert refused.headers["content-security-policy"] == CONTENT_POLICY


def test_there_is_no_route_but_those_that_are_told(run: Path) -> None:
    client = client_of(run)
    for path in ("/docs", "/redoc", "/openapi.json", "/static/", "/static/app.js", "/web/"):
        assert client.get(path).status_code == 404
    token = {"x-valuesim-token": "the-token"}
    assert client.post("/api/about", json={}).status_code == 401
    assert client.post("/api/about", json={}, headers=token).status_code in (404, 405)


def test_the_token_in_the_address_is_no_filter(run: Path) -> None:
    assert client_of(run).get("/api/episodes?token=x").json()["total"] == 2


@pytest.fixture
def served(run: Path) -> int:
    listening = bound("127.0.0.1", None)
    app = create_app(Shelf(run.parent), ACCESS)
    # a daemon: it ends with the tests
    threading.Thread(target=serve, args=(app, listening), daemon=True).start()
    port: int = listening.getsockname()[1]
    return port


@pytest.mark.parametrize(
    "path",
    [
        "/../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fserver.py",
        "/app.js/../../server.py",
        "/api/episodes/../../../etc/passwd",
        "/api/episodes/..%2f..%2f/..%2fetc%2fpasswd",
        "/api/episodes/%00/%ff",
        "/api/episodes//",
        "/api/depiction/%2e%2e/%2e%2e/0/x",
        "/api/depiction/a/b/99999999999999/x",
        "/api/episodes?condition.=%00&text=%ff&value='",
        "/api/episodes?agent=" + "x" * 20_000,
        "/%0d%0aSet-Cookie:%20a=b",
    ],
)
def test_no_address_reads_a_file_or_breaks_the_server(served: int, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status in (200, 400, 404)
    assert b"root:" not in body
    assert b"import" not in body
    assert answer.getheader("set-cookie") is None
    connection.request("GET", "/api/about")
    assert connection.getresponse().status == 200


def outside(tmp_path: Path, run: Path) -> tuple[Path, Path]:
    """Return a folder that is shown, with one run, and a run outside of it."""
    shutil.copytree(run, tmp_path / "shown" / "own")
    return tmp_path / "shown", shutil.copytree(run, tmp_path / "outside")


def test_links_to_folders_are_not_followed(run: Path, tmp_path: Path) -> None:
    shown, other = outside(tmp_path, run)
    (shown / "link").symlink_to(other)
    (shown / "up").symlink_to("..")
    assert [place.name for place in found_below(shown)] == ["own"]


@pytest.mark.parametrize(
    "part", ["run.yaml", "decisions.jsonl", "texts.jsonl", "derived", "segments", FOLDER]
)
def test_a_run_of_which_a_part_lies_elsewhere_is_not_read(
    run: Path, tmp_path: Path, part: str
) -> None:
    shown, other = outside(tmp_path, run)
    bad = shutil.copytree(run, shown / "bad")
    target = other / part
    if not target.exists():
        target.mkdir(parents=True)
    if (bad / part).is_dir():
        shutil.rmtree(bad / part)
    (bad / part).unlink(missing_ok=True)
    (bad / part).parent.mkdir(exist_ok=True)
    (bad / part).symlink_to(target)
    before = sorted(str(path) for path in other.rglob("*"))
    client = client_of(shown)
    told = {each["name"]: each for each in client.get("/api/facets").json()["runs"]}
    assert re.search("leads out of what is shown|is derived is written", told["bad"]["error"])
    assert str(tmp_path) not in told["bad"]["error"]
    assert told["own"]["episodes"] == 2
    assert sorted(str(path) for path in other.rglob("*")) == before, "nothing is written there"


@pytest.mark.parametrize("name", ["episodes.parquet", "episodes.part.parquet", "archetypes.json"])
def test_nothing_is_written_through_a_link(run: Path, tmp_path: Path, name: str) -> None:
    shown, other = outside(tmp_path, run)
    bad = shutil.copytree(run, shown / "bad", ignore=shutil.ignore_patterns("derived"))
    logs = [other / "episodes.jsonl", shown / "own" / "episodes.jsonl"]
    for log in logs:
        (bad / FOLDER).mkdir(parents=True, exist_ok=True)
        (bad / FOLDER / name).unlink(missing_ok=True)
        (bad / FOLDER / name).symlink_to(log)
        before = log.read_bytes()
        shelf = Shelf(shown)
        Archetypes(shelf).settle()
        assert log.read_bytes() == before
        errors = [run.error for run in shelf.runs.values() if run.error]
        assert errors == [f"bad: {FOLDER}/{name} is a link: what is derived is written there"]


def test_a_part_that_is_replaced_by_a_link_later_is_not_read(run: Path, tmp_path: Path) -> None:
    shown, other = outside(tmp_path, run)
    client = client_of(shown)
    row = client.get("/api/episodes").json()["rows"][0]
    log = shown / "own" / "decisions.jsonl"
    log.unlink()
    log.symlink_to(other / "decisions.jsonl")
    answer = client.get(f"/api/episodes/{row['run']}/{row['episode']}")
    assert answer.status_code == 500
    assert "leads out of what is shown" in answer.json()["error"]


def test_what_cannot_be_read_hides_no_other_run(run: Path, tmp_path: Path) -> None:
    shown, _ = outside(tmp_path, run)
    for name in ("pipe", "loop", "deep"):
        shutil.copytree(run, shown / name)
    (shown / "pipe" / "decisions.jsonl").unlink()
    os.mkfifo(shown / "pipe" / "decisions.jsonl")
    (shown / "loop" / "texts.jsonl").unlink()
    (shown / "loop" / "texts.jsonl").symlink_to("texts.jsonl")
    (shown / "deep" / "run.yaml").write_text("[" * 20_000)
    client = client_of(shown)
    told = {each["name"]: each for each in client.get("/api/facets").json()["runs"]}
    assert "is neither a file nor a folder" in told["pipe"]["error"]
    assert told["loop"]["error"]
    assert told["deep"]["error"]
    assert "error" not in told["own"]
    assert str(tmp_path) not in json.dumps(told)


def test_errors_do_not_tell_where_things_are(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "one")
    client = client_of(tmp_path)
    row = client.get("/api/episodes").json()["rows"][0]
    log = tmp_path / "one" / "decisions.jsonl"
    first, last = log.read_bytes().splitlines(keepends=True)
    number = 2 if row["episode"].encode() in last else 1
    spoilt = [b"x" * (len(line) - 1) + b"\n" for line in (first, last)]
    log.write_bytes(b"".join(spoilt))
    answer = client.get(f"/api/episodes/{row['run']}/{row['episode']}")
    assert answer.status_code == 500
    assert answer.json()["error"].startswith(f"one/decisions.jsonl, line {number} is")


def edited(folder: Path, name: str, change: Any) -> None:
    path = folder / name
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        change(line)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def hostile(run: Path, folder: Path, word: str) -> Path:
    """Copy a run, with `word` wherever a log holds words, and a reply of 1 MB."""
    shutil.copytree(run, folder)

    def episode(line: dict[str, Any]) -> None:
        line["episode"] += word
        line["env"] = word
        line["condition"] = {word: word}
        for player in line["population"].values():
            player["agent"] = word
            player["model"] = {"name": word}
        line["population"][word] = line["population"].pop(next(iter(line["population"])))

    role = next(iter(next(iter(read_run(run).episodes.values())).population))

    def decision(line: dict[str, Any]) -> None:
        line["episode"] += word
        line["agent"] = word if line["agent"] == role else line["agent"]
        line["observation"]["view"] = {word: word}
        long = word * (2**20 // len(word))
        line["decision"] |= {"message": word, "rationale": word, "reply": long}
        for option in line["observation"]["options"]:
            option["stakes"] = {word: 0.5, **option["stakes"]}

    edited(folder, "episodes.jsonl", episode)
    edited(folder, "decisions.jsonl", decision)
    return folder


@pytest.mark.parametrize("word", HOSTILE)
def test_what_a_hostile_run_says_is_sent_as_it_is_and_as_no_page(
    run: Path, tmp_path: Path, word: str
) -> None:
    hostile(run, tmp_path / "shown" / f"x{word.replace('/', '|')}", word)
    client = client_of(tmp_path / "shown")
    listed = client.get("/api/episodes", params={"agent": word, f"condition.{word}": word})
    assert listed.json()["total"] == 2
    row = listed.json()["rows"][0]
    assert (row["env"], row["agents"], row["condition"]) == (word, [word], {word: word})
    assert word in client.get("/api/facets").json()["agent"]
    answer = client.get(f"/api/episodes/{row['run']}/{quote(row['episode'], safe='')}")
    assert answer.headers["content-type"] == "application/json"
    moment = answer.json()["steps"][0]["moments"][0]
    assert moment["message"] == word
    assert len(moment["reply"]) > 2**20 - 50
    assert client.get("/api/about").json()["episodes"] == 2


def test_a_folder_whose_name_is_no_text_is_shown_all_the_same(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe")))
    told = client_of(tmp_path).get("/api/facets").json()["runs"]
    assert [each["name"] for each in told] == ["\ufffd\ufffd"]


def test_an_index_that_somebody_else_made_is_not_believed(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "one")
    made = index_of(copy).table
    at = made.column_names.index("condition")
    for content in ("no JSON", None):
        wrong = made.set_column(at, "condition", [[content] * len(made)])
        parquet.write_table(wrong, copy / FOLDER / "episodes.parquet")
        assert index_of(copy).table.equals(made)
    (copy / FOLDER / "episodes.parquet").write_bytes(b"PAR1 no table")
    assert index_of(copy).table.equals(made)


def test_a_few_lines_of_yaml_do_not_become_a_flood(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "one")
    bomb = "\n".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" if n else "a0: &a0 [1, 1, 1]"
        for n in range(12)
    )
    with (copy / "run.yaml").open("a") as file:
        file.write(f"\n{bomb}\nparent: *a11\n")
    (told,) = client_of(tmp_path).get("/api/facets").json()["runs"]
    assert "run.yaml tells more than" in told["error"]


def test_the_page_asks_nobody_else() -> None:
    folder = Path(str(resources.files("valuesim.replay") / "static"))
    for path in folder.rglob("*"):
        hosts = re.findall(rb"https?://([\w.-]+)", path.read_bytes())
        assert set(hosts) <= {b"www.w3.org"}, f"{path.name} names {hosts}"
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\bstyle=", page)


def test_a_port_that_is_taken_is_told() -> None:
    with bound("127.0.0.1", None) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"--port {port} is taken"):
            bound("127.0.0.1", port)
    with pytest.raises(InputError, match="no address of this machine"):
        bound("203.0.113.7", 0)


def test_the_command_tells_its_address_and_ends_quietly(run: Path) -> None:
    command = [sys.executable, "-m", "valuesim.cli", "replay", str(run), "--no-browser"]
    viewer = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert viewer.stdout is not None
        url = viewer.stdout.readline().strip()
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=[\w-]{43}", url)
        assert found is not None
        _answers(int(found[1]))
        viewer.send_signal(signal.SIGINT)
        _, told = viewer.communicate(timeout=20)
    finally:
        viewer.kill()
    assert viewer.returncode == 0
    assert "Traceback" not in told
    assert "1 run; Ctrl-C ends it" in told


def _answers(port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(b"GET /api/about HTTP/1.1\r\nHost: localhost\r\n\r\n")
                if connection.recv(4096).startswith(b"HTTP/1.1 200"):
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the viewer does not answer")


def test_a_missing_package_is_told(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "fastapi", None)
    monkeypatch.delitem(sys.modules, "valuesim.replay.server")
    assert main(["replay", str(run)]) == 2
    assert "the viewer needs the package fastapi: pip install 'valuesim[replay]'" in (
        capsys.readouterr().err
    )


def test_the_command_refuses_what_is_no_place_of_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(tmp_path / "none"), "--no-browser"]) == 2
    assert "is not a folder" in capsys.readouterr().err
    assert main(["replay", str(tmp_path), "--no-browser"]) == 2
    assert "holds no run folder" in capsys.readouterr().err
    assert main(["replay", str(tmp_path), "--port", "0"]) == 2
    assert "is no port" in capsys.readouterr().err
