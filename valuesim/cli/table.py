"""A table of choices as evidence: what `valuesim graph` ranks without a run folder being made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from valuesim.cli.evidence import keys_of, pooled
from valuesim.errors import InputError
from valuesim.formats.catalogue import IMPORTS
from valuesim.formats.coded_table import CodedTable, read_coded_table
from valuesim.graph import Group
from valuesim.graph.coded import CodedChoices
from valuesim.log import DecisionRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class TableEvidence:
    """The choices of a table by group; it has no episode that was never finished, and no record.

    It says what `evidence.Evidence` does.
    """

    path: Path
    table: CodedTable
    interrupted: Mapping[Group, Mapping[str, int]] = field(default_factory=dict)
    unplaced: Mapping[str, int] = field(default_factory=dict)
    why_unplaced: str | None = None

    @property
    def all_groups(self) -> list[Group]:
        """Every group with a decision."""
        return list(self.table.groups)

    def choices(self, group: Group) -> CodedChoices:
        """Return the evidence in the rows of `group`."""
        return self.table.groups[group]

    def records(self, group: Group) -> Sequence[DecisionRecord]:
        """Return nothing: no record is made of a row."""
        return ()

    def notes(self, group: Group) -> list[str]:
        """Return a sentence for each factor that is pooled within `group`, and on the table."""
        return [*pooled(self.table.by, self.table.episodes[group]), *self.table.notes]

    def interruptions(self, group: Group) -> str | None:
        """Return None: a table holds finished episodes only."""
        return None

    @property
    def why_nothing(self) -> str | None:
        """Why there is no decision to analyse, or None if there is one."""
        return None if self.table.groups else f"{self.path} has no row"


def is_table(path: Path) -> bool:
    """Return whether `path` is named like a table of choices, and is no folder."""
    return path.suffix.lower() in IMPORTS["choices"].suffixes and not path.is_dir()


def read_table(paths: Sequence[Path], by: str) -> TableEvidence:
    """Return the choices of the one table in `paths`, grouped by the comma-separated keys `by`.

    Raises InputError where there is another path beside it, for what is no table of choices, and
    for a key that is none.
    """
    path = next(filter(is_table, paths))
    if len(paths) > 1:
        raise InputError(
            f"{path} is a table, which is read alone; `valuesim import choices {path} --out RUN` "
            "makes a run folder of it, of which several are read together"
        )
    keys = keys_of(by)
    try:
        return TableEvidence(path=path, table=read_coded_table(path, keys))
    except InputError as error:
        raise InputError(
            f"{error} (read as a table of choices; `valuesim import` reads other tools' files)"
        ) from None
