"""The parts of a run's log: its own files, and a folder for each worker that wrote some."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from valuesim.errors import InputError
from valuesim.log.appending import Clock, LogWriter, utc_now
from valuesim.log.files import DECISION_KEYS, EPISODE_KEYS, INTERRUPTED_KEYS, mend, read_lines
from valuesim.log.lock import locked

SEGMENTS = "segments"
"""The folder, in a run folder, that holds a folder of log files for each worker."""
FILES = ("decisions.jsonl", "episodes.jsonl", "interrupted.jsonl", "texts.jsonl")


def log_folders(run: Path) -> list[Path]:
    """Return the folders that hold log files of `run`: itself, then its segments by name."""
    below = run / SEGMENTS
    return (
        [run, *(sorted(each for each in below.iterdir() if each.is_dir()))]
        if below.is_dir()
        else [run]
    )


def released(run: Path, patience_s: float) -> None:
    """Wait until no worker writes a segment of `run`, then mend what a kill left torn.

    Raises InputError where one is still written after `patience_s` seconds.
    """
    for folder in log_folders(run)[1:]:
        try:
            lock = locked(folder, patience_s=patience_s)
        except InputError as error:
            raise InputError(
                f"{folder} is still being written by a worker of this run's last session: wait "
                "until it has ended, or end it"
            ) from error
        with lock:
            for name in FILES:
                mend(folder / name)


class SegmentWriter(LogWriter):
    """The one writer of a segment: what episodes it plays, and which play of each, it is told."""

    def __init__(self, folder: Path, clock: Clock = utc_now, *, patience_s: float = 15.0) -> None:
        """Open or make `folder`; raise as `RunWriter` does where another writes it."""
        self._lock = locked(folder, patience_s=patience_s)
        try:
            super().__init__(folder, clock)
        except BaseException:
            self._lock.close()
            raise

    def take(self, episode: str, *, place: int, play: int) -> None:
        """Take an episode that is to be played: its place in the plan, and which play it is."""
        self.places[episode] = place
        self._plays[episode] = play

    def forget(self, episode: str) -> None:
        """Keep nothing in memory of an episode that is played."""
        self.places.pop(episode, None)
        self._plays.pop(episode, None)
        self.finished.discard(episode)
        self.carried.pop(episode, None)

    def close(self) -> None:
        """Close all files and let the next writer in."""
        super().close()
        self._lock.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class Left:
    """What a worker that is no more left of some episodes in its segment.

    `lines` are those of finished episodes by id, `made` counts the decisions of each play (episode,
    play), and `void` are the plays that are listed as interrupted.
    """

    lines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    made: Mapping[tuple[str, int], int] = field(default_factory=dict)
    void: frozenset[tuple[str, int]] = frozenset()

    def ended(self, episode: str, play: int) -> Mapping[str, Any] | None:
        """Return the line of an episode that was finished in `play`; None where it was not."""
        line = self.lines.get(episode)
        is_whole = line is not None and self.made.get((episode, play), 0) == line["decisions"]
        return line if is_whole and (episode, play) not in self.void else None

    def has_begun(self, episode: str, play: int) -> bool:
        """Return whether decisions of a play stand in the log that it does not list as void."""
        return (episode, play) in self.made and (episode, play) not in self.void

    def next_play(self, episode: str) -> int:
        """Return the play that follows on those that are listed as interrupted; 0 without any."""
        return max((play + 1 for id, play in self.void if id == episode), default=0)


def left_in(folder: Path, episodes: Collection[str], *, patience_s: float) -> Left | None:
    """Return what is left of `episodes` in a segment, mended; None while it is being written.

    Raises LogError for a corrupt line.
    """
    try:
        lock = locked(folder, patience_s=patience_s)
    except InputError:
        return None
    with lock:
        for name in FILES:
            mend(folder / name)
        ended = read_lines(folder / "episodes.jsonl", EPISODE_KEYS)
        made = read_lines(folder / "decisions.jsonl", DECISION_KEYS)
        listed = read_lines(folder / "interrupted.jsonl", INTERRUPTED_KEYS)
        return Left(
            lines={line["episode"]: line for _, line in ended if line["episode"] in episodes},
            made=Counter(
                (line["episode"], line["play"]) for _, line in made if line["episode"] in episodes
            ),
            void=frozenset(
                (line["episode"], line["play"]) for _, line in listed if line["episode"] in episodes
            ),
        )
