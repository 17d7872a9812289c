"""Tables of choices as Parquet, through pyarrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from valuesim.errors import InputError
from valuesim.formats.choice_columns import COLUMNS, NUMBERS, TRUTHS
from valuesim.formats.rows import check_file

_ROWS = 50_000

Coded = tuple[NDArray[np.int64], list[Any]]
"""A column as codes into its distinct contents; -1 is null."""


def write_parquet(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write rows of the table of choices to `path`, texts as dictionaries, in place.

    Raises InputError where pyarrow is not installed.
    """
    pyarrow, parquet = _libraries(path)
    schema = pyarrow.schema([(name, _type(pyarrow, name)) for name in COLUMNS])
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for block in _blocks(rows):
            columns = [_array(pyarrow, name, [row[name] for row in block]) for name in COLUMNS]
            writer.write_table(pyarrow.Table.from_arrays(columns, schema=schema))


def parquet_columns(path: Path) -> tuple[str, ...]:
    """Return the names of the columns of the table at `path`.

    Raises InputError for what is no Parquet file, and where pyarrow is not installed.
    """
    with _opened(path) as file:
        return tuple(file.schema_arrow.names)


def parquet_rows(path: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the table at `path`, of `columns` only; raises as `parquet_columns`."""
    with _opened(path) as file:
        try:
            for batch in file.iter_batches(batch_size=_ROWS, columns=list(columns)):
                yield from batch.to_pylist()
        except _arrow_error(path) as error:
            raise _unreadable(path, error) from None


def parquet_codes(
    path: Path, columns: Sequence[str], unnamed: Sequence[str] = ()
) -> dict[str, Coded]:
    """Return `columns` of the table at `path` as codes; raises as `parquet_columns`.

    Of those in `unnamed`, which may have millions of contents, the codes alone are returned.
    """
    pyarrow, parquet = _libraries(path)
    check_file(path)
    try:
        table = parquet.read_table(path, columns=list(columns), read_dictionary=list(columns))
        return {
            name: _codes(pyarrow, table.column(name), is_named=name not in unnamed)
            for name in columns
        }
    except _arrow_error(path) as error:
        raise _unreadable(path, error) from None


def _codes(pyarrow: Any, column: Any, *, is_named: bool) -> Coded:
    if not pyarrow.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pyarrow.ChunkedArray):
        whole = pyarrow.concat_arrays(whole.chunks) if whole.num_chunks else None
    if whole is None:
        return np.zeros(0, dtype=np.int64), []
    codes = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    contents = whole.dictionary
    if contents.null_count:
        # a column of nothing else has no type of its own, and null as its one content
        is_there = np.asarray(contents.is_valid())
        places = np.append(np.where(is_there, np.cumsum(is_there) - 1, -1), -1)
        codes, contents = places[codes], contents.drop_null()
    return codes, contents.to_pylist() if is_named else []


def _blocks(rows: Iterable[Mapping[str, object]]) -> Iterator[list[Mapping[str, object]]]:
    block: list[Mapping[str, object]] = []
    for row in rows:
        block.append(row)
        if len(block) == _ROWS:
            yield block
            block = []
    if block:
        yield block


def _array(pyarrow: Any, name: str, cells: list[object]) -> Any:
    if name in NUMBERS or name in TRUTHS:
        return pyarrow.array(cells, type=_type(pyarrow, name))
    return pyarrow.array(cells, type=pyarrow.string()).dictionary_encode()


def _type(pyarrow: Any, name: str) -> Any:
    if name in NUMBERS:
        return pyarrow.int64()
    if name in TRUTHS:
        return pyarrow.bool_()
    return pyarrow.dictionary(pyarrow.int32(), pyarrow.string())


def _opened(path: Path) -> Any:
    _, parquet = _libraries(path)
    check_file(path)
    try:
        return parquet.ParquetFile(path)
    except _arrow_error(path) as error:
        raise _unreadable(path, error) from None


def _arrow_error(path: Path) -> tuple[type[Exception], ...]:
    pyarrow, _ = _libraries(path)
    # a column that is not there is a KeyError, a broken page an OSError
    return (pyarrow.ArrowException, OSError, KeyError)


def _unreadable(path: Path, error: Exception) -> InputError:
    told = (str(error).splitlines() or [type(error).__name__])[0]
    return InputError(f"{path} cannot be read as Parquet: {told:.200}")


def _libraries(path: Path) -> tuple[Any, Any]:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        needed = "pip install 'valuesim[parquet]'"
        raise InputError(f"{path} needs the package pyarrow: {needed}") from None
