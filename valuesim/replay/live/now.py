"""The runs that are being played, and how far each is; one `Progress` a run, whoever asks."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Thread
from typing import Any

from valuesim.errors import ValueSimError
from valuesim.log.segments import log_folders
from valuesim.replay.indexing.naming import NotThereError, NotYetError, check_confined
from valuesim.replay.indexing.played import Played
from valuesim.replay.indexing.progress import CUT, ENDED, MADE, Progress
from valuesim.replay.indexing.shelf import Shelf, Shelved
from valuesim.replay.live.opening import step_of, unfinished
from valuesim.replay.live.sources import Source, Sources
from valuesim.replay.watching.moments import opened, steps, told

RECENT_S = 300.0
"""A run whose log did not grow for so long is not being played."""
_MOST_EPISODES = 200
_MOST_RUNS = 64
_SMALL = 64_000_000


class Lives:
    """What is known of the runs of a shelf that are being played.

    `clock` returns seconds since 1970. A log of more than 64 MB is read beside whoever asks first.
    """

    def __init__(self, shelf: Shelf, clock: Callable[[], float] = time.time) -> None:
        """Begin with nothing read."""
        self.shelf = shelf
        self.clock = clock
        self._lock = Lock()
        self._known: dict[str, tuple[Shelved, Progress, Sources]] = {}
        self._being_read: set[str] = set()

    def progress(self, run: str) -> Progress:
        """Return the progress of a run by its id, read up to now.

        Raises NotThereError without a run, LogError where a part of it leads out of what is shown.
        """
        shelved, progress, _ = self._of(run)
        check_confined(shelved.place, self.shelf.root)
        progress.look()
        return progress

    def source(self, run: str, episode: str) -> Source:
        """Return what is known of an episode that is not finished."""
        return self._of(run)[2].of(self.shelf, episode)

    def last(self, run: str) -> float | None:
        """Return how many seconds ago the log of a run grew, None where it has none."""
        changed = _changed(self._of(run)[0])
        return None if changed is None else max(0.0, self.clock() - changed)

    def is_live(self, run: str) -> bool:
        """Return whether the log of a run grew in the last minutes."""
        last = self.last(run)
        return last is not None and last <= RECENT_S

    def told(self, run: str, episode: str) -> dict[str, Any]:
        """Return an episode as the page gets it, finished or not.

        Raises NotThereError where there is none, NotYetError while its run is being read, LogError
        where its lines cannot be read.
        """
        try:
            return told(opened(self.shelf, run, episode, is_light=True))
        except NotThereError as missing:
            # it may have been begun since somebody looked
            self.shelf.keep_up()
            if isinstance(missing, NotYetError) and self._is_read_beside(run):
                raise
            try:
                shelved, played, progress = self._played(run, episode)
            except NotThereError:
                # it says why, where the run cannot be read
                raise missing from None
            answer = unfinished(shelved, progress, played, self.source(run, episode))
            if answer.get("live") and not self.is_live(run):
                return answer | {"live": False, "interrupted": _SILENT}
            return answer

    def step(self, run: str, episode: str, step: int) -> dict[str, Any]:
        """Return one step of an episode, its moments whole; raise as `told` does."""
        try:
            found = steps(opened(self.shelf, run, episode, step=step))
        except NotThereError:
            shelved, played, progress = self._played(run, episode)
            found = step_of(shelved, progress, played, self.source(run, episode), step)
        if not found:
            raise NotThereError(f"nobody decided at step {step} of episode {episode!r:.60}")
        return {"schema": 1, **found[0]}

    def listed(self) -> dict[str, Any]:
        """Return the runs that are being played, those whose log grew last coming first."""
        found = [
            row
            for run, shelved in list(self.shelf.runs.items())
            if (changed := _changed(shelved)) is not None
            and self.clock() - changed <= RECENT_S
            and (row := self._row(run)) is not None
        ]
        return {"schema": 1, "runs": sorted(found, key=lambda row: float(row["last"]))}

    def _row(self, run: str) -> dict[str, Any] | None:
        """Return how far a run is; None where nothing is open, or it is read beside this."""
        if self._is_read_beside(run):
            return None
        shelved, progress, sources = self._of(run)
        try:
            self.progress(run)
        except (ValueSimError, OSError):
            return None
        with progress.lock:
            newest = list(progress.open.values())[-_MOST_EPISODES:]
            counts = {"open": len(progress.open), "finished": len(progress.finished)}
            rate = progress.rate(self.clock())
        if not newest:
            return None
        # who plays may be long in being found, and the log is read on meanwhile
        return counts | {
            "run": run,
            "run_name": shelved.place.name,
            "episodes_open": [self._episode(run, each) for each in reversed(newest)],
            "planned": sources.planned,
            "rate": round(rate, 3),
            "last": round(self.last(run) or 0.0, 1),
        }

    def _episode(self, run: str, played: Played) -> dict[str, Any]:
        source = self.source(run, played.episode)
        players = source.population.values()
        return {
            "episode": played.episode,
            "env": source.env,
            "agents": sorted({player.model_name or player.agent for player in players}),
            "step": played.steps[-1],
            "decisions": len(played.places),
            "faults": played.faults,
        }

    def _played(self, run: str, episode: str) -> tuple[Shelved, Played, Progress]:
        progress = self.progress(run)
        shelved = self._of(run)[0]
        played = progress.played(episode)
        if played is None:
            raise NotThereError(f"no episode {episode!r:.60} in {shelved.place.name}")
        return shelved, played, progress

    def _of(self, run: str) -> tuple[Shelved, Progress, Sources]:
        shelved = self.shelf.run(run)
        with self._lock:
            if run not in self._known:
                while len(self._known) >= _MOST_RUNS:
                    del self._known[next(iter(self._known))]
                place = shelved.place.path
                self._known[run] = shelved, Progress(place), Sources(place)
            _, progress, sources = self._known[run]
        return shelved, progress, sources

    def _is_read_beside(self, run: str) -> bool:
        """Return whether the log of a run is long and was not read yet: it is read beside this."""
        shelved, progress, _ = self._of(run)
        if not progress.is_unread or _size(shelved) <= _SMALL:
            return False
        self._read_beside(run)
        return True

    def _read_beside(self, run: str) -> None:
        with self._lock:
            if run in self._being_read:
                return
            self._being_read.add(run)

        def read() -> None:
            try:
                with suppress(ValueSimError, OSError):
                    self.progress(run)
            finally:
                self._being_read.discard(run)

        Thread(target=read, name="live", daemon=True).start()


_SILENT = "nothing was written for more than five minutes: the run was stopped, or waits"


def _changed(run: Shelved) -> float | None:
    """Return when the log of a run last changed, in seconds since 1970."""
    found = []
    with suppress(OSError):
        for folder in log_folders(run.place.path):
            for name in (MADE, ENDED, CUT):
                with suppress(OSError):
                    found.append((folder / name).lstat().st_mtime)
    return max(found, default=None)


def _size(run: Shelved) -> int:
    with suppress(OSError):
        return sum((folder / MADE).stat().st_size for folder in log_folders(run.place.path))
    return 0
