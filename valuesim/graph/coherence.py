"""Whether what is at stake predicts unseen choices better than a content-blind model does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from valuesim.graph.design import Design, FloatArray
from valuesim.graph.logit import losses, mode

LEAST_CLUSTERS = 10
LEAST_GAIN = 0.002
"""The gain, in nats per choice, below which better is no better: rounding and priors gain that."""
FOLDS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Coherence:
    """The verdict, and the held-out gain in log-loss behind it.

    `gain` is in nats per choice, content-blind minus logit; `low` its one-sided 95 % bound.
    `is_coherent` says that `low` > `LEAST_GAIN`. With fewer than `LEAST_CLUSTERS` clusters it is
    False and the figures are None. `reason` is a sentence either way.
    """

    is_coherent: bool
    reason: str
    gain: float | None = None
    low: float | None = None


def coherence(design: Design, rng: np.random.Generator) -> Coherence:
    """Return whether the logit beats position and omission terms alone on held-out clusters.

    Clusters are split at random into `FOLDS` folds; each is predicted by models fitted on the
    others. Losses are paired by cluster; the bound is that of a t test over clusters.
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
    folds = rng.permutation(n_clusters) % FOLDS
    gains = _held_out(design.content_blind(), folds) - _held_out(design, folds)
    per_choice = n_clusters / design.counts.sum()
    error = gains.std(ddof=1) / np.sqrt(n_clusters)
    low = (gains.mean() - stats.t.ppf(0.95, n_clusters - 1) * error) * per_choice
    is_better = bool(low > LEAST_GAIN)
    comparison = "better" if is_better else "no better"
    return Coherence(
        is_coherent=is_better,
        reason=f"values at stake predict held-out choices {comparison} than a content-blind model",
        gain=float(gains.mean() * per_choice),
        low=float(low),
    )


def _held_out(design: Design, folds: NDArray[np.int64]) -> FloatArray:
    """Return each cluster's log-loss under the model fitted without its fold."""
    loss = np.zeros(len(folds))
    start = None
    for fold in range(FOLDS):
        kept = (folds != fold).astype(float)
        start = mode(design, design.asked.T @ kept, design.totals.T @ kept, start=start)
        out = folds == fold
        loss[out] = losses(design, start)[out]
    return loss
