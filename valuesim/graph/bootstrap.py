"""Shared draws of the coefficients: a cluster bootstrap, the one source of every derived figure.

Clusters are drawn with replacement (multinomial weights) and the logit is refitted by Newton steps
from the estimate: to convergence where draws times option slots stay within `FULL_REFIT`, by one
step above that (the one-step bootstrap, Davidson and MacKinnon 1999; its error is of smaller order
than the spread). Deviations are then widened by sqrt(G / (G - 1)) times t over normal quantile, so
that the draws' 95 % ranges agree with the intervals of `logit` also for few clusters. Resampling
cannot show what was never seen (see the floor in `logit`); normal noise makes up the variance by
which `LogitFit.covariance` exceeds `LogitFit.sandwich`.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from valuesim.graph.design import Design, FloatArray
from valuesim.graph.logit import PRIOR_SD, LogitFit, probabilities

FULL_REFIT = 10_000_000
_BATCH = 2_000_000
_STEPS = 8


def bootstrap(design: Design, fit: LogitFit, draws: int, rng: np.random.Generator) -> FloatArray:
    """Return `draws` draws of theta (draws x P); nan with fewer than two clusters."""
    n_clusters = len(design.clusters)
    if n_clusters < 2:
        return np.full((draws, len(fit.theta)), np.nan)
    weights = rng.multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), draws).astype(float)
    is_small = draws * design.offered.size <= FULL_REFIT
    deviations = refits(design, fit.theta, weights, _STEPS if is_small else 1) - fit.theta
    widening = (
        np.sqrt(n_clusters / (n_clusters - 1)) * fit.quantile(n_clusters) / stats.norm.ppf(0.975)
    )
    return np.asarray(fit.theta + widening * deviations + _unseen(fit, draws, rng))


def refits(design: Design, theta: FloatArray, weights: FloatArray, steps: int) -> FloatArray:
    """Return the modes under cluster `weights` (draws x G), after at most `steps` Newton steps."""
    n_situations, n_options, n_columns = design.features.shape
    p = probabilities(design, theta)
    expected = np.einsum("sk,skp->sp", p, design.features)
    centred = design.features - expected[:, None, :]
    spread = np.matmul((centred * p[:, :, None]).transpose(0, 2, 1), centred)
    spread = spread.reshape(n_situations, -1)
    fitted = np.empty((len(weights), n_columns))
    batch = max(1, _BATCH // max(n_situations * n_options, 1))
    for start in range(0, len(weights), batch):
        part = slice(start, start + batch)
        asked = np.asarray((design.asked.T @ weights[part].T).T)
        total = weights[part] @ design.totals
        # the first step starts from one theta, so its moments are the same for all draws
        hessian = (asked @ spread).reshape(-1, n_columns, n_columns)
        gradient = total - asked @ expected - theta * PRIOR_SD**-2
        fitted[part] = theta + _solved(hessian, gradient)
        for _ in range(steps - 1):
            step = _step(design, fitted[part], asked, total)
            fitted[part] += step
            if np.abs(step).max() < 1e-6:
                break
    return fitted


def _step(design: Design, theta: FloatArray, asked: FloatArray, total: FloatArray) -> FloatArray:
    """Return the Newton step of each draw from its own row of `theta`."""
    n_draws, n_columns = theta.shape
    utility = (theta @ design.flat.T).reshape(n_draws, *design.offered.shape)
    utility = np.where(design.offered, utility, -np.inf)
    utility = np.exp(utility - utility.max(axis=2, keepdims=True))
    p = utility / utility.sum(axis=2, keepdims=True)
    weighted = (p * asked[:, :, None]).reshape(n_draws, -1)
    products = (design.flat[:, :, None] * design.flat[:, None, :]).reshape(len(design.flat), -1)
    expected = np.matmul(p.transpose(1, 0, 2), design.features).transpose(1, 0, 2)
    hessian = (weighted @ products).reshape(n_draws, n_columns, n_columns)
    hessian -= np.matmul((expected * asked[:, :, None]).transpose(0, 2, 1), expected)
    return _solved(hessian, total - weighted @ design.flat - theta * PRIOR_SD**-2)


def _solved(information: FloatArray, gradient: FloatArray) -> FloatArray:
    hessian = information + np.eye(gradient.shape[1]) * PRIOR_SD**-2
    step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
    # the prior's own scale bounds a step, so that a flat start cannot throw a draw far out
    return np.asarray(np.clip(step, -PRIOR_SD, PRIOR_SD))


def _unseen(fit: LogitFit, draws: int, rng: np.random.Generator) -> FloatArray:
    variances, directions = np.linalg.eigh(fit.covariance - fit.sandwich)
    scales = np.sqrt(np.maximum(variances, 0.0)) * directions
    widening = fit.quantile(fit.n_clusters) / stats.norm.ppf(0.975)
    return np.asarray(widening * rng.standard_normal((draws, len(fit.theta))) @ scales.T)
