"""Choices without cycles: what the fitted logit alone would have chosen where choices were made.

An agent that repeats itself gives no more evidence of cycles than one that does not. Decisions of
one cluster on the same options, shown in any order, agree beyond what their probabilities make
them by a share rho of what is possible; R of them are then worth R / (1 + (R - 1) rho) independent
decisions (the design effect of Kish 1965), between 1 and R. Choices are counted so, and as many
independent decisions are simulated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from valuesim.graph.coded import Codes
from valuesim.graph.design import TERMS, Design, FloatArray
from valuesim.graph.logit import LogitFit, probabilities
from valuesim.graph.pairwise import Tally

IntArray = NDArray[np.int64]

_MOST_DRAWN = 10_000
"""The most options of situations that are simulated one by one."""
_LEAST_VOTES = 25.0
"""The expected votes below which the normal law is too rough for a pair of values."""
_GROUPS = 2000
_MOST_ENTRIES = 200_000
_NOTHING = 0.05
"""The share of its worth that a decision may lose to repetition unnoticed."""
_GRAIN = 1e-6
"""Stakes this near to each other are the same; centring rounds them."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Independent:
    """The choices of a design in independent decisions.

    `counts` (S x K) is how often each option was chosen, `p` (S x K) its probability in the fitted
    logit. Simulated are `decisions` (S) of `weight` (S) each: as many as were counted, but for
    rounding, and, where decisions on the same options shown in several orders are worth fewer than
    there are orders, by lot. `sameness` is rho, in [0, 1].
    """

    counts: FloatArray
    p: FloatArray
    decisions: IntArray
    weight: FloatArray
    sameness: float

    def drawn(self, rng: np.random.Generator, sets: int) -> FloatArray:
        """Return `sets` times the counts (sets x S x K) of choices made by the logit."""
        shape = (sets, len(self.decisions))
        return rng.multinomial(self.decisions, self.p, size=shape) * self.weight[:, None]


def independent(design: Design, fitted: LogitFit, rng: np.random.Generator) -> Independent:
    """Return the choices of `design`, which must hold at least one, in independent decisions."""
    p = probabilities(design, fitted.theta)
    p /= p.sum(axis=1, keepdims=True)
    content, place = _contents(design)
    worth, sameness = _worth(design, p, content, place)
    chosen = sparse.coo_array(design.chosen)
    counts = _sums(chosen.coords[1].astype(np.int64), chosen.data * worth, p.size).reshape(p.shape)
    decisions, weight = _apportioned(counts.sum(axis=1), content, rng)
    return Independent(counts=counts, p=p, decisions=decisions, weight=weight, sameness=sameness)


def null_votes(
    given: Independent, tally: Tally, rng: np.random.Generator, simulations: int
) -> FloatArray:
    """Return the votes (simulations x V x V) of choices made by the logit.

    Where there are many situations, sums of votes are drawn from their normal law, except for
    situations with a vote for a pair of values that gets few.
    """
    n_situations, n_options = given.p.shape
    alone = np.ones(n_situations, dtype=bool)
    if given.p.size > _MOST_DRAWN:
        alone = _touches_few(given, tally)
    if alone.all():
        return tally.votes_of(given.drawn(rng, simulations).reshape(simulations, -1))
    summed = _summed(given, tally, ~alone, rng, simulations)
    slots = np.repeat(alone, n_options)
    part = Independent(
        counts=given.counts[alone],
        p=given.p[alone],
        decisions=given.decisions[alone],
        weight=given.weight[alone],
        sameness=given.sameness,
    )
    counts = part.drawn(rng, simulations).reshape(simulations, -1)
    summed += np.asarray((tally.shares[slots].T @ counts.T).T)
    return summed.reshape(simulations, len(tally.values), len(tally.values))


def _contents(design: Design) -> tuple[IntArray, IntArray]:
    """Return each situation's content (S) and each option's place in it (S x K).

    Situations have the same content when they offer the same options in whatever order.
    """
    n_situations, n_options, _ = design.features.shape
    described = [*range(len(design.values)), len(design.values) + list(TERMS).index("omission")]
    name = design.features[:, :, described] @ np.sqrt(np.arange(2.0, len(described) + 2.0))
    name = np.where(design.offered, name, np.inf)
    order = np.argsort(name, axis=1, kind="stable")
    place = np.argsort(order, axis=1, kind="stable")
    names = np.where(np.isinf(name), 0.0, name)
    whole = np.take_along_axis(names, order, axis=1) @ np.sqrt(np.arange(n_options) + 101.0)
    key = np.rint((whole + 1e3 * design.offered.sum(axis=1)) / _GRAIN)
    return np.unique(key, return_inverse=True)[1].reshape(n_situations), place


def _worth(
    design: Design, p: FloatArray, content: IntArray, place: IntArray
) -> tuple[FloatArray, float]:
    """Return what each entry of `design.chosen` counts, in independent decisions each, and rho.

    Of very many entries, those of some clusters tell first whether rho is worth finding.
    """
    chosen = sparse.coo_array(design.chosen)
    every = -(-chosen.nnz // _MOST_ENTRIES)
    for part in sorted({every, 1}, reverse=True):
        kept = chosen.coords[0] % part == 0
        cells = _Cells.of(
            cluster=chosen.coords[0][kept],
            content=content.astype(np.int32)[chosen.coords[1][kept] // p.shape[1]],
            place=place.ravel().astype(np.int32)[chosen.coords[1][kept]],
            times=chosen.data[kept].astype(float, copy=False),
        )
        modelled = _mean_by(content, np.take_along_axis(p, np.argsort(place, axis=1), axis=1))
        sameness = cells.sameness(modelled)
        if sameness * (cells.repeats.max() - 1.0) < _NOTHING:
            return np.ones(chosen.nnz), 0.0
    return (1.0 / (1.0 + (cells.repeats - 1.0) * sameness))[cells.of_entry], sameness


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Cells:
    """The decisions of one cluster on one content: a cell.

    `repeats` counts them by cell, `times` by answer, which is one option of one cell.
    """

    of_entry: IntArray
    repeats: FloatArray
    content: IntArray
    place: IntArray
    times: FloatArray
    cell_of_answer: IntArray

    @classmethod
    def of(cls, *, cluster: Codes, content: Codes, place: Codes, times: FloatArray) -> _Cells:
        n_contents, n_places = int(content.max()) + 1, int(place.max()) + 1
        key = cluster.astype(np.int64) * n_contents + content
        names, cell = np.unique(key, return_inverse=True)
        del key
        answers, entry = np.unique(cell * n_places + place, return_inverse=True)
        return cls(
            of_entry=cell,
            repeats=_sums(cell, times, len(names)),
            content=names % n_contents,
            place=answers % n_places,
            times=_sums(entry, times, len(answers)),
            cell_of_answer=answers // n_places,
        )

    def sameness(self, modelled: FloatArray) -> float:
        """Return the share of possible agreement, beyond chance, within cells.

        Chance is how often two clusters agree on the content; where only one met it, how often
        decisions with the `modelled` probabilities (C x K) would.
        """
        possible = self.repeats * (self.repeats - 1.0)
        if not possible.any():
            return 0.0
        n_contents, n_places = modelled.shape
        slot = self.content[self.cell_of_answer] * n_places + self.place
        slots = n_contents * n_places
        together = _sums(slot, self.times, slots) ** 2 - _sums(slot, self.times**2, slots)
        met = _sums(self.content, self.repeats, n_contents)
        pairs = met**2 - _sums(self.content, self.repeats**2, n_contents)
        chance = (modelled**2).sum(axis=1)
        chance = np.divide(
            together.reshape(modelled.shape).sum(axis=1), pairs, out=chance, where=pairs > 0.5
        )[self.content]
        room = float(possible @ (1.0 - chance))
        agreeing = float((self.times**2).sum() - self.repeats.sum())
        # where clusters never differ, nothing tells repeats from independent decisions
        return min(max((agreeing - possible @ chance) / room, 0.0), 1.0) if room > 1e-9 else 1.0


def _mean_by(group: IntArray, rows: FloatArray) -> FloatArray:
    totals = np.stack([np.bincount(group, weights=column) for column in rows.T], axis=1)
    return np.asarray(totals / np.bincount(group)[:, None])


def _sums(index: IntArray, terms: FloatArray, length: int) -> FloatArray:
    return np.bincount(index, weights=terms, minlength=length).astype(float)


def _apportioned(
    wanted: FloatArray, content: IntArray, rng: np.random.Generator
) -> tuple[IntArray, FloatArray]:
    """Return whole numbers of decisions (S) for those `wanted` (S), and the weight of each."""
    total = np.bincount(content, weights=wanted)
    whole = np.maximum(np.rint(total), 1.0)
    order = np.argsort(content, kind="stable")
    ends = np.cumsum((wanted * (whole / total)[content])[order])
    # each content's own sum is whole, so that one lot for each shifts its situations' ends alike
    lot = rng.uniform(0.001, 0.999, len(total))[content[order]]
    starts = np.concatenate([[0.0], ends[:-1]])
    decisions = np.empty(len(wanted), dtype=np.int64)
    decisions[order] = np.floor(ends + lot) - np.floor(starts + lot)
    return decisions, (total / whole)[content]


def _touches_few(given: Independent, tally: Tally) -> NDArray[np.bool_]:
    """Return the situations with a vote for a pair that gets few; none if they are very many."""
    expected = np.asarray(tally.shares.T @ (given.counts.sum(axis=1)[:, None] * given.p).ravel())
    touched = (tally.shares @ (expected < _LEAST_VOTES).astype(float)).reshape(given.p.shape) > 0
    touched = touched.any(axis=1)
    return touched if touched.sum() * given.p.shape[1] <= _MOST_DRAWN else np.zeros_like(touched)


def _summed(
    given: Independent,
    tally: Tally,
    part: NDArray[np.bool_],
    rng: np.random.Generator,
    simulations: int,
) -> FloatArray:
    """Return the votes (simulations x V*V) of many situations, from the normal law of their sum.

    Multinomial counts deviate from their mean in the direction of each option by itself. Directions
    are put at random into `_GROUPS` groups, each with a random sign, and a normal number is drawn
    for each group: that gives sums of many situations nearly their covariance.
    """
    made, p = given.counts.sum(axis=1)[part], given.p[part]
    n_situations, n_options = p.shape
    shares = tally.shares[np.repeat(part, n_options)]
    size = np.sqrt(made[:, None] * p) * rng.choice([-1.0, 1.0], p.shape)
    deviation = size[:, :, None] * (np.eye(n_options) - p[:, None, :])
    group = rng.integers(_GROUPS, size=p.shape)
    slot = np.arange(p.size).reshape(n_situations, 1, n_options)
    places = np.broadcast_arrays(group[:, :, None], slot)
    spread = sparse.csr_array(
        (deviation.ravel(), (places[0].ravel(), places[1].ravel())), shape=(_GROUPS, p.size)
    )
    mean = np.asarray(shares.T @ (made[:, None] * p).ravel())
    draws = rng.standard_normal((simulations, _GROUPS)) @ (spread @ shares).toarray()
    return np.asarray(np.maximum(mean + draws, 0.0))
