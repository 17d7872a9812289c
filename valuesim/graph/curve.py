"""The log-posterior's slope and curvature at many coefficients of one design at once.

Each option is set against the first. Samples stand last in every array, so that sums over the few
options of a situation run along memory.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from valuesim.graph.design import Design, FloatArray

Reals = NDArray[Any]
"""Numbers of the precision that a `Curve` computes in."""

_STEEPEST = 80.0
"""Beyond this utility the odds are 0 or 1 in single precision, and as good as that in double."""


class Curve:
    """A design's log-posterior, computed in `kind` (single or double precision).

    `precision` is the prior's, of all columns or of each (P).
    """

    def __init__(self, design: Design, kind: DTypeLike, precision: float | FloatArray) -> None:
        against = (design.features[:, 1:] - design.features[:, :1]) * design.offered[:, 1:, None]
        self.precision = precision
        self.kind = np.dtype(kind)
        self.first = design.features[:, 0].astype(kind).astype(float)
        self.against = against.astype(kind)
        self.flat = self.against.reshape(-1, against.shape[2])
        self.offered = design.offered[:, 1:, None].astype(kind)

    @cached_property
    def _in_double(self) -> FloatArray:
        return self.flat.astype(float)

    @cached_property
    def _upper(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        return np.triu_indices(self.flat.shape[1])

    @cached_property
    def _products(self) -> Reals:
        row, column = self._upper
        return np.asarray(self.flat[:, row] * self.flat[:, column])

    def slope(self, theta: FloatArray, asked: Reals, total: FloatArray) -> tuple[FloatArray, Reals]:
        """Return the gradient (n x P) at `theta` and the probabilities (S x K-1 x n) there.

        `asked` (S x n) counts how often each sample met each situation, `total` (n x P) sums the
        features that it chose.
        """
        odds = (self.flat @ theta.T.astype(self.kind)).reshape(*self.offered.shape[:2], -1)
        np.exp(np.clip(odds, -_STEEPEST, _STEEPEST, out=odds), out=odds)
        if not self.offered.all():
            odds *= self.offered
        p = odds
        p /= 1.0 + odds.sum(axis=1, keepdims=True)
        # in double precision: terms that two columns share must cancel where only the prior holds
        weighted = (p * asked[:, None]).reshape(len(self.flat), -1).astype(float)
        expected = asked.T.astype(float) @ self.first + weighted.T @ self._in_double
        return total - expected - theta * self.precision, p

    def hessian(self, p: Reals, asked: Reals) -> FloatArray:
        """Return the negative second derivatives (n x P x P)."""
        n, n_columns = asked.shape[1], self.flat.shape[1]
        weighted = p * asked[:, None]
        is_binary = p.shape[1] == 1
        if is_binary:
            weighted *= 1.0 - p
        row, column = self._upper
        found = np.empty((n, n_columns, n_columns), dtype=self.kind)
        found[:, row, column] = weighted.reshape(len(self.flat), -1).T @ self._products
        found[:, column, row] = found[:, row, column]
        if not is_binary:
            expected = np.matmul(p.transpose(0, 2, 1), self.against).transpose(1, 0, 2)
            own = expected * asked.T[:, :, None]
            found -= np.matmul(own.transpose(0, 2, 1), expected)
        return np.asarray(found.astype(float) + np.eye(n_columns) * self.precision)
