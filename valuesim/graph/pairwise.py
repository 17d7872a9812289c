"""The pairwise view: how often each value was put before each other, one decision one vote.

`tally` counts `Evidence.votes` per distinct situation, so that a simulated or reweighted set of
choices is counted by one product. The votes are a view beside the estimate of `logit`, never its
input.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from valuesim.choices import Choices
from valuesim.graph.design import Design, FloatArray

IntArray = NDArray[np.int64]

_BATCH = 20_000_000
_NOTHING = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Tally:
    """Votes by option slot and ordered pair of values.

    `shares` (S*K x V*V) holds what choosing a slot's option votes; column u * V + w is "u put
    before w". `counts` (S*K) says how often each slot was chosen.
    """

    values: tuple[str, ...]
    shares: sparse.csr_array
    counts: FloatArray

    @property
    def votes(self) -> FloatArray:
        """Votes for the row's value before the column's (V x V); all sum to the votes cast."""
        return np.asarray(self.votes_of(self.counts[None, :])[0])

    @property
    def decisions(self) -> FloatArray:
        """Decisions that gave any vote for the row's value before the column's (V x V)."""
        return np.asarray((self.shares > 0).T @ self.counts).reshape(self._shape)

    def votes_of(self, counts: FloatArray) -> FloatArray:
        """Return the votes (n x V x V) of n sets of choices, each given as `counts` per slot."""
        return np.asarray((self.shares.T @ counts.T).T).reshape(len(counts), *self._shape)

    def contests(self, puts: str, over: Collection[str]) -> int:
        """Return the number of choices that set `puts` against a value in `over`, either way."""
        place = {value: index for index, value in enumerate(self.values)}
        if puts not in place:
            return 0
        u, n_values = place[puts], len(self.values)
        others = [place[w] for w in over if w in place and w != puts]
        columns = [u * n_values + w for w in others] + [w * n_values + u for w in others]
        touched = np.asarray(self.shares[:, columns].sum(axis=1)).ravel() > 0
        return int(self.counts[touched].sum())

    @property
    def _shape(self) -> tuple[int, int]:
        return len(self.values), len(self.values)


def tally(design: Design) -> Tally:
    """Return the votes of the choices in `design`."""
    n_situations, n_options, n_columns = design.features.shape
    batch = max(1, _BATCH // max(n_options * n_options * n_columns, 1))
    blocks = [
        _shares(design, slice(start, start + batch)) for start in range(0, n_situations, batch)
    ]
    empty = sparse.csr_array((0, len(design.values) ** 2))
    return Tally(
        values=design.values,
        shares=sparse.csr_array(sparse.vstack(blocks)) if blocks else empty,
        counts=design.counts.ravel(),
    )


def decisions_behind(choices: Choices, over: str, under: str) -> list[int]:
    """Return the places in `choices.evidence` that give a vote for `over` before `under`.

    Evidence stands in the order of the decisions that were no faults.
    """
    return [
        index
        for index, evidence in enumerate(choices.evidence)
        if (over, under) in evidence.votes()
    ]


def _shares(design: Design, part: slice) -> sparse.csr_array:
    """Return the votes of some situations' options, by the rule of `Evidence.votes`.

    Only what differs is touched: most values are not at stake in most situations.
    """
    n_values = len(design.values)
    stakes, offered = design.features[part, :, :n_values], design.offered[part]
    option, other = np.nonzero(~np.eye(offered.shape[1], dtype=bool))
    gain = stakes[:, option] - stakes[:, other]
    gain *= (offered[:, option] & offered[:, other])[..., None]
    gain = gain.reshape(-1, n_values)
    gained, given_up = gain > _NOTHING, gain < -_NOTHING
    n_given_up = given_up.sum(axis=1)
    n_pairs = gained.sum(axis=1) * n_given_up
    n_others = max(offered.shape[1] - 1, 1)
    n_contests = (n_pairs > 0).reshape(-1, n_others).sum(axis=1)
    # in each contest of an option with another, a gained value meets every value given up
    contest, over = np.nonzero(gained & (n_pairs > 0)[:, None])
    times = n_given_up[contest]
    met = _spans((np.cumsum(n_given_up) - n_given_up)[contest], times)
    pair = np.repeat(over * n_values, times) + np.nonzero(given_up)[1][met]
    slot = contest // n_others
    votes = np.repeat(1.0 / (n_contests[slot] * n_pairs[contest]), times)
    per_slot = np.bincount(slot, weights=times, minlength=offered.size).astype(np.int64)
    shares = sparse.csr_array(
        (votes, pair, np.concatenate([[0], np.cumsum(per_slot)])),
        shape=(offered.size, n_values**2),
    )
    # a pair that several contests of an option share is one entry
    shares.sum_duplicates()
    return shares


def _spans(starts: IntArray, lengths: IntArray) -> IntArray:
    """Return the whole numbers from each start on, as many as its length says, end to end."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + lengths, lengths)
