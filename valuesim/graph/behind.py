"""The decisions behind an edge of the value graph: who put one value before another, and where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from valuesim.choices import Evidence, choices
from valuesim.log.reader import DecisionRecord

Pair = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Behind:
    """A decision that put one value before another.

    `share`, in (0, 1], is the part of its one vote that it gave to the two. `margin`, in (0, 4], is
    how much more of the first and how much less of the second its option held, in stakes, than the
    option it was most taken against.
    """

    record: DecisionRecord
    share: float
    margin: float

    @property
    def order(self) -> tuple[float, float, str, int, str]:
        """What sorts decisions, the most telling first: share, margin, then where they were."""
        record = self.record
        return (-self.share, -self.margin, record.episode.id, record.step, record.role)


def behind(records: Iterable[DecisionRecord], over: str, under: str) -> tuple[Behind, ...]:
    """Return the decisions of `records` that put `over` before `under`, the most telling first.

    Empty where there is none, also for names that are never at stake. Faults are no decision for
    anything. Equal records give the same order, in whatever order they stand.
    """
    found = [
        _behind(record, evidence, (over, under), votes[over, under])
        for record, evidence in _chosen(records)
        if _may_put(evidence, over, under) and (over, under) in (votes := evidence.votes())
    ]
    return tuple(sorted(found, key=lambda each: each.order))


def behind_each(records: Iterable[DecisionRecord]) -> dict[Pair, tuple[Behind, ...]]:
    """Return `behind` for every pair that any decision of `records` voted for."""
    found: defaultdict[Pair, list[Behind]] = defaultdict(list)
    for record, evidence in _chosen(records):
        for pair, share in evidence.votes().items():
            found[pair].append(_behind(record, evidence, pair, share))
    return {pair: tuple(sorted(each, key=lambda b: b.order)) for pair, each in found.items()}


def behind_json(found: Sequence[Behind]) -> list[dict[str, Any]]:
    """Return decisions behind an edge as JSON values, in their order."""
    return [
        {
            "episode": each.record.episode.id,
            "step": each.record.step,
            "role": each.record.role,
            "agent": each.record.player.agent,
            "model": each.record.player.model_name,
            "env": each.record.episode.env,
            "chosen": each.record.chosen,
            "share": each.share,
            "margin": each.margin,
            "options": [
                {"name": option.name, "text": option.text, "stakes": dict(option.stakes)}
                for option in each.record.options
            ],
        }
        for each in found
    ]


def _chosen(records: Iterable[DecisionRecord]) -> Iterator[tuple[DecisionRecord, Evidence]]:
    kept = [record for record in records if record.fault is None]
    yield from zip(kept, choices(kept).evidence, strict=True)


def _may_put(evidence: Evidence, over: str, under: str) -> bool:
    """Return whether some option differs from the chosen one as a vote needs; quicker than it."""
    chosen = evidence.chosen.stakes
    first, second = chosen.get(over, 0.0), chosen.get(under, 0.0)
    return any(
        option.stakes.get(over, 0.0) < first and option.stakes.get(under, 0.0) > second
        for option in evidence.options
    )


def _behind(record: DecisionRecord, evidence: Evidence, pair: Pair, share: float) -> Behind:
    return Behind(record=record, share=share, margin=margin(evidence, pair))


def margin(evidence: Evidence, pair: Pair) -> float:
    """Return the `Behind.margin` of a choice that gives a vote for the first of `pair`."""
    over, under = pair
    chosen = evidence.chosen.stakes
    margins = (
        (chosen.get(over, 0.0) - other.get(over, 0.0), other.get(under, 0.0) - chosen.get(under, 0))
        for other in (option.stakes for option in evidence.options)
    )
    return max(gained + lost for gained, lost in margins if gained > 0 and lost > 0)
