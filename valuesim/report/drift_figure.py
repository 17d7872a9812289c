"""Figures over ordered checkpoints: a line with its band for each, and where it changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from valuesim.graph.drift import Drift
from valuesim.graph.steps import TREND
from valuesim.report.canvas import COLOURS, new_figure, style
from valuesim.report.drawing import graph_format
from valuesim.report.text import short

_ACROSS = 4
_SIZE = (2.1, 1.5)


def save_drift(acts: Sequence[Drift], values: Sequence[Drift], path: Path, group: str) -> None:
    """Draw rates and strengths over checkpoints to `path`, as its suffix says: .png or .svg.

    Each has a small panel of its own; all strengths share one scale, and so do all rates. Bands are
    95 % intervals. What moved is drawn in red, and the checkpoints between which it changed with
    95 % are shaded. Without a figure the drawing says so. Raises InputError for another suffix,
    OSError for a path that cannot be written.
    """
    kind = graph_format(path)
    with style():
        figure = _figure(list(acts), list(values))
        told = "shaded: where it changed (95 %); red: moved; bands: 95 % intervals"
        title = f"{short(group, 40)}: {told}" if group != "all" else told
        figure.suptitle(title, x=0.02, ha="left", fontsize=8)
        figure.set_facecolor(COLOURS["paper"])
        metadata = {"Date": None} if kind == "svg" else None
        figure.savefig(path, format=kind, dpi=200, metadata=metadata)


def _figure(acts: list[Drift], values: list[Drift]) -> Figure:
    if not acts and not values:
        figure, axes = new_figure(5.2, 0.8)
        axes.set_axis_off()
        axes.text(0, 0.5, "No figure is known at two checkpoints.", fontsize=8)
        return figure
    every = [(each, 100.0, "per cent") for each in acts]
    every += [(each, 1.0, "log-odds") for each in values]
    rows = -(-len(every) // _ACROSS)
    across = min(_ACROSS, len(every))
    figure = Figure(figsize=(_SIZE[0] * across, _SIZE[1] * rows + 0.4), layout="constrained")
    panels = figure.subplots(rows, across, squeeze=False).ravel()
    reach = _reach(values)
    for axes in panels[len(every) :]:
        axes.set_axis_off()
    for axes, (each, scale, unit) in zip(panels[: len(every)], every, strict=True):
        _draw(axes, each, scale, unit)
        axes.set_ylim(*((-4, 104) if unit == "per cent" else reach))
    return figure


def _draw(axes: Axes, drift: Drift, scale: float, unit: str) -> None:
    points = [point for point in drift.points if point.value is not None]
    at = [point.at for point in points]
    middle = [scale * (point.value or 0.0) for point in points]
    colour = COLOURS["vermillion" if drift.moved else "blue"]
    banded = [point for point in points if point.low is not None and point.high is not None]
    axes.fill_between(
        [point.at for point in banded],
        [scale * (point.low or 0.0) for point in banded],
        [scale * (point.high or 0.0) for point in banded],
        color=colour,
        alpha=0.2,
        linewidth=0,
    )
    if drift.why is None:
        axes.plot(at, middle, color=colour, marker="o", markersize=3, linewidth=1.3)
    else:
        axes.plot(at, middle, color=COLOURS["muted"], marker="o", markersize=3, linestyle=":")
    _shade(axes, drift)
    axes.set_title("\n".join(wrap(short(drift.name, 68), 34)), fontsize=6.5, loc="left")
    first, last = drift.points[0].at, drift.points[-1].at
    axes.set_xlim(first - 0.04 * (last - first), last + 0.04 * (last - first))
    axes.set_ylabel(unit, fontsize=6)
    axes.tick_params(labelsize=6)
    axes.grid(axis="y")
    if unit == "log-odds":
        axes.axhline(0, color=COLOURS["muted"], linewidth=0.6, linestyle=(0, (3, 2)), zorder=1)


def _shade(axes: Axes, drift: Drift) -> None:
    when = drift.timing
    if when is not None and when.shape != TREND:
        ends = [drift.points[when.first].at, drift.points[when.last].at]
        axes.axvspan(*ends, color=COLOURS["orange"], alpha=0.18, linewidth=0, zorder=0)


def _reach(values: Sequence[Drift]) -> tuple[float, float]:
    """Return the common scale of strengths; those that the prior alone bounds would squeeze it."""
    known = [each for each in values if each.why is None] or list(values)
    ends = [abs(end) for d in known for p in d.points for end in (p.low, p.high) if end is not None]
    most = 1.05 * max([*ends, 1.0])
    return -most, most
