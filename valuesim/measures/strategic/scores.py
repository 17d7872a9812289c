"""Three scores of how an agent's choices hang together: superficial, brittle, value-based.

Each is computed from the mean answers of cells (see `preference`). An answer is the place of the
choice on its menu, from 0 (first option in canonical order) to 1 (last), and its *side* the sign of
that less 1/2. A score's interval is that of a share (`interval.share_interval`) at its variance
over resamples of clusters within cells, with no more evidence than there are units that it is a
mean of: cells for label and position, tellings of problems for the others (see `majority`). Where
clusters are chains of episodes, which lie in many cells, there is no interval.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from valuesim.measures.interval import share_interval
from valuesim.measures.strategic.majority import Shares, Sides, by_lot, grouped, steady, turned
from valuesim.measures.strategic.preference import Cell, Choice

FloatArray = NDArray[np.float64]

BOOTSTRAPS = 300
LEVEL = 0.95
DEALS = 200
"""Deals by lot that say what a score is where neither words, labels nor places matter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lot:
    """What a score is when each problem's choices are dealt over its cells by lot.

    Its mean over deals and their central 95 %.
    """

    mean: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """A score in [0, 1] with its 95 % interval; None where there is nothing to compare.

    `cells` counts those that could be compared, `n` the choices in them. `left_out` counts what had
    no decided majority: tellings for brittle, cells for value-based. `lot` is None where no deal
    could be compared.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    cells: int = 0
    n: int = 0
    left_out: int = 0
    lot: Lot | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """How choices hang together; see `scores`."""

    superficial: Score
    label: Score
    position: Score
    brittle: Score
    value_based: Score


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Means:
    """Mean place of each cell, and the sides (draws x cells), the first draw being the sample."""

    counts: NDArray[np.int64]
    place: FloatArray
    sides: Sides

    @property
    def cells(self) -> tuple[Cell, ...]:
        return self.sides.cells


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Compared:
    """A score of the sample and of each resample, from the cells at `used`.

    It is a mean over `units`, with the variance `spread` as far as these differ; `is_signed` if it
    is a difference, which may lie on either side of 0.
    """

    values: FloatArray
    used: list[int]
    units: int
    spread: float = 0.0
    is_signed: bool = False


def scores(
    choices: Sequence[Choice], *, rng: np.random.Generator, bootstraps: int = BOOTSTRAPS
) -> Scores:
    """Return the scores of an agent's choices.

    *Label*: cells that differ in nothing but which option bears which label are compared; the mean
    difference in place is the net share of cells in which the choice follows a label. *Position*:
    the same for the order shown. *Superficial* is the larger of the two, 0 for whoever goes by
    content (or by lot), 1 for whoever always takes A, or the option on top; its interval is at
    97.5 %, as it is picked from two.

    *Brittle*: the share of tellings whose majority side is not that of all tellings of the problem
    together (half of them, where those are even); tellings without a decided majority do not count.

    *Value-based*: the share of tellings of problems, with at least two cells of a decided majority,
    in which it is on the same side in all of them (order and label make no difference) and, where
    the problem is posed at three or more stakes or penalties, changes sides at most once on the way
    up (monotone in payoff). What is preferred is left to the agent: a steadfast cooperator's
    choices are as value-based as a defector's.
    """
    means = _means(choices, rng, bootstraps)
    label = _effect(means, lambda c: c.swapped, _but_label)
    position = _effect(means, lambda c: c.reversed_order, _but_order)
    known = [each for each in (label, position) if each is not None]
    level = 1 - (1 - LEVEL) / max(len(known), 1)
    dealt = by_lot(means.sides, DEALS, rng)
    found = Scores(
        superficial=_score(
            means, max(known, key=lambda each: abs(each.values[0]), default=None), level
        ),
        label=_score(means, label),
        position=_score(means, position),
        brittle=_judged(means, turned(means.sides), turned(dealt)),
        value_based=_judged(means, steady(means.sides), steady(dealt)),
    )
    return _without_intervals(found) if any(choice.is_chained for choice in choices) else found


def _without_intervals(found: Scores) -> Scores:
    each = {field.name: getattr(found, field.name) for field in fields(found)}
    return Scores(**{name: replace(own, low=None, high=None) for name, own in each.items()})


def _judged(means: _Means, found: Shares, dealt: Shares) -> Score:
    """Return a score that counts majorities, beside what it is by lot."""
    compared = (
        _Compared(values=found.values, used=found.used, units=found.units) if found.units else None
    )
    known = dealt.values[np.isfinite(dealt.values)]
    lot = None
    if len(known):
        low, high = np.quantile(known, [0.025, 0.975])
        lot = Lot(mean=float(known.mean()), low=float(low), high=float(high))
    return replace(_score(means, compared), left_out=found.left_out, lot=lot)


def _but_label(cell: Cell) -> Hashable:
    return cell.problem, cell.telling, cell.reversed_order, cell.labels


def _but_order(cell: Cell) -> Hashable:
    return cell.problem, cell.telling, cell.swapped, cell.labels


def _means(choices: Sequence[Choice], rng: np.random.Generator, bootstraps: int) -> _Means:
    by_cell: dict[Cell, dict[str, list[float]]] = {}
    for choice in choices:
        own = by_cell.setdefault(choice.cell, {})
        own.setdefault(choice.cluster, []).append(choice.place / (len(choice.options) - 1))
    places = np.empty((bootstraps + 1, len(by_cell)))
    sides = np.empty_like(places)
    up, down = np.empty((1, len(by_cell))), np.empty((1, len(by_cell)))
    for column, own in enumerate(by_cell.values()):
        count = len(own)
        drawn = rng.multinomial(count, np.full(count, 1 / count), size=bootstraps)
        weights = np.vstack([np.ones(count), drawn])
        asked = weights @ np.array([len(each) for each in own.values()])
        sums = np.array([[sum(e), sum(np.sign(np.array(e) - 0.5))] for e in own.values()])
        places[:, column], sides[:, column] = (weights @ sums / asked[:, None]).T
        all_places = np.concatenate(list(own.values()))
        up[0, column], down[0, column] = (all_places > 0.5).sum(), (all_places < 0.5).sum()
    sizes = [sum(len(each) for each in own.values()) for own in by_cell.values()]
    return _Means(
        counts=np.array(sizes, dtype=np.int64),
        place=places,
        sides=Sides(cells=tuple(by_cell), up=up, down=down, mean=sides),
    )


def _score(means: _Means, found: _Compared | None, level: float = LEVEL) -> Score:
    """Return the score whose draws are `found.values`, with its interval at `level`."""
    if found is None:
        return Score()
    value = min(1.0, abs(float(found.values[0])))
    n, cells = int(means.counts[list(found.used)].sum()), len(found.used)
    if found.units < 2:
        return Score(value=value, cells=cells, n=n)
    signed = found.values * (1.0 if found.values[0] >= 0 else -1.0)
    drawn = float(np.nanvar(signed[1:])) if np.isfinite(signed[1:]).any() else 0.0
    variance = max(drawn, found.spread)
    units = found.units
    low, high = share_interval(value, variance, clusters=units, n=units, level=level)
    # the differences that vary are half as many as the cells
    quantile = stats.t.ppf((1 + level) / 2, max(units // 2 - 1, 1))
    if found.is_signed and value < quantile * variance**0.5:
        low = 0.0
    return Score(value=value, low=low, high=high, cells=cells, n=n)


def _effect(
    means: _Means, level: Callable[[Cell], bool | None], rest: Callable[[Cell], Hashable]
) -> _Compared | None:
    """Return the mean difference in place between the levels of one factor, all else the same."""
    differences: list[FloatArray] = []
    used: list[int] = []
    for members in grouped(means.cells, rest).values():
        by_level = {level(means.cells[m]): m for m in members}
        if True in by_level and False in by_level:
            pair = by_level[True], by_level[False]
            differences.append(means.place[:, pair[0]] - means.place[:, pair[1]])
            used += pair
    if not differences:
        return None
    stacked, count = np.array(differences), len(differences)
    spread = float(stacked[:, 0].var(ddof=1)) / count if count > 1 else 0.0
    # a pair of cells is two observations
    return _Compared(
        values=stacked.mean(axis=0), used=used, units=2 * count, spread=spread, is_signed=True
    )
