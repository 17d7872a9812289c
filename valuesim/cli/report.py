"""`valuesim report`: one self-contained HTML page about some runs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from valuesim.log import find_runs, read_run

if TYPE_CHECKING:
    from valuesim.report.summary import Summary


_FEW = 8
"""The most groups whose rankings are printed whole."""


def main(arguments: argparse.Namespace) -> int:
    """Write the page, after the tables behind it if asked for, and return 0."""
    from valuesim.report.summary import summarise
    from valuesim.report.writing import write_page

    summary = summarise([read_run(path) for path in find_runs(arguments.paths)])
    if arguments.tables:
        _print_tables(summary)
    written = write_page(summary, arguments.out or arguments.paths[0] / "report.html")
    print(f"wrote {written}")
    return 0


def _print_tables(summary: Summary) -> None:
    from valuesim.cli.archetypes import print_report
    from valuesim.cli.ranking import print_ranking
    from valuesim.cli.terminal import clean

    if len(summary.groups) <= _FEW:
        for group in summary.groups:
            print_ranking(group.name, group.ranking)
            print()
    else:
        _print_overview(summary)
    for group in summary.judged:
        print_report(group.name, group.archetypes)
    for warning in summary.warnings:
        print(f"note: {clean(warning)}")


def _print_overview(summary: Summary) -> None:
    """Print one line a group: what it puts first; `graph` and `measures` say more."""
    from valuesim.cli.terminal import percent, print_table

    rows = []
    for group in summary.groups:
        ranking = group.ranking
        known = [v for v in ranking.values if v.rank is not None and v.is_identified]
        ordered = sorted(known, key=lambda value: -(value.strength or 0.0))
        is_told = ranking.coherence.is_coherent and len(ordered) > 1 and len(ranking.components) < 2
        first = ordered[0].value if is_told else "-"
        counted = (group.decisions, percent(group.fault_rate))
        archetype = group.archetypes.verdict.archetype if group in summary.judged else "-"
        rows.append((group.name, *counted, first, archetype))
    print_table(
        "what each group puts first (-: no coherent ranking, or no transgression on offer)",
        ("group", "decisions", "faults", "first", "archetype"),
        rows,
    )
