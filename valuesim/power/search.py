"""The smallest study that is large enough, by bracketing and bisection over simulated studies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from valuesim.power import formula
from valuesim.power.achieved import Achieved, achieved
from valuesim.power.sampling import Assumed, Studies

REPEATS = 3000
MOST_DRAWN = 2_000_000
"""Episodes drawn in all the studies of one size, at most: the repeats are fewer in large ones."""
LEAST_REPEATS = 1000
MOST_UNITS = 4000
"""The largest study that is simulated; beyond it the formula stands alone."""
JUMP = 0.05
_STEADY = 2
"""So many larger studies must be large enough as well: power is not quite monotone in n."""
_TABLE = (0.5, 0.75, 1.0, 1.25, 1.5)


@dataclass(frozen=True, kw_only=True, slots=True)
class Aim:
    """What a study is to achieve: `power` for a difference, or an interval no wider than `width`.

    With `width` the aim is that the interval of the first arm's rate is no wider in the share
    `power` of studies. `level` is that of the intervals.
    """

    power: float = 0.8
    level: float = 0.95
    width: float | None = None

    def is_met(self, found: Achieved) -> bool:
        """Return whether studies that achieve `found` are large enough."""
        return (found.power if found.narrow is None else found.narrow) >= self.power


@dataclass(frozen=True, kw_only=True, slots=True)
class Needed:
    """The units that an aim needs, and what studies of about that size achieve.

    `units` is None where more than `MOST_UNITS` are needed; `guess` is what the formula says, for
    power only. `found` is what a study of `units` achieves, `fewer` what one unit less does, and
    `table` what other sizes do, smallest first. `jump` is by how much one unit more raised the
    share aimed at, where that is more than `JUMP`: the aim cannot be met more closely.
    """

    units: int | None
    guess: int | None
    found: Achieved | None = None
    fewer: Achieved | None = None
    table: tuple[Achieved, ...] = ()
    jump: float | None = None


def needed(assumed: Assumed, aim: Aim, *, seed: int, repeats: int = REPEATS) -> Needed:
    """Return the fewest units that meet `aim`; equal arguments, equal figures."""
    guess = None
    if aim.width is None:
        guess = formula.units_for(assumed, power=aim.power, level=aim.level)
    start = min(max(guess or 16, 2), MOST_UNITS)
    if guess is not None and guess > 2 * MOST_UNITS:
        return Needed(units=None, guess=guess)
    bench = _Bench(assumed, aim, seed=seed, repeats=repeats, about=start)
    units = _least(bench.is_enough, start)
    if units is None:
        return Needed(units=None, guess=guess)
    while not all(bench.is_enough(units + more) for more in range(_STEADY + 1)):
        units += 1
    found = bench.of(units)
    fewer = bench.of(units - 1) if units > 2 else None
    gained = None if fewer is None else _share(found) - _share(fewer)
    sizes = sorted({max(2, round(units * each)) for each in _TABLE} | {units})
    return Needed(
        units=units,
        guess=guess,
        found=found,
        fewer=fewer,
        table=tuple(bench.of(size) for size in sizes if size <= 2 * MOST_UNITS),
        jump=gained if gained is not None and gained > JUMP else None,
    )


class _Bench:
    """Studies of one set of assumptions, by size; what was simulated once is kept."""

    def __init__(self, assumed: Assumed, aim: Aim, *, seed: int, repeats: int, about: int) -> None:
        drawn = max(LEAST_REPEATS, MOST_DRAWN // (2 * about))
        self._studies = Studies(assumed, repeats=min(repeats, drawn), seed=seed)
        self._aim = aim
        self._known: dict[int, Achieved] = {}

    def of(self, units: int) -> Achieved:
        if units not in self._known:
            self._known[units] = achieved(
                self._studies, units, level=self._aim.level, width=self._aim.width
            )
        return self._known[units]

    def is_enough(self, units: int) -> bool:
        return self._aim.is_met(self.of(units))


def _least(is_enough: Callable[[int], bool], start: int) -> int | None:
    """Return the least number from 2 that is enough, None beyond `MOST_UNITS`.

    `is_enough` is taken to stay true once it is.
    """
    low, high = 1, start
    while not is_enough(high):
        low = high
        if high == MOST_UNITS:
            return None
        high = min(2 * high, MOST_UNITS)
    # from a good guess downwards in small steps: half of it is rarely far enough
    step = max(1, (high - low) // 8)
    while high - step > low and is_enough(high - step):
        high, step = high - step, 2 * step
    low = max(low, high - step)
    # closer than one in a hundred is beyond what the simulation tells
    while high - low > max(1, high // 100):
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def _share(found: Achieved) -> float:
    return found.power if found.narrow is None else found.narrow
