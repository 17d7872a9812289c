"""Which values the choices can compare, and why not the others.

Two values are compared when the difference of their coefficients lies in the row space of the
Fisher information (without the prior): then every direction in which the likelihood is flat has the
same entry for both. That splits the values into components; across components nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from valuesim.graph.design import TERMS, BoolArray, Design, FloatArray
from valuesim.graph.logit import RUNAWAY, information

_TOLERANCE = 1e-7
_SAME = 1e-5
_NOTHING = 1e-20
"""Information that is only rounding: the least stake that counts gives more in one choice."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Identification:
    """What a design determines.

    `components` partitions the values (indices; largest first). `reasons` says, by index, why a
    value is not identified; a value without an entry is. `centring` (V x P) takes coefficients to
    strengths: within each component, those of identified values are centred on 0. `flat` (P x d) is
    a basis of the directions of which the choices say nothing.
    """

    components: tuple[tuple[int, ...], ...]
    reasons: dict[int, str]
    centring: FloatArray
    flat: FloatArray

    def determines(self, contrast: FloatArray) -> bool:
        """Return whether the choices determine `contrast` (P) of the coefficients."""
        return bool(np.abs(contrast @ self.flat).max(initial=0.0) < _SAME)

    def entangled(self, contrast: FloatArray) -> BoolArray:
        """Return which columns (P) may move along with `contrast` (P), the choices staying alike.

        Its own are among them; none if it is determined.
        """
        return np.asarray(np.abs(self.flat @ (contrast @ self.flat)) > _SAME)


def identify(design: Design) -> Identification:
    """Return which contrasts `design` determines."""
    asked = np.asarray(design.asked.sum(axis=0), dtype=float)
    n_columns = design.features.shape[2]
    # the null space is the same at every theta; at 0 no choice is saturated
    fisher = information(design, asked, np.zeros(n_columns))
    flat = _null_space(fisher)
    null_rows = flat[: len(design.values)]
    components = _components(null_rows)
    reasons = _reasons(design, components, fisher, null_rows)
    return Identification(
        components=components,
        reasons=reasons,
        centring=_centring(components, reasons, len(design.values), n_columns),
        flat=flat,
    )


def bounded(identified: Identification, drift: FloatArray) -> BoolArray:
    """Return which values' strengths only the prior bounds, by their `drift` (see `LogitFit`).

    Within a component, those that run away from the most values that stay together: of A always put
    before B and C, which are put before each other by turns, that is A. Where no such set is the
    largest, it is all.
    """
    found = np.zeros(len(identified.centring), dtype=bool)
    for group in map(list, identified.components):
        own = drift[group]
        together = np.abs(own[:, None] - own) <= RUNAWAY
        company = together.sum(axis=1)
        staying = together[company.argmax()]
        is_largest = (company == company.max()).sum() == staying.sum()
        found[group] = ~staying | (not is_largest)
    return found


def _null_space(fisher: FloatArray) -> FloatArray:
    """Return a basis (P x d) of the directions in which `fisher` is 0, up to rounding."""
    scale = np.sqrt(np.where(np.diag(fisher) > _NOTHING, np.diag(fisher), 1.0))
    eigenvalues, vectors = np.linalg.eigh(fisher / np.outer(scale, scale))
    flat = vectors[:, eigenvalues < _TOLERANCE] / scale[:, None]
    return np.asarray(np.linalg.qr(flat)[0])


def _components(null_rows: FloatArray) -> tuple[tuple[int, ...], ...]:
    groups: list[list[int]] = []
    for index, row in enumerate(null_rows):
        for group in groups:
            if np.allclose(row, null_rows[group[0]], atol=_SAME):
                group.append(index)
                break
        else:
            groups.append([index])
    return tuple(tuple(group) for group in sorted(groups, key=len, reverse=True))


def _centring(
    components: tuple[tuple[int, ...], ...],
    reasons: Mapping[int, str],
    n_values: int,
    n_columns: int,
) -> FloatArray:
    centring = np.eye(n_values, n_columns)
    for group in components:
        centre = [index for index in group if index not in reasons] or list(group)
        centring[np.ix_(group, centre)] -= 1.0 / len(centre)
    return centring


def _reasons(
    design: Design,
    components: tuple[tuple[int, ...], ...],
    fisher: FloatArray,
    null_rows: FloatArray,
) -> dict[int, str]:
    reasons: dict[int, str] = {}
    few = f"fewer than two {design.unit}s"
    clusters = (design.asked @ design.at_stake.astype(float) > 0).sum(axis=0)
    for group in components:
        if len(group) == 1:
            reasons[group[0]] = _why_alone(design, group[0], fisher, null_rows)
            continue
        seldom = [index for index in group if clusters[index] < 2]
        reasons |= dict.fromkeys(seldom, f"at stake in {few}")
        if len(seldom) == len(group) - 1:
            (left,) = set(group) - set(seldom)
            reasons[left] = f"compared only with values at stake in {few}"
    return reasons


def _why_alone(design: Design, index: int, fisher: FloatArray, null_rows: FloatArray) -> str:
    if len(design.values) == 1:
        return "no other value is at stake"
    if np.abs(null_rows[index]).max(initial=0.0) < _SAME:
        return "compared only with values that cannot be told apart from each other"
    names = [*design.values, *TERMS.values()]
    size = np.sqrt(np.diag(fisher))
    parallel = [
        name
        for other, name in enumerate(names)
        if other != index
        and size[other] > 1e-6
        and abs(fisher[index, other]) > (1 - _TOLERANCE) * size[index] * size[other]
    ]
    if parallel:
        return f"never at stake apart from {' and '.join(parallel)}"
    return "its stakes are always a fixed mixture of others'"
