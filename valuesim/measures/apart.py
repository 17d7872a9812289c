"""Decisions that were asked in ways that are never pooled: one set of panels for each way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from valuesim.log.reader import DecisionRecord
from valuesim.measures.panel import Measure, Panel

PERSPECTIVE = "perspective"
_PERSPECTIVES = {"act": "for oneself", "predict": "predicted for people"}


def apart(
    records: Sequence[DecisionRecord], factors: Sequence[str], measure: Measure, *, seed: int
) -> tuple[Panel, ...]:
    """Return the panels that `measure` makes of `records`, apart for each level of `factors`.

    `factors` are names in an episode's condition; where it names no perspective, that is "act".
    A factor with several levels among `records` is told in the panels' titles and ids; with one
    level, the panels are those of `measure`.
    """
    ways: dict[tuple[str, ...], list[DecisionRecord]] = defaultdict(list)
    for record in records:
        ways[tuple(_level(record, factor) for factor in factors)].append(record)
    several = [len(set(levels)) > 1 for levels in zip(*ways, strict=True)]
    shown: list[Panel] = []
    for way, own in sorted(ways.items()):
        told = [
            (factor, level)
            for factor, level, is_told in zip(factors, way, several, strict=True)
            if is_told
        ]
        suffix = "".join(f"-{level}" for _, level in told)
        title = "".join(f", {_in_words(factor, level)}" for factor, level in told)
        shown += [
            replace(panel, id=panel.id + suffix, title=panel.title + title)
            for panel in measure(own, seed=seed)
        ]
    return tuple(shown)


def _level(record: DecisionRecord, factor: str) -> str:
    default = "act" if factor == PERSPECTIVE else None
    return str(record.episode.condition.get(factor, default))


def _in_words(factor: str, level: str) -> str:
    plain = f"{factor} {level}"
    return _PERSPECTIVES.get(level, plain) if factor == PERSPECTIVE else plain
