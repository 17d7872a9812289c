"""Groups whose values have no ranking that a conclusion may rest on, and why."""

from __future__ import annotations

from collections.abc import Mapping

from valuesim.graph import ValueRanking, layers
from valuesim.graph.statement import count

_MOST_NAMED = 8


def unranked(rankings: Mapping[str, ValueRanking]) -> list[str]:
    """Return a sentence for each reason why groups have no ranking, with the groups' names.

    A group of which every decision is a fault is left out: that is told with the faults.
    """
    groups: dict[str, list[str]] = {}
    for name, ranking in rankings.items():
        if ranking.choices and (why := _why(ranking)):
            groups.setdefault(why, []).append(name)
    return [f"{why}: {_listed(names)}." for why, names in groups.items()]


def _why(ranking: ValueRanking) -> str:
    if not ranking.contested:
        return "No value is at stake in any choice"
    if len(ranking.values) == 1:
        return "Only one value is at stake, so there is nothing to compare it with"
    if ranking.clusters == 1:
        return f"All contested choices come from one {ranking.unit}, so no uncertainty is known"
    if not ranking.coherence.is_coherent:
        return f"No coherent ranking, as {ranking.coherence.reason}"
    if not layers(ranking).pairs:
        return "No value is surely put before another"
    return ""


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    left = [f"and {count(more, 'more group')}"] if more > 0 else []
    return "; ".join([*names[:_MOST_NAMED], *left])
