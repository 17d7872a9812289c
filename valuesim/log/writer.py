"""Writes a run folder: append-only, one writer at a time, resumable after any kind of stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import yaml

from valuesim.log import lines
from valuesim.log.appending import Clock, LogWriter, utc_now
from valuesim.log.files import check_regular
from valuesim.log.lock import locked
from valuesim.log.reader import read_config
from valuesim.log.segments import log_folders, released
from valuesim.log.standing import Standing
from valuesim.log.whole import unwritable

__all__ = ["CUT", "RunWriter", "utc_now"]

Settle = Callable[[Mapping[str, Any] | None], Mapping[str, Any]]
CUT = "the run was stopped while this episode was played"


class RunWriter(LogWriter):
    """The one writer of a run folder; use it as a context manager.

    What it knows of the run is that of all its segments. A play that was cut off (its
    decisions stand in the log, its episode does not) is listed as interrupted on opening, so that
    every reader knows which decisions count. So is the play of a finished episode of which the disk
    lost decisions: it is not finished then, and a resume plays it again.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock = utc_now,
        *,
        settle: Settle | None = None,
        patience_s: float = 15.0,
    ) -> None:
        """Open or create `folder`; raise LogError if it is corrupt or the disk is full.

        `settle` is called before any log file is touched and while no other run can write the
        folder: with what `run.yaml` says (None without one), to return what it shall say; whatever
        it raises refuses the folder. Workers of a run that was killed, which end by themselves, are
        waited for `patience_s` seconds. Raises InputError if `folder` is no place to write to, or
        another run or one of its workers writes it.
        """
        self.folder = folder
        self._lock = locked(folder)
        try:
            if settle is not None:
                self.describe(settle(self._described()))
            released(folder, patience_s)
            super().__init__(folder, clock)
            self._look()
        except BaseException:
            self._lock.close()
            raise

    def _look(self) -> None:
        """Take in what the log holds, and list the plays that were cut off."""
        standing = Standing(log_folders(self.folder))
        self.finished, self.carried = standing.finished, standing.carried
        self._plays = standing.plays
        for episode, plays, is_lost in standing.cut:
            for play in plays:
                self._cut(episode, play, lines.LOST if is_lost else CUT)

    def _described(self) -> Mapping[str, Any] | None:
        return read_config(self.folder) if (self.folder / "run.yaml").exists() else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def describe(self, config: Mapping[str, Any]) -> None:
        """Write `run.yaml`, whole or not at all."""
        draft = self.folder / "run.yaml.part"
        check_regular(draft)
        try:
            written = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)
            draft.write_text(written, encoding="utf-8")
            draft.replace(self.folder / "run.yaml")
        except OSError as error:
            raise unwritable(self.folder / "run.yaml", error) from error

    def close(self) -> None:
        """Close all files and let the next writer in."""
        super().close()
        self._lock.close()

    def _cut(self, episode: str, play: int, reason: str) -> None:
        line = {"schema": lines.SCHEMA, "episode": episode, "play": play, "reason": reason}
        self._interrupted.write([line | {"time": {"at": self._now()}}])
        self._plays[episode] = max(self._plays.get(episode, 0), play + 1)
