"""The folder of a sweep: who writes it, where each job is played, what became of the jobs.

Beside the run folders of its jobs it has a hidden folder: `lock` (held while a sweep is under way,
and let go by the system if that is killed), `stop` (there once the sweep was told to stop), a
record of each job and what jobs in other processes told. Only these files are shared between the
processes of a sweep, which may be on several machines that share the disk.
"""

from __future__ import annotations

import fcntl
import socket
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import orjson

from valuesim.cli.job import Job, JobRecord, key_of
from valuesim.errors import InputError, LogError
from valuesim.log.files import check_regular
from valuesim.log.reader import read_config
from valuesim.log.whole import unwritable, whole

HIDDEN = ".jobs"
_GRACE_S = 3.0
_POLL_S = 0.2


class SweepFolder:
    """The folder of a sweep, `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.hidden = path / HIDDEN
        self._seen: dict[Path, int] = {}

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder for the block, as the one sweep that writes it.

        Raises InputError if another sweep does, or if it is no place to write to.
        """
        try:
            self.hidden.mkdir(parents=True, exist_ok=True)
            check_regular(self._lock)
            held = self._lock.open("a+")
        except OSError as error:
            raise unwritable(self.path, error) from error
        with held:
            self._take(held)
            self._stop.unlink(missing_ok=True)
            held.truncate(0)
            held.write(socket.gethostname())
            held.flush()
            yield

    def is_deserted(self) -> bool:
        """Return whether no sweep holds the folder any more, as far as this machine can tell."""
        try:
            with self._lock.open() as lock:
                if lock.read() != socket.gethostname():
                    return False
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            # held, or gone together with the folder: then nothing is left to be told
            return not self._lock.exists()
        return True

    def ask_stop(self, times: int) -> None:
        """Tell jobs in other processes that the sweep was told to stop, for the `times`-th time."""
        self._stop.write_text(str(times))

    def stops_asked(self) -> int:
        """Return how often the sweep was told to stop."""
        with suppress(OSError, ValueError):
            return int(self._stop.read_text())
        return 0

    def place_of(self, job: Job, swept: Collection[str]) -> Path:
        """Return the run folder of `job`: the one that holds its run already, or a new one.

        A job is found by what it is, whatever its folder's name says, also in a folder that an
        earlier version named by a number.
        """
        for known in sorted(self.path.glob(f"*_{job.key}")):
            if known.is_dir():
                return known
        for numbered in sorted(self.path.glob("[0-9]*")):
            if numbered.name.isdecimal() and _holds(numbered, job.key, swept):
                return numbered
        return self.path / job.name

    def record(self, name: str) -> JobRecord | None:
        """Return the record of the job `name`; None without one that can be read."""
        path = self._record(name)
        try:
            check_regular(path)
            return JobRecord.of(orjson.loads(path.read_bytes()))
        except (OSError, LogError, KeyError, TypeError, ValueError):
            # it is no evidence: the run folder is, and the next session writes it anew
            return None

    def keep(self, record: JobRecord) -> None:
        """Write `record`, whole or not at all."""
        with whole(self._record(record.name)) as draft:
            draft.write_bytes(orjson.dumps(record.as_json(), option=orjson.OPT_SORT_KEYS) + b"\n")

    def records(self) -> dict[str, JobRecord]:
        """Return every record that can be read, by name."""
        names = [path.stem for path in self._record_files()]
        return {name: found for name in names if (found := self.record(name)) is not None}

    def changed(self) -> list[str]:
        """Return the names of records that were written since this was last asked."""
        names = []
        for path in self._record_files():
            with suppress(OSError):
                written = path.stat().st_mtime_ns
                if self._seen.get(path) != written:
                    self._seen[path] = written
                    names.append(path.stem)
        return names

    def log_of(self, name: str) -> Path:
        """Return the file for what the job `name` tells while it plays in another process."""
        return self.hidden / f"{name}.log"

    @property
    def _lock(self) -> Path:
        return self.hidden / "lock"

    @property
    def _stop(self) -> Path:
        return self.hidden / "stop"

    def _record_files(self) -> list[Path]:
        drafts = ".part.json"
        return sorted(p for p in self.hidden.glob("*.json") if not p.name.endswith(drafts))

    def _record(self, name: str) -> Path:
        return self.hidden / f"{name}.json"

    def _take(self, held: IO[str]) -> None:
        # jobs of a sweep that was killed look at the lock for a moment
        deadline = time.monotonic() + _GRACE_S
        while True:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    told = f"{self.path} is being written by another sweep: wait for it or choose"
                    raise InputError(f"{told} another run.name") from error
                time.sleep(_POLL_S)


def wait_for_writer(folder: Path, go_on: Callable[[], bool]) -> bool:
    """Wait until no process writes the run `folder`, or `go_on` says no; return whether none does.

    One may still write it that belongs to a sweep which was killed.
    """
    lock = folder / ".lock"
    while lock.exists():
        try:
            check_regular(lock)
            with lock.open("a") as tried:
                fcntl.flock(tried, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
        except BlockingIOError:
            if not go_on():
                return False
            time.sleep(_POLL_S)
    return True


def _holds(folder: Path, key: str, swept: Collection[str]) -> bool:
    """Return whether `folder` holds the run that `key` names; what cannot be read does not."""
    try:
        stored = read_config(folder).get("config")
    except (LogError, OSError):
        return False
    return isinstance(stored, dict) and key_of(stored, swept) == key
