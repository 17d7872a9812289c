"""The variance of a difference of two clustered rates in closed form, and the n that follows.

A first guess for the search, and a check of it.
"""

from __future__ import annotations

from math import ceil

import numpy as np
from scipy import special

from valuesim.power.sampling import Assumed


def variance(assumed: Assumed) -> float:
    """Return the variance of the difference of the two rates times the number of units.

    An arm's rate is a ratio of sums over units of M opportunities. Its linearised variance is
    p q (1 + (E[M^2] / E[M] - 1) rho) / E[M] over the number of units (Kish, Survey Sampling, 1965,
    for clusters of unequal size); the covariance of two arms on the same seeds is
    E[M1 M2] / (E[M1] E[M2]) times that of the propensities.
    """
    one, two = np.array(assumed.opportunities, dtype=float).T
    rooms = [rate * (1 - rate) for rate in (assumed.first, assumed.second)]
    total = sum(
        room * (1 + ((m**2).mean() / m.mean() - 1) * assumed.likeness) / m.mean()
        for room, m in zip(rooms, (one, two), strict=True)
    )
    if assumed.is_paired:
        joint = float((one * two).mean() / (one.mean() * two.mean()))
        total -= 2 * joint * assumed.pairing * assumed.likeness * (rooms[0] * rooms[1]) ** 0.5
    return float(total)


def units_for(assumed: Assumed, *, power: float, level: float) -> int:
    """Return the units with which a normal test of the difference has `power`, at least 2."""
    difference = assumed.second - assumed.first
    margin = special.ndtri(0.5 + level / 2) + special.ndtri(power)
    return max(2, ceil(variance(assumed) * (margin / difference) ** 2))


def power_at(assumed: Assumed, units: int, *, level: float) -> float:
    """Return the power, in (0, 1), of a normal test of the difference with so many `units`."""
    shift = abs(assumed.second - assumed.first) * (units / variance(assumed)) ** 0.5
    margin = special.ndtri(0.5 + level / 2)
    return float(special.ndtr(shift - margin) + special.ndtr(-shift - margin))
