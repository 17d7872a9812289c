"""Draws the value graph: layers of what is statistically separated, arrows with their votes.

Only separated pairs are drawn, transitively reduced (`graph.layers`), so that the drawing stays
legible however many values there are; values that nothing separates stand in a row of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from valuesim.errors import InputError
from valuesim.graph import ValueRanking, layers
from valuesim.report.canvas import COLOURS, style, to_svg
from valuesim.report.text import number, percent, short

_ROW = 0.98
_HEIGHT = 0.42
_GAP = 0.28
_FORMATS = (".png", ".svg")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Box:
    """A value's place in the drawing, in inches from the top left; x is its middle."""

    x: float
    y: float
    width: float
    row: int


def save_graph(ranking: ValueRanking, path: Path) -> None:
    """Write the value graph of `ranking` to `path`, as its suffix says: .png or .svg.

    Where there is no coherent ranking, or no separated pair, the drawing says so. Raises
    InputError for another suffix, OSError for a path that cannot be written.
    """
    kind = graph_format(path)
    with style():
        figure = _graph_figure(ranking)
        figure.set_facecolor(COLOURS["paper"])
        figure.text(0, -0.02, _footnote(ranking), fontsize=6.5, va="top", color=COLOURS["muted"])
        metadata = {"Date": None} if kind == "svg" else None
        figure.savefig(
            path, format=kind, dpi=200, metadata=metadata, bbox_inches="tight", pad_inches=0.12
        )


def graph_format(path: Path) -> str:
    """Return "png" or "svg", as the suffix of `path` says; raise InputError for another."""
    if path.suffix.lower() not in _FORMATS:
        raise InputError(f"{path} cannot be drawn: the name must end in {' or '.join(_FORMATS)}")
    return path.suffix.lower()[1:]


def graph_svg(ranking: ValueRanking, name: str, group: str) -> str:
    """Return the value graph as an SVG element for the page."""
    with style():
        return to_svg(_graph_figure(ranking), name, f"Value graph of {group}: {_words(ranking)}")


def is_drawable(ranking: ValueRanking) -> bool:
    """Return whether `ranking` is coherent and separates any two values."""
    return ranking.coherence.is_coherent and bool(layers(ranking).pairs)


def _graph_figure(ranking: ValueRanking) -> Figure:
    if not is_drawable(ranking):
        return _empty_figure(ranking)
    boxes = _places(ranking)
    width = max(box.x + box.width / 2 for box in boxes.values()) + 0.15
    height = max(box.y for box in boxes.values()) + _HEIGHT / 2 + 0.3
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1), frameon=False, xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    _arrows(axes, ranking, boxes)
    for value, box in boxes.items():
        _node(axes, ranking, value, box)
    return figure


def _empty_figure(ranking: ValueRanking) -> Figure:
    figure = Figure(figsize=(5.6, 1.0))
    figure.text(0.5, 0.6, why_not_drawn(ranking), ha="center", fontsize=9)
    return figure


def why_not_drawn(ranking: ValueRanking) -> str:
    """Return the sentence that stands in place of a graph that cannot be drawn."""
    if not ranking.contested:
        return "Undetermined: no choice set values against each other."
    if not ranking.coherence.is_coherent:
        return "Undetermined: no coherent ranking."
    return "Undetermined: no two values are separated."


def _places(ranking: ValueRanking) -> dict[str, _Box]:
    """Return each drawn value's box: a row per layer, each row sorted by what points into it."""
    separated = layers(ranking)
    joined = {value for pair in separated.pairs for value in pair}
    rows = [[v for v in layer if v in joined] for layer in separated.layers]
    rows = [row for row in rows if row]
    alone = [v for layer in separated.layers for v in layer if v not in joined]
    if alone:
        rows.append(alone)
    above: Mapping[str, list[str]] = {v: [u for u, w in separated.pairs if w == v] for v in joined}
    widest = max(_row_width(row) for row in rows)
    boxes: dict[str, _Box] = {}
    for number_of_row, row in enumerate(rows):
        x = 0.15 + (widest - _row_width(row)) / 2
        for value in sorted(row, key=lambda v: _barycentre(above.get(v, []), boxes)):
            wide = _width(value)
            boxes[value] = _Box(
                x=x + wide / 2, y=0.3 + number_of_row * _ROW, width=wide, row=number_of_row
            )
            x += wide + _GAP
    return boxes


def _barycentre(above: Sequence[str], boxes: Mapping[str, _Box]) -> float:
    places = [boxes[value].x for value in above if value in boxes]
    return sum(places) / len(places) if places else 0.0


def _width(value: str) -> float:
    return 0.3 + 0.078 * min(len(value), 24)


def _row_width(row: Sequence[str]) -> float:
    return sum(_width(value) for value in row) + _GAP * (len(row) - 1)


def _node(axes: Axes, ranking: ValueRanking, name: str, box: _Box) -> None:
    value = ranking.value(name)
    is_alone = not any(name in pair for pair in layers(ranking).pairs)
    axes.add_patch(
        FancyBboxPatch(
            (box.x - box.width / 2, box.y - _HEIGHT / 2),
            box.width,
            _HEIGHT,
            boxstyle="round,pad=0,rounding_size=0.07",
            facecolor=COLOURS["wash"],
            edgecolor=COLOURS["muted" if is_alone else "blue"],
            linestyle=(0, (2, 2)) if is_alone else "solid",
            linewidth=1.1,
            zorder=3,
        )
    )
    where: dict[str, Any] = {"ha": "center", "va": "center", "zorder": 4}
    axes.text(box.x, box.y - 0.075, short(name, 24), fontsize=8.5, fontweight="bold", **where)
    strength = number(value.strength if value else None)
    axes.text(box.x, box.y + 0.105, strength, fontsize=7, color=COLOURS["muted"], **where)


def _arrows(axes: Axes, ranking: ValueRanking, boxes: Mapping[str, _Box]) -> None:
    weights = {(edge.over, edge.under): edge.weight for edge in ranking.edges}
    heaviest = max(weights.values(), default=1.0)
    labels: list[tuple[float, float]] = []
    for over, under in layers(ranking).pairs:
        ahead, behind = weights.get((over, under), 0.0), weights.get((under, over), 0.0)
        is_direct = ahead + behind > 0
        _arrow(axes, boxes[over], boxes[under], ahead / heaviest, is_direct)
        if is_direct:
            labels.append(_free_place(boxes[over], boxes[under], labels))
            _label(axes, labels[-1], _votes(ahead, behind))


def _arrow(axes: Axes, start: _Box, end: _Box, share: float, is_direct: bool) -> None:
    bend = 0.0 if end.row - start.row == 1 else 0.18 * (1 if end.x >= start.x else -1)
    axes.add_patch(
        FancyArrowPatch(
            (start.x, start.y + _HEIGHT / 2),
            (end.x, end.y - _HEIGHT / 2),
            connectionstyle=f"arc3,rad={bend}",
            arrowstyle="-|>,head_length=4,head_width=2.2",
            linewidth=0.8 + 2.2 * share,
            linestyle="solid" if is_direct else (0, (3, 2)),
            color=COLOURS["muted"],
            shrinkA=0,
            shrinkB=0,
            zorder=1,
        )
    )


def _free_place(
    start: _Box, end: _Box, taken: Sequence[tuple[float, float]]
) -> tuple[float, float]:
    """Return the place along the arrow that is farthest from labels already there."""
    along = (0.5, 0.34, 0.66, 0.2, 0.8)
    top, bottom = start.y + _HEIGHT / 2, end.y - _HEIGHT / 2
    places = [(start.x + t * (end.x - start.x), top + t * (bottom - top)) for t in along]

    def crowding(place: tuple[float, float]) -> float:
        # a label is about three times as wide as high
        gaps = (max(abs(place[0] - x) / 3, abs(place[1] - y)) for x, y in taken)
        return -min(0.16, min(gaps, default=0.16))

    return min(places, key=crowding)


def _label(axes: Axes, place: tuple[float, float], words: str) -> None:
    axes.text(
        *place,
        words,
        ha="center",
        va="center",
        fontsize=6.8,
        bbox={"facecolor": COLOURS["paper"], "edgecolor": "none", "pad": 0.8},
        zorder=2,
    )


def _votes(ahead: float, behind: float) -> str:
    # raw votes hold nothing equal, so they may contradict the estimate: that must be seen
    return f"{ahead:.0f} : {behind:.0f}{' !' if behind > ahead else ''}"


def _footnote(ranking: ValueRanking) -> str:
    return (
        f"n = {ranking.contested} contested choices, {ranking.clusters} episodes, faults "
        f"{percent(ranking.fault_rate)}; arrows: separated at 95 %, votes for : against"
    )


def _words(ranking: ValueRanking) -> str:
    pairs = layers(ranking).pairs
    return "; ".join(f"{short(u, 24)} over {short(v, 24)}" for u, v in pairs) or "no pair separated"
