"""`valuesim graph`: which values the choices put first, with intervals and consistency."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from typing import Any

from valuesim.cli import evidence
from valuesim.cli.terminal import clean, interval, percent, print_table, width, write_json
from valuesim.graph import (
    Group,
    ValueRanking,
    ValueStrength,
    rank_values,
    to_json,
    value_graph,
)
from valuesim.graph.statement import count
from valuesim.log.whole import whole

_WIDE = 96


def main(arguments: argparse.Namespace) -> int:
    """Rank, and return 0; without a decision, say why there is nothing."""
    if arguments.png:
        from valuesim.report.drawing import graph_format

        graph_format(arguments.png)
    found = evidence.read_evidence(arguments.paths, arguments.by)
    rankings = {group: rank_values(found.choices(group)) for group in found.all_groups}
    _write_files(arguments, rankings)
    if arguments.json:
        write_json(_json(found, rankings), arguments.json)
    if arguments.json != "-":
        if found.why_nothing:
            print(f"nothing to rank: {found.why_nothing}")
        for group, ranking in rankings.items():
            print_ranking(group, ranking, [found.interruptions(group), *found.notes(group)])
        if found.why_unplaced:
            print(found.why_unplaced)
    return 0


def _json(found: evidence.Evidence, rankings: Mapping[Group, ValueRanking]) -> dict[str, Any]:
    groups = [
        to_json(group, ranking)
        | {"interrupted": found.interrupted.get(group, {}), "notes": found.notes(group)}
        for group, ranking in rankings.items()
    ]
    return {
        "schema": 1,
        "groups": groups,
        "unplaced": found.unplaced,
        "why": found.why_nothing,
    }


def print_ranking(
    group: Group | str, ranking: ValueRanking, remarks: Iterable[str | None] = ()
) -> None:
    """Print the ranking of one group with what must be known to read it, `remarks` included."""
    if ranking.values:
        counted = f"{ranking.unit}s"
        columns = ["value", "rank", "95 %", "log-odds", "95 % interval", "n", "elo", counted]
        kept = len(columns) if width() >= _WIDE else len(columns) - 2
        rows = [_row(value)[:kept] for value in ranking.values]
        print_table(_title(group, ranking), columns[:kept], rows)
    else:
        print(clean(_title(group, ranking)))
    found = ranking.consistency
    if found.curl_share is not None:
        print(
            f"  consistency: {percent(found.gradient_share)} of the pairwise pattern is one order, "
            f"{percent(found.curl_share)} cycles (by chance: {percent(found.null_curl_share)})"
        )
    for cycle in found.cycles:
        print(clean(f"  cycle: {' > '.join([*cycle.values, cycle.values[0]])}"))
    if ranking.statement:
        print(f"  note: {clean(ranking.statement)}")
    for remark in filter(None, remarks):
        print(f"  note: {clean(remark)}")
    print()


def _title(group: Group | str, ranking: ValueRanking) -> str:
    return (
        f"{group}: {count(ranking.decisions, 'decision')}, {percent(ranking.fault_rate)} faults, "
        f"{count(ranking.contested, 'contested choice')} in {count(ranking.clusters, ranking.unit)}"
    )


def _row(value: ValueStrength) -> tuple[object, ...]:
    low, high = value.rank_low, value.rank_high
    ranks = None if low is None or high is None else f"{low} to {high}"
    elo = None if value.elo is None else round(value.elo)
    strength = (value.strength, interval(value.low, value.high))
    return (value.value, value.rank, ranks, *strength, value.choices, elo, value.clusters)


def _write_files(arguments: argparse.Namespace, rankings: Mapping[Group, ValueRanking]) -> None:
    if arguments.graphml:
        from networkx import write_graphml

        for group, path in evidence.files_for(arguments.graphml, rankings).items():
            with whole(path) as draft:
                write_graphml(value_graph(rankings[group]), draft)
    if arguments.png:
        from valuesim.report.drawing import save_graph

        for group, path in evidence.files_for(arguments.png, rankings).items():
            with whole(path) as draft:
                save_graph(rankings[group], draft)
