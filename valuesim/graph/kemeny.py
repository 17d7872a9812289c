"""The Kemeny order: the order of values that contradicts the fewest votes (Kemeny 1959).

Some such order puts the strongly connected components of the majority graph (u -> w where more
votes put u before w than w before u) one after another, along its edges (Truchon 1998, "An
extension of the Condorcet criterion and Kemeny orders"), so that each component is ordered by
itself: exactly, by dynamic programming over subsets, up to `LARGEST_EXACT` values, and by moving
single values until no move helps above that. Where votes leave the order open (values that no vote
joins, or as many votes either way) the value that won the larger share of its votes stands first,
then the one that stands first in the list of values: that is a convention, not a finding, and
`is_unique` is then False.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csgraph, csr_array

from valuesim.graph.design import FloatArray

LARGEST_EXACT = 18
_SAME = 1e-9
"""Votes this near to each other, relative to all votes, count as equal: shares are rounded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kemeny:
    """An order, best first, and the `disagreement`: how many of the `votes` contradict it.

    `is_exact` says that no order contradicts fewer, `is_unique` that no other contradicts as few.
    Where it is not exact, nothing is known of others and `is_unique` is False.
    """

    order: tuple[str, ...]
    disagreement: float
    votes: float
    is_exact: bool
    is_unique: bool


def kemeny(votes: FloatArray, values: Sequence[str]) -> Kemeny:
    """Return the Kemeny order of `values` from `votes` for the row's before the column's (V x V).

    Without votes the order is that of `values`, unique only if there is at most one.
    """
    margin = _margins(votes)
    order: list[int] = []
    is_exact = is_unique = True
    for component in _in_order(margin, _shares_won(votes)):
        within = margin[np.ix_(component, component)]
        if len(component) <= LARGEST_EXACT:
            best, is_only = _exact(within, _SAME * votes.sum())
        else:
            best, is_only = _searched(within), False
            is_exact = False
        is_unique &= is_only
        if order and margin[order[-1], component[best[0]]] <= 0:
            is_unique = False
        order += [component[place] for place in best]
    return Kemeny(
        order=tuple(values[value] for value in order),
        disagreement=disagreement(votes, order),
        votes=float(votes.sum()),
        is_exact=is_exact,
        is_unique=is_unique,
    )


def disagreement(votes: FloatArray, order: Sequence[int]) -> float:
    """Return how many votes put a value before one that stands above it in `order`."""
    return float(np.tril(votes[np.ix_(order, order)], -1).sum())


def _margins(votes: FloatArray) -> FloatArray:
    margin = votes - votes.T
    margin[np.abs(margin) <= _SAME * votes.sum()] = 0.0
    return margin


def _shares_won(votes: FloatArray) -> FloatArray:
    won, lost = votes.sum(axis=1), votes.sum(axis=0)
    even = np.full(len(votes), 0.5)
    return np.asarray(np.divide(won, won + lost, out=even, where=won + lost > 0))


def _in_order(margin: FloatArray, share: FloatArray) -> list[list[int]]:
    """Return the strongly connected components of the majority graph, along its edges."""
    n_components, of_value = csgraph.connected_components(
        csr_array((margin > 0).astype(float)), directed=True, connection="strong"
    )
    members = [np.flatnonzero(of_value == number).tolist() for number in range(n_components)]
    mean = [share[component].mean() for component in members]
    ranked = sorted(range(n_components), key=lambda number: (-mean[number], members[number]))
    beats = np.zeros((n_components, n_components), dtype=bool)
    over, under = np.nonzero(margin > 0)
    beats[of_value[over], of_value[under]] = True
    np.fill_diagonal(beats, False)
    placed: list[list[int]] = []
    while ranked:
        free = next(number for number in ranked if not beats[ranked, number].any())
        ranked.remove(free)
        placed.append(members[free])
    return placed


def _exact(margin: FloatArray, slack: float) -> tuple[list[int], bool]:
    """Return an order of a component with the least disagreement, and whether it is the only one.

    The least disagreement of a set is that of the set without its last value, plus the votes that
    put the last before the others; sets of one size are worked out together. Of each two values
    only the margin counts, since no order agrees with both sides.
    """
    n_values = len(margin)
    before = np.stack([_subset_sums(np.maximum(row, 0.0)) for row in margin])
    least, ways = np.zeros(1 << n_values), np.zeros(1 << n_values)
    ways[0] = 1.0
    bits, columns = 1 << np.arange(n_values), np.arange(n_values)
    size = _subset_sums(np.ones(n_values)).astype(np.int64)
    by_size = np.split(np.argsort(size, kind="stable"), np.cumsum(np.bincount(size))[:-1])
    for sets in by_size[1:]:
        rest = sets[:, None] & ~bits
        is_in = rest != sets[:, None]
        cost = np.where(is_in, least[rest] + before[columns, rest], np.inf)
        least[sets] = cost.min(axis=1)
        is_least = cost <= least[sets][:, None] + slack
        ways[sets] = np.where(is_least, ways[rest], 0.0).sum(axis=1)
    return _traced(least, before), bool(ways[-1] == 1.0)


def _subset_sums(terms: FloatArray) -> FloatArray:
    """Return the sum of `terms` over every subset; bit k of a subset's number is term k."""
    sums = np.zeros(1)
    for term in terms:
        sums = np.concatenate([sums, sums + term])
    return sums


def _traced(least: FloatArray, before: FloatArray) -> list[int]:
    """Return the order behind the least disagreement of all values, from the last to the first."""
    left = len(least) - 1
    order: list[int] = []
    while left:
        members = [value for value in range(len(before)) if left >> value & 1]
        # the last of equals, so that values stand in the order given
        last = min(
            reversed(members),
            key=lambda value: least[left ^ 1 << value] + before[value, left ^ 1 << value],
        )
        order.insert(0, last)
        left ^= 1 << last
    return order


def _searched(margin: FloatArray) -> list[int]:
    """Return an order that no move of a single value makes better, from that of net votes."""
    contradicted = np.maximum(margin, 0.0)
    order: list[int] = np.argsort(-margin.sum(axis=1), kind="stable").tolist()
    is_moving = True
    while is_moving:
        is_moving = False
        for value in range(len(margin)):
            place = order.index(value)
            others = order[:place] + order[place + 1 :]
            above = np.concatenate([[0.0], np.cumsum(contradicted[value, others])])
            below = np.concatenate([[0.0], np.cumsum(contradicted[others, value][::-1])])[::-1]
            cost = above + below
            best = int(np.argmin(cost))
            if cost[best] < cost[place] - _SAME * contradicted.sum():
                order = [*others[:best], value, *others[best:]]
                is_moving = True
    return order
