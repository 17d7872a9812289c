"""Tables of choices as Parquet, through pyarrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from valuesim.errors import InputError
from valuesim.formats.choice_columns import COLUMNS, NUMBERS, TRUTHS
from valuesim.formats.rows import check_file

ROWS = 50_000
"""The rows of a row group, and the most that are held as Python objects at once."""
_DECODED = 1_000_000

Codes = NDArray[np.signedinteger[Any]]
Coded = tuple[Codes, list[Any]]
"""A column as codes into its distinct contents; -1 is null."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One file of a table, and the contents of columns that the names of its folders tell."""

    path: Path
    told: Mapping[str, str | int | bool | None] = field(default_factory=dict)


def write_parquet(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write rows of the table of choices to `path`, texts as dictionaries, in place.

    Raises InputError where pyarrow is not installed.
    """
    write_tables(path, tables_of(path, rows))


def write_tables(path: Path, tables: Iterable[Any]) -> None:
    """Write Arrow tables of `COLUMNS` to `path`, in place; raises as `write_parquet`."""
    pyarrow, parquet = libraries(path)
    schema = schema_of(pyarrow, COLUMNS)
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in tables:
            writer.write_table(table, row_group_size=ROWS)


def tables_of(path: Path, rows: Iterable[Mapping[str, object]]) -> Iterator[Any]:
    """Yield rows of the table of choices as Arrow tables of at most `ROWS` of them.

    Raises InputError, naming `path` as what they are for, where pyarrow is not installed.
    """
    pyarrow, _ = libraries(path)
    schema = schema_of(pyarrow, COLUMNS)
    for block in _blocks(rows):
        columns = [_array(pyarrow, name, [row[name] for row in block]) for name in COLUMNS]
        yield pyarrow.Table.from_arrays(columns, schema=schema)


def arrow_table(columns: Mapping[str, Any], rows: int) -> Any:
    """Return an Arrow table of `COLUMNS` from arrays, all of so many rows.

    A text column is given as codes and contents, a number from 0 with -1 for null; a column that is
    not given is null.
    """
    pyarrow, _ = libraries(Path("an Arrow table"))
    schema = schema_of(pyarrow, COLUMNS)
    made = []
    for name, kind in zip(schema.names, schema.types, strict=True):
        given = columns.get(name)
        if given is None:
            made.append(pyarrow.nulls(rows, kind))
        elif name in NUMBERS or name in TRUTHS:
            is_null = np.asarray(given) < 0 if name in NUMBERS else None
            made.append(pyarrow.array(given, type=kind, mask=is_null))
        else:
            codes = np.asarray(given[0], dtype=np.int32)
            indices = pyarrow.array(codes, mask=codes < 0)
            made.append(pyarrow.DictionaryArray.from_arrays(indices, pyarrow.array(given[1])))
    return pyarrow.Table.from_arrays(made, schema=schema)


def schema_of(pyarrow: Any, columns: Iterable[str]) -> Any:
    """Return the Arrow schema of some columns of the table of choices."""
    return pyarrow.schema([(name, _type(pyarrow, name)) for name in columns])


def parquet_columns(path: Path) -> tuple[str, ...]:
    """Return the names of the columns of the table at `path`.

    Raises InputError for what is no Parquet file, and where pyarrow is not installed.
    """
    with _opened(path) as file:
        return tuple(file.schema_arrow.names)


def parquet_length(path: Path) -> int:
    """Return the number of rows of the table at `path`; raises as `parquet_columns`."""
    with _opened(path) as file:
        return int(file.metadata.num_rows)


def parquet_rows(path: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the table at `path`, of `columns` only; raises as `parquet_columns`."""
    with _opened(path) as file:
        try:
            for batch in file.iter_batches(batch_size=ROWS, columns=list(columns)):
                yield from batch.to_pylist()
        except _arrow_error(path) as error:
            raise _unreadable(path, error) from None


def parquet_codes(parts: Sequence[Part], name: str, *, is_named: bool = True) -> Coded:
    """Return the column `name` of a table in `parts` as codes of the smallest type that holds them.

    Without `is_named` (a column with millions of contents) the codes alone are returned. A part
    that lacks the column has what its folders tell, else nothing. Only one column is in memory,
    with four bytes a row beside its contents. Raises as `parquet_columns`.
    """
    pyarrow, _ = libraries(parts[0].path)
    chunks = [chunk for part in parts for chunk in _chunks(pyarrow, part, name)]
    if not chunks:
        return np.zeros(0, dtype=np.int8), []
    if len({chunk.type for chunk in chunks}) > 1:
        return _of_many_types(chunks)
    unified = pyarrow.chunked_array(chunks).unify_dictionaries()
    chunks.clear()
    contents = unified.chunk(0).dictionary
    codes = np.empty(len(unified), dtype=_smallest(len(contents)))
    end = 0
    for chunk in unified.chunks:
        own = chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        codes[end : end + len(own)] = own
        end += len(own)
    if contents.null_count:
        # a column of nothing else has no type of its own, and null as its one content
        is_there = np.asarray(contents.is_valid())
        places = np.append(np.where(is_there, np.cumsum(is_there) - 1, -1), -1)
        codes, contents = places.astype(codes.dtype)[codes], contents.drop_null()
    return codes, contents.to_pylist() if is_named else []


def _chunks(pyarrow: Any, part: Part, name: str) -> Iterator[Any]:
    """Yield the column of one part as Arrow dictionaries, decoded bit by bit."""
    _, parquet = libraries(part.path)
    with _opened(part.path) as file:
        is_there, rows = name in file.schema_arrow.names, int(file.metadata.num_rows)
    if not is_there:
        if rows:
            yield _constant(pyarrow, part.told.get(name), rows)
        return
    try:
        with parquet.ParquetFile(part.path, read_dictionary=[name]) as file:
            for batch in file.iter_batches(batch_size=_DECODED, columns=[name]):
                column = batch.column(0)
                is_coded = pyarrow.types.is_dictionary(column.type)
                yield column if is_coded else column.dictionary_encode()
    except _arrow_error(part.path) as error:
        raise _unreadable(part.path, error) from None


def _constant(pyarrow: Any, content: object, rows: int) -> Any:
    """Return a column of one content, or of none."""
    is_text = content is None or isinstance(content, str)
    kind = pyarrow.string() if is_text else None
    contents = pyarrow.array([] if content is None else [content], type=kind)
    code = None if content is None else 0
    codes = pyarrow.repeat(pyarrow.scalar(code, type=pyarrow.int32()), rows)
    return pyarrow.DictionaryArray.from_arrays(codes, contents)


def _of_many_types(chunks: Iterable[Any]) -> Coded:
    """Return chunks whose types differ (5 here, 5.0 there) as codes of equal contents."""
    known: dict[Any, int] = {}
    found = []
    for chunk in chunks:
        contents = chunk.dictionary.to_pylist()
        places = [-1 if cell is None else known.setdefault(cell, len(known)) for cell in contents]
        own = chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        found.append(np.array([*places, -1], dtype=np.int32)[own])
    return np.concatenate(found), list(known)


def _smallest(contents: int) -> type[np.signedinteger[Any]]:
    """Return the type whose numbers from -1 on are codes of so many contents."""
    if contents <= 2**7:
        return np.int8
    return np.int16 if contents <= 2**15 else np.int32


def _blocks(rows: Iterable[Mapping[str, object]]) -> Iterator[list[Mapping[str, object]]]:
    block: list[Mapping[str, object]] = []
    for row in rows:
        block.append(row)
        if len(block) == ROWS:
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
    _, parquet = libraries(path)
    check_file(path)
    try:
        return parquet.ParquetFile(path)
    except _arrow_error(path) as error:
        raise _unreadable(path, error) from None


def _arrow_error(path: Path) -> tuple[type[Exception], ...]:
    pyarrow, _ = libraries(path)
    # a column that is not there is a KeyError, a broken page an OSError
    return (pyarrow.ArrowException, OSError, KeyError)


def _unreadable(path: Path, error: Exception) -> InputError:
    told = (str(error).splitlines() or [type(error).__name__])[0]
    return InputError(f"{path} cannot be read as Parquet: {told:.200}")


def libraries(path: Path) -> tuple[Any, Any]:
    """Return pyarrow and its Parquet; raise InputError, naming `path`, where it is missing."""
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        needed = "pip install 'valuesim[parquet]'"
        raise InputError(f"{path} needs the package pyarrow: {needed}") from None
