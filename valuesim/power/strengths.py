"""How many episodes separate two values' strengths, from the questions that a design asks.

The questions are those of episodes that were played without a model. Answers to them are drawn
(`power.answers`), and a study counts where the interval of the difference leaves out 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import ceil

import numpy as np
from scipy import special

from valuesim.choices import Choices
from valuesim.errors import InputError, unknown
from valuesim.graph.design import Design, compact
from valuesim.graph.logit import PRIOR_SD, information
from valuesim.power.answers import Planted, separated, truth
from valuesim.power.search import Aim

REPEATS = 300
MOST_DECISIONS = 20_000
"""The largest study that is simulated."""
FIRST_DECISIONS = 2_000
"""The largest study that is tried first."""
START = 4
_TRIES = 6

Questions = Callable[[int], Choices]
"""What so many episodes of each cell ask, whatever was answered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Separated:
    """What studies of `episodes` in each cell achieve for two values.

    `power` is the share, in [0, 1], whose interval of the difference leaves out 0, `error` its
    Monte Carlo standard error, `width` the mean width of that interval in log-odds.
    """

    episodes: int
    decisions: int
    clusters: int
    power: float
    error: float
    width: float


@dataclass(frozen=True, kw_only=True, slots=True)
class StrengthPlan:
    """The episodes of each cell that separate `over` from `under`; `why` where none is named.

    `episodes` is None there. `tried` holds what the sizes tried achieve, smallest first, `easiest`
    and `hardest` the other pairs that need the fewest and the most episodes, by the information of
    the design. `jump` is by how much one episode more raised the power, where it is over 5 points.
    """

    over: str
    under: str
    unit: str
    episodes: int | None
    found: Separated | None
    tried: tuple[Separated, ...]
    easiest: tuple[str, str, int] | None = None
    hardest: tuple[str, str, int] | None = None
    jump: float | None = None
    why: str | None = None


def plan_strength(
    questions: Questions,
    planted: Planted,
    aim: Aim,
    *,
    pair: tuple[str, str] | None = None,
    seed: int,
    repeats: int = REPEATS,
) -> StrengthPlan:
    """Return how many episodes of each cell separate `pair`; equal arguments, equal figures.

    Without a pair it is the one of median information. Raises InputError for a value that no
    question puts at stake, or where questions compare nothing.
    """
    asked = questions(START)
    design, design_decisions = compact(asked), asked.decisions
    variances = _variances(design, planted, seed)
    if not variances:
        raise InputError("no question sets two values against each other: there are no strengths")
    over, under = pair or sorted(variances, key=lambda p: variances[p])[len(variances) // 2]
    for value in (over, under):
        if value not in design.values:
            raise InputError(unknown("value", value, design.values, "--pair"))
    own = variances.get((over, under)) or variances[under, over]
    margin = special.ndtri(0.5 + aim.level / 2) + special.ndtri(aim.power)
    start = max(1, ceil(START * own * (margin / planted.strength) ** 2))
    bench = _Bench(questions, planted, aim, (over, under), seed=seed, repeats=repeats)
    most = max(1, FIRST_DECISIONS * START // max(design_decisions, 1))
    size, why = _least(bench, min(start, most), aim, planted.strength)
    found = None if size is None else bench.known[size]
    tried = tuple(bench.known[each] for each in sorted(bench.known))
    made = StrengthPlan(
        over=over,
        under=under,
        unit=design.unit,
        episodes=None if found is None else found.episodes,
        found=found,
        tried=tried,
        why=why,
    )
    if found is None:
        return made
    ranked = sorted(variances, key=lambda p: variances[p])
    others = [(u, w, max(1, ceil(found.episodes * variances[u, w] / own))) for u, w in ranked]
    fewer = bench.known.get(found.episodes - 1)
    jump = None if fewer is None or found.power - fewer.power <= 0.05 else found.power - fewer.power
    return replace(made, easiest=others[0], hardest=others[-1], jump=jump)


def _variances(design: Design, planted: Planted, seed: int) -> dict[tuple[str, str], float]:
    """Return the variance of each pair's difference by the information that `design` brings.

    Answers to one scene count for less by Kish's design effect (Survey Sampling, 1965).
    """
    if not design.situations:
        return {}
    theta = truth(design, planted, None, seed)
    sizes = np.asarray(design.asked.sum(axis=1)).ravel()
    effect = 1 + ((sizes**2).sum() / max(sizes.sum(), 1) - 1) * planted.likeness
    prior = np.eye(len(theta)) * PRIOR_SD**-2
    covariance = np.linalg.inv(information(design, design.met, theta) + prior)
    spread = np.diag(covariance)
    return {
        (u, w): float(effect * (spread[i] + spread[j] - 2 * covariance[i, j]))
        for (i, u), (j, w) in combinations(enumerate(design.values), 2)
    }


class _Bench:
    def __init__(
        self,
        questions: Questions,
        planted: Planted,
        aim: Aim,
        pair: tuple[str, str],
        *,
        seed: int,
        repeats: int,
    ) -> None:
        self._questions, self._planted, self._aim, self._pair = questions, planted, aim, pair
        self._seed, self._repeats = seed, repeats
        self.known: dict[int, Separated] = {}
        self.unit = "scene"

    def of(self, episodes: int) -> Separated | None:
        """Return what studies of so many episodes achieve; None where they are too large."""
        if episodes not in self.known:
            choices = self._questions(episodes)
            if choices.decisions > MOST_DECISIONS:
                return None
            design = compact(choices)
            self.unit = design.unit
            power, width = separated(
                design,
                self._planted,
                self._aim,
                self._pair,
                seed=self._seed,
                repeats=self._repeats,
            )
            self.known[episodes] = Separated(
                episodes=episodes,
                decisions=choices.decisions,
                clusters=len(design.clusters),
                power=power,
                error=(power * (1 - power) / self._repeats) ** 0.5,
                width=width,
            )
        return self.known[episodes]


def _least(bench: _Bench, start: int, aim: Aim, strength: float) -> tuple[int | None, str | None]:
    """Return the size of the smallest study found that is large enough, and why where none is.

    Once the same scenes were asked in two sizes, the next size is where the width falls to what is
    wanted if its square is a + b / n: a is what scenes differ by, which no more answers make less.
    """
    low, high, size = 0, None, start
    why = None
    for _ in range(_TRIES):
        tried = bench.of(size)
        if tried is None:
            why = f"{MOST_DECISIONS:,} decisions are not enough"
            break
        low, high = (low, size) if tried.power >= aim.power else (size, high)
        if high is not None and high - low <= max(1, high // 50):
            break
        curve = _curve(list(bench.known.values()))
        wanted = wanted_width(aim, strength) ** 2
        if curve is not None and high is None and curve[0] >= 0.98 * wanted:
            least = strength * (curve[0] / wanted) ** 0.5
            why = (
                f"there are {tried.clusters} {bench.unit}s only: however often they are asked, "
                f"they separate no less than about {least:.2f} log-odds"
            )
            break
        if curve is not None and curve[0] < wanted and curve[1] > 0:
            size = ceil(curve[1] / (wanted - curve[0]))
        else:
            size = ceil(size * (tried.width**2) / wanted)
        least, most = low + 1, 4 * low + 2 if high is None else high - 1
        size = min(max(size, least), most)
    return high, None if high is not None else why or "no size that was tried is enough"


def wanted_width(aim: Aim, strength: float) -> float:
    """Return the width of an interval at which a true difference of `strength` has the power."""
    margin = special.ndtri(0.5 + aim.level / 2)
    return float(2 * margin * strength / (margin + special.ndtri(aim.power)))


def _curve(tried: Sequence[Separated]) -> tuple[float, float] | None:
    """Return a and b of width^2 = a + b / n, from the last two sizes that asked the same scenes."""
    two = sorted(tried, key=lambda each: each.episodes)[-2:]
    if len(two) < 2 or two[0].clusters != two[1].clusters:
        return None
    one, other = two
    slope = (one.width**2 - other.width**2) / (1 / one.episodes - 1 / other.episodes)
    return max(0.0, other.width**2 - slope / other.episodes), slope
