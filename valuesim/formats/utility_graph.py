"""A group's values as a utility graph: options, pairwise probabilities, utilities.

The shape is that of the emergent-values code (Mazeika et al., arXiv 2502.08640): "options" with a
whole number as id; "edges", keyed by "(A, B)", each with both options, `probability_A` and
`aux_data`; "utilities" with a mean and a variance for each id. Its `PreferenceGraph.load_data`
reads what stands under "graph_data". All else stands under "valuesim".
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from valuesim import __version__
from valuesim.choices import choices
from valuesim.errors import InputError
from valuesim.formats.exported import Exported, Source
from valuesim.graph import Group, ValueRanking, rank_values
from valuesim.graph.grouping import kept_apart
from valuesim.log.whole import whole
from valuesim.values import load_taxonomy, taxonomies

Json = dict[str, Any]


def write_utility_graph(source: Source, path: Path) -> Exported:
    """Write the graph of each group of `source`, a file each.

    Raises InputError where no value has a utility in any group.
    """
    keys = kept_apart(source.by, source.pool.episodes.values())
    more = [key for key in keys if key not in source.by]
    rankings = {
        group: rank_values(choices(records)) for group, records in source.groups(*more).items()
    }
    if not any(value.strength is not None for r in rankings.values() for value in r.values):
        raise InputError(f"nothing is written to {path}: no value has a strength in any group")
    files = source.files_for(rankings)
    for group, ranking in rankings.items():
        with whole(files[group]) as draft:
            written = orjson.dumps(utility_graph(group, ranking), option=orjson.OPT_INDENT_2)
            draft.write_bytes(written + b"\n")
    unknown = sum(v.strength is None for r in rankings.values() for v in r.values)
    note = f"{unknown:,} values have no strength, and so no utility: valuesim.reasons says why"
    return Exported(
        files={files[group]: ranking.decisions for group, ranking in rankings.items()},
        notes=(note,) if unknown else (),
    )


def utility_graph(group: Group, ranking: ValueRanking) -> Json:
    """Return the utility graph of a ranking as JSON values.

    A utility's mean is the value's strength in log-odds, centred on 0 within its component; its
    variance that of the estimate, None where that is unknown. An edge's probability is the share of
    the votes of those decisions that set the two values against each other, one decision one vote;
    `aux_data` holds the votes each way, the decisions behind them, and the posterior probability
    that A is put before B. Values that were never set against each other have no edge.
    """
    options = [
        {"id": number, "description": value.value, "definition": _definition(value.value)}
        for number, value in enumerate(ranking.values)
    ]
    edges = _edges(options, ranking)
    graph = {
        "options": options,
        "edges": edges,
        "training_edges": [[e["option_A"]["id"], e["option_B"]["id"]] for e in edges.values()],
        "training_edges_pool": [],
        "holdout_edge_indices": [],
    }
    return {
        "options": options,
        "edges": list(edges.values()),
        "utilities": {
            str(number): {
                "mean": value.strength,
                "variance": None if value.se is None else value.se**2,
            }
            for number, value in enumerate(ranking.values)
            if value.strength is not None
        },
        "graph_data": graph,
        "valuesim": _about(group, ranking),
    }


def _about(group: Group, ranking: ValueRanking) -> Json:
    return {
        "version": __version__,
        "group": dict(group.items()),
        "decisions": ranking.decisions,
        "faults": {str(kind): number for kind, number in ranking.faults.items()},
        "coherent": ranking.coherence.is_coherent,
        "components": [list(component) for component in ranking.components],
        "statement": ranking.statement,
        "reasons": {value.value: value.reason for value in ranking.values if value.reason},
    }


def _edges(options: list[Json], ranking: ValueRanking) -> dict[str, Json]:
    found = {(edge.over, edge.under): edge for edge in ranking.edges}
    edges: dict[str, Json] = {}
    for number, one in enumerate(options):
        for other in options[number + 1 :]:
            pair = one["description"], other["description"]
            ahead, behind = found.get(pair), found.get((pair[1], pair[0]))
            votes = [0.0 if edge is None else edge.weight for edge in (ahead, behind)]
            if not sum(votes):
                continue
            counts = [0 if edge is None else edge.decisions for edge in (ahead, behind)]
            edges[f"({one['id']}, {other['id']})"] = {
                "option_A": one,
                "option_B": other,
                "probability_A": votes[0] / sum(votes),
                "aux_data": {
                    "n": sum(counts),
                    "decisions_A": counts[0],
                    "decisions_B": counts[1],
                    "votes_A": votes[0],
                    "votes_B": votes[1],
                    "posterior_A": ranking.probability(*pair),
                },
            }
    return edges


def _definition(value: str) -> str | None:
    """Return the definition of a value in the first shipped vocabulary that has it."""
    return _definitions().get(value)


def _definitions() -> Mapping[str, str]:
    return {
        value.name: value.definition
        for name in reversed(list(taxonomies()))
        for value in load_taxonomy(name).values
    }
