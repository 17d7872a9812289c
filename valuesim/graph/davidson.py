"""Bradley-Terry strengths with ties (Davidson 1970): a view on votes, to compare with other work.

With theta the strengths and d = theta_i - theta_j, i beats j, j beats i and a tie have odds
exp(d / 2) : exp(-d / 2) : nu (Davidson 1970, "On extending the Bradley-Terry model to accommodate
ties in paired comparison experiments"). That is a conditional logit over three options, the tie at
stake halfway between the sides and with log nu as its omission term: where imported battles are
choices of that kind, `logit` estimates the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csgraph, csr_array

from valuesim.errors import InputError
from valuesim.graph.design import FloatArray

_MOST_STEPS = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class BradleyTerry:
    """Strengths in log-odds, in the order of the votes, centred on 0 within each component.

    `components` (indices, largest first) are the sets within which strengths are comparable; a
    value that stands alone has none. `nu` is 0 without ties. What is not determined is None, and
    `reason` says why; it is None where nothing is missing.
    """

    strengths: tuple[float | None, ...]
    nu: float | None
    components: tuple[tuple[int, ...], ...]
    reason: str | None = None


def bradley_terry(
    votes: FloatArray, ties: FloatArray | None = None, *, prior_sd: float | None = None
) -> BradleyTerry:
    """Return the strengths most likely from `votes` for the row before the column (V x V).

    `ties` (V x V, symmetric) counts each tie once on either side; both may be fractional. With
    `prior_sd`, strengths and log nu have a normal prior around 0 (`logit.PRIOR_SD` makes it the
    logit's), and whatever votes or ties join is comparable. Without, strengths are finite only
    among values each of which was put before each other, if by way of others, a tie counting
    either way: those are the components, and votes between them are left out. Raises InputError
    for other shapes, negative or infinite numbers, or ties that are not symmetric.
    """
    ties = np.zeros_like(votes, dtype=float) if ties is None else ties
    _check(votes, ties)
    components = _components(votes, ties, is_strong=prior_sd is None)
    pairs = _pairs(votes, ties, components)
    if not pairs.votes and (prior_sd is None or not pairs.ties):
        reason = "nothing but ties was counted" if pairs.ties else "no two values are comparable"
        return BradleyTerry(
            strengths=(None,) * len(votes), nu=None, components=components, reason=reason
        )
    theta, nu = _mode(pairs, components, 0.0 if prior_sd is None else prior_sd**-2)
    alone = {component[0] for component in components if len(component) == 1}
    return BradleyTerry(
        strengths=tuple(None if v in alone else float(theta[v]) for v in range(len(votes))),
        nu=nu,
        components=components,
        reason=None
        if len(components) < 2
        else f"strengths are comparable only within {len(components)} separate sets of values",
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Pairs:
    """The compared pairs within components: who they are (E x V), and counts of each (E)."""

    sides: FloatArray
    for_first: FloatArray
    for_second: FloatArray
    tied: FloatArray

    @property
    def votes(self) -> float:
        return float(self.for_first.sum() + self.for_second.sum())

    @property
    def ties(self) -> float:
        return float(self.tied.sum())


def _check(votes: FloatArray, ties: FloatArray) -> None:
    if votes.ndim != 2 or votes.shape[0] != votes.shape[1] or ties.shape != votes.shape:
        raise InputError(
            f"votes of shape {votes.shape} and ties of shape {ties.shape} were given; "
            f"both must be square and alike"
        )
    for name, counts in (("votes", votes), ("ties", ties)):
        if not np.isfinite(counts).all() or (counts < 0).any():
            raise InputError(f"{name} hold a number that is negative or not finite")
        if np.diag(counts).any():
            raise InputError(f"{name} set a value against itself")
    if not np.allclose(ties, ties.T):
        raise InputError("ties are not symmetric: each must be counted once on either side")


def _components(
    votes: FloatArray, ties: FloatArray, *, is_strong: bool
) -> tuple[tuple[int, ...], ...]:
    count, of_value = csgraph.connected_components(
        csr_array((votes + ties > 0).astype(float)),
        directed=True,
        connection="strong" if is_strong else "weak",
    )
    members = [tuple(np.flatnonzero(of_value == number).tolist()) for number in range(count)]
    return tuple(sorted(members, key=lambda component: (-len(component), component)))


def _pairs(votes: FloatArray, ties: FloatArray, components: tuple[tuple[int, ...], ...]) -> _Pairs:
    together = np.zeros(votes.shape, dtype=bool)
    for component in components:
        together[np.ix_(component, component)] = True
    first, second = np.nonzero(np.triu(together & (votes + votes.T + ties > 0), 1))
    sides = np.zeros((len(first), len(votes)))
    sides[np.arange(len(first)), first] = 1.0
    sides[np.arange(len(first)), second] = -1.0
    return _Pairs(
        sides=sides,
        for_first=votes[first, second].astype(float),
        for_second=votes[second, first].astype(float),
        tied=ties[first, second].astype(float),
    )


def _mode(
    pairs: _Pairs, components: tuple[tuple[int, ...], ...], precision: float
) -> tuple[FloatArray, float]:
    """Return the strengths and nu with the greatest posterior, by Newton's method."""
    n_values = pairs.sides.shape[1]
    columns = np.zeros((len(pairs.sides), 3, n_values + 1))
    columns[:, 0, :n_values], columns[:, 1, :n_values] = pairs.sides / 2, -pairs.sides / 2
    columns[:, 2, n_values] = 1.0
    counts = np.stack([pairs.for_first, pairs.for_second, pairs.tied], axis=1)
    if not pairs.ties:
        columns, counts = columns[:, :2, :n_values], counts[:, :2]
    # the sum of a component is free in the likelihood; this holds it at 0 and nothing else
    held = precision * np.eye(columns.shape[2])
    for component in components:
        held[np.ix_(component, component)] += 1.0
    at = np.zeros(columns.shape[2])
    height = _height(columns, counts, held, at)
    for _ in range(_MOST_STEPS):
        step = _step(columns, counts, held, at)
        lengths = 0.5 ** np.arange(30)
        reached = [_height(columns, counts, held, at + length * step) for length in lengths]
        best = int(np.argmax(reached))
        if reached[best] <= height:
            break
        at, height = at + lengths[best] * step, reached[best]
    nu = float(np.exp(at[n_values])) if pairs.ties else 0.0
    return at[:n_values], nu


def _log_odds(columns: FloatArray, at: FloatArray) -> FloatArray:
    utility = columns @ at
    utility -= utility.max(axis=1, keepdims=True)
    return np.asarray(utility - np.log(np.exp(utility).sum(axis=1, keepdims=True)))


def _height(columns: FloatArray, counts: FloatArray, held: FloatArray, at: FloatArray) -> float:
    return float((counts * _log_odds(columns, at)).sum() - at @ held @ at / 2)


def _step(columns: FloatArray, counts: FloatArray, held: FloatArray, at: FloatArray) -> FloatArray:
    met = counts.sum(axis=1, keepdims=True)
    p = np.exp(_log_odds(columns, at))
    gradient = np.einsum("ek,ekp->p", counts - met * p, columns) - held @ at
    mean = np.einsum("ek,ekp->ep", p, columns)
    square = np.einsum("ek,ekp,ekq->pq", met * p, columns, columns) - (mean * met).T @ mean
    return np.asarray(np.linalg.solve(square + held, gradient))
