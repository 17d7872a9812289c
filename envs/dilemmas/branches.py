"""The branch table of a dilemma that unfolds: every turn is reached, and none leads back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from valuesim.envs.dilemmas.format import START
from valuesim.envs.dilemmas.place import Place
from valuesim.errors import unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class Branch:
    """One turn of a branch table: where it stands, and which turns its options name, and where."""

    place: Place
    leads_to: Sequence[tuple[str, Place]]


def check_branches(table: Mapping[str, Branch]) -> None:
    """Tell of turns that are missing, that lead back, or that no option leads to.

    `table` maps the names of turns to their branches, "start" among them.
    """
    others = [name for name in table if name != START]
    for branch in table.values():
        for name, place in branch.leads_to:
            if name not in others:
                place.wrong(unknown("turn", name, others))
    reached = _walk(table)
    for name in others:
        if name not in reached:
            table[name].place.wrong("is reached by no option: name it in a `then`")


def _walk(table: Mapping[str, Branch]) -> set[str]:
    """Return the turns reached from the first; tell where the way comes back upon itself."""
    reached = {START}
    way = [START]
    ahead = [list(reversed(table[START].leads_to))]
    while ahead:
        if not ahead[-1]:
            ahead.pop()
            way.pop()
            continue
        name, place = ahead[-1].pop()
        if name in way:
            place.wrong(f"leads back to {name!r}, which it came from: a dilemma has no cycles")
        elif name in table and name not in reached:
            reached.add(name)
            way.append(name)
            ahead.append(list(reversed(table[name].leads_to)))
    return reached
