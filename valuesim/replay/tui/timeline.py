"""The timeline of an episode: a cell a step, marks above and below, the part that is in view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from valuesim.replay.tui.texts import Pieces, count

HARMS = frozenset({"transgression", "risk"})
"""Tags of options that harm, or risk a harm."""
FAULT, HARM = "\u25a0", "\u25b2"
_NOW, _STEP, _EARLIER, _LATER = "\u2588", "\u2592", "\u25c4", "\u25ba"
_WIDEST = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Marks:
    """The places of the steps with a fault, and of those in which somebody did what harms."""

    faults: tuple[int, ...]
    harms: tuple[int, ...]


def is_harm(moment: Mapping[str, Any]) -> bool:
    """Return whether the option taken is tagged as transgression or risk."""
    taken = next((each for each in moment["options"] if each["name"] == moment["chosen"]), None)
    return taken is not None and not HARMS.isdisjoint(taken["tags"])


def marks(steps: Sequence[Mapping[str, Any]]) -> Marks:
    """Return what is marked of the steps of an episode."""
    return Marks(
        faults=tuple(
            place
            for place, step in enumerate(steps)
            if any(each["fault"] is not None for each in step["moments"])
        ),
        harms=tuple(
            place for place, step in enumerate(steps) if any(map(is_harm, step["moments"]))
        ),
    )


def next_fault(marked: Marks, index: int, by: int) -> int | None:
    """Return the place of the nearest fault behind `index` (`by` 1) or before it (-1), if any."""
    if by > 0:
        return next((each for each in marked.faults if each > index), None)
    return next((each for each in reversed(marked.faults) if each < index), None)


def index_of(steps: Sequence[Mapping[str, Any]], step: int) -> int:
    """Return the place of `step`, or of the last one before it; 0 where there is none."""
    return max((place for place, each in enumerate(steps) if each["step"] <= step), default=0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """The steps in view: from `begin` to before `end`, each `cell` columns wide."""

    begin: int
    end: int
    cell: int
    steps: int

    def index(self, column: int) -> int:
        """Return the place of the step at a column, counted from the first cell."""
        return max(0, min(self.steps - 1, self.begin + column // self.cell))


def window(steps: int, index: int, columns: int) -> Window:
    """Return the part of `steps` that `columns` hold, the present one near the middle."""
    room = max(1, columns)
    cell = max(1, min(_WIDEST, room // max(1, steps)))
    shown = min(steps, room // cell)
    begin = max(0, min(index - shown // 2, steps - shown))
    return Window(begin=begin, end=begin + shown, cell=cell, steps=steps)


def drawn(marked: Marks, index: int, seen: Window) -> Pieces:
    """Return three lines: faults, steps with the present one, harms; with signs of what is left."""
    faults, harms = set(marked.faults), set(marked.harms)
    before = _EARLIER if seen.begin > 0 else " "
    after = _LATER if seen.end < seen.steps else " "
    shown = range(seen.begin, seen.end)
    rows: Pieces = [(" ", "")]
    rows += [_cell(FAULT, seen, "fault") if each in faults else _gap(seen) for each in shown]
    rows += [("\n", ""), (before, "muted")]
    rows += [
        _cell(_NOW, seen, "now", fill=True) if each == index else _cell(_STEP, seen, "step")
        for each in shown
    ]
    rows += [(after, "muted"), ("\n ", "")]
    rows += [_cell(HARM, seen, "harm") if each in harms else _gap(seen) for each in shown]
    return _joined(rows)


def _cell(sign: str, seen: Window, style: str, *, fill: bool = False) -> tuple[str, str]:
    wide = max(1, seen.cell - 1)
    return (sign * wide if fill or style == "step" else sign).ljust(seen.cell), style


def _gap(seen: Window) -> tuple[str, str]:
    return " " * seen.cell, ""


def _joined(pieces: Pieces) -> Pieces:
    """Return the pieces with neighbours of one style put together."""
    joined: Pieces = []
    for text, style in pieces:
        if joined and joined[-1][1] == style:
            joined[-1] = joined[-1][0] + text, style
        else:
            joined.append((text, style))
    return joined


def key(marked: Marks) -> Pieces:
    """Return what the marks of this episode mean, with how many steps have them."""
    pieces: Pieces = []
    for sign, style, places, told in (
        (FAULT, "fault", marked.faults, "with a fault"),
        (HARM, "harm", marked.harms, "with a harmful or risky act"),
    ):
        if places:
            pieces += [(f"  {sign} ", style), (f"{count(len(places), 'step')} {told}", "muted")]
    return pieces
