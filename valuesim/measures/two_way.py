"""Rates of what several people say of several scenes: neither those nor these are independent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from valuesim.measures.interval import share_interval


@dataclass(frozen=True, kw_only=True, slots=True)
class CrossedRate:
    """A rate in [0, 1] with its 95 % interval over people and scenes at once.

    `value` is None where nothing was said; `low` and `high` are None with fewer than two people or
    two scenes, which do not tell how much others would differ. `n` counts what was said.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    people: int = 0
    scenes: int = 0


def crossed_rate(
    holds: Sequence[bool], people: Sequence[str], scenes: Sequence[str]
) -> CrossedRate:
    """Return the share of `holds`, each of them said by one of `people` about one of `scenes`.

    The variance is that of two-way clusters: between people, plus between scenes, less between
    their pairs (Cameron, Gelbach and Miller, Journal of Business & Economic Statistics 29, 2011),
    and no less than the larger of the first two. The interval is as that of
    `interval.share_interval`, with as many clusters as the fewer of people and scenes.
    """
    said = np.array(holds, dtype=float)
    who, where = _coded(people), _coded(scenes)
    if not said.size:
        return CrossedRate()
    counts = {"n": said.size, "people": _count(who), "scenes": _count(where)}
    rate = float(said.mean())
    fewer = min(counts["people"], counts["scenes"])
    if fewer < 2:
        return CrossedRate(value=rate, **counts)
    apart = (said - rate) / said.size
    one_way = [_between(apart, each) for each in (who, where)]
    both = _between(apart, _coded(list(zip(people, scenes, strict=True))))
    variance = max(sum(one_way) - both, *one_way)
    low, high = share_interval(rate, variance, clusters=fewer, n=float(said.size))
    return CrossedRate(value=rate, low=low, high=high, **counts)


def _coded(names: Sequence[object]) -> NDArray[np.intp]:
    codes = {name: k for k, name in enumerate(dict.fromkeys(names))}
    return np.array([codes[name] for name in names], dtype=np.intp)


def _count(codes: NDArray[np.intp]) -> int:
    return int(codes.max()) + 1


def _between(apart: NDArray[np.float64], codes: NDArray[np.intp]) -> float:
    """Return the variance of a sum of `apart` between clusters: one code each, two at least."""
    sums = np.bincount(codes, weights=apart)
    count = len(sums)
    return float(sums @ sums) * count / (count - 1)
