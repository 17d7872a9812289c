"""The primary estimate: a conditional logit over the options of each decision.

The utility of an option is theta . stakes, plus terms for being shown first, for the relative place
in the order shown (-0.5 to 0.5) and for letting things take their course (McFadden 1974,
"Conditional logit analysis of qualitative choice behavior"). Every coefficient has a normal prior
with mean 0 and standard deviation `PRIOR_SD`, weak enough to vanish in ordinary data and strong
enough to keep separated data finite.

Uncertainty is the cluster-robust sandwich (Liang and Zeger 1986), each score freed of its cluster's
own pull on the estimate (CR2; see `sandwich`), and quantiles of Student's t with G - 1 degrees of
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
from scipy import special

from valuesim.graph.design import BoolArray, Design, FloatArray
from valuesim.graph.sandwich import floored, influences, roots, scores

PRIOR_SD = 3.0
LEAST_VARIANCE = 0.25
RUNAWAY = 0.5
"""The drift beyond which a column, or the difference of two, is bounded by the prior only."""
_ALMOST_FLAT = (1e-6, 1e-8)
ARRIVED = 1e-10
"""The squared Newton decrement (twice the log-posterior left to gain) at which a mode is found."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LogitFit:
    """Coefficients of a `Design`, one per column, in log-odds per unit of stake.

    `hessian` is the information plus the prior's precision. `influence` (G x P) is how far each
    cluster moves theta (`sandwich.influences`), `covariance` the sum of their squares with its
    floor (see the module). Both are nan with fewer than two clusters. `drift` is how far each
    column runs away when the prior is taken off: 0 of all where the choices bound theta.
    """

    theta: FloatArray
    hessian: FloatArray
    influence: FloatArray
    covariance: FloatArray
    drift: FloatArray
    n_clusters: int

    @property
    def separated(self) -> BoolArray:
        """The columns that only the prior bounds; of values, see `identification.bounded`."""
        return np.asarray(np.abs(self.drift) > RUNAWAY)

    def quantile(self, clusters: float) -> float:
        """Return the standard errors in half a 95 % interval that rests on so many `clusters`.

        Below 2 of the effective number they count as 2; with fewer than 2 in all it is nan.
        """
        if self.n_clusters < 2:
            return np.nan
        return float(special.stdtrit(max(clusters - 1.0, 1.0), 0.975))


def fit(design: Design) -> LogitFit:
    """Return the fit of `design`, which must hold at least one choice."""
    theta = mode(design, design.met, design.totals.sum(axis=0))
    p = probabilities(design, theta)
    hessian = _information(design, design.met, p) + _precision(theta)
    drift = _drift(design, theta)
    influence = influences(design, p, scores(design, p), hessian)
    least = 1.0 if drift.any() else LEAST_VARIANCE
    return LogitFit(
        theta=theta,
        hessian=hessian,
        influence=influence,
        covariance=floored(influence.T @ influence, hessian, least),
        drift=drift,
        n_clusters=len(design.clusters),
    )


def effective_clusters(design: Design, fitted: LogitFit, contrasts: FloatArray) -> FloatArray:
    """Return how many clusters each row of `contrasts` (C x P) of theta rests on, in [1, G].

    With v_g the share of cluster g in the contrast's information, it is (sum v)^2 / sum v^2 (after
    Satterthwaite 1946): a value at stake in 3 of 40 clusters rests on about 3.
    """
    rows = roots(design, probabilities(design, fitted.theta))
    projected = rows @ np.linalg.solve(fitted.hessian, contrasts.T)
    shares = design.asked @ (projected**2).sum(axis=1)
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
    """Return the Fisher information (P x P) of choices made `asked` (S) times, without prior."""
    return _information(design, asked, probabilities(design, theta))


def mode(
    design: Design,
    asked: FloatArray,
    total: FloatArray,
    precision: float | FloatArray = PRIOR_SD**-2,
    start: FloatArray | None = None,
) -> FloatArray:
    """Return the posterior mode of theta, by Newton's method with step halving.

    `asked` (S) counts how often each situation was met, `total` (P) sums the chosen features; both
    may be weighted. `precision` is the prior's, of all columns or of each. The log-posterior is
    concave, so the mode is unique.
    """
    penalty = precision * np.eye(design.features.shape[2])
    theta = np.zeros(len(penalty)) if start is None else start
    height, log_p = _log_posterior(design, asked, total, penalty, theta)
    hessian = None
    for _ in range(100):
        p = np.exp(log_p)
        gradient = total - design.flat.T @ (asked[:, None] * p).ravel() - penalty @ theta
        # the last curvature tells well enough whether there is anywhere left to go
        if hessian is None or gradient @ np.linalg.solve(hessian, gradient) > ARRIVED:
            hessian = _information(design, asked, p) + penalty
        step = np.linalg.solve(hessian, gradient)
        if gradient @ step < ARRIVED:
            break
        for scale in 0.5 ** np.arange(30):
            tried = theta + scale * step
            higher, log_p = _log_posterior(design, asked, total, penalty, tried)
            if higher > height:
                break
        else:
            break
        theta, height = tried, higher
    return theta


def _log_posterior(
    design: Design, asked: FloatArray, total: FloatArray, penalty: FloatArray, theta: FloatArray
) -> tuple[float, FloatArray]:
    """Return the log-posterior, up to a constant, and the log-probabilities behind it."""
    log_p, normaliser = _log_probabilities(design, theta)
    return float(total @ theta - asked @ normaliser - 0.5 * theta @ penalty @ theta), log_p


def _information(design: Design, asked: FloatArray, p: FloatArray) -> FloatArray:
    rows = roots(design, p)
    rows *= np.sqrt(asked)[:, None, None]
    flat = rows.reshape(-1, rows.shape[2])
    return np.asarray(flat.T @ flat)


def _log_probabilities(design: Design, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return log-probabilities (S x K) and log-normalisers (S)."""
    utility = (design.flat @ theta).reshape(design.offered.shape)
    utility = np.where(design.offered, utility, -np.inf)
    highest = utility.max(axis=1, keepdims=True)
    normaliser = highest + np.log(np.exp(utility - highest).sum(axis=1, keepdims=True))
    return utility - normaliser, normaliser[:, 0]


def _drift(design: Design, theta: FloatArray) -> FloatArray:
    """Return how far the estimate runs away when the prior is taken off; 0 where it does not.

    The likelihood has a finite maximum unless the choices are separated (Albert and Anderson
    1984); then, and only then, does a hundred times weaker prior move the mode by about log 100.
    """
    total = design.totals.sum(axis=0)
    near, far = (mode(design, design.met, total, each, theta) for each in _ALMOST_FLAT)
    gaps = np.ptp(design.features @ (far - near), axis=1)
    return far - near if gaps.max(initial=0.0) >= 1.0 else np.zeros(len(theta))


def _precision(theta: FloatArray) -> FloatArray:
    return np.eye(len(theta)) * PRIOR_SD**-2
