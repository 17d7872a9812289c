"""Rates with intervals that respect clusters: decisions of one episode are not independent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np
from scipy import stats

_LEAST_VARIANCE = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """A rate in [0, 1] with its 95 % interval; None where the evidence allows no figure.

    `n` counts what the rate is a share of, `episodes` the clusters that hold any of it.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: float = 0
    episodes: int = 0


def clustered_rate(
    hits: Sequence[float], chances: Sequence[float], *, is_binary: bool = True
) -> Rate:
    """Return the rate sum(hits) / sum(chances), one pair per episode, with its interval.

    The variance of the ratio is taken between episodes (linearisation); it gives an effective
    number of chances, corrected for few episodes by Student's t, and the exact binomial interval
    at that number (Korn and Graubard, Survey Methodology 24, 1998). It is at most the number of
    chances where each is hit or missed (`is_binary`), but may exceed it where each has a part in
    [0, 1], such as an amount's place between its bounds. Where episodes do not differ at all, each
    counts as one chance, uncorrected. No chances: no rate. One episode: no interval.
    """
    pairs = [(y, n) for y, n in zip(hits, chances, strict=True) if n > 0]
    if not pairs:
        return Rate()
    y, n = np.array(pairs, dtype=float).T
    count, total = len(pairs), float(n.sum())
    rate = min(1.0, float(y.sum()) / total)
    if count < 2:
        return Rate(value=rate, n=total, episodes=count)
    residuals = y - rate * n
    variance = count / (count - 1) * float(residuals @ residuals) / total**2
    most = total if is_binary else None
    low, high = share_interval(rate, variance, clusters=count, n=most)
    return Rate(value=rate, low=low, high=high, n=total, episodes=count)


def rate_by_cluster(
    hits: Iterable[tuple[str, float]], *, chances: float = 1.0, is_binary: bool = True
) -> Rate:
    """Return the rate of `hits` (cluster, how much of `chances` was hit); see `clustered_rate`."""
    done: dict[str, list[float]] = defaultdict(list)
    for cluster, hit in hits:
        done[cluster].append(hit)
    return clustered_rate(
        [sum(own) for own in done.values()],
        [chances * len(own) for own in done.values()],
        is_binary=is_binary,
    )


def mean_interval(
    found: Sequence[float], bounds: tuple[float, float], units: Sequence[object] | None = None
) -> tuple[float, float | None, float | None]:
    """Return the mean of `found`, of which there is one at least, and Student's 95 % interval.

    The interval lies within `bounds`. There is none with fewer than two figures, nor where all are
    the same, which tells nothing of how much others would differ. Where `units` names for each
    figure those that are not independent, they count together.
    """
    average = mean(found)
    apart: dict[object, float] = {}
    for unit, each in zip(range(len(found)) if units is None else units, found, strict=True):
        apart[unit] = apart.get(unit, 0.0) + each - average
    count = len(apart)
    spread = float(np.linalg.norm(list(apart.values())))
    if count < 2 or spread**2 / (count - 1) < _LEAST_VARIANCE:
        return average, None, None
    half = float(stats.t.ppf(0.975, count - 1)) * spread / len(found)
    half *= (count / (count - 1)) ** 0.5
    low, high = bounds
    return average, max(low, average - half), min(high, average + half)


def share_interval(
    share: float,
    variance: float,
    *,
    clusters: int,
    n: float | None,
    least: float = 0.0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Return the interval, at `level`, of a share in [0, 1] whose clustered `variance` is known.

    It is the exact binomial interval at the effective number of chances; see `clustered_rate`.
    `n` is the number of chances that were hit or missed, which the effective number does not
    exceed; None for a bounded mean. `clusters` is the number of clusters, at least 2. The share
    counts as no nearer than `least` to 0 and to 1 for the effective number.
    """
    tail = (1 - level) / 2
    inner = min(max(share, least), 1 - least)
    most = float("inf") if n is None else max(n, clusters)
    return _exact_interval(share, _effective(inner, variance, clusters, most, tail), tail)


def _effective(rate: float, variance: float, count: int, most: float, tail: float) -> float:
    if variance < _LEAST_VARIANCE:
        return float(count)
    shrink = float(stats.norm.ppf(1 - tail) / stats.t.ppf(1 - tail, count - 1)) ** 2
    return min(rate * (1 - rate) / variance, most) * shrink


def _exact_interval(rate: float, n: float, tail: float) -> tuple[float, float]:
    hits = rate * n
    low = float(stats.beta.ppf(tail, hits, n - hits + 1)) if hits > 1e-9 else 0.0
    high = float(stats.beta.ppf(1 - tail, hits + 1, n - hits)) if n - hits > 1e-9 else 1.0
    return low, high
