"""Has `process` work out one question in a process of its own, and listens to it."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import orjson

import valuesim
from valuesim.errors import LogError

_LOOKS_S = 0.5
_KILLED = "this was not worked out to its end: nobody waited for it, or there was too little memory"
_BUG = "working this out failed: a bug; what it was stands where the viewer was started"

Told = dict[str, Any]


def worked_out(
    question: Mapping[str, Any], tell: Callable[[str, int], None], is_wanted: Callable[[], bool]
) -> tuple[Told, bytes]:
    """Return what the process says last, and the table that follows it.

    `tell` is told what is done and how much of it. Raises LogError where it ended without an
    answer: when nobody `is_wanted` any more, it had too little memory, or it failed, of which it
    then says on the error stream what it was.
    """
    worker = _started()
    atexit.register(worker.kill)
    ended = Event()
    Thread(target=_watch, args=(worker, is_wanted, ended), daemon=True).start()
    try:
        # a process that dies while it is asked says so by its end
        Thread(target=_ask, args=(worker, question), daemon=True).start()
        return _heard(worker, tell)
    finally:
        ended.set()
        worker.kill()
        worker.wait()
        assert worker.stdout is not None
        worker.stdout.close()
        atexit.unregister(worker.kill)


def _started() -> subprocess.Popen[bytes]:
    # -P: what lies in the folder that somebody else made is no module of ours
    command = [sys.executable, "-P", "-W", "ignore", "-m", "valuesim.replay.understanding.process"]
    home = str(Path(valuesim.__file__).parent.parent)
    path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path},
        # Ctrl-C is this process's to tell
        start_new_session=True,
    )


def _ask(worker: subprocess.Popen[bytes], question: Mapping[str, Any]) -> None:
    assert worker.stdin is not None
    with suppress(OSError), worker.stdin as pipe:
        pipe.write(orjson.dumps(question))


def _heard(worker: subprocess.Popen[bytes], tell: Callable[[str, int], None]) -> tuple[Told, bytes]:
    assert worker.stdout is not None
    for line in worker.stdout:
        told: Told = orjson.loads(line)
        if "done" not in told:
            return told, worker.stdout.read(told.get("table", 0))
        tell(told["done"], told["count"])
    # below 0 it was killed, by `_watch` or by the system
    raise LogError(_KILLED if worker.wait() < 0 else _BUG)


def _watch(worker: subprocess.Popen[bytes], is_wanted: Callable[[], bool], ended: Event) -> None:
    while not ended.wait(_LOOKS_S):
        if not is_wanted():
            worker.kill()
            return
