"""What some choices say of values: the records that `rank.rank_values` returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from valuesim.graph.coherence import Coherence
from valuesim.graph.consistency import Consistency
from valuesim.graph.design import BoolArray, FloatArray
from valuesim.graph.habits import Habit
from valuesim.graph.pairwise import Tally


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueStrength:
    """One value's place.

    `strength`, `se`, `low`, `high` (95 %) are in log-odds per unit of stake, centred on 0 over the
    identified values of `component` (an index into `ValueRanking.components`); `elo` is
    `1000 + strength * 400 / ln 10`. `rank` 1 is the strongest of the component, `rank_low` to
    `rank_high` hold the true rank with at least 95 % (see `simultaneous`). `reason` says why a
    value is not identified: then strength and ranks are None, or, where only the uncertainty is
    unknown, se, interval and ranks alone. `is_separated`: choices never contradict it, so that the
    prior bounds the strength. `choices` and `clusters` count where it was at stake; `rests_on` is
    the effective number of clusters behind the interval (see `logit.effective_clusters`), None
    where there is no interval.
    """

    value: str
    strength: float | None
    se: float | None
    low: float | None
    high: float | None
    elo: float | None
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    component: int
    is_identified: bool
    reason: str | None
    is_separated: bool
    choices: int
    clusters: int
    rests_on: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Priority:
    """One value put before another: votes, the decisions behind them, and how sure it is.

    `weight` sums the shares of one vote per decision, `decisions` counts decisions with any share.
    `probability` is the share of bootstrap draws in which `over` is the stronger: with no value
    thought stronger beforehand, the posterior probability that it is. None where the two are not
    compared.
    """

    over: str
    under: str
    weight: float
    decisions: int
    probability: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueRanking:
    """What some choices say of values; everything is empty, with a `statement`, if nothing.

    `decisions` counts all decisions, `choices` those that were no faults, `contested` the choices
    with a value at stake, `clusters` the episodes of those (or the scenes: `unit` says which).
    `terms` holds the habit of each of `design.TERMS`. `strengths` are the draws (draws x values)
    behind ranks and probabilities, shared by every derived figure, and `covariance` (values x
    values) is that behind standard errors, which the draws agree with; `apart` (values x values)
    says where the row's value is surely stronger, all such statements together holding with 95 %.
    All three are in the order of `tally.values`. `statement` is None where there is nothing to be
    warned of.
    """

    decisions: int
    choices: int
    contested: int
    clusters: int
    unit: str = "episode"
    faults: Mapping[str, int]
    fault_rate: float | None
    values: tuple[ValueStrength, ...] = ()
    edges: tuple[Priority, ...] = ()
    components: tuple[tuple[str, ...], ...] = ()
    consistency: Consistency = field(
        default_factory=lambda: Consistency(reason="no value is at stake")
    )
    coherence: Coherence
    is_separated: bool = False
    terms: Mapping[str, Habit] = field(default_factory=dict)
    statement: str | None = None
    tally: Tally = field(repr=False, compare=False)
    strengths: FloatArray = field(
        default_factory=lambda: np.empty((0, 0)), repr=False, compare=False
    )
    covariance: FloatArray = field(
        default_factory=lambda: np.empty((0, 0)), repr=False, compare=False
    )
    apart: BoolArray = field(
        default_factory=lambda: np.zeros((0, 0), dtype=bool), repr=False, compare=False
    )

    def value(self, name: str) -> ValueStrength | None:
        """Return the place of the value called `name`, or None if it is never at stake."""
        return next((value for value in self.values if value.value == name), None)

    def are_compared(self, over: str, under: str) -> bool:
        """Return whether the choices determine the difference of the two and its uncertainty."""
        first, second = self.value(over), self.value(under)
        if first is None or second is None or over == under:
            return False
        is_known = first.is_identified and second.is_identified
        return is_known and first.component == second.component

    def is_sure(self, over: str, under: str) -> bool:
        """Return whether `over` is surely stronger than `under`, with all such pairs at once."""
        if not self.are_compared(over, under):
            return False
        place = self.tally.values.index
        return bool(self.apart[place(over), place(under)])

    def difference_se(self, over: str, under: str) -> float | None:
        """Return the standard error of the difference; None if the two are not compared."""
        if not self.are_compared(over, under):
            return None
        u, w = self.tally.values.index(over), self.tally.values.index(under)
        own, shared = self.covariance[u, u] + self.covariance[w, w], self.covariance[u, w]
        return float(np.sqrt(max(own - 2 * shared, 0.0)))

    def differences(self, over: str, under: str) -> FloatArray:
        """Return the draws of `over`'s strength minus `under`'s; empty if they are not compared."""
        if not self.are_compared(over, under):
            return np.empty(0)
        place = self.tally.values.index
        return np.asarray(self.strengths[:, place(over)] - self.strengths[:, place(under)])

    def probability(self, over: str, under: str) -> float | None:
        """Return the share of draws in which `over` is stronger; None if they are not compared."""
        differences = self.differences(over, under)
        return float((differences > 0).mean()) if len(differences) else None
