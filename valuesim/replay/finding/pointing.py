"""An episode that a person names: by its id, by the beginning of one, or by its run and one."""

from __future__ import annotations

from valuesim.errors import InputError
from valuesim.replay.indexing.naming import shown
from valuesim.replay.indexing.shelf import Shelf

_MOST_TOLD = 5
_ASKED = """
SELECT run, run_name, episode FROM own
WHERE starts_with(episode, $1) OR starts_with(run_name || '/' || episode, $1)
   OR starts_with(run || '/' || episode, $1)
ORDER BY run_name, episode, run
"""


def pointed(shelf: Shelf, given: str) -> tuple[str, str]:
    """Return the run's id and the episode's that `given` points to.

    It is an episode's id or a unique beginning of one; RUN/EPISODE, by a run's name or its id,
    where several runs hold it. Raises InputError where it is none, or several.
    """
    rows = shelf.rows.ask(_ASKED, [given])
    whole = [
        (run, name, episode)
        for run, name, episode in rows
        if given in (episode, f"{name}/{episode}", f"{run}/{episode}")
    ]
    found = whole or rows
    if len(found) == 1:
        return found[0][0], found[0][2]
    if not found:
        below = shown(shelf.root.name)
        raise InputError(f"no episode below {below} is, or begins with, {given!r:.80}")
    raise InputError(f"{given!r:.80} may be any of {_listed(found)}: give one of them")


def _listed(found: list[tuple[str, str, str]]) -> str:
    told = ", ".join(f"{name}/{episode}" for _, name, episode in found[:_MOST_TOLD])
    more = len(found) - _MOST_TOLD
    return f"{told} and {more:,} more" if more > 0 else told
