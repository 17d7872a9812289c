"""The modes of many samples of one design, from starts that are near.

A chord step takes the gradient where a sample stands and the curvature that it started with; two
of them are enough for most. What still moves takes Newton steps of its own; the few that even
those throw about are fitted one by one. Steps are computed in single precision: their error is far
below what is left out at the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from valuesim.graph.coded import IntArray
from valuesim.graph.curve import Curve
from valuesim.graph.design import Design, FloatArray
from valuesim.graph.logit import ARRIVED, PRIOR_SD, mode

_CLOSE = 0.01
"""The step, as a share of the typical deviation, after which a sample has arrived."""
_CHORDS = 2
_NEWTONS = 8
_LEAST = 2e-4
"""A step, in log-odds, that is none: single precision tells less where a column hardly moves."""
_BATCH = 500_000
"""The most option slots times samples that are computed at once: they should fit the cache."""
_FEWEST = 32
"""The fewest samples computed at once, however many the slots."""
_MOST_CELLS = 8_000_000
"""The most numbers that the products of a design's columns may hold, lest they fill the memory."""


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
    curve = Curve(design, np.float32, PRIOR_SD**-2)
    theta = start.copy()
    for part in _batches(design, len(start)):
        moving = np.arange(len(start))[part]
        asked = samples.asked[part].T.astype(np.float32)
        for number in range(_CHORDS + _NEWTONS):
            slope, p = curve.slope(theta[moving], asked, samples.total[moving])
            if number < _CHORDS:
                step = np.matmul(inverse[moving], slope[:, :, None])[:, :, 0]
            else:
                step = _newton(curve.hessian(p, asked), slope)
            # the prior's own scale bounds a step, so that a flat start throws no draw far out
            theta[moving] += np.clip(step, -PRIOR_SD, PRIOR_SD)
            is_moving = (np.abs(step) > _CLOSE * spread + _LEAST).any(axis=1)
            moving, asked = moving[is_moving], asked[:, is_moving]
            if not len(moving):
                break
        for index in moving:
            theta[index] = mode(design, samples.asked[index], samples.total[index])
    return theta


def modes(design: Design, samples: Samples, precision: FloatArray, start: FloatArray) -> FloatArray:
    """Return the mode of each sample (n x P) as `logit.mode` finds it, from one `start` (P)."""
    n_slots, n_columns = design.offered.size, len(start)
    left = np.arange(len(samples.asked))
    theta = np.tile(start, (len(left), 1))
    if n_slots * n_columns * (n_columns + 1) // 2 <= _MOST_CELLS:
        curve = Curve(design, float, precision)
        parts = _batches(design, len(left))
        left = np.concatenate([_climbed(curve, samples, theta, left[part]) for part in parts])
    for index in left:
        theta[index] = mode(design, samples.asked[index], samples.total[index], precision, start)
    return theta


def _climbed(curve: Curve, samples: Samples, theta: FloatArray, moving: IntArray) -> IntArray:
    """Take `theta` (all x P) of the samples `moving` to their modes; return those that got lost."""
    asked = samples.asked[moving].T
    for _ in range(_NEWTONS):
        slope, p = curve.slope(theta[moving], asked, samples.total[moving])
        step = _newton(curve.hessian(p, asked), slope)
        theta[moving] += step
        is_moving = ~((slope * step).sum(axis=1) <= ARRIVED)
        moving, asked = moving[is_moving], asked[:, is_moving]
        if not len(moving):
            break
    return moving


def _batches(design: Design, samples: int) -> list[slice]:
    size = max(_FEWEST, _BATCH // design.offered.size)
    return [slice(first, first + size) for first in range(0, samples, size)]


def _newton(hessian: FloatArray, slope: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.solve(hessian, slope[:, :, None])[:, :, 0])
