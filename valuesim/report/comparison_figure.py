"""Two drawings of a comparison: strengths level by level, and the gaps of stated to revealed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from valuesim.graph.compared import Comparison, Gap
from valuesim.report.canvas import COLOURS, dots, lines, new_figure, style, to_svg
from valuesim.report.drawing import graph_format
from valuesim.report.text import number, short

_OF_LEVELS = ("blue", "orange", "green", "vermillion", "purple", "sky", "ink", "muted")
_MARKS = "osD^vPX*"
_SPREAD = 0.5


def level_dots(found: Comparison, values: Sequence[str], name: str, group: str) -> str:
    """Return the strengths of `values` (at least one) at each level, with 95 % intervals, as SVG.

    A hollow mark is a strength that the prior alone bounds.
    """
    with style():
        return to_svg(_level_figure(found, values), name, _levels_told(found, values, group))


def gap_dots(gaps: Sequence[Gap], name: str, group: str) -> str:
    """Return the gaps (at least one) of one stated to one revealed level, with intervals, as SVG.

    A filled mark is a sure gap.
    """
    with style():
        told = "; ".join(
            f"{short(gap.value, 28)} {number(gap.gap)} [{number(gap.low)} to {number(gap.high)}]"
            for gap in gaps
        )
        title = f"Gaps of {group}, {gaps[0].stated} less {gaps[0].revealed}: {told}"
        return to_svg(_gap_figure(gaps), name, title)


def save_comparison(found: Comparison, path: Path, group: str) -> None:
    """Draw `found` to `path`, as its suffix says: .png or .svg.

    Without strengths or gaps the drawing says why. Raises InputError for another suffix, OSError
    for a path that cannot be written.
    """
    kind = graph_format(path)
    with style():
        if found.values:
            figure = _level_figure(found, found.values)
        elif found.gaps:
            figure = _gap_figure(sides(found)[-1])
        else:
            figure, axes = new_figure(5.2, 0.8)
            axes.set_axis_off()
            axes.text(0, 0.5, found.why or "No strengths can be compared.", fontsize=8)
        figure.suptitle(short(group, 70), x=0.02, ha="left", fontsize=9, fontweight="bold")
        figure.set_facecolor(COLOURS["paper"])
        metadata = {"Date": None} if kind == "svg" else None
        figure.savefig(path, format=kind, dpi=200, metadata=metadata)


def sides(found: Comparison) -> list[tuple[Gap, ...]]:
    """Return the gaps by the two levels they are between, in order."""
    between = dict.fromkeys((gap.stated, gap.revealed) for gap in found.gaps)
    return [tuple(g for g in found.gaps if (g.stated, g.revealed) == side) for side in between]


def _level_figure(found: Comparison, values: Sequence[str]) -> Figure:
    levels = list(found.strengths)
    height = 0.75 + len(values) * max(0.24, 0.11 * len(levels))
    figure, axes = new_figure(5.2, height)
    step = _SPREAD / max(len(levels) - 1, 1)
    bounded = {each.level: set(each.separated) for each in found.counts}
    for place, level in enumerate(levels):
        colour = COLOURS[_OF_LEVELS[place % len(_OF_LEVELS)]]
        own = found.strengths[level]
        at = {value: row - _SPREAD / 2 + place * step for row, value in enumerate(values)}
        spans = [(own[value].low, own[value].high, y) for value, y in at.items()]
        lines(axes, spans, color=colour, linewidth=1.4, zorder=2)
        for is_bounded in (False, True):
            dots(
                axes,
                [
                    (own[value].strength, y)
                    for value, y in at.items()
                    if (value in bounded[level]) is is_bounded
                ],
                marker=_MARKS[place % len(_MARKS)],
                markersize=4.6,
                color=colour,
                markerfacecolor=COLOURS["paper"] if is_bounded else colour,
                zorder=3,
            )
    _rows(axes, values)
    axes.set_xlabel("strength in log-odds, 0 = mean; whisker: 95 % interval", fontsize=7.5)
    _legend(axes, levels)
    return figure


def _legend(axes: Axes, levels: Sequence[str]) -> None:
    handles = [
        Line2D(
            [],
            [],
            color=COLOURS[_OF_LEVELS[place % len(_OF_LEVELS)]],
            marker=_MARKS[place % len(_MARKS)],
            markersize=4.6,
            linewidth=1.4,
            label=short(level, 24),
        )
        for place, level in enumerate(levels)
    ]
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=min(len(levels), 4),
        frameon=False,
        fontsize=7.5,
        borderpad=0.1,
        handlelength=1.6,
        columnspacing=1.2,
    )


def _gap_figure(gaps: Sequence[Gap]) -> Figure:
    figure, axes = new_figure(5.2, 0.75 + 0.22 * len(gaps))
    # a value hardly ever at stake has an interval that would squeeze all others
    reach = 1.15 * max(4.0, *(abs(gap.gap) + 0.5 for gap in gaps))
    for is_gap in (False, True):
        colour = COLOURS["vermillion" if is_gap else "blue"]
        own = [(gap, float(y)) for y, gap in enumerate(gaps) if gap.is_gap is is_gap]
        spans = [(max(gap.low, -reach), min(gap.high, reach), y) for gap, y in own]
        lines(axes, spans, color=colour, linewidth=1.6, zorder=2)
        dots(
            axes,
            [(gap.gap, y) for gap, y in own],
            marker="o",
            markersize=5,
            color=colour,
            markerfacecolor=colour if is_gap else COLOURS["paper"],
            zorder=3,
        )
    _rows(axes, [gap.value for gap in gaps])
    axes.set_xlabel(
        "said less done, in standard deviations of strength; whisker: 95 % interval", fontsize=7.5
    )
    return figure


def _rows(axes: Axes, values: Sequence[str]) -> None:
    axes.set_yticks(range(len(values)), [short(value, 28) for value in values])
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.axvline(0, color=COLOURS["muted"], linewidth=0.8, linestyle=(0, (3, 2)), zorder=1)
    axes.grid(axis="x")
    axes.margins(x=0.06)
    axes.spines["left"].set_visible(False)


def _levels_told(found: Comparison, values: Sequence[str], group: str) -> str:
    rows = (
        f"{short(value, 28)} at {short(level, 24)} {number(each.strength)} "
        f"[{number(each.low)} to {number(each.high)}]"
        for value in values
        for level in found.strengths
        for each in [found.strengths[level][value]]
    )
    return f"Strengths of {group}: {'; '.join(rows)}"
