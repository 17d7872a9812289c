"""Studies of two values' strengths: answers drawn on a design, and fitted as usual.

Answers are drawn by the choice model itself (`graph.logit`), with strengths that differ from scene
to scene as much as makes answers to one scene alike; they are fitted as `valuesim graph` does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse, special

from valuesim.graph.design import Design, FloatArray
from valuesim.graph.information import LIKENESS
from valuesim.graph.logit import effective_clusters, fit
from valuesim.power.search import Aim

MOST_LIKENESS = 0.95
_LOGISTIC = np.pi**2 / 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Planted:
    """The truth that a study is to find.

    `strength` is the difference of the two values in log-odds, `spread` the standard deviation of
    the other values' strengths, `likeness`, in [0, 1), the correlation of two answers to one scene
    beyond what strengths explain.
    """

    strength: float
    spread: float = 0.8
    likeness: float = LIKENESS

    @property
    def of_scenes(self) -> float:
        """The standard deviation of a value's strength over scenes.

        On the latent scale two such values of variance s^2 and the logistic error of variance
        pi^2 / 3 give the correlation 2 s^2 / (2 s^2 + pi^2 / 3).
        """
        return float((self.likeness / (1 - self.likeness) * _LOGISTIC / 2) ** 0.5)


def separated(
    design: Design, planted: Planted, aim: Aim, pair: tuple[str, str], *, seed: int, repeats: int
) -> tuple[float, float]:
    """Return the power and the mean width of the interval in `repeats` studies of `design`."""
    rng = np.random.default_rng([seed, len(design.clusters), int(design.met.sum())])
    places = [design.values.index(value) for value in pair]
    contrast = np.zeros(design.features.shape[2])
    contrast[places] = 1.0, -1.0
    theta = truth(design, planted, pair, seed)
    is_apart, widths = [], []
    for _ in range(repeats):
        low, high = _interval(_answered(design, theta, planted.of_scenes, rng), contrast, aim.level)
        is_apart.append(low > 0 or high < 0)
        widths.append(high - low)
    return float(np.mean(is_apart)), float(np.mean(widths))


def _interval(design: Design, contrast: FloatArray, level: float) -> tuple[float, float]:
    fitted = fit(design)
    centred = np.eye(len(contrast))[np.flatnonzero(contrast)]
    centred[:, : len(design.values)] -= 1 / len(design.values)
    # as `graph.planning`: the difference rests on no more than the one that rests on less
    clusters = float(effective_clusters(design, fitted, centred).min())
    quantile = float(special.stdtrit(max(clusters - 1.0, 1.0), 0.5 + level / 2))
    half = quantile * float(contrast @ fitted.covariance @ contrast) ** 0.5
    value = float(contrast @ fitted.theta)
    return value - half, value + half


def _answered(design: Design, theta: FloatArray, spread: float, rng: np.random.Generator) -> Design:
    """Return `design` with answers drawn anew, each scene with strengths of its own."""
    asked = sparse.coo_array(design.asked)
    rows, columns = asked.coords
    times = asked.data.astype(int)
    cluster, situation = np.repeat(rows, times), np.repeat(columns, times)
    own = np.tile(theta, (len(design.clusters), 1))
    own[:, : len(design.values)] += rng.normal(0, spread, (len(own), len(design.values)))
    utility = np.einsum("nkp,np->nk", design.features[situation], own[cluster])
    utility = np.where(design.offered[situation], utility, -np.inf)
    taken = (utility + rng.gumbel(size=utility.shape)).argmax(axis=1)
    n_options = design.offered.shape[1]
    shape = (len(design.clusters), len(design.situations) * n_options)
    ones = np.ones(len(taken))
    chosen = sparse.coo_array((ones, (cluster, situation * n_options + taken)), shape=shape)
    return replace(design, chosen=sparse.csr_array(chosen))


def truth(design: Design, planted: Planted, pair: tuple[str, str] | None, seed: int) -> FloatArray:
    """Return strengths of all columns: drawn, but for `pair`, which differs by what is planted."""
    theta = np.zeros(design.features.shape[2])
    # by name, so that a larger study, which may know more values, plants the same
    for place, value in enumerate(design.values):
        own = np.random.default_rng([seed, *value.encode()])
        theta[place] = own.normal(0, planted.spread)
    for value, half in zip(pair or (), (0.5, -0.5), strict=False):
        theta[design.values.index(value)] = half * planted.strength
    return theta
