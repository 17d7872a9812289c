"""Runs the repeats of experiments on several processes; each has its own seed, so order is free."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from benchmarks.validity import (
    agreement,
    blind,
    coverage,
    error,
    faults,
    permutation,
    position,
    power,
)
from benchmarks.validity.measured import Experiment, Measured, Repeat, gathered

EXPERIMENTS: Mapping[str, Experiment] = {
    module.EXPERIMENT.name: module.EXPERIMENT
    for module in (permutation, coverage, error, faults, position, blind, agreement, power)
}
_BLOCK = 10
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """Some repeats of one cell."""

    experiment: str
    cell: str
    repeats: tuple[int, ...]


def measure(
    seed: int, *, quick: bool, processes: int, progress: Callable[[int, int, float], None]
) -> dict[str, dict[str, Measured]]:
    """Return the measurements of every experiment by cell; equal seed, equal measurements."""
    blocks = [block for each in EXPERIMENTS.values() for block in _blocks(each, quick)]
    # one thread a process, set before the processes import numpy: sums do not depend on the machine
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    started = time.monotonic()
    found: dict[Block, list[Repeat]] = {}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        waiting: dict[Future[list[Repeat]], Block] = {
            pool.submit(played, seed, block): block for block in blocks
        }
        for done in as_completed(waiting):
            found[waiting[done]] = done.result()
            progress(len(found), len(blocks), time.monotonic() - started)
    return {
        name: {
            cell: gathered(
                [
                    repeat
                    for block in blocks
                    if (block.experiment, block.cell) == (name, cell)
                    for repeat in found[block]
                ]
            )
            for cell in experiment.cells
        }
        for name, experiment in EXPERIMENTS.items()
    }


def played(seed: int, block: Block) -> list[Repeat]:
    """Return the repeats of one block; a repeat's seed depends on its cell and number alone."""
    experiment = EXPERIMENTS[block.experiment]
    cell = crc32(f"{block.experiment}/{block.cell}".encode())
    return [
        experiment.once(block.cell, np.random.default_rng([seed, cell, repeat]))
        for repeat in block.repeats
    ]


def show_progress(done: int, total: int, seconds: float) -> None:
    """Write one line, over the last one, of how far the suite has come."""
    end = "\n" if done == total else ""
    print(f"\r{done} of {total} blocks, {seconds:.0f} s", end=end, file=sys.stderr, flush=True)


def _blocks(experiment: Experiment, quick: bool) -> Sequence[Block]:
    repeats = range(experiment.quick if quick else experiment.repeats)
    return [
        Block(
            experiment=experiment.name,
            cell=cell,
            repeats=tuple(repeats[start : start + _BLOCK]),
        )
        for cell in experiment.cells
        for start in range(0, len(repeats), _BLOCK)
    ]
