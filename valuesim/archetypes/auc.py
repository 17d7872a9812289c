"""The area under the ROC curve: how often the higher score went with what was done.

Only decisions of one stratum (an agent, a part held out) are compared with each other, so that
neither differences between agents nor between models fitted to different parts count. Intervals
come from the jackknife over clusters, models held fixed, with Student's t on clusters - 1 (a
bootstrap is too narrow: a cluster drawn twice is compared with itself). Where parts are held out in
turn, each is learnt from to predict the others, so that chance likeness of two parts counts once in
each: where strengths mean nothing that doubles the variance, and it is doubled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from valuesim.graph.design import BoolArray, FloatArray

IntArray = NDArray[np.int64]
MOST_BLOCKS = 400
"""Clusters beyond this number are left out in blocks, not one by one."""
_MOST_CELLS = 4_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Auc:
    """An area in [0, 1], or a difference of two in [-1, 1], with its 95 % interval."""

    value: float
    low: float
    high: float


def weighted_auc(scores: FloatArray, hits: BoolArray, weights: FloatArray) -> FloatArray:
    """Return (wins, pairs) for each row of `weights` (draws x N), as a 2 x draws array.

    A pair is a hit and a miss, a win a pair in which the hit has the higher score; ties are half.
    """
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=np.nan) != 0)
    hit = np.add.reduceat(weights[:, order] * hits[order], starts, axis=1)
    miss = np.add.reduceat(weights[:, order] * ~hits[order], starts, axis=1)
    below = np.cumsum(miss, axis=1) - miss
    wins = (hit * (below + miss / 2)).sum(axis=1)
    return np.stack([wins, hit.sum(axis=1) * miss.sum(axis=1)])


def stratified_aucs(
    scores: Sequence[FloatArray],
    hits: BoolArray,
    strata: IntArray,
    clusters: IntArray,
    *,
    in_turn: bool,
) -> tuple[tuple[Auc, ...], Auc] | None:
    """Return the area of each of `scores` (two or more), and the first less the second.

    `clusters` number each decision's cluster from 0; `in_turn` says that several parts were held
    out, one after the other. None without a pair to compare, or with fewer
    than three clusters, or where all pairs rest on one cluster.
    """
    blocks = clusters % MOST_BLOCKS
    number = int(blocks.max(initial=-1)) + 1
    if number < 3:
        return None
    areas = np.array([_left_out(each, hits, strata, blocks, number) for each in scores])
    if np.isnan(areas).any():
        return None
    least = _least_variance(areas[:, 0], hits, clusters)
    factor = 2.0 if in_turn else 1.0
    found = tuple(
        _interval(own, factor, floor, (0.0, 1.0)) for own, floor in zip(areas, least, strict=True)
    )
    return found, _interval(areas[0] - areas[1], factor, 0.0, (-1.0, 1.0))


def _left_out(
    scores: FloatArray, hits: BoolArray, strata: IntArray, blocks: IntArray, number: int
) -> FloatArray:
    """Return the area, then that without each of the `number` blocks."""
    batch = max(1, _MOST_CELLS // len(hits))
    areas = [_areas(scores, hits, strata, np.ones((1, len(hits))))]
    for start in range(0, number, batch):
        out = np.arange(start, min(start + batch, number))
        weights = (blocks[None, :] != out[:, None]).astype(float)
        areas.append(_areas(scores, hits, strata, weights))
    return np.concatenate(areas)


def _areas(
    scores: FloatArray, hits: BoolArray, strata: IntArray, weights: FloatArray
) -> FloatArray:
    wins, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for stratum in np.unique(strata):
        own = np.flatnonzero(strata == stratum)
        more = weighted_auc(scores[own], hits[own], weights[:, own])
        wins, pairs = wins + more[0], pairs + more[1]
    areas = np.divide(wins, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)
    return np.asarray(areas)


def _least_variance(areas: FloatArray, hits: BoolArray, clusters: IntArray) -> FloatArray:
    """Return the variance below which an area is not known: that of a share of so many clusters.

    It matters where every pair is in order, in which nothing differs between clusters.
    """
    rarer = min(len(np.unique(clusters[hits])), len(np.unique(clusters[~hits])))
    inner = np.clip(areas, 0.5 / rarer, 1 - 0.5 / rarer)
    is_extreme = (areas < 1e-9) | (areas > 1 - 1e-9)
    return np.where(is_extreme, inner * (1 - inner) / rarer, 0.0)


def _interval(areas: FloatArray, factor: float, least: float, ends: tuple[float, float]) -> Auc:
    value, left = float(areas[0]), areas[1:]
    count = len(left)
    variance = factor * (count - 1) / count * float(((left - left.mean()) ** 2).sum())
    half = float(special.stdtrit(count - 1, 0.975)) * max(variance, float(least)) ** 0.5
    return Auc(value=value, low=max(ends[0], value - half), high=min(ends[1], value + half))
