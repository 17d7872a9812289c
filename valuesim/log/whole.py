"""Writes a file whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from valuesim.errors import InputError, LogError, ValueSimError

_OF_THE_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield the path of a draft (same suffix) that becomes `path` if the block ends well.

    If it does not, the draft is removed and `path` is as it was. What is no regular file (a device,
    a pipe) is written in place. Raises InputError where `path` is no place to write to, and
    LogError where the disk takes no more.
    """
    target, draft = _places(path)
    is_file = draft != target
    try:
        try:
            yield draft
            if is_file:
                draft.replace(target)
        except BaseException:
            if is_file:
                with suppress(OSError):
                    draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise unwritable(path, error) from error


def check_place(path: Path) -> None:
    """Raise what `whole` would raise where `path` is no place to write to; leave nothing there."""
    target, draft = _places(path)
    try:
        if draft != target:
            draft.touch()
            draft.unlink()
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


def _places(path: Path) -> tuple[Path, Path]:
    """Return what `path` leads to and where its draft is written; the same if it is no file."""
    target = path.resolve()
    if target.exists() and not target.is_file():
        return target, target
    return target, target.with_name(f"{target.stem}.part{target.suffix}")
