"""A table of choices as a partitioned data set: folders KEY=CONTENT with Parquet files in them.

It is the layout of Hive, which other tools read: a column that the folders tell is not in the
files, `__HIVE_DEFAULT_PARTITION__` stands for null, and what no folder may be named is
percent-encoded. Hidden files and folders (a leading dot or underscore) are no part of it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, unquote

from valuesim.errors import InputError
from valuesim.formats.choice_columns import COLUMNS, NUMBERS, TRUTHS
from valuesim.formats.data_set_place import FILE, check_place
from valuesim.formats.parquet import ROWS, Part, libraries, schema_of
from valuesim.formats.rows import digest
from valuesim.log.lock import locked
from valuesim.log.whole import unwritable

DEFAULT_KEYS = ("env", "agent", "model")
MOST_PARTITIONS = 500
"""The most partitions, each of which is a file that stands open while they are written."""
NULL = "__HIVE_DEFAULT_PARTITION__"
_MOST_HELD = 200_000
"""The most rows, of all partitions, that wait for their row group to be full."""
_LONGEST_NAME = 255
_DRAFT = ".part"
_LOCK = ".lock"

Cell = str | int | bool | None


def is_data_set(path: Path) -> bool:
    """Return whether `path` is a folder with a Parquet file in or below it, and no run folder."""
    if not path.is_dir() or next(path.rglob("run.yaml"), None) is not None:
        return False
    return next(_files(path), None) is not None


def parts_of(folder: Path) -> list[Part]:
    """Return the files of the data set in `folder`, by name, with what their folders tell.

    Raises InputError for a draft that a killed export left, and where there is no file.
    """
    if folder.name.endswith(_DRAFT) and (folder / _LOCK).exists():
        raise InputError(f"{folder} is what an export left that did not end: export again")
    parts = [Part(path=path, told=_told(folder, path)) for path in sorted(_files(folder))]
    if not parts:
        raise InputError(f"{folder} is no data set: there is no .parquet file in or below it")
    return parts


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*.parquet"):
        names = path.relative_to(folder).parts
        if path.is_file() and not any(name.startswith((".", "_")) for name in names):
            yield path


def _told(folder: Path, path: Path) -> dict[str, Cell]:
    found: dict[str, Cell] = {}
    for name in path.relative_to(folder).parts[:-1]:
        key, sign, written = name.partition("=")
        if sign and key in COLUMNS:
            text = unquote(written)
            found[key] = None if written == NULL else _typed(folder, key, text)
    return found


def _typed(folder: Path, key: str, text: str) -> Cell:
    if key in NUMBERS:
        if not text.isdecimal():
            raise InputError(f"{folder}: {key}={text!r:.60} is not a whole number from 0")
        return int(text)
    if key in TRUTHS:
        if text not in ("true", "false"):
            raise InputError(f"{folder}: {key}={text!r:.60} is not true or false")
        return text == "true"
    return text


def data_set_digest(folder: Path) -> str:
    """Return the SHA-256 of the names and contents of the files of the data set in `folder`."""
    found = hashlib.sha256()
    for part in parts_of(folder):
        name = part.path.relative_to(folder).as_posix()
        found.update(f"{name}\0{digest(part.path)}\n".encode("utf-8", "surrogateescape"))
    return found.hexdigest()


def folder_name(key: str, content: Cell) -> str:
    """Return the name of the folder for a column's content; raise InputError for a long one.

    >>> folder_name("model", "org/name"), folder_name("model", None)
    ('model=org%2Fname', 'model=__HIVE_DEFAULT_PARTITION__')
    """
    if content is None:
        return f"{key}={NULL}"
    text = str(content).lower() if isinstance(content, bool) else str(content)
    written = quote(text, safe="", errors="strict")
    # a name that reads as null gets its first sign encoded
    name = f"{key}={'%5F' + written[1:] if written == NULL else written}"
    if len(name) > _LONGEST_NAME:
        raise InputError(
            f"{key}={text!r:.60} is too long for the name of a folder: leave {key} out of "
            "--partition"
        )
    return name


def checked_keys(keys: Sequence[str]) -> tuple[str, ...]:
    """Return `keys`; raise InputError where one is no column to partition by, or there is none."""
    allowed = [name for name in COLUMNS if name not in ("situation", "position", "chosen", "step")]
    for key in keys:
        if key not in allowed:
            raise InputError(f"--partition {key!r} is not one of {', '.join(allowed)}")
    if not keys or len(set(keys)) < len(keys):
        raise InputError("--partition takes one or more columns, each once: env,agent,model")
    return tuple(keys)


class DataSetWriter:
    """Writes Arrow tables of choices as a data set, whole or not at all; use it in `with`.

    The files are written into a draft beside it, which becomes `folder` when the block ends well.
    A data set there that this class wrote, and nobody added to, is replaced. Rows keep their order
    within a partition; equal rows in equal order give equal bytes (of one version of pyarrow).
    """

    def __init__(self, folder: Path, keys: Sequence[str] = DEFAULT_KEYS) -> None:
        """Raise InputError where `folder` holds anything else, or a key is none."""
        self.folder = Path(folder).resolve()
        self.keys = checked_keys(keys)
        self.rows = 0
        self._pyarrow, self._parquet = libraries(self.folder)
        self._draft = self.folder.with_name(f".{self.folder.name}{_DRAFT}")
        self._new, self._earlier = self._draft / "new", self._draft / "earlier"
        self._schema = schema_of(self._pyarrow, [n for n in COLUMNS if n not in self.keys])
        self._writers: dict[tuple[Cell, ...], Any] = {}
        self._held: defaultdict[tuple[Cell, ...], list[Any]] = defaultdict(list)
        self._sizes: defaultdict[tuple[Cell, ...], int] = defaultdict(int)
        check_place(self.folder)

    def __enter__(self) -> Self:
        """Begin with an empty draft.

        Raises InputError where another export writes the same, or what is no draft stands there.
        """
        draft = self._draft
        try:
            is_foreign = draft.exists() and not (draft / _LOCK).is_file()
            if draft.is_symlink() or (is_foreign and (draft.is_file() or any(draft.iterdir()))):
                raise InputError(
                    f"{draft} is no draft of an export: move it, or choose another --out"
                )
            self._lock = locked(draft)
            for left in (self._new, self._earlier):
                shutil.rmtree(left, ignore_errors=True)
            self._new.mkdir()
        except OSError as error:
            raise unwritable(self.folder, error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put the draft in its place, or take it away."""
        try:
            with ExitStack() as closing:
                closing.callback(self._close)
                if kind is None:
                    for partition in list(self._held):
                        self._flush(partition)
            if kind is None:
                self._put()
        except OSError as broken:
            raise unwritable(self.folder, broken) from broken
        finally:
            shutil.rmtree(self._draft, ignore_errors=True)
            self._lock.close()

    def _close(self) -> None:
        with ExitStack() as closing:
            for writer in self._writers.values():
                closing.callback(writer.close)

    def add(self, table: Any) -> None:
        """Add an Arrow table of `COLUMNS`, its rows in order.

        Raises InputError where there are too many partitions, or one whose name is too long.
        """
        plain = self._plain(table)
        for partition, rows in _split(plain, self.keys):
            self._held[partition].append(rows.drop_columns(list(self.keys)))
            self._sizes[partition] += len(rows)
            if self._sizes[partition] >= ROWS:
                self._flush(partition)
        while sum(self._sizes.values()) > _MOST_HELD:
            self._flush(max(self._sizes, key=self._sizes.__getitem__))
        self.rows += len(table)

    @property
    def partitions(self) -> int:
        """How many partitions there are."""
        return len(self._held.keys() | self._writers.keys())

    def _plain(self, table: Any) -> Any:
        """Return a table with texts in place of codes, so that no part holds others' texts."""
        string = self._pyarrow.string()
        fields = [
            (f.name, string if self._pyarrow.types.is_dictionary(f.type) else f.type)
            for f in table.schema
        ]
        return table.cast(self._pyarrow.schema(fields))

    def _flush(self, partition: tuple[Cell, ...]) -> None:
        held = self._held.pop(partition, [])
        self._sizes.pop(partition, None)
        if not held:
            return
        rows = self._pyarrow.concat_tables(held).combine_chunks()
        columns = [
            rows.column(f.name).dictionary_encode()
            if self._pyarrow.types.is_dictionary(f.type)
            else rows.column(f.name)
            for f in self._schema
        ]
        table = self._pyarrow.Table.from_arrays(columns, schema=self._schema)
        self._writer(partition).write_table(table, row_group_size=ROWS)

    def _writer(self, partition: tuple[Cell, ...]) -> Any:
        if partition not in self._writers:
            if len(self._writers) == MOST_PARTITIONS:
                raise InputError(
                    f"{self.folder} would have more than {MOST_PARTITIONS} partitions by "
                    f"{', '.join(self.keys)}: choose keys of fewer contents with --partition"
                )
            names = map(folder_name, self.keys, partition)
            path = self._new.joinpath(*names) / FILE
            path.parent.mkdir(parents=True)
            self._writers[partition] = self._parquet.ParquetWriter(
                path, self._schema, compression="zstd"
            )
        return self._writers[partition]

    def _put(self) -> None:
        """Exchange an earlier data set for the draft; between them is an instant without either."""
        check_place(self.folder)
        if not self.folder.exists():
            self._new.rename(self.folder)
            return
        self.folder.rename(self._earlier)
        try:
            self._new.rename(self.folder)
        except OSError:
            self._earlier.rename(self.folder)
            raise


def _split(table: Any, keys: Sequence[str]) -> Iterator[tuple[tuple[Cell, ...], Any]]:
    """Yield the rows of each partition of a table, in order of appearance."""
    compute = import_module("pyarrow.compute")
    found: Mapping[tuple[Cell, ...], None] = dict.fromkeys(
        zip(*(table.column(key).to_pylist() for key in keys), strict=True)
    )
    if len(found) == 1:
        yield next(iter(found)), table
        return
    for partition in found:
        mask = None
        for key, content in zip(keys, partition, strict=True):
            column = table.column(key)
            own = column.is_null() if content is None else compute.equal(column, content)
            own = compute.fill_null(own, False)
            mask = own if mask is None else compute.and_(mask, own)
        yield partition, table.filter(mask)
