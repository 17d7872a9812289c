"""Whether choices run in circles: the cyclic logit against the logit, on unseen and on all choices.

`held_out` compares predictions, cheaply enough for every ranking; `cycles_test` is a likelihood-
ratio test, whose null distribution is simulated because u = w = 0 is no regular null hypothesis: u
says nothing there without w. Where there are more than `MOST_SITUATIONS` different situations, both
look at so many of them, drawn at random, with all the choices made there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from valuesim.graph.coherence import FOLDS, LEAST_CLUSTERS, LEAST_GAIN
from valuesim.graph.cyclic_logit import CyclicModel, contests
from valuesim.graph.design import Design, FloatArray
from valuesim.graph.logit import LogitFit, losses, mode
from valuesim.graph.null import independent

MOST_SITUATIONS = 3000
LEAST_VALUES = 3
_ROUNDING = 1e-3
"""The statistic that rounding alone may give."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldOut:
    """Held-out log-loss of three models, in nats per choice, by folds of whole clusters.

    `constant` knows place and omission only, `logit` the values' strengths, `cyclic` adds circles.
    `gain` is logit minus cyclic, `low` its one-sided 95 % bound (a t test over clusters);
    `is_cyclic` says that `low` > `coherence.LEAST_GAIN`. Strengths have the prior of the estimate,
    not the tighter one that `coherence` predicts with. `choices` counts those predicted. Where
    nothing can be computed the figures are None; `reason` is a sentence either way.
    """

    reason: str
    constant: float | None = None
    logit: float | None = None
    cyclic: float | None = None
    gain: float | None = None
    low: float | None = None
    is_cyclic: bool = False
    choices: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class CycleTest:
    """A likelihood-ratio test of circles against the logit, by choices simulated from the logit.

    `statistic` is twice the gain in log-posterior, `p_value` the share of `simulations` + 1 sets of
    choices, the one given among them, with so large a gain. Both are None where there is nothing to
    test; `reason` then says why.
    """

    statistic: float | None = None
    p_value: float | None = None
    simulations: int = 0
    reason: str | None = None


def held_out(design: Design, rng: np.random.Generator) -> HeldOut:
    """Return how well the three models predict the choices of clusters left out.

    Clusters are split at random into `coherence.FOLDS` folds, as `coherence` does; each is
    predicted by models fitted on the others.
    """
    if len(design.values) < LEAST_VALUES:
        return HeldOut(reason=_too_few(design))
    design = _part(design, rng)
    n_clusters = len(design.clusters)
    if n_clusters < LEAST_CLUSTERS:
        return HeldOut(
            reason=f"held-out prediction needs at least {LEAST_CLUSTERS} {design.unit}s with "
            f"contested choices; there are {n_clusters}"
        )
    constant, logit, cyclic = _losses(design, rng.permutation(n_clusters) % FOLDS)
    choices = int(design.counts.sum())
    gains = (logit - cyclic) * n_clusters / choices
    error = gains.std(ddof=1) / np.sqrt(n_clusters)
    low = float(gains.mean() - special.stdtrit(n_clusters - 1, 0.95) * error)
    is_cyclic = low > LEAST_GAIN
    comparison = "better" if is_cyclic else "no better"
    return HeldOut(
        reason=f"preferences that run in circles predict held-out choices {comparison} than one "
        f"order does",
        constant=float(constant.sum() / choices),
        logit=float(logit.sum() / choices),
        cyclic=float(cyclic.sum() / choices),
        gain=float(gains.mean()),
        low=low,
        is_cyclic=is_cyclic,
        choices=choices,
    )


def cycles_test(
    design: Design, fitted: LogitFit, rng: np.random.Generator, simulations: int = 99
) -> CycleTest:
    """Return how surprising the circles in the choices of `design` are, were there none.

    Choices are counted and simulated in independent decisions (see `null`).
    """
    if len(design.values) < LEAST_VALUES:
        return CycleTest(reason=_too_few(design))
    design = _part(design, rng)
    given = independent(design, fitted, rng)
    model = CyclicModel(design=design, contests=contests(design))
    statistic = _gain(model, given.counts, fitted.theta)
    null = [_gain(model, given.drawn(rng, 1)[0], fitted.theta) for _ in range(simulations)]
    as_large = sum(gain >= statistic for gain in null)
    return CycleTest(
        statistic=statistic,
        p_value=(1 + as_large) / (1 + simulations),
        simulations=simulations,
    )


def _too_few(design: Design) -> str:
    return f"circles need at least {LEAST_VALUES} values at stake; there are {len(design.values)}"


def _part(design: Design, rng: np.random.Generator) -> Design:
    """Return `design` with at most `MOST_SITUATIONS` situations, and the clusters that met them."""
    n_situations, n_options = design.offered.shape
    if n_situations <= MOST_SITUATIONS:
        return design
    kept = np.sort(rng.choice(n_situations, MOST_SITUATIONS, replace=False))
    slots = (kept[:, None] * n_options + np.arange(n_options)).ravel()
    chosen = design.chosen[:, slots]
    clusters = np.flatnonzero(np.asarray(chosen.sum(axis=1)).ravel() > 0)
    return replace(
        design,
        clusters=tuple(design.clusters[cluster] for cluster in clusters),
        situations=tuple(design.situations[situation] for situation in kept),
        features=design.features[kept],
        offered=design.offered[kept],
        chosen=chosen[clusters],
    )


def _losses(design: Design, folds: NDArray[np.int64]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return each cluster's log-loss under each model fitted without its fold."""
    blind = design.content_blind()
    model = CyclicModel(design=design, contests=contests(design))
    found = np.zeros((3, len(folds)))
    habits = theta = None
    for fold in range(FOLDS):
        kept, out = folds != fold, folds == fold
        counts = np.asarray(design.chosen[kept].sum(axis=0), dtype=float)
        counts = counts.reshape(design.offered.shape)
        habits = mode(blind, counts.sum(axis=1), counts.ravel() @ blind.flat, start=habits)
        theta = mode(design, counts.sum(axis=1), counts.ravel() @ design.flat, start=theta)
        found[0, out] = losses(blind, habits)[out]
        found[1, out] = losses(design, theta)[out]
        log_p = model.log_probabilities(model.fit(counts, theta))
        log_p = np.where(design.offered, log_p, 0.0)
        found[2, out] = -(design.chosen[out] @ log_p.ravel())
    return found[0], found[1], found[2]


def _gain(model: CyclicModel, counts: FloatArray, start: FloatArray) -> float:
    """Return twice the gain in log-posterior of the cyclic logit; 0 where no circle gains."""
    total = counts.ravel() @ model.design.flat
    theta = mode(model.design, counts.sum(axis=1), total, start=start)
    gain = 2.0 * (model.fit(counts, theta).height - model.logit_height(counts, theta))
    return gain if gain > _ROUNDING else 0.0
