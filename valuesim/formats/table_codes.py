"""The columns of a table of choices as codes, what they lack filled in as an import would."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from valuesim.episode import Player
from valuesim.errors import InputError
from valuesim.formats.choice_columns import BY_EPISODE, NEEDED, own_seed, players_parameters
from valuesim.formats.choice_table import choice_rows
from valuesim.formats.data_set import parts_of
from valuesim.formats.parquet import Coded, Part, parquet_codes, parquet_columns, parquet_length
from valuesim.log.reader import DecisionRecord, EpisodeRecord

LABELS = ("env", "role", "agent", "model", "interventions", "elicitation", "condition")
"""The columns that say who decided, and under what."""
SCENE, CHAIN, _EPISODE = "scene", "chain", "episode"
_EVIDENCE = ("cluster", "unit", "ordered", "situation", "position", "fault")
_BESIDE = ("episode", "step", "scene", "seed")
_FILLED = ("env", "episode", "step", "role", "agent", "cluster", "unit", "situation")
_WANTED = (*_BESIDE, *LABELS, *_EVIDENCE)
_UNNAMED = ("episode", "step")
_DENSE = 2**22

IntArray = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class TableFiles:
    """The files that are one table, in their order, and where the rows of each end."""

    parts: tuple[Part, ...]
    ends: tuple[int, ...]

    @property
    def path(self) -> Path:
        """The first of them, for what is wrong with no row of its own."""
        return self.parts[0].path

    def place(self, row: int) -> tuple[Path, int]:
        """Return the file that a row, from 0, stands in, and its number there, from 1."""
        file = int(np.searchsorted(self.ends, row, side="right"))
        return self.parts[file].path, row + 1 - (self.ends[file - 1] if file else 0)


def table_codes(paths: Sequence[Path]) -> tuple[TableFiles, dict[str, Coded], tuple[str, ...]]:
    """Return the table in `paths`: its files, its columns by name, and what had to be filled in.

    A path is a file, or the folder of a data set; all together are one table. Raises InputError for
    what cannot be read, lacks a column, has an empty cell where one must be filled, or says twice
    what an agent decided.
    """
    parts = [p for path in paths for p in (parts_of(path) if path.is_dir() else [Part(path=path)])]
    if all(part.path.suffix.lower() == ".parquet" for part in parts):
        files, codes = _of_parquet(parts)
    else:
        files, codes = _of_rows(parts)
    notes: tuple[str, ...] = ()
    if _is_empty(codes["cluster"]):
        notes = _seed_episodes(files, codes)
        codes["cluster"] = _clusters(files.path, codes)
    if _is_empty(codes["unit"]):
        is_scene = codes["scene"][0] >= 0
        codes["unit"] = np.where(is_scene, 0, 1).astype(np.int8), [SCENE, _EPISODE]
    for name in _FILLED:
        empty = np.flatnonzero(codes[name][0] < 0)
        if len(empty):
            path, row = files.place(int(empty[0]))
            raise InputError(f"{path}: {name} is empty in row {row:,}")
    _check_once(files, codes)
    return files, codes, notes


def _of_parquet(parts: Sequence[Part]) -> tuple[TableFiles, dict[str, Coded]]:
    told = {name for part in parts for name in part.told}
    for part in parts:
        there = {*parquet_columns(part.path), *part.told}
        if missing := [name for name in NEEDED if name not in there]:
            raise InputError(
                f"{part.path} lacks the column {missing[0]!r} of choices; needed: "
                f"{', '.join(NEEDED)}"
            )
        told |= there
    ends = np.cumsum([parquet_length(part.path) for part in parts]).tolist()
    nothing = np.full(ends[-1], -1, dtype=np.int8)
    codes = {
        name: parquet_codes(parts, name, is_named=name not in _UNNAMED)
        if name in told
        else (nothing, [])
        for name in _WANTED
    }
    return TableFiles(parts=tuple(parts), ends=tuple(ends)), codes


def _of_rows(parts: Sequence[Part]) -> tuple[TableFiles, dict[str, Coded]]:
    codes = {name: array("i") for name in _WANTED}
    places: dict[str, dict[Any, int]] = {name: {} for name in _WANTED}
    ends = []
    for part in parts:
        for _, row in choice_rows(part.path, part.told):
            for name, column in codes.items():
                cell, known = row[name], places[name]
                column.append(-1 if cell is None else known.setdefault(cell, len(known)))
        ends.append(len(codes["env"]))
    found = {
        name: (np.frombuffer(column, dtype=np.int32) if column else np.zeros(0, dtype=np.int32))
        for name, column in codes.items()
    }
    files = TableFiles(parts=tuple(parts), ends=tuple(ends))
    return files, {name: (column, list(places[name])) for name, column in found.items()}


def _is_empty(column: Coded) -> bool:
    return bool((column[0] < 0).all())


def _seed_episodes(files: TableFiles, codes: dict[str, Coded]) -> tuple[str, ...]:
    """Give a seed of its own to each episode without seed and scene; say so if there is one."""
    seed, told = codes["seed"]
    # pandas writes nan for nothing
    is_told = np.array([cell == cell for cell in told] + [False])[seed]
    episode = codes["episode"][0]
    alone = ~is_told & (codes["scene"][0] < 0) & (episode >= 0)
    if not alone.any():
        return ()
    names = codes["episode"][1] or parquet_codes(files.parts, "episode")[1]
    seeds = np.where(alone, len(told) + episode.astype(np.int64), seed)
    codes["seed"] = seeds, [*told, *map(own_seed, names)]
    return (BY_EPISODE,)


def _clusters(path: Path, codes: Mapping[str, Coded]) -> Coded:
    """Return the clusters that `choices.cluster_of` gives: scenes, else worlds of episodes."""
    env, scene = codes["env"][0], codes["scene"][0]
    is_scene = scene >= 0
    world = [np.where(is_scene, -1, codes[name][0]) for name in ("condition", "seed")]
    place = keyed([env, scene, *world])
    names: dict[str, int] = {}
    own = [names.setdefault(_cluster(path, codes, int(row)), len(names)) for row in firsts(place)]
    return np.array(own, dtype=np.int32)[place], list(names)


def _cluster(path: Path, codes: Mapping[str, Coded], row: int) -> str:
    record = player_of(path, codes, row)
    scene = _content(codes["scene"], row)
    return record.episode.world if scene is None else f"{record.episode.env}/{scene}"


def _check_once(files: TableFiles, codes: Mapping[str, Coded]) -> None:
    """Raise InputError where an agent decided twice at one step of an episode."""
    key = _combined([codes[name][0] for name in ("episode", "role", "step")])
    key.sort()
    if not (key[1:] == key[:-1]).any():
        return
    key = _combined([codes[name][0] for name in ("episode", "role", "step")])
    again = np.ones(len(key), dtype=bool)
    again[np.unique(key, return_index=True)[1]] = False
    at = int(np.flatnonzero(again)[0])
    role = codes["role"][1][codes["role"][0][at]]
    path, row = files.place(at)
    raise InputError(f"{path}: row {row:,} repeats what {role} decided at that step")


def _combined(columns: Sequence[NDArray[Any]]) -> IntArray:
    """Return one number for each distinct row of `columns`; eight bytes a row are all it takes."""
    key = np.zeros(len(columns[0]), dtype=np.int64)
    largest = 0
    for column in columns:
        width = int(column.max(initial=-1)) + 2
        if (largest + 1) * width > 2**62:
            key = _closed(key).astype(np.int64)
            largest = int(key.max(initial=0))
        key *= width
        key += column
        key += 1
        largest = (largest + 1) * width
    return key


def keyed(columns: Sequence[NDArray[Any]]) -> NDArray[np.int32]:
    """Return a number for each distinct row of `columns`, from 0 without a gap, in their order."""
    several = [column for column in columns if len(column) and column.min() < column.max()]
    if not several:
        return np.zeros(len(columns[0]), dtype=np.int32)
    return _closed(_combined(several))


def _closed(key: IntArray) -> NDArray[np.int32]:
    """Return keys from 0 as their places among those that occur."""
    size = int(key.max(initial=-1)) + 1
    if size > max(_DENSE, len(key)):
        return np.unique(key, return_inverse=True)[1].astype(np.int32)
    return present(key, size)[1]


def present(codes: NDArray[Any], size: int) -> tuple[IntArray, NDArray[np.int32]]:
    """Return those of the codes from 0 to `size` - 1 that occur, sorted, and each one's place."""
    occurs = np.zeros(size, dtype=bool)
    occurs[codes] = True
    places = np.cumsum(occurs, dtype=np.int32) - np.int32(1)
    return np.flatnonzero(occurs), places[codes]


def firsts(key: NDArray[np.int32]) -> IntArray:
    """Return the first row of each of the keys from 0 on."""
    first = np.zeros(int(key.max(initial=-1)) + 1, dtype=np.int64)
    # the last one written is the first row
    first[key[::-1]] = np.arange(len(key) - 1, -1, -1, dtype=np.int32)
    return first


def player_of(path: Path, codes: Mapping[str, Coded], row: int) -> DecisionRecord:
    """Return a decision of nothing: who played, in which world, as a row says."""
    cell = {name: _content(codes[name], row) for name in (*LABELS, "seed")}
    model = None if cell["model"] is None else {"name": cell["model"]}
    try:
        made = players_parameters(cell["interventions"])
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    role, seed = str(cell["role"]), number_of(path, "seed", cell["seed"])
    episode = EpisodeRecord(
        id="",
        env=str(cell["env"]),
        condition=_settings(path, "condition", cell["condition"]),
        population={role: Player(agent=str(cell["agent"]), parameters=made, model=model)},
        elicitation=_settings(path, "elicitation", cell["elicitation"]),
        seed=max(seed, 0),
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


def number_of(path: Path, name: str, cell: Any) -> int:
    """Return a cell as a whole number from 0; -1 for none, and for nan, which pandas writes."""
    if cell is None or cell != cell:
        return -1
    is_number = isinstance(cell, int | float) and not isinstance(cell, bool)
    if not is_number or cell < 0 or (isinstance(cell, float) and not cell.is_integer()):
        raise InputError(f"{path}: {name}={cell!r:.40} is not a whole number from 0")
    return int(cell)
