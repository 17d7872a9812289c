"""`valuesim graph`: which values the choices put first, with intervals and consistency."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from valuesim.cli import evidence, views
from valuesim.cli.behind import pair_of, print_behind
from valuesim.cli.ranking import print_ranking
from valuesim.cli.streamed import stream_evidence
from valuesim.cli.table import TableEvidence, is_table, read_table
from valuesim.cli.terminal import clean, write_json
from valuesim.errors import InputError
from valuesim.graph import (
    Behind,
    Group,
    ValueRanking,
    behind,
    rank_values,
    to_json,
    value_graph,
)
from valuesim.graph.behind import Pair
from valuesim.graph.evidence import Evidence
from valuesim.log.whole import whole

Found = Evidence | TableEvidence


def main(arguments: argparse.Namespace) -> int:
    """Rank, and return 0; without a decision, say why there is nothing."""
    if arguments.png:
        from valuesim.report.drawing import graph_format

        graph_format(arguments.png)
    found = _found(arguments)
    rankings, asked = _ranked(arguments, found)
    listed = _behind(arguments.behind, found, rankings)
    _write_files(arguments, found, rankings)
    if arguments.json:
        write_json(_json(found, rankings, listed, asked), arguments.json)
    if arguments.json != "-":
        if found.why_nothing:
            print(f"nothing to rank: {found.why_nothing}")
        for group, ranking in rankings.items():
            if arguments.behind:
                _print_behind(group, listed[group], shows_all=arguments.all)
            else:
                remarks = [found.interruptions(group), *found.notes(group)]
                print_ranking(group, ranking, remarks, shows_all=arguments.all)
                views.print_asked(ranking, asked[group])
            print()
        if found.why_unplaced:
            print(found.why_unplaced)
    return 0


def _found(arguments: argparse.Namespace) -> Found:
    if not any(map(is_table, arguments.paths)):
        needs_records = arguments.behind or arguments.graphml
        read = evidence.read_evidence if needs_records else stream_evidence
        return read(arguments.paths, arguments.by)
    if arguments.behind:
        raise InputError(
            "--behind lists decisions, which a table is not read for one by one: `valuesim import "
            "choices FILE --out RUN` makes a run folder that it can be asked of"
        )
    return read_table(arguments.paths, arguments.by)


def _ranked(
    arguments: argparse.Namespace, found: Found
) -> tuple[dict[Group, ValueRanking], dict[Group, views.Asked]]:
    """Return the ranking of each group, and what else was asked for."""
    rankings, asked = {}, {}
    for group in found.all_groups:
        choices = found.choices(group)
        rankings[group] = rank_values(choices)
        asked[group] = views.asked_of(
            choices,
            rankings[group],
            cycles=arguments.cycles,
            bradley_terry=arguments.view is not None,
        )
    return rankings, asked


def _behind(
    asked: str | None, found: Found, rankings: Mapping[Group, ValueRanking]
) -> dict[Group, dict[Pair, tuple[Behind, ...]]]:
    """Return, for each group, the decisions behind the pair that was asked for, both ways."""
    values = {value.value for ranking in rankings.values() for value in ranking.values}
    if not asked or not values:
        return {group: {} for group in rankings}
    first, second = pair_of(asked, values)
    return {
        group: {
            pair: behind(found.records(group), *pair) for pair in ((first, second), (second, first))
        }
        for group in rankings
    }


def _json(
    found: Found,
    rankings: Mapping[Group, ValueRanking],
    listed: Mapping[Group, Mapping[Pair, Sequence[Behind]]],
    asked: Mapping[Group, views.Asked],
) -> dict[str, Any]:
    groups = [
        to_json(group, ranking, listed[group])
        | asked[group].as_json()
        | {"interrupted": found.interrupted.get(group, {}), "notes": found.notes(group)}
        for group, ranking in rankings.items()
    ]
    return {
        "schema": 1,
        "groups": groups,
        "unplaced": found.unplaced,
        "why": found.why_nothing,
    }


def _print_behind(
    group: Group, listed: Mapping[Pair, Sequence[Behind]], *, shows_all: bool
) -> None:
    print(clean(f"{group}:"))
    if not listed:
        print("  no decision is behind it: in no choice is any value at stake")
    for pair, decisions in listed.items():
        print_behind(*pair, decisions, shows_all=shows_all)


def _write_files(
    arguments: argparse.Namespace,
    found: Found,
    rankings: Mapping[Group, ValueRanking],
) -> None:
    for path in filter(None, (arguments.graphml, arguments.png)):
        if not rankings:
            print(f"valuesim: {clean(path)} is not written: nothing is ranked", file=sys.stderr)
    if arguments.graphml:
        from valuesim.graph.files import write_graph

        for group, path in evidence.files_for(arguments.graphml, rankings).items():
            records = found.records(group)
            with whole(path) as draft:
                write_graph(value_graph(rankings[group], group=group, records=records), draft)
    if arguments.png:
        from valuesim.report.drawing import save_graph

        for group, path in evidence.files_for(arguments.png, rankings).items():
            with whole(path) as draft:
                save_graph(rankings[group], draft, str(group))
