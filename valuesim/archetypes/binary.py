"""Logits of yes or no: whether something was done, as a function of a few numbers.

They are conditional logits of two options, so that `graph.logit` gives their weak prior, their
cluster-robust covariance and what it says where choices are separated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from valuesim.graph.design import Design, FloatArray
from valuesim.graph.logit import effective_clusters, fit


@dataclass(frozen=True, kw_only=True, slots=True)
class Coefficient:
    """A change in log-odds for one unit of a column, with its 95 % interval.

    The interval is None with fewer than two clusters. `is_separated`: nothing contradicts it, so
    that only the weak prior bounds it.
    """

    value: float
    low: float | None
    high: float | None
    is_separated: bool = False


def binary_logit(
    rows: FloatArray, hits: Sequence[bool], clusters: Sequence[str], names: Sequence[str]
) -> tuple[Coefficient, ...]:
    """Return the coefficient of each of the columns called `names` of `rows` (N x P), N > 0.

    There is no intercept but the one that `rows` hold.
    """
    design = _design(rows, hits, clusters, names)
    fitted = fit(design)
    width = len(names)
    resting = effective_clusters(design, fitted, np.eye(width))
    found = []
    for place in range(width):
        value = float(fitted.theta[place])
        error = float(np.sqrt(fitted.covariance[place, place]))
        half = fitted.quantile(float(resting[place])) * error
        is_known = bool(np.isfinite(half))
        found.append(
            Coefficient(
                value=value,
                low=value - half if is_known else None,
                high=value + half if is_known else None,
                is_separated=bool(fitted.separated[place]),
            )
        )
    return tuple(found)


def _design(
    rows: FloatArray, hits: Sequence[bool], clusters: Sequence[str], names: Sequence[str]
) -> Design:
    kinds, kind = np.unique(np.asarray(rows, dtype=float), axis=0, return_inverse=True)
    ids, cluster = np.unique(list(clusters), return_inverse=True)
    option = 2 * kind.ravel() + ~np.asarray(hits, dtype=bool)
    chosen = sparse.coo_array(
        (np.ones(len(option)), (cluster, option)), shape=(len(ids), 2 * len(kinds))
    )
    return Design(
        values=tuple(names),
        clusters=tuple(ids.tolist()),
        situations=(((), True),) * len(kinds),
        features=np.stack([kinds / 2, -kinds / 2], axis=1),
        offered=np.ones((len(kinds), 2), dtype=bool),
        chosen=chosen.tocsr(),
    )
