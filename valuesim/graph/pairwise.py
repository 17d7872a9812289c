"""The pairwise view: how often each value was put before each other, one decision one vote.

`tally` counts `Evidence.votes` per distinct situation, so that a simulated or reweighted set of
choices is counted by one product. The votes are a view beside the estimate of `logit`, never its
input.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from valuesim.choices import Choices
from valuesim.graph.design import Design, FloatArray

_BATCH = 5_000_000


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
    batch = max(1, _BATCH // max(n_options * n_options * n_columns**2, 1))
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
    """Return the votes of some situations' options, by the rule of `Evidence.votes`."""
    stakes = design.features[part, :, : len(design.values)]
    offered = design.offered[part]
    gain = stakes[:, :, None, :] - stakes[:, None, :, :]
    gain *= (offered[:, :, None] & offered[:, None, :])[..., None]
    gained, given_up = (gain > 1e-9).astype(float), (gain < -1e-9).astype(float)
    n_pairs = gained.sum(axis=3) * given_up.sum(axis=3)
    n_contests = np.maximum((n_pairs > 0).sum(axis=2), 1)
    scale = n_contests[:, :, None] * np.maximum(n_pairs, 1.0)
    shares = np.matmul((gained / scale[..., None]).transpose(0, 1, 3, 2), given_up)
    return sparse.csr_array(shares.reshape(offered.size, -1))
