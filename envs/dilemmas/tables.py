"""Rows of a table that others made: CSV, JSON lines, Parquet, or a data set of Hugging Face."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from valuesim.envs.dilemmas.reading import Unreadable, decoded, read_bytes
from valuesim.errors import InputError, unknown

LARGEST_TABLE = 512 * 2**20
"""Bytes of the largest table that is read (512 MB)."""
MOST_ROWS = 200_000
HUB = "hf:"
"""What a data set of Hugging Face is named by: hf:OWNER/NAME, hf:OWNER/NAME:CONFIGURATION:SPLIT."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One row: `line` is where it starts in the file (its number, where there are no lines)."""

    line: int
    cells: Mapping[str, Any]

    def text(self, column: str) -> str:
        """Return the cell as text; "" where there is none."""
        cell = self.cells.get(column)
        return "" if cell is None else str(cell)


def read_rows(source: str | Path) -> list[Row]:
    """Return the rows of the table at `source`: a path, or "hf:OWNER/NAME" for a data set.

    Raises InputError for what cannot be read, saying where, for more than 200,000 rows, and for a
    package that is needed and not installed.
    """
    if str(source).startswith(HUB):
        return _counted(_from_hub(str(source)), str(source))
    path = Path(source)
    readers: dict[str, Callable[[Path], Iterator[Row]]] = {
        ".csv": _csv,
        ".jsonl": _json_lines,
        ".parquet": _parquet,
    }
    if path.suffix.lower() not in readers:
        told = unknown("kind of table", path.suffix, readers, str(source))
        raise InputError(f"{told}; or {HUB}OWNER/NAME for a data set of Hugging Face")
    return _counted(readers[path.suffix.lower()](path), str(source))


def _counted(rows: Iterator[Row], source: str) -> list[Row]:
    kept: list[Row] = []
    for row in rows:
        if len(kept) == MOST_ROWS:
            raise InputError(f"{source} has more than the {MOST_ROWS:,} rows that are read")
        kept.append(row)
    if not kept:
        raise InputError(f"{source} has no rows")
    return kept


def _text(path: Path) -> str:
    try:
        return decoded(path, read_bytes(path, LARGEST_TABLE))
    except Unreadable as error:
        raise InputError(str(error)) from None


def _csv(path: Path) -> Iterator[Row]:
    reader = csv.DictReader(io.StringIO(_text(path), newline=""), strict=True)
    line = 1
    try:
        columns = reader.fieldnames or []
        if len(set(columns)) < len(columns):
            raise InputError(f"{path}:1: a column stands in the header twice")
        line = reader.line_num + 1
        for cells in reader:
            if None in cells or None in cells.values():
                raise InputError(f"{path}:{line}: the row has not as many cells as the header")
            yield Row(line=line, cells=cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{path}:{line}: is not CSV: {error}") from None


def _json_lines(path: Path) -> Iterator[Row]:
    for line, row in enumerate(_text(path).split("\n"), start=1):
        if not row.strip():
            continue
        try:
            cells = json.loads(row)
        except RecursionError:
            raise InputError(f"{path}:{line}: is nested too deep") from None
        except ValueError as error:
            raise InputError(f"{path}:{line}: is not JSON: {error}") from None
        if not isinstance(cells, dict):
            raise InputError(f"{path}:{line}: is not a JSON object")
        yield Row(line=line, cells=cells)


def _parquet(path: Path) -> Iterator[Row]:
    try:
        pyarrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise InputError(
            f'reading {path} needs the package pyarrow: pip install "valuesim[parquet]"'
        ) from None
    try:
        batches = parquet.ParquetFile(path).iter_batches(batch_size=1000)
        rows = (cells for batch in batches for cells in batch.to_pylist())
        for number, cells in enumerate(rows, start=1):
            yield Row(line=number, cells=cells)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{path} is not Parquet: {str(error).splitlines()[0]}") from None


def _from_hub(source: str) -> Iterator[Row]:
    try:
        datasets = import_module("datasets")
    except ImportError:
        needed = "pip install datasets, or give a file that you have"
        raise InputError(f"reading {source} needs the package datasets: {needed}") from None
    name, _, rest = source.removeprefix(HUB).partition(":")
    configuration, _, split = rest.partition(":")
    try:
        loaded = datasets.load_dataset(name, configuration or None, split=split or "test")
    except (OSError, ValueError, RuntimeError) as error:
        told = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{source} cannot be read: {told}") from None
    for number, cells in enumerate(loaded, start=1):
        yield Row(line=number, cells=cells)
