"""Single lines of a run's log, found by the places that the index has of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from valuesim.errors import LogError
from valuesim.log.files import line_at
from valuesim.log.segments import log_folders
from valuesim.replay.gathering import place_at

T = TypeVar("T")


class Lines:
    """The files of a run's log, each opened once, of which single lines are read."""

    def __init__(self, run: Path, stack: ExitStack) -> None:
        """Take the run folder, and what closes the files in the end."""
        self._folders = log_folders(run)
        self._stack = stack
        self._open: dict[Path, BinaryIO] = {}

    def read(self, name: str, place: int, make: Callable[[Any, Path, int], T]) -> T:
        """Return what `make` makes of a line: of the file called `name`, at a place of the index.

        `make` is given the line, its file and its number, which is counted where it is told.
        """
        folder, begins = place_at(place)
        if folder >= len(self._folders):
            raise LogError("a part of the log is gone: ask again in a moment")
        path = self._folders[folder] / name
        if path not in self._open:
            self._open[path] = self._stack.enter_context(path.open("rb"))
        file = self._open[path]
        try:
            return make(line_at(file, begins, path, 0), path, 0)
        except LogError:
            number = _number(file, begins)
            return make(line_at(file, begins, path, number), path, number)


def _number(file: BinaryIO, begins: int) -> int:
    """Return the number, from 1, of the line that begins at a byte."""
    file.seek(0)
    number, left = 1, begins
    while left > 0 and (block := file.read(min(left, 2**20))):
        number += block.count(b"\n")
        left -= len(block)
    return number
