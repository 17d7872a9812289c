"""`valuesim graph`: which values the choices put first, with intervals and consistency."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from valuesim.cli import evidence
from valuesim.cli.terminal import clean, interval, percent, print_table, write_json
from valuesim.graph import (
    Group,
    ValueRanking,
    ValueStrength,
    rank_values,
    to_json,
    value_graph,
)


def main(arguments: argparse.Namespace) -> int:
    """Rank, and return 0; without a decision, say why there is nothing."""
    found = evidence.read_evidence(arguments.paths, arguments.by)
    rankings = {group: rank_values(found.choices(group)) for group in found.all_groups}
    _write_files(arguments, rankings)
    if arguments.json:
        groups = [
            to_json(group, ranking) | {"interrupted": found.interrupted.get(group, {})}
            for group, ranking in rankings.items()
        ]
        write_json({"schema": 1, "groups": groups, "why": found.why_nothing}, arguments.json)
    if arguments.json != "-":
        if found.why_nothing:
            print(f"nothing to rank: {found.why_nothing}")
            return 0
        for group, ranking in rankings.items():
            print_ranking(group, ranking)
    return 0


def print_ranking(group: Group, ranking: ValueRanking) -> None:
    """Print the ranking of one group with what must be known to read it."""
    if ranking.values:
        columns = ("value", "rank", "95 %", "log-odds", "95 % interval", "elo", "n", "episodes")
        print_table(_title(group, ranking), columns, map(_row, ranking.values))
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
    print()


def _title(group: Group, ranking: ValueRanking) -> str:
    return (
        f"{group}: {ranking.decisions:,} decisions in {ranking.clusters:,} episodes, "
        f"{ranking.choices:,} choices, {percent(ranking.fault_rate)} faults"
    )


def _row(value: ValueStrength) -> tuple[object, ...]:
    low, high = value.rank_low, value.rank_high
    ranks = None if low is None or high is None else f"{low} to {high}"
    elo = None if value.elo is None else round(value.elo)
    strength = (value.strength, interval(value.low, value.high), elo)
    return (value.value, value.rank, ranks, *strength, value.choices, value.clusters)


def _write_files(arguments: argparse.Namespace, rankings: Mapping[Group, ValueRanking]) -> None:
    for group, ranking in rankings.items():
        if arguments.graphml:
            from networkx import write_graphml

            path = evidence.file_for(arguments.graphml, group, len(rankings))
            write_graphml(value_graph(ranking), path)
        if arguments.png:
            from valuesim.report.drawing import save_graph

            save_graph(ranking, evidence.file_for(arguments.png, group, len(rankings)))
