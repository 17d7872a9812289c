"""The ranking as graphs: all priorities as a networkx graph, the sure ones as layers to draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

from valuesim.graph.behind import Behind, behind_each
from valuesim.graph.grouping import Group
from valuesim.graph.ranking import ValueRanking
from valuesim.log.reader import DecisionRecord

if TYPE_CHECKING:
    import networkx as nx

MOST_BEHIND = 20
"""The most decisions that an edge of `value_graph` names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layers:
    """Values in layers, the strongest first, and the pairs to draw between them.

    A value stands below every value that is surely stronger; all such statements together hold with
    95 % (see `simultaneous`). `pairs` (stronger, weaker) are the sure ones less those that follow
    from others; all pairs are implied by going down them. `unplaced` values are not identified.
    """

    layers: tuple[tuple[str, ...], ...]
    pairs: tuple[tuple[str, str], ...]
    unplaced: tuple[str, ...]


def layers(ranking: ValueRanking) -> Layers:
    """Return the Hasse-like layers of the values that are surely apart."""
    import networkx as nx

    placed = [value.value for value in ranking.values if value.is_identified]
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(placed)
    graph.add_edges_from(
        (over, under) for over, under in permutations(placed, 2) if ranking.is_sure(over, under)
    )
    reduced = nx.transitive_reduction(graph)
    return Layers(
        layers=tuple(tuple(generation) for generation in nx.topological_generations(graph)),
        # the reduction's own order is that of a set, another one in each process
        pairs=tuple(pair for pair in graph.edges() if reduced.has_edge(*pair)),
        unplaced=tuple(v.value for v in ranking.values if not v.is_identified),
    )


def value_graph(
    ranking: ValueRanking,
    *,
    group: Group | None = None,
    records: Iterable[DecisionRecord] | None = None,
) -> nx.DiGraph[str]:
    """Return the value-prioritization graph; all attributes are texts, numbers and truth values.

    Nodes are values with `strength`, `se`, `low`, `high`, `elo`, `rank`, `rank_low`, `rank_high`,
    `component`, `is_identified`, `is_separated`, `reason`, `choices`, `clusters` (see
    `ValueStrength`) and `layer` (their place in `layers`, 0 the strongest). An edge u -> v says
    that u was put before v, with `weight` (votes), `decisions` that gave any, `probability` that u
    is the stronger, and `is_sure` (see `layers`). With `records`, those that were ranked,
    `behind` names the most telling decisions, as "episode:step:role" parted by spaces.

    Graph attributes: `decisions`, `choices`, `contested`, `clusters`, `unit`, `faults`,
    `fault_rate`, `coherent`, `statement`, `gradient_share`, `curl_share`, `group`, and `group_KEY`
    for each label of `group`. An attribute that is unknown is absent, so that the graph can be
    written as GraphML.
    """
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph(**_known(_graph_attributes(ranking, group)))
    row = {value: n for n, layer in enumerate(layers(ranking).layers) for value in layer}
    for value in ranking.values:
        named = {name: getattr(value, name) for name in _NODE_ATTRIBUTES}
        graph.add_node(value.value, **_known(named | {"layer": row.get(value.value)}))
    listed = {} if records is None else behind_each(records)
    for edge in ranking.edges:
        named = {name: getattr(edge, name) for name in ("weight", "decisions", "probability")}
        named["is_sure"] = ranking.is_sure(edge.over, edge.under)
        named["behind"] = _places(listed.get((edge.over, edge.under), ()))
        graph.add_edge(edge.over, edge.under, **_known(named))
    return graph


_NODE_ATTRIBUTES = (
    *("strength", "se", "low", "high", "elo", "rank", "rank_low", "rank_high"),
    *("component", "is_identified", "is_separated", "reason", "choices", "clusters"),
)


def _graph_attributes(ranking: ValueRanking, group: Group | None) -> dict[str, Any]:
    labels = {} if group is None else {f"group_{key}": label for key, label in group.items()}
    return {
        **labels,
        "group": None if group is None else str(group),
        "decisions": ranking.decisions,
        "choices": ranking.choices,
        "contested": ranking.contested,
        "clusters": ranking.clusters,
        "unit": ranking.unit,
        "faults": sum(ranking.faults.values()),
        "fault_rate": ranking.fault_rate,
        "coherent": ranking.coherence.is_coherent,
        "statement": ranking.statement,
        "gradient_share": ranking.consistency.gradient_share,
        "curl_share": ranking.consistency.curl_share,
    }


def _known(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given for name, given in attributes.items() if given is not None}


def _places(found: Sequence[Behind]) -> str | None:
    """Return where the first decisions of an edge were made, or None without any."""
    records = [each.record for each in found[:MOST_BEHIND]]
    return " ".join(f"{r.episode.id}:{r.step}:{r.role}" for r in records) or None
