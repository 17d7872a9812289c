"""What the analysing commands share: reading runs, grouping their decisions, naming files."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from valuesim.cli.terminal import clean
from valuesim.graph import Group, grouped
from valuesim.graph.evidence import Evidence, interrupted_by_group, keys_of
from valuesim.graph.grouping import kept_apart
from valuesim.log import decisions_once, find_runs, read_run
from valuesim.log.chosen import CHOSEN, is_adaptive


def read_evidence(paths: Sequence[Path], by: str) -> Evidence:
    """Return the decisions in and below `paths`, grouped by the comma-separated keys `by`.

    What must be known of episodes in several runs is noted on the error stream. Raises InputError
    for a key that is none.
    """
    keys = keys_of(by)
    runs = [read_run(path) for path in find_runs(paths)]
    pool = decisions_once(runs)
    keys = kept_apart(keys, pool.episodes.values())
    for note in pool.notes:
        # each group tells it of itself
        if not note.endswith(CHOSEN):
            print(f"valuesim: note: {clean(note)}", file=sys.stderr)
    groups = grouped(pool.decisions, keys, beside=pool.interrupted)
    interrupted, unplaced = interrupted_by_group(pool.interrupted, keys)
    return Evidence(
        by=keys,
        groups=groups,
        interrupted=interrupted,
        unplaced=unplaced,
        chosen={id for run in runs if is_adaptive(run.config) for id in run.episodes},
    )


def files_for(path: Path, groups: Collection[Group]) -> dict[Group, Path]:
    """Return a file for each group: `path`, with the group's name in it where there are several.

    Groups whose names are alike once cleaned for a file, upper or lower case, are numbered.
    """
    if len(groups) == 1:
        return dict.fromkeys(groups, path)
    files: dict[Group, Path] = {}
    taken: set[str] = set()
    for group in groups:
        name = base = _name(group)
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name.casefold())
        files[group] = path.with_name(f"{path.stem}-{name}{path.suffix}")
    return files


_LONGEST_NAME = 120


def _name(group: Group) -> str:
    name = "-".join(str(label) for label in group.values() if label is not None) or "all"
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name)[:_LONGEST_NAME]
