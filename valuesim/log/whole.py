"""Writes a file whole or not at all."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from valuesim.errors import InputError, ValueSimError

_OF_THE_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield the path of a draft (same suffix) that becomes `path` if the block ends well.

    If it does not, the draft is removed and `path` is as it was. What is no regular file (a device,
    a pipe) is written in place. Raises InputError where `path` is no place to write to, and
    ValueSimError where the disk takes no more.
    """
    target = path.resolve()
    is_file = target.is_file() or not target.exists()
    draft = target.with_name(f"{target.stem}.part{target.suffix}") if is_file else target
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
        kind = ValueSimError if error.errno in _OF_THE_DISK else InputError
        raise kind(f"{path} cannot be written: {error.strerror or error}") from error
