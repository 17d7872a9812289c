"""The uncertainty of a fit that comes from how its clusters differ.

The cluster-robust sandwich (Liang and Zeger 1986) as a sum over clusters, each score freed of its
cluster's own pull on the estimate (CR2, Bell and McCaffrey 2002), with a floor under every
direction.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy import sparse

from valuesim.graph.coded import IntArray
from valuesim.graph.design import Design, FloatArray

_BATCH = 2_000_000
_MOST_CELLS = 8_000_000
"""The most numbers that the clusters' own Hessians may hold, lest they fill the memory."""
_DENSE = 16
_LEAST_LEFT = 0.05
"""What is left of a direction that one cluster decides alone; nothing would divide by zero."""
_SMALL_PULL = 0.1
"""The pull below which three terms of a series free a score as well as its exact root does."""


def roots(design: Design, p: FloatArray) -> FloatArray:
    """Return rows r (S x K-1 x P) such that each situation's information is the sum of r r'.

    `p` (S x K) are the probabilities of its options. Each option is set against the mean of those
    after it, which splits the covariance of the features without loss.
    """
    after = np.cumsum(p[:, ::-1], axis=1)[:, ::-1]
    share = np.divide(p, after, out=np.zeros_like(p), where=after > 0)[:, :, None]
    weight = np.sqrt(share[:, :-1] * after[:, 1:, None])
    rows = design.features[:, :-1].copy()
    mean = design.features[:, -1]
    for k in range(p.shape[1] - 2, -1, -1):
        rows[:, k] -= mean
        if k:
            mean = mean + share[:, k] * rows[:, k]
    rows *= weight
    return rows


def third_moments(design: Design, p: FloatArray) -> FloatArray:
    """Return how the information changes with theta: the third central moments of the features.

    One row stands for each pair of columns (as of `numpy.triu_indices`), in it one entry for each
    column; a pair of two columns is counted in both its orders.
    """
    n_options, n_columns = design.features.shape[1:]
    row, column = np.triu_indices(n_columns)
    found = np.zeros((len(row), n_columns))
    batch = max(1, _BATCH // (n_options * len(row)))
    for start in range(0, len(p), batch):
        part = slice(start, start + batch)
        features = design.features[part]
        away = features - np.matmul(p[part][:, None, :], features)
        flat = away.reshape(-1, n_columns)
        weights = (p[part] * design.met[part, None]).reshape(-1, 1)
        found += (flat[:, row] * flat[:, column]).T @ (flat * weights)
    return found * np.where(row == column, 1.0, 2.0)[:, None]


def scores(design: Design, p: FloatArray) -> FloatArray:
    """Return each cluster's score (G x P): its summed chosen features less those expected."""
    expected = np.matmul(p[:, None, :], design.features)[:, 0]
    return np.asarray(design.totals - design.asked @ expected)


def products(rows: FloatArray) -> FloatArray:
    """Return each situation's information, the sum of its r r', as a row (S x P*P)."""
    return np.asarray(np.matmul(rows.transpose(0, 2, 1), rows).reshape(len(rows), -1))


def membership(block: IntArray, n_blocks: int) -> sparse.csr_array:
    """Return the matrix (n_blocks x G) whose product sums rows over the clusters of each block."""
    place = (block, np.arange(len(block)))
    return sparse.csr_array((np.ones(len(block)), place), shape=(n_blocks, len(block)))


def is_dense(counts: sparse.csr_array) -> bool:
    """Return whether products with `counts` are quicker when its zeros are written out."""
    return bool(counts.nnz * _DENSE > counts.shape[0] * counts.shape[1])


def information_of(design: Design, rows: FloatArray, block: IntArray, n_blocks: int) -> FloatArray:
    """Return the information (n_blocks x P x P) of the clusters in each block.

    `rows` are the `roots` of the situations; `block` (G) says which block a cluster is in.
    """
    asked = sparse.csr_array(membership(block, n_blocks) @ design.asked)
    if is_dense(asked):
        return (asked.toarray() @ products(rows)).reshape(n_blocks, *2 * rows.shape[2:])
    found = np.zeros((n_blocks, *2 * rows.shape[2:]))
    times = np.sqrt(asked.data)
    for number, (start, end) in enumerate(pairwise(asked.indptr)):
        part = rows[asked.indices[start:end]] * times[start:end, None, None]
        part = part.reshape(-1, rows.shape[2])
        found[number] = part.T @ part
    return found


def influences(
    design: Design, p: FloatArray, scores: FloatArray, hessian: FloatArray
) -> FloatArray:
    """Return how far each cluster moves theta (G x P); the sum of their squares is the sandwich.

    Each cluster's score is freed of its own pull on the estimate (CR2): s becomes
    (I - H_g H^-1)^-1/2 s, H_g the cluster's share of the Hessian H, since with twenty values on a
    hundred scenes the plain sandwich is too small. Where there are so many clusters that none pulls
    noticeably, all scores are lengthened by the factor sqrt(G / (G - 1)) instead. With fewer than
    two clusters all is nan.
    """
    n_clusters, n_columns = scores.shape
    if n_clusters < 2:
        return np.full_like(scores, np.nan)
    if n_clusters * n_columns**2 > _MOST_CELLS:
        return lengthening(n_clusters) * plain_influences(scores, hessian)
    back = np.linalg.inv(np.linalg.cholesky(hessian))
    rows = roots(design, p) @ back.T
    pull = information_of(design, rows, np.arange(n_clusters), n_clusters)
    return np.asarray(_freed(pull, scores @ back.T) @ back)


def plain_influences(scores: FloatArray, hessian: FloatArray) -> FloatArray:
    """Return how far each cluster moves theta (G x P), its own pull not taken off."""
    return np.asarray(np.linalg.solve(hessian, scores.T).T)


def lengthening(n_clusters: int) -> float:
    """Return the factor sqrt(G / (G - 1)) of so many clusters, two or more."""
    return float(np.sqrt(n_clusters / (n_clusters - 1)))


def floored(covariance: FloatArray, hessian: FloatArray, least: float) -> FloatArray:
    """Return `covariance`, in no direction below `least` times the inverse of `hessian`."""
    if np.isnan(covariance).any():
        return covariance
    root = np.linalg.cholesky(hessian)
    ratio, directions = np.linalg.eigh(root.T @ covariance @ root)
    back = np.linalg.solve(root.T, directions)
    return np.asarray((back * np.maximum(ratio, least)) @ back.T)


def _freed(pull: FloatArray, scores: FloatArray) -> FloatArray:
    """Return (I - pull)^-1/2 applied to each of `scores`, pull by pull."""
    once = np.matmul(pull, scores[:, :, None])[:, :, 0]
    twice = np.matmul(pull, once[:, :, None])[:, :, 0]
    freed = scores + once / 2 + 3 / 8 * twice
    strong = np.flatnonzero(np.trace(pull, axis1=1, axis2=2) > _SMALL_PULL)
    left, directions = np.linalg.eigh(np.eye(pull.shape[1]) - pull[strong])
    turned = np.einsum("gji,gj->gi", directions, scores[strong])
    turned /= np.sqrt(np.maximum(left, _LEAST_LEFT))
    freed[strong] = np.einsum("gij,gj->gi", directions, turned)
    return np.asarray(freed)
