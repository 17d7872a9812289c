"""What a person waits for in the viewer among 100,000 episodes, and what the page keeps in memory.

`python -m benchmarks.replay_page` writes runs as `benchmarks.replay` does, opens them in Debian's
Chromium, and ends with 1 where a list takes longer than 300 ms from the key to the rows, an episode
longer than 500 ms to its first decision (medians), or the page's process more than 300 MB, after 50
pages and 30 episodes too. Nothing else should run meanwhile: where something does, the parts that
are told beside say what is the viewer's. `--keep FOLDER` leaves the runs there.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import sync_playwright

from benchmarks.replay import EPISODE_MS, EPISODES, LIST_MS, _started, _stop, write

CHROMIUM = "/usr/bin/chromium"
LARGEST_MB = 300
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_OPENED = (0, 7, 23)
_PAGES, _LOOKED_AT = 50, 30
_PARTS = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")
_ANSWERS = "performance.getEntriesByType('resource').filter(e => e.name.includes('/api/episodes'))"
_QUERIES = (
    *("sort=-steps", "env=survival-v0", "text=random", "sort=seed&offset=50000", "agent=ethical"),
    *("condition.scarcity=medium", "sort=-faults", "offset=99950", ""),
)
_ROWS = "document.querySelector('.episodes[aria-busy=false]')"
_DECISION = "document.querySelector('.verdict')"
_BUSY = "fetch('/api/about').then(a => a.json()).then(told => told.reading + told.pending)"


def main() -> int:
    """Measure, print what was found, and return 1 where a limit is broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay_page")
    parser.add_argument("--episodes", type=int, default=EPISODES)
    parser.add_argument("--keep", type=Path, help="write the runs here, and leave them")
    arguments = parser.parse_args()
    with TemporaryDirectory(prefix="valuesim-replay-") as spare:
        folder = arguments.keep or Path(spare)
        if not any(folder.glob("*/run.yaml")):
            write(folder, arguments.episodes)
        viewer, port = _started(folder)
        try:
            return measure(f"http://127.0.0.1:{port}/")
        finally:
            _stop(viewer)


def measure(site: str) -> int:
    """Look at a viewer through a browser, print what it took, and return 1 where it is too much."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        page.goto(site)
        while page.evaluate(_BUSY) > 0:
            time.sleep(0.5)
        parts = _Parts(page)
        lists = [_timed(page, f"#/?{query}", _ROWS) for query in _QUERIES]
        print(f"list: {median(lists):.0f} ms (slowest of {len(lists)}: {max(lists):.0f}); {parts}")
        parts = _Parts(page)
        episodes = [_opened(page, place) for place in _OPENED]
        print(
            f"episode: {median(episodes):.0f} ms (slowest of {len(episodes)}: "
            f"{max(episodes):.0f}); with the list before it {parts}"
        )
        memory = _memory(browser)
        for number in range(_PAGES):
            _timed(page, f"#/?offset={50 * number}", _ROWS)
        for number in range(_LOOKED_AT):
            _opened(page, number)
        after = _memory(browser)
        browser.close()
    print(f"page: {memory:.0f} MB; after {_PAGES} pages and {_LOOKED_AT} episodes {after:.0f} MB")
    memory = max(memory, after)
    is_much = memory > LARGEST_MB
    is_slow = median(lists) > LIST_MS or median(episodes) > EPISODE_MS
    return int(is_slow or is_much)


class _Parts:
    """What a question takes of the answer, and of the page to show it: means since it was made."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable")
        page.evaluate("performance.clearResourceTimings()")
        self._before = self._now()

    def _now(self) -> dict[str, float]:
        told = self._session.send("Performance.getMetrics")["metrics"]
        return {each["name"]: each["value"] for each in told if each["name"] in _PARTS}

    def __str__(self) -> str:
        answers = self._page.evaluate(f"{_ANSWERS}.map(e => e.responseEnd - e.startTime)")
        asked = max(1, len(answers))
        now = self._now()
        shown = {name: 1000 * (now[name] - self._before[name]) / asked for name in _PARTS}
        told = ", ".join(f"{name.removesuffix('Duration')} {ms:.0f}" for name, ms in shown.items())
        return f"a question's answer {sum(answers) / asked:.0f} ms, then {told}"


def _opened(page: Any, place: int) -> float:
    _timed(page, "#/", _ROWS)
    return _timed(page, page.locator(".episode-link").nth(place).get_attribute("href"), _DECISION)


def _timed(page: Any, place: str, is_there: str) -> float:
    """Return how many milliseconds pass from a change of the address to what it asks for."""
    waited: float = page.evaluate(
        f"""async place => {{
            const began = performance.now();
            location.hash = place;
            const tick = () => new Promise(done => setTimeout(done, 4));
            await tick();
            while (!({is_there})) await tick();
            return performance.now() - began;
        }}""",
        place,
    )
    return waited


def _memory(browser: Any) -> float:
    """Return the megabytes of the pages' own processes, their share of what is shared included."""
    told = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return sum(_share(each["id"]) for each in told if each["type"] == "renderer")


def _share(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000


if __name__ == "__main__":
    raise SystemExit(main())
