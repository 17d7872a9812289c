"""`valuesim report`: one self-contained HTML page about some runs."""

from __future__ import annotations

import argparse

from valuesim.log import find_runs, read_run


def main(arguments: argparse.Namespace) -> int:
    """Write the page and return 0."""
    from valuesim.report import write_report

    runs = [read_run(path) for path in find_runs(arguments.paths)]
    written = write_report(runs, arguments.out or arguments.paths[0] / "report.html")
    print(f"wrote {written}")
    return 0
