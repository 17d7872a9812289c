"""Two arms that played the same seeds: how much each rate and each value's strength differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from valuesim.graph.compared import Comparison
from valuesim.measures.acts import told_cells
from valuesim.measures.paired_acts import PairedActs
from valuesim.report.canvas import COLOURS, dots, lines, new_figure, style
from valuesim.report.drawing import graph_format
from valuesim.report.text import short

_WIDTH, _ROW, _MARGIN = 6.4, 0.22, 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """A difference with its interval, None where it is unknown; `is_known` its size."""

    label: str
    value: float
    low: float | None
    high: float | None
    moved: bool
    is_known: bool = True


def save_paired(acts: Sequence[PairedActs], strengths: Comparison, path: Path, group: str) -> None:
    """Draw the differences of rates and strengths to `path`, as its suffix says: .png or .svg.

    A filled mark moved, a hollow one may be 0, of a grey one the size is unknown. Without a
    difference the drawing says so. Raises InputError for another suffix, OSError for a path that
    cannot be written.
    """
    kind = graph_format(path)
    panels = {
        "rate, in percentage points": _rates(acts),
        "strength, in log-odds": _strengths(strengths),
    }
    with style():
        figure = _figure({title: rows for title, rows in panels.items() if rows})
        figure.suptitle(short(_title(strengths, group), 90), x=0.02, ha="left", fontsize=9)
        figure.set_facecolor(COLOURS["paper"])
        metadata = {"Date": None} if kind == "svg" else None
        figure.savefig(path, format=kind, dpi=200, metadata=metadata)


def _title(strengths: Comparison, group: str) -> str:
    levels = [each.level for each in strengths.counts]
    told = f"{levels[1]} less {levels[0]}" if len(levels) > 1 else ""
    return ": ".join(part for part in ("" if group == "all" else group, told) if part)


def _rates(acts: Sequence[PairedActs]) -> list[_Row]:
    named = told_cells(each.cell for own in acts for each in own.acts)
    return [
        _Row(
            label=named[each.cell],
            value=100 * each.difference.value,
            low=None if each.difference.low is None else 100 * each.difference.low,
            high=None if each.difference.high is None else 100 * each.difference.high,
            moved=each.moved,
        )
        for own in acts
        for each in own.acts
        if each.difference.value is not None
    ]


def _strengths(found: Comparison) -> list[_Row]:
    return [
        _Row(
            label=each.value,
            value=each.difference,
            low=each.low,
            high=each.high,
            moved=each.moved,
            is_known=not each.bounded,
        )
        for each in found.differences
    ]


def _figure(panels: dict[str, list[_Row]]) -> Figure:
    if not panels:
        figure, axes = new_figure(_WIDTH, 0.8)
        axes.set_axis_off()
        axes.text(0, 0.5, "No difference is known.", fontsize=8)
        return figure
    heights = [_MARGIN + _ROW * len(rows) for rows in panels.values()]
    figure = Figure(figsize=(_WIDTH, sum(heights) + 0.3), layout="constrained")
    every = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (title, rows) in zip(every, panels.items(), strict=True):
        _draw(axes, rows, title)
    return figure


def _draw(axes: Axes, rows: Sequence[_Row], title: str) -> None:
    reach = _reach(rows)
    for colour in ("muted", "blue", "vermillion"):
        _mark(axes, rows, colour, reach)
    axes.set_yticks(range(len(rows)), [short(row.label, 56) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.axvline(0, color=COLOURS["muted"], linewidth=0.8, linestyle=(0, (3, 2)), zorder=1)
    axes.grid(axis="x")
    axes.margins(x=0.06)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"difference of {title}", fontsize=7.5)
    axes.set_title(
        "whisker: 95 % interval; filled: moved; grey: size unknown", fontsize=7, loc="right"
    )


def _colour(row: _Row) -> str:
    return "vermillion" if row.moved else "blue" if row.is_known else "muted"


def _mark(axes: Axes, rows: Sequence[_Row], named: str, reach: float) -> None:
    colour = COLOURS[named]
    own = [(row, float(y)) for y, row in enumerate(rows) if _colour(row) == named]
    spans = [
        (max(row.low, -reach), min(row.high, reach), y)
        for row, y in own
        if row.low is not None and row.high is not None
    ]
    lines(axes, spans, color=colour, linewidth=1.6, zorder=2)
    dots(
        axes,
        [(min(max(row.value, -reach), reach), y) for row, y in own],
        marker="o",
        markersize=5,
        color=colour,
        markerfacecolor=colour if named == "vermillion" else COLOURS["paper"],
        zorder=3,
    )


def _reach(rows: Sequence[_Row]) -> float:
    # an interval that the prior alone bounds would squeeze all others
    known = [row for row in rows if row.is_known] or list(rows)
    ends = [abs(end) for row in known for end in (row.value, row.low, row.high) if end is not None]
    return 1.1 * max([*ends, 1.0])
