"""Which values are surely ordered, and which ranks a value may have: many statements at once.

Of V values there are V (V - 1) / 2 pairs, and a statement that is wrong in one of forty would make
some of them wrong in most rankings. All statements of a kind hold together with 95 % instead: the
largest of all scores is compared with the largest that there would be without any difference,
scores being as correlated as they are, and again among the pairs left over, until none is surely
apart (Romano and Wolf 2005, "Exact and approximate stepdown methods for multiple hypothesis
testing"). The ranks that a value may have follow from the pairs that it is in (Mogstad, Romano,
Shaikh and Wilhelm 2024, "Inference for ranks"): it is below all that are surely above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from valuesim.graph.contrasts import freedom
from valuesim.graph.design import BoolArray, FloatArray

ERROR = 0.05
"""The probability that any statement of a kind is wrong."""
_DRAWS = 2000
_MOST_CELLS = 4_000_000
_NO_SPREAD = 1e-12
_RAREST = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Estimates of V values, their covariance (V x V), and the clusters each rests on (V).

    The numbers of clusters are effective ones; a pair rests on the smaller of its two.
    """

    estimate: FloatArray
    covariance: FloatArray
    clusters: FloatArray

    def among(self, values: Sequence[int]) -> Compared:
        """Return the same of some of the values."""
        within = self.covariance[np.ix_(values, values)]
        return Compared(self.estimate[values], within, self.clusters[values])


class Scores:
    """All pairs of values: how far apart they are in standard errors, and how far by chance."""

    def __init__(self, known: Compared, rng: np.random.Generator) -> None:
        self._n_values, self._rng = len(known.estimate), rng
        self._first, self._second = first, second = np.triu_indices(self._n_values, 1)
        variance = np.diag(known.covariance)
        spread = (variance[:, None] + variance - 2 * known.covariance)[first, second]
        self._scale = np.where(spread > _NO_SPREAD, np.sqrt(np.maximum(spread, 0.0)), np.inf)
        t = (known.estimate[first] - known.estimate[second]) / self._scale
        fewest = np.minimum(known.clusters[first], known.clusters[second])
        # as a normal score that is as rare as Student's t
        rare = special.stdtr(freedom(fewest), -np.abs(t))
        self._z = -special.ndtri(np.maximum(rare, _RAREST)) * np.sign(t)
        self._root = _root(known.covariance)

    def apart(self) -> BoolArray:
        """Return for which pairs (V x V) the row's value is surely stronger than the column's."""
        found = np.zeros((self._n_values, self._n_values), dtype=bool)
        if not len(self._z):
            return found
        sure = _stepdown(np.abs(self._z), self._by_chance(np.arange(len(self._z))))
        up = self._z > 0
        found[self._first[sure & up], self._second[sure & up]] = True
        found[self._second[sure & ~up], self._first[sure & ~up]] = True
        return found

    def ranks(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the lowest and highest rank (V each, 1 the strongest) that each value may have."""
        low = np.ones(self._n_values, dtype=np.int64)
        high = np.full(self._n_values, self._n_values)
        for value in range(self._n_values):
            own = np.flatnonzero((self._first == value) | (self._second == value))
            if not len(own):
                continue
            sure = own[_stepdown(np.abs(self._z[own]), self._by_chance(own))]
            is_above = (self._z[sure] > 0) == (self._first[sure] == value)
            high[value] -= int(is_above.sum())
            low[value] += int((~is_above).sum())
        return low, high

    def _by_chance(self, pairs: np.ndarray) -> FloatArray:
        """Return the scores (draws x pairs), without their signs, of values that are all alike."""
        draws = max(min(_DRAWS, _MOST_CELLS // len(pairs)), 200)
        moved = self._rng.standard_normal((draws, self._n_values)) @ self._root.T
        gaps = moved[:, self._first[pairs]] - moved[:, self._second[pairs]]
        return np.asarray(np.abs(gaps) / self._scale[pairs])


def _stepdown(scores: FloatArray, by_chance: FloatArray) -> BoolArray:
    """Return which `scores` (C) stand out, whatever others do; `by_chance` (draws x C) is null."""
    left = np.ones(len(scores), dtype=bool)
    while left.any():
        bound = np.quantile(by_chance[:, left].max(axis=1), 1 - ERROR)
        found = left & (scores > bound)
        if not found.any():
            break
        left &= ~found
    return ~left


def _root(covariance: FloatArray) -> FloatArray:
    variances, directions = np.linalg.eigh(covariance)
    return np.asarray(directions * np.sqrt(np.maximum(variances, 0.0)))
