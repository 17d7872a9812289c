"""Linear figures of several estimates: their uncertainty, and which are significant together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from valuesim.graph.design import BoolArray, FloatArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Contrasts:
    """Some linear figures: estimates (C), joint covariance (C x C), draws (draws x C).

    `clusters` (C) is the effective number of clusters that each rests on. The spread of the draws
    agrees with the intervals.
    """

    estimate: FloatArray
    covariance: FloatArray
    draws: FloatArray
    clusters: FloatArray

    @property
    def se(self) -> FloatArray:
        """The standard errors."""
        return np.asarray(np.sqrt(np.maximum(np.diag(self.covariance), 0.0)))

    @property
    def half(self) -> FloatArray:
        """Half the width of the 95 % intervals, of Student's t (see `logit`)."""
        return np.asarray(special.stdtrit(freedom(self.clusters), 0.975) * self.se)

    @property
    def p_above(self) -> FloatArray:
        """One-sided p-values against "no more than 0"."""
        sure = np.where(self.se > 0, self.se, 1.0)
        scores = np.where(self.se > 0, self.estimate / sure, 0.0)
        return np.asarray(special.stdtr(freedom(self.clusters), -scores))

    @property
    def p(self) -> FloatArray:
        """Two-sided p-values against 0."""
        return np.asarray(2 * np.minimum(self.p_above, 1 - self.p_above))


def freedom(clusters: FloatArray) -> FloatArray:
    """Return the degrees of freedom of figures that rest on so many clusters, 1 at least."""
    return np.asarray(np.maximum(clusters - 1.0, 1.0))


def holm(p: FloatArray) -> BoolArray:
    """Return which of the p-values are significant together at 5 % (Holm 1979).

    >>> holm(np.array([0.04, 0.001, 0.03])).tolist()
    [False, True, False]
    """
    order = np.argsort(p, kind="stable")
    bounds = 0.05 / (len(p) - np.arange(len(p)))
    significant = np.zeros(len(p), dtype=bool)
    significant[order] = np.logical_and.accumulate(p[order] <= bounds)
    return significant
