"""A table of choices straight into columns of numbers, so that a million rows rank in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from valuesim.decision import Fault
from valuesim.episode import Player
from valuesim.errors import InputError
from valuesim.formats.choice_columns import NEEDED, situation_of
from valuesim.formats.choice_table import choice_rows
from valuesim.formats.parquet import Coded, parquet_codes, parquet_columns
from valuesim.graph.coded import CodedChoices
from valuesim.graph.grouping import Group, group_of, kept_apart
from valuesim.log.reader import EpisodeRecord

_LABELS = ("env", "role", "agent", "model", "elicitation", "condition")
_EVIDENCE = ("cluster", "unit", "ordered", "situation", "position", "fault")
_FILLED = ("env", "episode", "role", "agent", "cluster", "unit", "situation")
_SCENE = "scene"

IntArray = NDArray[np.int64]


def read_coded(path: Path, by: Sequence[str] = ("agent", "model")) -> dict[Group, CodedChoices]:
    """Return the choices in the table at `path` by the keys `by`, groups in order of appearance.

    They are those of `choices(read_choices(path).records)`, grouped as `valuesim graph --by` does,
    without a record being made. A Parquet file is read column by column, any other row by row.
    Raises InputError for a table that cannot be read, lacks a column, or holds what is no choice.
    """
    codes = _codes(path)
    rows = _keyed([codes[name][0] for name in _LABELS])
    kinds, first, kind = np.unique(rows, return_index=True, return_inverse=True)
    players = [_episode(codes, int(row)) for row in first]
    keys = kept_apart(by, players)
    groups = [group_of(each, next(iter(each.population)), keys) for each in players]
    places: dict[Group, list[int]] = {}
    for place in np.argsort(first):
        places.setdefault(groups[place], []).append(int(place))
    columns = _Columns(path, codes)
    whole = len(places) == 1
    return {
        group: columns.choices(None if whole else np.flatnonzero(np.isin(kind, own)))
        for group, own in places.items()
        if len(kinds)
    }


def _codes(path: Path) -> dict[str, Coded]:
    wanted = ("episode", *_LABELS, *_EVIDENCE)
    if path.suffix.lower() == ".parquet":
        found = set(parquet_columns(path))
        if missing := [name for name in (*NEEDED, *wanted) if name not in found]:
            raise InputError(f"{path} lacks the column {missing[0]!r} of choices")
        return _checked(path, parquet_codes(path, wanted, unnamed=("episode",)))
    cells: dict[str, list[Any]] = {name: [] for name in wanted}
    for _, row in choice_rows(path):
        for name, column in cells.items():
            column.append(row[name])
    return _checked(path, {name: _coded(column) for name, column in cells.items()})


def _checked(path: Path, codes: dict[str, Coded]) -> dict[str, Coded]:
    for name in _FILLED:
        empty = np.flatnonzero(codes[name][0] < 0)
        if len(empty):
            raise InputError(f"{path}: {name} is empty in row {empty[0] + 1:,}")
    return codes


def _coded(column: Sequence[Any]) -> Coded:
    places: dict[Any, int] = {}
    codes = [-1 if c is None else places.setdefault(c, len(places)) for c in column]
    return np.array(codes, dtype=np.int64), list(places)


def _keyed(columns: Sequence[IntArray]) -> IntArray:
    """Return one number for each distinct row of `columns`."""
    key = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        key = key * (int(column.max(initial=-1)) + 2) + column + 1
        key = np.unique(key, return_inverse=True)[1]
    return key


def _episode(codes: dict[str, Coded], row: int) -> EpisodeRecord:
    """Return an episode with the player, condition and settings of a row."""
    cell = {name: _content(codes[name], row) for name in _LABELS}
    model = None if cell["model"] is None else {"name": cell["model"]}
    return EpisodeRecord(
        id="",
        env=str(cell["env"]),
        condition=_settings(cell["condition"]),
        population={str(cell["role"]): Player(agent=str(cell["agent"]), model=model)},
        elicitation=_settings(cell["elicitation"]),
        seed=0,
        steps=0,
        outcome={},
        measures={},
        decisions=0,
        faults={},
        usage={},
    )


def _content(column: Coded, row: int) -> Any:
    code = int(column[0][row])
    return None if code < 0 else column[1][code]


def _settings(text: Any) -> dict[str, Any]:
    try:
        found = orjson.loads(text or "{}")
    except orjson.JSONDecodeError as error:
        raise InputError(f"a condition or elicitation is not JSON: {error.msg}") from None
    if not isinstance(found, dict):
        raise InputError(f"{text!r:.60} is not a JSON object")
    return found


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
        self._position = _numbers(positions)
        fault = codes["fault"][0]
        if ((self._position < 0) == (fault < 0)).any():
            raise InputError(f"{path} has a row with neither a position nor a fault, or with both")
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
        is_scene = np.array([name == _SCENE for name in names] + [False])[unit[part]][chosen]
        units = {_SCENE} if is_scene.any() else set()
        if not is_scene.all():
            own = cluster[~is_scene]
            episodes = self._codes["episode"][0][part][chosen][~is_scene]
            pairs = np.unique(np.stack([own, episodes]), axis=1)
            played = np.bincount(pairs[0])[np.unique(own)]
            units |= {"seed" if times > 1 else "episode" for times in np.unique(played).tolist()}
        return units.pop() if len(units) == 1 else "cluster" if units else "episode"


def _numbers(column: Coded) -> IntArray:
    """Return a column of whole numbers as such; -1 where there is none."""
    contents = np.array([-1 if c is None else int(c) for c in column[1]] + [-1], dtype=np.int64)
    return np.asarray(contents[column[0]])


def _is_fault(path: Path, name: object) -> bool:
    if name not in set(Fault):
        raise InputError(f"{path}: {name!r:.60} is no fault; faults: {', '.join(Fault)}")
    return True
