"""What episodes may be filtered by: the runs there are, and the names in each column."""

from __future__ import annotations

from typing import Any

from valuesim import __version__
from valuesim.replay.finding.conditions import conditions
from valuesim.replay.indexing.shelf import Shelf

MOST_LEVELS = 200
"""A factor with more levels than these is no filter: it tells each episode apart."""
_COLUMNS = {
    "env": "env",
    "family": "family",
    "agent": "unnest(agents)",
    "model": "unnest(models)",
    "fault": "unnest(fault_kinds)",
    "value": "first",
    "archetype": "archetype",
}


def about(shelf: Shelf) -> dict[str, Any]:
    """Return what is shown: the last part of its path, and how much it holds, branches left out."""
    runs = [run for run in shelf.runs.values() if not run.place.is_branch]
    return {
        "schema": 1,
        "path": shelf.root.name or "/",
        "version": __version__,
        "runs": len(runs),
        "episodes": sum(run.episodes for run in runs),
        "reading": sum(not run.is_read for run in runs),
    }


def facets(shelf: Shelf) -> dict[str, Any]:
    """Return the runs, with the error of those that cannot be read, and what there is to filter."""
    return {"schema": 1, "runs": _runs(shelf)} | shelf.once("facets", lambda: _names(shelf))


def _names(shelf: Shelf) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, column in _COLUMNS.items():
        rows = shelf.rows.ask(f"SELECT DISTINCT {column} AS x FROM own WHERE NOT is_branch")
        found[name] = sorted(each for (each,) in rows if each is not None)
    return found | {"condition": _levels(shelf)}


def _runs(shelf: Shelf) -> list[dict[str, Any]]:
    told = []
    for run in sorted(shelf.runs.values(), key=lambda run: run.place.name):
        row = {
            "run": run.place.id,
            "name": run.place.name,
            "episodes": run.episodes,
            "interrupted": run.interrupted,
        }
        told.append(
            row
            | ({"error": run.error} if run.error else {})
            | ({"branch": True} if run.place.is_branch and run.parent is not None else {})
        )
    return told


def _levels(shelf: Shelf) -> dict[str, list[str]]:
    own = conditions(shelf)
    levels: dict[str, set[str]] = {}
    for (text,) in shelf.rows.ask("SELECT DISTINCT condition FROM own WHERE NOT is_branch"):
        for factor, level in own.get(text, {}).items():
            levels.setdefault(factor, set()).add(level)
    return {name: sorted(each) for name, each in sorted(levels.items()) if len(each) <= MOST_LEVELS}
