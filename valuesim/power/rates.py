"""The plan for one rate: what is assumed of it, and how many episodes that asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import ceil

from valuesim.errors import InputError
from valuesim.power import formula
from valuesim.power.sampling import Assumed
from valuesim.power.search import REPEATS, Aim, Needed, needed

LIKENESS = 0.3
"""How alike decisions of one episode are taken to be where nothing is known: their correlation."""
PAIRING = 0.0
"""How alike two arms on one seed are taken to be where nothing is known."""
LEAST_OFFERING = 0.1
"""The share of episodes that must give an opportunity for a rate to be planned for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """An assumption, the range it may lie in, and where it comes from."""

    value: float
    low: float
    high: float
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Grounds:
    """What is known or assumed of one rate in one cell.

    `opportunities` are those of single seeds, in the first arm and in the second, as `source` gave
    them. `rate` is the first arm's; None for the worst case, one half between the two arms.
    `offering` is the share of episodes with an opportunity. `allowance` is by what factor, from 1,
    units are more because a pilot tells all this roughly.
    """

    opportunities: Sequence[tuple[int, int]]
    offering: float
    source: str
    likeness: Figure
    pairing: Figure
    rate: Figure | None = None
    allowance: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RatePlan:
    """How many episodes one rate needs; `why` says what stands in the way, else None.

    `paired` is for two arms on the same seeds, `unpaired` for arms on seeds of their own, both in
    episodes of the cell in each arm; None where no effect was asked for. `narrow` is for an
    interval of the rate that is no wider than was asked for. `low` and `high` are what `paired` (or
    `narrow`) would be over the ranges of what is assumed, by the formula's proportion.
    """

    grounds: Grounds
    first: float
    second: float
    paired: Needed | None = None
    unpaired: Needed | None = None
    narrow: Needed | None = None
    low: int | None = None
    high: int | None = None
    why: str | None = None

    @property
    def units(self) -> int | None:
        """The units that meet all that was asked for, with the allowance; None without a size."""
        asked = [each.units for each in (self.paired, self.narrow) if each is not None]
        known = [each for each in asked if each is not None]
        if not known or len(known) < len(asked):
            return None
        return ceil(max(known) * self.grounds.allowance)


def plan_rate(
    grounds: Grounds,
    *,
    effect: float | None,
    width: float | None,
    aim: Aim,
    seed: int,
    repeats: int = REPEATS,
) -> RatePlan:
    """Return the plan for a difference of `effect` and for an interval no wider than `width`.

    Equal arguments, equal figures. Raises InputError for an effect that no two rates can have.
    """
    first, second = two_rates(grounds.rate, effect)
    if grounds.offering < LEAST_OFFERING:
        share = f"{100 * grounds.offering:.0f} %"
        why = f"an opportunity in {share} of episodes only: no number of them is planned"
        return RatePlan(grounds=grounds, first=first, second=second, why=why)
    assumed = Assumed(
        first=first,
        second=second,
        opportunities=tuple(grounds.opportunities),
        likeness=grounds.likeness.value,
        pairing=grounds.pairing.value,
    )
    planned = RatePlan(grounds=grounds, first=first, second=second)
    if effect is not None:
        apart = replace(assumed, is_paired=False)
        paired = needed(assumed, aim, seed=seed, repeats=repeats)
        # without pairing the same seeds are as good as others
        others = needed(apart, aim, seed=seed, repeats=repeats) if assumed.pairing else paired
        planned = replace(planned, paired=paired, unpaired=others)
    if width is not None:
        alone = needed(assumed, replace(aim, width=width), seed=seed, repeats=repeats)
        planned = replace(planned, narrow=alone)
    return _ranged(planned, assumed)


def two_rates(rate: Figure | None, effect: float | None) -> tuple[float, float]:
    """Return the two true rates, in [0, 1]; the worst case lies on both sides of one half.

    Raises InputError for an effect that no two rates can have.
    """
    difference = effect or 0.0
    if not -1 < difference < 1:
        raise InputError(f"--effect {difference:g} is not allowed: a difference between -1 and 1")
    if rate is None:
        return 0.5 - difference / 2, 0.5 + difference / 2
    second = rate.value + difference
    if not 0 <= second <= 1:
        # where there is no room on one side, the difference lies on the other
        second = rate.value - difference
    if not 0 <= second <= 1:
        raise InputError(
            f"a rate of {rate.value:g} cannot differ by {abs(difference):g}: give a smaller "
            "--effect, or another --rate"
        )
    return rate.value, second


def _ranged(planned: RatePlan, assumed: Assumed) -> RatePlan:
    units = planned.units
    if units is None:
        return planned
    grounds = planned.grounds
    rates = [assumed.first] if grounds.rate is None else [grounds.rate.low, grounds.rate.high]
    if planned.paired is None:
        # the interval of one rate knows nothing of another arm
        assumed = replace(assumed, is_paired=False)
    here = formula.variance(assumed)
    likenesses, pairings = (
        (figure.low, figure.high) for figure in (grounds.likeness, grounds.pairing)
    )
    shares = []
    for rate, likeness, pairing in product(rates, likenesses, pairings):
        first, second = (
            min(max(rate + each - assumed.first, 0.0), 1.0)
            for each in (assumed.first, assumed.second)
        )
        other = replace(assumed, first=first, second=second, likeness=likeness, pairing=pairing)
        shares.append(formula.variance(other) / here if here > 0 else 1.0)
    return replace(
        planned,
        low=max(2, round(units * min(1.0, *shares))),
        high=max(2, round(units * max(1.0, *shares))),
    )
