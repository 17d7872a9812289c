"""What a pilot says of episodes: the likeness of their decisions and the pairing of two arms.

Both are moment estimates, chosen so that the variance which an interval would find in the pilot is
the one that the assumptions give back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from valuesim.power.sampling import Array

THIN = 10
"""Units below which a pilot is called thin."""
DRAWS = 1000
MOST_ALLOWANCE = 4.0
_NONE = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A figure from a pilot with its 95 % interval, over samples of its `units`.

    `low` and `high` are None where there are fewer than two units.
    """

    value: float
    low: float | None
    high: float | None
    units: int

    @property
    def is_thin(self) -> bool:
        """Whether there are too few units to go by."""
        return self.units < THIN


def rate(pairs: Mapping[str, tuple[int, int]], *, seed: int) -> Estimate | None:
    """Return the rate of `pairs`, unit -> (done, possible); None without an opportunity."""
    return _estimated(_table(pairs), lambda t: _rates(t, 0), seed)


def likeness(pairs: Mapping[str, tuple[int, int]], *, seed: int) -> Estimate | None:
    """Return the correlation, in [0, 1], of two opportunities of one unit.

    It solves the linearised variance of the rate (see `formula.variance`). None where the rate is
    0 or 1, or no unit has two opportunities: then nothing is known of it.
    """
    return _estimated(_table(pairs), lambda t: _likenesses(t, 0), seed)


def pairing(
    first: Mapping[str, tuple[int, int]], second: Mapping[str, tuple[int, int]], *, seed: int
) -> Estimate | None:
    """Return the correlation, in [-1, 1], of two arms' propensities on the units of both.

    None where one of them does not differ between units, so that there is nothing to correlate.
    """
    shared = [unit for unit in first if unit in second]
    table = np.array([(*first[unit], *second[unit]) for unit in shared], dtype=float)
    return _estimated(table.reshape(-1, 4), _pairings, seed)


def allowance(
    first: Mapping[str, tuple[int, int]],
    second: Mapping[str, tuple[int, int]],
    *,
    power: float,
    level: float,
    seed: int,
) -> float:
    """Return by what factor, from 1, units are more for a pilot that tells the variance roughly.

    With it the power, averaged over what the pilot leaves open (samples of its units), is `power`:
    an assurance (O'Hagan, Stevens and Campbell, Pharmaceutical Statistics 4:187, 2005). The two
    arms may be one and the same. With fewer than two units in both it is 1.
    """
    shared = [unit for unit in first if unit in second]
    table = np.array([(*first[unit], *second[unit]) for unit in shared], dtype=float)
    if len(shared) < 2:
        return 1.0
    rng = np.random.default_rng([seed, len(shared)])
    drawn = table[rng.integers(len(shared), size=(DRAWS, len(shared)))]
    is_one_arm = first == second
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = _variances(drawn, is_one_arm) / _variances(table[None], is_one_arm)[0]
    shares = shares[np.isfinite(shares)]
    margin = special.ndtri(0.5 + level / 2)
    wanted = margin + special.ndtri(power)

    def mean_power(factor: float) -> float:
        return float(special.ndtr(wanted * np.sqrt(factor * shares) - margin).mean())

    if not len(shares) or mean_power(1.0) >= power:
        return 1.0
    low, high = 1.0, MOST_ALLOWANCE
    while high - low > 0.005:
        middle = (low + high) / 2
        low, high = (low, middle) if mean_power(middle) >= power else (middle, high)
    return high


def _variances(tables: Array, is_one_arm: bool) -> Array:
    """Return what the variance of the difference is proportional to, from linearised residuals."""
    one, first, _ = _residuals(tables, 0)
    two, second, _ = _residuals(tables, 2)
    own = one / first.sum(axis=-1)[..., None]
    other = two / second.sum(axis=-1)[..., None]
    return np.asarray(((own if is_one_arm else other - own) ** 2).sum(axis=-1))


def _table(pairs: Mapping[str, tuple[int, int]]) -> Array:
    return np.array(list(pairs.values()), dtype=float).reshape(-1, 2)


def _estimated(table: Array, estimate: Callable[[Array], Array], seed: int) -> Estimate | None:
    """Return `estimate` of `table` (units x columns), which takes many tables at once."""
    units = len(table)
    if not units:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(estimate(table[None])[0])
        if np.isnan(value):
            return None
        rng = np.random.default_rng([seed, units])
        drawn = estimate(table[rng.integers(units, size=(DRAWS, units))])
    known = drawn[~np.isnan(drawn)]
    ends: Sequence[float | None] = (None, None)
    if units > 1 and len(known):
        low, high = np.quantile(known, [0.025, 0.975])
        ends = (min(float(low), value), max(float(high), value))
    return Estimate(value=value, low=ends[0], high=ends[1], units=units)


def _rates(tables: Array, column: int) -> Array:
    return np.asarray(tables[..., column].sum(axis=-1) / tables[..., column + 1].sum(axis=-1))


def _residuals(tables: Array, column: int) -> tuple[Array, Array, Array]:
    rates = _rates(tables, column)
    done, possible = tables[..., column], tables[..., column + 1]
    return done - rates[..., None] * possible, possible, rates * (1 - rates)


def _likenesses(tables: Array, column: int) -> Array:
    residuals, possible, room = _residuals(tables, column)
    units = tables.shape[-2]
    spread = (residuals**2).sum(axis=-1) * units / max(units - 1, 1)
    alone = room * possible.sum(axis=-1)
    together = room * (possible * (possible - 1)).sum(axis=-1)
    known = np.where(together > _NONE, together, np.nan)
    return np.asarray(np.clip((spread - alone) / known, 0.0, 1.0))


def _pairings(tables: Array) -> Array:
    one, first, _ = _residuals(tables, 0)
    two, second, _ = _residuals(tables, 2)
    units = tables.shape[-2]
    shared = (one * two).sum(axis=-1) * units / max(units - 1, 1)
    shared = shared / (first * second).sum(axis=-1)
    rates = [_rates(tables, column) for column in (0, 2)]
    spread = np.prod([rate * (1 - rate) for rate in rates], axis=0)
    spread = spread * _likenesses(tables, 0) * _likenesses(tables, 2)
    known = np.where(spread > _NONE, spread, np.nan)
    return np.asarray(np.clip(shared / np.sqrt(known), -1.0, 1.0))
