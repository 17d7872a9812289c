"""Whether what is at stake predicts unseen choices better than a content-blind model does.

Twenty strengths on few scenes would be overfitted under the weak prior of the estimate, and a real
ranking would predict no better than none. So the prior of the values is as tight here as predicts
best by `_tight`: for an agent without values, so tight that little is left but the habits of place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from valuesim.graph.design import Design, FloatArray
from valuesim.graph.logit import PRIOR_SD, information, losses, mode, probabilities
from valuesim.graph.refit import Samples, modes
from valuesim.graph.sandwich import scores

LEAST_CLUSTERS = 10
_MOST_SPLIT, _MOST_SPLITS = 4000, 10
LEAST_GAIN = 0.002
"""The gain, in nats per choice, below which better is no better: rounding and priors gain that."""
FOLDS = 5
_SCALES = PRIOR_SD * 0.5 ** np.arange(6)
"""Standard deviations of a value's prior, from the estimate's own down."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Coherence:
    """The verdict, and the held-out gain in log-loss behind it.

    `blind` and `values` are the mean log-losses of the content-blind model and of the logit, in
    nats per choice; `gain` is the first minus the second, `low` its one-sided 95 % bound.
    `is_coherent` says that `low` > `LEAST_GAIN`. With fewer than `LEAST_CLUSTERS` clusters it is
    False and the figures are None. `reason` is a sentence either way.
    """

    is_coherent: bool
    reason: str
    blind: float | None = None
    values: float | None = None
    gain: float | None = None
    low: float | None = None


def coherence(design: Design, rng: np.random.Generator) -> Coherence:
    """Return whether the logit beats position and omission terms alone on held-out clusters.

    Clusters are split at random into `FOLDS` folds; each is predicted by models fitted on the
    others. Few clusters are split again and again, so that the answer does not hang on a lot, and
    their losses averaged. Losses are paired by cluster; the bound is that of a t test over
    clusters.
    """
    n_clusters = len(design.clusters)
    if n_clusters < LEAST_CLUSTERS:
        return Coherence(
            is_coherent=False,
            reason=(
                f"held-out prediction needs at least {LEAST_CLUSTERS} {design.unit}s with "
                f"contested choices; there are {n_clusters}"
            ),
        )
    blind, tight = design.content_blind(), _tight(design)
    splits = np.array([rng.permutation(n_clusters) % FOLDS for _ in range(_splits(n_clusters))])
    without = _held_out(blind, splits, _precision(blind))
    within = _held_out(design, splits, tight)
    gains = without - within
    per_choice = n_clusters / design.counts.sum()
    error = gains.std(ddof=1) / np.sqrt(n_clusters)
    low = (gains.mean() - special.stdtrit(n_clusters - 1, 0.95) * error) * per_choice
    is_better = bool(low > LEAST_GAIN)
    comparison = "better" if is_better else "no better"
    return Coherence(
        is_coherent=is_better,
        reason=f"values at stake predict held-out choices {comparison} than a content-blind model",
        blind=float(without.mean() * per_choice),
        values=float(within.mean() * per_choice),
        gain=float(gains.mean() * per_choice),
        low=float(low),
    )


def _splits(n_clusters: int) -> int:
    return int(np.clip(_MOST_SPLIT // n_clusters, 1, _MOST_SPLITS))


def _tight(design: Design) -> FloatArray:
    """Return the prior's precision (P) under which unseen clusters are best predicted.

    The log-loss on an unseen cluster exceeds that on the fitted ones by the trace of H^-1 J, H the
    Hessian and J the summed squares of the clusters' scores (Takeuchi 1976), which counts answers
    that repeat each other once. The search tightens the prior for as long as the sum falls.
    """
    total, least, best = design.totals.sum(axis=0), np.inf, _precision(design)
    theta = None
    for scale in _SCALES:
        precision = _precision(design, scale)
        theta = mode(design, design.met, total, precision, theta)
        own = scores(design, probabilities(design, theta))
        hessian = information(design, design.met, theta) + np.diag(precision)
        loss = losses(design, theta).sum() + np.trace(np.linalg.solve(hessian, own.T @ own))
        if loss > least:
            break
        least, best = loss, precision
    return best


def _precision(design: Design, scale: float = PRIOR_SD) -> FloatArray:
    """Return the prior's precision (P): that of values with standard deviation `scale`."""
    is_value = np.arange(design.features.shape[2]) < len(design.values)
    return np.where(is_value, scale, PRIOR_SD) ** -2.0


def _held_out(design: Design, splits: NDArray[np.int64], precision: FloatArray) -> FloatArray:
    """Return each cluster's log-loss under the model fitted without its fold, the mean of `splits`.

    `splits` (splits x G) say which fold a cluster is in.
    """
    out = splits[:, None] == np.arange(FOLDS)[:, None]
    kept = (~out).reshape(-1, splits.shape[1]).astype(float)
    samples = Samples(asked=(design.asked.T @ kept.T).T, total=kept @ design.totals)
    start = mode(design, design.met, design.totals.sum(axis=0), precision)
    fitted = modes(design, samples, precision, start).reshape(*out.shape[:2], -1)
    loss = np.zeros(splits.shape[1])
    for split, fold in np.ndindex(*out.shape[:2]):
        own = out[split, fold]
        loss[own] += losses(design, fitted[split, fold])[own]
    return loss / len(splits)
