"""From evidence to arrays: each distinct choice situation once, with its counts by cluster.

Two choices are the same situation when their options carry the same stakes and the same omission
mark in the same order, known or unknown. Fitting then costs as much as there are situations, however many decisions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from valuesim.choices import Choices
from valuesim.option import Option

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Options = tuple[Option, ...]
Situation = tuple[Options, bool]
"""Options, and whether they stand in the order shown."""

TERMS = {
    "first": "being shown first",
    "position": "its place in the order shown",
    "omission": "letting things take their course",
}
"""The terms beside the values: name -> what an option's carrying it means, in words."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Design:
    """The contested choices: S situations of at most K options, in G clusters, with P columns.

    A choice is contested when a value's stake differs between two of its options; the others say
    nothing of values and are left out. Columns are `values` (sorted; those whose stake differs in
    some choice), then `TERMS`. `features` (S x K x P) is centred within each situation and 0 where
    nothing is `offered` (S x K). `chosen` (G x S*K) counts choices. `unit` says what clusters are.
    Everything is empty when there is no contested choice.
    """

    values: tuple[str, ...]
    clusters: tuple[str, ...]
    situations: tuple[Situation, ...]
    features: FloatArray
    offered: BoolArray
    chosen: sparse.csr_array
    unit: str = "episode"

    @cached_property
    def asked(self) -> sparse.csr_array:
        """How often each cluster met each situation (G x S)."""
        n_options = self.offered.shape[1]
        counts = sparse.coo_array(self.chosen)
        row, column = counts.coords
        shape = (len(self.clusters), len(self.situations))
        return sparse.csr_array((counts.data, (row, column // max(n_options, 1))), shape=shape)

    @cached_property
    def totals(self) -> FloatArray:
        """The summed features of each cluster's chosen options (G x P)."""
        return np.asarray(self.chosen @ self.flat)

    @property
    def flat(self) -> FloatArray:
        """The features as one row per option slot (S*K x P)."""
        return self.features.reshape(-1, self.features.shape[2])

    @property
    def counts(self) -> FloatArray:
        """How often each option of each situation was chosen (S x K)."""
        return np.asarray(self.chosen.sum(axis=0), dtype=float).reshape(self.offered.shape)

    @property
    def at_stake(self) -> BoolArray:
        """Whether each value's stake differs between the options of each situation (S x V)."""
        spread = np.abs(self.features[:, :, : len(self.values)]).max(axis=1, initial=0.0)
        return np.asarray(spread > 1e-12)

    def content_blind(self) -> Design:
        """Return the same choices described by `TERMS` alone, without what is at stake."""
        return replace(self, values=(), features=self.features[:, :, len(self.values) :])


def compact(choices: Choices) -> Design:
    """Return the contested choices of `choices` as arrays."""
    situations: list[Situation] = []
    clusters: dict[str, int] = {}
    counts: dict[tuple[int, int, int], int] = {}
    places: dict[object, int] = {}
    kinds = _Kinds()
    # in the clusters' order, so that a run resumed in another order gives the same figures
    for evidence in sorted(choices.evidence, key=lambda choice: choice.cluster):
        key = (evidence.is_ordered, *map(kinds.number, evidence.options))
        place = places.get(key)
        if place is None:
            place = len(situations) if is_contested(evidence.options) else -1
            places[key] = place
            if place >= 0:
                situations.append((evidence.options, evidence.is_ordered))
        if place >= 0:
            cluster = clusters.setdefault(evidence.cluster, len(clusters))
            cell = (cluster, place, evidence.position)
            counts[cell] = counts.get(cell, 0) + 1
    return replace(_assembled(tuple(situations), tuple(clusters), counts), unit=choices.unit)


def is_contested(options: Sequence[Option]) -> bool:
    """Return whether some value's stake differs between two of `options`."""
    return bool(_differing(options))


class _Kinds:
    """Numbers options by what the estimate sees of them: stakes and omission."""

    def __init__(self) -> None:
        self._of_kind: dict[object, int] = {}
        # an option object is met again and again; its address is the quickest name of it
        self._of_object: dict[int, int] = {}

    def number(self, option: Option) -> int:
        known = self._of_object.get(id(option))
        if known is None:
            kind = (frozenset(option.stakes.items()), option.is_omission)
            known = self._of_kind.setdefault(kind, len(self._of_kind))
            self._of_object[id(option)] = known
        return known


def _differing(options: Iterable[Option]) -> set[str]:
    stakes = [option.stakes for option in options]
    named = {value for stake in stakes for value in stake}
    return {v for v in named if len({stake.get(v, 0.0) for stake in stakes}) > 1}


def _assembled(
    situations: tuple[Situation, ...],
    clusters: tuple[str, ...],
    counts: dict[tuple[int, int, int], int],
) -> Design:
    values = tuple(sorted({v for options, _ in situations for v in _differing(options)}))
    n_options = max((len(options) for options, _ in situations), default=0)
    features = np.zeros((len(situations), n_options, len(values) + len(TERMS)))
    offered = np.zeros((len(situations), n_options), dtype=bool)
    for place, (options, is_ordered) in enumerate(situations):
        offered[place, : len(options)] = True
        features[place, : len(options)] = _features(options, values, is_ordered)
    cells = np.array(list(counts), dtype=np.int64).reshape(-1, 3)
    chosen = sparse.csr_array(
        (
            np.array(list(counts.values()), dtype=float),
            (cells[:, 0], cells[:, 1] * n_options + cells[:, 2]),
        ),
        shape=(len(clusters), len(situations) * n_options),
    )
    return Design(
        values=values,
        clusters=clusters,
        situations=situations,
        features=features,
        offered=offered,
        chosen=chosen,
    )


def term_features(omissions: Sequence[bool], is_ordered: bool = True) -> FloatArray:
    """Return the columns of `TERMS` for options shown in this order (K x 3), uncentred.

    Those of place are 0 where the order is not known.
    """
    first = np.zeros(len(omissions))
    first[:1] = float(is_ordered)
    places = np.linspace(-0.5, 0.5, len(omissions)) * is_ordered
    return np.column_stack([first, places, np.array(omissions, dtype=float)])


def _features(options: Options, values: tuple[str, ...], is_ordered: bool) -> FloatArray:
    stakes = [[option.stakes.get(value, 0.0) for value in values] for option in options]
    terms = term_features([option.is_omission for option in options], is_ordered)
    block = np.column_stack([np.array(stakes).reshape(len(options), len(values)), terms])
    centred: FloatArray = block - block.mean(axis=0)
    return centred
