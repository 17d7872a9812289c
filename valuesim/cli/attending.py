"""Attends to a sweep whose jobs play in other processes: tells what ends, passes a stop on."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from valuesim.cli.job import RUNNING, WAITING
from valuesim.cli.sweep_folder import SweepFolder
from valuesim.cli.sweep_job import SweepJob, line_of

_LOOK_EVERY_S = 0.3
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_STOPPING = {
    1: "stopping: no job begins any more, and episodes under way are played to the end; press "
    "Ctrl-C again to stop now",
    2: "stopping: episodes under way are ended; press Ctrl-C again to leave without waiting",
}


def attend(work: Callable[[], None], task: SweepJob) -> None:
    """Do `work`, which hands jobs to a launcher, and tell on the error stream each that ends.

    It is done in a thread, which Ctrl-C does not reach, nor the processes that it starts: the first
    lets the episodes under way be played to their end, the second ends them, the third raises
    KeyboardInterrupt here. Raises what `work` raises.
    """
    raised: list[BaseException] = []
    worker = threading.Thread(target=_undisturbed, args=(work, raised), daemon=True)
    news = _news(task)
    with _stops_passed_on(SweepFolder(task.folder)):
        worker.start()
        while worker.is_alive():
            worker.join(_LOOK_EVERY_S)
            for line in next(news):
                print(line, file=sys.stderr)
    if raised:
        raise raised[0]


def _undisturbed(work: Callable[[], None], raised: list[BaseException]) -> None:
    # what this thread starts inherits that Ctrl-C is blocked
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        work()
    except BaseException as error:  # noqa: BLE001 (the thread that waits for this one raises it)
        raised.append(error)


def _news(task: SweepJob) -> Iterator[list[str]]:
    """Yield, each time it is asked, the lines of jobs that have ended since it was."""
    sweep = SweepFolder(task.folder)
    told: set[str] = set()
    while True:
        lines = []
        for name in sweep.changed():
            record = sweep.record(name)
            if record is None or record.session != task.session or name in told:
                continue
            if record.status not in (RUNNING, WAITING):
                told.add(name)
                lines.append(line_of(record, task.before + len(told), task.total))
        yield lines


@contextmanager
def _stops_passed_on(sweep: SweepFolder) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = 0

    def on_signal(*_: object) -> None:
        nonlocal asked
        asked += 1
        if asked not in _STOPPING:
            raise KeyboardInterrupt
        sweep.ask_stop(asked)
        print(_STOPPING[asked], file=sys.stderr)

    before = {number: signal.signal(number, on_signal) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
