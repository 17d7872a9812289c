"""The value graph as a file: GraphML, or networkx's node-link JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import networkx as nx

# what XML 1.0 cannot hold, even escaped
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_graph(graph: nx.DiGraph[str], path: Path) -> None:
    """Write `graph` to `path`: node-link JSON if its name ends in .json, else GraphML.

    `networkx.node_link_graph(content, edges="edges")` reads the one, `networkx.read_graphml(path)`
    the other. Characters that XML cannot hold are spelt out in GraphML, as backslash and number.
    Raises OSError for a path that cannot be written.
    """
    import networkx as nx
    import orjson

    if path.suffix.lower() == ".json":
        content = nx.node_link_data(graph, edges="edges")
        path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")
    else:
        nx.write_graphml(_plain(graph), path)


def _plain(graph: nx.DiGraph[str]) -> nx.DiGraph[str]:
    """Return `graph` with every text fit for XML."""
    import networkx as nx

    plain: nx.DiGraph[str] = nx.DiGraph(**_spelt(graph.graph))
    for node, attributes in graph.nodes(data=True):
        plain.add_node(_fit(node), **_spelt(attributes))
    for over, under, attributes in graph.edges(data=True):
        plain.add_edge(_fit(over), _fit(under), **_spelt(attributes))
    return plain


def _spelt(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {_fit(name): _fit(given) for name, given in attributes.items()}


def _fit(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    return _NO_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", given)
