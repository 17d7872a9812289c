"""Sharing: one file with all in it, which no text can leave, and which asks nobody."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import orjson
import pytest

pytest.importorskip("duckdb")

from valuesim import __version__
from valuesim.cli import main
from valuesim.errors import InputError, ValueSimError
from valuesim.replay import sharing
from valuesim.replay.finding.pointing import pointed
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.pages import Page, pages
from valuesim.replay.sharing import file_name, in_script, shared_page, ways_to
from valuesim.replay.watching.moments import Opened, opened, told

ATTACKS = (
    "</script>",
    "<script>alert(1)</script>",
    "<!--<script>",
    "-->",
    "]]>",
    "</SCRIPT\t>",
    "\u2028\u2029\u0000\r\n\ufeff",
    "&lt;/script&gt;",
    "{{ policy }}",
    "'; script-src *",
)


def played(folder: Path, *given: str) -> Path:
    assert main(["run", *given, "episodes=1", f"run.name={folder}"]) == 0
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    played(folder / "scarce", "env=survival", "env.horizon=2", "agents=exploitative")
    played(folder / "deep" / "er", "env=dictator", "agents=random")
    played(folder / "scenes", "env=moral_machine", "env.scenes=2", "env.panel=3", "agents=random")
    played(folder / "asked", "env=survival", "env.horizon=1", "agents=llm", "model=mock")
    shutil.copytree(folder / "deep" / "er", folder / "again")
    shutil.copytree(folder / "deep" / "er", folder / "spoilt")
    spoil(folder / "spoilt")
    return folder


def spoil(run: Path) -> None:
    path = run / "decisions.jsonl"
    lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    for line in lines:
        line["decision"] |= {"reply": "".join(ATTACKS) + "x" * 1_000_000, "message": ATTACKS[0]}
        line["observation"]["view"] = {attack: attack for attack in ATTACKS}
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))


@pytest.fixture(scope="module")
def shelf(runs: Path) -> Shelf:
    return Shelf(runs)


@pytest.fixture(scope="module")
def found(shelf: Shelf) -> Callable[[str], Opened]:
    """What opens the episode of a run, by the run's name."""
    return lambda name: opened(shelf, *pointed(shelf, f"{name}/"))


class Elements(HTMLParser):
    """What a browser finds in a page: its elements in order, and the text of each."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.texts.append("")
        self.is_within = True

    def handle_endtag(self, tag: str) -> None:
        self.is_within = False

    def handle_data(self, data: str) -> None:
        if self.texts and self.is_within:
            self.texts[-1] += data

    def text(self, tag: str, **attributes: str) -> str:
        (at,) = [
            place
            for place, (name, given) in enumerate(self.found)
            if name == tag and attributes.items() <= given.items()
        ]
        return self.texts[at]


def parsed(page: bytes) -> Elements:
    return Elements(page.decode("utf-8"))


def content(page: bytes) -> Any:
    return json.loads(parsed(page).text("script", id="shared"))


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_ends_the_element_it_stands_in(attack: str) -> None:
    written = in_script({attack: [attack]})
    assert not set("<>&\u2028\u2029\r\n\0") & set(written)
    assert json.loads(written) == {attack: [attack]}


def test_a_page_holds_the_answers_of_the_viewer_and_no_element_more(
    found: Callable[[str], Opened],
) -> None:
    clean, spoilt = found("deep/er"), found("spoilt")
    page = shared_page([spoilt])
    (answer,) = content(page)["answers"]
    assert answer["path"] == ["episodes", spoilt.run.place.id, spoilt.episode.id]
    assert answer["content"] == orjson.loads(orjson.dumps(told(spoilt)))
    names = [name for name, _ in parsed(page).found]
    assert names == [name for name, _ in parsed(shared_page([clean])).found]
    assert len(page) > 1_000_000


def test_nothing_runs_but_the_script_that_the_policy_names(
    found: Callable[[str], Opened],
) -> None:
    page = parsed(shared_page([found("spoilt")]))
    (policy,) = [
        given["content"] or ""
        for name, given in page.found
        if name == "meta" and given.get("http-equiv") == "Content-Security-Policy"
    ]
    directives = dict(each.split(" ", 1) for each in policy.split("; "))
    for name, directive in (("script", "script-src"), ("style", "style-src")):
        text = page.text(name, **({"type": "module"} if name == "script" else {}))
        digest = b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert directives.pop(directive) == f"'sha256-{digest}'"
    assert directives.pop("img-src") == "data:"
    assert set(directives.values()) == {"'none'"}
    assert {"default-src", "connect-src", "base-uri", "form-action"} == directives.keys()
    first = [name for name, _ in page.found].index("style")
    assert [name for name, _ in page.found[:first]].count("script") == 0


def test_nothing_in_a_page_leads_out_of_it(found: Callable[[str], Opened]) -> None:
    page = parsed(shared_page([found("scarce")]))
    leading = [
        given[name]
        for _, given in page.found
        for name in ("src", "href", "action", "data", "srcset")
        if name in given
    ]
    assert leading == ["data:,"]
    named = re.findall(r"https?://[\w.]+", shared_page([found("asked")]).decode())
    assert {each for each in named if not each.endswith("www.w3.org")} == set()


def test_no_path_key_or_address_of_a_server_is_in_a_page(
    runs: Path, found: Callable[[str], Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-that-nobody-may-see")
    for name in ("asked", "spoilt", "deep/er"):
        page = shared_page([found(name)]).decode()
        for word in (str(runs), str(Path.cwd()), "base_url", "api_key", "sk-that"):
            assert word not in page


def test_the_same_episode_gives_the_same_bytes(runs: Path, found: Callable[[str], Opened]) -> None:
    again = Shelf(runs)
    for name in ("scarce", "scenes", "spoilt"):
        other = opened(again, *pointed(again, f"{name}/"))
        assert shared_page([found(name)]) == shared_page([other])


def test_a_page_says_its_version_and_where_it_opens(found: Callable[[str], Opened]) -> None:
    one, other = found("scarce"), found("deep/er")
    told = content(shared_page([one], place={"step": "1", "role": "A&b/ü"}))
    assert told["version"] == __version__
    assert told["at"] == (
        f"#/episode/{one.run.place.id}/{one.episode.id}?step=1&role=A%26b%2F%C3%BC"
    )
    two = content(shared_page([one, other]))
    keys = [f"{each.run.place.id}/{each.episode.id}" for each in (one, other)]
    assert two["at"] == f"#/compare/{keys[0]}/{keys[1]}"
    assert [each["path"][2] for each in two["answers"]] == [one.episode.id, other.episode.id]


def test_each_picture_is_in_a_page_once(found: Callable[[str], Opened]) -> None:
    scenes = found("scenes")
    told = content(shared_page([scenes]))
    assert len(told["places"]) == len({(r.step, r.role) for r in scenes.records})
    assert len(told["drawn"]) == len(set(told["drawn"])) < len(told["places"])
    assert all(picture.startswith("<svg") for picture in told["drawn"])
    assert content(shared_page([found("scarce")]))["drawn"] == []


def test_of_a_tree_the_ways_to_the_two_are_kept(found: Callable[[str], Opened]) -> None:
    one, other = found("scarce"), found("deep/er")
    keys = [(each.run.place.id, each.episode.id) for each in (one, other)]

    def node(run: str, episode: str, *branches: Any) -> dict[str, Any]:
        return {"run": run, "episode": episode, "changes": {}, "branches": list(branches)}

    tree = node("r", "0", node(*keys[0], node("r", "1")), node("r", "2"), node(*keys[1]))
    kept = {"root": node("r", "0", node(*keys[0]), node(*keys[1])), "schema": 1, "left_out": 0}
    answers = content(shared_page([one, other], tree=tree))["answers"]
    assert [(each["path"], each["content"]) for each in answers[2:]] == [
        (["branches", *key], kept) for key in keys
    ]
    assert ways_to(tree, {("elsewhere", "0")}) is None
    assert len(content(shared_page([one, other]))["answers"]) == 2


def test_a_page_that_would_be_too_large_is_refused(
    found: Callable[[str], Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "LARGEST", 1_000_000)
    with pytest.raises(InputError, match="makes a file of 1 MB, and at most 1 MB open well"):
        shared_page([found("spoilt")])


def test_a_built_page_that_could_end_its_own_element_is_refused(
    found: Callable[[str], Opened],
) -> None:
    built = pages() | {"/app.js": Page(content=b"let a = '</script>'", kind="text/javascript")}
    with pytest.raises(ValueSimError, match="cannot stand in a page"):
        shared_page([found("scarce")], built=built)


def test_the_name_of_a_file_is_plain(found: Callable[[str], Opened]) -> None:
    one = found("deep/er")
    assert file_name([one]) == f"valuesim-deep-er-{one.episode.id}.html"
    for name in ('a"; filename=b', "../..", "ü\n" * 80, ""):
        place = type(one.run.place)(id="0", name=name, path=Path("x"))
        told = file_name(
            [
                type(one)(
                    run=type(one.run)(place=place, signature=()),
                    episode=one.episode,
                    records=(),
                    texts={},
                )
            ]
        )
        assert re.fullmatch(r"valuesim-[A-Za-z0-9_-]{1,100}\.html", told)


def test_an_episode_is_pointed_to_by_what_only_it_has(shelf: Shelf) -> None:
    run, episode = pointed(shelf, "scarce/")
    for given in (episode, episode[:8], f"scarce/{episode}", f"{run}/{episode}", f"{run}/"):
        assert pointed(shelf, given)[1] == episode
    with pytest.raises(InputError, match=r"no episode below .* begins with, 'nothing'"):
        pointed(shelf, "nothing")
    with pytest.raises(InputError, match="no episode"):
        pointed(shelf, "%' OR 1=1 --")


def test_of_several_episodes_the_candidates_are_named(shelf: Shelf) -> None:
    _, episode = pointed(shelf, "again/")
    with pytest.raises(InputError) as raised:
        pointed(shelf, episode[:6])
    for name in ("again", "deep/er", "spoilt"):
        assert f"{name}/{episode}" in str(raised.value)
    assert pointed(shelf, f"deep/er/{episode}")[1] == episode
    with pytest.raises(InputError, match="and 1 more"):
        pointed(shelf, "")


def export(runs: Path, *given: str) -> int:
    return main(["replay", str(runs), *given])


def test_the_command_writes_a_file_and_tells_its_size(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], found: Callable[[str], Opened]
) -> None:
    out = tmp_path / "one.html"
    assert export(runs, "--export", "scarce/", "--out", str(out)) == 0
    assert out.read_bytes() == shared_page([found("scarce")])
    printed = capsys.readouterr()
    assert printed.out == f"{out}\n"
    assert "kB, opens offline" in printed.err
    both = ["--export", "scarce/", "--against", "deep/er/", "--out", str(out)]
    assert export(runs, *both) == 0
    assert out.read_bytes() == shared_page([found("scarce"), found("deep/er")])


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--export", "scarce/"], "--export needs --out FILE.html"),
        (["--out", "x.html"], "--out goes with --export"),
        (["--against", "scarce/"], "--against goes with --export"),
        (["--export", "zz", "--out", "x.html"], "no episode below"),
        (["--export", "", "--out", "x.html"], "may be any of"),
        (["--export", "scarce/", "--against", "scarce/", "--out", "x.html"], "the same episode"),
        (["--export", "scarce/", "--out", "not/there/x.html"], "cannot be written"),
    ],
)
def test_what_cannot_be_exported_is_one_sentence_and_leaves_no_file(
    runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert export(runs, *given) != 0
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_command_needs_no_web_framework(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.html"
    script = (
        "import sys; sys.modules['fastapi'] = sys.modules['starlette'] = None; "
        "sys.modules['uvicorn'] = None; from valuesim.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    command = ["replay", str(runs), "--export", "scarce/", "--out", str(out)]
    subprocess.run([sys.executable, "-c", script, *command], check=True, timeout=120)
    assert out.stat().st_size > 100_000


@pytest.fixture(scope="module")
def client(shelf: Shelf) -> Any:
    pytest.importorskip("fastapi")
    from fastapi.testclient import TestClient

    from valuesim.replay.security import Access
    from valuesim.replay.server import create_app

    return TestClient(create_app(shelf, Access(token="t")), base_url="http://127.0.0.1:8765")


def test_the_viewer_gives_the_same_file_to_be_saved_and_never_as_a_page(
    client: Any, found: Callable[[str], Opened]
) -> None:
    one, other = found("scarce"), found("deep/er")
    keys = [f"{each.run.place.id}/{each.episode.id}" for each in (one, other)]
    for episodes in ([one], [one, other]):
        answer = client.get(f"/api/share/{'/'.join(keys[: len(episodes)])}")
        assert answer.content == shared_page(episodes)
        headers = answer.headers
        assert re.fullmatch(r'attachment; filename="[\w.-]+\.html"', headers["content-disposition"])
        assert "sandbox" in headers["content-security-policy"].split("; ")
        assert "text/html" not in headers["content-type"]
        assert headers["x-content-type-options"] == "nosniff"
    opening = client.get(f"/api/share/{keys[0]}?step=1&role=Alpha&token=t")
    assert content(opening.content)["at"].endswith("?step=1&role=Alpha")


@pytest.mark.parametrize(
    "path", ["", "a", "a/b", "a/b/c", "a/b/c/d", "{0}?step=-1", "{0}?step=x", "{0}/{0}", "{0}/c/d"]
)
def test_what_cannot_be_shared_is_not_found(
    client: Any, found: Callable[[str], Opened], path: str
) -> None:
    one = found("scarce")
    answer = client.get(f"/api/share/{path.format(f'{one.run.place.id}/{one.episode.id}')}")
    assert answer.status_code == 404
    assert answer.json().keys() == {"error"}


def test_only_who_may_look_may_share(client: Any, found: Callable[[str], Opened]) -> None:
    one = found("scarce")
    path = f"/api/share/{one.run.place.id}/{one.episode.id}"
    assert client.get(path, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert client.get(path, headers={"host": "evil.example"}).status_code == 421
