"""Rows of CSV files that others made: read line by line, hostile input, nothing held in memory."""

from __future__ import annotations

import codecs
import csv
import hashlib
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

from valuesim.errors import InputError

LONGEST_LINE = 2**20
"""Bytes of the longest line that is read, and characters of the longest cell (a mebibyte)."""
LARGEST_FILE = 4 * 2**30
"""Bytes of the largest file that is read (4 GB)."""
_MOST_COLUMNS = 1000
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Dropped:
    """What was left out: the line of the file where it starts, and why."""

    line: int
    reason: str

    def __str__(self) -> str:
        """Return both as "line 7: why"."""
        return f"line {self.line:,}: {self.reason}"


class CsvTable:
    """A CSV file with a header; iterate it for (line, cells) of each row.

    `columns` are the names in the header. Blank lines are no rows.
    """

    def __init__(self, path: Path, required: Iterable[str]) -> None:
        """Read the header of the file at `path`.

        Raises InputError where `path` is no readable CSV file, or lacks a column of `required`.
        """
        self.path = path
        check_file(path)
        with _opened(path) as rows:
            _, columns = next(rows, (1, []))
        self.columns = tuple(name.strip() for name in columns)
        if not any(self.columns):
            raise InputError(f"{path} has no header: the first line names the columns")
        if len(self.columns) > _MOST_COLUMNS:
            raise InputError(f"{path}:1: has {len(self.columns):,} columns, more than are read")
        if len(set(self.columns)) < len(self.columns):
            raise InputError(f"{path}:1: a column stands in the header twice")
        wanted = list(required)
        if missing := [name for name in wanted if name not in self.columns]:
            self._refuse_separator()
            raise InputError(
                f"{path} lacks the column {missing[0]!r}; needed: {', '.join(wanted)}; "
                f"found: {_shortened(', '.join(self.columns))}"
            )

    def _refuse_separator(self) -> None:
        """Raise InputError where the one column is several, between which no comma stands."""
        if len(self.columns) > 1:
            return
        for separator, name in _SEPARATORS.items():
            if separator in self.columns[0]:
                raise InputError(
                    f"{self.path}:1: columns are separated by {name}, and only commas are read: "
                    f"save the table with commas; found: {_shortened(self.columns[0], 120)!r}"
                )

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (the line where it starts, its cells in the order of `columns`) of each row.

        Raises InputError, with file and line, for what is no CSV, not UTF-8, or too long.
        """
        width = len(self.columns)
        with _opened(self.path) as rows:
            next(rows, None)
            for line, cells in rows:
                if len(cells) == width:
                    yield line, cells
                elif cells:
                    wrong = f"the row has {len(cells):,} cells, the header has {width:,}"
                    raise InputError(f"{self.path}:{line}: {wrong}")

    def place(self, column: str) -> int | None:
        """Return where the cells of `column` stand; None where there is no such column."""
        return self.columns.index(column) if column in self.columns else None


def check_file(path: Path) -> None:
    """Raise InputError where `path` is no regular file or one that is too large."""
    try:
        status = path.stat()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path} is not a regular file")
    if status.st_size > LARGEST_FILE:
        raise InputError(f"{path} has {status.st_size:,} bytes; at most {LARGEST_FILE:,} are read")


def digest(path: Path) -> str:
    """Return the SHA-256 of the file at `path`; raise InputError where it cannot be read."""
    check_file(path)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (number from 1, text with its end) of each line of a text file.

    A byte order mark is left out. Raises InputError for a line that is too long, not UTF-8, or
    holds a NUL.
    """
    try:
        with path.open("rb") as file:
            yield from _decoded(path, file)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def _decoded(path: Path, file: BinaryIO) -> Iterator[tuple[int, str]]:
    number = 0
    while raw := file.readline(LONGEST_LINE + 1):
        number += 1
        if number == 1:
            if raw.startswith(_UTF_16):
                _refuse(path, 1, "is UTF-16: save the file as UTF-8")
            raw = raw.removeprefix(codecs.BOM_UTF8)
        if len(raw) > LONGEST_LINE:
            _refuse(path, number, f"is longer than the {LONGEST_LINE:,} bytes that are read")
        if b"\0" in raw:
            _refuse(path, number, "holds a NUL, which no text does")
        try:
            yield number, raw.decode("utf-8")
        except UnicodeDecodeError as error:
            _refuse(path, number, f"byte {error.object[error.start]:#04x} is not UTF-8")


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[tuple[int, list[str]]]]:
    # the limit is the process's: it is put back whatever happens
    before = csv.field_size_limit(LONGEST_LINE)
    try:
        yield _rows(path)
    finally:
        csv.field_size_limit(before)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader((text for _, text in text_lines(path)), strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        _refuse(path, line, f"is not CSV: {error}")


def _refuse(path: Path, line: int, wrong: str) -> NoReturn:
    raise InputError(f"{path}:{line}: {wrong}") from None


def _shortened(text: str, longest: int = 300) -> str:
    return text if len(text) <= longest else f"{text[:longest]}..."


_HAZARDS = ("=", "+", "-", "@", "\t", "\r")
_GUARD = "'"


def guarded(text: str) -> str:
    """Return `text` so that no spreadsheet runs it: with an apostrophe before, where one is needed.

    What begins with an apostrophe gets one more, so that `unguarded` gives every text back.

    >>> guarded("=HYPERLINK(1)"), guarded("'quoted"), guarded("plain")
    ("'=HYPERLINK(1)", "''quoted", 'plain')
    """
    return _GUARD + text if text.startswith((*_HAZARDS, _GUARD)) else text


def unguarded(text: str) -> str:
    """Return what `guarded` was given; other text is returned as it is.

    >>> unguarded("'=HYPERLINK(1)"), unguarded("''quoted"), unguarded("'tis")
    ('=HYPERLINK(1)', "'quoted", "'tis")
    """
    is_guarded = text.startswith(_GUARD) and text[1:].startswith((*_HAZARDS, _GUARD))
    return text[1:] if is_guarded else text


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table to `path`, UTF-8, in place; `log.whole.whole` gives a draft to write to."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
