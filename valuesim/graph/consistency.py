"""How far pairwise choices agree with one order: the Hodge decomposition of their log-odds.

Votes a for u before w and b for w before u give the flow log((a + 1/2) / (b + 1/2)) with weight
a + b, votes counted in independent decisions (see `null`). Weighted least squares splits the flow
into a gradient (one order explains it), curl (cycles of three) and a harmonic rest (longer cycles);
the shares are of its squared length (Jiang, Lim, Yao and Ye 2011, "Statistical ranking and
combinatorial Hodge theory"). Finite samples alone give curl, so that shares and cycles are read
against choices simulated from the fitted logit, which has no cycles, on the same situations.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np
from numpy.typing import NDArray

from valuesim.graph.cyclic import HeldOut, held_out
from valuesim.graph.design import Design, FloatArray
from valuesim.graph.kemeny import Kemeny, kemeny
from valuesim.graph.logit import LogitFit
from valuesim.graph.null import independent, null_votes
from valuesim.graph.pairwise import Tally

IntArray = NDArray[np.int64]

SIMULATIONS = 200
MOST_VALUES = 40
"""The most values that are looked at for cycles, those with the most votes."""
_LONGEST_CYCLE = 5
_MOST_CYCLES = 10_000
_SHOWN_CYCLES = 10
_LEAST_CYCLE = 1.0
"""The standardised majority below which a majority is no more than a lot would give."""
_LEAST_WEIGHT = 1e-6
_LEAST_FLOW = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step of a cycle: the votes that put `over` before `under`, and those `against`.

    `decisions` counts the decisions that gave a vote either way. `independent_votes` and
    `independent_against` are the votes in independent decisions (see `null`), by which cycles are
    found: of one cluster that repeats itself they are fewer, so that most votes cast may be
    against.
    """

    over: str
    under: str
    votes: float
    against: float
    decisions: int
    independent_votes: float
    independent_against: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Cycle:
    """Values each put before the next, and the last before the first, more often than not.

    Votes count in independent decisions. `weakest` is the smallest standardised majority
    (a - b) / sqrt(a + b) on the way round; `evidence` has one step for each value, in their order.
    """

    values: tuple[str, ...]
    weakest: float
    evidence: tuple[Step, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Consistency:
    """Shares in [0, 1] of the log-odds flow; the three sum to 1.

    `null_curl_share` is the mean, and `null_curl_high` the 95th percentile, of the curl in choices
    simulated without cycles, as shares of the flow observed (at most 1); `null_harmonic_share` is
    the mean of the harmonic rest. Even votes, which flow nowhere, are all gradient. `cycles` lists,
    strongest first, those whose weakest majority, in independent decisions, is at least 1 and
    beyond the 95th percentile of the strongest cycle in such choices. `kemeny` is the order that
    contradicts the fewest votes, `held_out` how well a logit with and without cycles predicts
    unseen choices. `values_left_out` counts those beyond the `MOST_VALUES` with the most votes,
    which are not looked at for shares and cycles. Where nothing can be computed the figures are
    None and `reason` says why.
    """

    gradient_share: float | None = None
    curl_share: float | None = None
    harmonic_share: float | None = None
    null_curl_share: float | None = None
    null_curl_high: float | None = None
    null_harmonic_share: float | None = None
    cycles: tuple[Cycle, ...] = ()
    kemeny: Kemeny | None = None
    held_out: HeldOut | None = None
    values_left_out: int = 0
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Complex:
    """The compared pairs (tail, head), what flows on them may be, and the cycles they form.

    `gradients` (E x V') are the differences of potentials, `closed` (E x d) a basis of the flows
    that sum to 0 round every triangle: gradients, and some others if there are holes. `cycles`
    holds one array (cycles x length) for each length.
    """

    tail: IntArray
    head: IntArray
    gradients: FloatArray
    closed: FloatArray
    cycles: tuple[IntArray, ...]


def consistency(
    design: Design,
    tally: Tally,
    fit: LogitFit,
    rng: np.random.Generator,
    simulations: int = SIMULATIONS,
) -> Consistency:
    """Return the consistency of the votes in `tally`, against choices simulated from `fit`."""
    votes = tally.votes
    if not votes.any():
        return Consistency(reason="no choice puts one value before another")
    given = independent(design, fit, rng)
    counted = tally.votes_of(given.counts.reshape(1, -1))
    null = null_votes(given, tally, rng, simulations)
    kept = np.sort(np.argsort(-(votes + votes.T).sum(axis=1), kind="stable")[:MOST_VALUES])
    counted, null = counted[:, kept][:, :, kept], null[:, kept][:, :, kept]
    shape = _complex(votes[np.ix_(kept, kept)])
    gradient, curl, rest, total = (float(part[0]) for part in _parts(counted, shape))
    _, null_curl, null_rest, _ = (np.minimum(part / total, 1.0) for part in _parts(null, shape))
    null_cycle = _cycle_strengths(null, shape).max(axis=1, initial=0.0)
    strengths = _cycle_strengths(counted, shape)[0]
    return Consistency(
        gradient_share=gradient / total,
        curl_share=curl / total,
        harmonic_share=rest / total,
        null_curl_share=float(null_curl.mean()),
        null_curl_high=float(np.quantile(null_curl, 0.95)),
        null_harmonic_share=float(null_rest.mean()),
        cycles=_cycles(
            _Votes.of(tally, counted[0], kept),
            shape,
            strengths,
            max(float(np.quantile(null_cycle, 0.95)), _LEAST_CYCLE),
        ),
        kemeny=kemeny(votes, tally.values),
        held_out=held_out(design, rng),
        values_left_out=len(votes) - len(kept),
    )


def _complex(votes: FloatArray) -> _Complex:
    compared = votes + votes.T > 0
    tail, head = np.nonzero(np.triu(compared))
    n_values, n_pairs = len(votes), len(tail)
    place = np.zeros((n_values, n_values), dtype=np.int64)
    place[tail, head] = np.arange(n_pairs)
    gradients = np.zeros((n_pairs, n_values))
    gradients[np.arange(n_pairs), tail] = 1.0
    gradients[np.arange(n_pairs), head] = -1.0
    triangles = _triangles(compared)
    u, v, w = triangles.T
    row = np.arange(len(triangles))
    curls = np.zeros((len(triangles), n_pairs))
    curls[row, place[u, v]], curls[row, place[v, w]], curls[row, place[u, w]] = 1.0, 1.0, -1.0
    eigenvalues, vectors = np.linalg.eigh(curls.T @ curls)
    return _Complex(
        tail=tail,
        head=head,
        gradients=gradients,
        closed=vectors[:, eigenvalues < 1e-6],
        cycles=tuple(found for found in (triangles, *_longer(compared)) if len(found)),
    )


def _triangles(compared: NDArray[np.bool_]) -> IntArray:
    """Return every three values of which each two are compared, in their order (T x 3)."""
    all_three = np.array(list(combinations(range(len(compared)), 3)), dtype=np.int64).reshape(-1, 3)
    u, v, w = all_three.T
    return all_three[compared[u, v] & compared[v, w] & compared[u, w]]


def _longer(compared: NDArray[np.bool_]) -> list[IntArray]:
    """Return cycles of more than three compared values without a shorter way across, by length."""
    is_met = compared.any(axis=1)
    if compared[np.ix_(is_met, is_met)].sum() == is_met.sum() * (is_met.sum() - 1):
        return []
    # seldom needed, and slow to import
    import networkx as nx

    graph: nx.Graph[int] = nx.Graph(zip(*np.nonzero(compared), strict=True))
    # the stubs know this for directed graphs only
    found = nx.chordless_cycles(graph, length_bound=_LONGEST_CYCLE)  # type: ignore[call-overload]
    cycles = list(islice((cycle for cycle in found if len(cycle) > 3), _MOST_CYCLES))
    lengths = sorted({len(cycle) for cycle in cycles})
    return [np.array([c for c in cycles if len(c) == length]) for length in lengths]


def _parts(votes: FloatArray, shape: _Complex) -> tuple[FloatArray, ...]:
    """Return the squared lengths of gradient, curl, harmonic rest and whole flow (n each).

    `votes` holds n sets of votes (n x V x V). Flows without curl are those that sum to 0 round
    every triangle; the curl is what is perpendicular to them.
    """
    forward, backward = votes[:, shape.tail, shape.head], votes[:, shape.head, shape.tail]
    weight = np.maximum(forward + backward, _LEAST_WEIGHT)
    flow = np.log((forward + 0.5) / (backward + 0.5))
    total = (weight * flow**2).sum(axis=1)
    # even votes are no flow: any order explains nothing whole
    total = np.maximum(total, _LEAST_FLOW)
    gradient = np.clip(_explained(flow, weight, shape.gradients), 0.0, total)
    gradient[total == _LEAST_FLOW] = _LEAST_FLOW
    closed = total
    if shape.closed.shape[1] < len(shape.tail):
        closed = np.clip(_explained(flow, weight, shape.closed), gradient, total)
    return gradient, total - closed, closed - gradient, total


def _explained(flow: FloatArray, weight: FloatArray, columns: FloatArray) -> FloatArray:
    """Return the squared length of each flow's weighted projection on `columns` (n)."""
    moment = (weight * flow) @ columns
    square = np.matmul(columns.T * weight[:, None, :], columns)
    inverse = np.linalg.pinv(square, hermitian=True)
    return np.asarray(np.einsum("ni,nij,nj->n", moment, inverse, moment))


def _cycle_strengths(votes: FloatArray, shape: _Complex) -> FloatArray:
    """Return each cycle's weakest majority, in its better direction; <= 0 where it is no cycle.

    One row for each of n sets of votes (n x V x V), one column a cycle.
    """
    total = votes + votes.transpose(0, 2, 1)
    majority = (votes - votes.transpose(0, 2, 1)) / np.sqrt(np.maximum(total, _LEAST_WEIGHT))
    strengths = [np.empty((len(votes), 0))]
    for cycles in shape.cycles:
        around = majority[:, cycles, np.roll(cycles, -1, axis=1)]
        strengths.append(np.maximum(around.min(axis=2), -around.max(axis=2)))
    return np.concatenate(strengths, axis=1)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Votes:
    """The votes of `values`, as cast and in independent decisions (each V x V), and who cast them.

    `decisions` (V x V) counts the decisions that gave a vote.
    """

    values: tuple[str, ...]
    cast: FloatArray
    counted: FloatArray
    decisions: FloatArray

    @classmethod
    def of(cls, tally: Tally, counted: FloatArray, kept: IntArray) -> _Votes:
        """Return the votes of the values `kept`, of which alone `counted` holds votes."""
        own = np.ix_(kept, kept)
        return cls(
            values=tuple(tally.values[index] for index in kept),
            cast=tally.votes[own],
            counted=counted,
            decisions=tally.decisions[own],
        )

    def step(self, u: int, w: int) -> Step:
        return Step(
            over=self.values[u],
            under=self.values[w],
            votes=float(self.cast[u, w]),
            against=float(self.cast[w, u]),
            decisions=int(self.decisions[u, w] + self.decisions[w, u]),
            independent_votes=float(self.counted[u, w]),
            independent_against=float(self.counted[w, u]),
        )


def _cycles(
    votes: _Votes, shape: _Complex, strengths: FloatArray, threshold: float
) -> tuple[Cycle, ...]:
    members = [cycle.tolist() for cycles in shape.cycles for cycle in cycles]
    found = []
    for index in np.argsort(-strengths, kind="stable")[:_SHOWN_CYCLES]:
        if strengths[index] > threshold:
            first, second, *_ = cycle = members[index]
            is_forward = votes.counted[first, second] > votes.counted[second, first]
            ordered = cycle if is_forward else cycle[::-1]
            steps = zip(ordered, [*ordered[1:], ordered[0]], strict=True)
            found.append(
                Cycle(
                    values=tuple(votes.values[value] for value in ordered),
                    weakest=float(strengths[index]),
                    evidence=tuple(votes.step(u, w) for u, w in steps),
                )
            )
    return tuple(found)
