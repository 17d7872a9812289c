"""`python -m benchmarks.validity [--quick]`: measure, and write the page."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.validity.page import page, write
from benchmarks.validity.running import measure, show_progress


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validity", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a few repeats, under a minute; printed, and written only with --out",
    )
    parser.add_argument("--out", type=Path, help="folder of validity.md (default: docs)")
    asked = parser.parse_args()
    measured = measure(
        asked.seed, quick=asked.quick, processes=asked.processes, progress=show_progress
    )
    if asked.quick and asked.out is None:
        print(page(measured, seed=asked.seed, quick=True))
    else:
        write(asked.out or Path("docs"), measured, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
