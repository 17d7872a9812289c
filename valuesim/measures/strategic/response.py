"""How choices answer a dose (the stake, the penalty): slopes and monotone trends.

People cooperate less at higher stakes when stakes vary within a person, and no less when each
person sees one (Yamagishi et al. 2016), so that decisions of a price list ("within") and of one
stake an episode ("between") are never put together: `trend` compares the doses within clusters for
the one, between clusters for the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from valuesim.measures.interval import share_interval

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

_LEAST_VARIANCE = 0.25
_MOST_STEPS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Slope:
    """A change per unit of dose with its 95 % interval; `n` decisions in `clusters`.

    `value` is None where the evidence has no slope, which `why` then says; the interval is None
    with fewer than three clusters.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    clusters: int = 0
    why: str = ""


def linear_slope(
    doses: Sequence[float], answers: Sequence[float], clusters: Sequence[str]
) -> Slope:
    """Return the least-squares change of `answers` per unit of dose.

    Cluster-robust variance with the small-sample factor (CR1), Student's t on clusters - 1.
    """
    x, y = np.asarray(doses, dtype=float), np.asarray(answers, dtype=float)
    if why := _why_none(x, y):
        return Slope(n=len(x), clusters=len(set(clusters)), why=why)
    design = np.stack([np.ones_like(x), x - x.mean()], axis=1)
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ design.T @ y
    scores = design * (y - design @ beta)[:, None]
    variance = _clustered(scores, clusters, inverse)[1, 1]
    return _slope(float(beta[1]), variance, len(x), len(set(clusters)))


def logistic_slope(doses: Sequence[float], hits: Sequence[float], clusters: Sequence[str]) -> Slope:
    """Return the change in log-odds of a hit (1, else 0) per unit of dose.

    Firth's penalised likelihood (Biometrika 80, 1993), which is finite even where a threshold
    separates hits from misses. Cluster-robust variance, never below a quarter of the model's, nor
    below all of it where they are separated. None where all answers, or all doses, are the same.
    """
    x, y = np.asarray(doses, dtype=float), np.asarray(hits, dtype=float)
    if why := _why_none(x, y):
        return Slope(n=len(x), clusters=len(set(clusters)), why=why)
    design = np.stack([np.ones_like(x), x - x.mean()], axis=1)
    beta, inverse = _firth(design, y)
    scores = design * (y - _likely(design, beta))[:, None]
    least = (1.0 if _is_separated(x, y) else _LEAST_VARIANCE) * inverse[1, 1]
    variance = max(_clustered(scores, clusters, inverse)[1, 1], least)
    return _slope(float(beta[1]), variance, len(x), len(set(clusters)))


def trend(
    doses: Sequence[float], answers: Sequence[float], clusters: Sequence[str], *, within: bool
) -> Slope:
    """Return Somers' D of `answers` on `doses`, in [-1, 1]: 1 if answers never fall as doses rise.

    Over the pairs of decisions with different doses, the share in which the larger dose has the
    larger answer less the share in which it has the smaller. `within` compares decisions of one
    cluster (the sum of Kendall's scores over clusters, as in Page's design), else those of
    different clusters (Jonckheere's statistic over its maximum). The interval is the exact one of
    the rate (1 + D) / 2 at the jackknife variance over clusters. None without such pairs.
    """
    x, y = np.asarray(doses, dtype=float), np.asarray(answers, dtype=float)
    names, own = np.unique(list(clusters), return_inverse=True)
    scores, pairs = _concordance(x, y, own, within=within)
    if pairs.sum() <= 0:
        why = "no two comparable decisions differ in the dose"
        return Slope(n=len(x), clusters=len(names), why=why)
    value = float(scores.sum() / pairs.sum())
    informed = int((pairs > 0).sum())
    if informed < 3:
        return Slope(value=value, n=len(x), clusters=informed)
    variance = _jackknife(scores, pairs, within) / 4
    low, high = share_interval((1 + value) / 2, variance, clusters=informed, n=informed)
    return Slope(value=value, low=2 * low - 1, high=2 * high - 1, n=len(x), clusters=informed)


def _why_none(x: FloatArray, y: FloatArray) -> str:
    if not len(x):
        return "no valid decision"
    if np.ptp(x) <= 0:
        return "every decision was taken at the same dose"
    return "every decision is the same" if np.ptp(y) <= 0 else ""


def _slope(value: float, variance: float, n: int, clusters: int) -> Slope:
    if clusters < 3:
        return Slope(value=value, n=n, clusters=clusters)
    half = float(stats.t.ppf(0.975, clusters - 1)) * max(variance, 0.0) ** 0.5
    return Slope(value=value, low=value - half, high=value + half, n=n, clusters=clusters)


def _clustered(scores: FloatArray, clusters: Sequence[str], inverse: FloatArray) -> FloatArray:
    names, own = np.unique(list(clusters), return_inverse=True)
    summed = np.zeros((len(names), scores.shape[1]))
    np.add.at(summed, own, scores)
    count, n, size = len(names), len(scores), scores.shape[1]
    factor = count / max(count - 1, 1) * (n - 1) / max(n - size, 1)
    covariance: FloatArray = factor * inverse @ (summed.T @ summed) @ inverse
    return covariance


def _likely(design: FloatArray, beta: FloatArray) -> FloatArray:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(design @ beta, -30, 30))))


def _firth(design: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the penalised estimate and the inverse information there."""
    beta = np.zeros(design.shape[1])
    for _ in range(_MOST_STEPS):
        p = _likely(design, beta)
        weights = p * (1 - p)
        inverse = np.linalg.inv(design.T @ (design * weights[:, None]))
        leverage = weights * np.einsum("np,pq,nq->n", design, inverse, design)
        step = inverse @ design.T @ (y - p + leverage * (0.5 - p))
        beta = beta + step / max(1.0, float(np.abs(design @ step).max()) / 2)
        if np.abs(step).max() < 1e-9:
            break
    return beta, np.asarray(inverse)


def _is_separated(x: FloatArray, y: FloatArray) -> bool:
    hits, misses = x[y > 0.5], x[y < 0.5]
    return bool(hits.min() >= misses.max() or hits.max() <= misses.min())


def _concordance(
    x: FloatArray, y: FloatArray, own: IntArray, *, within: bool
) -> tuple[FloatArray, FloatArray]:
    """Return each cluster's part in the scores and in the pairs, which sum to all of them.

    Decisions are counted by cell (dose, answer): a score is bilinear in these counts.
    """
    cells, cell = np.unique(np.stack([x, y], axis=1), axis=0, return_inverse=True)
    counts = np.zeros((int(own.max(initial=-1)) + 1, len(cells)))
    np.add.at(counts, (own, cell.ravel()), 1.0)
    direction = np.sign(cells[:, None, 0] - cells[None, :, 0])
    agreement = direction * np.sign(cells[:, None, 1] - cells[None, :, 1])
    parts = []
    for kernel in (agreement, np.abs(direction)):
        scored = counts @ kernel
        inside, everywhere = (scored * counts).sum(axis=1), scored @ counts.sum(axis=0)
        parts.append(inside if within else everywhere - inside)
    return parts[0], parts[1]


def _jackknife(scores: FloatArray, pairs: FloatArray, within: bool) -> float:
    # leaving out a cluster takes away its pairs once as either side of a pair between clusters
    sides = 1.0 if within else 2.0
    left = pairs.sum() - sides * pairs
    kept = left > 0
    values = (scores.sum() - sides * scores)[kept] / left[kept]
    count = len(values)
    return float((count - 1) / count * ((values - values.mean()) ** 2).sum()) if count else 0.0
