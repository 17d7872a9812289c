"""Risky options, and which decisions are held out: what a predictive check predicts, and where.

An option is risky if its environment tags it so: "transgression" and "approach" in survival, "risk"
in dilemmas (an option that shows a risky behaviour). Defection in a game is not risk. No value is
held to be safe or risky.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from valuesim.choices import cluster_of, scene_of
from valuesim.errors import InputError, unknown
from valuesim.graph.grouping import family_of, label, settings
from valuesim.log.reader import DecisionRecord
from valuesim.option import Option

RISKY = frozenset({"transgression", "approach", "risk"})
"""Tags of risky options."""

SCENE = "scene"
_KEYS = frozenset({SCENE, "env", "family"})


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldOut:
    """What is held out: all decisions at `levels` of `key`, or each level in turn if none is named.

    A key is "env", "family", "scene" (random halves of the scenes or episodes), a factor of the
    condition or of how a model was asked, or an annotation such as "topic".
    """

    key: str
    levels: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> HoldOut:
        """Return what KEY or KEY=LEVEL,... says; raise InputError if it says neither."""
        key, equals, listed = text.partition("=")
        levels = tuple(level.strip() for level in listed.split(",")) if equals else ()
        if not key.strip() or not all(levels):
            raise InputError(f"--hold-out {text!r} is none: write KEY or KEY=LEVEL,...")
        if key.strip() == SCENE and levels:
            raise InputError(f"--hold-out {text!r} is not allowed: scenes are halved by the seed")
        return cls(key=key.strip(), levels=levels)


def is_risky(option: Option) -> bool:
    """Return whether the option is tagged as risky."""
    return bool(option.tags & RISKY)


def offers_risk(record: DecisionRecord) -> bool:
    """Return whether a risky option and one that is not are on offer."""
    risky = [is_risky(option) for option in record.options]
    return any(risky) and not all(risky)


def folds(
    records: Sequence[DecisionRecord], hold_out: HoldOut, seed: int
) -> dict[str, frozenset[str]]:
    """Return the levels held out together, by the name of the fold.

    Raises InputError for a key that no decision has, for a level that there is not, and where
    nothing would be left to learn from.
    """
    levels = sorted({level for r in records if (level := level_of(r, hold_out, seed)) is not None})
    if records and not levels:
        allowed = _KEYS | {name for r in records for name in (*settings(r.episode), *r.annotations)}
        raise InputError(unknown("key to hold out", hold_out.key, allowed))
    for level in hold_out.levels:
        if level not in levels:
            raise InputError(unknown(f"level of {hold_out.key}", level, levels))
    if hold_out.levels:
        return {", ".join(hold_out.levels): frozenset(hold_out.levels)}
    return {level: frozenset({level}) for level in levels}


def level_of(record: DecisionRecord, hold_out: HoldOut, seed: int) -> str | None:
    """Return the level of `hold_out.key` that the decision was made at; None if it has none."""
    key, episode = hold_out.key, record.episode
    if key == SCENE:
        return _half(scene_of(record) or cluster_of(record), seed)
    if key == "env":
        named = episode.env in hold_out.levels
        return episode.env if named else episode.env.rpartition("-v")[0] or episode.env
    if key == "family":
        return family_of(episode.env)
    found = settings(episode).get(key)
    if found is None:
        found = label(record.annotations.get(key))
    return None if found is None else str(found)


def _half(cluster: str, seed: int) -> str:
    # drawn for each scene by its name, so that all agents have the same scenes held out
    key = [seed, *cluster.encode()]
    return "half 1" if np.random.default_rng(key).random() < 0.5 else "half 2"


def own_choices(records: Iterable[DecisionRecord]) -> list[DecisionRecord]:
    """Return `records` without what an agent says that others would do."""
    return [r for r in records if r.episode.condition.get("perspective", "act") == "act"]
