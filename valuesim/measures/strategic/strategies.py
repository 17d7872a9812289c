"""Which repeated-game strategies a group plays, as shares of a mixture (SFEM).

Every agent in an episode follows one strategy of a given list, but for a tremble with which it does
the opposite, the same for all; shares and tremble maximise the likelihood (Dal Bo and Frechette,
American Economic Review 101, 2011, section IV). A strategy is an automaton that reads the moves
that took effect. Strategies are told apart by the rounds in which they prescribe different moves,
so by partners that defect now and then; those that prescribe the same in every answered round of
the evidence are reported as one class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from valuesim.measures.interval import share_interval
from valuesim.measures.strategic.history import History

FloatArray = NDArray[np.float64]

BOOTSTRAPS = 100
_STARTS = (0.05, 0.2, 0.4)
_LEAST_TREMBLE = 1e-6
_MOST_STEPS = 500
_CONVERGED = 1e-6
_SAME_LIKELIHOOD = 1e-3
MOST_RANGE = 0.05
"""The widest range of a share over all mixtures of the highest likelihood for it to be a figure."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Strategy:
    """An automaton that starts in state 0: whether it cooperates in a state, and what follows.

    `after[state]` are the next states after CC, CD, DC and DD, own move first.
    """

    cooperates: tuple[bool, ...]
    after: tuple[tuple[int, int, int, int], ...]


STRATEGIES: Mapping[str, Strategy] = {
    "ALLD": Strategy(cooperates=(False,), after=((0, 0, 0, 0),)),
    "ALLC": Strategy(cooperates=(True,), after=((0, 0, 0, 0),)),
    "GRIM": Strategy(cooperates=(True, False), after=((0, 1, 1, 1), (1, 1, 1, 1))),
    "TFT": Strategy(cooperates=(True, False), after=((0, 1, 0, 1), (0, 1, 0, 1))),
    "WSLS": Strategy(cooperates=(True, False), after=((0, 1, 1, 0), (0, 1, 1, 0))),
    "T2": Strategy(
        cooperates=(True, False, False), after=((0, 1, 1, 1), (2, 2, 2, 2), (0, 0, 0, 0))
    ),
}
"""Always defect, always cooperate, and, cooperating first: GRIM defects for ever once anybody has
defected, TFT repeats the partner, WSLS repeats itself after R and T and changes after S and P, T2
punishes any defection for two rounds (as in Fudenberg, Rand and Dreber 2012, table 2)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mixture:
    """Shares of strategies, by class.

    A class is one strategy, or several joined by "=" that the evidence cannot tell apart. A share
    is None where mixtures of the highest likelihood differ in it by more than `MOST_RANGE`. `low`
    and `high` are 95 % and hold all of these (None with fewer than two clusters). `tremble` in
    [0, 0.5] is the probability of doing the opposite; `n` counts agents
    in episodes, `rounds` the moves they made.
    """

    shares: Mapping[str, float | None]
    low: Mapping[str, float | None]
    high: Mapping[str, float | None]
    tremble: float
    log_likelihood: float
    n: int
    rounds: int

    @property
    def is_better_than_lot(self) -> bool:
        """Whether it describes the moves better than a fair coin, by Schwarz's criterion.

        Its parameters are the free shares and the tremble; the coin has none.
        """
        gain = self.log_likelihood + self.rounds * log(2)
        return 2 * gain > len(self.shares) * log(self.n)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Fit:
    shares: FloatArray
    tremble: float
    log_likelihood: float


def prescribed(strategy: Strategy, history: History) -> list[bool]:
    """Return whether `strategy` cooperates in each round of `history`, given what took effect.

    Where the agent made no move the automaton reads on as if it had made the prescribed one; where
    the partner made none it stays in its state.
    """
    state, moves = 0, []
    for play in history.plays:
        moves.append(strategy.cooperates[state])
        own = moves[-1] if play.took is None else play.took
        if play.partner is not None:
            state = strategy.after[state][2 * (not own) + (not play.partner)]
    return moves


def estimated(
    sequences: Sequence[History],
    strategies: Mapping[str, Strategy] = STRATEGIES,
    *,
    rng: np.random.Generator,
    bootstraps: int = BOOTSTRAPS,
) -> Mixture | None:
    """Return the maximum-likelihood mixture of `strategies` in `sequences`; None without a move.

    Intervals: the variance of a share over `bootstraps` resamples of clusters, each fitted anew
    from a random start (so that a share that a resample does not determine varies), is turned into
    an effective number of sequences and its exact interval (`interval.share_interval`), widened to
    the range of the share over all mixtures of the highest likelihood at the tremble and, where
    that is more than `MOST_RANGE`, to the exact intervals of its ends at one chance a cluster.
    """
    played = [h for h in sequences if any(play.cooperates is not None for play in h.plays)]
    if not played:
        return None
    names, agree, differ = _matches(played, strategies)
    rows, place = np.unique(np.hstack([agree, differ]), axis=0, return_inverse=True)
    agree, differ = rows[:, : len(names)], rows[:, len(names) :]
    clusters = np.unique([h.cluster for h in played], return_inverse=True)[1]
    best = _best(agree, differ, np.bincount(place, minlength=len(rows)).astype(float))
    ranges = _ranges(agree, differ, best)
    draws = _resampled(agree, differ, place, clusters, rng, bootstraps)
    low, high = _intervals(best, draws, clusters, ranges)
    shares = [
        share if last - first <= MOST_RANGE else None
        for share, (first, last) in zip(best.shares.tolist(), ranges, strict=True)
    ]
    return Mixture(
        shares=dict(zip(names, shares, strict=True)),
        low=dict(zip(names, low, strict=True)),
        high=dict(zip(names, high, strict=True)),
        tremble=best.tremble,
        log_likelihood=best.log_likelihood,
        n=len(played),
        rounds=int((agree + differ)[place, 0].sum()),
    )


def _matches(
    histories: Sequence[History], strategies: Mapping[str, Strategy]
) -> tuple[list[str], FloatArray, FloatArray]:
    """Return the classes and, for each history and class, rounds that agree and that differ."""
    moves = [np.array([play.cooperates for play in h.plays]) for h in histories]
    moved = [np.array([p.cooperates is not None for p in h.plays]) for h in histories]
    plans = {
        name: [np.array(prescribed(each, h)) for h in histories]
        for name, each in strategies.items()
    }
    classes: dict[bytes, list[str]] = {}
    for name, plan in plans.items():
        seen = np.concatenate([p[m] for p, m in zip(plan, moved, strict=True)])
        classes.setdefault(seen.tobytes(), []).append(name)
    agree = np.array(
        [
            [
                (plans[names[0]][i][moved[i]] == moves[i][moved[i]]).sum()
                for names in classes.values()
            ]
            for i in range(len(histories))
        ],
        dtype=float,
    )
    rounds = np.array([m.sum() for m in moved], dtype=float)
    return ["=".join(names) for names in classes.values()], agree, rounds[:, None] - agree


def _best(agree: FloatArray, differ: FloatArray, weights: FloatArray) -> _Fit:
    even = np.full(agree.shape[1], 1.0 / agree.shape[1])
    fits = [_em(agree, differ, weights, even, tremble) for tremble in _STARTS]
    return max(fits, key=lambda fit: fit.log_likelihood)


def _em(
    agree: FloatArray, differ: FloatArray, weights: FloatArray, shares: FloatArray, tremble: float
) -> _Fit:
    """Return the fit that expectation-maximisation climbs to from `shares` and `tremble`."""
    height = -np.inf
    total = float(weights @ (agree + differ)[:, 0])
    for _ in range(_MOST_STEPS):
        likely = agree * np.log1p(-tremble) + differ * np.log(tremble)
        top = likely.max(axis=1, keepdims=True)
        joint = shares * np.exp(likely - top)
        evidence = joint.sum(axis=1)
        higher = float(weights @ (np.log(evidence) + top[:, 0]))
        if higher - height < _CONVERGED:
            break
        height = higher
        belongs = weights[:, None] * joint / evidence[:, None]
        shares = belongs.sum(axis=0) / weights.sum()
        tremble = float(np.clip((belongs * differ).sum() / total, _LEAST_TREMBLE, 0.5))
    return _Fit(shares=shares, tremble=tremble, log_likelihood=higher)


def _resampled(
    agree: FloatArray,
    differ: FloatArray,
    place: NDArray[np.intp],
    clusters: NDArray[np.intp],
    rng: np.random.Generator,
    bootstraps: int,
) -> FloatArray:
    count, n_classes = int(clusters.max()) + 1, agree.shape[1]
    shares = []
    for _ in range(bootstraps if count > 1 else 0):
        drawn = np.bincount(rng.integers(count, size=count), minlength=count)
        weights = np.zeros(len(agree))
        np.add.at(weights, place, drawn[clusters])
        met = weights > 0
        start = rng.dirichlet(np.ones(n_classes))
        shares.append(_em(agree[met], differ[met], weights[met], start, _STARTS[1]).shares)
    return np.array(shares)


def _ranges(agree: FloatArray, differ: FloatArray, best: _Fit) -> list[tuple[float, float]]:
    """Return, for each share, its lowest and highest over all mixtures that are as likely.

    At one tremble the likelihood is concave in the shares, so that all its maximisers give each
    history the same probability: a linear programme. The fit is one but for rounding.
    """
    likely = agree * np.log1p(-best.tremble) + differ * np.log(best.tremble)
    ratios = np.exp(likely - likely.max(axis=1, keepdims=True))
    ratios = np.unique((ratios / (ratios @ best.shares)[:, None]).round(9), axis=0)
    found = []
    for k, share in enumerate(best.shares.tolist()):
        ends = [share]
        for sign in (1.0, -1.0):
            target = np.zeros(len(best.shares))
            target[k] = sign
            programme = linprog(
                target,
                A_ub=-ratios,
                b_ub=np.full(len(ratios), _SAME_LIKELIHOOD - 1.0),
                A_eq=np.ones((1, len(best.shares))),
                b_eq=[1.0],
                bounds=(0.0, 1.0),
            )
            # where the programme finds no end, nothing rules out the furthest
            furthest = min(sign, 0.0) if programme.fun is None else float(programme.fun)
            ends.append(sign * furthest)
        found.append((max(min(ends), 0.0), min(max(ends), 1.0)))
    return found


def _intervals(
    best: _Fit,
    draws: FloatArray,
    clusters: NDArray[np.intp],
    ranges: Sequence[tuple[float, float]],
) -> tuple[list[float | None], list[float | None]]:
    if not len(draws):
        return [None] * len(best.shares), [None] * len(best.shares)
    count, total = int(clusters.max()) + 1, float(len(clusters))
    low: list[float | None] = []
    high: list[float | None] = []
    variances = draws.var(axis=0).tolist()
    for share, variance, ends in zip(best.shares.tolist(), variances, ranges, strict=True):
        own = share_interval(
            float(np.clip(share, 0, 1)), variance, clusters=count, n=total, least=1 / (2 * total)
        )
        if ends[1] - ends[0] > MOST_RANGE:
            # each end is a share of the sample, with the error of one chance for each cluster
            found = [share_interval(e, 0.0, clusters=count, n=total) for e in ends]
            own = min(own[0], found[0][0]), max(own[1], found[1][1])
        low.append(min(own[0], ends[0]))
        high.append(max(own[1], ends[1]))
    return low, high
