"""What was appended to a file of a log since it was last looked at, in whole lines.

Memory is bounded whatever stands in the file: a line of more than `LONGEST` bytes is passed over.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from valuesim.errors import LogError

LONGEST = 16_000_000
"""The most bytes of a line; of a longer one nothing is kept."""
_BLOCK = 1 << 20
_BLOCKS = 32
_REMEMBERED = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A whole line, without its newline, and the byte at which it begins."""

    begins: int
    raw: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """What a look at a file came to.

    `is_anew` says that the file is another one, or was cut or rewritten: `lines` begin at its
    start. `is_whole` says that there was no more to read.
    """

    lines: list[Line]
    is_anew: bool
    is_whole: bool


class Tail:
    """Reads a file that grows: at each look the lines that were completed since the last one."""

    def __init__(self, path: Path) -> None:
        """Begin at the start of `path`, which need not be there yet."""
        self.path = path
        self._inode: int | None = None
        # what the file was when all of it had been read
        self._state: tuple[int, int, int] | None = None
        # where the first line begins that was not whole yet, or how far one is passed over
        self._place = 0
        self._passes_over = False
        self._end = b""

    def look(self) -> Read:
        """Return the lines that are new, of at most 32 MiB.

        A last line without its newline waits for the rest of it. Raises LogError for what is no
        regular file, and OSError for one that cannot be read.
        """
        try:
            # to open a pipe would wait for whoever writes to it
            file = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return self._gone()
        try:
            return self._looked(file)
        finally:
            os.close(file)

    def _looked(self, file: int) -> Read:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise LogError(f"{self.path} is not a regular file: restore it")
        state = (status.st_ino, status.st_size, status.st_mtime_ns)
        if state == self._state:
            return Read(lines=[], is_anew=False, is_whole=True)
        is_known = self._inode in (None, status.st_ino) and status.st_size >= self._place
        is_anew = not (is_known and self._is_as_it_was(file))
        if is_anew:
            self._restart()
        self._inode = status.st_ino
        lines, is_whole = self._lines(file)
        length = min(_REMEMBERED, self._place)
        self._end = os.pread(file, length, self._place - length)
        self._state = state if is_whole else None
        return Read(lines=lines, is_anew=is_anew, is_whole=is_whole)

    def _lines(self, file: int) -> tuple[list[Line], bool]:
        """Return the lines that are whole, and whether all of the file was read."""
        lines: list[Line] = []
        # a line that is not whole yet is read again with the rest of it: whoever mends the file
        # may put another in its place
        rest, place = bytearray(), self._place
        for _ in range(_BLOCKS):
            block = os.pread(file, _BLOCK, place)
            place += len(block)
            *ended, open_end = block.split(b"\n")
            for part in ended:
                rest += part
                if not self._passes_over and len(rest) <= LONGEST:
                    lines.append(Line(begins=self._place, raw=bytes(rest)))
                self._place += len(rest) + 1
                rest, self._passes_over = bytearray(), False
            rest += open_end
            if self._passes_over or len(rest) > LONGEST:
                rest, self._passes_over, self._place = bytearray(), True, place
            if len(block) < _BLOCK:
                return lines, True
        return lines, False

    def _gone(self) -> Read:
        was_there = self._inode is not None
        self._restart()
        self._inode = None
        return Read(lines=[], is_anew=was_there, is_whole=True)

    def _restart(self) -> None:
        self._state, self._place, self._passes_over, self._end = None, 0, False, b""

    def _is_as_it_was(self, file: int) -> bool:
        return os.pread(file, len(self._end), self._place - len(self._end)) == self._end
