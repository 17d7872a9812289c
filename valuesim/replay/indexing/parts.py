"""Single lines of a run's log, read where the index says that they stand."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from valuesim.errors import LogError
from valuesim.log.files import corrupt, line_at
from valuesim.replay.indexing.gathering import place_at

_MANY = 200
T = TypeVar("T")


class Parts:
    """The files of a run's log, each opened once, of which single lines are read."""

    def __init__(self, folders: Sequence[Path], stack: ExitStack) -> None:
        """Read of `folders`, which places number; `stack` closes the files."""
        self.bytes = 0
        self._folders = folders
        self._stack = stack
        self._open: dict[Path, BinaryIO] = {}

    def read(self, name: str, place: int, make: Callable[[Any, Path, int], T]) -> T:
        """Return what `make` makes of a line: of the file called `name`, at a place of the index.

        `make` is given the line, its file and its number, which is counted where it is told. The
        length of what was read is added to `bytes`.
        """
        folder, begins = place_at(place)
        if folder >= len(self._folders):
            raise LogError("a part of the log is gone: ask again in a moment")
        path = self._folders[folder] / name
        if path not in self._open:
            self._open[path] = self._stack.enter_context(path.open("rb"))
        file = self._open[path]
        try:
            line = line_at(file, begins, path, 0)
            self.bytes += file.tell() - begins
            return make(line, path, 0)
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


def of_step(parts: Parts, places: Sequence[int], step: int) -> Sequence[int]:
    """Return which of the places of an episode's decisions are of `step`.

    Of many a few lines are read, as a log that was played holds them by step.
    """

    def step_at(place: int) -> Any:
        return parts.read("decisions.jsonl", place, lambda line, *_: line.get("step"))

    if len(places) > _MANY:
        begin = bisect_left(places, step, key=step_at)
        end = bisect_right(places, step, key=step_at)
        if begin < end:
            return places[begin:end]
    return [place for place in places if step_at(place) == step]


def text_of(line: Any, path: Path, number: int) -> tuple[str, str]:
    """Return the id and the text of a line of `texts.jsonl`; raise LogError if it is none."""
    if not (isinstance(line.get("id"), str) and isinstance(line.get("text"), str)):
        raise corrupt(path, number, "is no text")
    return line["id"], line["text"]
