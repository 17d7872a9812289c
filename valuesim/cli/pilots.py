"""What runs that were played before say of a plan: decisions by arm, and what calls took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import orjson

from valuesim.errors import InputError
from valuesim.graph.grouping import group_of
from valuesim.log import decisions_once, find_runs, read_run
from valuesim.log.records import DecisionRecord

_ARM = ("agent", "model", "intervention")


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

    def taken(self, kind: str | None = None) -> Taken | None:
        """Return what a decision took, in the cell `kind` (see `kind_of`) or in all.

        None where no model was asked there, or nobody counted its tokens.
        """
        asked = [
            record
            for own in self.arms.values()
            for record in own
            if record.player.model is not None
            and (kind is None or kind_of(record.episode.env, record.episode.condition) == kind)
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
        name = str(group_of(record.episode, record.role, _ARM))
        arms.setdefault(name, []).append(record)
    if not arms:
        raise InputError(f"--pilot {paths[0]} holds no finished episode: give a run that has some")
    return Pilot(arms=arms)


def kind_of(env: str, condition: Mapping[str, Any]) -> str:
    """Return what names the environment and condition of an episode, whoever plays it."""
    return orjson.dumps([env, condition], option=orjson.OPT_SORT_KEYS).decode()
