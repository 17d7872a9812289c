"""`valuesim export`: the decisions of run folders in another tool's format."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from valuesim.errors import InputError, unknown
from valuesim.log import DecisionRecord, decisions_once, find_runs, read_run

Writer = Callable[[Sequence[DecisionRecord], Path], int]


def main(arguments: argparse.Namespace) -> int:
    """Write the file and return 0."""
    formats = _formats()
    if arguments.format not in formats:
        raise InputError(unknown("format", arguments.format, formats))
    pool = decisions_once([read_run(path) for path in find_runs(arguments.paths)])
    rows = formats[arguments.format](pool.decisions, arguments.out)
    print(f"wrote {rows:,} rows to {arguments.out}")
    return 0


def _formats() -> dict[str, Writer]:
    from valuesim.measures.moral_machine import write_moral_machine, write_moral_machine_awad

    return {
        "moral-machine": write_moral_machine,
        "moral-machine-awad": write_moral_machine_awad,
    }
