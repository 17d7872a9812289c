"""The columns of a table of choices as codes, what they lack filled in as an import would."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from valuesim.episode import Player
from valuesim.errors import InputError
from valuesim.formats.choice_columns import BY_EPISODE, NEEDED, own_seed, players_parameters
from valuesim.formats.choice_table import choice_rows
from valuesim.formats.parquet import Coded, parquet_codes, parquet_columns
from valuesim.log.reader import DecisionRecord, EpisodeRecord

LABELS = ("env", "role", "agent", "model", "interventions", "elicitation", "condition")
"""The columns that say who decided, and under what."""
SCENE, CHAIN, _EPISODE = "scene", "chain", "episode"
_EVIDENCE = ("cluster", "unit", "ordered", "situation", "position", "fault")
_BESIDE = ("episode", "step", "scene", "seed")
_FILLED = ("env", "episode", "step", "role", "agent", "cluster", "unit", "situation")

IntArray = NDArray[np.int64]


def table_codes(path: Path) -> tuple[dict[str, Coded], tuple[str, ...]]:
    """Return the columns of the table at `path` by name, and sentences on what had to be filled in.

    Raises InputError for a table that cannot be read, lacks a column, has an empty cell where one
    must be filled, or says twice what an agent decided.
    """
    wanted = (*_BESIDE, *LABELS, *_EVIDENCE)
    if path.suffix.lower() == ".parquet":
        codes = _of_parquet(path, wanted)
    else:
        codes = _of_rows(path, wanted)
    notes: tuple[str, ...] = ()
    if _is_empty(codes["cluster"]):
        notes = _seed_episodes(path, codes)
        codes["cluster"] = _clusters(path, codes)
    if _is_empty(codes["unit"]):
        is_scene = codes["scene"][0] >= 0
        codes["unit"] = np.where(is_scene, 0, 1).astype(np.int64), [SCENE, _EPISODE]
    for name in _FILLED:
        empty = np.flatnonzero(codes[name][0] < 0)
        if len(empty):
            raise InputError(f"{path}: {name} is empty in row {empty[0] + 1:,}")
    _check_once(path, codes)
    return codes, notes


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


def _seed_episodes(path: Path, codes: dict[str, Coded]) -> tuple[str, ...]:
    """Give a seed of its own to each episode without seed and scene; say so if there is one."""
    seed, told = codes["seed"]
    # pandas writes nan for nothing
    is_told = np.array([cell == cell for cell in told] + [False])[seed]
    episode = codes["episode"][0]
    alone = ~is_told & (codes["scene"][0] < 0) & (episode >= 0)
    if not alone.any():
        return ()
    names = codes["episode"][1] or parquet_codes(path, ["episode"])["episode"][1]
    codes["seed"] = np.where(alone, len(told) + episode, seed), [*told, *map(own_seed, names)]
    return (BY_EPISODE,)


def _clusters(path: Path, codes: Mapping[str, Coded]) -> Coded:
    """Return the clusters that `choices.cluster_of` gives: scenes, else worlds of episodes."""
    env, scene = codes["env"][0], codes["scene"][0]
    is_scene = scene >= 0
    world = [np.where(is_scene, -1, codes[name][0]) for name in ("condition", "seed")]
    rows = keyed([env, scene, *world])
    _, first, place = np.unique(rows, return_index=True, return_inverse=True)
    names: dict[str, int] = {}
    own = [names.setdefault(_cluster(path, codes, int(row)), len(names)) for row in first]
    return np.array(own, dtype=np.int64)[place], list(names)


def _cluster(path: Path, codes: Mapping[str, Coded], row: int) -> str:
    record = player_of(path, codes, row)
    scene = _content(codes["scene"], row)
    return record.episode.world if scene is None else f"{record.episode.env}/{scene}"


def _check_once(path: Path, codes: Mapping[str, Coded]) -> None:
    """Raise InputError where an agent decided twice at one step of an episode."""
    key = keyed([codes[name][0] for name in ("episode", "role", "step")])
    if len(key) and int(key.max()) + 1 < len(key):
        again = np.ones(len(key), dtype=bool)
        again[np.unique(key, return_index=True)[1]] = False
        row = int(np.flatnonzero(again)[0])
        role = codes["role"][1][codes["role"][0][row]]
        raise InputError(f"{path}: row {row + 1:,} repeats what {role} decided at that step")


def keyed(columns: Sequence[IntArray]) -> IntArray:
    """Return one number for each distinct row of `columns`, from 0 without a gap."""
    key = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        if len(column) and column.min() < column.max():
            key = key * (int(column.max()) + 2) + column + 1
            key = np.unique(key, return_inverse=True)[1]
    return key


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
