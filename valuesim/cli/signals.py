"""The signals that stop a run: gently at first."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress

from valuesim.engine.shutdown import Shutdown

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def stop_on_signals() -> Shutdown:
    """Return what Ctrl-C or SIGTERM lets the run of the present loop end by.

    The first lets episodes under way end, the second ends them, the third ends the process.
    """
    stop = Shutdown()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        stop.ask()
        if stop.now.is_set():
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    # only the main thread hears signals; elsewhere (a notebook, a test) there is nothing to hear
    with suppress(RuntimeError, ValueError):
        for number in _SIGNALS:
            loop.add_signal_handler(number, on_signal)
    return stop
