"""The ranking as graphs: all priorities as a networkx graph, the sure ones as layers to draw."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import networkx as nx

from valuesim.graph.ranking import ValueRanking

SURE = 0.975


@dataclass(frozen=True, kw_only=True, slots=True)
class Layers:
    """Values in layers, the strongest first, and the pairs to draw between them.

    A value stands below every value that is surely stronger. `pairs` (stronger, weaker) are the
    sure ones less those that follow from others; all pairs are implied by going down them.
    `unplaced` values are not identified.
    """

    layers: tuple[tuple[str, ...], ...]
    pairs: tuple[tuple[str, str], ...]
    unplaced: tuple[str, ...]


def layers(ranking: ValueRanking, sure: float = SURE) -> Layers:
    """Return the Hasse-like layers of the values that at least a share `sure` of draws separates.

    `sure` must exceed 2/3, so that three values cannot surely precede each other in a ring.
    """
    if not 2 / 3 < sure <= 1:
        raise ValueError(f"sure={sure} is not in (2/3, 1]")
    placed = [value.value for value in ranking.values if value.is_identified]
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(placed)
    graph.add_edges_from(
        (over, under)
        for over, under in permutations(placed, 2)
        if (ranking.probability(over, under) or 0.0) >= sure
    )
    return Layers(
        layers=tuple(tuple(generation) for generation in nx.topological_generations(graph)),
        pairs=tuple(nx.transitive_reduction(graph).edges()),
        unplaced=tuple(v.value for v in ranking.values if not v.is_identified),
    )


def value_graph(ranking: ValueRanking) -> nx.DiGraph[str]:
    """Return the value-prioritization graph.

    Nodes are values with `strength`, `se`, `low`, `high`, `elo`, `rank`, `rank_low`, `rank_high`,
    `component`, `is_identified`; an edge u -> v says that u was put before v, with `weight`
    (votes), `decisions` behind it and `probability`. An attribute that is unknown is absent, so
    that the graph can be written as GraphML. Graph attributes: `decisions`, `choices`, `clusters`,
    `coherent`. `pairwise.decisions_behind` lists an edge's decisions.
    """
    graph: nx.DiGraph[str] = nx.DiGraph(
        decisions=ranking.decisions,
        choices=ranking.choices,
        clusters=ranking.clusters,
        coherent=ranking.coherence.is_coherent,
    )
    for value in ranking.values:
        named = {name: getattr(value, name) for name in _NODE_ATTRIBUTES}
        graph.add_node(value.value, **{k: v for k, v in named.items() if v is not None})
    for edge in ranking.edges:
        graph.add_edge(edge.over, edge.under, weight=edge.weight, decisions=edge.decisions)
        if edge.probability is not None:
            graph.edges[edge.over, edge.under]["probability"] = edge.probability
    return graph


_NODE_ATTRIBUTES = (
    *("strength", "se", "low", "high", "elo", "rank", "rank_low", "rank_high"),
    *("component", "is_identified"),
)
