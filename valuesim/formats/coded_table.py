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
from valuesim.formats.parquet import Coded, Codes
from valuesim.formats.table_codes import (
    CHAIN,
    LABELS,
    SCENE,
    IntArray,
    TableFiles,
    firsts,
    keyed,
    number_of,
    player_of,
    present,
    table_codes,
)
from valuesim.graph.coded import CodedChoices
from valuesim.graph.grouping import Group, grouped, kept_apart
from valuesim.log.reader import EpisodeRecord

Paths = Path | Sequence[Path]
_FAR = 2**15 - 1


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


def read_coded(path: Paths, by: Sequence[str] = ("agent", "model")) -> dict[Group, CodedChoices]:
    """Return the choices in the table at `path` by the keys `by`, groups in order of appearance.

    They are those of `choices(read_choices(path).records)`, grouped as `valuesim graph --by` does,
    without a record being made; a cluster that the table names is taken as it is, and `chosen` is
    not looked at. Several paths are one table; a folder is a partitioned data set. Parquet is read
    column by column, any other file row by row. Raises InputError for a table that cannot be read,
    lacks a column, holds what is no choice or one twice, and for a key that is none.
    """
    return dict(read_coded_table(path, by).groups)


def read_coded_table(path: Paths, by: Sequence[str] = ("agent", "model")) -> CodedTable:
    """Return the table at `path` as `read_coded` does, with who played and under what."""
    files, codes, notes = table_codes([path] if isinstance(path, Path) else path)
    kind = keyed([codes[name][0] for name in LABELS])
    first = firsts(kind)
    players = [player_of(files.path, codes, int(row)) for row in first]
    keys = kept_apart(by, [player.episode for player in players])
    groups = grouped([players[place] for place in np.argsort(first)], keys)
    number = {id(player): n for n, own in enumerate(groups.values()) for player in own}
    of_kind = np.array([number[id(player)] for player in players], dtype=np.int32)
    columns = _Columns(files, codes)
    found = {}
    for place, group in enumerate(groups):
        is_alone = len(groups) == 1
        rows = None if is_alone else np.flatnonzero((of_kind == place)[kind]).astype(np.int32)
        found[group] = columns.choices(rows)
    episodes = {group: tuple(player.episode for player in own) for group, own in groups.items()}
    return CodedTable(by=keys, groups=found, episodes=episodes, notes=notes)


class _Columns:
    """The evidence of a table, of which some rows are asked for."""

    def __init__(self, files: TableFiles, codes: dict[str, Coded]) -> None:
        self._codes = codes
        path = files.path
        try:
            self._options = [situation_of(str(text)) for text in codes["situation"][1]]
        except ValueError as error:
            raise InputError(f"{path}: {error}") from None
        numbers = [number_of(path, "position", cell) for cell in codes["position"][1]]
        short = [min(number, _FAR) for number in numbers]
        self._position = np.array([*short, -1], dtype=np.int16)[codes["position"][0]]
        if ((self._position < 0) == (codes["fault"][0] < 0)).any():
            raise InputError(f"{path} has a row with neither a position nor a fault, or with both")
        widths = np.array([len(options) for options in self._options], dtype=np.int16)
        beyond = np.flatnonzero(self._position >= widths[codes["situation"][0]])
        if len(beyond):
            place, row = files.place(int(beyond[0]))
            width = widths[codes["situation"][0][beyond[0]]]
            raise InputError(
                f"{place}: position {numbers[codes['position'][0][beyond[0]]]} in row {row:,} is "
                f"not that of one of {width} options"
            )
        self._faults = [Fault(name) for name in codes["fault"][1] if _is_fault(path, name)]

    def choices(self, rows: Codes | None) -> CodedChoices:
        """Return the choices of `rows`, all if None."""
        part: Any = slice(None) if rows is None else rows
        fault = self._codes["fault"][0][part]
        counts = np.bincount(fault[fault >= 0], minlength=len(self._faults))
        is_choice = self._position[part] >= 0
        chosen = np.flatnonzero(is_choice) if rows is None else rows[is_choice]
        ordered, words = self._codes["ordered"]
        is_known = np.array([word is not False for word in words] + [True])[ordered[chosen]]
        situation = 2 * self._codes["situation"][0][chosen].astype(np.int32) + is_known
        both, place = present(situation, 2 * len(self._options))
        used, cluster = present(self._codes["cluster"][0][chosen], len(self._codes["cluster"][1]))
        names = self._codes["cluster"][1]
        return CodedChoices(
            situations=tuple((self._options[each // 2], bool(each % 2)) for each in both),
            clusters=tuple(str(names[each]) for each in used),
            situation=place,
            cluster=cluster,
            position=self._position[chosen],
            decisions=len(fault),
            faults={str(f): int(n) for f, n in zip(self._faults, counts, strict=True) if n},
            unit=self._unit(chosen, cluster),
        )

    def _unit(self, chosen: IntArray, cluster: Codes) -> str:
        """Return what clusters are, as `Choices.unit`: a world of several episodes is a seed."""
        unit, names = self._codes["unit"]
        is_named = np.array([name in (SCENE, CHAIN) for name in names] + [False])[unit[chosen]]
        occurring, _ = present(unit[chosen[is_named]], len(names))
        units = {str(names[each]) for each in occurring}
        if not is_named.all():
            own, episodes = cluster[~is_named], self._codes["episode"][0][chosen[~is_named]]
            # an episode of each world; a world is a seed where any row is of another
            one = np.full(int(own.max()) + 1, -1, dtype=np.int32)
            one[own] = episodes
            is_seed = np.zeros(len(one), dtype=bool)
            is_seed[own[episodes != one[own]]] = True
            units |= {"seed" if each else "episode" for each in np.unique(is_seed[one >= 0])}
        return units.pop() if len(units) == 1 else "cluster" if units else "episode"


def _is_fault(path: Path, name: object) -> bool:
    if name not in set(Fault):
        raise InputError(f"{path}: {name!r:.60} is no fault; faults: {', '.join(Fault)}")
    return True
