"""Studies that never took place: counts of two arms, drawn from what is assumed of episodes.

An episode gives an agent some opportunities, of which it takes each with a propensity that is the
episode's own. Propensities are beta distributed about the arm's rate, so that the counts are
beta-binomial (Skellam, Journal of the Royal Statistical Society B 10:257, 1948); those of the two
arms on one seed are joined by a normal copula.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from valuesim.errors import InputError

Array = NDArray[np.float64]

BLOCK = 64
"""Episodes drawn at once; each block has a stream of its own, so that larger studies extend."""
_GRID = np.linspace(-8.0, 8.0, 4001)
_SAME = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class Assumed:
    """What is assumed of the episodes of one cell in two arms.

    `first` and `second` are the true rates, in [0, 1]. `opportunities` lists what single seeds
    gave, as (in the first arm, in the second); a study draws from it with replacement. `likeness`,
    in [0, 1], is the correlation of two opportunities of one episode, `pairing`, in [-1, 1], that
    of the two arms' propensities on one seed; without `is_paired` the arms have other seeds.
    """

    first: float
    second: float
    opportunities: tuple[tuple[int, int], ...]
    likeness: float
    pairing: float = 0.0
    is_paired: bool = True

    def __post_init__(self) -> None:
        """Raise InputError for what no study can be drawn from."""
        for name, low in (("first", 0), ("second", 0), ("likeness", 0), ("pairing", -1)):
            given = getattr(self, name)
            if not low <= given <= 1:
                raise InputError(f"{name}={given:g} is not allowed: {low} to 1")
        for arm in range(2):
            if not any(pair[arm] for pair in self.opportunities):
                raise InputError("no episode gives an opportunity: no study can be planned")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Drawn:
    """Counts of many studies, each array of shape (repeats, units)."""

    done_first: Array
    possible_first: Array
    done_second: Array
    possible_second: Array

    @property
    def arrays(self) -> tuple[Array, Array, Array, Array]:
        """The four arrays, as `paired_differences` takes them."""
        return self.done_first, self.possible_first, self.done_second, self.possible_second


class Studies:
    """Many studies of the same assumptions; one of more units holds those of fewer."""

    def __init__(self, assumed: Assumed, *, repeats: int, seed: int) -> None:
        self.assumed, self.repeats, self._seed = assumed, repeats, seed
        self._pool = np.array(assumed.opportunities, dtype=np.int64)
        self._quantiles = [quantiles(rate, assumed.likeness) for rate in _rates(assumed)]
        self._drawn: list[Array] = [np.empty((repeats, 0)) for _ in range(4)]
        self._blocks = 0

    def of(self, units: int) -> Drawn:
        """Return the studies of so many `units` (at least 1): seeds, or episodes in each arm."""
        if units > self._blocks * BLOCK:
            number = -(-units // BLOCK)
            blocks = [self._block(block) for block in range(self._blocks, number)]
            self._drawn = [
                np.concatenate(parts, axis=1) for parts in zip(self._drawn, *blocks, strict=True)
            ]
            self._blocks = number
        joined = [each[:, :units] for each in self._drawn]
        return Drawn(
            done_first=joined[0],
            possible_first=joined[1],
            done_second=joined[2],
            possible_second=joined[3],
        )

    def _block(self, number: int) -> Sequence[Array]:
        rng = np.random.default_rng([self._seed, number])
        shape = (self.repeats, BLOCK)
        r = self.assumed.pairing if self.assumed.is_paired else 0.0
        one, own = rng.standard_normal(shape), rng.standard_normal(shape)
        other = r * one + np.sqrt(1 - r * r) * own
        row = rng.integers(len(self._pool), size=shape)
        beside = row if self.assumed.is_paired else rng.integers(len(self._pool), size=shape)
        arms: list[Array] = []
        for arm, (z, drawn) in enumerate(((one, row), (other, beside))):
            possible = self._pool[:, arm][drawn]
            propensity = np.interp(z, _GRID, self._quantiles[arm])
            arms += [rng.binomial(possible, propensity).astype(float), possible.astype(float)]
        return arms


def quantiles(rate: float, likeness: float) -> Array:
    """Return the propensity at each normal score of the grid, for the mean `rate`.

    Without `likeness` all are the rate; with 1 each is 0 or 1.
    """
    if likeness < _SAME or rate in (0.0, 1.0):
        return np.full(len(_GRID), rate)
    if likeness > 1 - _SAME:
        return np.asarray(_GRID + special.ndtri(rate) > 0, dtype=float)
    size = 1 / likeness - 1
    shares = special.ndtr(_GRID)
    found = special.betaincinv(rate * size, (1 - rate) * size, shares)
    return np.asarray(np.clip(np.nan_to_num(found), 0.0, 1.0))


def _rates(assumed: Assumed) -> tuple[float, float]:
    return assumed.first, assumed.second
