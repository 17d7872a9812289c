"""`python -m benchmarks.adaptive [--quick]`: print what adaptive asking saves."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.adaptive", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="a few agents, about a minute")
    asked = parser.parse_args()
    # one thread a process, set before numpy is imported: the products are small
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    from benchmarks.adaptive import tables
    from benchmarks.adaptive.planted import KINDS, POOLS
    from benchmarks.adaptive.reach import curves
    from benchmarks.adaptive.stopping import CASES, stopped

    agents, most, runs = (2, 480, 4) if asked.quick else (8, 1600, 30)
    block = min(runs, 10)
    reached = _all(
        [(curves, (pool, (kind,), agents, most, asked.seed)) for pool in POOLS for kind in KINDS],
        asked.processes,
    )
    print(tables.reach(reached, agents=agents, most=most))
    ended = _all(
        [
            (stopped, (case, first, block, asked.seed))
            for case in CASES
            for first in range(0, runs, block)
        ],
        asked.processes,
    )
    print(tables.stopping(ended))


def _all(
    calls: Sequence[tuple[Callable[..., list[Any]], tuple[Any, ...]]], processes: int
) -> list[Any]:
    """Return what `calls` return, in their order, and tell how far they are."""
    started = time.monotonic()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        futures = [pool.submit(call, *arguments) for call, arguments in calls]
        for number, _ in enumerate(as_completed(futures), start=1):
            spent = time.monotonic() - started
            print(f"{number} of {len(calls)} parts, {spent:.0f} s", file=sys.stderr)
        return [each for future in futures for each in future.result()]


if __name__ == "__main__":
    main()
