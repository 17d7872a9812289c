"""A table of choices straight into columns of numbers, so that a million rows rank in seconds."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from valuesim.graph.grouping import Group, grouped, kept_apart
from valuesim.log.reader import DecisionRecord, EpisodeRecord

_LABELS = ("env", "role", "agent", "model", "elicitation", "condition")
_EVIDENCE = ("cluster", "unit", "ordered", "situation", "position", "fault")
_BESIDE = ("episode", "step", "scene", "seed")
_FILLED = ("env", "episode", "step", "role", "agent", "cluster", "unit", "situation")
_SCENE, _EPISODE = "scene", "episode"

IntArray = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class CodedTable:
    """A table of choices: its choices by group, without a record of each.

    `by` holds the keys of the groups, in order of appearance. `episodes` holds, for each group, an
    episode for each player and each set of factors in it; their ids are empty. Without a row, both
    are empty.
    """

    by: tuple[str, ...]
    groups: Mapping[Group, CodedChoices]
    episodes: Mapping[Group, tuple[EpisodeRecord, ...]]


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
    codes = _codes(path)
    rows = _keyed([codes[name][0] for name in _LABELS])
    _, first, kind = np.unique(rows, return_index=True, return_inverse=True)
    players = [_player(path, codes, int(row)) for row in first]
    keys = kept_apart(by, [player.episode for player in players])
    groups = grouped([players[place] for place in np.argsort(first)], keys)
    number = {id(player): n for n, own in enumerate(groups.values()) for player in own}
    parts = _parts(np.array([number[id(player)] for player in players], dtype=np.int64), kind)
    columns = _Columns(path, codes)
    found = {group: columns.choices(part) for group, part in zip(groups, parts, strict=True)}
    episodes = {group: tuple(player.episode for player in own) for group, own in groups.items()}
    return CodedTable(by=keys, groups=found, episodes=episodes)


def _parts(number: IntArray, kind: IntArray) -> list[IntArray | None]:
    """Return the rows of each group, `number` saying which each kind is in; None for all rows."""
    size = int(number.max(initial=-1)) + 1
    if size < 2:
        return [None] * size
    of_row = number[kind]
    order = np.argsort(of_row, kind="stable")
    return list(np.split(order, np.searchsorted(of_row[order], np.arange(1, size))))


def _codes(path: Path) -> dict[str, Coded]:
    wanted = (*_BESIDE, *_LABELS, *_EVIDENCE)
    if path.suffix.lower() == ".parquet":
        codes = _of_parquet(path, wanted)
    else:
        codes = _of_rows(path, wanted)
    if _is_empty(codes["cluster"]):
        codes["cluster"] = _clusters(path, codes)
    if _is_empty(codes["unit"]):
        is_scene = codes["scene"][0] >= 0
        codes["unit"] = np.where(is_scene, 0, 1).astype(np.int64), [_SCENE, _EPISODE]
    for name in _FILLED:
        empty = np.flatnonzero(codes[name][0] < 0)
        if len(empty):
            raise InputError(f"{path}: {name} is empty in row {empty[0] + 1:,}")
    _check_once(path, codes)
    return codes


def _of_parquet(path: Path, wanted: Sequence[str]) -> dict[str, Coded]:
    there = set(parquet_columns(path))
    if missing := [name for name in NEEDED if name not in there]:
        raise InputError(
            f"{path} lacks the column {missing[0]!r} of choices; needed: {', '.join(NEEDED)}"
        )
    found = parquet_codes(path, [n for n in wanted if n in there], unnamed=("episode", "step"))
    nothing = np.full(len(found["episode"][0]), -1, dtype=np.int64)
    return {name: found.get(name, (nothing, [])) for name in wanted}


def _of_rows(path: Path, wanted: Sequence[str]) -> dict[str, Coded]:
    codes = {name: array("q") for name in wanted}
    places: dict[str, dict[Any, int]] = {name: {} for name in wanted}
    for _, row in choice_rows(path):
        for name, column in codes.items():
            cell, known = row[name], places[name]
            column.append(-1 if cell is None else known.setdefault(cell, len(known)))
    return {
        name: (np.array(column, dtype=np.int64), list(places[name]))
        for name, column in codes.items()
    }


def _is_empty(column: Coded) -> bool:
    return bool((column[0] < 0).all())


def _clusters(path: Path, codes: Mapping[str, Coded]) -> Coded:
    """Return the clusters that `choices.cluster_of` gives: scenes, else worlds of episodes."""
    env, scene = codes["env"][0], codes["scene"][0]
    is_scene = scene >= 0
    world = [np.where(is_scene, -1, codes[name][0]) for name in ("condition", "seed")]
    rows = _keyed([env, scene, *world])
    _, first, place = np.unique(rows, return_index=True, return_inverse=True)
    names: dict[str, int] = {}
    own = [names.setdefault(_cluster(path, codes, int(row)), len(names)) for row in first]
    return np.array(own, dtype=np.int64)[place], list(names)


def _cluster(path: Path, codes: Mapping[str, Coded], row: int) -> str:
    record = _player(path, codes, row)
    scene = _content(codes["scene"], row)
    return record.episode.world if scene is None else f"{record.episode.env}/{scene}"


def _check_once(path: Path, codes: Mapping[str, Coded]) -> None:
    """Raise InputError where an agent decided twice at one step of an episode."""
    key = _keyed([codes[name][0] for name in ("episode", "role", "step")])
    if len(key) and int(key.max()) + 1 < len(key):
        again = np.ones(len(key), dtype=bool)
        again[np.unique(key, return_index=True)[1]] = False
        row = int(np.flatnonzero(again)[0])
        role = codes["role"][1][codes["role"][0][row]]
        raise InputError(f"{path}: row {row + 1:,} repeats what {role} decided at that step")


def _keyed(columns: Sequence[IntArray]) -> IntArray:
    """Return one number for each distinct row of `columns`, from 0 without a gap."""
    key = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        if len(column) and column.min() < column.max():
            key = key * (int(column.max()) + 2) + column + 1
            key = np.unique(key, return_inverse=True)[1]
    return key


def _player(path: Path, codes: Mapping[str, Coded], row: int) -> DecisionRecord:
    """Return a decision of nothing: who played, in which world, as a row says."""
    cell = {name: _content(codes[name], row) for name in (*_LABELS, "seed")}
    model = None if cell["model"] is None else {"name": cell["model"]}
    role, seed = str(cell["role"]), _number(path, "seed", cell["seed"])
    episode = EpisodeRecord(
        id="",
        env=str(cell["env"]),
        condition=_settings(path, "condition", cell["condition"]),
        population={role: Player(agent=str(cell["agent"]), model=model)},
        elicitation=_settings(path, "elicitation", cell["elicitation"]),
        seed=max(seed, 0),
        steps=0,
        outcome={},
        measures={},
        decisions=0,
        faults={},
        usage={},
    )
    return DecisionRecord(episode=episode, step=0, role=role, options=(), chosen=None)


def _content(column: Coded, row: int) -> Any:
    code = int(column[0][row])
    return None if code < 0 else column[1][code]


def _settings(path: Path, name: str, text: Any) -> dict[str, Any]:
    try:
        found = orjson.loads(text or "{}")
    except (orjson.JSONDecodeError, TypeError) as error:
        raise InputError(f"{path}: {name}={text!r:.60} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise InputError(f"{path}: {name}={text!r:.60} is not a JSON object")
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
        numbers = [_number(path, "position", cell) for cell in positions[1]]
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
        is_scene = np.array([name == _SCENE for name in names] + [False])[unit[part]][chosen]
        units = {_SCENE} if is_scene.any() else set()
        if not is_scene.all():
            own = cluster[~is_scene]
            episodes = self._codes["episode"][0][part][chosen][~is_scene]
            width = int(episodes.max()) + 1
            played = np.bincount(np.unique(own * width + episodes) // width)
            units |= {"seed" if times > 1 else "episode" for times in np.unique(played[played > 0])}
        return units.pop() if len(units) == 1 else "cluster" if units else "episode"


def _number(path: Path, name: str, cell: Any) -> int:
    """Return a cell as a whole number from 0; -1 for none, and for nan, which pandas writes."""
    if cell is None or cell != cell:
        return -1
    is_number = isinstance(cell, int | float) and not isinstance(cell, bool)
    if not is_number or cell < 0 or (isinstance(cell, float) and not cell.is_integer()):
        raise InputError(f"{path}: {name}={cell!r:.40} is not a whole number from 0")
    return int(cell)


def _is_fault(path: Path, name: object) -> bool:
    if name not in set(Fault):
        raise InputError(f"{path}: {name!r:.60} is no fault; faults: {', '.join(Fault)}")
    return True
