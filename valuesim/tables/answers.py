"""What a query found, as plain JSON cells and as files."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any

import orjson

from valuesim.errors import InputError
from valuesim.formats.parquet import libraries
from valuesim.formats.rows import guarded, write_csv
from valuesim.log.whole import whole
from valuesim.tables.database import Answer

_BLOCK = 50_000
_LARGEST = 2**63


def plain(cell: Any) -> Any:
    """Return a cell as what JSON holds: a number that is none is null, a time ISO text.

    Whole numbers beyond 64 bits, and whatever else JSON lacks, are text.
    """
    if cell is None or isinstance(cell, str | bool):
        return cell
    if isinstance(cell, Decimal):
        cell = int(cell) if cell == cell.to_integral_value() else float(cell)
    if isinstance(cell, float):
        return cell if isfinite(cell) else None
    if isinstance(cell, int):
        return cell if -_LARGEST <= cell < _LARGEST else str(cell)
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    if isinstance(cell, bytes):
        return cell.hex()
    if isinstance(cell, Mapping):
        return {str(key): plain(each) for key, each in cell.items()}
    if isinstance(cell, list | tuple):
        return [plain(each) for each in cell]
    return str(cell)


def write_answer(answer: Answer, path: Path) -> int:
    """Write the rows of `answer` to `path` (.csv, .jsonl or .parquet), and return how many.

    The file is written whole or not at all. A text that a spreadsheet would run stands in a CSV
    file with an apostrophe before it. Raises InputError for another kind of file, where `path` is
    no place to write to, and where two columns have one name.
    """
    writers: Mapping[str, Callable[[Answer, Path], int]] = {
        ".csv": _write_csv,
        ".jsonl": _write_lines,
        ".parquet": _write_parquet,
    }
    if path.suffix.lower() not in writers:
        raise InputError(f"--out {path} must end in {', '.join(writers)}")
    check_names(answer)
    with whole(path) as draft:
        return writers[path.suffix.lower()](answer, draft)


def write_json_answer(answer: Answer, target: str) -> None:
    """Write `answer` as one JSON object to the file `target`, or to the output for "-".

    A file is written whole or not at all; rows are written as they are read, a line for each.
    Raises InputError where `target` is no place to write to, and where two columns have one name.
    """
    check_names(answer)
    if target == "-":
        for text in _json_texts(answer):
            sys.stdout.write(text.decode())
        return
    with whole(Path(target)) as draft, draft.open("wb") as file:
        file.writelines(_json_texts(answer))


def _json_texts(answer: Answer) -> Iterator[bytes]:
    columns = [
        {"name": name, "type": kind}
        for name, kind in zip(answer.columns, answer.types, strict=True)
    ]
    lines = (
        orjson.dumps(dict(zip(answer.columns, map(plain, row), strict=True))) for row in answer.rows
    )
    # the first row before anything else: what cannot be run then leaves no half of an object
    first = next(lines, None)
    yield b'{"schema": 1, "columns": ' + orjson.dumps(columns) + b', "rows": ['
    if first is not None:
        yield b"\n" + first
    for line in lines:
        yield b",\n" + line
    yield b"]}\n"


def check_names(answer: Answer) -> None:
    """Raise InputError where two columns of `answer` have one name."""
    for name in answer.columns:
        if answer.columns.count(name) > 1:
            raise InputError(f"two columns are named {name!r:.60}: rename one with AS")


def _write_csv(answer: Answer, path: Path) -> int:
    rows = _Counted(answer.rows)
    write_csv(path, list(map(guarded, answer.columns)), ([*map(_text, row)] for row in rows))
    return rows.number


def _text(cell: Any) -> object:
    found = plain(cell)
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, dict | list):
        return orjson.dumps(found).decode()
    return guarded(found) if isinstance(found, str) else found


def _write_lines(answer: Answer, path: Path) -> int:
    rows = _Counted(answer.rows)
    with path.open("wb") as file:
        for row in rows:
            line = dict(zip(answer.columns, map(plain, row), strict=True))
            file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    return rows.number


def _write_parquet(answer: Answer, path: Path) -> int:
    pyarrow, parquet = libraries(path)
    kinds = [_arrow(pyarrow, kind) for kind in answer.types]
    schema = pyarrow.schema(list(zip(answer.columns, kinds, strict=True)))
    rows = _Counted(answer.rows)
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        while block := list(islice(rows, _BLOCK)):
            try:
                columns = [
                    pyarrow.array([_of(kind, pyarrow, cell) for cell in column], type=kind)
                    for kind, column in zip(kinds, zip(*block, strict=True), strict=True)
                ]
            except (OverflowError, pyarrow.ArrowInvalid) as error:
                raise InputError(
                    f"a number does not fit the file: CAST it AS DOUBLE ({error!s:.100})"
                ) from None
            writer.write_table(pyarrow.Table.from_arrays(columns, schema=schema))
    return rows.number


def _arrow(pyarrow: Any, kind: str) -> Any:
    """Return what a column of a DuckDB type is in a file; whatever is no number is text."""
    if kind == "BOOLEAN":
        return pyarrow.bool_()
    if kind.endswith(("INT", "INTEGER")):
        return pyarrow.int64()
    if kind in ("FLOAT", "DOUBLE", "REAL") or kind.startswith("DECIMAL"):
        return pyarrow.float64()
    return pyarrow.string()


def _of(kind: Any, pyarrow: Any, cell: Any) -> Any:
    if cell is None:
        return None
    if kind == pyarrow.float64():
        return float(cell)
    if kind != pyarrow.string():
        return cell
    found = plain(cell)
    return found if isinstance(found, str) else orjson.dumps(found).decode()


class _Counted:
    """Rows that are counted as they are read."""

    def __init__(self, rows: Iterator[Sequence[Any]]) -> None:
        self._rows = rows
        self.number = 0

    def __iter__(self) -> Iterator[Sequence[Any]]:
        return self

    def __next__(self) -> Sequence[Any]:
        row = next(self._rows)
        self.number += 1
        return row
