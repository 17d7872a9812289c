"""Writes a run folder: append-only, one writer at a time, resumable after any kind of stop."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import yaml

from valuesim.env import Environment
from valuesim.episode import EpisodeSpec, Turn
from valuesim.errors import InputError, LogError
from valuesim.log import lines
from valuesim.log.files import AppendFile, read_lines

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the present time; the clock of the outermost layer."""
    return datetime.now(UTC)


class RunWriter:
    """The one writer of a run folder; use it as a context manager.

    `finished` holds the ids of episodes that need no more play. A play that was cut off (its
    decisions stand in the log, its episode does not) is listed as interrupted on opening, so that
    every reader knows which decisions count.
    """

    def __init__(self, folder: Path, clock: Clock = utc_now) -> None:
        """Open or create `folder`; raise LogError if it cannot be, or if another run writes it."""
        self.folder = folder
        self._clock = clock
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = (folder / ".lock").open("w")
        except OSError as error:
            raise LogError(f"{folder} cannot be written: {error.strerror}") from error
        try:
            self._take_lock()
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
        self._known_texts = {line["id"] for _, line in read_lines(self._texts.path, ("id",))}
        ended = read_lines(self._episodes.path, ("episode",))
        self.finished = {line["episode"] for _, line in ended}
        self._plays = self._count_plays()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def describe(self, config: Mapping[str, Any]) -> None:
        """Write `run.yaml`, whole or not at all."""
        draft = self.folder / "run.yaml.part"
        try:
            written = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)
            draft.write_text(written, encoding="utf-8")
            draft.replace(self.folder / "run.yaml")
        except OSError as error:
            raise LogError(f"{self.folder} cannot be written: {error.strerror}") from error

    def turn(self, episode: str, turn: Turn) -> None:
        """Append the decisions of one step, and the rules text when it is new."""
        rules = {lines.text_id(seen.rules): seen.rules for seen in turn.observations.values()}
        new = {key: text for key, text in rules.items() if key not in self._known_texts}
        if new:
            self._texts.write([lines.text_line(text) for text in new.values()])
            self._known_texts |= set(new)
        play = self._plays.get(episode, 0)
        self._decisions.write(lines.decision_lines(episode, play, turn, self._now()))

    def finish(self, spec: EpisodeSpec, env: Environment, turns: list[Turn]) -> None:
        """Append the line of a finished episode."""
        self._episodes.write([lines.episode_line(spec, env, turns)])
        self.finished.add(spec.id)

    def interrupt(self, spec: EpisodeSpec, reason: str) -> None:
        """Append that the present play of an episode did not finish; the next one is a new play."""
        play = self._plays.get(spec.id, 0)
        self._interrupted.write([lines.interrupted_line(spec, play, reason, self._now())])
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

    def _count_plays(self) -> dict[str, int]:
        """Return, per unfinished episode, the number of its next play."""
        plays = {
            line["episode"]: int(line["play"]) + 1
            for _, line in read_lines(self._interrupted.path, ("episode", "play"))
        }
        cut: dict[str, int] = {}
        for _, line in read_lines(self._decisions.path, ("episode", "play")):
            episode, play = line["episode"], int(line["play"])
            if episode not in self.finished and play >= plays.get(episode, 0):
                cut[episode] = play
        for episode, play in cut.items():
            self._interrupted.write([self._cut_line(episode, play)])
            plays[episode] = play + 1
        return plays

    def _cut_line(self, episode: str, play: int) -> lines.Line:
        return {
            "schema": lines.SCHEMA,
            "episode": episode,
            "play": play,
            "reason": "the run was stopped while this episode was played",
            "time": {"at": self._now()},
        }

    def _now(self) -> str:
        return self._clock().isoformat(timespec="milliseconds")
