"""Live: a run that is really being played, watched in a real browser to its end.

Its agents wait at a gate that the test opens, so that nothing hangs on how fast a machine is.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import paced_runs
from tests.paced_runs import Gate, wait_for

PHONE = {"width": 390, "height": 844}
Opened = Callable[..., Any]
Until = Callable[[Any, str], None]
GAME = ("env=public_goods", "episodes=1", "engine.concurrency=1", "env.horizon=30")
LONG_S = 180
SLIDER = "document.querySelector('input[type=range]')"
SAYS = "document.querySelector('.live-mark')?.innerText ?? ''"


class Run:
    """A run that is played as far as its gate is open."""

    def __init__(self, folder: Path, name: str, *settings: str) -> None:
        self.plugins = folder / "plugins"
        self.path = folder / "runs" / name
        self.gate = Gate(folder / f"{name}.gate", 3)
        self.settings = (*GAME, *settings)
        self.begin()

    def begin(self) -> None:
        given = self.plugins, self.path, *self.settings
        self.process = paced_runs.started(*given, gate=self.gate)

    @property
    def steps(self) -> int:
        log = self.path / "decisions.jsonl"
        return log.read_bytes().count(b"\n") // 4 if log.exists() else 0

    def wait(self) -> None:
        def is_there() -> bool:
            assert self.process.poll() in (None, 0), "the run failed"
            return self.steps >= self.gate.steps

        wait_for(is_there, f"{self.gate.steps} steps", LONG_S)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("live ü")
    paced_runs.installed(folder / "plugins")
    return folder


@pytest.fixture(scope="module")
def played(folder: Path) -> Iterator[dict[str, Run]]:
    """Runs that are being played: one that goes on, one that will end, one that is cut off."""
    found = {
        name: Run(folder, name, f"seed={seed}")
        for seed, name in enumerate(("slow", "short", "broken"))
    }
    for run in found.values():
        run.wait()
    yield found
    for run in found.values():
        run.end()


@pytest.fixture(scope="module")
def site(folder: Path, played: dict[str, Run], view: Callable[[Path], str]) -> str:
    """The viewer that `opened` opens: on the runs that are being played."""
    return view(folder / "runs")


class Viewer:
    """A viewer of a test's own, always on the same port."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.command = [sys.executable, "-m", "valuesim.cli", "replay", str(folder)]
        self.command += ["--no-browser", "--port", str(self.port)]
        self.begin()

    def begin(self) -> None:
        self.process = subprocess.Popen(
            self.command, cwd=paced_runs.TESTS.parent, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.site = self.process.stdout.readline().strip()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def own_viewer(folder: Path, played: dict[str, Run]) -> Iterator[Viewer]:
    viewer = Viewer(folder / "runs")
    yield viewer
    viewer.end()


def at(page: Any) -> int:
    return int(page.get_by_role("slider").input_value())


def newest(page: Any) -> int:
    return int(page.get_by_role("slider").get_attribute("max"))


def into(page: Any, name: str = "slow") -> Any:
    """Open the episode that is being played, by the strip above the list."""
    page.get_by_role("heading", name="Being played now").wait_for(timeout=30_000)
    page.locator(".being-played > ul > li", has_text=name).locator("a").first.click(timeout=30_000)
    page.get_by_text("This episode is being played").wait_for()
    return page


def opens_to(run: Run, page: Any, until: Until, steps: int) -> None:
    """Let a run be played on, and wait until the page has its newest step."""
    run.gate.open(steps)
    run.wait()
    until(page, f"{SLIDER}.max == {steps - 1}")


def test_the_newest_step_is_followed_until_the_reader_goes_back(
    opened: Opened, until: Until, played: dict[str, Run]
) -> None:
    run, page = played["slow"], into(opened("#/"))
    opens_to(run, page, until, 5)
    until(page, f"{SLIDER}.value == 4")
    follow = page.get_by_label("follow the newest")
    assert follow.is_checked()
    page.keyboard.press("Home")
    assert not follow.is_checked()
    opens_to(run, page, until, 7)
    assert at(page) == 0
    follow.check()
    until(page, f"{SLIDER}.value == 6")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_no_serious_fault_of_access(opened: Opened, serious: Any, colours: str) -> None:
    page = opened("#/", colours=colours)
    page.get_by_role("heading", name="Being played now").wait_for(timeout=30_000)
    assert serious(page) == []
    assert serious(into(page)) == []


def test_a_phone_never_scrolls_sideways(opened: Opened) -> None:
    page = opened("#/", PHONE)
    page.get_by_role("heading", name="Being played now").wait_for(timeout=30_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert into(page).evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_it_ends_as_any_other_episode_without_losing_the_place(
    opened: Opened, until: Until, played: dict[str, Run]
) -> None:
    run, page = played["short"], into(opened("#/"), "short")
    page.get_by_role("button", name="First step").click()
    page.keyboard.press("ArrowRight")
    run.gate.open(30)
    page.get_by_text("The episode has ended").wait_for(timeout=60_000)
    assert (at(page), newest(page)) == (1, 29)
    page.get_by_role("link", name="← Episodes").click()
    page.get_by_text("1 episode", exact=True).wait_for(timeout=30_000)


def test_an_episode_that_is_cut_off_says_why_and_is_live_again_when_resumed(
    opened: Opened, until: Until, played: dict[str, Run]
) -> None:
    run, page = played["broken"], into(opened("#/"), "broken")
    # the first lets the episode be played to its end, the second ends it
    for _ in range(2):
        run.process.send_signal(signal.SIGTERM)
        page.wait_for_timeout(1_000)
    run.process.wait(60)
    page.get_by_text("What was played does not count: the run was stopped").wait_for()
    assert newest(page) >= 2
    run.gate.open(2)
    run.begin()
    wait_for(lambda: run.steps >= 5, "it is played anew", LONG_S)
    page.get_by_text("This episode is being played").wait_for(timeout=30_000)
    until(page, f"{SLIDER}.max == 1")


def test_a_server_that_was_lost_is_told_and_the_place_is_kept(
    own_viewer: Viewer, chromium: Any, until: Until, played: dict[str, Run]
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(own_viewer.site)
    run, page = played["slow"], into(page)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    own_viewer.end()
    page.get_by_text("server does not answer").wait_for()
    unseen = run.gate.steps + 2
    run.gate.open(unseen)
    run.wait()
    own_viewer.begin()
    page.get_by_text("This episode is being played").wait_for(timeout=60_000)
    until(page, f"{SLIDER}.max == {unseen - 1}")
    assert at(page) == 1
    opens_to(run, page, until, run.gate.steps + 1)
    context.close()


def test_a_server_that_stands_still_is_told_and_heard_again(
    own_viewer: Viewer, chromium: Any, until: Until, played: dict[str, Run]
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.clock.install()
    page.goto(own_viewer.site)
    into(page)
    own_viewer.process.send_signal(signal.SIGSTOP)
    page.clock.fast_forward(40_000)
    page.get_by_text("server does not answer").wait_for()
    page.clock.fast_forward(40_000)
    assert newest(page) == played["slow"].gate.steps - 1
    own_viewer.process.send_signal(signal.SIGCONT)
    page.get_by_text("This episode is being played").wait_for(timeout=30_000)
    opens_to(played["slow"], page, until, played["slow"].gate.steps + 1)
    context.close()
