"""How what is put first shifts with scarcity: each signature at every level, and the change.

Levels of scarcity are other worlds, so that each level is ranked by itself; where groups of choices
share clusters, they share draws (`graph.rank_together`), and the change counts that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from valuesim.archetypes.catalogue import Catalogue
from valuesim.archetypes.dose import scarcity_order
from valuesim.archetypes.entries import Signature
from valuesim.archetypes.signatures import Flag, Omitted, difference, judge
from valuesim.choices import choices
from valuesim.graph import rank_together
from valuesim.graph.ranking import ValueRanking
from valuesim.log.reader import DecisionRecord

_LEAST_VARIANCE = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True)
class ShiftLevel:
    """One signature at one level of scarcity: the flag's figures, or None and why not."""

    level: str | float
    probability: float | None
    margin: float | None
    low: float | None
    high: float | None
    decisions: int
    fault_rate: float | None
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shift:
    """One signature over levels of scarcity, the most plentiful first.

    `change` is how far `puts` is before `against` (log-odds per unit of stake) at the scarcest
    known level less the same at the most plentiful, `low` to `high` its 95 % range, `probability`
    that of its being above 0; None, and `why`, if fewer than two are known. `against` is one value
    for both levels: the strongest of `over` in both together. A change of the margin could be one
    of evidence alone: the least of several noisy differences is lower, the fewer the decisions.
    """

    name: str
    puts: str
    over: tuple[str, ...]
    levels: tuple[ShiftLevel, ...]
    change: float | None = None
    low: float | None = None
    high: float | None = None
    probability: float | None = None
    why: str = ""
    against: str | None = None


def shifts(
    records: Iterable[DecisionRecord], catalogue: Catalogue, *, seed: int = 0
) -> tuple[Shift, ...]:
    """Return the shift of each signature that any level tells of; none without two levels."""
    by_level: dict[str | float, list[DecisionRecord]] = {}
    for record in records:
        if "scarcity" in record.episode.condition:
            given = record.episode.condition["scarcity"]
            by_level.setdefault(given if isinstance(given, str) else float(given), []).append(
                record
            )
    if len(by_level) < 2:
        return ()
    order = scarcity_order(record for own in by_level.values() for record in own)
    own = {level: choices(by_level[level]) for level in order}
    rankings = rank_together(own, seed=seed, with_consistency=False, with_coherence=False)
    found = (_shift(signature, rankings) for signature in catalogue.signatures)
    return tuple(shift for shift in found if any(x.probability is not None for x in shift.levels))


def _shift(signature: Signature, rankings: Mapping[str | float, ValueRanking]) -> Shift:
    known = {
        level: {w for w in signature.over if ranking.are_compared(signature.puts, w)}
        for level, ranking in rankings.items()
    }
    # the margin is over the same values at every level that compares any, lest it shift by that
    told = [over for over in known.values() if over]
    over = tuple(w for w in signature.over if told and all(w in each for each in told))
    if not over:
        return Shift(name=signature.name, puts=signature.puts, over=(), levels=())
    same = replace(signature, over=over)
    judged = {level: judge(same, ranking) for level, ranking in rankings.items()}
    levels = tuple(_level(level, flag, rankings[level]) for level, flag in judged.items())
    shift = Shift(name=signature.name, puts=signature.puts, over=over, levels=levels)
    return _changed(shift, judged, rankings)


def _level(level: str | float, flag: Flag | Omitted, ranking: ValueRanking) -> ShiftLevel:
    if isinstance(flag, Omitted):
        return ShiftLevel(
            level=level,
            probability=None,
            margin=None,
            low=None,
            high=None,
            decisions=0,
            fault_rate=ranking.fault_rate,
            why=flag.reason,
        )
    return ShiftLevel(
        level=level,
        probability=flag.probability,
        margin=flag.margin,
        low=flag.low,
        high=flag.high,
        decisions=flag.decisions,
        fault_rate=ranking.fault_rate,
    )


def _changed(
    shift: Shift,
    judged: Mapping[str | float, Flag | Omitted],
    rankings: Mapping[str | float, ValueRanking],
) -> Shift:
    known = [level for level, flag in judged.items() if isinstance(flag, Flag)]
    if len(known) < 2:
        return replace(shift, why="only one level of scarcity tells of it")
    plenty, scarce = rankings[known[0]], rankings[known[-1]]
    against = _strongest(shift, (plenty, scarce))
    change = difference(scarce, shift.puts, against) - difference(plenty, shift.puts, against)
    drawn = scarce.differences(shift.puts, against) - plenty.differences(shift.puts, against)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return replace(
        shift,
        change=change,
        low=min(float(low), change),
        high=max(float(high), change),
        probability=float((drawn > 0).mean()),
        against=against,
    )


def _strongest(shift: Shift, rankings: Sequence[ValueRanking]) -> str:
    """Return the value of `shift.over` with the smallest mean difference, weighted by precision."""
    means = []
    for w in shift.over:
        drawn = [ranking.differences(shift.puts, w) for ranking in rankings]
        weights = 1 / np.maximum([each.var() for each in drawn], _LEAST_VARIANCE)
        differences = [difference(ranking, shift.puts, w) for ranking in rankings]
        means.append(float(np.average(differences, weights=weights)))
    return shift.over[int(np.argmin(means))]
