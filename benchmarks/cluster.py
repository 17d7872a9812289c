"""Episodes a second of one run on Ray's workers, beside what the machine itself allows.

`python -m benchmarks.cluster` is part of `make bench`. Scripted survival is all computing, so that
two workers need two cores. What the machine allows is what two processes reach that know nothing of
each other: plain runs in one process each, started together. Every rate is counted from when a
tenth of the episodes is done, so that start-up, which is told apart, and first imports are no part
of it; the tail is.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median

from valuesim.cli.collector import spare_what_is_loaded
from valuesim.cli.crew import Share, opened
from valuesim.config import compose
from valuesim.engine import plan, run
from valuesim.engine.dispatch import run_on
from valuesim.engine.handout import cells_of
from valuesim.engine.progress import Progress
from valuesim.engine.ray_crew import Cluster, RayCrew, connected_to
from valuesim.engine.worker import Setup
from valuesim.episode import EpisodeSpec
from valuesim.log import RunWriter

ROUNDS = 3
EACH = 250
"""Episodes for each worker or process."""
WORKERS = 2
WANTED = 1.7
DESIGN = ["env=survival", "env.scarcity=medium", "agents=random", "engine=ray"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """Episodes a second once a tenth was done, and the seconds from the start to the first one.

    `mib` is what all processes below this one held at that moment.
    """

    rate: float
    first: float
    mib: float = 0.0


class Stopwatch(Progress):
    """Notes when each episode ended, and after a tenth what the processes below this one hold."""

    def __init__(self, episodes: int) -> None:
        super().__init__(io.StringIO(), "none")
        self.skipped = episodes // 10
        self.mib = 0.0
        self.began = time.perf_counter()
        self.ends: list[float] = []

    def episode(self, *, interrupted: bool = False) -> None:
        """Note that one ended."""
        super().episode(interrupted=interrupted)
        self.ends.append(time.perf_counter())
        if len(self.ends) == self.skipped:
            self.mib = _memory()
            self.ends[-1] = time.perf_counter()

    def pace(self) -> Pace:
        """Return how fast they ended."""
        seconds = self.ends[-1] - self.ends[self.skipped - 1]
        rate = (len(self.ends) - self.skipped) / seconds
        return Pace(rate=rate, first=self.ends[0] - self.began, mib=self.mib)


def main() -> None:
    print(f"\n{'one run, scripted survival':34}{'episodes/s':>12}{'of one':>9}{'first after':>13}")
    cluster = Cluster(size=WORKERS, address=None, cpus=1.0, gpus=0.0)
    started = time.perf_counter()
    with connected_to(cluster):
        start = time.perf_counter() - started
        # side by side, so that other work on the machine falls on all alike
        rounds = [
            (_plain(1), _plain(WORKERS), _crewed(1, cluster), _crewed(WORKERS, cluster))
            for _ in range(ROUNDS)
        ]
    plain, more_plain, crewed, more_crewed = zip(*rounds, strict=True)
    for name, one, more in (
        ("plain processes", plain, more_plain),
        ("workers of one run", crewed, more_crewed),
    ):
        for number, paces in ((1, one), (WORKERS, more)):
            told = f"{_rate(paces):12.1f}{_rate(paces) / _rate(one):9.2f}"
            first = median(pace.first for pace in paces)
            print(f"{f'{name}: {number}':34}{told}{first:11.1f} s")
    allowed, reached = _rate(more_plain) / _rate(plain), _rate(more_crewed) / _rate(crewed)
    told = "reached" if reached >= WANTED else f"not reached; the machine allows {allowed:.2f}"
    print(f"wanted: {WANTED} times one worker ({told}); of what it allows: {reached / allowed:.0%}")
    mib = max(pace.mib for pace in more_crewed)
    print(f"a cluster with {WORKERS} workers takes {start:.1f} s to begin and {mib:,.0f} MiB")


def _rate(paces: Sequence[Pace]) -> float:
    return median(pace.rate for pace in paces)


def _plain(number: int) -> Pace:
    """Return the pace of so many processes that play at once, added up."""
    command = [sys.executable, "-m", "benchmarks.cluster", "plain"]
    processes = [
        subprocess.Popen([*command, str(seed)], stdout=subprocess.PIPE) for seed in range(number)
    ]
    paces = [Pace(**json.loads(each.communicate()[0])) for each in processes]
    return Pace(rate=sum(pace.rate for pace in paces), first=max(pace.first for pace in paces))


def _planned(episodes: int, seed: int = 0) -> list[EpisodeSpec]:
    return plan(compose([*DESIGN, f"episodes={episodes}", f"seed={seed}"]).design())


def _played(seed: int) -> Pace:
    """Return the pace of a run in this process."""
    specs, watch = _planned(EACH, seed), Stopwatch(EACH)
    spare_what_is_loaded()
    with tempfile.TemporaryDirectory() as folder, RunWriter(Path(folder) / "run") as writer:
        writer.describe({})
        asyncio.run(run(specs, writer, {}, concurrency=64, progress=watch))
    return watch.pace()


def _crewed(size: int, cluster: Cluster) -> Pace:
    """Return the pace of a run on so many workers of a cluster."""
    specs, watch = _planned(size * EACH), Stopwatch(size * EACH)
    config = compose(DESIGN)
    cells = cells_of(specs)
    with tempfile.TemporaryDirectory() as folder, RunWriter(Path(folder) / "run") as writer:
        writer.describe({})

        def setup(index: int, segment: str, session: str) -> Setup:
            share = Share(index=index, size=size)
            return Setup(
                run=writer.folder,
                home=Path.cwd(),
                segment=segment,
                session=session,
                cells=cells,
                seats=64,
                opened=partial(opened, config, cells, writer.folder, share, debug=False),
            )

        crew = RayCrew(writer.folder, size, cluster, setup)
        asyncio.run(run_on(crew, specs, writer, {}, concurrency=64, progress=watch))
    return watch.pace()


def _memory() -> float:
    """Return the MiB of all processes below this one, what they share counted once."""
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    below: Sequence[int] = [os.getpid()]
    total = 0.0
    while below:
        below = [id for id, above in parents.items() if above in below]
        total += sum(map(_own, below))
    return total


def _own(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


if __name__ == "__main__":
    if sys.argv[1:2] == ["plain"]:
        print(json.dumps(asdict(_played(int(sys.argv[2])))))
    else:
        main()
