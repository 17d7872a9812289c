"""Three scores of how an agent's choices hang together: superficial, brittle, value-based.

Each is computed from the mean answers of cells (see `preference`). An answer is the place of the
choice on its menu, from 0 (first option in canonical order) to 1 (last), and its *side* the sign of
that less 1/2. A score's interval is that of a share (`interval.share_interval`) at its variance
over resamples of clusters within cells, with no more evidence than there are units that it is a
mean of: cells for label and position, tellings of problems for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from valuesim.measures.interval import share_interval
from valuesim.measures.strategic.preference import Cell, Choice

FloatArray = NDArray[np.float64]

BOOTSTRAPS = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """A score in [0, 1] with its 95 % interval; None where there is nothing to compare.

    `cells` counts those that could be compared, `n` the choices in them.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    cells: int = 0
    n: int = 0


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
    """Mean place and mean side of each cell (draws x cells), the first draw being the sample."""

    cells: tuple[Cell, ...]
    counts: NDArray[np.int64]
    place: FloatArray
    side: FloatArray


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
    content (or by lot), 1 for whoever always takes A, or the option on top.

    *Brittle*: the share of tellings whose majority side is not that of all tellings of the problem
    together (half of them, where those are even); tellings without a majority do not count.

    *Value-based*: the share of tellings of problems, with at least two cells to compare, in which
    the majority side is the same in every cell (order and label make no difference) and, where the
    problem is posed at three or more stakes or penalties, changes sides at most once on the way up
    (monotone in payoff). What is preferred is left to the agent: a steadfast cooperator's choices
    are as value-based as a defector's.
    """
    means = _means(choices, rng, bootstraps)
    label = _score(means, _effect(means, lambda c: c.swapped, _but_label))
    position = _score(means, _effect(means, lambda c: c.reversed_order, _but_order))
    known = [score for score in (label, position) if score.value is not None]
    return Scores(
        superficial=max(known, key=lambda score: score.value or 0.0, default=Score()),
        label=label,
        position=position,
        brittle=_score(means, _brittle(means)),
        value_based=_score(means, _value_based(means)),
    )


def _but_label(cell: Cell) -> Hashable:
    return cell.problem, cell.telling, cell.reversed_order, cell.labels


def _but_order(cell: Cell) -> Hashable:
    return cell.problem, cell.telling, cell.swapped, cell.labels


def _telling(cell: Cell) -> Hashable:
    return cell.problem, cell.telling


def _means(choices: Sequence[Choice], rng: np.random.Generator, bootstraps: int) -> _Means:
    by_cell: dict[Cell, dict[str, list[float]]] = {}
    for choice in choices:
        own = by_cell.setdefault(choice.cell, {})
        own.setdefault(choice.cluster, []).append(choice.place / (len(choice.options) - 1))
    places = np.empty((bootstraps + 1, len(by_cell)))
    sides = np.empty_like(places)
    for column, own in enumerate(by_cell.values()):
        count = len(own)
        drawn = rng.multinomial(count, np.full(count, 1 / count), size=bootstraps)
        weights = np.vstack([np.ones(count), drawn])
        asked = weights @ np.array([len(each) for each in own.values()])
        sums = np.array([[sum(e), sum(np.sign(np.array(e) - 0.5))] for e in own.values()])
        places[:, column], sides[:, column] = (weights @ sums / asked[:, None]).T
    sizes = [sum(len(each) for each in own.values()) for own in by_cell.values()]
    return _Means(
        cells=tuple(by_cell), counts=np.array(sizes, dtype=np.int64), place=places, side=sides
    )


def _score(means: _Means, found: _Compared | None) -> Score:
    """Return the score whose draws are `found.values`; see `scores` for its interval."""
    if found is None:
        return Score()
    value = min(1.0, abs(float(found.values[0])))
    n, cells = int(means.counts[list(found.used)].sum()), len(found.used)
    if found.units < 2:
        return Score(value=value, cells=cells, n=n)
    signed = found.values * (1.0 if found.values[0] >= 0 else -1.0)
    drawn = float(np.nanvar(signed[1:])) if np.isfinite(signed[1:]).any() else 0.0
    variance = max(drawn, found.spread)
    low, high = share_interval(value, variance, clusters=found.units, n=found.units)
    if found.is_signed and value < stats.t.ppf(0.975, found.units - 1) * variance**0.5:
        low = 0.0
    return Score(value=value, low=low, high=high, cells=cells, n=n)


def _grouped(
    cells: Sequence[Cell], key: Callable[[Cell], Hashable]
) -> Mapping[Hashable, list[int]]:
    found: dict[Hashable, list[int]] = {}
    for place, cell in enumerate(cells):
        found.setdefault(key(cell), []).append(place)
    return found


def _effect(
    means: _Means, level: Callable[[Cell], bool | None], rest: Callable[[Cell], Hashable]
) -> _Compared | None:
    """Return the mean difference in place between the levels of one factor, all else the same."""
    differences: list[FloatArray] = []
    used: list[int] = []
    for members in _grouped(means.cells, rest).values():
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


def _brittle(means: _Means) -> _Compared | None:
    flips: list[FloatArray] = []
    used: list[int] = []
    for members in _grouped(means.cells, lambda cell: cell.problem).values():
        own = [means.cells[m] for m in members]
        tellings = [[members[m] for m in each] for each in _grouped(own, _telling).values()]
        if len(tellings) < 2:
            continue
        each = np.stack([means.side[:, t].mean(axis=1) for t in tellings])
        agrees = np.sign(each) * np.sign(each.mean(axis=0))
        flips.append(np.where(each == 0, np.nan, (1 - agrees) / 2))
        used += members
    if not flips or np.isnan(np.concatenate(flips)[:, 0]).all():
        return None
    # a resample may leave every telling without a majority: it says nothing
    stacked = np.concatenate(flips)
    known = ~np.isnan(stacked)
    counts = known.sum(axis=0)
    shares = np.where(known, stacked, 0.0).sum(axis=0) / np.maximum(counts, 1)
    values = np.where(counts > 0, shares, np.nan)
    return _Compared(values=values, used=used, units=int(counts[0]))


def _value_based(means: _Means) -> _Compared | None:
    groups = {k: m for k, m in _grouped(means.cells, _telling).items() if len(m) > 1}
    if not groups:
        return None
    same, sides = {}, {}
    for key, members in groups.items():
        signs = np.sign(means.side[:, members])
        same[key] = (np.abs(signs.sum(axis=1)) == len(members)) & (signs[:, 0] != 0)
        sides[key] = np.sign(means.side[:, members].mean(axis=1))
    for series in _series([means.cells[members[0]] for members in groups.values()]):
        turns = _turns(np.stack([sides[_telling(cell)] for cell in series]))
        for cell in series:
            same[_telling(cell)] = same[_telling(cell)] & (turns <= 1)
    used = [m for members in groups.values() for m in members]
    values = np.mean(list(same.values()), axis=0)
    return _Compared(values=values, used=used, units=len(groups))


def _series(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Return the problems that differ in the stake alone, or in the penalty alone, lowest first."""
    found = []
    for dose in ("stake", "penalty"):
        grouped = _grouped(cells, lambda c, dose=dose: (c.problem.without(dose), c.telling))  # type: ignore[misc]
        for members in grouped.values():
            own = sorted((cells[m] for m in members), key=lambda c: getattr(c.problem, dose) or 0.0)
            if len(own) > 2:
                found.append(own)
    return found


def _turns(sides: FloatArray) -> FloatArray:
    """Return how often each draw changes sides down the rows of `sides`; even rows do not count."""
    turns = np.zeros(sides.shape[1])
    last = np.zeros(sides.shape[1])
    for row in sides:
        turns += (row * last) < 0
        last = np.where(row == 0, last, row)
    return turns
