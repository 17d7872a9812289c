"""Writes a run folder: append-only, one writer at a time, resumable after any kind of stop."""

from __future__ import annotations

import fcntl
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml

from valuesim.episode import Aftermath, EpisodeSpec, Turn
from valuesim.errors import InputError, LogError
from valuesim.log import lines
from valuesim.log.files import (
    DECISION_KEYS,
    EPISODE_KEYS,
    INTERRUPTED_KEYS,
    TEXT_KEYS,
    AppendFile,
    check_regular,
    miscounted,
    read_lines,
)
from valuesim.log.reader import read_config
from valuesim.log.whole import unwritable

if TYPE_CHECKING:
    from valuesim.env import Environment

Clock = Callable[[], datetime]
Settle = Callable[[Mapping[str, Any] | None], Mapping[str, Any]]
CUT = "the run was stopped while this episode was played"

_logger = logging.getLogger(__name__)


def utc_now() -> datetime:
    """Return the present time; the clock of the outermost layer."""
    return datetime.now(UTC)


class RunWriter:
    """The one writer of a run folder; use it as a context manager.

    `finished` holds the ids of episodes that need no more play, `carried` what those of a chain
    carry on, by their id, role and intervention. A play that was cut off (its
    decisions stand in the log, its episode does not) is listed as interrupted on opening, so that
    every reader knows which decisions count. So is the play of a finished episode of which the disk
    lost decisions: it is not finished then, and a resume plays it again.
    """

    def __init__(
        self, folder: Path, clock: Clock = utc_now, *, settle: Settle | None = None
    ) -> None:
        """Open or create `folder`; raise LogError if it is corrupt or the disk is full.

        `settle` is called before any log file is touched and while no other run can write the
        folder: with what `run.yaml` says (None without one), to return what it shall say; whatever
        it raises refuses the folder. Raises InputError if `folder` is no place to write to, or
        another run writes it.
        """
        self.folder = folder
        self._clock = clock
        lock = folder / ".lock"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            check_regular(lock)
            self._lock = lock.open("w")
        except OSError as error:
            raise unwritable(folder, error) from error
        try:
            self._take_lock()
            if settle is not None:
                self.describe(settle(self._described()))
            self._open()
        except BaseException:
            self._lock.close()
            raise

    def _open(self) -> None:
        folder = self.folder
        self._decisions = AppendFile(folder / "decisions.jsonl")
        self._episodes = AppendFile(folder / "episodes.jsonl")
        self._interrupted = AppendFile(folder / "interrupted.jsonl")
        self._texts = AppendFile(folder / "texts.jsonl")
        texts = read_lines(self._texts.path, TEXT_KEYS)
        self._known_texts = {line["id"] for _, line in texts}
        ended = read_lines(self._episodes.path, EPISODE_KEYS)
        told: dict[str, int] = {}
        self.carried: dict[str, Mapping[str, Any]] = {}
        for _, line in ended:
            told[line["episode"]] = line["decisions"]
            if "carried" in line:
                self.carried[line["episode"]] = line["carried"]
        listed = read_lines(self._interrupted.path, INTERRUPTED_KEYS)
        void = {(line["episode"], line["play"]) for _, line in listed}
        self._plays: dict[str, int] = {}
        for episode, play in void:
            self._plays[episode] = max(self._plays.get(episode, 0), play + 1)
        read = self._read_decisions(void)
        self.finished = {
            id for id, count in told.items() if self._is_whole(id, read[id].total(), count)
        }
        for episode, plays in read.items():
            if episode not in self.finished:
                self._cut(episode, plays, lines.LOST if episode in told else CUT)

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

    def turn(self, episode: str, turn: Turn) -> None:
        """Append the decisions of one step, and the texts they name that are new."""
        texts = lines.texts_of(turn)
        new = {key: text for key, text in texts.items() if key not in self._known_texts}
        if new:
            self._texts.write([lines.text_line(text) for text in new.values()])
            self._known_texts |= set(new)
        play = self._plays.get(episode, 0)
        self._decisions.write(lines.decision_lines(episode, play, turn, self._now()))

    def finish(
        self,
        spec: EpisodeSpec,
        env: Environment,
        turns: list[Turn],
        left: Aftermath | None = None,
    ) -> None:
        """Append the line of a finished episode, with what it `left`, if anything."""
        left = left or Aftermath()
        self._episodes.write([lines.episode_line(spec, env, turns, left)])
        self.finished.add(spec.id)
        if left.carried:
            self.carried[spec.id] = left.carried

    def interrupt(
        self, spec: EpisodeSpec, reason: str, condition: Mapping[str, Any] | None = None
    ) -> None:
        """Append that the present play of an episode did not finish; the next one is a new play.

        `condition` is its environment's, None where that could not be built.
        """
        play = self._plays.get(spec.id, 0)
        line = lines.interrupted_line(spec, condition, play, reason, self._now())
        self._interrupted.write([line])
        self._plays[spec.id] = play + 1

    def close(self) -> None:
        """Close all files and let the next writer in."""
        for file in (self._decisions, self._episodes, self._interrupted, self._texts):
            file.close()
        self._lock.close()

    def _take_lock(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(
                f"{self.folder} is being written by another run; wait for it or choose another name"
            ) from error

    def _read_decisions(self, void: Collection[tuple[str, int]]) -> dict[str, Counter[int]]:
        """Return, per episode, the number of decisions of each play that is not void."""
        read: defaultdict[str, Counter[int]] = defaultdict(Counter)
        for _, line in read_lines(self._decisions.path, DECISION_KEYS):
            if (line["episode"], line["play"]) not in void:
                read[line["episode"]][line["play"]] += 1
        return read

    def _is_whole(self, episode: str, read: int, told: int) -> bool:
        """Return whether a finished episode has its decisions; raise LogError if it has more."""
        if read > told:
            raise LogError(miscounted(self._decisions.path, episode, read, told))
        if read < told:
            path = self._decisions.path
            _logger.warning(
                "%s: %s; it is played again", path, miscounted(path, episode, read, told)
            )
        return read == told

    def _cut(self, episode: str, plays: Iterable[int], reason: str) -> None:
        for play in sorted(plays):
            line = {"schema": lines.SCHEMA, "episode": episode, "play": play, "reason": reason}
            self._interrupted.write([line | {"time": {"at": self._now()}}])
            self._plays[episode] = max(self._plays.get(episode, 0), play + 1)

    def _now(self) -> str:
        return self._clock().isoformat(timespec="milliseconds")
