"""Ends the processes of an engine once the run that started them is gone, however it went.

    python engine_guard.py PARENT

Reads processes, one a line: the id and when it began (`began`). When its input ends or PARENT is no
longer its parent, it ends them: SIGTERM first, SIGKILL to what is left after some seconds. An id
that meanwhile belongs to a process that began at another time is left alone. Stands alone: it
imports no package.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

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
    words = [int(word) for word in told.split()]
    end(dict(zip(words[::2], words[1::2], strict=False)))


def _heard(wait_s: float) -> tuple[bytes, bool]:
    """Return what is said within `wait_s`, and whether more may come."""
    if not select.select([0], [], [], wait_s)[0]:
        return b"", True
    heard = os.read(0, 4096)
    return heard, bool(heard)


def began(process: int) -> int | None:
    """Return when `process` began, in ticks since the system did; None if it is gone.

    It is 0 where the system does not say (no /proc): there an id is all that tells processes apart.
    """
    try:
        told = Path(f"/proc/{process}/stat").read_text("utf-8", "replace")
    except OSError:
        return None if Path("/proc/self/stat").exists() else _without_proc(process)
    # the name, in brackets, may itself hold blanks and brackets
    state, *fields = told.rpartition(")")[2].split()
    return None if state in "ZX" else int(fields[18])


def _without_proc(process: int) -> int | None:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, PermissionError):
        return None
    return 0


def end(processes: Mapping[int, int]) -> None:
    """End `processes`, ids with when each `began`; those that are gone are left alone."""
    _send(processes, signal.SIGTERM)
    until = time.monotonic() + _GRACE_S
    while _left(processes) and time.monotonic() < until:
        time.sleep(0.1)
    _send(processes, signal.SIGKILL)


def _send(processes: Mapping[int, int], number: signal.Signals) -> None:
    for process in _left(processes):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process, number)


def _left(processes: Mapping[int, int]) -> list[int]:
    return [process for process, when in processes.items() if began(process) == when]


if __name__ == "__main__":
    main(int(sys.argv[1]))
