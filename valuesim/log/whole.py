"""Writes a file whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from valuesim.errors import InputError, LogError, ValueSimError

_OF_THE_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
_LONGEST_STEM = 40
"""The characters of a name that its draft's keeps, so that no name is too long for a draft."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield the path of a draft (same suffix) that becomes `path` if the block ends well.

    The draft is a file of its own beside `path`, whatever else stands there, and whoever else
    writes at the same time. If the block does not end well, it is removed and `path` is as it was.
    What is no regular file (a device, a pipe) is written in place. Raises InputError where `path`
    is no place to write to, and LogError where the disk takes no more.
    """
    target = path.resolve()
    try:
        if _is_other(target):
            yield target
            return
        draft = _draft(target)
        try:
            yield draft
            draft.replace(target)
        except BaseException:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise unwritable(path, error) from error


def check_place(path: Path) -> None:
    """Raise what `whole` would raise where `path` is no place to write to; leave nothing there."""
    target = path.resolve()
    try:
        if not _is_other(target):
            _draft(target).unlink()
        elif target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        elif not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> ValueSimError:
    """Return the error for a `path` that could not be written.

    An InputError where it is no place to write to, a LogError where the disk takes no more.
    """
    kind = LogError if error.errno in _OF_THE_DISK else InputError
    return kind(f"{path} cannot be written: {error.strerror or error}")


def _is_other(target: Path) -> bool:
    """Return whether `target` is there and no regular file: it is then written in place."""
    return target.exists() and not target.is_file()


def _draft(target: Path) -> Path:
    """Return a new, empty file beside `target`, hidden and of the same suffix."""
    for number in count():
        name = f".{target.stem[:_LONGEST_STEM]}.{os.getpid()}-{number}.part{target.suffix}"
        draft = target.with_name(name)
        with suppress(FileExistsError):
            draft.touch(exist_ok=False)
            return draft
    raise AssertionError("count() has no end")
