"""Runs in which everything is an attack: the list and each episode open, and nothing runs."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.browser import hostile_runs

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
Opened = Callable[..., Any]
KINDS = ("texts", "names", "all")
RUNS = (
    *(f"{kind}-{base}" for base in hostile_runs.BASES for kind in KINDS),
    *("deep", "deep-all", "many", "crowd", "long"),
)
TURNING = "\u202e\u2066\u200b\u0000\u001b\u2028"
LIVES = (
    "script:not([src='./app.js']), iframe, object, embed, base, animate, style, foreignObject, "
    "form[action], [formaction]"
)
HANDLERS = (
    "[...document.querySelectorAll('*')]"
    ".filter(each => each.getAttributeNames().some(name => name.startsWith('on'))).length"
)
SPOILT = {"nan": b"NaN", "infinity": b"-Infinity", "surrogate": b'"\\ud800"', "big": b"1" * 5_000}


@pytest.fixture(scope="session")
def hostile_site(tmp_path_factory: pytest.TempPathFactory, view: Callable[[Path], str]) -> str:
    folder = tmp_path_factory.mktemp("hostile") / "shown"
    assert set(hostile_runs.make(folder)) == set(RUNS)
    plays = folder.parent / "plays"
    for name, told in SPOILT.items():
        run = hostile_runs.copied(plays / "rating", folder / f"spoilt-{name}", lambda _, line: line)
        log = run / "decisions.jsonl"
        log.write_bytes(log.read_bytes().replace(b'"view": {', b'"view": {"x": %s, ' % told, 1))
    return view(folder)


@pytest.fixture(scope="session")
def site(hostile_site: str) -> str:
    """The viewer that `opened` opens: on the runs of this file."""
    return hostile_site


@pytest.fixture(scope="session")
def ask(site: str) -> Callable[[str], Any]:
    parts = urlsplit(site)

    def answer(path: str) -> Any:
        with urllib.request.urlopen(f"{parts.scheme}://{parts.netloc}/api/{path}") as given:
            return json.load(given)

    return answer


@pytest.fixture(scope="session")
def link(ask: Callable[[str], Any]) -> Callable[[str], str]:
    """What returns the link to the first episode of a run, by the run's name."""
    runs = {each["name"]: each["run"] for each in ask("facets")["runs"]}

    def to(name: str) -> str:
        (row,) = ask(f"episodes?run={runs[name]}&limit=1")["rows"]
        return f"#/episode/{row['run']}/{quote(row['episode'], safe='')}"

    return to


def holds(page: Any, width: int) -> None:
    """Fail where a part of the page broke, something lives in it, or it is turned or too wide."""
    shown = page.locator("body").inner_text()
    assert "could not be" not in shown, shown[shown.index("could not be") - 100 :][:300]
    assert [each for each in TURNING if each in shown] == []
    assert page.locator(LIVES).count() == 0
    assert page.locator("a[href^='javascript' i], a[href^='data' i]").count() == 0
    assert page.evaluate(HANDLERS) == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_list_shows_them_all(opened: Opened, size: dict[str, int]) -> None:
    page = opened("#/", size)
    assert page.locator(".episodes tbody tr").count() == len(RUNS)
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    told = page.locator(".broken").inner_text()
    assert f"{len(SPOILT)} runs could not be read" in told
    page.evaluate("document.querySelector('.broken').remove()")
    holds(page, size["width"])


@pytest.mark.parametrize("name", RUNS)
def test_an_episode_is_shown_step_by_step(
    opened: Opened, link: Callable[[str], str], name: str
) -> None:
    began = time.monotonic()
    page = opened(link(name))
    page.locator(".verdict, .note").first.wait_for()
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
    for _ in range(3):
        holds(page, DESK["width"])
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(60)
    page.set_viewport_size(PHONE)
    page.keyboard.press("End")
    page.wait_for_timeout(100)
    holds(page, PHONE["width"])
    assert time.monotonic() - began < 60, "the page is slow"


@pytest.mark.parametrize(
    "name", ["names-prisoners", "texts-talking", "names-unfolding", "deep-all", "crowd"]
)
def test_every_other_page_of_it_is_as_safe(
    opened: Opened, link: Callable[[str], str], name: str
) -> None:
    place = link(name).removeprefix("#/episode/")
    run = place.partition("/")[0]
    pages = (
        f"#/graph?run={run}&by=agent,condition,role",
        f"#/branch/{place}?step=0",
        f"#/compare/{place}/{link('all-prisoners').removeprefix('#/episode/')}",
        f"#/blind/{place}",
    )
    for address in pages:
        page = opened(address)
        page.wait_for_timeout(1500)
        page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
        for size in (DESK, PHONE):
            page.set_viewport_size(size)
            page.wait_for_timeout(100)
            holds(page, size["width"])
