"""Shared draws of the coefficients: a cluster bootstrap, the one source of every derived figure.

Each cluster counts with a random weight, exponential with mean 1 (the Bayesian bootstrap of Rubin
1981; no weight is 0, so that a few clusters among many never go missing), and the logit is refitted
with the weights, starting from the estimate with a Newton step of the draw's own. Where draws times
option slots stay within `FULL_REFIT`, more steps follow (`refit`) until they are small beside the
spread; above that the step is mended once for how the curvature changes on its way (a one-step
bootstrap, Davidson and MacKinnon 1999), which leaves an error of 1 or 2 % of the spread in a value
that is seldom at stake and less in others. What the refits lack of each cluster's influence
(`LogitFit.influence`) is added with the same weights, and deviations are widened by t over normal
quantile, so that the draws' 95 % ranges agree with the intervals of `logit` also for few clusters.
No weights can show what was never seen (see the floor in `logit`); normal noise makes up for that.

Weights belong to clusters by name (`ClusterWeights`), so that several designs can be drawn
together: what two of them have in common (the same scenes, the same worlds) is then drawn alike,
and the differences of their draws, row by row, have the right spread (`rank.rank_together`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from scipy import sparse, special

from valuesim.graph.coded import IntArray
from valuesim.graph.design import Design, FloatArray
from valuesim.graph.logit import PRIOR_SD, LogitFit, probabilities
from valuesim.graph.refit import Samples, refitted
from valuesim.graph.sandwich import (
    information_of,
    is_dense,
    lengthening,
    membership,
    plain_influences,
    products,
    roots,
    scores,
    third_moments,
)

MOST_BLOCKS = 2000
"""The number of blocks that more than twice as many clusters are put into."""
FULL_REFIT = 20_000_000
_KEPT: ContextVar[dict[bytes, FloatArray] | None] = ContextVar("kept", default=None)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ClusterWeights:
    """How much clusters count in each draw.

    `block` says which block each of `clusters` is in, `counts` (draws x blocks) how much a block
    counts: with mean and variance 1, and never 0. Few clusters are a block each. Very many are put
    at random into `MOST_BLOCKS` blocks of equal size: a sum over blocks varies as the sum over its
    clusters does, whatever they are, and two thousand blocks tell the standard error to 2 %. A
    value met in few clusters loses nothing, as those come to lie in blocks of their own.
    """

    clusters: tuple[str, ...]
    block: IntArray
    counts: FloatArray

    def of(self, clusters: Sequence[str]) -> IntArray:
        """Return the blocks of some of the clusters, in their order."""
        if tuple(clusters) == self.clusters:
            return self.block
        place = {cluster: index for index, cluster in enumerate(self.clusters)}
        return np.asarray(self.block[[place[cluster] for cluster in clusters]])


def cluster_weights(
    clusters: Sequence[str], draws: int, rng: np.random.Generator
) -> ClusterWeights:
    """Return `draws` sets of weights for the clusters."""
    names = tuple(sorted(set(clusters)))
    block = np.arange(len(names))
    if len(names) > 2 * MOST_BLOCKS:
        block = rng.permutation(len(names)) % MOST_BLOCKS
    n_blocks = min(len(names), int(block.max(initial=-1)) + 1)
    counts = rng.standard_exponential(size=(draws, n_blocks))
    return ClusterWeights(clusters=names, block=block, counts=counts)


@contextmanager
def sharing() -> Iterator[None]:
    """Keep the refits made inside until its end: the same design and weights are refitted once.

    A page tells of the same choices in several ways, and refits take most of an estimate's time.
    """
    token = _KEPT.set({})
    try:
        yield
    finally:
        _KEPT.reset(token)


def bootstrap(
    design: Design, fit: LogitFit, weights: ClusterWeights, rng: np.random.Generator
) -> FloatArray:
    """Return draws of theta (draws x P), one per row of `weights`, which hold all its clusters.

    They are nan with fewer than two clusters.
    """
    n_clusters, draws = len(design.clusters), len(weights.counts)
    if n_clusters < 2:
        return np.full((draws, len(fit.theta)), np.nan)
    is_small = draws * design.offered.size <= FULL_REFIT
    deviations = _refits_once(design, fit.theta, weights, is_full=is_small) - fit.theta
    widening = lengthening(min(n_clusters, weights.counts.shape[1]))
    of_cluster = scores(design, probabilities(design, fit.theta))
    # what the refits lack, cluster by cluster, so that designs which share some stay in step
    missing = fit.influence - widening * plain_influences(of_cluster, fit.hessian)
    members = membership(weights.of(design.clusters), weights.counts.shape[1])
    deviations = widening * deviations + (weights.counts - 1.0) @ (members @ missing)
    return np.asarray(fit.theta + _heavier(fit) * (deviations + _unseen(fit, draws, rng)))


def _refits_once(
    design: Design, theta: FloatArray, weights: ClusterWeights, *, is_full: bool
) -> FloatArray:
    """Return the `refits`, those kept by `sharing` if they are among them."""
    kept = _KEPT.get()
    if kept is None:
        return refits(design, theta, weights, is_full=is_full)
    name = blake2b(repr(design.features.shape).encode())
    chosen = (design.chosen.data, design.chosen.indices, design.chosen.indptr)
    drawn = (weights.of(design.clusters), weights.counts)
    for part in (design.features, design.offered, *chosen, theta, *drawn):
        name.update(part.tobytes())
    if name.digest() not in kept:
        kept[name.digest()] = refits(design, theta, weights, is_full=is_full)
    return kept[name.digest()]


def refits(
    design: Design, theta: FloatArray, weights: ClusterWeights, *, is_full: bool = True
) -> FloatArray:
    """Return the mode of each sample of clusters (draws x P), near `theta`, the mode of all.

    With `is_full` false it is one Newton step from there, mended for the change of curvature.
    """
    block, counts = weights.of(design.clusters), weights.counts
    p = probabilities(design, theta)
    rows, members = roots(design, p), membership(block, counts.shape[1])
    gradient = counts @ (members @ scores(design, p)) - theta * PRIOR_SD**-2
    if not is_full:
        own = information_of(design, rows, block, counts.shape[1])
        step, inverse = _steps(_weighted(own, counts), gradient)
        return theta + step - _bent(third_moments(design, p), inverse, step)
    asked = _drawn(members @ design.asked, counts)
    step, inverse = _steps((asked @ products(rows)).reshape(-1, *2 * theta.shape), gradient)
    samples = Samples(asked=asked, total=counts @ np.asarray(members @ design.totals))
    return refitted(design, samples, theta + step, inverse, np.abs(step).mean(axis=0))


def _steps(information: FloatArray, gradient: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the Newton step of each draw (draws x P) and its inverse Hessian."""
    hessian = information + np.eye(gradient.shape[1]) * PRIOR_SD**-2
    inverse = np.asarray(np.linalg.inv(hessian), dtype=float)
    return _times(inverse, gradient), inverse


def _weighted(own: FloatArray, counts: FloatArray) -> FloatArray:
    """Return the sums (draws x P x P) of symmetric matrices, each counted so often."""
    row, column = np.triu_indices(own.shape[1])
    found = np.empty((len(counts), *own.shape[1:]))
    found[:, row, column] = counts @ own[:, row, column]
    found[:, column, row] = found[:, row, column]
    return found


def _drawn(asked: sparse.csr_array, counts: FloatArray) -> FloatArray:
    """Return how often each draw meets each situation (draws x S)."""
    if is_dense(asked):
        return np.asarray(counts @ asked.toarray())
    return np.asarray((asked.T @ counts.T).T)


def _times(matrices: FloatArray, vectors: FloatArray) -> FloatArray:
    """Return each matrix times its vector."""
    return np.asarray(np.matmul(matrices, vectors[:, :, None])[:, :, 0])


def _bent(third: FloatArray, inverse: FloatArray, step: FloatArray) -> FloatArray:
    """Return how far a Newton `step` overshoots as the curvature changes on the way (draws x P)."""
    upper = np.triu_indices(step.shape[1])
    return _times(inverse, (step[:, upper[0]] * step[:, upper[1]]) @ third / 2)


def _heavier(fit: LogitFit) -> float:
    """Return how much wider Student's t of so many clusters is than the normal distribution."""
    return fit.quantile(fit.n_clusters) / float(special.ndtri(0.975))


def _unseen(fit: LogitFit, draws: int, rng: np.random.Generator) -> FloatArray:
    seen = fit.influence.T @ fit.influence
    variances, directions = np.linalg.eigh(fit.covariance - seen)
    scales = np.sqrt(np.maximum(variances, 0.0)) * directions
    return np.asarray(rng.standard_normal((draws, len(fit.theta))) @ scales.T)
