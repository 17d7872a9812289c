"""JSON-lines files that survive a kill: append whole lines, read them back, mend a torn end."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from valuesim.errors import LogError
from valuesim.log.lines import SCHEMA, Line, encode
from valuesim.log.whole import unwritable

# what a line of each file must hold to be told whose it is
DECISION_KEYS = {"episode": str, "play": int}
EPISODE_KEYS = {"episode": str, "decisions": int}
INTERRUPTED_KEYS = {"episode": str, "play": int, "reason": str}
TEXT_KEYS = {"id": str, "text": str}

INHERITED = "inherited.jsonl"
"""The file, in the folder of a branch, of decisions that are its parent's."""

MISSHAPEN = (KeyError, TypeError, ValueError, AttributeError)
"""What reading a line raises that holds something else than its schema says."""

logger = logging.getLogger(__name__)


class AppendFile:
    """A JSON-lines file open for appending; each `write` reaches the system before it returns."""

    def __init__(self, path: Path) -> None:
        """Open `path`, cutting a last line that a kill left without its newline.

        Raises LogError for what is no regular file, and as `whole.unwritable` says.
        """
        self.path = path
        check_regular(path)
        try:
            mend(path)
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise unwritable(path, error) from error

    def write(self, lines: list[Line]) -> None:
        """Append all of `lines`; raise LogError, with none of them kept, if the disk refuses."""
        block = b"".join(encode(line) for line in lines)
        end = self._file.seek(0, 2)
        try:
            written = self._file.write(block)
            while written < len(block):
                written += self._file.write(block[written:])
        except OSError as error:
            # half a line would spoil whatever is appended after it
            with suppress(OSError):
                self._file.truncate(end)
            raise LogError(f"{self.path} cannot be written: {error.strerror}") from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_lines(path: Path, keys: Mapping[str, type]) -> Iterator[tuple[int, Any]]:
    """Yield (line number from 1, line) of a JSON-lines file, as `read_places` does."""
    for number, _, line in read_places(path, keys):
        yield number, line


def read_places(path: Path, keys: Mapping[str, type]) -> Iterator[tuple[int, int, Any]]:
    """Yield (number from 1, where it begins, line) of a JSON-lines file; a missing file has none.

    `keys` says what a line must hold and of which type (a count, `int`, is from 0). A last line
    without its newline is one that a kill cut short, or that is being written: it is left out, with
    a warning. Any other line that is not a JSON object of this schema with all of `keys` raises
    LogError with file and line.
    """
    check_regular(path)
    if not path.exists():
        return
    begins = ends = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            begins, ends = ends, ends + len(raw)
            if not raw.endswith(b"\n"):
                logger.warning("%s, line %d is cut short and left out", path, number)
                return
            line = _decoded(raw, path, number)
            for key, kind in keys.items():
                if key not in line:
                    raise corrupt(path, number, f"lacks {key!r}")
                if not _is_of(line[key], kind):
                    wanted = "text" if kind is str else "a count"
                    raise corrupt(
                        path, number, f"has {key}={line[key]!r:.80}, which is not {wanted}"
                    )
            yield number, begins, line


def line_at(file: BinaryIO, begins: int, path: Path, number: int) -> Any:
    """Return the line of `path`, open as `file`, that begins at a byte; it was read before.

    Raises LogError where it is no line of this schema any more.
    """
    file.seek(begins)
    return _decoded(file.readline(), path, number)


def corrupt(path: Path, number: int, wrong: str) -> LogError:
    """Return the error for line `number` of `path`, of which `wrong` says what is wrong."""
    return LogError(f"{path}, line {number} {wrong} (delete the line, or restore the file)")


def wrong_in(error: Exception) -> str:
    """Return what is wrong with a line, in words, where reading it raised `error`."""
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return str(error) if isinstance(error, ValueError) else "a field of it is of another type"


def miscounted(path: Path, episode: str, read: int, told: int) -> str:
    """Return the sentence for an episode whose decisions in `path` are not as many as were made."""
    advice = "resume the run to play it again" if read < told else "it may hold lines twice"
    return (
        f"{path} holds {read} decisions of finished episode {episode}, which has {told}: {advice}"
    )


def check_regular(path: Path) -> None:
    """Raise LogError if `path` is a folder, a pipe or a device; what does not exist passes."""
    if path.exists() and not path.is_file():
        raise LogError(f"{path} is not a regular file: restore it, or choose another folder")


def _is_of(given: object, kind: type) -> bool:
    if kind is int:
        return isinstance(given, int) and not isinstance(given, bool) and given >= 0
    return isinstance(given, kind)


def _decoded(raw: bytes, path: Path, number: int) -> Any:
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise corrupt(path, number, f"is not JSON: {error.msg}") from error
    if not isinstance(line, dict) or line.get("schema") != SCHEMA:
        found = line.get("schema") if isinstance(line, dict) else type(line).__name__
        raise LogError(f"{path}, line {number} has schema {found!r}; this version reads {SCHEMA}")
    return line


def mend(path: Path) -> None:
    """Cut a last line of `path` that a kill left without its newline; a missing file is left so."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        end = file.seek(0, 2)
        keep = _end_of_last_line(file, end)
        if keep < end:
            logger.warning("%s: a last line of %d bytes was cut short; removed", path, end - keep)
            file.truncate(keep)


def _end_of_last_line(file: Any, end: int, block: int = 65536) -> int:
    while end > 0:
        start = max(0, end - block)
        file.seek(start)
        found: int = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
