"""One measure's panel drawn: dots and intervals in a list, or curves along an axis.

References (people, equilibria) are drawn behind, each with its own mark, and named below.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from valuesim.measures.panel import Estimate, Panel, Reference
from valuesim.report.canvas import COLOURS, dots, lines, style, to_svg
from valuesim.report.text import number, percent, short

_LOOKS = (("orange", "D"), ("green", "s"), ("purple", "^"), ("vermillion", "v"), ("sky", "P"))
_CURVES = ("blue", "vermillion", "green", "purple", "orange", "sky")
_MOST_NUMERALS = 12
_FEWEST = 3
"""The shortest list that is drawn."""
_WIDTH, _ABOVE, _BELOW, _RIGHT = 5.2, 0.08, 0.42, 0.18
_LINE = 0.155
"""Inches: the width of a figure, its margins, a line of the legend."""
_CHARACTER = 0.064
"""Inches that a character of a label takes, at most, on average."""
_LOG_FROM = 30
"""The largest place over the smallest, from which an axis is logarithmic."""


def panel_figure(panel: Panel, name: str, group: str) -> str | None:
    """Return `panel` as an SVG element; None where a table says it better, or nothing is known.

    A list of one or two figures is left to the table.
    """
    known = sum(estimate.value is not None for estimate in panel.estimates)
    if not known or (panel.axis is None and len(panel.estimates) < _FEWEST):
        return None
    with style():
        figure = (_list if panel.axis is None else _curves)(panel)
        return to_svg(figure, name, f"{group}: {_read_out(panel)}")


def _framed(height: float, left: float, legend: int) -> tuple[Figure, Axes]:
    """Return a figure whose axes are `height` inches, with room for so many lines of a legend.

    Margins are set, not sought: looking for them takes longer than drawing.
    """
    below = _BELOW + _LINE * legend
    whole = _ABOVE + height + below
    figure = Figure(figsize=(_WIDTH, whole))
    width = _WIDTH - left - _RIGHT
    return figure, figure.add_axes((left / _WIDTH, below / whole, width / _WIDTH, height / whole))


def _explained(figure: Figure, axes: Axes) -> None:
    """Write below the axes what their marks mean, where they need it."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        named = dict(zip(labels, handles, strict=True))
        figure.legend(
            named.values(),
            named.keys(),
            loc="lower left",
            bbox_to_anchor=(0.0, 0.0),
            borderpad=0.1,
            labelspacing=0.35,
            frameon=False,
            fontsize=7,
        )


def _list(panel: Panel) -> Figure:
    rows = panel.estimates
    names = [f"{short(e.label, 34)} (n {e.n:,})" for e in rows]
    left = 0.2 + _CHARACTER * max(map(len, names))
    figure, axes = _framed(0.24 * len(rows) + 0.1, left, len(panel.references))
    places = {estimate.label: y for y, estimate in enumerate(rows)}
    for place, reference in enumerate(panel.references):
        known = [
            (p.value, places[p.label])
            for p in reference.points
            if p.label in places and p.value is not None
        ]
        _marks(axes, [x for x, _ in known], [y for _, y in known], reference, place)
    _whiskers(axes, rows)
    axes.set_yticks(range(len(rows)), names)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel(panel.unit, fontsize=7.5)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    _scaled(panel, axes, "x")
    _explained(figure, axes)
    return figure


def _marks(
    axes: Axes, xs: Sequence[float], ys: Sequence[float], reference: Reference, place: int
) -> None:
    colour, marker = _LOOKS[place % len(_LOOKS)]
    axes.plot(
        xs,
        ys,
        linestyle="",
        marker=marker,
        markersize=6.5,
        markerfacecolor="none",
        markeredgecolor=COLOURS[colour],
        markeredgewidth=1.3,
        label=short(reference.label, 90),
        zorder=2,
    )


def _whiskers(axes: Axes, rows: Sequence[Estimate]) -> None:
    for y, estimate in enumerate(rows):
        if estimate.value is None:
            axes.text(
                0.01,
                y,
                "none",
                transform=axes.get_yaxis_transform(),
                va="center",
                fontsize=6.6,
                color=COLOURS["muted"],
            )
    known = [(each.value, y, each) for y, each in enumerate(rows) if each.value is not None]
    spans = [
        (each.low, each.high, float(y))
        for _, y, each in known
        if each.low is not None and each.high is not None
    ]
    lines(axes, spans, color=COLOURS["ink"], linewidth=1.4)
    points = [(x, float(y)) for x, y, _ in known]
    dots(axes, points, marker="o", markersize=5.5, color=COLOURS["blue"], zorder=4)


def _curves(panel: Panel) -> Figure:
    labels = list(dict.fromkeys(e.label for e in panel.estimates))
    lines = len(panel.references) + (len(labels) if len(labels) > 1 else 0)
    figure, axes = _framed(1.7, 0.78, lines)
    for place, reference in enumerate(panel.references):
        points = sorted(
            (p.at, p.value) for p in reference.points if p.at is not None and p.value is not None
        )
        colour, marker = _LOOKS[place % len(_LOOKS)]
        axes.plot(
            [at for at, _ in points],
            [value for _, value in points],
            linestyle=(0, (4, 2)),
            marker=marker,
            markersize=5,
            markerfacecolor="none",
            color=COLOURS[colour],
            linewidth=1,
            label=short(reference.label, 90),
            zorder=2,
        )
    for place, label in enumerate(labels):
        own = [e for e in panel.estimates if e.label == label]
        _curve(axes, own, _CURVES[place % len(_CURVES)], label if len(labels) > 1 else None)
    _ticks(axes, panel)
    axes.set_xlabel(panel.axis or "", fontsize=7.5)
    axes.set_ylabel(fill(short(panel.unit, 60), 30), fontsize=7.5)
    axes.grid(axis="y")
    _scaled(panel, axes, "y")
    _explained(figure, axes)
    return figure


def _curve(axes: Axes, own: Sequence[Estimate], colour: str, label: str | None) -> None:
    known = sorted(
        (e.at, e.value, e.low, e.high) for e in own if e.at is not None and e.value is not None
    )
    axes.plot(
        [at for at, *_ in known],
        [value for _, value, *_ in known],
        marker="o",
        markersize=5,
        color=COLOURS[colour],
        linewidth=1.2,
        label=None if label is None else short(label, 60),
        zorder=4,
    )
    spans = [(low, high, at) for at, _, low, high in known if low is not None and high is not None]
    lines(axes, spans, is_upright=True, color=COLOURS[colour], linewidth=1, zorder=3)


def _ticks(axes: Axes, panel: Panel) -> None:
    places = sorted({e.at for e in panel.estimates if e.at is not None})
    positive = places and places[0] > 0
    if positive and places[-1] / places[0] >= _LOG_FROM:
        axes.set_xscale("log")
        axes.minorticks_off()
    if len(places) <= _MOST_NUMERALS:
        axes.set_xticks(places, [f"{place:g}" for place in places])


def _scaled(panel: Panel, axes: Axes, which: str) -> None:
    low, high = panel.bounds
    axis = axes.xaxis if which == "x" else axes.yaxis
    if (low, high) == (0.0, 1.0):
        axis.set_major_formatter(FuncFormatter(lambda share, _: percent(share)))
    set_limits = axes.set_xlim if which == "x" else axes.set_ylim
    if low is not None and high is not None:
        margin = 0.03 * (high - low)
        set_limits(low - margin, high + margin)
    elif which == "x":
        axes.axvline(0, color=COLOURS["muted"], linewidth=0.8, linestyle=(0, (3, 2)), zorder=1)


def _read_out(panel: Panel) -> str:
    rows = (
        f"{short(e.label, 34)}{'' if e.at is None else f' at {e.at:g}'} {number(e.value)} "
        f"[{number(e.low)} to {number(e.high)}], n {e.n:,}"
        for e in panel.estimates
    )
    return f"{panel.title}, {panel.unit}: {'; '.join(rows)}"
