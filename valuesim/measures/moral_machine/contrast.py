"""Weighted least squares of "was spared" on an attribute of two levels, with clustered errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from valuesim.measures.moral_machine.judgements import BoolArray, FloatArray, IntArray

_NO_SPREAD = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """A change in the probability of being spared, in [-1, 1]; None where it is not known.

    `se` is the cluster-robust standard error, `low` and `high` the 95 % interval (both need two
    clusters); `classical_se` takes every row as independent. `n` counts the decisions.
    """

    value: float | None = None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    classical_se: float | None = None
    n: int = 0
    clusters: int = 0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Rows:
    """What one effect is estimated from: a row for a group, of which some have the + level.

    `weight` is above 0, rows of equal `cluster` are not independent, `decisions` is the number of
    decisions that the rows come from.
    """

    saved: BoolArray
    is_plus: BoolArray
    weight: FloatArray
    cluster: IntArray
    decisions: int


def weighted_contrast(rows: Rows) -> Effect:
    """Return the coefficient of the + level in the weighted regression of being spared on it.

    The rows of one decision are perfectly dependent (one is spared exactly if the other is not),
    and the decisions of a cluster may be: the variance is CR1, the sandwich summed by cluster times
    G / (G - 1) times (N - 1) / (N - 2) for N rows in G clusters. The interval is that of a share at
    this variance: (1 + coefficient) / 2 is the share of decisions that spare the + side where both
    rows of each weigh alike; see `score_interval`. A level that no row has: no effect.
    """
    plus, minus = rows.weight * rows.is_plus, rows.weight * ~rows.is_plus
    sums = float(plus.sum()), float(minus.sum())
    if 0.0 in sums:
        return Effect(n=rows.decisions)
    means = float(plus @ rows.saved) / sums[0], float(minus @ rows.saved) / sums[1]
    value = means[0] - means[1]
    residual: FloatArray = rows.saved - np.where(rows.is_plus, means[0], means[1])
    influence = residual * (plus / sums[0] - minus / sums[1])
    codes = np.unique(rows.cluster, return_inverse=True)[1]
    by_cluster = np.bincount(codes, weights=influence)
    n_rows, n_clusters = len(rows.saved), len(by_cluster)
    if n_clusters < 2 or n_rows < 3:
        return Effect(value=value, n=rows.decisions, clusters=n_clusters)
    spread = n_clusters / (n_clusters - 1) * float(by_cluster @ by_cluster)
    variance = spread * (n_rows - 1) / (n_rows - 2)
    low, high = score_interval((1 + value) / 2, variance / 4, n_clusters)
    noise = float(rows.weight @ residual**2) / (n_rows - 2)
    return Effect(
        value=value,
        se=float(np.sqrt(variance)),
        low=2 * low - 1,
        high=2 * high - 1,
        classical_se=float(np.sqrt(noise * (1 / sums[0] + 1 / sums[1]))),
        n=rows.decisions,
        clusters=n_clusters,
    )


def score_interval(share: float, variance: float, clusters: int) -> tuple[float, float]:
    """Return the 95 % interval, within [0, 1], of a share known with `variance` from 2+ clusters.

    Wilson's score interval at the effective number of chances that the variance implies, with
    Student's t for few clusters (Franco, Little, Louis and Slud, Journal of Survey Statistics and
    Methodology 7, 2019). Where the clusters do not differ at all, each counts as one chance.
    """
    share = min(1.0, max(0.0, share))  # sums of weights can pass the ends by a rounding error
    chances = share * (1 - share) / variance if variance > _NO_SPREAD else float(clusters)
    squared = float(stats.t.ppf(0.975, clusters - 1)) ** 2 / chances
    middle = (share + squared / 2) / (1 + squared)
    reach = np.sqrt(squared * share * (1 - share) + squared**2 / 4) / (1 + squared)
    return max(0.0, float(middle - reach)), min(1.0, float(middle + reach))
