"""One measure's panel drawn: dots and intervals in a list, or curves along an axis.

References (people, equilibria) are drawn behind, each with its own mark, and named below.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from valuesim.measures.panel import Estimate, Panel, Reference
from valuesim.report.canvas import COLOURS, new_figure, style, to_svg
from valuesim.report.text import number, percent, short

_LOOKS = (("orange", "D"), ("green", "s"), ("purple", "^"), ("vermillion", "v"), ("sky", "P"))
_CURVES = ("blue", "vermillion", "green", "purple", "orange", "sky")
_MOST_NUMERALS = 12
_LOG_FROM = 30
"""The largest place over the smallest, from which an axis is logarithmic."""


def panel_figure(panel: Panel, name: str, group: str) -> str | None:
    """Return `panel` as an SVG element, or None where no estimate has a figure."""
    if all(estimate.value is None for estimate in panel.estimates):
        return None
    with style():
        figure, axes = (_list if panel.axis is None else _curves)(panel)
        handles, labels = axes.get_legend_handles_labels()
        if handles:
            named = dict(zip(labels, handles, strict=True))
            figure.legend(
                named.values(),
                named.keys(),
                loc="outside lower left",
                ncols=1,
                frameon=False,
                fontsize=7,
            )
        return to_svg(figure, name, f"{group}: {_read_out(panel)}")


def _list(panel: Panel) -> tuple[Figure, Axes]:
    rows = panel.estimates
    figure, axes = new_figure(5.2, 0.75 + 0.24 * len(rows) + 0.17 * len(panel.references))
    places = {estimate.label: y for y, estimate in enumerate(rows)}
    for place, reference in enumerate(panel.references):
        known = [
            (p.value, places[p.label])
            for p in reference.points
            if p.label in places and p.value is not None
        ]
        _marks(axes, [x for x, _ in known], [y for _, y in known], reference, place)
    for y, estimate in enumerate(rows):
        _whisker(axes, estimate, y)
    axes.set_yticks(range(len(rows)), [f"{short(e.label, 34)}  n {e.n:,}" for e in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel(panel.unit, fontsize=7.5)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
    _scaled(panel, axes, "x")
    return figure, axes


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


def _whisker(axes: Axes, estimate: Estimate, y: float) -> None:
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
        return
    if estimate.low is not None and estimate.high is not None:
        axes.plot([estimate.low, estimate.high], [y, y], color=COLOURS["ink"], linewidth=1.4)
    axes.plot(estimate.value, y, marker="o", markersize=5.5, color=COLOURS["blue"], zorder=4)


def _curves(panel: Panel) -> tuple[Figure, Axes]:
    figure, axes = new_figure(5.2, 2.3 + 0.17 * len(panel.references))
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
    labels = list(dict.fromkeys(e.label for e in panel.estimates))
    for place, label in enumerate(labels):
        own = [e for e in panel.estimates if e.label == label]
        _curve(axes, own, _CURVES[place % len(_CURVES)], label if len(labels) > 1 else None)
    _ticks(axes, panel)
    axes.set_xlabel(panel.axis or "", fontsize=7.5)
    axes.set_ylabel(short(panel.unit, 44), fontsize=7.5)
    axes.grid(axis="y")
    _scaled(panel, axes, "y")
    return figure, axes


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
    for at, _, low, high in known:
        if low is not None and high is not None:
            axes.plot([at, at], [low, high], color=COLOURS[colour], linewidth=1, zorder=3)


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
        f"[{number(e.low)} to {number(e.high)}], n {e.n}"
        for e in panel.estimates
    )
    return f"{panel.title}, {panel.unit}: {'; '.join(rows)}"
