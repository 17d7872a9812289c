"""From evidence to arrays: each distinct choice situation once, with its counts by cluster.

Two choices are the same situation when their options carry the same stakes and the same omission
mark in the same order, known or unknown. Fitting then costs as much as there are situations,
however many decisions. Clusters stand in the order of their names and situations in that of what
is at stake, so that a run resumed in another order gives the same figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from valuesim.choices import Choices
from valuesim.graph.coded import CodedChoices, IntArray, Kinds, Situation, coded
from valuesim.option import Option

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

LEAST_STAKE = 1e-9
"""Stakes that differ by less are the same."""

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
    def met(self) -> FloatArray:
        """How often each situation was met (S)."""
        return np.asarray(self.counts.sum(axis=1))

    @cached_property
    def totals(self) -> FloatArray:
        """The summed features of each cluster's chosen options (G x P)."""
        return np.asarray(self.chosen @ self.flat)

    @property
    def flat(self) -> FloatArray:
        """The features as one row per option slot (S*K x P)."""
        return self.features.reshape(-1, self.features.shape[2])

    @cached_property
    def counts(self) -> FloatArray:
        """How often each option of each situation was chosen (S x K)."""
        return np.asarray(self.chosen.sum(axis=0), dtype=float).reshape(self.offered.shape)

    @cached_property
    def at_stake(self) -> BoolArray:
        """Whether each value's stake differs between the options of each situation (S x V)."""
        if not self.situations:
            return np.zeros((0, len(self.values)), dtype=bool)
        return np.asarray(np.ptp(self.features[:, :, : len(self.values)], axis=1) > LEAST_STAKE)

    def content_blind(self) -> Design:
        """Return the same choices described by `TERMS` alone, without what is at stake."""
        return replace(self, values=(), features=self.features[:, :, len(self.values) :])


def compact(choices: Choices | CodedChoices) -> Design:
    """Return the contested choices of `choices` as arrays."""
    columns = coded(choices)
    kinds = Kinds()
    rows, places = _distinct(_rows(columns.situations, kinds), _order(kinds.options))
    names, stakes = _stakes(kinds.options)
    # a place without an option is given the first one's: no stake differs by that
    filled = np.where(rows[:, 1:] < 0, rows[:, 1:2], rows[:, 1:])
    differs = np.ptp(stakes[filled], axis=1) > LEAST_STAKE if rows.size else stakes[:0] > 0
    situation = places[columns.situation] if len(columns) else columns.situation
    is_met = np.bincount(situation, minlength=len(rows)) > 0
    kept = np.flatnonzero(differs.any(axis=1) & is_met)
    values = np.flatnonzero(differs[kept].any(axis=0))
    omissions = np.array([option.is_omission for option in kinds.options], dtype=bool)
    offered = rows[kept, 1:] >= 0
    offered = offered[:, : int(offered.sum(axis=1).max(initial=0))]
    filled = filled[kept, : offered.shape[1]]
    terms = _terms(offered, omissions[filled], rows[kept, 0] > 0)
    features = _centred(np.concatenate([stakes[:, values][filled], terms], axis=2), offered)
    clusters, chosen = _chosen(columns, situation, kept, offered.shape[1])
    first = np.zeros(len(rows), dtype=np.int64)
    first[places[::-1]] = np.arange(len(places))[::-1]
    return Design(
        values=tuple(names[index] for index in values),
        clusters=clusters,
        situations=tuple(columns.situations[first[place]] for place in kept),
        features=features,
        offered=offered,
        chosen=chosen,
        unit=columns.unit,
    )


def is_contested(options: Sequence[Option]) -> bool:
    """Return whether some value's stake differs between two of `options`."""
    return bool((np.ptp(_stakes(options)[1], axis=0) > LEAST_STAKE).any()) if options else False


def term_features(omissions: Sequence[bool], is_ordered: bool = True) -> FloatArray:
    """Return the columns of `TERMS` for options shown in this order (K x 3), uncentred.

    Those of place are 0 where the order is not known.
    """
    marks = np.array([omissions], dtype=bool)
    return np.asarray(_terms(np.ones_like(marks), marks, np.array([is_ordered]))[0])


def _rows(situations: Sequence[Situation], kinds: Kinds) -> IntArray:
    """Return a row a situation: whether its order is known, and the kinds of its options.

    -1 stands where there is no option.
    """
    widths = np.array([len(options) for options, _ in situations], dtype=np.int64)
    rows = np.full((len(situations), 1 + widths.max(initial=0)), -1, dtype=np.int64)
    rows[:, 0] = [is_ordered for _, is_ordered in situations]
    every = chain.from_iterable(options for options, _ in situations)
    number = kinds.number
    rows[:, 1:][np.arange(rows.shape[1] - 1) < widths[:, None]] = [number(each) for each in every]
    return rows


def _order(options: Sequence[Option]) -> IntArray:
    """Return each option's place in an order that depends on nothing but the options."""
    keys = [(sorted(option.stakes.items()), option.is_omission) for option in options]
    places = np.empty(len(keys), dtype=np.int64)
    places[sorted(range(len(keys)), key=keys.__getitem__)] = np.arange(len(keys))
    return places


def _distinct(rows: IntArray, order: IntArray) -> tuple[IntArray, IntArray]:
    """Return each distinct row once, sorted by the `order` of kinds, and each row's place there."""
    ranks = np.append(order, -1)[rows[:, 1:]]
    by_rank = np.lexsort((*ranks.T[::-1], rows[:, 0])) if len(rows) else np.empty(0, np.int64)
    in_order = rows[by_rank]
    is_new = np.ones(len(rows), dtype=bool)
    is_new[1:] = (in_order[1:] != in_order[:-1]).any(axis=1)
    places = np.empty(len(rows), dtype=np.int64)
    places[by_rank] = np.cumsum(is_new) - 1
    return in_order[is_new], places


def _stakes(options: Sequence[Option]) -> tuple[list[str], FloatArray]:
    """Return the values that `options` name, sorted, and the stakes (options x values)."""
    names = sorted({value for option in options for value in option.stakes})
    place = {name: index for index, name in enumerate(names)}
    stakes = np.zeros((len(options), len(names)))
    for row, option in enumerate(options):
        for value, stake in option.stakes.items():
            stakes[row, place[value]] = stake
    return names, stakes


def _terms(offered: BoolArray, omissions: BoolArray, is_ordered: BoolArray) -> FloatArray:
    """Return the columns of `TERMS` (S x K x 3) from what is marked as an omission (S x K)."""
    place = np.arange(offered.shape[1])
    last = np.maximum(offered.sum(axis=1) - 1, 1)
    known = is_ordered[:, None].astype(float)
    return np.stack(
        [(place == 0) * known, (place / last[:, None] - 0.5) * known, omissions.astype(float)],
        axis=2,
    )


def _centred(features: FloatArray, offered: BoolArray) -> FloatArray:
    """Return `features` less their mean in each situation, and 0 where nothing is offered."""
    features *= offered[:, :, None]
    features -= features.sum(axis=1, keepdims=True) / offered.sum(axis=1)[:, None, None]
    features *= offered[:, :, None]
    return features


def _chosen(
    columns: CodedChoices, situation: IntArray, kept: IntArray, n_options: int
) -> tuple[tuple[str, ...], sparse.csr_array]:
    """Return the clusters that met a kept situation, by name, and how often each chose what."""
    place = np.full(max(situation.max(initial=-1), kept.max(initial=-1)) + 1, -1, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    is_kept = place[situation] >= 0
    cluster, position = columns.cluster[is_kept], columns.position[is_kept]
    met = np.flatnonzero(np.bincount(cluster, minlength=len(columns.clusters)))
    met = np.array(sorted(met.tolist(), key=columns.clusters.__getitem__), dtype=np.int64)
    row = np.empty(len(columns.clusters), dtype=np.int64)
    row[met] = np.arange(len(met))
    cells = row[cluster], place[situation[is_kept]] * n_options + position
    shape = (len(met), len(kept) * n_options)
    chosen = sparse.coo_array((np.ones(len(cluster)), cells), shape=shape).tocsr()
    return tuple(columns.clusters[index] for index in met), chosen
