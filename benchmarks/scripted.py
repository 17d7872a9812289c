"""Scripted decisions a minute on one core, through the whole path: observe, decide, step, log.

What is counted is the process's CPU time, so that other work on the machine does not show.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from valuesim.cli.collector import spare_what_is_loaded
from valuesim.engine import Design, plan, run
from valuesim.engine.progress import Progress
from valuesim.log import RunWriter

ROUNDS = 5
TARGET = 100_000
CASES: tuple[tuple[str, str, dict[str, Any], str, int], ...] = (
    ("survival, random", "survival-v0", {"scarcity": "medium"}, "random", 40),
    ("survival, ethical", "survival-v0", {"scarcity": "medium"}, "ethical", 40),
    ("20 rounds, tit_for_tat", "prisoners_dilemma-v0", {"horizon": 20}, "tit_for_tat", 50),
)
"""What it is called, environment, parameters, who plays all roles, and episodes."""


def main() -> None:
    columns = f"{'decisions':>11}{'CPU us each':>13}{'a minute':>12}"
    print(f"\n{f'scripted, whole path, median of {ROUNDS}':34}{columns}")
    for name, env, parameters, who, episodes in CASES:
        played(env, parameters, who, 3)
        spare_what_is_loaded()
        rounds = [played(env, parameters, who, episodes) for _ in range(ROUNDS)]
        decisions = rounds[0][0]
        each = median(cpu for _, cpu in rounds) / decisions
        print(f"{name:34}{decisions:11,}{1e6 * each:13.0f}{60 / each:12,.0f}")
    print(f"{'wanted':34}{'':11}{60e6 / TARGET:13.0f}{TARGET:12,}")


def played(env: str, parameters: dict[str, Any], who: str, episodes: int) -> tuple[int, float]:
    """Play `episodes` into a run folder of their own; return decisions and CPU seconds."""
    specs = plan(
        Design(
            env=env,
            parameters=parameters,
            crossed={},
            groups=[{"all": who}],
            model=None,
            elicitation={},
            episodes=episodes,
            seed=0,
        )
    )
    with TemporaryDirectory() as folder:
        started = time.process_time()
        with RunWriter(Path(folder) / "run") as writer:
            writer.describe({})
            progress = Progress(sys.stderr, "none")
            summary = asyncio.run(run(specs, writer, {}, concurrency=8, progress=progress))
        cpu = time.process_time() - started
    assert summary.finished == episodes
    return summary.decisions, cpu


if __name__ == "__main__":
    main()
