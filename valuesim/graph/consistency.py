"""How far pairwise choices agree with one order: the Hodge decomposition of their log-odds.

Votes a for u before w and b for w before u give the flow log((a + 1/2) / (b + 1/2)) with weight
a + b, in which every decision counts once in all. Weighted least squares splits the flow into a
gradient (one order explains it), curl (cycles of three) and a harmonic rest (longer cycles); the
shares are of its squared length (Jiang, Lim, Yao and Ye 2011, "Statistical ranking and
combinatorial Hodge theory"). Finite samples alone give curl, so that shares and cycles are read
against choices simulated from the fitted logit, which has no cycles, on the same situations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from valuesim.graph.design import Design, FloatArray
from valuesim.graph.logit import LogitFit, probabilities
from valuesim.graph.pairwise import Tally

IntArray = NDArray[np.int64]

SIMULATIONS = 200
_LONGEST_CYCLE = 5
_MOST_CYCLES = 10_000
_SHOWN_CYCLES = 10
_LEAST_WEIGHT = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class Cycle:
    """Values each put before the next, and the last before the first, more often than not.

    `weakest` is the smallest standardised majority (a - b) / sqrt(a + b) on the way round.
    """

    values: tuple[str, ...]
    weakest: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Consistency:
    """Shares in [0, 1] of the log-odds flow; the three sum to 1.

    `null_curl_share` is the mean, and `null_curl_high` the 95th percentile, of the curl share in
    choices simulated without cycles. `cycles` lists, strongest first, those whose weakest majority
    is beyond the 95th percentile of the strongest cycle in such choices. Where nothing can be
    computed the figures are None and `reason` says why.
    """

    gradient_share: float | None = None
    curl_share: float | None = None
    harmonic_share: float | None = None
    null_curl_share: float | None = None
    null_curl_high: float | None = None
    cycles: tuple[Cycle, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Complex:
    """The compared pairs (tail, head), their gradient operator, a basis of curls, the cycles.

    `cycles` holds one array (cycles x length) for each length. `has_holes` says whether some flow
    is neither gradient nor curl; it is not so where every two values are compared.
    """

    tail: IntArray
    head: IntArray
    incidence: FloatArray
    curls: FloatArray
    has_holes: bool
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
    shape = _complex(votes)
    gradient, curl = _shares(votes, shape)
    null_votes = _simulated(design, tally, fit, rng, simulations)
    null_curl = np.array([_shares(null, shape)[1] for null in null_votes])
    null_cycle = [_cycle_strengths(null, shape).max(initial=0.0) for null in null_votes]
    return Consistency(
        gradient_share=gradient,
        curl_share=curl,
        harmonic_share=max(0.0, 1.0 - gradient - curl),
        null_curl_share=float(null_curl.mean()),
        null_curl_high=float(np.quantile(null_curl, 0.95)),
        cycles=_cycles(votes, shape, tally.values, float(np.quantile(null_cycle, 0.95))),
    )


def _complex(votes: FloatArray) -> _Complex:
    n_values = len(votes)
    pairs = [(u, w) for u, w in combinations(range(n_values), 2) if votes[u, w] + votes[w, u] > 0]
    place = {pair: index for index, pair in enumerate(pairs)}
    tail, head = np.array(pairs).T
    incidence = np.zeros((len(pairs), n_values))
    incidence[np.arange(len(pairs)), tail] = 1.0
    incidence[np.arange(len(pairs)), head] = -1.0
    graph = nx.Graph(pairs)
    triangles = [t for t in combinations(sorted(graph), 3) if all(p in place for p in _sides(t))]
    curls = np.zeros((len(triangles), len(pairs)))
    for row, (u, v, w) in enumerate(triangles):
        curls[row, [place[u, v], place[v, w], place[u, w]]] = 1.0, 1.0, -1.0
    _, singular, basis = np.linalg.svd(curls, full_matrices=False)
    basis = basis[singular > 1e-9]
    n_gradients = len(graph) - nx.number_connected_components(graph)
    # the stubs know this for directed graphs only
    cycles = nx.chordless_cycles(graph, length_bound=_LONGEST_CYCLE)  # type: ignore[call-overload]
    return _Complex(
        tail=tail,
        head=head,
        incidence=incidence,
        curls=basis,
        has_holes=n_gradients + len(basis) < len(pairs),
        cycles=_by_length(list(islice(cycles, _MOST_CYCLES))),
    )


def _by_length(cycles: list[list[int]]) -> tuple[IntArray, ...]:
    lengths = sorted({len(cycle) for cycle in cycles})
    return tuple(np.array([c for c in cycles if len(c) == length]) for length in lengths)


def _sides(triangle: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    u, v, w = triangle
    yield from ((u, v), (v, w), (u, w))


def _shares(votes: FloatArray, shape: _Complex) -> tuple[float, float]:
    """Return the gradient and the curl share; (1, 0) where there is no flow at all."""
    forward, backward = votes[shape.tail, shape.head], votes[shape.head, shape.tail]
    root = np.sqrt(np.maximum(forward + backward, _LEAST_WEIGHT))
    flow = root * np.log((forward + 0.5) / (backward + 0.5))
    total = float(flow @ flow)
    if total < 1e-12:
        return 1.0, 0.0
    gradient = _projected(flow, root[:, None] * shape.incidence)
    gradient_share = float(gradient @ gradient) / total
    if not shape.has_holes:
        return gradient_share, max(0.0, 1.0 - gradient_share)
    curl = _projected(flow, shape.curls.T / root[:, None])
    return gradient_share, float(curl @ curl) / total


def _projected(vector: FloatArray, columns: FloatArray) -> FloatArray:
    return np.asarray(columns @ np.linalg.lstsq(columns, vector, rcond=None)[0])


def _simulated(
    design: Design, tally: Tally, fit: LogitFit, rng: np.random.Generator, simulations: int
) -> FloatArray:
    """Return the votes (simulations x V x V) of choices drawn from `fit` where they were made.

    A situation that a cluster met several times is answered once and counted so often: an agent
    that repeats itself gives no more evidence of circles than one that does not.
    """
    met = sparse.coo_array(design.asked)
    situations, repeats = met.coords[1], met.data.astype(float)
    likely = np.cumsum(probabilities(design, fit.theta), axis=1)[situations, :-1]
    n_situations, n_options = design.offered.shape
    votes = []
    for _ in range(simulations):
        taken = (rng.random((len(situations), 1)) > likely).sum(axis=1)
        counts = np.bincount(
            situations * n_options + taken, weights=repeats, minlength=n_situations * n_options
        )
        votes.append(tally.votes_of(counts[None, :].astype(float))[0])
    return np.stack(votes)


def _cycle_strengths(votes: FloatArray, shape: _Complex) -> FloatArray:
    """Return each cycle's weakest majority, in its better direction; <= 0 where it is no cycle."""
    total = votes + votes.T
    majority = (votes - votes.T) / np.sqrt(np.maximum(total, _LEAST_WEIGHT))
    strengths = [np.empty(0)]
    for cycles in shape.cycles:
        around = majority[cycles, np.roll(cycles, -1, axis=1)]
        strengths.append(np.maximum(around.min(axis=1), -around.max(axis=1)))
    return np.concatenate(strengths)


def _cycles(
    votes: FloatArray, shape: _Complex, values: tuple[str, ...], threshold: float
) -> tuple[Cycle, ...]:
    strengths = _cycle_strengths(votes, shape)
    members = [cycle for cycles in shape.cycles for cycle in cycles.tolist()]
    found = []
    for index in np.argsort(-strengths)[:_SHOWN_CYCLES]:
        if strengths[index] > threshold:
            first, second, *_ = cycle = members[index]
            ordered = cycle if votes[first, second] > votes[second, first] else cycle[::-1]
            names = tuple(values[v] for v in ordered)
            found.append(Cycle(values=names, weakest=float(strengths[index])))
    return tuple(found)
