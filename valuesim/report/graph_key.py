"""The words under a drawn value graph: how to read it, on what it rests, and what limits it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from textwrap import wrap

from matplotlib.axes import Axes

from valuesim.graph import Cycle, ValueRanking
from valuesim.graph.statement import count, votes_for_and_against
from valuesim.report.canvas import COLOURS
from valuesim.report.graph_places import Layout
from valuesim.report.text import percent, short

LINE_HEIGHT = 0.165
MOST_CYCLES = 3
"""How many cycles are drawn and told; the others are counted."""
_CHARACTERS = 15.5
"""Characters of the key to an inch."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line of the key and its colour, by name."""

    words: str
    colour: str = "muted"


def why_not_drawn(ranking: ValueRanking) -> str:
    """Return the sentence that stands in place of a graph that cannot be drawn."""
    if not ranking.contested:
        return "Undetermined: no choice set values against each other."
    if not ranking.coherence.is_coherent:
        return "Undetermined: no coherent ranking."
    return "Undetermined: no two values are separated."


def key(ranking: ValueRanking, layout: Layout | None, width: float) -> list[Line]:
    """Return the key of a drawing that stands alone, `width` inches wide."""
    sentence = None if layout and (layout.routes or layout.joints) else why_not_drawn(ranking)
    rests = (
        f"n = {count(ranking.contested, 'contested choice')} in "
        f"{count(ranking.clusters, ranking.unit)}; {percent(ranking.fault_rate)} of "
        f"{count(ranking.decisions, 'decision')} were faults."
        if ranking.decisions
        else None
    )
    undetermined = [v.value for v in ranking.values if not v.is_identified]
    return [
        *_wrapped(sentence, width, "ink"),
        *(cycle_key(ranking, width) if layout else []),
        *_wrapped(_how_to_read(layout) if layout else None, width, "muted"),
        *_wrapped(rests, width, "ink"),
        *_wrapped(_limits(ranking, undetermined), width, "ink"),
    ]


def cycle_key(ranking: ValueRanking, width: float) -> list[Line]:
    """Return a line for each cycle that is drawn, with its votes, and how many are not."""
    cycles = ranking.consistency.cycles
    lines = [
        line
        for cycle in cycles[:MOST_CYCLES]
        for line in _wrapped(_cycle(cycle), width, "vermillion")
    ]
    if (more := len(cycles) - MOST_CYCLES) > 0:
        lines += _wrapped(f"and {count(more, 'more cycle')}", width, "vermillion")
    return lines


def write(axes: Axes, lines: Iterable[Line], top: float) -> None:
    """Write `lines` from `top` down, at the left."""
    for number, line in enumerate(lines):
        y = top + (number + 0.5) * LINE_HEIGHT
        axes.text(0, y, line.words, fontsize=7.4, va="center", color=COLOURS[line.colour])


def _cycle(cycle: Cycle) -> str:
    ring = " > ".join(short(value, 24) for value in (*cycle.values, cycle.values[0]))
    counted, cast = votes_for_and_against(cycle)
    told = f"cycle (dashed red): {ring}"
    if not counted:
        return told
    if cast is None:
        return f"{told}; votes {counted}"
    return f"{told}; votes, in independent decisions, {counted}; as cast {cast}"


def _how_to_read(layout: Layout) -> str:
    sentences = []
    if layout.routes or layout.joints:
        sentences = [
            "Arrow: surely put before, other values held equal; all arrows hold together with "
            "95 %; what follows from others is left out.",
            "Thicker: more decisions set the two against each other; dotted: none did.",
            "Only arrows order values; two of one row are never separated.",
        ]
        if layout.joints:
            sentences.append("A dot joins: all that come in are put before all that go out.")
        told = " (told only where they contradict)" if layout.joints else ""
        sentences.append(f"a : b: votes for and against{told}; !: they point the other way.")
    return " ".join(
        [
            *sentences,
            "In a box: strength in log-odds (95 % interval); whiskers share one scale, the tick is "
            "0, the mean; blue is above it, orange below.",
        ]
    )


def _limits(ranking: ValueRanking, undetermined: list[str]) -> str | None:
    if ranking.statement:
        return short(ranking.statement, 700)
    return f"Not determined: {', '.join(undetermined)}." if undetermined else None


def _wrapped(words: str | None, width: float, colour: str) -> Iterator[Line]:
    for line in wrap(words or "", max(40, int(width * _CHARACTERS))):
        yield Line(words=line, colour=colour)
