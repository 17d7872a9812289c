"""`valuesim export`: the decisions of run folders in another tool's format."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path

from valuesim.errors import InputError, unknown
from valuesim.log import DecisionRecord, decisions_once, find_runs, read_run

Writer = Callable[[Sequence[DecisionRecord], Path], int]

FORMATS: Mapping[str, str] = {
    "moral-machine": "valuesim.measures.moral_machine.export:write_moral_machine",
    "moral-machine-awad": "valuesim.measures.moral_machine.export:write_moral_machine_awad",
}
"""Format -> the function that writes it, as "module:function"."""


def main(arguments: argparse.Namespace) -> int:
    """Write the file and return 0."""
    if arguments.format not in FORMATS:
        raise InputError(unknown("format", arguments.format, FORMATS))
    pool = decisions_once([read_run(path) for path in find_runs(arguments.paths)])
    module, _, name = FORMATS[arguments.format].partition(":")
    write: Writer = getattr(import_module(module), name)
    scenes = [record for record in pool.decisions if "moral_scene" in record.annotations]
    if not scenes:
        raise InputError(
            f"there is no moral-machine decision in {', '.join(map(str, arguments.paths))}: "
            "play some with env=moral_machine"
        )
    decisions = write(scenes, arguments.out)
    print(f"wrote {decisions:,} decisions to {arguments.out}")
    return 0
