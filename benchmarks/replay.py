"""How fast the viewer lists and opens episodes, among 100,000 of them.

`python -m benchmarks.replay` plays some episodes of each family with scripted agents, copies their
lines under other names until there are as many as wanted, and asks `valuesim replay` for pages and
episodes over HTTP. It ends with 1 where a page takes longer than 300 ms, or an episode than 500 ms
(medians of several askings, the slowest question of all). `--keep FOLDER` leaves the runs there.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote, urlsplit

from valuesim.cli import main as valuesim

EPISODES = 100_000
LIST_MS, EPISODE_MS = 300, 500
_TEMPLATES = 40
_TIMES = 5
_OPENED = 40
_AGENTS = "agents=[ethical,exploitative,context_dependent,random]"
_RUNS = {
    "survival": ["env=survival", "env.horizon=2", _AGENTS],
    "games": ["env=prisoners_dilemma", "env.horizon=3", "agents=random"],
    "dictator": ["env=dictator", "agents=random"],
    "scenes": ["env=moral_machine", "env.scenes=3", "agents=random"],
}
_QUESTIONS = (
    *("", "agent=ethical", "env=survival-v0&agent=random", "value=Power", "text=random"),
    *("condition.scarcity=medium", "fault=unparsed", "text=survival+ethical&sort=-decisions"),
    *(f"sort={sign}{name}" for sign in ("", "-") for name in ("env", "agents", "seed", "first")),
    *("sort=condition", "sort=-faults", "offset=99950", "sort=-steps&offset=50000&limit=200"),
)


def main() -> int:
    """Measure, print what was found, and return 1 where a limit is broken."""
    arguments = _arguments()
    with TemporaryDirectory(prefix="valuesim-replay-") as spare:
        folder = arguments.keep or Path(spare)
        if not any(folder.glob("*/run.yaml")):
            write(folder, arguments.episodes)
        return measure(folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay")
    parser.add_argument("--episodes", type=int, default=EPISODES)
    parser.add_argument("--keep", type=Path, help="write the runs here, and leave them")
    return parser.parse_args()


def write(folder: Path, episodes: int) -> None:
    """Write run folders with so many episodes together below `folder`."""
    for number, (name, given) in enumerate(_RUNS.items()):
        run = folder / name
        count = episodes // len(_RUNS)
        command = ["run", *given, f"episodes={min(_TEMPLATES, count)}", f"run.name={run}"]
        if valuesim(command) != 0:
            raise SystemExit(f"{name} could not be played")
        _multiply(run, count, random.Random(number))


def _multiply(run: Path, count: int, rng: random.Random) -> None:
    """Let the log of `run` hold `count` episodes, the lines of its own under other names."""
    decisions: dict[bytes, list[bytes]] = {}
    for line in (run / "decisions.jsonl").read_bytes().splitlines(keepends=True):
        decisions.setdefault(_id(line), []).append(line)
    own = (run / "episodes.jsonl").read_bytes().splitlines(keepends=True)
    with (run / "episodes.jsonl").open("wb") as ended, (run / "decisions.jsonl").open("wb") as log:
        for place in range(count):
            line = own[place % len(own)]
            id, name = _id(line), b"%016x" % rng.getrandbits(64)
            told = re.sub(rb'"place":\d+', b'"place":%d' % place, line)
            told = re.sub(rb'"seed":\d+', b'"seed":%d' % rng.getrandbits(48), told)
            ended.write(told.replace(id, name))
            log.writelines(each.replace(id, name) for each in decisions[id])


def _id(line: bytes) -> bytes:
    return str(json.loads(line)["episode"]).encode()


def measure(folder: Path) -> int:
    """Ask a viewer of `folder`, print what it took, and return 1 where a limit is broken."""
    for state in ("first start", "later start"):
        started = time.perf_counter()
        viewer, port = _started(folder)
        answers = time.perf_counter() - started
        _wait(port, "reading")
        print(
            f"{state}: answers after {answers:.1f} s, all read after "
            f"{time.perf_counter() - started:.1f} s"
        )
        if state == "first start":
            _stop(viewer)
    try:
        return _asked(port, viewer.pid)
    finally:
        _stop(viewer)


def _asked(port: int, pid: int) -> int:
    total = _get(port, "/api/about")[0]["episodes"]
    beside = [_timed(port, "/api/episodes") for _ in range(_TIMES)]
    print(f"{total:,} episodes; page while archetypes are worked out: {_told(beside)}")
    _wait(port, "pending")
    pages = {
        each: [_timed(port, f"/api/episodes?{each}") for _ in range(_TIMES)] for each in _QUESTIONS
    }
    slowest = max(pages, key=lambda each: median(pages[each]))
    print(f"page, slowest of {len(pages)} questions ({slowest or 'all'}): {_told(pages[slowest])}")
    for each in _QUESTIONS:
        print(f"  {each or 'all'}: {_told(pages[each])}")
    facets = [_timed(port, "/api/facets") for _ in range(_TIMES)]
    print(f"facets: {_told(facets)}")
    opened = {path: [_timed(port, path) for _ in range(3)] for path in _episodes(port, total)}
    last = max(opened, key=lambda each: median(opened[each]))
    print(f"episode, slowest of {len(opened)}: {_told(opened[last])}")
    print(f"memory of the viewer: {_memory(pid):,.0f} MiB")
    is_slow = median(pages[slowest]) > LIST_MS or median(opened[last]) > EPISODE_MS
    print(f"{'TOO SLOW' if is_slow else 'held'}: page {LIST_MS} ms, episode {EPISODE_MS} ms")
    return int(is_slow)


def _episodes(port: int, total: int) -> Iterator[str]:
    rng = random.Random(0)
    for _ in range(_OPENED):
        (row,) = _get(port, f"/api/episodes?limit=1&offset={rng.randrange(total)}")[0]["rows"]
        yield f"/api/episodes/{row['run']}/{quote(row['episode'], safe='')}"


def _wait(port: int, what: str, patience_s: float = 900) -> None:
    """Wait until there is nothing left of `what` is done beside answering."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        if _get(port, "/api/about")[0][what] == 0:
            return
        time.sleep(0.5)


def _told(milliseconds: list[float]) -> str:
    return f"{median(milliseconds):.0f} ms (at most {max(milliseconds):.0f})"


def _timed(port: int, path: str) -> float:
    return _get(port, path)[1]


def _get(port: int, path: str) -> tuple[Any, float]:
    """Return what the viewer answers, and in how many milliseconds all of it was there."""
    started = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    took = 1000 * (time.perf_counter() - started)
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"{path} is answered with {answer.status}: {body[:300]!r}")
    return json.loads(body), took


def _started(folder: Path) -> tuple[subprocess.Popen[str], int]:
    command = [sys.executable, "-m", "valuesim.cli", "replay", str(folder), "--no-browser"]
    viewer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert viewer.stdout is not None
    url = viewer.stdout.readline().strip()
    port = urlsplit(url).port
    if port is None:
        raise SystemExit("the viewer did not start")
    return viewer, port


def _stop(viewer: subprocess.Popen[str]) -> None:
    viewer.terminate()
    viewer.wait(timeout=30)


def _memory(pid: int) -> float:
    """Return the most memory that a process ever had, in MiB; nan where the system tells none."""
    try:
        told = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return float("nan")
    found = re.search(r"VmHWM:\s*(\d+) kB", told)
    return int(found[1]) / 1024 if found else float("nan")


if __name__ == "__main__":
    sys.exit(main())
