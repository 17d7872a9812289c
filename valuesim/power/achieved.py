"""What studies of a given number of episodes achieve: power, and the widths of their intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from valuesim.measures.paired import PairedDifferences, paired_differences
from valuesim.power.sampling import Array, Drawn, Studies


@dataclass(frozen=True, kw_only=True, slots=True)
class Achieved:
    """What studies of `units` seeds achieve, found in `repeats` of them.

    `power`, in [0, 1], is the share whose interval of the difference leaves out 0, `error` its
    Monte Carlo standard error. `width` is the mean width of that interval, `rate_width` that of
    the interval of the first arm's rate, and `narrow` the share in which the latter is no wider
    than was asked for (None where nothing was asked). A study without an interval shows nothing.
    """

    units: int
    power: float
    error: float
    width: float | None
    rate_width: float | None
    narrow: float | None
    repeats: int


def achieved(studies: Studies, units: int, *, level: float, width: float | None = None) -> Achieved:
    """Return what `studies` of so many `units` (at least 2) achieve."""
    found = tested(studies.of(units), level=level, is_paired=studies.assumed.is_paired)
    # nan compares as false: without an interval nothing is shown
    power = float(((found.low > 0) | (found.high < 0)).mean())
    widths = np.ptp(found.first_limits, axis=-1)
    return Achieved(
        units=units,
        power=power,
        error=(power * (1 - power) / studies.repeats) ** 0.5,
        width=_mean(found.high - found.low),
        rate_width=_mean(widths),
        narrow=None if width is None else float((widths <= width).mean()),
        repeats=studies.repeats,
    )


def tested(drawn: Drawn, *, level: float, is_paired: bool) -> PairedDifferences:
    """Return the differences that `compare` would find; without `is_paired` no unit is shared."""
    if is_paired:
        return paired_differences(*drawn.arrays, level=level)
    none = np.zeros_like(drawn.done_first)
    first = [np.concatenate([each, none], axis=1) for each in drawn.arrays[:2]]
    second = [np.concatenate([none, each], axis=1) for each in drawn.arrays[2:]]
    return paired_differences(*first, *second, level=level)


def _mean(widths: Array) -> float | None:
    known = widths[~np.isnan(widths)]
    return float(known.mean()) if len(known) else None
