"""What the best design could save that knows the truth beforehand, as a measure for the others.

With n answers the difference of two values is normal around the planted one, its variance given by
the information of the questions; the expected tau is 1 - 2 mean Phi(-gap / error). The best shares
of questions are found by the multiplicative algorithm for optimal designs (Silvey, Titterington and
Torsney 1978). No question is too rare for its share here, and what is learnt on the way is not used
to look again where the answers happen to mislead; so this is a measure, not a strict bound.
"""

from __future__ import annotations

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from benchmarks.adaptive.planted import Kind, Planted
from valuesim.graph.design import FloatArray
from valuesim.graph.information import Prospects
from valuesim.graph.logit import PRIOR_SD, probabilities
from valuesim.graph.sandwich import roots

_ROUNDS = 200
_EVERY = 20
_POWER = 0.7
_MOST = 1e6


def possible(known: Prospects, agent: Planted, kind: Kind, tau: float) -> float:
    """Return the decisions that the best design needs for `tau`, as a share of random order's.

    What scenes add of their own (`noise`) is left out.
    """
    theta = np.concatenate([agent.strengths, [kind.position, 0.0, 0.0]])
    rows = roots(known.design, probabilities(known.design, theta))
    if rows.shape[1] != 1:
        raise ValueError("the bound is for questions with two options")
    study = _Study(rows[:, 0], known.contrasts, np.abs(known.contrasts @ theta))
    by_lot = np.bincount(known.asked, minlength=len(rows)).astype(float)
    share = by_lot = by_lot / by_lot.sum()
    for number in range(_ROUNDS):
        if number % _EVERY == 0:
            n = study.needed(share, tau)
        worth = study.worth(share, n)
        share = share * (worth / (share @ worth)) ** _POWER
        share /= share.sum()
    return study.needed(share, tau) / study.needed(by_lot, tau)


class _Study:
    """Questions (rows, S x P), the contrasts (C x P) that they are asked for, and their gaps."""

    def __init__(self, rows: FloatArray, contrasts: FloatArray, gaps: FloatArray) -> None:
        self._rows, self._contrasts, self._gaps = rows, contrasts, gaps

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
        return np.asarray(((moved @ weighted) * moved).sum(axis=1))

    def _tau(self, share: FloatArray, n: float) -> float:
        _, variance = self._known(share, n)
        return float(1 - 2 * stats.norm.cdf(-self._gaps / np.sqrt(variance)).mean())

    def _known(self, share: FloatArray, n: float) -> tuple[FloatArray, FloatArray]:
        prior = np.eye(self._rows.shape[1]) * PRIOR_SD**-2
        covariance = np.linalg.inv(n * (self._rows.T * share) @ self._rows + prior)
        variance = ((self._contrasts @ covariance) * self._contrasts).sum(axis=1)
        return np.asarray(covariance), np.asarray(variance)
