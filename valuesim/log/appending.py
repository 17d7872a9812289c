"""Appends what happens in episodes to the four log files of one folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from valuesim.episode import Aftermath, EpisodeSpec, Turn
from valuesim.log import lines
from valuesim.log.files import INHERITED, TEXT_KEYS, AppendFile, read_lines
from valuesim.log.whole import whole

if TYPE_CHECKING:
    from valuesim.env import Environment

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the present time; the clock of the outermost layer."""
    return datetime.now(UTC)


class LogWriter:
    """Appends to the log files of `folder`, which its maker has locked.

    `finished` holds the ids of episodes that need no more play, `carried` what those of a chain
    carry on, by their id, role and intervention, `places` the place in the plan of each episode, by
    its id (those without one have none in the log).
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        """Open or make the four files, cutting last lines that a kill left without a newline.

        Raises LogError for a line of `texts.jsonl` that is none, and as `AppendFile` does.
        """
        self.folder = folder
        self.finished: set[str] = set()
        self.carried: dict[str, Mapping[str, Any]] = {}
        self.places: dict[str, int] = {}
        self._clock = clock
        self._plays: dict[str, int] = {}
        self._decisions = AppendFile(folder / "decisions.jsonl")
        self._episodes = AppendFile(folder / "episodes.jsonl")
        self._interrupted = AppendFile(folder / "interrupted.jsonl")
        self._texts = AppendFile(folder / "texts.jsonl")
        texts = read_lines(self._texts.path, TEXT_KEYS)
        self._known_texts = {line["id"] for _, line in texts}

    def play(self, episode: str) -> int:
        """Return which play of an episode the present one is, or the next would be; from 0."""
        return self._plays.get(episode, 0)

    def raise_play(self, episode: str, least: int) -> None:
        """Let the present play of an episode be `least` or more: others were listed elsewhere."""
        self._plays[episode] = max(self.play(episode), least)

    def turn(self, episode: str, turn: Turn) -> None:
        """Append the decisions of one step, and the texts they name that are new."""
        self._keep_texts(turn)
        play = self.play(episode)
        self._decisions.write(lines.decision_lines(episode, play, turn, self._now()))

    def inherit(self, episode: str, turns: Sequence[Turn]) -> None:
        """Keep in `inherited.jsonl` the decisions of `turns`, which the episode has of its parent.

        The file is written whole, or stays as it was; it holds those of all steps so far.
        """
        for turn in turns:
            self._keep_texts(turn)
        play, at = self.play(episode), self._now()
        found = [line for turn in turns for line in lines.decision_lines(episode, play, turn, at)]
        with whole(self.folder / INHERITED) as draft:
            draft.write_bytes(b"".join(map(lines.encode, found)))

    def finish(
        self,
        spec: EpisodeSpec,
        env: Environment,
        turns: list[Turn],
        left: Aftermath | None = None,
    ) -> None:
        """Append the line of a finished episode, with what it `left`, if anything."""
        left = left or Aftermath()
        place = self.places.get(spec.id)
        self._episodes.write([lines.episode_line(spec, env, turns, left, place)])
        self.finished.add(spec.id)
        if left.carried:
            self.carried[spec.id] = left.carried

    def interrupt(
        self, spec: EpisodeSpec, reason: str, condition: Mapping[str, Any] | None = None
    ) -> None:
        """Append that the present play of an episode did not finish; the next one is a new play.

        `condition` is its environment's, None where that could not be built.
        """
        play = self.play(spec.id)
        line = lines.interrupted_line(spec, condition, play, reason, self._now())
        self._interrupted.write([line])
        self._plays[spec.id] = play + 1

    def close(self) -> None:
        """Close all files."""
        for file in (self._decisions, self._episodes, self._interrupted, self._texts):
            file.close()

    def _keep_texts(self, turn: Turn) -> None:
        texts = lines.texts_of(turn)
        new = {key: text for key, text in texts.items() if key not in self._known_texts}
        if new:
            self._texts.write([lines.text_line(text) for text in new.values()])
            self._known_texts |= set(new)

    def _now(self) -> str:
        return self._clock().isoformat(timespec="milliseconds")
