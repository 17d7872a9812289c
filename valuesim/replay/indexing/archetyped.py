"""The archetypes of a run's episodes: those that were kept, or worked out in a process of its own.

It takes long and much memory, which an answer to a page must not wait for.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import orjson

from valuesim.archetypes.behaviour import observe
from valuesim.archetypes.catalogue import load_catalogue
from valuesim.archetypes.report import judge_behaviour
from valuesim.archetypes.verdict import UNDETERMINED
from valuesim.errors import ValueSimError
from valuesim.graph.grouping import grouped, kept_apart
from valuesim.log.reader import DecisionRecord, RunFolder, read_run
from valuesim.log.whole import whole
from valuesim.replay.indexing.index import FOLDER
from valuesim.tables.derived import state_of

MOST = 100_000
"""A run with more decisions than these is not read for its archetypes: they would fill memory."""
NAME = f"{FOLDER}/archetypes.json"
"""Where the archetypes stand in a run folder."""
_NICE = 10

Named = dict[str, list[str]]
"""Archetype -> the episodes whose group has it; all others are undetermined."""


def kept(run: Path) -> Named | None:
    """Return what was worked out for this state of the log and this rule; None where none was."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        told = orjson.loads((run / NAME).read_bytes())
        key = _key(run)
        if {name: told[name] for name in key} == key:
            return {str(name): list(map(str, each)) for name, each in told["episodes"].items()}
    return None


def worked_out(run: Path) -> Named:
    """Return the archetypes of the episodes of `run`, and keep them in it where that can be done.

    Raises LogError where the run cannot be read.
    """
    key = _key(run)
    found = judged(read_run(run))
    path = run / NAME
    with suppress(OSError, ValueSimError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as draft:
            draft.write_bytes(orjson.dumps(key | {"episodes": found}))
    return found


def judged(run: RunFolder) -> Named:
    """Return the archetypes of the episodes of `run` that one player plays alone."""
    keys = kept_apart(("agent", "model"), run.episodes.values())
    groups = grouped(_short(run), keys)
    members = {group: {r.episode.id for r in records} for group, records in groups.items()}
    times = Counter(id for each in members.values() for id in each)
    catalogue = load_catalogue()
    found: Named = {}
    for group, records in groups.items():
        archetype = judge_behaviour(records, observe(records), catalogue).archetype
        alone = sorted(id for id in members[group] if times[id] == 1)
        if archetype != UNDETERMINED and alone:
            found.setdefault(archetype, []).extend(alone)
    return found


def _short(run: RunFolder) -> Iterator[DecisionRecord]:
    """Yield the decisions without what nobody looks at here, which is most of their memory."""
    for record in run.decisions():
        yield replace(record, text="", view={}, reply="", rationale=None, tries=(), added=())


def _key(run: Path) -> dict[str, object]:
    rule = load_catalogue().rule.version
    return {"schema": 1, "state": state_of(run).decode(), "rule_version": rule}


def main() -> int:
    """Work out the archetypes of the run folder that is named, and print them as JSON."""
    with suppress(OSError, AttributeError):
        os.nice(_NICE)
    sys.stdout.buffer.write(orjson.dumps(worked_out(Path(sys.argv[1]))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
