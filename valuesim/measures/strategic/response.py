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
_LEAST_SPREAD = 1e-9
_MOST_STEPS = 200
_CONVERGED = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class Slope:
    """A change per unit of dose with its 95 % interval; `n` decisions in `clusters`.

    `value` is None where the evidence has no slope, which `why` then says; the interval is None
    with fewer than three clusters, or where the slope rests on one of them.
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

    The variance is the jackknife's over clusters (CR3: MacKinnon and White, Journal of Econometrics
    29, 1985), which few clusters do not make too small; Student's t on clusters - 1.
    """
    x, y = np.asarray(doses, dtype=float), np.asarray(answers, dtype=float)
    if why := _why_none(x, y):
        return Slope(n=len(x), clusters=len(set(clusters)), why=why)
    x, y = x - x.mean(), y - y.mean()
    own = np.unique(list(clusters), return_inverse=True)[1]
    count, in_x, in_y, in_xx, in_xy = (
        _but_each(np.bincount(own, part).astype(float))
        for part in (np.ones_like(x), x, y, x * x, x * y)
    )
    spread = in_xx - in_x**2 / np.maximum(count, 1)
    known = spread > _LEAST_SPREAD * in_xx[0]
    slopes = (in_xy - in_x * in_y / np.maximum(count, 1)) / np.where(known, spread, np.nan)
    return _slope(slopes, len(x))


def logistic_slope(doses: Sequence[float], hits: Sequence[float], clusters: Sequence[str]) -> Slope:
    """Return the change in log-odds of a hit (1, else 0) per unit of dose.

    Firth's penalised likelihood (Biometrika 80, 1993), which is finite even where a threshold
    separates hits from misses. The variance is the jackknife's over clusters (CR3), never below a
    quarter of the model's, nor below all of it where they are separated; Student's t on clusters
    - 1. None where all answers, or all doses, are the same.
    """
    x, y = np.asarray(doses, dtype=float), np.asarray(hits, dtype=float)
    if why := _why_none(x, y):
        return Slope(n=len(x), clusters=len(set(clusters)), why=why)
    own = np.unique(list(clusters), return_inverse=True)[1]
    levels, place = np.unique(x, return_inverse=True)
    trials = np.zeros((int(own.max()) + 1, len(levels)))
    hit = np.zeros_like(trials)
    np.add.at(trials, (own, place), 1.0)
    np.add.at(hit, (own, place), y)
    slopes, variance = _firth(levels - x.mean(), _but_each(trials), _but_each(hit))
    least = 1.0 if _is_separated(x, y) else _LEAST_VARIANCE
    return _slope(slopes, len(x), least * variance)


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
    low, high = share_interval((1 + value) / 2, variance, clusters=informed, n=None)
    return Slope(value=value, low=2 * low - 1, high=2 * high - 1, n=len(x), clusters=informed)


def _why_none(x: FloatArray, y: FloatArray) -> str:
    if not len(x):
        return "no valid decision"
    if np.ptp(x) <= 0:
        return "every decision was taken at the same dose"
    return "every decision is the same" if np.ptp(y) <= 0 else ""


def _but_each(parts: FloatArray) -> FloatArray:
    """Return the sum over clusters (rows), then that without each of them."""
    total = parts.sum(axis=0, keepdims=True)
    return np.concatenate([total, total - parts])


def _slope(slopes: FloatArray, n: int, least: float = 0.0) -> Slope:
    """Return the first of `slopes`; the others, each without one cluster, give its interval."""
    value, left, clusters = float(slopes[0]), slopes[1:], len(slopes) - 1
    if clusters < 3 or not np.isfinite(left).all():
        return Slope(value=value, n=n, clusters=clusters)
    variance = (clusters - 1) / clusters * float(((left - value) ** 2).sum())
    half = float(stats.t.ppf(0.975, clusters - 1)) * max(variance, least) ** 0.5
    return Slope(value=value, low=value - half, high=value + half, n=n, clusters=clusters)


def _firth(levels: FloatArray, trials: FloatArray, hits: FloatArray) -> tuple[FloatArray, float]:
    """Return the penalised slope of each row of counts, and the variance of the first.

    A slope is nan where a row holds one level only.
    """
    known = (trials > 0.5).sum(axis=1) > 1
    design = np.stack([np.ones_like(levels), levels], axis=1)
    own, hit = trials[known], hits[known]
    beta = np.zeros((len(own), 2))
    for _ in range(_MOST_STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(beta @ design.T, -30, 30)))
        weights = p * (1 - p)
        inverse = np.linalg.inv(np.einsum("gk,kp,kq->gpq", own * weights, design, design))
        leverage = weights * np.einsum("kp,gpq,kq->gk", design, inverse, design)
        score = (hit - own * p + own * leverage * (0.5 - p)) @ design
        step = np.einsum("gpq,gq->gp", inverse, score)
        longest = np.abs(step @ design.T).max(axis=1, keepdims=True)
        beta = beta + step / np.maximum(1.0, longest / 2)
        if np.abs(step).max() < _CONVERGED:
            break
    slopes = np.full(len(trials), np.nan)
    slopes[known] = beta[:, 1]
    return slopes, float(inverse[0, 1, 1])


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
