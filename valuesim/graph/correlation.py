"""How alike two rankings are: rank correlations freed of the noise in both.

Two noisy rankings correlate less than the truths behind them, and resampling noisy estimates adds
noise once more, so that neither the plain coefficient nor its bootstrap range covers the truth.
Here the true strengths are drawn given the estimates: those of one value in the two rankings come
from a bivariate normal, centred, whose spreads (uniform shrinkage, Daniels 1999) and correlation
are unknown, and the estimates have their known sampling covariance. The correlation's prior is flat
on -1 to 1, but for a twentieth at each end ("the same order", "the reverse"). Each draw is one of
the prior, moved by what it and noise of the shared bootstrap leave unexplained of the estimates
(Matheron's rule; Wilson et al. 2020): the coefficients of one possible pair of truths.
docs/comparison.md says how often the intervals cover planted truths.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from valuesim.graph.design import FloatArray

LEAST_VALUES = 4
"""With fewer values in common, a rank correlation says nothing."""
_SPREADS = 5
_ROUNDING = 1e-8
_AT_THE_ENDS = 0.05
_CORRELATIONS = np.concatenate([[-1.0], np.linspace(-0.975, 0.975, 27), [1.0]])


@dataclass(frozen=True, kw_only=True, slots=True)
class RankCorrelation:
    """The rank correlation of two rankings' true strengths, over `values` common values.

    `spearman` and `kendall` (tau) are means, `low` to `high` and `kendall_low` to `kendall_high`
    their 95 % intervals. `observed` and `observed_kendall` are the coefficients of the noisy
    estimates, `ceiling` what the observed Spearman's would be about if the truths were the same:
    None where strengths on one side differ by no more than noise. Everything is None where `reason`
    says why.
    """

    values: int
    spearman: float | None = None
    low: float | None = None
    high: float | None = None
    kendall: float | None = None
    kendall_low: float | None = None
    kendall_high: float | None = None
    observed: float | None = None
    observed_kendall: float | None = None
    ceiling: float | None = None
    reason: str | None = None


def rank_correlation(
    estimate: FloatArray, covariance: FloatArray, noise: FloatArray, rng: np.random.Generator
) -> RankCorrelation:
    """Return the rank correlation of two sets of V strengths that follow each other in `estimate`.

    `estimate` (2V) and `covariance` (2V x 2V) may be centred or not; `noise` (draws x 2V) are draws
    of the estimates' errors, each draw of both sets from the same clusters.
    """
    n_values = len(estimate) // 2
    if n_values < LEAST_VALUES:
        return too_few(n_values)
    basis = linalg.block_diag(*[linalg.helmert(n_values)] * 2)
    truths = _truths(basis @ estimate, basis @ covariance @ basis.T, noise @ basis.T, rng) @ basis
    rho, tau = spearman(truths), kendall(truths)
    (low, high), (tau_low, tau_high) = (_interval(each) for each in (rho, tau))
    return RankCorrelation(
        values=n_values,
        spearman=float(rho.mean()),
        low=low,
        high=high,
        kendall=float(tau.mean()),
        kendall_low=tau_low,
        kendall_high=tau_high,
        observed=float(spearman(estimate[None])[0]),
        observed_kendall=float(kendall(estimate[None])[0]),
        ceiling=_ceiling(basis @ estimate, basis @ covariance @ basis.T),
    )


def too_few(values: int) -> RankCorrelation:
    """Return the empty correlation of rankings with so few values in common.

    >>> too_few(1).reason
    'only 1 value in common; 4 are needed'
    """
    few = "no value" if not values else f"only {values} value{'s' * (values > 1)}"
    return RankCorrelation(values=values, reason=f"{few} in common; {LEAST_VALUES} are needed")


def spearman(pairs: FloatArray) -> FloatArray:
    """Return Spearman's coefficient of the first with the second half of each row, without ties.

    >>> spearman(np.array([[1.0, 2.0, 3.0, 10.0, 30.0, 20.0]])).tolist()
    [0.5]
    """
    n_values = pairs.shape[1] // 2
    ranks = pairs.reshape(len(pairs), 2, n_values).argsort(axis=2).argsort(axis=2)
    away = ((ranks[:, 0] - ranks[:, 1]) ** 2).sum(axis=1)
    return np.asarray(1 - 6 * away / (n_values * (n_values**2 - 1)))


def kendall(pairs: FloatArray) -> FloatArray:
    """Return Kendall's tau of the first with the second half of each row, without ties.

    >>> kendall(np.array([[1.0, 2.0, 3.0, 10.0, 30.0, 20.0]])).round(3).tolist()
    [0.333]
    """
    n_values = pairs.shape[1] // 2
    first, second = np.triu_indices(n_values, 1)
    each = pairs.reshape(len(pairs), 2, n_values)
    signs = np.sign(each[:, :, first] - each[:, :, second])
    return np.asarray((signs[:, 0] * signs[:, 1]).mean(axis=1))


def _interval(draws: FloatArray) -> tuple[float, float]:
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def _truths(
    estimate: FloatArray, covariance: FloatArray, noise: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Return draws of the true strengths (draws x 2n) in an orthonormal basis of n contrasts."""
    n = len(estimate) // 2
    halves = (slice(0, n), slice(n, None))
    spreads = [_spreads(estimate[half], covariance[half, half]) for half in halves]
    priors = _priors(*spreads)
    chances = _chances(estimate, covariance, priors, spreads)
    drawn = rng.choice(len(priors), size=len(noise), p=chances)
    kinds, kind = np.unique(drawn, return_inverse=True)
    standard = rng.standard_normal((len(noise), 2, n))
    before = np.matmul(_roots(priors[kinds])[kind], standard).reshape(-1, 2 * n)
    prior = np.kron(priors[kinds], np.eye(n))
    gain = np.linalg.solve(prior + covariance, prior).transpose(0, 2, 1)
    unexplained = estimate - before - noise
    return np.asarray(before + np.matmul(gain[kind], unexplained[:, :, None])[:, :, 0])


def _spreads(estimate: FloatArray, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return likely variances of the true strengths, evenly spaced in probability, and their logs.

    The logs are of the likelihood. The prior is uniform on the share of the variance that is no
    noise.
    """
    logits = np.linspace(-4.0, 9.0, 131)
    shares = 1 / (1 + np.exp(-logits))
    variances, directions = np.linalg.eigh(covariance)
    variances = np.maximum(variances, 1e-12)
    spreads = variances.mean() * shares / (1 - shares)
    total = spreads[:, None] + variances
    squares = (directions.T @ estimate) ** 2
    likelihood = -0.5 * (np.log(total) + squares / total).sum(axis=1)
    mass = np.exp(likelihood - likelihood.max()) * shares * (1 - shares)
    below = np.cumsum(mass) / mass.sum()
    chosen = np.searchsorted(below, (np.arange(_SPREADS) + 0.5) / _SPREADS)
    return spreads[chosen], likelihood[chosen]


def _priors(
    first: tuple[FloatArray, FloatArray], second: tuple[FloatArray, FloatArray]
) -> FloatArray:
    """Return the covariances (n x 2 x 2) of every pair of spreads with every correlation."""
    a, b, r = np.meshgrid(first[0], second[0], _CORRELATIONS, indexing="ij")
    off = r * np.sqrt(a * b)
    return np.stack([np.stack([a, off], -1), np.stack([off, b], -1)], -2).reshape(-1, 2, 2)


def _chances(
    estimate: FloatArray,
    covariance: FloatArray,
    priors: FloatArray,
    spreads: list[tuple[FloatArray, FloatArray]],
) -> FloatArray:
    """Return the posterior probability of each prior."""
    n = len(estimate) // 2
    # sides that move as one are told apart by rounding only
    noise = covariance + np.eye(2 * n) * (_ROUNDING * np.trace(covariance) / (2 * n))
    total = np.einsum("kij,ab->kiajb", priors, np.eye(n)).reshape(-1, 2 * n, 2 * n) + noise
    roots = np.linalg.cholesky(total)
    white = np.linalg.solve(roots, np.broadcast_to(estimate[:, None], (len(roots), 2 * n, 1)))
    likelihood = -np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
    likelihood -= 0.5 * (white[:, :, 0] ** 2).sum(axis=1)
    # the spreads are spaced by what each side alone says of them, which must not count twice
    alone = (spreads[0][1][:, None] + spreads[1][1]).ravel()
    within = np.full(len(_CORRELATIONS), (1 - 2 * _AT_THE_ENDS) / (len(_CORRELATIONS) - 2))
    within[[0, -1]] = _AT_THE_ENDS
    logs = likelihood.reshape(-1, len(within)) - alone[:, None] + np.log(within)
    chances = np.exp(logs - logs.max()).ravel()
    return np.asarray(chances / chances.sum())


def _roots(priors: FloatArray) -> FloatArray:
    variances, directions = np.linalg.eigh(priors)
    return np.asarray(directions * np.sqrt(np.maximum(variances, 0.0))[:, None, :])


def _ceiling(estimate: FloatArray, covariance: FloatArray) -> float | None:
    n = len(estimate) // 2
    halves = (slice(0, n), slice(n, None))
    sizes = [float(estimate[half] @ estimate[half]) for half in halves]
    true = [
        max(size - float(np.trace(covariance[half, half])), 0.0)
        for size, half in zip(sizes, halves, strict=True)
    ]
    if not all(true):
        return None
    together = np.sqrt(true[0] * true[1]) + np.trace(covariance[:n, n:])
    return float(np.clip(together / max(np.sqrt(sizes[0] * sizes[1]), 1e-12), -1.0, 1.0))
