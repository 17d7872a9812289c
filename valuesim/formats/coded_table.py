"""A table of choices straight into columns of numbers, so that a million rows rank in seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from valuesim.decision import Fault
from valuesim.errors import InputError
from valuesim.formats.choice_columns import situation_of
from valuesim.formats.parquet import Coded
from valuesim.formats.table_codes import (
    CHAIN,
    LABELS,
    SCENE,
    IntArray,
    keyed,
    number_of,
    player_of,
    table_codes,
)
from valuesim.graph.coded import CodedChoices
from valuesim.graph.grouping import Group, grouped, kept_apart
from valuesim.log.reader import EpisodeRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class CodedTable:
    """A table of choices: its choices by group, without a record of each.

    `by` holds the keys of the groups, in order of appearance. `episodes` holds, for each group, an
    episode for each player and each set of factors in it; their ids are empty. Without a row, both
    are empty. `notes` are sentences on what the table does not say.
    """

    by: tuple[str, ...]
    groups: Mapping[Group, CodedChoices]
    episodes: Mapping[Group, tuple[EpisodeRecord, ...]]
    notes: tuple[str, ...] = ()


def read_coded(path: Path, by: Sequence[str] = ("agent", "model")) -> dict[Group, CodedChoices]:
    """Return the choices in the table at `path` by the keys `by`, groups in order of appearance.

    They are those of `choices(read_choices(path).records)`, grouped as `valuesim graph --by` does,
    without a record being made; a cluster that the table names is taken as it is, and `chosen` is
    not looked at. A Parquet file is read column by column, any other row by row. Raises InputError
    for a table that cannot be read, lacks a column, holds what is no choice or one twice, and for a
    key that is none.
    """
    return dict(read_coded_table(path, by).groups)


def read_coded_table(path: Path, by: Sequence[str] = ("agent", "model")) -> CodedTable:
    """Return the table at `path` as `read_coded` does, with who played and under what."""
    codes, notes = table_codes(path)
    rows = keyed([codes[name][0] for name in LABELS])
    _, first, kind = np.unique(rows, return_index=True, return_inverse=True)
    players = [player_of(path, codes, int(row)) for row in first]
    keys = kept_apart(by, [player.episode for player in players])
    groups = grouped([players[place] for place in np.argsort(first)], keys)
    number = {id(player): n for n, own in enumerate(groups.values()) for player in own}
    parts = _parts(np.array([number[id(player)] for player in players], dtype=np.int64), kind)
    columns = _Columns(path, codes)
    found = {group: columns.choices(part) for group, part in zip(groups, parts, strict=True)}
    episodes = {group: tuple(player.episode for player in own) for group, own in groups.items()}
    return CodedTable(by=keys, groups=found, episodes=episodes, notes=notes)


def _parts(number: IntArray, kind: IntArray) -> list[IntArray | None]:
    """Return the rows of each group, `number` saying which each kind is in; None for all rows."""
    size = int(number.max(initial=-1)) + 1
    if size < 2:
        return [None] * size
    of_row = number[kind]
    order = np.argsort(of_row, kind="stable")
    return list(np.split(order, np.searchsorted(of_row[order], np.arange(1, size))))


class _Columns:
    """The evidence of a table, of which some rows are asked for."""

    def __init__(self, path: Path, codes: dict[str, Coded]) -> None:
        self._path = path
        self._codes = codes
        try:
            self._options = [situation_of(str(text)) for text in codes["situation"][1]]
        except ValueError as error:
            raise InputError(f"{path}: {error}") from None
        positions = codes["position"]
        numbers = [number_of(path, "position", cell) for cell in positions[1]]
        self._position = np.array([*numbers, -1], dtype=np.int64)[positions[0]]
        fault = codes["fault"][0]
        if ((self._position < 0) == (fault < 0)).any():
            raise InputError(f"{path} has a row with neither a position nor a fault, or with both")
        widths = np.array([len(options) for options in self._options], dtype=np.int64)
        beyond = np.flatnonzero(self._position >= widths[codes["situation"][0]])
        if len(beyond):
            row = beyond[0]
            width = widths[codes["situation"][0][row]]
            raise InputError(
                f"{path}: position {self._position[row]} in row {row + 1:,} is not that of one of "
                f"{width} options"
            )
        self._faults = [Fault(name) for name in codes["fault"][1] if _is_fault(path, name)]

    def choices(self, rows: IntArray | None) -> CodedChoices:
        """Return the choices of `rows`, all if None."""
        part: Any = slice(None) if rows is None else rows
        position, fault = self._position[part], self._codes["fault"][0][part]
        chosen = np.flatnonzero(position >= 0)
        ordered, words = self._codes["ordered"]
        is_unknown = np.array([word is False for word in words] + [False])[ordered[part]][chosen]
        situation = self._codes["situation"][0][part][chosen]
        both, place = np.unique(2 * situation + ~is_unknown, return_inverse=True)
        used, cluster = np.unique(self._codes["cluster"][0][part][chosen], return_inverse=True)
        counts = np.bincount(fault[fault >= 0], minlength=len(self._faults))
        names = self._codes["cluster"][1]
        return CodedChoices(
            situations=tuple((self._options[each // 2], bool(each % 2)) for each in both),
            clusters=tuple(str(names[each]) for each in used),
            situation=place.astype(np.int64),
            cluster=cluster.astype(np.int64),
            position=position[chosen],
            decisions=len(position),
            faults={str(f): int(n) for f, n in zip(self._faults, counts, strict=True) if n},
            unit=self._unit(part, chosen, cluster),
        )

    def _unit(self, part: Any, chosen: IntArray, cluster: IntArray) -> str:
        """Return what clusters are, as `Choices.unit`: a world of several episodes is a seed."""
        unit, names = self._codes["unit"]
        own_unit = unit[part][chosen]
        is_named = np.array([name in (SCENE, CHAIN) for name in names] + [False])[own_unit]
        units = {str(names[each]) for each in np.unique(own_unit[is_named])}
        if not is_named.all():
            own = cluster[~is_named]
            episodes = self._codes["episode"][0][part][chosen][~is_named]
            width = int(episodes.max()) + 1
            played = np.bincount(np.unique(own * width + episodes) // width)
            units |= {"seed" if times > 1 else "episode" for times in np.unique(played[played > 0])}
        return units.pop() if len(units) == 1 else "cluster" if units else "episode"


def _is_fault(path: Path, name: object) -> bool:
    if name not in set(Fault):
        raise InputError(f"{path}: {name!r:.60} is no fault; faults: {', '.join(Fault)}")
    return True
