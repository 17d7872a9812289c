"""Ranks ten million synthetic decisions from Parquet, in bounded time and memory.

`python -m benchmarks.ten_million` writes them into a folder that is removed at the end (`--keep
FOLDER` keeps it), as one file and as a partitioned data set, and runs `valuesim graph` on each as a
process of its own, whose seconds and peak memory it prints. It ends with an error where a process
needs more than `MOST_SECONDS` or `MOST_MIB`, or where the two say different things. `--decisions N`
makes fewer.

Agents put 20 values in different orders; every episode asks pairs of them, each in either order of
showing, and one decision in fifty is a fault. Each process has the machine to itself.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from valuesim.formats.choice_columns import situation_text
from valuesim.formats.data_set import DataSetWriter
from valuesim.formats.parquet import arrow_table, write_tables
from valuesim.option import Option

DECISIONS = 10_000_000
AN_EPISODE = 50
VALUES = 20
AGENTS = ("careful", "bold", "loyal", "frugal", "random")
KEYS = ("env", "agent", "model")
FAULTS = 0.02
FIRST = 0.3
"""The log-odds that what is shown first gains."""
CONDITIONS = ('{"scarcity":"high"}', '{"scarcity":"low"}')
NAMES = tuple(f"value {number:02}" for number in range(VALUES))
SITUATIONS = tuple(
    situation_text([Option(name=name, text="", stakes={name: 1.0}) for name in pair])
    for pair in permutations(NAMES, 2)
)
MOST_SECONDS = 60
MOST_MIB = 2048
_BATCH = 250_000

IntArray = NDArray[np.int64]
_GROUPINGS = ("agent,model", "env")


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """What a process of `valuesim graph` needed, in seconds and MiB, and the file it wrote."""

    seconds: float
    mib: float
    told: Path


def main() -> None:
    arguments = _arguments()
    with ExitStack() as stack:
        folder = arguments.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        tables = [folder / "choices.parquet", folder / "choices"]
        write(tables[0], tables[1], arguments.decisions)
        print(f"\n{arguments.decisions:,} decisions{'seconds':>28}{'MiB at most':>13}")
        is_kept = True
        for by in _GROUPINGS:
            found = [ranked(table, by) for table in tables]
            for table, each in zip(tables, found, strict=True):
                name = f"{table.name} --by {by}"
                print(f"{name:<40}{each.seconds:12.1f}{each.mib:13.0f}", flush=True)
                is_kept &= each.seconds < MOST_SECONDS and each.mib < MOST_MIB
            is_kept &= _groups(found[0].told) == _groups(found[1].told)
    if not is_kept:
        sys.exit(f"more than {MOST_SECONDS} s or {MOST_MIB:,} MiB, or the tables do not agree")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ten_million")
    parser.add_argument("--decisions", type=int, default=DECISIONS)
    parser.add_argument("--keep", type=Path, help="write the tables here, and leave them")
    return parser.parse_args()


def write(file: Path, folder: Path, decisions: int) -> None:
    """Write the same decisions to a Parquet `file` and to a partitioned `folder`."""
    write_tables(file, tables(decisions))
    with DataSetWriter(folder, KEYS) as writer:
        for table in tables(decisions):
            writer.add(table)


def tables(decisions: int) -> Iterator[Any]:
    """Yield the decisions as tables of `export choices`, in batches of whole episodes."""
    rng = np.random.default_rng(0)
    pairs = np.array(list(permutations(range(VALUES), 2)))
    strengths = np.stack([rng.permutation(np.linspace(-1, 1, VALUES)) for _ in AGENTS])
    strengths[AGENTS.index("random")] = 0.0
    for first in range(0, decisions, _BATCH):
        row = np.arange(first, min(first + _BATCH, decisions))
        agent = row // AN_EPISODE % len(AGENTS)
        situation = rng.integers(len(pairs), size=len(row))
        one, other = pairs[situation].T
        gap = strengths[agent, one] - strengths[agent, other] + FIRST
        position = (rng.random(len(row)) > 1 / (1 + np.exp(-gap))).astype(np.int64)
        position[rng.random(len(row)) < FAULTS] = -1
        taken = np.where(position < 0, -1, pairs[situation, position])
        yield _table(row, agent, situation, position, taken)


def _table(
    row: IntArray, agent: IntArray, situation: IntArray, position: IntArray, taken: IntArray
) -> Any:
    episode = row // AN_EPISODE
    own = np.unique(episode)
    place, nought = episode - own[0], np.zeros_like(row)
    columns = {
        "run": (nought, ["synthetic"]),
        "env": (nought, ["pairs-v0"]),
        "episode": (place, [f"{number:016x}" for number in own]),
        "seed": episode,
        "step": row % AN_EPISODE,
        "role": (nought, ["Alpha"]),
        "agent": (agent, list(AGENTS)),
        "model": (agent % 2, ["small", "large"]),
        "elicitation": (nought, ["{}"]),
        "condition": (episode // len(AGENTS) % 2, list(CONDITIONS)),
        "cluster": (place, [_world(number) for number in own.tolist()]),
        "unit": (nought, ["episode"]),
        "ordered": np.ones(len(row), dtype=bool),
        "situation": (situation, list(SITUATIONS)),
        "position": position,
        "chosen": (taken, list(NAMES)),
        "fault": (np.where(position < 0, 0, -1), ["unparsed"]),
    }
    return arrow_table(columns, len(row))


def _world(episode: int) -> str:
    """Return the cluster of an episode, as `EpisodeRecord.world` names it."""
    condition = CONDITIONS[episode // len(AGENTS) % 2]
    return f"pairs-v0/{crc32(condition.encode()):08x}/{episode}"


def ranked(table: Path, by: str) -> Ranked:
    """Return what `valuesim graph` on `table` needs, run as a process of its own."""
    told = table.with_name(f"{table.name}-{by}.json")
    command = [sys.executable, "-m", "valuesim.cli", "graph", str(table), "--by", by]
    started = time.perf_counter()
    process = subprocess.Popen([*command, "--json", str(told)], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    # Linux counts in KiB, macOS in bytes
    unit = 2**20 if sys.platform == "darwin" else 2**10
    seconds = time.perf_counter() - started
    return Ranked(seconds=seconds, mib=used.ru_maxrss / unit, told=told)


def _groups(told: Path) -> list[Any]:
    """Return what was said of each group; their order is that of the rows, which differs."""
    groups = json.loads(told.read_text(encoding="utf-8"))["groups"]
    return sorted(groups, key=lambda group: json.dumps(group["group"], sort_keys=True))


if __name__ == "__main__":
    main()
