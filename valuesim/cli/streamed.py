"""The evidence of run folders without its records: what is only counted need not be kept."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from valuesim.cli.terminal import clean
from valuesim.graph.counted import Counts, Streamed, check_keys, streamed
from valuesim.graph.evidence import keys_of
from valuesim.graph.grouping import kept_apart
from valuesim.log import find_runs, read_run
from valuesim.log.chosen import CHOSEN
from valuesim.log.pool import unfinished
from valuesim.log.reader import EpisodeRecord
from valuesim.tables.once import DecisionsOnce


def stream_evidence(paths: Sequence[Path], by: str) -> Streamed:
    """Return what `read_evidence` does, in memory that does not hold the records.

    It grows by some 50 bytes a choice (the columns, and where its line stands), 1.6 KiB a distinct
    situation and 6 KiB an episode. What must be known of episodes in several runs is noted on
    the error stream. Raises as `read_evidence`.
    """
    folders = find_runs(paths)
    runs = {folder: read_run(folder) for folder in folders}
    finished: dict[str, EpisodeRecord] = {}
    for run in runs.values():
        finished = {**run.episodes, **finished}
    keys = kept_apart(keys_of(by), finished.values())
    lost = unfinished(runs.values(), finished)
    check_keys(keys, finished.values(), lost)
    once = DecisionsOnce(folders, runs.__getitem__)
    counts = Counts(keys)
    for _, records in once.by_run():
        counts.add(records)
    for note in once.notes:
        # each group tells it of itself
        if not note.endswith(CHOSEN):
            print(f"valuesim: note: {clean(note)}", file=sys.stderr)
    return streamed(counts, keys, lost, runs.values())
