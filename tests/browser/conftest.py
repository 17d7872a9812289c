"""Fixtures: runs that were really played, one of them made hostile, the viewer, and a browser."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from tests.browser import scene_runs

CHROMIUM = "/usr/bin/chromium"
AXE = Path("valuesim/replay/web/node_modules/axe-core/axe.min.js")
ROOT = Path(__file__).parents[2]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
LIGHT = {"width": 1280, "height": 800}
WAIT_S = 40
_IS_THERE = """document.querySelector('main *') !== null
  && document.querySelector('main [aria-busy=true]') === null
  && ![...document.querySelectorAll('main [role=status]')]
    .some(each => /^(Looking|Opening|Counting)/.test(each.innerText))"""
EXPECTED = (
    # a question that the server refuses is told by the page, and by the browser too
    "Failed to load resource",
    # of another host, which no certificate vouches for: there is then less to keep apart
    "Cross-Origin-Opener-Policy header has been ignored",
)
QUIET_S = 0.12
"""So long nothing is asked of the server before a page is taken to be there."""
PHONE = {"width": 390, "height": 844}

SCRIPT = "<script>window.struck='script'</script>"
HANDLER = "<img src=x onerror=\"window.struck='handler'\"><svg onload=\"window.struck='svg'\">"
LINK = "[a link](javascript:window.struck='link') https://elsewhere.example/beacon.png"
TURNED = "safe\u202egnp.exe\u2066 \u200b\u0007 end"
LONG = "long " * 200_000
HOSTILE = f"{SCRIPT}{HANDLER}{LINK}{TURNED}"

PLAYED = {
    "survival": ["experiment=scarcity_benchmark", "episodes=1", "agents=[exploitative,mute]"],
    "games": ["experiment=stake_size", "episodes=1"],
    "machine": ["experiment=moral_machine", "episodes=1"],
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small runs by scripted agents, and `hostile`: one with its texts replaced."""
    folder = tmp_path_factory.mktemp("runs")
    scene_runs.play({folder / name: settings for name, settings in PLAYED.items()})
    shutil.copytree(folder / "games", folder / f"hostile {SCRIPT}".replace("/", "-"))
    _spoil(next(folder.glob("hostile*")))
    return folder


def _spoil(run: Path) -> None:
    """Put hostile texts wherever a model, a pack or a log may hold some."""
    lines = [orjson.loads(line) for line in (run / "decisions.jsonl").read_bytes().splitlines()]
    for number, line in enumerate(lines):
        line["decision"] |= {"reply": HOSTILE, "rationale": HOSTILE, "message": HOSTILE}
        line["observation"]["text"] = HOSTILE
        if number == 0:
            line["decision"]["reply"] = SCRIPT + LONG
    _write(run / "decisions.jsonl", lines)
    texts = [orjson.loads(line) for line in (run / "texts.jsonl").read_bytes().splitlines()]
    _write(run / "texts.jsonl", [line | {"text": HOSTILE + line["text"]} for line in texts])


def _write(path: Path, lines: list[Any]) -> None:
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))


@pytest.fixture(scope="session")
def view(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """What starts the viewer on a folder, with flags, and returns its address, token and all."""
    started: list[subprocess.Popen[str]] = []

    def start(folder: Path, *flags: str) -> str:
        command = [sys.executable, "-m", "valuesim.cli", "replay", str(folder), "--no-browser"]
        viewer = subprocess.Popen([*command, *flags], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        started.append(viewer)
        assert viewer.stdout is not None
        site = viewer.stdout.readline().strip()
        _wait_until_read(site)
        return site

    yield start
    for viewer in started:
        viewer.send_signal(signal.SIGINT)
        viewer.wait(timeout=60)


def _wait_until_read(site: str) -> None:
    """Wait until the viewer has read all runs: it answers before."""
    parts = urlsplit(site)
    end = time.monotonic() + 180
    while True:
        answer = urllib.request.urlopen(f"{parts.scheme}://{parts.netloc}/api/about?{parts.query}")
        if json.load(answer)["reading"] == 0:
            return
        assert time.monotonic() < end, "the runs are read for too long"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def site(runs: Path, view: Callable[[Path], str]) -> str:
    """The address of the viewer on `runs`."""
    return view(runs)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser, Debian's Chromium."""
    # not at the top: other tests are collected without it, and here nothing is skipped
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Any, site: str) -> Iterator[Callable[..., Any]]:
    """What opens a page, such as `opened("#/")` or `opened("#/", PHONE, "dark")`.

    When the test ends, no page must have reported an error, run a hostile text, or asked any host
    but the viewer's.
    """
    contexts: list[Any] = []
    wrong: list[str] = []

    def open_page(place: str = "#/", size: dict[str, int] = LIGHT, colours: str = "light") -> Any:
        context = chromium.new_context(viewport=size, color_scheme=colours)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(1_000 * WAIT_S)
        _watch(page, site, wrong)
        flying = _flying(page)
        page.goto(site + place)
        _wait_until_quiet(page, flying)
        return page

    yield open_page
    for context in contexts:
        struck = [page.evaluate("window.struck ?? null") for page in context.pages]
        wrong += [f"a hostile text ran: {each}" for each in struck if each]
        context.close()
    assert not wrong


def _watch(page: Any, site: str, wrong: list[str]) -> None:
    host = urlsplit(site).netloc

    def asked(request: Any) -> None:
        target = urlsplit(request.url)
        if target.scheme != "data" and target.netloc != host:
            wrong.append(f"asked {request.url:.100}")

    def said(message: Any) -> None:
        if message.type == "error" and not any(each in message.text for each in EXPECTED):
            wrong.append(message.text)

    page.on("request", asked)
    page.on("console", said)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(f"a dialog: {dialog.message:.100}"))


def read_late(page: Any, times: int) -> list[Any]:
    """Let the server say so many times that a run is being read; return the answers to come."""
    answers = [{"status": 503, "json": {"error": "it is being read"}}] * times

    def answer(route: Any) -> None:
        route.fulfill(**answers.pop()) if answers else route.continue_()

    page.route("**/api/episodes/*/*", answer)
    return answers


def _flying(page: Any) -> set[Any]:
    """Return the requests of a page that are not answered yet, as they come and go."""
    flying: set[Any] = set()

    def left(request: Any) -> None:
        # a stream of events has no end
        if request.resource_type != "eventsource":
            flying.add(request)

    page.on("request", left)
    page.on("requestfinished", lambda request: flying.discard(request))
    page.on("requestfailed", lambda request: flying.discard(request))
    return flying


def _wait_until_quiet(page: Any, flying: set[Any]) -> None:
    """Wait until the page shows something and has asked nothing for a while."""
    end = time.monotonic() + WAIT_S
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < QUIET_S:
        page.wait_for_timeout(30)
        if flying or not page.evaluate(_IS_THERE):
            quiet_since = time.monotonic()
        assert time.monotonic() < end, f"the page is not there; it asks {len(flying)} questions"


@pytest.fixture(scope="session")
def until() -> Callable[[Any, str], None]:
    """What waits until an expression holds on a page, asking again and again.

    Playwright's own `wait_for_function` needs eval in the page, which the viewer's policy forbids.
    """

    def wait(page: Any, expression: str) -> None:
        end = time.monotonic() + WAIT_S
        while not page.evaluate(expression):
            assert time.monotonic() < end, f"never: {expression}"
            page.wait_for_timeout(50)

    return wait


@pytest.fixture(scope="session")
def serious() -> Callable[[Any], list[str]]:
    """What returns the serious and critical faults that axe-core finds on a page."""
    path = ROOT / AXE
    if not path.is_file():
        pytest.fail(f"there is no {AXE}: `make test-browser` installs it")
    source = path.read_text(encoding="utf-8")

    def check(page: Any) -> list[str]:
        page.evaluate(source)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        return [
            f"{each['id']}: {each['help']} ({each['nodes'][0]['html']:.200})"
            for each in found
            if each["impact"] in ("serious", "critical")
        ]

    return check
