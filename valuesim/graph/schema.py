"""The ranking of one group as JSON values: one entry of "groups" in the graph results, schema 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from valuesim.graph.behind import Behind, Pair, behind_json
from valuesim.graph.habits import Habit
from valuesim.graph.planning import separations
from valuesim.graph.ranking import Priority, ValueRanking, ValueStrength
from valuesim.graph.reach import detectable


def to_json(
    group: Mapping[str, Any],
    ranking: ValueRanking,
    behind: Mapping[Pair, Sequence[Behind]] | None = None,
) -> dict[str, Any]:
    """Return `ranking` as JSON values; what is unknown is None, never nan.

    Edges in `behind` carry the decisions behind them, as "decisions_behind".
    """
    listed = behind or {}
    pairs = separations(ranking)
    reach = detectable(pairs)
    return {
        "group": dict(group.items()),
        "decisions": ranking.decisions,
        "choices": ranking.choices,
        "contested": ranking.contested,
        "clusters": ranking.clusters,
        "faults": {str(kind): number for kind, number in ranking.faults.items()},
        "fault_rate": ranking.fault_rate,
        "coherent": ranking.coherence.is_coherent,
        "coherence": {
            "blind": ranking.coherence.blind,
            "values": ranking.coherence.values,
            "gain": ranking.coherence.gain,
            "low": ranking.coherence.low,
            "reason": ranking.coherence.reason,
        },
        "statement": ranking.statement,
        "separated": ranking.is_separated,
        "components": [list(component) for component in ranking.components],
        "terms": {term: _habit(habit) for term, habit in ranking.terms.items()},
        "values": [_value(value) for value in ranking.values],
        "edges": [_edge(edge, listed.get((edge.over, edge.under))) for edge in ranking.edges],
        "consistency": _consistency(ranking),
        "separations": [asdict(pair) for pair in pairs],
        "detectable": None if reach is None else asdict(reach),
    }


def _habit(habit: Habit) -> dict[str, Any]:
    told = asdict(habit)
    del told["term"]
    return told


def _value(value: ValueStrength) -> dict[str, Any]:
    return {
        "value": value.value,
        "rank": value.rank,
        "rank_low": value.rank_low,
        "rank_high": value.rank_high,
        "strength": value.strength,
        "se": value.se,
        "low": value.low,
        "high": value.high,
        "elo": value.elo,
        "component": value.component,
        "identified": value.is_identified,
        "reason": value.reason,
        "separated": value.is_separated,
        "choices": value.choices,
        "clusters": value.clusters,
    }


def _edge(edge: Priority, behind: Sequence[Behind] | None) -> dict[str, Any]:
    listed = {} if behind is None else {"decisions_behind": behind_json(behind)}
    return {
        "over": edge.over,
        "under": edge.under,
        "weight": edge.weight,
        "decisions": edge.decisions,
        "probability": edge.probability,
        **listed,
    }


def _consistency(ranking: ValueRanking) -> dict[str, Any]:
    found = ranking.consistency
    return {
        "gradient_share": found.gradient_share,
        "curl_share": found.curl_share,
        "harmonic_share": found.harmonic_share,
        "null_curl_share": found.null_curl_share,
        "null_curl_high": found.null_curl_high,
        "null_harmonic_share": found.null_harmonic_share,
        "cycles": [list(cycle.values) for cycle in found.cycles],
        "weakest_majorities": [cycle.weakest for cycle in found.cycles],
        "evidence": [[asdict(step) for step in cycle.evidence] for cycle in found.cycles],
        "kemeny": found.kemeny and asdict(found.kemeny),
        "held_out": found.held_out and asdict(found.held_out),
        "values_left_out": found.values_left_out,
        "reason": found.reason,
    }
