"""How far apart two values must be to be told apart, and how many more decisions that takes.

Two values are separated when the 95 % interval of their difference leaves out 0. The standard error
of the difference, which counts the spread between clusters, gives the smallest difference that is
separated in four of five studies of this size; and, as it falls with the square root of the
number of clusters, the size of the study in which the present estimate would be.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from scipy import special

from valuesim.graph.ranking import ValueRanking
from valuesim.graph.statement import count

SURE = 0.975
POWER = 0.8
MOST_NEEDED = 1_000_000
"""The number of decisions beyond which none is named: the two are as good as equal."""
_TOO_CLOSE = f"too close to be told apart by {count(MOST_NEEDED, 'more choice')}"
_UNCONTRADICTED = "never contradicted, so that only the prior bounds the difference"


@dataclass(frozen=True, kw_only=True, slots=True)
class Separation:
    """The difference of two strengths, and what it takes to see it.

    `difference`, its 95 % interval `low` to `high` and `detectable` are in log-odds per unit of
    stake. A true difference of `detectable` is separated in 80 % of studies of this size. `needed`
    is the number of contested choices still to be made, of the same design and with clusters in
    proportion, for a true difference as large as `difference` to be separated in 80 % of studies:
    0 where there are enough, None where `reason` says why. Figures that are not known are None.
    """

    over: str
    under: str
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    detectable: float | None = None
    needed: int | None = None
    reason: str | None = None


def separations(
    ranking: ValueRanking, pairs: Iterable[tuple[str, str]] | None = None
) -> tuple[Separation, ...]:
    """Return the separation of each of `pairs`; without them, of all that are adjacent in rank."""
    if pairs is None:
        ranked = [value for value in ranking.values if value.rank is not None]
        pairs = [
            (over.value, under.value)
            for over, under in pairwise(ranked)
            if over.component == under.component
        ]
    return tuple(_separation(ranking, over, under) for over, under in pairs)


def _separation(ranking: ValueRanking, over: str, under: str) -> Separation:
    first, second = ranking.value(over), ranking.value(under)
    se = ranking.difference_se(over, under)
    if se is None or first is None or second is None:
        return Separation(over=over, under=under, reason=_why_unknown(ranking, over, under))
    difference = (first.strength or 0.0) - (second.strength or 0.0)
    # the difference rests on no more than the one of the two that rests on less
    clusters = min(first.rests_on or 1.0, second.rests_on or 1.0)
    half = _quantile(SURE, clusters) * se
    needed = _needed(ranking.contested, abs(difference), se, clusters)
    reason = _TOO_CLOSE if needed is None else None
    if needed and (first.is_separated or second.is_separated):
        # the error is that of the prior, which no number of such choices makes smaller
        needed, reason = None, _UNCONTRADICTED
    return Separation(
        over=over,
        under=under,
        difference=difference,
        low=difference - half,
        high=difference + half,
        detectable=_margin(clusters) * se,
        needed=needed,
        reason=reason,
    )


def _needed(made: int, difference: float, se: float, clusters: float) -> int | None:
    """Return how many choices beyond those `made` separate `difference`; None if too many."""

    def is_enough(more: int) -> bool:
        growth = (made + more) / made
        return bool(_margin(clusters * growth) * se <= difference * growth**0.5)

    needed = bisect_left(range(MOST_NEEDED + 1), True, key=is_enough)
    return needed if needed <= MOST_NEEDED else None


def _margin(clusters: float) -> float:
    """Return the difference, in standard errors, that is separated with probability `POWER`."""
    return _quantile(SURE, clusters) + _quantile(POWER, clusters)


def _quantile(share: float, clusters: float) -> float:
    """Return the quantile of Student's t, as `logit.LogitFit.quantile` does."""
    return float(special.stdtrit(max(clusters - 1.0, 1.0), share))


def _why_unknown(ranking: ValueRanking, over: str, under: str) -> str:
    if over == under:
        return "a value is not compared with itself"
    for name in (over, under):
        value = ranking.value(name)
        if value is None:
            return f"{name} is at stake in no choice"
        if ranking.clusters < 2:
            return f"all choices come from one {ranking.unit}: no uncertainty is known"
        if not value.is_identified:
            return f"{name}: {value.reason}"
    return "no choice, nor any chain of choices, compares the two"
