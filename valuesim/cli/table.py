"""A table of choices as evidence: what `valuesim graph` ranks without a run folder being made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from valuesim.errors import InputError, LogError
from valuesim.formats.catalogue import IMPORTS
from valuesim.formats.coded_table import CodedTable, read_coded_table
from valuesim.formats.data_set import is_data_set
from valuesim.graph import Group
from valuesim.graph.coded import CodedChoices
from valuesim.graph.evidence import keys_of, pooled
from valuesim.log import DecisionRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class TableEvidence:
    """The choices of a table by group; it has no episode that was never finished, and no record.

    It says what `evidence.Evidence` does.
    """

    paths: tuple[Path, ...]
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
        if self.table.groups:
            return None
        verb = "has" if len(self.paths) == 1 else "have"
        return f"{', '.join(map(str, self.paths))} {verb} no row"


def is_table(path: Path) -> bool:
    """Return whether `path` is named like a table of choices, or is the folder of a data set.

    Raises LogError for a folder that is neither a run folder, nor above some, nor a data set.
    """
    if not path.is_dir():
        return path.suffix.lower() in IMPORTS["choices"].suffixes
    if next(path.rglob("run.yaml"), None) is not None:
        return False
    if is_data_set(path):
        return True
    raise LogError(
        f"{path} is not a run folder and holds none: there is no run.yaml in it; nor is it a data "
        "set of choices: there is no .parquet file in or below it"
    )


def read_table(paths: Sequence[Path], by: str) -> TableEvidence:
    """Return the choices of the tables in `paths`, read as one, by the comma-separated keys `by`.

    Raises InputError where there is a run folder beside them, for what is no table of choices, and
    for a key that is none.
    """
    table = next(filter(is_table, paths))
    other = next((path for path in paths if not is_table(path)), None)
    if other is not None:
        raise InputError(
            f"{table} is a table and {other} is none, and both are not read together; `valuesim "
            f"import choices {table} --out RUN` makes a run folder of a table, `valuesim export "
            "choices` a table of run folders"
        )
    keys = keys_of(by)
    try:
        return TableEvidence(paths=tuple(paths), table=read_coded_table(paths, keys))
    except InputError as error:
        raise InputError(
            f"{error} (read as a table of choices; `valuesim import` reads other tools' files)"
        ) from None
