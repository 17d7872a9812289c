"""The report's charts: each is a function from records to one SVG element."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import nan

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from valuesim.measures.interval import Rate
from valuesim.report.canvas import COLOURS, Span, dots, lines, new_figure, style, to_svg
from valuesim.report.faults import FaultRow
from valuesim.report.scarcity import Curve, Level
from valuesim.report.text import percent

_PANEL, _PLOT = 2.75, 1.2
"""Inches: the width of a small figure, the height of what is plotted in it."""
NONE = "none"
"""What stands where there was no occasion, so no rate."""
_CHARACTER = 0.055
"""Inches that a character of a tick's label takes, at most, on average."""


def curve_panel(curve: Curve, name: str, group: str) -> str:
    """Return one rate over the levels of scarcity, with its intervals and n."""
    rates = [rate for _, rate in curve.points]
    ticks = [_tick(*point) for point in curve.points]
    absent = ["faults" if lost else NONE for lost in curve.lost or (0,) * len(ticks)]
    with style():
        figure = rate_panel((curve.title, curve.unit), range(len(rates)), rates, ticks, absent)
        return to_svg(figure, name, f"{group}: {_read_out(curve)}")


def rate_panel(
    words: tuple[str, str],
    places: Sequence[float],
    rates: Sequence[Rate],
    ticks: Sequence[str],
    absent: Sequence[str],
) -> Figure:
    """Return a small figure of `rates` at `places`; `words` are its title, if any, and unit.

    `absent` says, place by place, what stands there if there is no rate.
    """
    title, unit = words
    margin = 0.5 * (places[-1] - places[0]) / max(len(places) - 1, 1) or 0.5
    is_crowded = _is_crowded(places, ticks, places[-1] - places[0] + 2 * margin)
    labels = [tick.replace("\n", ", ") for tick in ticks] if is_crowded else list(ticks)
    axes = _frame(title, labels, is_crowded=is_crowded)
    _points(axes, places, rates, absent)
    # a level without a rate breaks the line
    values = [nan if rate.value is None else rate.value for rate in rates]
    axes.plot(places, values, color=COLOURS["blue"], linewidth=1.1, zorder=2)
    # above a marker at 100 %
    axes.text(0, 1.1, unit, transform=axes.transAxes, fontsize=7, color=COLOURS["muted"])
    axes.set_xticks(list(places), labels, rotation=90 if is_crowded else 0)
    axes.tick_params(axis="x", labelsize=6.6)
    axes.set_xlim(places[0] - margin, places[-1] + margin)
    _share_axis(axes)
    return axes.figure  # type: ignore[return-value] # of these axes it is no part of another


def _frame(title: str, labels: Sequence[str], *, is_crowded: bool) -> Axes:
    """Return the axes of a small figure, with room for a title, if any, and for the labels."""
    lines = max(label.count("\n") for label in labels) + 1
    below = 0.12 + (_CHARACTER * max(map(len, labels)) if is_crowded else 0.03 + 0.1 * lines)
    above = 0.46 if title else 0.28
    height = _PLOT + above + below
    figure = Figure(figsize=(_PANEL, height))
    axes = figure.add_axes((0.135, below / height, 0.855, _PLOT / height))
    if title:
        axes.set_title(f"{title}\n", loc="left", fontsize=8.5, fontweight="bold", pad=9)
    return axes


def _is_crowded(places: Sequence[float], ticks: Sequence[str], span: float) -> bool:
    """Return whether labels of neighbours would run into each other, side by side."""
    widths = [_CHARACTER * max(map(len, tick.split("\n"))) for tick in ticks]
    gaps = [0.855 * _PANEL * (after - before) / span for before, after in pairwise(places)]
    return any(
        gap < (one + other) / 2 for gap, one, other in zip(gaps, widths, widths[1:], strict=False)
    )


def _points(
    axes: Axes, places: Sequence[float], rates: Sequence[Rate], absent: Sequence[str]
) -> None:
    spans: list[Span] = []
    marked: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    for x, rate, word in zip(places, rates, absent, strict=True):
        if rate.value is None:
            axes.text(x, 0.04, word, ha="center", fontsize=6.6, color=COLOURS["muted"])
            continue
        if rate.low is not None and rate.high is not None:
            spans.append((rate.low, rate.high, x))
        marked[rate.low is not None].append((x, rate.value))
    lines(axes, spans, is_upright=True, color=COLOURS["ink"], linewidth=1.2, zorder=3)
    for is_known, points in marked.items():
        dots(
            axes,
            points,
            marker="o",
            markersize=5.5,
            markerfacecolor=COLOURS["blue" if is_known else "paper"],
            markeredgecolor=COLOURS["blue"],
            zorder=4,
            clip_on=False,
        )


def _share_axis(axes: Axes) -> None:
    axes.set_ylim(-0.03, 1.03)
    axes.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"], fontsize=7)
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)


def _tick(level: Level, rate: Rate) -> str:
    lines = [level.name, "" if level.stock == level.name else level.stock, level.regime]
    return "\n".join([*(line for line in lines if line), f"n {rate.n:,.0f}"])


def _read_out(curve: Curve) -> str:
    points = (
        f"{level.name} ({level.regime}) {percent(rate.value)}"
        f" [{percent(rate.low)} to {percent(rate.high)}], n {rate.n:,.0f}"
        for level, rate in curve.points
    )
    return f"{curve.title}, {curve.unit}: {'; '.join(points)}"


_FAULT_LOOKS = {
    "unparsed": ("sky", ""),
    "illegal": ("orange", "////"),
    "refused": ("vermillion", "\\\\\\\\"),
    "ambivalent": ("purple", "xxxx"),
}


def fault_bars(rows: Sequence[FaultRow], name: str) -> str:
    """Return stacked bars of faults by kind, one bar a row, with the interval of the total."""
    with style():
        figure, axes = new_figure(8.2, 0.75 + 0.3 * len(rows))
        for y, row in enumerate(rows):
            _fault_bar(axes, y, row)
        axes.set_yticks(range(len(rows)), [row.label for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(left=0)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: percent(share)))
        axes.set_xlabel("share of decisions that were faults")
        axes.grid(axis="x")
        handles, labels = axes.get_legend_handles_labels()
        kinds = dict(zip(labels, handles, strict=True))
        figure.legend(
            kinds.values(), kinds.keys(), loc="outside upper left", ncols=4, frameon=False
        )
        return to_svg(figure, name, "; ".join(_fault_words(row) for row in rows))


def _fault_bar(axes: Axes, y: float, row: FaultRow) -> None:
    left = 0.0
    for kind, share in row.shares:
        colour, hatch = _FAULT_LOOKS[kind]
        axes.barh(
            y,
            share,
            left=left,
            height=0.62,
            color=COLOURS[colour],
            hatch=hatch,
            edgecolor=COLOURS["ink"],
            linewidth=0.6,
            label=kind,
        )
        left += share
    if row.total.low is not None and row.total.high is not None:
        axes.plot([row.total.low, row.total.high], [y, y], color=COLOURS["ink"], linewidth=1.4)


def _fault_words(row: FaultRow) -> str:
    return f"{row.label}: " + ", ".join(f"{kind} {percent(share)}" for kind, share in row.shares)
