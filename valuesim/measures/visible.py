"""The smallest difference of two rates that would have been seen, given the units there were."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from valuesim.measures.paired import Counts, aligned, exact_limits, joined, paired_differences

Array = NDArray[np.float64]

POWER = 0.8
_FINE = 40


def visible_difference(first: Counts, second: Counts, *, level: float) -> float | None:
    """Return about the smallest difference, in (0, 1], that is seen with 80 % probability.

    Seen is what the interval of `paired_difference` at `level` leaves 0 out of. One arm has the
    rate of all units together, the other that rate and the difference. Each has the limits and the
    variance that belong to its own rate, with as many effective chances as it has now: rates are
    asymmetric, and a rise from 2 % varies more than 2 % do. Of a rise and a fall, in either arm,
    it is the one that is harder to see; where there is no room for one (2 % cannot fall by 5) it is
    the other. None where there is room for neither, or where there is no interval.
    """
    arrays = aligned(first, second)
    found = paired_differences(*arrays, level=level)
    if np.isnan(found.low[0]):
        return None
    rate = float((arrays[0].sum() + arrays[2].sum()) / (arrays[1].sum() + arrays[3].sum()))
    chances = float(found.first_chances[0]), float(found.second_chances[0])
    correlation = max(float(found.correlation[0]), 0.0)
    # a fall is a rise of what is not done
    steps = [
        _smallest_rise(start, still, moved, correlation, (1 - level) / 2)
        for start in (rate, 1 - rate)
        for still, moved in (chances, chances[::-1])
    ]
    known = [each for each in steps if each is not None]
    return max(known) if known else None


def _smallest_rise(
    rate: float, still: float, moved: float, correlation: float, tail: float
) -> float | None:
    """Return the smallest rise of one arm, of `moved` chances, that is seen; None without room."""
    low, high = 0.0, 1 - rate
    for _ in range(2):
        rises = np.linspace(low, high, _FINE + 1)[1:]
        is_found = _is_seen(rate, rises, still, moved, correlation, tail)
        if not is_found.any():
            return None
        place = int(np.argmax(is_found))
        low, high = (float(rises[place - 1]) if place else low), float(rises[place])
    return high


def _is_seen(
    rate: float, rises: Array, still: float, moved: float, correlation: float, tail: float
) -> NDArray[np.bool_]:
    """Return whether each of `rises` is seen with the probability `POWER`."""
    here, there, joint = np.full_like(rises, rate), rate + rises, np.array(correlation)

    def apart(one: Array, two: Array) -> Array:
        """Return the lower end of the interval, where these rates are found."""
        _, top = exact_limits(one, np.full_like(one, still), tail)
        low, _ = exact_limits(two, np.full_like(two, moved), tail)
        return two - one - joined(two - low, top - one, joint)

    # a rate that is found one error off moves the limits as well
    least = apart(here, there)
    up = least - apart(np.minimum(here + _error(here, still), 1.0), there)
    down = least - apart(here, np.maximum(there - _error(there, moved), 0.0))
    return np.asarray(least >= special.ndtri(POWER) * joined(up, down, joint))


def _error(rate: Array, chances: float) -> Array:
    return np.asarray(np.sqrt(rate * (1 - rate) / chances))
