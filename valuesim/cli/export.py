"""`valuesim export`: the decisions of run folders in another tool's format."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from valuesim.cli.evidence import files_for
from valuesim.cli.terminal import clean
from valuesim.errors import InputError
from valuesim.formats.catalogue import EXPORTS, format_of
from valuesim.formats.exported import Exported, Source
from valuesim.log import decisions_once, find_runs, read_run

if TYPE_CHECKING:
    from valuesim.tables.once import DecisionsOnce

_DERIVED = "choices"
"""The format whose file has a place in a run folder."""
_MOST_TOLD = 4


def main(arguments: argparse.Namespace) -> int:
    """Write the file, one for each group, or a data set, and return 0."""
    if arguments.format not in EXPORTS:
        format_of(arguments.format, EXPORTS, Path())
    folders = find_runs(arguments.paths)
    out = arguments.out or _place(arguments.format, folders)
    if arguments.format == _DERIVED:
        return _export_choices(folders, out, arguments.partition)
    if arguments.partition is not None:
        raise InputError(f"--partition is of choices, and not of {arguments.format}")
    write = format_of(arguments.format, EXPORTS, out).load()
    runs = tuple(read_run(folder) for folder in folders)
    source = Source(
        runs=runs,
        pool=decisions_once(runs),
        by=tuple(key.strip() for key in arguments.by.split(",")),
        files_for=partial(files_for, out),
    )
    if not source.pool.decisions:
        raise _nothing(arguments.paths)
    _tell(write(source, out), source.pool.notes)
    return 0


def _export_choices(folders: Sequence[Path], out: Path, partition: str | None) -> int:
    """Write the table of choices as it is read, a data set where no file is named."""
    from valuesim.formats.choice_table import write_rows
    from valuesim.tables.once import DecisionsOnce

    decisions = DecisionsOnce(folders)
    if partition is not None or not out.suffix or out.is_dir():
        return _export_data_set(decisions, out, partition)
    format_of(_DERIVED, EXPORTS, out)
    rows = iter(decisions)
    first = next(rows, None)
    if first is None:
        raise _nothing(folders)
    write_rows(chain([first], rows), out)
    _tell(Exported(files={out: decisions.rows}), decisions.notes)
    return 0


def _export_data_set(decisions: DecisionsOnce, out: Path, partition: str | None) -> int:
    from valuesim.formats.data_set import DEFAULT_KEYS, DataSetWriter
    from valuesim.formats.parquet import tables_of

    keys = DEFAULT_KEYS if partition is None else tuple(k.strip() for k in partition.split(","))
    with DataSetWriter(out, keys) as writer:
        for table in tables_of(out, decisions):
            writer.add(table)
        if not writer.rows:
            raise _nothing(decisions.folders)
    print(f"wrote {_counted(writer.partitions, 'partition')} by {', '.join(keys)}")
    _tell(Exported(files={out: decisions.rows}), decisions.notes)
    return 0


def _nothing(paths: Iterable[Path]) -> InputError:
    return InputError(f"there is no decision in {', '.join(map(str, paths))}")


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
        print(f"wrote {_counted(number, 'decision')} to {clean(path)}")
    for note in (*notes, *exported.notes):
        print(f"note: {clean(note)}")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun if number == 1 else f'{noun}s'}"
