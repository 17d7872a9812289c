"""Live: a run that is really being played, watched in a real browser to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import paced_runs
from tests.paced_runs import wait_for

PHONE = {"width": 390, "height": 844}
Opened = Callable[..., Any]
Until = Callable[[Any, str], None]
GAME = ("env=public_goods", "episodes=1", "engine.concurrency=1")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which one run is being played, for longer than any test takes."""
    folder = tmp_path_factory.mktemp("live")
    plugins = paced_runs.installed(folder / "plugins")
    log = folder / "runs" / "slow" / "decisions.jsonl"
    settings = (*GAME, "env.horizon=900")
    process = paced_runs.started(plugins, log.parent, *settings, pace_s=0.5)
    wait_for(lambda: log.exists() and log.stat().st_size, "the run begins", 180)
    yield folder
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def site(played: Path, view: Callable[[Path], str]) -> str:
    """The viewer that `opened` opens: on the run that is being played."""
    return view(played / "runs")


def at(page: Any) -> int:
    return int(page.get_by_role("slider").input_value())


def newest(page: Any) -> int:
    return int(page.get_by_role("slider").get_attribute("max"))


def into(opened: Opened, size: Any = None, colours: str = "light") -> Any:
    """Open the episode that is being played, by the strip above the list."""
    page = opened("#/", size, colours) if size else opened("#/", colours=colours)
    page.get_by_role("heading", name="Being played now").wait_for()
    page.locator(".live-episodes a").first.click()
    page.get_by_text("This episode is being played").wait_for()
    return page


SLIDER = "document.querySelector('input[type=range]')"
FOLLOWS = f"{SLIDER}.value === {SLIDER}.max"


def grown(page: Any, until: Until, by: int = 2) -> None:
    until(page, f"Number({SLIDER}.max) >= {newest(page) + by}")


def test_the_newest_step_is_followed_until_the_reader_goes_back(
    opened: Opened, until: Until
) -> None:
    page = into(opened)
    grown(page, until)
    assert newest(page) - at(page) <= 1
    follow = page.get_by_label("follow the newest")
    assert follow.is_checked()
    page.keyboard.press("Home")
    assert not follow.is_checked()
    grown(page, until)
    assert at(page) == 0
    follow.check()
    until(page, FOLLOWS)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_no_serious_fault_of_access(opened: Opened, serious: Any, colours: str) -> None:
    page = into(opened, colours=colours)
    assert serious(page) == []
    page.go_back()
    page.get_by_role("heading", name="Being played now").wait_for()
    assert serious(page) == []


def test_a_phone_never_scrolls_sideways(opened: Opened) -> None:
    page = into(opened, PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_it_ends_as_any_other_episode_without_losing_the_place(
    played: Path, opened: Opened, until: Until
) -> None:
    plugins = played / "plugins"
    run = played / "runs" / "short"
    process = paced_runs.started(plugins, run, *GAME, "env.horizon=30", "seed=1", pace_s=0.5)
    wait_for((run / "decisions.jsonl").exists, "the run begins", 180)
    page = opened("#/")
    page.locator(".being-played li", has_text="short").locator("a").first.click(timeout=20_000)
    page.get_by_text("This episode is being played").wait_for()
    until(page, f"Number({SLIDER}.max) >= 3")
    page.get_by_role("button", name="First step").click()
    page.keyboard.press("ArrowRight")
    process.wait(60)
    page.get_by_text("The episode has ended").wait_for()
    assert (at(page), newest(page)) == (1, 29)
    page.get_by_role("link", name="← Episodes").click()
    page.get_by_text("1 episode", exact=True).wait_for(timeout=20_000)
