"""Differences of two rates that were measured on the same units, with intervals that know it.

A unit is what is drawn again: a seed, a scene, a chain of episodes. Where two arms play the same
seeds, an easy world is easy for both, so that the difference is known better than either rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]
Counts = Mapping[Any, tuple[float, float]]
"""What each unit did and could have done: unit -> (done, possible), 0 <= done <= possible."""

_LEAST_VARIANCE = 1e-12
_BISECTIONS = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class PairedDifference:
    """The rate of the second arm less that of the first; None where the evidence allows no figure.

    `first` and `second` are rates in [0, 1], `value` their difference in [-1, 1], `low` and `high`
    its interval. `n_first` and `n_second` count what was possible in each arm, `units_first` and
    `units_second` the units that hold any of it, `units` those that are in both arms.
    `correlation`, in [-1, 1], is that of the two rates' errors, as the interval used it. `why` is a
    sentence where there is no interval.
    """

    first: float | None = None
    second: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n_first: float = 0
    n_second: float = 0
    units: int = 0
    units_first: int = 0
    units_second: int = 0
    correlation: float | None = None
    why: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PairedDifferences:
    """Many paired differences at once: arrays of one length, nan where there is no figure.

    `first_limits` and `second_limits` hold the intervals of the rates, of shape (repeats, 2), and
    `first_chances` and `second_chances` the independent chances that the limits take them for.
    """

    first: Array
    second: Array
    value: Array
    low: Array
    high: Array
    correlation: Array
    units: Array
    first_limits: Array
    second_limits: Array
    first_chances: Array
    second_chances: Array


def paired_difference(
    first: Counts, second: Counts, *, level: float = 0.95, is_binary: bool = True
) -> PairedDifference:
    """Return the rate of `second` less that of `first`, with its interval at `level`.

    Each rate is sum(done) / sum(possible) over the units of its arm. A unit of which nothing was
    possible in an arm is not in that arm; one that is in one arm only counts in that arm. No unit
    in an arm: no difference. One unit in an arm: no interval. See `paired_differences` for the
    method, and for `is_binary`.
    """
    arrays = aligned(first, second)
    found = paired_differences(*arrays, level=level, is_binary=is_binary)
    n_first, n_second = float(arrays[1].sum()), float(arrays[3].sum())
    of_first, of_second = int((arrays[1] > 0).sum()), int((arrays[3] > 0).sum())
    return PairedDifference(
        first=_known(found.first),
        second=_known(found.second),
        value=_known(found.value),
        low=_known(found.low),
        high=_known(found.high),
        n_first=n_first,
        n_second=n_second,
        units=int(found.units[0]),
        units_first=of_first,
        units_second=of_second,
        correlation=_known(found.correlation),
        why=_why(of_first, of_second),
    )


def paired_differences(
    done_first: Array,
    possible_first: Array,
    done_second: Array,
    possible_second: Array,
    *,
    level: float | Array = 0.95,
    is_binary: bool = True,
) -> PairedDifferences:
    """Return many paired differences at once; the arrays are of shape (repeats, units).

    The interval is Newcombe's (Statistics in Medicine 17:2635, 1998, method 10; MOVER): the
    distances of each rate to its own limits are squared and added, less twice their product times
    the correlation of the two rates. The limits of a rate are those of Korn and Graubard (see
    `interval.clustered_rate`; `is_binary` as there). The correlation is that of the linearised
    residuals, done less rate times possible, of the units in both arms; where it is positive it is
    lessened as in Newcombe's continuity correction, as if at least one effective chance had gone
    differently. Rows of `possible` that are 0 stand for units that are not in that arm.
    """
    one = _arm(done_first, possible_first, level, is_binary)
    two = _arm(done_second, possible_second, level, is_binary)
    correlation = _correlation(one, two)
    value = two["rate"] - one["rate"]
    return PairedDifferences(
        first=one["rate"],
        second=two["rate"],
        value=value,
        low=value - joined(two["below"], one["above"], correlation),
        high=value + joined(two["above"], one["below"], correlation),
        correlation=correlation,
        units=((possible_first > 0) & (possible_second > 0)).sum(axis=-1),
        first_limits=np.stack([one["rate"] - one["below"], one["rate"] + one["above"]], axis=-1),
        second_limits=np.stack([two["rate"] - two["below"], two["rate"] + two["above"]], axis=-1),
        first_chances=one["chances"],
        second_chances=two["chances"],
    )


def paired_p(first: Counts, second: Counts, *, is_binary: bool = True) -> float | None:
    """Return the p-value in (0, 1] of no difference; None where there is no interval.

    It is one less the level at which the interval of `paired_difference` ends at 0.
    """
    arrays = aligned(first, second)
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        found = paired_differences(*arrays, level=1 - middle, is_binary=is_binary)
        if np.isnan(found.low[0]):
            return None
        is_apart = found.low[0] > 0 or found.high[0] < 0
        low, high = (low, middle) if is_apart else (middle, high)
    return high


def aligned(first: Counts, second: Counts) -> tuple[Array, Array, Array, Array]:
    """Return done and possible of both arms, each of shape (1, units); 0 where a unit is not."""
    units = dict.fromkeys([*first, *second])
    nothing = (0.0, 0.0)
    table = np.array(
        [(*first.get(unit, nothing), *second.get(unit, nothing)) for unit in units], dtype=float
    ).reshape(len(units), 4)
    done_first, possible_first, done_second, possible_second = table.T[:, None, :]
    return done_first, possible_first, done_second, possible_second


def _arm(done: Array, possible: Array, level: float | Array, is_binary: bool) -> dict[str, Array]:
    """Return the rate of each row, how far its limits are, its residuals and its variance."""
    with np.errstate(divide="ignore", invalid="ignore"):
        total = possible.sum(axis=-1)
        units = (possible > 0).sum(axis=-1).astype(float)
        rate = np.minimum(1.0, done.sum(axis=-1) / total)
        residuals = (done - rate[..., None] * possible) / total[..., None]
        variance = units / (units - 1) * (residuals**2).sum(axis=-1)
        most = np.maximum(total, units) if is_binary else np.full_like(total, np.inf)
        tail = (1 - np.asarray(level, dtype=float)) / 2
        n = _effective(rate, variance, units, most, tail)
        low, high = exact_limits(rate, n, tail)
    few = units < 2
    return {
        "rate": rate,
        "below": np.where(few, np.nan, rate - low),
        "above": np.where(few, np.nan, high - rate),
        "residuals": residuals,
        "variance": variance,
        "chances": n,
    }


def _effective(rate: Array, variance: Array, units: Array, most: Array, tail: Any) -> Array:
    """Return the effective number of chances, as `interval.share_interval` takes it."""
    shrink = (special.ndtri(1 - tail) / special.stdtrit(units - 1, 1 - tail)) ** 2
    number = np.minimum(rate * (1 - rate) / variance, most) * shrink
    return np.where(variance < _LEAST_VARIANCE, units, number)


def exact_limits(rate: Array, n: Array, tail: Any) -> tuple[Array, Array]:
    """Return the limits of `rate` in `n` chances, `tail` of either side (Clopper and Pearson)."""
    hits = rate * n
    low = np.where(hits > 1e-9, special.betaincinv(hits, n - hits + 1, tail), 0.0)
    high = np.where(n - hits > 1e-9, special.betaincinv(hits + 1, n - hits, 1 - tail), 1.0)
    return low, high


def _correlation(one: dict[str, Array], two: dict[str, Array]) -> Array:
    """Return the correlation of two rates; 0 where one of them does not differ between units."""
    shared = (one["residuals"] * two["residuals"]).sum(axis=-1)
    spread = [np.sqrt((each["residuals"] ** 2).sum(axis=-1)) for each in (one, two)]
    room = [each["rate"] * (1 - each["rate"]) for each in (one, two)]
    with np.errstate(divide="ignore", invalid="ignore"):
        raw = shared / (spread[0] * spread[1])
        lessened = np.maximum(0.0, raw - _one_chance(one, two, room[0] * room[1]))
    is_flat = (one["variance"] < _LEAST_VARIANCE) | (two["variance"] < _LEAST_VARIANCE)
    found = np.where(is_flat, 0.0, np.clip(np.where(raw > 0, lessened, raw), -1.0, 1.0))
    return np.where(np.isnan(one["below"]) | np.isnan(two["below"]), np.nan, found)


def _one_chance(one: dict[str, Array], two: dict[str, Array], room: Array) -> Array:
    """Return by how much one chance of the effective number n, gone differently, lowers it.

    1 / (2 n r (1 - r)) at equal rates r; n r (1 - r) is (r (1 - r)) squared over the variance.
    """
    return np.sqrt(one["variance"] * two["variance"]) / (2 * room)


def joined(own: Array, other: Array, correlation: Array) -> Array:
    """Return how far a limit of a difference is from it, from those of its two rates."""
    return np.sqrt(np.maximum(0.0, own**2 + other**2 - 2 * correlation * own * other))


def _known(found: Array) -> float | None:
    return None if np.isnan(found[0]) else float(found[0])


def _why(first: int, second: int) -> str | None:
    for arm, units in (("first", first), ("second", second)):
        if units == 0:
            return f"nothing was possible in the {arm} arm"
        if units == 1:
            return f"one unit only in the {arm} arm, which tells nothing of how units differ"
    return None
