"""A preference relation as a graph, and whether it is transitive."""

from __future__ import annotations

from collections.abc import Iterable

import networkx as nx


def preference_graph(
    options: Iterable[str], preferred: Iterable[tuple[str, str, float]]
) -> nx.DiGraph[str]:
    """Return the graph of all `options` with an edge over -> under for each of `preferred`.

    An edge's `weight` is the mean log-odds of the one over the other.
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(options)
    graph.add_weighted_edges_from(preferred)
    return graph


def intransitive(graph: nx.DiGraph[str]) -> tuple[tuple[str, str, str], ...]:
    """Return every (u, v, w) with u preferred to v and v to w, but not u to w; none if transitive.

    Two options preferred to each other are not transitive either.

    >>> intransitive(preference_graph("abc", [("a", "b", 1.0), ("b", "c", 1.0)]))
    (('a', 'b', 'c'),)
    """
    return tuple(
        (u, v, w) for u, v in graph.edges() for w in graph.successors(v) if not graph.has_edge(u, w)
    )
