"""The table of choices, to a file and back; see `choice_columns` for its columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from math import isnan
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import orjson

from valuesim.errors import InputError
from valuesim.formats.choice_columns import (
    COLUMNS,
    JSON,
    LABELS,
    NEEDED,
    NUMBERS,
    TRUTHS,
    Cell,
    Row,
    rows_of,
)
from valuesim.formats.choice_records import Reading
from valuesim.formats.exported import Exported, Source
from valuesim.formats.imported import Importing
from valuesim.formats.rows import CsvTable, guarded, text_lines, unguarded, write_csv
from valuesim.log.reader import DecisionRecord
from valuesim.log.whole import whole

if TYPE_CHECKING:
    from valuesim.formats.parquet import Part

_LARGEST = 2.0**53
_WORDS = {"true": True, "false": False, "1": True, "0": False, "": None}


def write_choices(source: Source, path: Path) -> Exported:
    """Write a row for each decision of `source`, as `write_rows` does."""
    write_rows(rows_of(source.pool.decisions, source.run_of), path)
    return Exported(files={path: len(source.pool.decisions)})


def write_rows(rows: Iterable[Row], path: Path) -> None:
    """Write rows one by one, as the suffix of `path` says, whole or not at all.

    A text that a spreadsheet would run stands in a CSV file with an apostrophe before it, which
    `read_choices` takes away. Raises InputError where `path` is no place to write to.
    """
    writers: Mapping[str, Callable[[Path, Iterable[Row]], None]] = {
        ".parquet": _write_parquet,
        ".csv": _write_csv,
        ".jsonl": _write_json_lines,
    }
    with whole(path) as draft:
        writers[path.suffix.lower()](draft, rows)


def read_choices(path: Path) -> Importing:
    """Return the decisions in the table of choices at `path`: the same evidence, faults and groups.

    A folder is a data set (see `data_set`). What the table does not hold (texts, replies, measures)
    is empty. Raises InputError, saying where, for a table that cannot be read or a row that is no
    decision.
    """
    from valuesim.formats.data_set import parts_of
    from valuesim.formats.parquet import Part

    notes: list[str] = []
    parts = parts_of(path) if path.is_dir() else [Part(path=path)]
    return Importing(records=_records(parts, notes), notes=notes)


def choice_rows(
    path: Path, told: Mapping[str, Cell] = MappingProxyType({})
) -> Iterator[tuple[int, Row]]:
    """Yield (its line, or number, from 1; itself) of each row of the table at `path`.

    `told` are the contents of columns that the names of its folders tell. Raises InputError as
    `read_choices`.
    """
    readers: Mapping[str, Callable[[Path], Iterator[tuple[int, Row]]]] = {
        ".parquet": partial(_parquet, told=told),
        ".csv": _csv,
        ".jsonl": _json_lines,
    }
    usual: Row = dict.fromkeys(COLUMNS) | dict(told)
    for line, row in readers[path.suffix.lower()](path):
        yield line, usual | row


def _write_parquet(path: Path, rows: Iterable[Row]) -> None:
    from valuesim.formats.parquet import write_parquet

    write_parquet(path, rows)


def _write_csv(path: Path, rows: Iterable[Row]) -> None:
    write_csv(path, COLUMNS, ([_cell(name, row[name]) for name in COLUMNS] for row in rows))


def _cell(name: str, cell: object) -> object:
    if isinstance(cell, bool):
        return str(cell).lower()
    return guarded(cell) if isinstance(cell, str) and name in LABELS else cell


def _write_json_lines(path: Path, rows: Iterable[Row]) -> None:
    with path.open("wb") as file:
        for row in rows:
            file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


def _parquet(path: Path, told: Mapping[str, Cell]) -> Iterator[tuple[int, Row]]:
    from valuesim.formats.parquet import parquet_columns, parquet_rows

    found = parquet_columns(path)
    _check_columns(path, (*found, *told))
    for number, row in enumerate(parquet_rows(path, [c for c in COLUMNS if c in found]), start=1):
        yield number, _typed(path, number, row)


def _csv(path: Path) -> Iterator[tuple[int, Row]]:
    table = CsvTable(path, NEEDED)
    readers = [
        (name, at, _reader(name)) for name in COLUMNS if (at := table.place(name)) is not None
    ]
    for line, cells in table:
        try:
            row = {name: read(cells[at]) for name, at, read in readers}
        except (ValueError, KeyError) as error:
            raise InputError(f"{path}:{line}: a cell cannot be read: {error}") from None
        yield line, _typed(path, line, row)


def _reader(name: str) -> Callable[[str], Any]:
    if name in NUMBERS:
        return lambda cell: _whole(float(cell)) if cell else None
    if name in TRUTHS:
        return lambda cell: _WORDS[cell.lower()]
    return (lambda cell: cell or None) if name in JSON else (lambda cell: unguarded(cell) or None)


def _json_lines(path: Path) -> Iterator[tuple[int, Row]]:
    for line, text in text_lines(path):
        if not text.strip():
            continue
        try:
            row = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise InputError(f"{path}:{line}: is not JSON: {error.msg}") from None
        if not isinstance(row, dict):
            raise InputError(f"{path}:{line}: is not a JSON object")
        _check_columns(f"{path}:{line}", row)
        yield line, _typed(path, line, {name: row[name] for name in COLUMNS if name in row})


def _check_columns(place: object, found: Iterable[str]) -> None:
    missing = [name for name in NEEDED if name not in set(found)]
    if missing:
        needed = ", ".join(NEEDED)
        raise InputError(f"{place} lacks the column {missing[0]!r} of choices; needed: {needed}")


def _whole(number: float) -> float | int | None:
    """Return a number as a whole one where it is one, None for nan: pandas writes such."""
    if isnan(number):
        return None
    return int(number) if number.is_integer() and abs(number) < _LARGEST else number


def _typed(path: Path, line: int, found: Mapping[str, Any]) -> Row:
    row: dict[str, Any] = {
        name: _whole(cell) if name in NUMBERS and isinstance(cell, float) else cell
        for name, cell in found.items()
    }
    for name, cell in row.items():
        kind = int if name in NUMBERS else bool if name in TRUTHS else str
        is_of = isinstance(cell, kind) and (kind is bool or not isinstance(cell, bool))
        if cell is not None and not is_of:
            raise InputError(f"{path}:{line}: {name}={cell!r:.60} is not {_KINDS[kind]}")
    return row


_KINDS = {int: "a whole number", bool: "true or false", str: "text"}


def _records(parts: Iterable[Part], notes: list[str]) -> Iterator[DecisionRecord]:
    reading = Reading(notes)
    for part in parts:
        for line, row in choice_rows(part.path, part.told):
            try:
                yield reading.record(row)
            except (ValueError, TypeError) as error:
                raise InputError(f"{part.path}:{line}: {error}") from None
