"""How much choosing among some questions could save: what the best design needs of random order's.

With n answers the estimated difference of two values is normal around the true one, its variance
given by the information of the questions; the expected Kendall tau is
1 - 2 mean Phi(-gap / error). The best shares of questions are found by the multiplicative algorithm
for optimal designs (Silvey, Titterington and Torsney 1978), the truth being known. No question is
too rare for its share here, and what is learnt on the way is not used to look again where answers
happen to mislead; so this is a measure of what the questions allow, not a strict bound.
"""

from __future__ import annotations

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from valuesim.graph.design import FloatArray
from valuesim.graph.information import Prospects
from valuesim.graph.logit import PRIOR_SD, probabilities
from valuesim.graph.sandwich import roots

TAU = 0.9
"""The rank correlation with the truth for which decisions are counted."""
_AGENTS = 4
_QUESTIONS = 400
_ROUNDS = 100
_EVERY = 20
_POWER = 0.7
_MOST = 1e7


def room(known: Prospects, *, seed: int = 0) -> float | None:
    """Return the decisions that the best design needs, as a share of random order's, in (0, 1].

    It is the mean over a few agents whose strengths are drawn from the standard normal law
    (log-odds), among a sample of the questions; small is much room. None where fewer than three
    values can be compared: two have no order to save on but their own.
    """
    if len(known.pairs) < 3:
        return None
    rng = np.random.default_rng(seed)
    met = known.asked[known.asked >= 0]
    sample = rng.permutation(met)[:_QUESTIONS]
    thetas = rng.standard_normal((_AGENTS, known.design.features.shape[2]))
    thetas[:, len(known.design.values) :] = 0.0
    return float(np.mean([best_share(known, theta, TAU, sample) for theta in thetas]))


def best_share(
    known: Prospects, theta: FloatArray, tau: float, asked: np.ndarray | None = None
) -> float:
    """Return the decisions that the best design needs for `tau`, as a share of random order's.

    `theta` is the truth, of all features. `asked` are the situations of the questions that there
    are, each as often as it is there; those of `known` unless given.
    """
    lot = known.met(known.asked if asked is None else asked)
    kept = np.flatnonzero(lot)
    rows = roots(known.design, probabilities(known.design, theta))[kept]
    study = _Study(rows, known.contrasts, np.abs(known.contrasts @ theta))
    share = by_lot = lot[kept] / lot.sum()
    for number in range(_ROUNDS):
        if number % _EVERY == 0:
            n = study.needed(share, tau)
        worth = study.worth(share, n)
        share = share * (worth / (share @ worth)) ** _POWER
        share /= share.sum()
    return study.needed(share, tau) / study.needed(by_lot, tau)


class _Study:
    """Questions (rows, S x K-1 x P), the contrasts (C x P) they are asked for, and their gaps."""

    def __init__(self, rows: FloatArray, contrasts: FloatArray, gaps: FloatArray) -> None:
        self._parts = rows.shape[1]
        self._rows = rows.reshape(-1, rows.shape[2])
        self._contrasts, self._gaps = contrasts, gaps

    def needed(self, share: FloatArray, tau: float) -> float:
        """Return how many decisions in these shares make the expected tau so large."""
        return float(brentq(lambda n: self._tau(share, n) - tau, 1.0, _MOST, rtol=1e-4))

    def worth(self, share: FloatArray, n: float) -> FloatArray:
        """Return how much a little more of each question would add to the expected tau."""
        covariance, variance = self._known(share, n)
        z = self._gaps / np.sqrt(variance)
        weight = stats.norm.pdf(z) * z / (2 * variance)
        weighted = (self._contrasts * weight[:, None]).T @ self._contrasts
        moved = self._rows @ covariance
        each = ((moved @ weighted) * moved).sum(axis=1)
        return np.asarray(each.reshape(-1, self._parts).sum(axis=1))

    def _tau(self, share: FloatArray, n: float) -> float:
        _, variance = self._known(share, n)
        return float(1 - 2 * stats.norm.cdf(-self._gaps / np.sqrt(variance)).mean())

    def _known(self, share: FloatArray, n: float) -> tuple[FloatArray, FloatArray]:
        prior = np.eye(self._rows.shape[1]) * PRIOR_SD**-2
        weights = np.repeat(share, self._parts)
        covariance = np.linalg.inv(n * (self._rows.T * weights) @ self._rows + prior)
        variance = ((self._contrasts @ covariance) * self._contrasts).sum(axis=1)
        return np.asarray(covariance), np.asarray(variance)
