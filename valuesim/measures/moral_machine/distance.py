"""How far nine effects are from people's, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from valuesim.measures.moral_machine.amce import ATTRIBUTES
from valuesim.measures.moral_machine.contrast import Rows
from valuesim.measures.moral_machine.judgements import FloatArray

DRAWS = 2000
_LEAST_DRAWS = 0.95


@dataclass(frozen=True, kw_only=True, slots=True)
class Distance:
    """A distance from 0; None where an effect is unknown.

    `value` is the plain one, as published; `corrected` takes out what sampling noise alone adds.
    `low` and `high` are the 95 % interval of the true distance, which the plain value of few
    decisions can exceed. `n` counts the decisions.
    """

    value: float | None = None
    corrected: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0


def distance(
    rows: Mapping[str, Rows],
    reference: Mapping[str, float],
    *,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> Distance:
    """Return the distance to `reference` of the effects estimated from `rows` (of each attribute).

    Clusters are drawn with replacement. Noise adds its variance to the squared distance, in the
    draws as in the estimate, so the interval is the basic bootstrap's of the square (Davison and
    Hinkley 1997), its deviations widened for few clusters as in `graph.bootstrap`. No interval with
    fewer than two clusters, or where more than one draw in twenty lacks an attribute.
    """
    n = max(own.decisions for own in rows.values())
    sums = _sums(rows)
    target = np.array([reference[name] for name in ATTRIBUTES])
    square = float(_squares(sums.sum(axis=0), target))
    if not np.isfinite(square):
        return Distance(n=n)
    squares = _drawn(sums, target, rng, draws)
    if len(squares) < max(2, _LEAST_DRAWS * draws):
        return Distance(value=_root(square), n=n)
    noise = float(squares.mean()) - square
    deviations = _widening(len(sums)) * (squares - squares.mean()) + noise
    low, high = square - np.quantile(deviations, [0.975, 0.025])
    return Distance(
        value=_root(square),
        corrected=_root(square - noise),
        low=_root(low),
        high=_root(high),
        n=n,
    )


def _sums(rows: Mapping[str, Rows]) -> FloatArray:
    """Return sums of weights: clusters x attributes x (+ level, other) x (spared, all)."""
    clusters = np.unique(np.concatenate([own.cluster for own in rows.values()]))
    sums = np.zeros((len(clusters), len(ATTRIBUTES), 2, 2))
    for place, name in enumerate(ATTRIBUTES):
        own = rows[name]
        cells = 2 * np.searchsorted(clusters, own.cluster) + ~own.is_plus
        for kind, weight in enumerate((own.weight * own.saved, own.weight)):
            summed = np.bincount(cells, weights=weight, minlength=2 * len(clusters))
            sums[:, place, :, kind] = summed.reshape(-1, 2)
    return sums


def _drawn(
    sums: FloatArray, target: FloatArray, rng: np.random.Generator, draws: int
) -> FloatArray:
    """Return squared distances of resampled clusters, without those that lack an attribute."""
    n_clusters = len(sums)
    if n_clusters < 2:
        return np.zeros(0)
    times = rng.multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), draws).astype(float)
    drawn = (times @ sums.reshape(n_clusters, -1)).reshape(draws, *sums.shape[1:])
    squares = _squares(drawn, target)
    return squares[np.isfinite(squares)]


def _squares(sums: FloatArray, target: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore"):
        shares = sums[..., 0] / sums[..., 1]
    effects = shares[..., 0] - shares[..., 1]
    return np.asarray(((effects - target) ** 2).sum(axis=-1))


def _widening(n_clusters: int) -> float:
    quantiles = stats.t.ppf(0.975, n_clusters - 1) / stats.norm.ppf(0.975)
    return float(np.sqrt(n_clusters / (n_clusters - 1)) * quantiles)


def _root(square: float) -> float:
    return float(np.sqrt(max(0.0, square)))
