"""`valuesim query`: SQL over the tables of any number of run folders."""

from __future__ import annotations

import argparse
import signal
import socket
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from valuesim.cli.terminal import clean, print_table
from valuesim.errors import InputError
from valuesim.log import find_runs
from valuesim.tables.answers import plain, write_answer, write_json_answer
from valuesim.tables.database import VIEWS, Answer, Database

_MOST_SHOWN = 100
_LONGEST_CELL = 200
_MOST_NAMED = 3


def main(arguments: argparse.Namespace) -> int:
    """Ask, print or write what was found, and return 0."""
    if arguments.out and arguments.json:
        raise InputError("--out and --json are two places for one answer: give one of them")
    folders, sql = _asked(arguments)
    with Database(
        find_runs(folders), memory=arguments.memory, threads=arguments.threads
    ) as database:
        for note in _notes(database):
            print(f"valuesim: note: {clean(note)}", file=sys.stderr)
        if sql is None:
            _print_views(database)
        else:
            with _stoppable(database):
                _tell(database.query(sql), arguments)
    return 0


@contextmanager
def _stoppable(database: Database) -> Iterator[None]:
    """Let a stop in the block reach a query whose work does not come back to Python.

    A handler of Python would wait for that; the system writes the signal's number to a socket.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard, told = socket.socketpair()
    told.setblocking(False)

    def listen() -> None:
        while number := heard.recv(1):
            if number[0] in (signal.SIGINT, signal.SIGTERM):
                database.interrupt()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    before = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        told.close()
        listener.join()
        heard.close()


def _asked(arguments: argparse.Namespace) -> tuple[list[Path], str | None]:
    """Return the folders and the SQL, which stands last unless a file of it is named."""
    given: list[str] = arguments.given
    if arguments.sql is not None:
        try:
            return [Path(each) for each in given], arguments.sql.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"--sql {arguments.sql} cannot be read as text: {error}") from None
    if len(given) == 1 or Path(given[-1]).exists():
        if not Path(given[0]).exists():
            raise InputError(
                f"{given[0]!r:.60} is no folder: give run folders first, and the SQL last"
            )
        return [Path(each) for each in given], None
    return [Path(each) for each in given[:-1]], given[-1]


def _notes(database: Database) -> Iterator[str]:
    if database.repeated:
        noun = "episode" if database.repeated == 1 else "episodes"
        yield f"in more than one run folder, and counted once: {database.repeated:,} {noun}"
    if database.unkept:
        named = ", ".join(map(str, database.unkept[:_MOST_NAMED]))
        more = len(database.unkept) - _MOST_NAMED
        told = f"{named} and {more:,} more" if more > 0 else named
        yield f"tables could not be kept in {told}; they are made anew each time"


def _print_views(database: Database) -> None:
    rows = []
    for name, columns in VIEWS.items():
        ((count,),) = database.query(f"SELECT count(*) FROM {name}").rows
        rows.append([name, count, ", ".join(columns)])
    print_table("What may be asked (docs/tables.md)", ["view", "rows", "columns"], rows)


def _tell(answer: Answer, arguments: argparse.Namespace) -> None:
    if arguments.out:
        written = write_answer(answer, arguments.out)
        print(f"wrote {written:,} {'row' if written == 1 else 'rows'} to {clean(arguments.out)}")
    elif arguments.json:
        write_json_answer(answer, arguments.json)
    else:
        _print(answer, shows_all=arguments.all)


def _print(answer: Answer, *, shows_all: bool) -> None:
    shown = list(answer.rows if shows_all else islice(answer.rows, _MOST_SHOWN))
    left = sum(1 for _ in answer.rows)
    count = len(shown) + left
    print_table(f"{count:,} {'row' if count == 1 else 'rows'}", answer.columns, _cells(shown))
    if left:
        print(f"{left:,} more; --all shows them, --out FILE writes them")


def _cells(rows: Iterable[Sequence[Any]]) -> Iterator[list[object]]:
    for row in rows:
        yield [_cell(plain(cell)) for cell in row]


def _cell(cell: object) -> object:
    """Return a cell as it is printed: a number with six digits or more, a text up to 200 signs."""
    if isinstance(cell, float):
        # a Decimal is printed as it is written, and stands right as numbers do
        is_plain = 1e6 <= abs(cell) < 1e15
        return Decimal(f"{cell:.2f}" if is_plain else f"{cell:.6g}")
    if cell is None or isinstance(cell, int):
        return cell
    written = str(cell)
    # cut first: to clean all of a huge one would take minutes
    text = clean(written[: _LONGEST_CELL + 1])
    is_whole = len(written) <= _LONGEST_CELL
    return text if is_whole else f"{text[: _LONGEST_CELL - 3]}..."
