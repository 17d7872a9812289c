"""How a viewer ends while something is still read beside it: at once, and without a crash."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time


def leave() -> None:
    """End the process at once, as well, if any thread but the caller's and the main one runs.

    Python would cut those threads off inside libraries in C++, which ends with a signal, or wait
    for them. What they write is whole or not there.
    """
    own = (threading.current_thread(), threading.main_thread())
    if any(each not in own for each in threading.enumerate()):
        _end()


def leave_after(seconds: float) -> None:
    """Wait so long, and end the process whatever it still waits for itself."""
    time.sleep(seconds)
    _end()


def _end() -> None:
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
