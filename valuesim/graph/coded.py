"""Choices as columns of numbers: what a million decisions are handed over as.

A row is one choice: which situation it answered, in which cluster, and the place of the option
taken. `coded` makes the columns from evidence; a reader of a columnar file makes them itself.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from valuesim.choices import Choices, Evidence
from valuesim.errors import InputError
from valuesim.option import Option

IntArray = NDArray[np.int64]
Codes = NDArray[np.signedinteger[Any]]
Options = tuple[Option, ...]
Situation = tuple[Options, bool]
"""Options, and whether they stand in the order shown."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CodedChoices:
    """The choices of some decisions as columns, and what was no choice.

    Row n is one choice: `situation[n]` and `cluster[n]` are places in `situations` and `clusters`,
    `position[n]` the place of the option taken, from 0 (whole numbers of any size in memory). Names
    of clusters are all different; situations need not be. `decisions` counts all decisions,
    `faults` those that were no choice, by kind; `unit` says what a cluster is. Raises InputError
    where the columns do not fit.
    """

    situations: tuple[Situation, ...] = ()
    clusters: tuple[str, ...] = ()
    situation: Codes
    cluster: Codes
    position: Codes
    decisions: int
    faults: Mapping[str, int] = field(default_factory=dict)
    unit: str = "episode"

    def __post_init__(self) -> None:
        """Raise InputError where the columns do not fit each other or what they point to."""
        lengths = {len(column) for column in (self.situation, self.cluster, self.position)}
        if len(lengths) > 1:
            raise InputError(
                f"columns of {', '.join(map(str, sorted(lengths)))} rows were given; situation, "
                f"cluster and position have one row a choice"
            )
        if len(set(self.clusters)) < len(self.clusters):
            raise InputError("names of clusters were given twice; each must be named once")
        widths = np.array([len(options) for options, _ in self.situations], dtype=np.int32)
        _within("situation", self.situation, len(widths))
        _within("cluster", self.cluster, len(self.clusters))
        if (
            len(self)
            and (self.position < 0).any() | (self.position >= widths[self.situation]).any()
        ):
            raise InputError("a position is not that of an option offered in its situation")

    def __len__(self) -> int:
        """Return the number of choices."""
        return len(self.position)

    @property
    def fault_rate(self) -> float | None:
        """Faults per decision, in [0, 1]; None without decisions."""
        return sum(self.faults.values()) / self.decisions if self.decisions else None


def coded(choices: Choices | CodedChoices) -> CodedChoices:
    """Return `choices` as columns; what is coded already is returned as it is.

    Two choices are the same situation when their options have the same stakes and the same omission
    mark in the same order, known or unknown.
    """
    if isinstance(choices, CodedChoices):
        return choices
    coding = Coding()
    for evidence in choices.evidence:
        coding.add(evidence)
    return coding.columns(decisions=choices.decisions, faults=choices.faults, unit=choices.unit)


class Coding:
    """Makes columns of evidence as it comes, in twelve bytes a choice."""

    def __init__(self) -> None:
        self._kinds = Kinds()
        self._places: dict[tuple[int, ...], int] = {}
        self._situations: list[Situation] = []
        self._clusters: dict[str, int] = {}
        self._rows = array("i")

    def add(self, evidence: Evidence) -> None:
        """Add one choice."""
        key = (evidence.is_ordered, *map(self._kinds.number, evidence.options))
        place = self._places.setdefault(key, len(self._places))
        if place == len(self._situations):
            self._situations.append((evidence.options, evidence.is_ordered))
        cluster = self._clusters.setdefault(evidence.cluster, len(self._clusters))
        self._rows.extend((place, cluster, evidence.position))

    def columns(self, *, decisions: int, faults: Mapping[str, int], unit: str) -> CodedChoices:
        """Return what was added, in its order, beside what was no choice."""
        rows = np.array(self._rows, dtype=np.int32).reshape(-1, 3)
        return CodedChoices(
            situations=tuple(self._situations),
            clusters=tuple(self._clusters),
            situation=rows[:, 0],
            cluster=rows[:, 1],
            position=rows[:, 2],
            decisions=decisions,
            faults=dict(faults),
            unit=unit,
        )


class Kinds:
    """Numbers options by what an estimate sees of them: stakes and omission."""

    def __init__(self) -> None:
        self.options: list[Option] = []
        """One option of each kind, by number."""
        self._of_kind: dict[object, int] = {}
        # an option object is met again and again; its address is the quickest name of it
        self._of_object: dict[int, tuple[Option, int]] = {}

    def number(self, option: Option) -> int:
        """Return the number of the kind of `option`, a new one where it is met first."""
        known = self._of_object.get(id(option))
        if known is not None:
            return known[1]
        kind = (frozenset(option.stakes.items()), option.is_omission)
        number = self._of_kind.setdefault(kind, len(self._of_kind))
        if number == len(self.options):
            self.options.append(option)
        # the option is kept, so that its address is not given to another
        self._of_object[id(option)] = option, number
        return number


def _within(name: str, column: Codes, size: int) -> None:
    if len(column) and not 0 <= int(column.min()) <= int(column.max()) < size:
        raise InputError(f"a {name} is numbered outside 0 to {size - 1}, the places there are")
