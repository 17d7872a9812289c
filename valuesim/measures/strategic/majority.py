"""Majorities in cells and tellings: whether one turns, and what is left of it by lot.

The side of a choice is 1 or -1. A majority counts where it is *decided*: its choices would not be
as unlike by the toss of a coin (exact binomial test, 5 %), so that noise is not taken for a turn.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from valuesim.measures.strategic.preference import Cell

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

SIGNIFICANCE = 0.05


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sides:
    """Choices of either side in each cell (the last axis), and the mean side (draws x cells).

    `up` and `down` have one row, or a row for each draw.
    """

    cells: tuple[Cell, ...]
    up: FloatArray
    down: FloatArray
    mean: FloatArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Shares:
    """A share in each draw (nan where nothing can be compared), the first being the sample.

    `units` are compared in the sample and `left_out` are not, for want of a decided majority; the
    cells at `used` hold the former.
    """

    values: FloatArray
    units: int
    left_out: int
    used: list[int]


def turned(sides: Sides) -> Shares:
    """Return the share of tellings whose majority is not on the side of their problem's.

    The majority of a problem is that of its decided tellings together. Problems with fewer than two
    of these are left out.
    """
    flips, kept, used, left_out = [], [], [], 0
    for members in grouped(sides.cells, lambda cell: cell.problem).values():
        tellings = list(_tellings(sides.cells, members).values())
        if len(tellings) < 2:
            continue
        each = np.stack([_majority(sides, own) for own in tellings])
        speaks = each != 0
        compared = speaks & (speaks.sum(axis=0) > 1)
        flips.append((1 - np.sign(each) * np.sign(each.sum(axis=0))) / 2)
        kept.append(compared)
        left_out += int((~compared[:, 0]).sum())
        used += [
            m for own, is_kept in zip(tellings, compared[:, 0], strict=True) if is_kept for m in own
        ]
    return _shares(sides, flips, kept, left_out, used)


def steady(sides: Sides) -> Shares:
    """Return the share of tellings with the same majority in every decided cell.

    And, along a dose that takes three values or more, with at most one turn on the way up. Tellings
    without two decided cells, or without one in either order or under either assignment of labels
    that was met, are left out; `left_out` counts the cells that enter no comparison.
    """
    groups = {k: m for k, m in _tellings(sides.cells).items() if len(m) > 1}
    same, kept, side = {}, {}, {}
    used: list[int] = []
    for key, members in groups.items():
        signs = np.stack([np.sign(_majority(sides, [m])) for m in members])
        speaks = signs != 0
        kept[key] = _holds_both([sides.cells[m] for m in members], speaks)
        same[key] = np.abs(signs.sum(axis=0)) == speaks.sum(axis=0)
        side[key] = np.sign(signs.sum(axis=0))
        used += [
            m for m, sign in zip(members, signs[:, 0], strict=True) if sign != 0 and kept[key][0]
        ]
    for series in _series([sides.cells[members[0]] for members in groups.values()]):
        turns = _turns(np.stack([side[_telling(cell)] for cell in series]))
        for cell in series:
            same[_telling(cell)] = same[_telling(cell)] & (turns <= 1)
    left_out = sum(len(members) for members in groups.values()) - len(used)
    flat = [row[None, :].astype(float) for row in same.values()]
    return _shares(sides, flat, [row[None, :] for row in kept.values()], left_out, used)


def by_lot(sides: Sides, draws: int, rng: np.random.Generator) -> Sides:
    """Return `sides` with each problem's choices dealt over its cells by lot, as many to each."""
    up, down = (np.zeros((draws, len(sides.cells))) for _ in range(2))
    sizes = (sides.up + sides.down)[0].astype(int)
    for members in grouped(sides.cells, lambda cell: cell.problem).values():
        own = [m for m in members if sizes[m]]
        if own:
            ups = int(sides.up[0, own].sum())
            hands = np.repeat(own, sizes[own])
            dealt = rng.permuted(np.tile(np.arange(len(hands)) < ups, (draws, 1)), axis=1)
            starts = np.concatenate([[0], np.cumsum(sizes[own])[:-1]])
            up[:, own] = np.add.reduceat(dealt.astype(float), starts, axis=1)
            down[:, own] = sizes[own] - up[:, own]
    return Sides(cells=sides.cells, up=up, down=down, mean=(up - down) / np.maximum(sizes, 1))


def grouped(cells: Sequence[Cell], key: Callable[[Cell], Hashable]) -> Mapping[Hashable, list[int]]:
    """Return the places of `cells` by their `key`."""
    found: dict[Hashable, list[int]] = {}
    for place, cell in enumerate(cells):
        found.setdefault(key(cell), []).append(place)
    return found


def _holds_both(cells: Sequence[Cell], speaks: BoolArray) -> BoolArray:
    """Return in which draws two cells of a telling speak, and some at each level of either."""
    held: BoolArray = speaks.sum(axis=0) > 1
    for levels in ([cell.reversed_order for cell in cells], [cell.swapped for cell in cells]):
        for level in set(levels):
            held &= speaks[[own == level for own in levels]].any(axis=0)
    return held


def _telling(cell: Cell) -> Hashable:
    return cell.problem, cell.telling


def _tellings(
    cells: Sequence[Cell], members: Sequence[int] | None = None
) -> Mapping[Hashable, list[int]]:
    places = range(len(cells)) if members is None else members
    own = grouped([cells[m] for m in places], _telling)
    return {key: [places[m] for m in group] for key, group in own.items()}


def _majority(sides: Sides, members: list[int]) -> FloatArray:
    """Return the mean side over cells in each draw, 0 where the choices are not decided."""
    up, down = sides.up[:, members].sum(axis=1), sides.down[:, members].sum(axis=1)
    chance = 2 * stats.binom.cdf(np.minimum(up, down), up + down, 0.5)
    mean: FloatArray = sides.mean[:, members].mean(axis=1)
    return np.where(chance <= SIGNIFICANCE, mean, 0.0)


def _shares(
    sides: Sides,
    hits: Sequence[FloatArray],
    kept: Sequence[BoolArray],
    left_out: int,
    used: list[int],
) -> Shares:
    if not hits:
        nothing = np.full(len(sides.mean), np.nan)
        return Shares(values=nothing, units=0, left_out=left_out, used=used)
    known = np.concatenate(kept)
    counts = known.sum(axis=0)
    total = np.where(known, np.concatenate(hits), 0.0).sum(axis=0)
    values = np.where(counts > 0, total / np.maximum(counts, 1), np.nan)
    return Shares(values=values, units=int(counts[0]), left_out=left_out, used=used)


def _series(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Return the problems that differ in the stake alone, or in the penalty alone, lowest first."""
    found = []
    for dose in ("stake", "penalty"):
        alike = grouped(cells, lambda c, dose=dose: (c.problem.without(dose), c.telling))  # type: ignore[misc]
        for members in alike.values():
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
