"""The primary estimate: a conditional logit over the options of each decision.

The utility of an option is theta . stakes, plus terms for being shown first, for the relative place
in the order shown (-0.5 to 0.5) and for letting things take their course (McFadden 1974,
"Conditional logit analysis of qualitative choice behavior"). Every coefficient has a normal prior
with mean 0 and standard deviation `PRIOR_SD`, weak enough to vanish in ordinary data and strong
enough to keep separated data finite.

Uncertainty is the cluster-robust sandwich (Liang and Zeger 1986), each score freed of its cluster's
own pull on the estimate (CR2; see `_unbiased`), and quantiles of Student's t with G - 1 degrees of
freedom, G the effective number of clusters that a figure rests on: normal for many clusters, wider
for few. The sandwich sees only what differs between clusters. Where choices are separated (some
direction of theta is never contradicted) nothing is left to see, and the variance is held to be no
less in any direction than the curvature of the posterior says; otherwise no less than
`LEAST_VARIANCE` times that, lest episodes that are copies of each other look like perfect
knowledge.

Strengths are population averages: where they differ from episode to episode, they are those of the
average choice, a little nearer to 0 than the average of the episodes' own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from valuesim.graph.design import BoolArray, Design, FloatArray

PRIOR_SD = 3.0
_MOST_CELLS = 8_000_000
"""The most numbers that the clusters' own Hessians may hold, lest they fill the memory."""
_LEAST_LEFT = 0.05
"""What is left of a direction that one cluster decides alone; nothing would divide by zero."""
LEAST_VARIANCE = 0.25
_ALMOST_FLAT = (1e-6, 1e-8)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LogitFit:
    """Coefficients of a `Design`, one per column, in log-odds per unit of stake.

    `hessian` is the information plus the prior's precision. `sandwich` is the plain cluster-robust
    covariance, with the factor G / (G - 1), that a cluster bootstrap has; `covariance` is CR2 with
    its floor (see the module). Both are nan with fewer than two clusters. `separated` marks columns
    that the choices never contradict.
    """

    theta: FloatArray
    hessian: FloatArray
    sandwich: FloatArray
    covariance: FloatArray
    separated: BoolArray
    n_clusters: int

    def quantile(self, clusters: float) -> float:
        """Return the standard errors in half a 95 % interval that rests on so many `clusters`.

        Below 2 of the effective number they count as 2; with fewer than 2 in all it is nan.
        """
        if self.n_clusters < 2:
            return np.nan
        return float(stats.t.ppf(0.975, max(clusters - 1.0, 1.0)))


def fit(design: Design) -> LogitFit:
    """Return the fit of `design`, which must hold at least one choice."""
    asked = np.asarray(design.asked.sum(axis=0), dtype=float)
    total = design.totals.sum(axis=0)
    theta = mode(design, asked, total)
    separated = _separated(design, asked, total, theta)
    hessian = information(design, asked, theta) + _precision(theta)
    sandwich = _sandwich(design, theta, hessian)
    return LogitFit(
        theta=theta,
        hessian=hessian,
        sandwich=sandwich,
        covariance=_floored(
            _unbiased(design, theta, hessian, sandwich),
            hessian,
            1.0 if separated.any() else LEAST_VARIANCE,
        ),
        separated=separated,
        n_clusters=len(design.clusters),
    )


def effective_clusters(design: Design, fitted: LogitFit, contrasts: FloatArray) -> FloatArray:
    """Return how many clusters each row of `contrasts` (C x P) of theta rests on, in [1, G].

    With v_g the share of cluster g in the contrast's information, it is (sum v)^2 / sum v^2 (after
    Satterthwaite 1946): a value at stake in 3 of 40 clusters rests on about 3.
    """
    p = probabilities(design, fitted.theta)
    expected = np.einsum("sk,skp->sp", p, design.features)
    weights = np.linalg.solve(fitted.hessian, contrasts.T)
    projected = (design.features - expected[:, None, :]) @ weights
    shares = design.asked @ np.einsum("sk,skc->sc", p, projected**2)
    total = shares.sum(axis=0)
    squares = (shares**2).sum(axis=0)
    return np.asarray(np.divide(total**2, squares, out=np.ones_like(total), where=squares > 0))


def probabilities(design: Design, theta: FloatArray) -> FloatArray:
    """Return the probability of each option of each situation (S x K); 0 where none is offered."""
    return np.asarray(np.exp(_log_probabilities(design, theta)[0]))


def losses(design: Design, theta: FloatArray) -> FloatArray:
    """Return each cluster's summed log-loss, in nats (G)."""
    log_p = _log_probabilities(design, theta)[0]
    log_p = np.where(design.offered, log_p, 0.0).ravel()
    return np.asarray(-(design.chosen @ log_p))


def information(design: Design, asked: FloatArray, theta: FloatArray) -> FloatArray:
    """Return the Fisher information of theta when situation s is met `asked[s]` times (P x P)."""
    p = probabilities(design, theta)
    expected = np.einsum("sk,skp->sp", p, design.features)
    weights = (asked[:, None] * p).ravel()
    raw = design.flat.T @ (design.flat * weights[:, None])
    return np.asarray(raw - expected.T @ (expected * asked[:, None]))


def mode(
    design: Design,
    asked: FloatArray,
    total: FloatArray,
    precision: float = PRIOR_SD**-2,
    start: FloatArray | None = None,
) -> FloatArray:
    """Return the posterior mode of theta, by Newton's method with step halving.

    `asked` (S) counts how often each situation was met, `total` (P) sums the chosen features; both
    may be weighted. The log-posterior is concave, so the mode is unique.
    """
    theta = np.zeros(design.features.shape[2]) if start is None else start
    height = _log_posterior(design, asked, total, precision, theta)
    for _ in range(100):
        gradient = _gradient(design, asked, total, precision, theta)
        hessian = information(design, asked, theta) + precision * np.eye(len(theta))
        step = np.linalg.solve(hessian, gradient)
        if gradient @ step < 1e-10:
            break
        for scale in 0.5 ** np.arange(30):
            higher = _log_posterior(design, asked, total, precision, theta + scale * step)
            if higher > height:
                break
        else:
            break
        theta, height = theta + scale * step, higher
    return theta


def _log_probabilities(design: Design, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return log-probabilities (S x K) and log-normalisers (S)."""
    utility = np.where(design.offered, design.features @ theta, -np.inf)
    highest = utility.max(axis=1, keepdims=True)
    normaliser = highest + np.log(np.exp(utility - highest).sum(axis=1, keepdims=True))
    return utility - normaliser, normaliser[:, 0]


def _log_posterior(
    design: Design, asked: FloatArray, total: FloatArray, precision: float, theta: FloatArray
) -> float:
    normaliser = _log_probabilities(design, theta)[1]
    return float(total @ theta - asked @ normaliser - 0.5 * precision * theta @ theta)


def _gradient(
    design: Design, asked: FloatArray, total: FloatArray, precision: float, theta: FloatArray
) -> FloatArray:
    weights = asked[:, None] * probabilities(design, theta)
    gradient: FloatArray = total - design.flat.T @ weights.ravel() - precision * theta
    return gradient


def _separated(
    design: Design, asked: FloatArray, total: FloatArray, theta: FloatArray
) -> BoolArray:
    """Return the columns in which the estimate runs away when the prior is taken off.

    The likelihood has a finite maximum unless the choices are separated (Albert and Anderson
    1984); then, and only then, does a hundred times weaker prior move the mode by about log 100.
    """
    near, far = (mode(design, asked, total, precision, theta) for precision in _ALMOST_FLAT)
    drift = far - near
    gaps = np.ptp(design.features @ drift, axis=1)
    if gaps.max(initial=0.0) < 1.0:
        return np.zeros(len(theta), dtype=bool)
    return np.asarray(np.abs(drift) > 0.5)


def _sandwich(design: Design, theta: FloatArray, hessian: FloatArray) -> FloatArray:
    n_clusters = len(design.clusters)
    if n_clusters < 2:
        return np.full_like(hessian, np.nan)
    expected = np.einsum("sk,skp->sp", probabilities(design, theta), design.features)
    scores = design.totals - design.asked @ expected
    bread = np.linalg.inv(hessian)
    meat = scores.T @ scores * n_clusters / (n_clusters - 1)
    covariance: FloatArray = bread @ meat @ bread
    return covariance


def _unbiased(
    design: Design, theta: FloatArray, hessian: FloatArray, sandwich: FloatArray
) -> FloatArray:
    """Return the sandwich with each cluster's score freed of its own pull on the estimate (CR2).

    A score s becomes (I - H_g H^-1)^-1/2 s, H_g the cluster's share of the Hessian H (Bell and
    McCaffrey 2002): with twenty values on a hundred scenes the plain sandwich is too small.
    Where there are so many clusters that none pulls noticeably, `sandwich` is returned.
    """
    n_clusters, n_columns = len(design.clusters), len(theta)
    if n_clusters < 2 or n_clusters * n_columns**2 > _MOST_CELLS:
        return sandwich
    p = probabilities(design, theta)
    expected = np.einsum("sk,skp->sp", p, design.features)
    centred = design.features - expected[:, None, :]
    spread = np.matmul((centred * p[:, :, None]).transpose(0, 2, 1), centred)
    root = np.linalg.cholesky(hessian)
    back = np.linalg.inv(root)
    own = (design.asked @ spread.reshape(len(spread), -1)).reshape(-1, n_columns, n_columns)
    scores = (design.totals - design.asked @ expected) @ back.T
    left, directions = np.linalg.eigh(np.eye(n_columns) - back @ own @ back.T)
    turned = np.einsum("gji,gj->gi", directions, scores) / np.sqrt(np.maximum(left, _LEAST_LEFT))
    freed = np.einsum("gij,gj->gi", directions, turned)
    covariance: FloatArray = back.T @ (freed.T @ freed) @ back
    return covariance


def _floored(sandwich: FloatArray, hessian: FloatArray, least: float) -> FloatArray:
    """Return `sandwich`, in no direction below `least` times the inverse of `hessian`."""
    if np.isnan(sandwich).any():
        return sandwich
    root = np.linalg.cholesky(hessian)
    ratio, directions = np.linalg.eigh(root.T @ sandwich @ root)
    back = np.linalg.solve(root.T, directions)
    floored: FloatArray = (back * np.maximum(ratio, least)) @ back.T
    return floored


def _precision(theta: FloatArray) -> FloatArray:
    return np.eye(len(theta)) * PRIOR_SD**-2
