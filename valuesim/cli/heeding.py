"""What a job in another process than its sweep's heeds: a stop, and the end of the sweep itself."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from types import FrameType
from typing import Any

from valuesim.cli.sweep_folder import SweepFolder
from valuesim.cli.terminal import clean

_LOOK_EVERY_S = 0.3
_WARNINGS = (signal.SIGUSR1, signal.SIGUSR2)
_GRACE_S = 15.0
"""How long episodes under way are played on after a launcher's warning; submitit gives 30 s."""
_AT_ONCE = 2
"""Stops after which what is under way ends; see `signals.stop_on_signals`."""


@contextmanager
def heeding(sweep: Path) -> Iterator[None]:
    """Let the block, a job of `sweep`, be stopped as the sweep is, by SIGINT to this process.

    Before and after it SIGINT does nothing here, and the terminal's Ctrl-C does not reach the
    process any more: the sweep hears it, and tells it once. Where the sweep is gone (it was killed)
    the job is stopped at once, and a process that the sweep itself began ends after it.
    """
    with suppress(OSError):
        os.setpgid(0, 0)
    heed = _heed_of(sweep)
    _on_interrupt(signal.SIG_IGN)
    # the sweep began this process with SIGINT blocked; what waited for it is dropped
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    _on_interrupt(signal.default_int_handler)
    heed.begin()
    try:
        with _warnings_of_time(heed):
            yield
    finally:
        heed.end()
        _on_interrupt(signal.SIG_IGN)


def hand_back(sweep: Path) -> str:
    """Let a launcher that told this process that its time is over do what it does then.

    submitit queues the job again, and ends the process (SystemExit), where it may. Where it may
    not it raises an error of its own: then that is returned in a line, else an empty text.
    """
    heed = _heed_of(sweep)
    if heed.over is not None:
        try:
            heed.over()
        except Exception as error:  # noqa: BLE001 (each launcher has errors of its own: it is told)
            return first_line(error)
    return ""


def first_line(error: Exception) -> str:
    """Return the kind of an `error` of a launcher, and the first line of what it says."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return clean(f"{type(error).__name__}: {lines[0].strip()}" if lines else type(error).__name__)


def is_time_over(sweep: Path) -> bool:
    """Return whether a launcher told this process, in its last job, that its time is over."""
    return _heed_of(sweep).over is not None


@contextmanager
def _warnings_of_time(heed: _Heed) -> Iterator[None]:
    """Let the launcher's warning (SIGUSR1 or SIGUSR2) stop the job first; `hand_back` passes it on.

    Its own handler would raise wherever the job is just then, as if an agent had failed.
    """
    is_main = threading.current_thread() is threading.main_thread()
    found: dict[int, Any] = {number: signal.getsignal(number) for number in _WARNINGS}
    held = {number: each for number, each in found.items() if is_main and callable(each)}

    def on_warning(number: int, frame: FrameType | None) -> None:
        heed.over = partial(held[number], number, frame)

    for number in held:
        signal.signal(number, on_warning)
    try:
        yield
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)


class _Heed:
    """Looks at the folder of a sweep now and then, as long as this process lives.

    `over` is what the launcher does once the time of this process is over, None until it says so.
    """

    def __init__(self, sweep: SweepFolder) -> None:
        self._sweep = sweep
        self._sending = threading.Lock()
        self._is_playing = False
        self._sent = 0
        self._parent = os.getppid()
        self._since = 0.0
        self.over: Callable[[], object] | None = None

    def begin(self) -> None:
        """Pass a stop on to this process from now on."""
        with self._sending:
            self._sent = 0
            self.over = None
            self._since = 0.0
            self._is_playing = True

    def end(self) -> None:
        """Pass nothing on any more."""
        with self._sending:
            self._is_playing = False

    def _warned(self) -> int:
        """Return as how many stops the launcher's warning counts by now."""
        if self.over is None:
            return 0
        self._since = self._since or time.monotonic()
        return _AT_ONCE if time.monotonic() - self._since > _GRACE_S else 1

    def look(self) -> None:
        """Look, for ever."""
        pause = threading.Event()
        while not pause.wait(_LOOK_EVERY_S):
            is_deserted = self._sweep.is_deserted()
            asked = _AT_ONCE if is_deserted else max(self._warned(), self._sweep.stops_asked())
            with self._sending:
                if not self._is_playing and os.getppid() != self._parent:
                    # it would wait for a next job from a process that was killed
                    os._exit(1)
                if self._is_playing and asked > self._sent:
                    self._sent += 1
                    os.kill(os.getpid(), signal.SIGINT)


@cache
def _heed_of(sweep: Path) -> _Heed:
    heed = _Heed(SweepFolder(sweep))
    threading.Thread(target=heed.look, name="valuesim-heeding", daemon=True).start()
    return heed


def _on_interrupt(handler: Any) -> None:
    # a launcher may play its jobs in another thread, which hears no signal
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, handler)
