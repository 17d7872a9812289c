"""Logit (quantal response) equilibria, and the rate that fits a sample of moves best.

In a logit equilibrium each player plays move i with probability proportional to
exp(rate * expected payoff of i) against the other's mix (McKelvey and Palfrey, Games and Economic
Behavior 10, 1995). At rate 0 all moves are equally likely; as it grows, the branch that starts
there leads to a Nash equilibrium of almost every game.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from valuesim.measures.strategic.equilibrium import Equilibrium, FloatArray, Game

BOOTSTRAPS = 200
_TOLERANCE = 1e-11
_FARTHEST = 0.05
"""The most that a probability may move in one step along the branch."""
_MOST_STEPS = 20_000
_PLACES = 160
_FLAT = 1e-6
"""A difference in log-likelihood that is none."""
_STEEPEST = 200.0
"""The highest rate that is searched, times the span of payoffs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FittedRate:
    """The maximum-likelihood rate per unit of payoff, with its 95 % interval.

    `value` and `high` are None where the likelihood still rises at the highest rate searched (the
    moves are as sharp as an equilibrium), all where there is nothing to fit or where every rate
    predicts the same (not `is_identified`). `log_likelihood` is that of the best rate, `uniform`
    that of rate 0, both in nats; `n` counts moves.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    log_likelihood: float | None = None
    uniform: float | None = None
    n: int = 0
    is_identified: bool = False


def quantal_response(game: Game, rate: float) -> Equilibrium | None:
    """Return the logit equilibrium at `rate` on the branch from the uniform mix.

    The branch is followed from rate 0 in steps, each solved by Newton's method. In a symmetric
    game both players play alike. None where it folds back, so that a rate has no next point.
    Raises ValueError for a negative rate.
    """
    return branch(game, [rate])[0]


def branch(game: Game, rates: Sequence[float]) -> list[Equilibrium | None]:
    """Return the logit equilibria at ascending `rates`, as `quantal_response` does for one."""
    if any(rate < 0 for rate in rates):
        raise ValueError(f"a logit rate is at least 0, not {min(rates):g}")
    size = len(game.moves)
    mix: FloatArray | None = np.full(size if game.is_symmetric else 2 * size, 1.0 / size)
    at, found = 0.0, []
    for rate in rates:
        mix = None if mix is None else _walk(game, mix, at, rate)
        at = rate
        found.append(None if mix is None else _pair(game, mix))
    return found


def fitted_rate(
    game: Game,
    moves: Sequence[str],
    clusters: Sequence[str],
    *,
    rng: np.random.Generator,
    bootstraps: int = BOOTSTRAPS,
) -> FittedRate:
    """Return the rate whose logit equilibrium makes the row player's `moves` most likely.

    The interval holds every rate that a likelihood-ratio test does not reject and the middle 95 %
    of the best rates of `bootstraps` resamples of `clusters` (one for each move); None with fewer
    than two clusters. The search is over rates from 0 to 200 / span of payoffs, as far as the
    branch can be followed.
    """
    if not moves or game.span <= 0:
        return FittedRate()
    rates, logs = _curve(game)
    counts = _counts(game, moves, clusters)
    heights = logs @ counts.sum(axis=0)
    if np.ptp(heights) < _FLAT:
        return FittedRate(n=len(moves))
    best = int(_best(heights))
    low, high = _interval(rates, logs, counts, rng, bootstraps)
    return FittedRate(
        value=None if best == len(rates) - 1 else float(rates[best]),
        low=low,
        high=high,
        log_likelihood=float(heights[best]),
        uniform=float(heights[0]),
        n=len(moves),
        is_identified=True,
    )


def logit(payoffs: FloatArray, rate: float) -> FloatArray:
    """Return probabilities proportional to exp(rate * payoffs)."""
    raised = np.exp(rate * (payoffs - payoffs.max()))
    return np.asarray(raised / raised.sum())


@lru_cache(maxsize=64)
def _curve(game: Game) -> tuple[FloatArray, FloatArray]:
    """Return the rates that are searched, and each move's log-probability at each of them."""
    rates = np.concatenate([[0.0], np.geomspace(0.01, _STEEPEST, _PLACES)]) / game.span
    found = [pair.row for pair in branch(game, rates.tolist()) if pair is not None]
    return _finer(rates[: len(found)], np.log(np.maximum(np.array(found), 1e-300)))


def _walk(game: Game, mix: FloatArray, start: float, end: float) -> FloatArray | None:
    """Return the mix at rate `end`, followed from `mix` at `start`; None where it cannot be."""
    at, step = start, end - start
    for _ in range(_MOST_STEPS):
        if at >= end:
            return mix
        step = min(step, end - at)
        solved = _newton(game, mix, at + step)
        if solved is None or np.abs(solved - mix).max() > _FARTHEST:
            step /= 2
            if step < 1e-12 * max(1.0, end):
                return None
            continue
        mix, at, step = solved, at + step, step * 1.5
    return None


def _newton(game: Game, mix: FloatArray, rate: float) -> FloatArray | None:
    for _ in range(12):
        answer, slope = _answer(game, mix, rate)
        gap = answer - mix
        if np.abs(gap).max() < _TOLERANCE:
            return answer
        try:
            mix = mix + np.linalg.solve(np.eye(len(mix)) - slope, gap)
        except np.linalg.LinAlgError:
            return None
        if not np.isfinite(mix).all() or np.abs(mix).max() > 2:
            return None
    return None


def _answer(game: Game, mix: FloatArray, rate: float) -> tuple[FloatArray, FloatArray]:
    """Return the logit answer to `mix` and its derivative with respect to `mix`."""
    if game.is_symmetric:
        answer = logit(game.row @ mix, rate)
        return answer, _slope(answer, game.row, rate)
    size = len(game.moves)
    row, column = logit(game.row @ mix[size:], rate), logit(mix[:size] @ game.column, rate)
    slope = np.zeros((2 * size, 2 * size))
    slope[:size, size:] = _slope(row, game.row, rate)
    slope[size:, :size] = _slope(column, game.column.T, rate)
    return np.concatenate([row, column]), slope


def _slope(answer: FloatArray, payoffs: FloatArray, rate: float) -> FloatArray:
    return np.asarray(rate * answer[:, None] * (payoffs - answer @ payoffs))


def _pair(game: Game, mix: FloatArray) -> Equilibrium:
    size = len(game.moves)
    return Equilibrium(row=mix[:size], column=mix if game.is_symmetric else mix[size:])


def _finer(rates: FloatArray, logs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ten times as many rates, with log-probabilities interpolated between them."""
    place = np.arange(len(rates), dtype=float)
    finer = np.linspace(0, place[-1], 10 * (len(rates) - 1) + 1)
    columns = [np.interp(finer, place, column) for column in logs.T]
    return np.interp(finer, place, rates), np.stack(columns, axis=1)


def _counts(game: Game, moves: Sequence[str], clusters: Sequence[str]) -> FloatArray:
    place = {move: index for index, move in enumerate(game.moves)}
    names, own = np.unique(list(clusters), return_inverse=True)
    counts = np.zeros((len(names), len(game.moves)))
    np.add.at(counts, (own, np.array([place[move] for move in moves])), 1.0)
    return counts


def _best(heights: FloatArray) -> NDArray[np.intp]:
    """Return the place of the highest likelihood; the last one where it is flat from there on."""
    is_flat = heights[-1] >= heights.max(axis=0) - _FLAT
    return np.asarray(np.where(is_flat, len(heights) - 1, heights.argmax(axis=0)))


def _interval(
    rates: FloatArray,
    logs: FloatArray,
    counts: FloatArray,
    rng: np.random.Generator,
    bootstraps: int,
) -> tuple[float | None, float | None]:
    count = len(counts)
    if count < 2:
        return None, None
    drawn = rng.multinomial(count, np.full(count, 1.0 / count), size=bootstraps)
    best = _best(logs @ (drawn @ counts).T)
    low, high = np.quantile(best, [0.025, 0.975], method="nearest").astype(int)
    heights = logs @ counts.sum(axis=0)
    kept = np.flatnonzero(heights >= heights.max() - stats.chi2.ppf(0.95, 1) / 2)
    low, high = min(low, kept[0]), max(high, kept[-1])
    return float(rates[low]), None if high == len(rates) - 1 else float(rates[high])
