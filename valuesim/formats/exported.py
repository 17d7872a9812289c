"""What an export is given, and what it says it wrote."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from valuesim.graph.arms import arms_apart
from valuesim.graph.grouping import Group, grouped
from valuesim.log.pool import Pool
from valuesim.log.reader import DecisionRecord, RunFolder


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """The runs to export, read as one, and how their decisions are grouped.

    `files_for` returns a file for each of some groups, where a format takes a file a group.
    """

    runs: tuple[RunFolder, ...]
    pool: Pool
    by: tuple[str, ...]
    files_for: Callable[[Collection[Group]], Mapping[Group, Path]]

    def groups(self, *more: str) -> dict[Group, list[DecisionRecord]]:
        """Return the decisions by `by` and `more`, and by arm where interventions were made."""
        keys = [*self.by, *(key for key in more if key not in self.by)]
        apart = arms_apart(keys, self.pool.episodes.values())
        return grouped(self.pool.decisions, [*keys, *apart])

    def arms_lost(self) -> tuple[str, ...]:
        """Return a sentence for a format in which arms of interventions are told apart by nothing.

        () where none was made.
        """
        if not arms_apart((), self.pool.episodes.values()):
            return ()
        return ("arms of interventions are pooled in this file; `export choices` tells them apart",)

    @property
    def run_of(self) -> dict[str, str]:
        """The name of the run folder that each episode is read from."""
        return {id: run.path.name for run in reversed(self.runs) for id in run.episodes}


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """The decisions in each file written, and sentences on what they could not hold."""

    files: Mapping[Path, int]
    notes: tuple[str, ...] = field(default=())
