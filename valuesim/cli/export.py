"""`valuesim export`: the decisions of run folders in another tool's format."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from valuesim.cli.evidence import files_for
from valuesim.cli.terminal import clean
from valuesim.errors import InputError
from valuesim.formats.catalogue import EXPORTS, format_of
from valuesim.formats.exported import Exported, Source
from valuesim.log import decisions_once, find_runs, read_run

_DERIVED = "choices"
"""The format whose file has a place in a run folder."""
_MOST_TOLD = 4


def main(arguments: argparse.Namespace) -> int:
    """Write the file, or one for each group, and return 0."""
    if arguments.format not in EXPORTS:
        format_of(arguments.format, EXPORTS, Path())
    folders = find_runs(arguments.paths)
    out = arguments.out or _place(arguments.format, folders)
    write = format_of(arguments.format, EXPORTS, out).load()
    runs = tuple(read_run(folder) for folder in folders)
    source = Source(
        runs=runs,
        pool=decisions_once(runs),
        by=tuple(key.strip() for key in arguments.by.split(",")),
        files_for=partial(files_for, out),
    )
    if not source.pool.decisions:
        raise InputError(f"there is no decision in {', '.join(map(str, arguments.paths))}")
    _tell(write(source, out), source.pool.notes)
    return 0


def _place(format: str, folders: Sequence[Path]) -> Path:
    if format != _DERIVED:
        raise InputError(f"--out is missing: name the file to export {format} to")
    if len(folders) != 1:
        names = ", ".join(str(folder) for folder in folders[:_MOST_TOLD])
        more = f" and {len(folders) - _MOST_TOLD} more" if len(folders) > _MOST_TOLD else ""
        raise InputError(
            f"--out is missing: these are {len(folders)} run folders ({names}{more}); name the "
            f"file, or one of them, in which {_DERIVED}.parquet is written"
        )
    return folders[0] / f"{_DERIVED}.parquet"


def _tell(exported: Exported, notes: Sequence[str]) -> None:
    for path, number in exported.files.items():
        noun = "decision" if number == 1 else "decisions"
        print(f"wrote {number:,} {noun} to {clean(path)}")
    for note in (*notes, *exported.notes):
        print(f"note: {clean(note)}")
