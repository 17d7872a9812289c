"""`valuesim report`: one self-contained HTML page about some runs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from valuesim.log import find_runs, read_run

if TYPE_CHECKING:
    from valuesim.report.summary import Summary


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
    from valuesim.cli.graph import print_ranking
    from valuesim.cli.terminal import clean

    for group in summary.groups:
        print_ranking(group.name, group.ranking)
    for group in summary.groups:
        print_report(group.name, group.archetypes)
    for warning in summary.warnings:
        print(f"note: {clean(warning)}")
