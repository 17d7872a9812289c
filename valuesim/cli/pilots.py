"""What runs that were played before say of a plan: decisions by arm, and what calls took."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import orjson

from valuesim.errors import InputError
from valuesim.graph.arms import INTERVENTION, Populated, arm_in
from valuesim.graph.grouping import Group
from valuesim.log import decisions_once, find_runs, read_run
from valuesim.log.records import DecisionRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What one decision of a model took in a pilot, on average; tokens of everything it asked.

    `attempts` counts the question and its re-asks, `seconds` is how long one of these waited.
    """

    attempts: float
    prompt_tokens: float
    completion_tokens: float
    cached_tokens: float
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Pilot:
    """The decisions of finished episodes by arm: agent, model and interventions, in words."""

    arms: Mapping[str, Sequence[DecisionRecord]]

    def taken(self, kind: str | None = None, arms: Collection[str] | None = None) -> Taken | None:
        """Return what a decision took, in the cell `kind` (see `kind_of`) or in all.

        Of `arms` it is that of the episodes in which one of them decided (tokens are counted by
        episode); without, the mean of all. None where no model was asked there, or nobody counted
        its tokens.
        """
        played = {
            record.episode.id
            for name in (self.arms if arms is None else self.arms.keys() & set(arms))
            for record in self.arms[name]
            if kind is None or kind_of(record.episode.env, record.episode.condition) == kind
        }
        asked = [
            record
            for own in self.arms.values()
            for record in own
            if record.player.model is not None and record.episode.id in played
        ]
        episodes = {each.episode.id: each.episode for each in asked}.values()

        def each(name: str) -> float:
            return sum(episode.usage.get(name, 0) for episode in episodes) / len(asked)

        if not asked or not each("prompt_tokens"):
            return None
        return Taken(
            attempts=mean(record.attempts for record in asked),
            prompt_tokens=each("prompt_tokens"),
            completion_tokens=each("completion_tokens"),
            cached_tokens=each("cached_tokens"),
            seconds=mean(record.latency / record.attempts for record in asked),
        )


def read_pilot(paths: Sequence[Path]) -> Pilot:
    """Return the finished episodes in and below `paths`; raise InputError if there are none."""
    arms: dict[str, list[DecisionRecord]] = {}
    for record in decisions_once([read_run(path) for path in find_runs(paths)]).decisions:
        arms.setdefault(arm_name(record.episode, record.role), []).append(record)
    if not arms:
        raise InputError(f"--pilot {paths[0]} holds no finished episode: give a run that has some")
    return Pilot(arms=arms)


def arm_name(played: Populated, role: str) -> str:
    """Return the arm of `role` in words: its agent, its model and what was made on it."""
    player = played.population[role]
    labels = ("agent", player.agent), ("model", player.model_name)
    return str(Group((*labels, (INTERVENTION, arm_in(played, role)))))


def kind_of(env: str, condition: Mapping[str, Any]) -> str:
    """Return what names the environment and condition of an episode, whoever plays it."""
    return orjson.dumps([env, condition], option=orjson.OPT_SORT_KEYS).decode()
