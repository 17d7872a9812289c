"""One writer at a time: a folder of logs is locked while it is written."""

from __future__ import annotations

import fcntl
import time
from pathlib import Path
from typing import TextIO

from valuesim.errors import InputError
from valuesim.log.files import check_regular
from valuesim.log.whole import unwritable

_LOOK_EVERY_S = 0.05


def locked(folder: Path, *, patience_s: float = 0.0) -> TextIO:
    """Return the lock of `folder`, which is made if it is not there; to close it lets go.

    Another writer is waited for `patience_s` seconds. Raises InputError if it does not let go, or
    if the folder is no place to write to, and LogError where the disk takes no more.
    """
    path = folder / ".lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        check_regular(path)
        lock = path.open("w")
    except OSError as error:
        raise unwritable(folder, error) from error
    until = time.monotonic() + patience_s
    while not _is_taken(lock):
        if time.monotonic() >= until:
            lock.close()
            raise InputError(
                f"{folder} is being written by another run; wait for it or choose another name"
            )
        time.sleep(_LOOK_EVERY_S)
    return lock


def _is_taken(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
