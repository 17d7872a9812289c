"""The tree that an episode stands in: the one that it comes from, and all branches of that.

No log is read for it: what branches leave is known of each run, and a row is kept of each episode.
What run.yaml says of a parent may be anybody's: it may be missing, lead in a circle, or be huge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from valuesim.errors import LogError
from valuesim.log.reader import read_run
from valuesim.replay.indexing.naming import NotThereError, check_confined, id_of
from valuesim.replay.indexing.shelf import Shelf, Shelved, Signature

MOST = 500
"""The most episodes of a tree that is told: the way to the one asked, and those near its root."""
DEEPEST = 100
"""The most generations that are told: a branch is left no more often than that."""
_THINGS, _LONGEST, _LEVELS = 200, 300, 8
_TOLD = ("episode", "steps", "decisions", "faults", "first")

Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Branched:
    """A branch that was found: its run, what it leaves (run and episode by id), and where."""

    run: Shelved
    left: Key
    step: int
    changes: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Grove:
    """All branches by run and episode, and what is told of each episode that was finished."""

    branches: Mapping[Key, Branched]
    rows: Mapping[Key, Mapping[str, Any]]

    def below(self) -> dict[Key, list[Key]]:
        """Return the branches that leave each episode, by step."""
        found: dict[Key, list[Key]] = {}
        for key, branch in sorted(self.branches.items(), key=lambda each: (each[1].step, each[0])):
            found.setdefault(branch.left, []).append(key)
        return found


def family(shelf: Shelf, run: str, episode: str) -> dict[str, Any]:
    """Return the tree that an episode stands in, from the first that it comes from on.

    `left_out` counts those that are too many to be told. Raises NotThereError without it.
    """
    here = run, episode
    grove = _grove(shelf, here)
    if here not in grove.rows and here not in grove.branches:
        raise NotThereError(f"no episode {episode!r:.60} in {shelf.run(run).place.name}")
    way = _way(shelf, grove, here)
    reached = _reached(grove.below(), way)
    kept = dict(list(reached.items())[:MOST])
    nodes = {key: _node(shelf, grove, key, is_here=key == here) for key in kept}
    for key, above in kept.items():
        if above is not None:
            nodes[above]["branches"].append(nodes[key])
    for node in nodes.values():
        node["branches"].sort(key=lambda each: (each["step"], each["run_name"]))
    return {"schema": 1, "root": nodes[way[0]], "left_out": len(reached) - len(kept)}


def _grove(shelf: Shelf, here: Key) -> Grove:
    rows = _rows(shelf, "is_branch QUALIFY row_number() OVER (PARTITION BY run ORDER BY episode)=1")
    own = dict(rows.keys())
    found = {}
    for run in shelf.runs.values():
        if run.place.is_branch and (branched := _branched(run)):
            found[run.place.id, own.get(run.place.id, run.place.path.name)] = branched
    return Grove(branches=found, rows=rows | _row(shelf, here))


def _row(shelf: Shelf, key: Key) -> dict[Key, Mapping[str, Any]]:
    return _rows(shelf, "run = ? AND episode = ?", key)


def _rows(shelf: Shelf, where: str, given: Iterable[object] = ()) -> dict[Key, Mapping[str, Any]]:
    asked = f"SELECT run, {', '.join(_TOLD)} FROM own WHERE {where}"
    cells = shelf.rows.ask(asked, list(given))
    return {(run, told[0]): dict(zip(_TOLD, told, strict=True)) for run, *told in cells}


def _branched(run: Shelved) -> Branched | None:
    """Return what the run says that it leaves; None where it says so in no shape of ours."""
    said = run.parent or {}
    step, changes = said.get("step"), said.get("changes")
    if type(step) is not int or step < 0 or not isinstance(said.get("episode"), str):
        return None
    return Branched(
        run=run,
        left=(id_of(str(said.get("run"))), said["episode"]),
        step=step,
        changes=changes if isinstance(changes, Mapping) else {},
    )


def _way(shelf: Shelf, grove: Grove, here: Key) -> list[Key]:
    """Return how `here` was come to: the first episode that is shown, and so on down to it."""
    way = [here]
    while len(way) <= DEEPEST and (branch := grove.branches.get(way[-1])) is not None:
        is_shown = branch.left in grove.branches or bool(_row(shelf, branch.left))
        if branch.left in way or not is_shown:
            break
        way.append(branch.left)
    return way[::-1]


def _reached(below: Mapping[Key, Sequence[Key]], way: Sequence[Key]) -> dict[Key, Key | None]:
    """Return what leaves what: the way itself first, then a generation after the other."""
    reached: dict[Key, Key | None] = dict(zip(way, (None, *way), strict=False))
    generation: Sequence[Key] = [way[0]]
    for _ in range(DEEPEST):
        after = []
        for above in generation:
            for key in below.get(above, ()):
                if reached.setdefault(key, above) == above:
                    after.append(key)
        generation = after
    return reached


def _node(shelf: Shelf, grove: Grove, key: Key, *, is_here: bool) -> dict[str, Any]:
    branch = grove.branches.get(key)
    run = shelf.run(key[0]) if branch is None else branch.run
    # a question for each of hundreds would take seconds, and rows of branches are all there
    row = (grove.rows if branch is not None else _row(shelf, key)).get(key, {})
    state = "finished" if row else "interrupted" if run.interrupted else "unfinished"
    return {
        "run": run.place.id,
        "run_name": run.place.name,
        "episode": key[1],
        "step": None if branch is None else branch.step,
        "changes": {} if branch is None else brief(branch.changes),
        "state": state,
        "reason": _told_reason(shelf, run) if state == "interrupted" else None,
        "is_here": is_here,
        **{name: row.get(name) for name in _TOLD[1:]},
        "branches": [],
    }


def _told_reason(shelf: Shelf, run: Shelved) -> str:
    try:
        check_confined(run.place, shelf.root)
        return _reason(run.place.path, run.signature)[:_LONGEST]
    except (LogError, OSError) as error:
        return shelf.sentence(error, run.place)


@lru_cache(maxsize=2 * MOST)
def _reason(run: Path, signature: Signature) -> str:  # noqa: ARG001 (another state, another answer)
    found = read_run(run).interrupted
    return found[-1].reason if found else ""


def brief(content: Any) -> Any:
    """Return what run.yaml says, so cut that many of them can be told at once.

    Texts are cut at 300 characters, 200 things are told in all, and eight levels of them.
    """
    left = [_THINGS]

    def cut(each: Any, levels: int) -> Any:
        left[0] -= 1
        if isinstance(each, Mapping) and levels:
            return {str(k)[:_LONGEST]: cut(x, levels - 1) for k, x in each.items() if left[0] > 0}
        if isinstance(each, list) and levels:
            return [cut(x, levels - 1) for x in each if left[0] > 0]
        if each is None or isinstance(each, bool | int | float):
            return each
        return each[:_LONGEST] if isinstance(each, str) else "..."

    return cut(content, _LEVELS)
