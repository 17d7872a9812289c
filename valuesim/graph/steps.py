"""A figure followed over ordered checkpoints: whether it moved, when, and by a step or a trend.

Whether: the mean after each gap between checkpoints less the mean before it, in standard errors;
the largest of these scores is compared with the largest there would be if nothing moved, by draws
of the same covariance. When: a step in each gap in turn and a straight trend are models of the
figures, with a free level and a free size whose prior is flat and means the same in all of them
(the change from first to last), so that their marginal likelihoods can be set against each other.
The covariance there is simplified: each checkpoint's own variance, and one correlation, the mean of
all pairs, as the correlations of few clusters are not known singly (the target of Ledoit and Wolf
2003).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from valuesim.graph.contrasts import freedom
from valuesim.graph.design import FloatArray

STEP, TREND, EITHER = "step", "trend", "undetermined"
CREDIBLE = 0.95
_POWER = 0.8
_DRAWS = 20_000
_MOST_CORRELATED = 0.95
_RAREST = 1e-300


@dataclass(frozen=True, kw_only=True, slots=True)
class Movement:
    """Whether a figure moved at all; `p` is that of nothing having moved, uncorrected.

    `visible` is the smallest step that would be seen with 80 % probability in whichever gap it lay,
    in the figure's unit.
    """

    p: float
    visible: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """When a figure changed, given that it did.

    `gap` is the likeliest gap, g being that between checkpoints g and g + 1, counted from 0, and
    `probabilities` those of each, which sum to 1. `first` and `last` are the checkpoints between
    which the change lies with 95 %: the ends of the shortest run of gaps that holds as much.
    `step` is the probability that it is a step and not a straight trend, `shape` what that
    supports ("undetermined" short of 95 % either way). `size` is the mean after `gap` less the mean
    before it, `low` to `high` its 95 % interval, of the gap as it was found.
    """

    gap: int
    probabilities: tuple[float, ...]
    first: int
    last: int
    step: float
    shape: str
    size: float
    low: float
    high: float


def movement(
    estimate: FloatArray,
    covariance: FloatArray,
    clusters: float,
    rng: np.random.Generator,
    *,
    error: float = 0.05,
) -> Movement:
    """Return whether the estimates (one a checkpoint, two at least) moved.

    `clusters` is the effective number that they rest on, `error` the level at which `visible` is
    told: 5 % over the number of figures that are looked at.
    """
    splits = _splits(len(estimate))
    spread = np.sqrt(np.einsum("kt,tu,ku->k", splits, covariance, splits))
    spread = np.where(spread > 0, spread, np.inf)
    variances, directions = np.linalg.eigh(covariance)
    root = directions * np.sqrt(np.maximum(variances, 0.0))
    chance = np.abs(rng.standard_normal((_DRAWS, len(estimate))) @ root.T @ splits.T / spread)
    highest = np.sort(chance.max(axis=1))
    # as a normal score that is as rare as Student's t
    free = freedom(np.array([clusters]))
    rare = special.stdtr(free, -np.abs(splits @ estimate / spread).max())[0]
    seen = -special.ndtri(max(rare, _RAREST))
    above = len(highest) - np.searchsorted(highest, seen, side="left")
    bound = -special.stdtrit(free, special.ndtr(-np.quantile(highest, 1 - error)))[0]
    return Movement(
        p=float((above + 1) / (_DRAWS + 1)),
        visible=float((bound + special.ndtri(_POWER)) * spread[np.isfinite(spread)].max(initial=0)),
    )


def timing(
    estimate: FloatArray, covariance: FloatArray, positions: Sequence[float], clusters: float
) -> Timing:
    """Return when the estimates (one a checkpoint, two at least) changed, given that they did."""
    quantile = float(special.stdtrit(freedom(np.array([clusters])), 0.975)[0])
    wider = quantile / special.ndtri(0.975)
    weight = np.asarray(np.linalg.inv(_simplified(covariance) * wider**2), dtype=float)
    scores = np.array([_evidence(estimate, weight, line) for line in _lines(len(estimate))])
    place = np.asarray(positions, dtype=float)
    trend = _evidence(estimate, weight, (place - place[0]) / (place[-1] - place[0]))
    weights = np.exp(scores - scores.max())
    shares = weights / weights.sum()
    gap = int(np.argmax(shares))
    first, last = _shortest(shares)
    # the step's gap is unknown, so that its evidence is the mean over gaps
    mean = np.log(weights.mean()) + scores.max()
    step = float(special.expit(mean - trend)) if len(scores) > 1 else 1.0
    split = _splits(len(estimate))[gap]
    size = float(split @ estimate)
    half = quantile * float(np.sqrt(max(split @ covariance @ split, 0.0)))
    return Timing(
        gap=gap,
        probabilities=tuple(map(float, shares)),
        first=first,
        last=last,
        step=step,
        shape=_shape(step),
        size=size,
        low=size - half,
        high=size + half,
    )


def _shape(step: float) -> str:
    return STEP if step >= CREDIBLE else TREND if step <= 1 - CREDIBLE else EITHER


def _splits(count: int) -> FloatArray:
    """Return the contrasts (gaps x checkpoints) of the mean after each gap and that before it."""
    after = np.array(_lines(count))
    before = 1 - after
    means = [each / each.sum(axis=1, keepdims=True) for each in (after, before)]
    return np.asarray(means[0] - means[1])


def _lines(count: int) -> list[FloatArray]:
    """Return a step in each gap: 0 before, 1 after."""
    return [(np.arange(count) > gap).astype(float) for gap in range(count - 1)]


def _simplified(covariance: FloatArray) -> FloatArray:
    spread = np.sqrt(np.maximum(np.diag(covariance), _RAREST))
    count = len(spread)
    correlation = covariance / np.outer(spread, spread)
    mean = (correlation.sum() - count) / (count * (count - 1))
    mean = min(max(float(mean), 0.0), _MOST_CORRELATED)
    return np.asarray(np.outer(spread, spread) * (mean + (1 - mean) * np.eye(count)))


def _evidence(estimate: FloatArray, weight: FloatArray, line: FloatArray) -> float:
    """Return the log marginal likelihood of level + size * `line`, flat priors on both."""
    design = np.column_stack([np.ones(len(line)), line])
    information = design.T @ weight @ design
    left = estimate - design @ np.linalg.solve(information, design.T @ weight @ estimate)
    _, volume = np.linalg.slogdet(information)
    return float(-0.5 * (left @ weight @ left + volume))


def _shortest(shares: FloatArray) -> tuple[int, int]:
    """Return the checkpoints around the shortest run of gaps that holds 95 %, the likelier first.

    Of runs as short as each other it is the one that holds most.
    """
    below = np.concatenate([[0.0], np.cumsum(shares)])
    runs = [
        (end - start, -(below[end] - below[start]), start, end)
        for start in range(len(shares))
        for end in range(start + 1, len(shares) + 1)
        if below[end] - below[start] >= CREDIBLE - 1e-9
    ]
    _, _, start, end = min(runs)
    return start, end
