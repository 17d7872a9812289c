"""A hierarchical beta-binomial by grids: posterior draws of the rates of several cells.

Episode e of cell c shows y_e of n_e, y_e ~ BetaBinomial(n_e, p_c, rho): rho is the correlation of
two tries in one episode, common to all cells. p_c ~ Beta(mu kappa, (1 - mu) kappa). Priors, all
weak: mu uniform (more weight near 0 would call a rare but clustered act rarer than it is); kappa
log-uniform on 2 to 64 (below 2 a few cells without a transgression would pile all rates up at 0);
rho Beta(1, 2), mean 1/3. The posterior is exact up to the grids (p fine near 0 and 1), so that
there is no chain to tune or to mistrust. Cells of one episode are taken as independent given their
rates.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
from scipy import special

from valuesim.graph.design import FloatArray

Pairs = Sequence[tuple[int, int]]

_N_RATES = 240
_EDGES = np.sin(np.pi / 2 * np.linspace(0.0, 1.0, _N_RATES + 1)) ** 2
_RATES = np.sin(np.pi / 2 * (np.arange(_N_RATES) + 0.5) / _N_RATES) ** 2
_RHO_EDGES = np.concatenate([[0.0, 0.005, 0.015, 0.03], np.linspace(0.05, 0.95, 19), [0.99]])
_RHOS = (_RHO_EDGES[1:] + _RHO_EDGES[:-1]) / 2
_RHOS[0] = 0.0
_MUS = (np.arange(40) + 0.5) / 40
_KAPPAS = np.geomspace(2.0, 64.0, 8)


def posterior_rates(cells: Sequence[Pairs], draws: int, rng: np.random.Generator) -> FloatArray:
    """Return joint posterior draws of the cells' rates (draws x cells), each in (0, 1).

    A cell is a list of (done, possible) by episode; a cell without tries is drawn from what the
    others say of it.
    """
    likelihoods = [_likelihood(tuple(cell)) for cell in cells]
    prior = _prior()
    with np.errstate(divide="ignore"):
        log_joint = np.log(_rho_weights())[None, :] + sum(
            np.log(prior @ likelihood) for likelihood in likelihoods
        )
    joint = np.exp(log_joint - log_joint.max()).ravel()
    drawn = rng.choice(len(joint), draws, p=joint / joint.sum())
    hyper, rho = np.unravel_index(drawn, (len(prior), len(_RHOS)))
    return np.column_stack(
        [_rates(prior[hyper] * likelihood[:, rho].T, rng) for likelihood in likelihoods]
    )


@lru_cache(maxsize=64)
def _likelihood(cell: tuple[tuple[int, int], ...]) -> FloatArray:
    """Return the likelihood of one cell over rates and rhos, scaled to a maximum of 1.

    With phi = rho / (1 - rho), BetaBinomial(y | n) is proportional to prod_{i<y} (p + i phi)
    prod_{j<n-y} (1 - p + j phi) / prod_{k<n} (1 + k phi), which holds for rho = 0 too; so counts of
    episodes with more than i, j, k suffice.
    """
    done = np.array([y for y, _ in cell], dtype=int)
    possible = np.array([n for _, n in cell], dtype=int)
    phi = _RHOS / (1 - _RHOS)
    steps = np.arange(possible.max(initial=0))[:, None] * phi
    log_likelihood = np.zeros((_N_RATES, len(_RHOS)))
    for i, step in enumerate(steps):
        log_likelihood += (done > i).sum() * np.log(_RATES[:, None] + step)
        log_likelihood += (possible - done > i).sum() * np.log(1 - _RATES[:, None] + step)
        log_likelihood -= (possible > i).sum() * np.log1p(step)
    return np.asarray(np.exp(log_likelihood - log_likelihood.max()))


@cache
def _prior() -> FloatArray:
    """Return the probability of each rate cell under each (mu, kappa) (hyper x rates)."""
    mu, kappa = (grid.ravel()[:, None] for grid in np.meshgrid(_MUS, _KAPPAS, indexing="ij"))
    below = special.betainc(mu * kappa, (1 - mu) * kappa, _EDGES)
    return np.asarray(np.maximum(np.diff(below, axis=1), 1e-300))


def _rho_weights() -> FloatArray:
    below = 1 - (1 - _RHO_EDGES) ** 2
    return np.asarray(np.diff(below))


def _rates(weights: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return one rate per row of `weights`, uniform (in arcsine) within the drawn grid cell."""
    below = np.cumsum(weights, axis=1)
    cut = rng.random((len(weights), 1)) * below[:, -1:]
    place = np.minimum((below < cut).sum(axis=1), _N_RATES - 1)
    angle = (place + rng.random(len(weights))) / _N_RATES
    return np.asarray(np.sin(np.pi / 2 * angle) ** 2)
