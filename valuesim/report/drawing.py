"""Draws the value graph: layers of what is statistically separated, and the cycles against it.

Only separated pairs are arrows, transitively reduced (`graph.layers`), so that the drawing stays
legible however many values there are. `graph_layout` says what stands where, `graph_marks` draws a
value, `graph_key` has the words below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path as Curve

from valuesim.errors import InputError
from valuesim.graph import Cycle, Priority, ValueRanking, layers
from valuesim.report.canvas import COLOURS, style, to_svg
from valuesim.report.graph_key import LINE_HEIGHT, MOST_CYCLES, cycle_key, key, write
from valuesim.report.graph_layout import lay_out
from valuesim.report.graph_marks import Scale, node
from valuesim.report.graph_places import Box, Joint, Layout, Point, Route
from valuesim.report.text import short

_FORMATS = (".png", ".svg")
_MARGIN = 0.2
_TITLE = 0.42
_LEAST_WIDTH = 7.2
_CYCLE_ROOM = 0.32
_HEAD = "-|>,head_length=4,head_width=2"


def save_graph(ranking: ValueRanking, path: Path, group: str = "") -> None:
    """Write the value graph of `ranking` to `path`, as its suffix says: .png or .svg.

    `group` names whose it is. Where there is no coherent ranking, or no separated pair, the drawing
    says so. Raises InputError for another suffix, OSError for a path that cannot be written.
    """
    kind = graph_format(path)
    with style():
        figure = _figure(ranking, f"Value graph of {group}" if group else "Value graph")
        figure.set_facecolor(COLOURS["paper"])
        metadata = {"Date": None} if kind == "svg" else None
        figure.savefig(path, format=kind, dpi=200, metadata=metadata)


def graph_format(path: Path) -> str:
    """Return "png" or "svg", as the suffix of `path` says; raise InputError for another."""
    if path.suffix.lower() not in _FORMATS:
        raise InputError(f"{path} cannot be drawn: the name must end in {' or '.join(_FORMATS)}")
    return path.suffix.lower()[1:]


def graph_svg(ranking: ValueRanking, name: str, group: str) -> str:
    """Return the value graph as an SVG element for the page, which says itself what is in it."""
    with style():
        return to_svg(_figure(ranking, None), name, f"Value graph of {group}: {_words(ranking)}")


def is_drawable(ranking: ValueRanking) -> bool:
    """Return whether there is more to draw than a sentence: separated values, or a cycle."""
    is_ordered = ranking.coherence.is_coherent and bool(layers(ranking).pairs)
    return is_ordered or bool(ranking.consistency.cycles)


def _figure(ranking: ValueRanking, title: str | None) -> Figure:
    """Return the drawing; with a `title` it stands alone, and says what is in it."""
    layout = lay_out(ranking) if is_drawable(ranking) else None
    inner = max(layout.width if layout else 0.0, _LEAST_WIDTH if title else 0.0)
    # in a page, only the cycles need words of their own
    lines = key(ranking, layout, inner) if title else cycle_key(ranking, inner)
    circling = _CYCLE_ROOM if ranking.consistency.cycles else 0.0
    has_rows = layout is not None and bool(layout.routes or layout.joints)
    top = (_TITLE if title else 0.0) + (circling if has_rows else 0.0)
    drawn = layout.height + circling + 0.15 if layout else 0.0
    width, height = inner + 2 * _MARGIN, top + drawn + len(lines) * LINE_HEIGHT + 2 * _MARGIN
    figure = Figure(figsize=(width, height))
    axes = _axes(figure, _MARGIN, _MARGIN)
    if title:
        axes.text(0, 0.12, short(title, 100), fontsize=11, fontweight="bold", va="center")
    if layout:
        _draw(_axes(figure, (width - layout.width) / 2, _MARGIN + top), ranking, layout)
    write(axes, lines, top + drawn)
    return figure


def _axes(figure: Figure, left: float, top: float) -> Axes:
    """Return axes over the whole figure, in inches from a point, downwards."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes(
        (0, 0, 1, 1),
        frameon=False,
        xlim=(-left, width - left),
        ylim=(height - top, -top),
        label=f"from {left}, {top}",
    )
    axes.set_axis_off()
    return axes


def _draw(axes: Axes, ranking: ValueRanking, layout: Layout) -> None:
    for (x, y), words in layout.headings:
        axes.text(x, y + 0.12, words, fontsize=8, color=COLOURS["muted"], va="center")
    _arrows(axes, ranking, layout)
    for cycle in ranking.consistency.cycles[:MOST_CYCLES]:
        _cycle(axes, cycle, layout.boxes)
    scale = Scale.of(ranking, layout)
    for value, box in layout.boxes.items():
        node(axes, ranking, value, box, scale)


def _arrows(axes: Axes, ranking: ValueRanking, layout: Layout) -> None:
    votes = {(edge.over, edge.under): edge for edge in ranking.edges}
    found = []
    for pair, route in layout.routes.items():
        both = [votes.get(pair), votes.get(pair[::-1])]
        ahead, behind = (edge.weight if edge else 0.0 for edge in both)
        found.append((route, ahead, behind, sum(edge.decisions for edge in both if edge)))
    joined = [(joint, _mean_decisions(joint, votes)) for joint in layout.joints]
    most = max([*(number for *_, number in found), *(number for _, number in joined), 1])
    heaviest = 2.6 if not joined else 1.7
    for joint, number in joined:
        weight = heaviest * (number / most) ** 0.5
        for route in joint.comes:
            _line(axes, route, weight, arrow="-")
        for route in joint.goes:
            _line(axes, route, weight)
        axes.plot(*joint.place, "o", color=COLOURS["muted"], markersize=4.2, zorder=1.5)
    labels: list[Point] = [joint.place for joint in layout.joints]
    for route, ahead, behind, number in found:
        look = "solid" if number else (0, (1, 1.6))
        _line(axes, route, heaviest * (number / most) ** 0.5, look=look)
        # raw votes hold nothing equal, so they may contradict the estimate: that must be seen
        is_contrary = behind > ahead
        if number and (is_contrary or not joined):
            labels.append(_free_place(route, labels))
            _label(axes, labels[-1], _votes(ahead, behind))


def _votes(ahead: float, behind: float) -> str:
    digits = 1 if behind > ahead and round(ahead) == round(behind) else 0
    return f"{ahead:.{digits}f} : {behind:.{digits}f}{' !' if behind > ahead else ''}"


def _mean_decisions(joint: Joint, votes: Mapping[tuple[str, str], Priority]) -> float:
    both = [votes[way] for pair in joint.pairs for way in (pair, pair[::-1]) if way in votes]
    return sum(edge.decisions for edge in both) / len(joint.pairs)


def _line(axes: Axes, route: Route, weight: float, look: Any = "solid", arrow: str = _HEAD) -> None:
    axes.add_patch(
        FancyArrowPatch(
            path=_curve(route),
            arrowstyle=arrow,
            linewidth=max(0.6, weight),
            linestyle=look,
            color=COLOURS["muted"],
            capstyle="butt",
            joinstyle="miter",
            shrinkA=0,
            shrinkB=0,
            zorder=1,
        )
    )


def _curve(route: Route) -> Curve:
    """Return the way of a line: straight down between boxes, curved between rows."""
    points, codes = [route.start], [Curve.MOVETO]
    for upper, lower in (*route.bends, (route.end, None)):
        (x0, y0), (x1, y1) = points[-1], upper
        half = (y1 - y0) / 2
        points += [(x0, y0 + half), (x1, y1 - half), upper]
        codes += [Curve.CURVE4] * 3
        if lower is not None:
            points.append(lower)
            codes.append(Curve.LINETO)
    return Curve(points, codes)


def _free_place(route: Route, taken: Sequence[Point]) -> Point:
    """Return the place on the line's last curve that is farthest from labels already there."""
    (x0, y0), (x1, y1) = route.bends[-1][1] if route.bends else route.start, route.end
    # the cubic of `_curve`: both handles stand half-way down
    places = [
        (
            x0 + (3 * t * t - 2 * t**3) * (x1 - x0),
            y0 + (1.5 * t - 1.5 * t * t + t**3) * (y1 - y0),
        )
        for t in (0.5, 0.36, 0.64, 0.24, 0.76)
    ]

    def crowding(place: Point) -> float:
        # a label is about three times as wide as high
        gaps = (max(abs(place[0] - x) / 3, abs(place[1] - y)) for x, y in taken)
        return -min(0.16, min(gaps, default=0.16))

    return min(places, key=crowding)


def _label(axes: Axes, place: Point, words: str) -> None:
    axes.text(
        *place,
        words,
        ha="center",
        va="center",
        fontsize=6.8,
        bbox={"facecolor": COLOURS["paper"], "edgecolor": "none", "pad": 0.8},
        zorder=2,
    )


def _cycle(axes: Axes, cycle: Cycle, boxes: Mapping[str, Box]) -> None:
    steps = zip(cycle.values, (*cycle.values[1:], cycle.values[0]), strict=True)
    for over, under in steps:
        if over in boxes and under in boxes:
            _cycle_arrow(axes, boxes[over], boxes[under])


def _cycle_arrow(axes: Axes, start: Box, end: Box) -> None:
    """Draw a step of a cycle: past the side of boxes that it goes up by, over those between."""
    side = 1 if end.x >= start.x else -1
    distance = max(abs(end.x - start.x), 0.1)
    if start.y == end.y and distance - (start.width + end.width) / 2 < 0.6:
        points = (
            (start.x + side * start.width / 2, start.y),
            (end.x - side * end.width / 2, end.y),
        )
        bend = 0.0
    elif start.y == end.y:
        # in the band there are no arrows below
        points = (start.bottom, end.bottom) if start.is_alone else (start.top, end.top)
        bend = min(0.35, 0.66 / distance) * side * (1 if start.is_alone else -1)
    elif end.y > start.y:
        points, bend = (start.bottom, end.top), 0.22 * side
    else:
        points = ((start.x + side * start.width / 2, start.y), (end.x + end.width / 2, end.y))
        bend = 0.35
    axes.add_patch(
        FancyArrowPatch(
            *points,
            connectionstyle=f"arc3,rad={bend}",
            arrowstyle="-|>,head_length=5,head_width=2.6",
            linewidth=1.5,
            linestyle=(0, (4, 2.2)),
            color=COLOURS["vermillion"],
            shrinkA=0,
            shrinkB=0,
            zorder=2.5,
        )
    )


def _words(ranking: ValueRanking) -> str:
    pairs = [f"{short(u, 24)} over {short(v, 24)}" for u, v in layers(ranking).pairs]
    circles = [
        f"a cycle: {' over '.join(short(value, 24) for value in (*c.values, c.values[0]))}"
        for c in ranking.consistency.cycles[:MOST_CYCLES]
    ]
    return "; ".join([*pairs, *circles]) or "no pair separated"
