"""The modes of many samples of one design, from starts that are near.

A chord step takes the gradient where a sample stands and the curvature that it started with; two
of them are enough for most. What still moves takes Newton steps of its own; the few that even
those throw about are fitted one by one. Steps are computed in single precision: their error is far
below what is left out at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from valuesim.graph.design import Design, FloatArray
from valuesim.graph.logit import PRIOR_SD, mode

SingleArray = NDArray[np.float32]

_CLOSE = 0.01
"""The step, as a share of the typical deviation, after which a sample has arrived."""
_CHORDS = 2
_NEWTONS = 8
_LEAST = 1e-6
_BATCH = 2_000_000
_STEEPEST = 80.0
"""Beyond this utility the odds are 0 or 1 in single precision."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Samples:
    """How often each situation was met (n x S), and the summed features chosen (n x P)."""

    asked: FloatArray
    total: FloatArray


def refitted(
    design: Design, samples: Samples, start: FloatArray, inverse: FloatArray, spread: FloatArray
) -> FloatArray:
    """Return the mode of each sample (n x P) from its `start` and inverse Hessian (n x P x P).

    `spread` (P) is the typical deviation of a mode; the search ends at steps far below it.
    """
    curve = _Curve(design)
    theta = start.copy()
    batch = max(1, _BATCH // curve.offered.size)
    for first in range(0, len(start), batch):
        part = slice(first, first + batch)
        moving = np.arange(len(start))[part]
        asked = samples.asked[part].astype(np.float32)
        for number in range(_CHORDS + _NEWTONS):
            slope, p = curve.slope(theta[moving], asked, samples.total[moving])
            turned = inverse[moving] if number < _CHORDS else np.linalg.inv(curve.hessian(p, asked))
            step = np.matmul(turned, slope[:, :, None])[:, :, 0]
            # the prior's own scale bounds a step, so that a flat start throws no draw far out
            theta[moving] += np.clip(step, -PRIOR_SD, PRIOR_SD)
            is_moving = (np.abs(step) > _CLOSE * spread + _LEAST).any(axis=1)
            moving, asked = moving[is_moving], asked[is_moving]
            if not len(moving):
                break
        for index in moving:
            theta[index] = mode(design, samples.asked[index], samples.total[index])
    return theta


class _Curve:
    """The log-posterior's slope and curvature; each option is set against the first."""

    def __init__(self, design: Design) -> None:
        against = (design.features[:, 1:] - design.features[:, :1]) * design.offered[:, 1:, None]
        self.first = design.features[:, 0].astype(np.float32)
        self.against = against.astype(np.float32)
        self.offered = design.offered[:, 1:]

    @cached_property
    def _products(self) -> SingleArray:
        flat = self.against.reshape(-1, self.against.shape[2])
        return (flat[:, :, None] * flat[:, None, :]).reshape(len(flat), -1)

    def slope(
        self, theta: FloatArray, asked: SingleArray, total: FloatArray
    ) -> tuple[FloatArray, SingleArray]:
        """Return the gradient (n x P) at `theta` and the probabilities (n x S x K-1) there."""
        flat = self.against.reshape(-1, self.against.shape[2])
        utility = (theta.astype(np.float32) @ flat.T).reshape(len(theta), *self.offered.shape)
        odds = np.exp(np.clip(utility, -_STEEPEST, _STEEPEST, out=utility), out=utility)
        if not self.offered.all():
            odds *= self.offered
        p = odds
        p /= 1.0 + odds.sum(axis=2, keepdims=True)
        # in double precision: terms that two columns share must cancel where only the prior holds
        weighted = (p * asked[:, :, None]).reshape(len(theta), -1).astype(float)
        expected = asked.astype(float) @ self.first + weighted @ flat.astype(float)
        return total - expected - theta * PRIOR_SD**-2, p

    def hessian(self, p: SingleArray, asked: SingleArray) -> FloatArray:
        """Return the negative second derivatives (n x P x P)."""
        n, n_columns = len(p), self.against.shape[2]
        if p.shape[2] == 1:
            weights = asked * (p * (1.0 - p))[:, :, 0]
            found = weights @ self._products
        else:
            found = (p * asked[:, :, None]).reshape(n, -1) @ self._products
            expected = np.matmul(p.transpose(1, 0, 2), self.against).transpose(1, 0, 2)
            weighted = expected * asked[:, :, None]
            found -= np.matmul(weighted.transpose(0, 2, 1), expected).reshape(n, -1)
        hessian = found.reshape(n, n_columns, n_columns).astype(float)
        return np.asarray(hessian + np.eye(n_columns) * PRIOR_SD**-2)
