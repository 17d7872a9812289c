"""What a selection of episodes holds: which runs, all of each or part, and where the lines are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from valuesim.replay.finding.listing import Selection
from valuesim.replay.indexing.naming import check_confined
from valuesim.replay.indexing.shelf import Shelf, Shelved

State = tuple[tuple[str, object, int, int], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Selected:
    """The runs of a selection, in the order in which commands read them.

    `state` differs whenever other episodes are selected, or a log of theirs has changed.
    `is_whole` says that runs alone were chosen, so that all of each is in it: also what was never
    finished, which no other filter can tell. `interrupted` counts those episodes in the runs.
    """

    runs: tuple[Shelved, ...]
    state: State
    episodes: int
    decisions: int
    interrupted: int
    is_whole: bool


def selected(shelf: Shelf, selection: Selection) -> Selected:
    """Return what `selection` holds on the shelf as it is now."""
    where, given = selection.where(shelf)
    found = {
        run: (count, int(decisions or 0), int(digest or 0))
        for run, count, decisions, digest in shelf.rows.ask(
            f"SELECT run, count(*), sum(decisions), bit_xor(hash(episode)) FROM own WHERE {where} "
            "GROUP BY run",
            given,
        )
    }
    is_whole = not (set(selection.names) - {"run"} or selection.condition or selection.text)
    chosen = set(selection.names.get("run", ()))
    runs = [
        run
        for run in shelf.runs.values()
        if run.is_read
        and run.error is None
        and (run.place.id in found or (is_whole and _is_meant(run, chosen)))
    ]
    runs.sort(key=lambda run: run.place.path)
    nothing = (0, 0, 0)
    return Selected(
        runs=tuple(runs),
        state=tuple((r.place.id, r.signature, *found.get(r.place.id, nothing)[::2]) for r in runs),
        episodes=sum(count for count, _, _ in found.values()),
        decisions=sum(decisions for _, decisions, _ in found.values()),
        interrupted=sum(run.interrupted for run in runs),
        is_whole=is_whole,
    )


def _is_meant(run: Shelved, chosen: set[str]) -> bool:
    return run.place.id in chosen if chosen else not run.place.is_branch


def places(shelf: Shelf, selection: Selection, found: Selected) -> list[Mapping[str, Any]]:
    """Return, for each run of `found`, its folder and where the lines of its episodes are.

    Raises LogError where a part of a run leads out of what is shown.
    """
    where, given = selection.where(shelf)
    told: list[Mapping[str, Any]] = []
    for run in found.runs:
        check_confined(run.place, shelf.root)
        rows = shelf.rows.ask(
            f"SELECT episode, place, line, moments FROM own WHERE run = ? AND {where} "
            "ORDER BY place NULLS FIRST, line",
            [run.place.id, *given],
        )
        told.append(
            {
                "run": run.place.id,
                "path": str(run.place.path),
                "is_whole": found.is_whole,
                "episodes": [id for id, _, _, _ in rows],
                "ranks": [-1 if place is None else place for _, place, _, _ in rows],
                "lines": [line for _, _, line, _ in rows],
                "moments": [moments for _, _, _, moments in rows],
            }
        )
    return told
