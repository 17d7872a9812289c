"""Ends the processes of an engine once the run that started them is gone, however it went.

    python engine_guard.py PARENT

Reads process ids, one a line. When its input ends or PARENT is no longer its parent, it ends them:
SIGTERM first, SIGKILL to what is left after some seconds. Stands alone: it imports no package.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from contextlib import suppress

_LOOK_EVERY_S = 0.5
_GRACE_S = 10.0


def main(parent: int) -> None:
    """Wait for the end of `parent`, then end the processes named on the standard input."""
    told, is_open = b"", True
    while is_open and os.getppid() == parent:
        heard, is_open = _heard(_LOOK_EVERY_S)
        told += heard
    # a parent may be gone before this begins: what it said is still to be read
    while is_open:
        heard, is_open = _heard(0.0)
        told += heard
        is_open = is_open and bool(heard)
    end([int(word) for word in told.split()])


def _heard(wait_s: float) -> tuple[bytes, bool]:
    """Return what is said within `wait_s`, and whether more may come."""
    if not select.select([0], [], [], wait_s)[0]:
        return b"", True
    heard = os.read(0, 4096)
    return heard, bool(heard)


def end(processes: list[int]) -> None:
    """End `processes`; those that are gone are left alone."""
    _send(processes, signal.SIGTERM)
    until = time.monotonic() + _GRACE_S
    while any(map(_is_there, processes)) and time.monotonic() < until:
        time.sleep(0.1)
    _send(processes, signal.SIGKILL)


def _send(processes: list[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process, number)


def _is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main(int(sys.argv[1]))
