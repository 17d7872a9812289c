"""The value ranking of one group: a dot and an interval per value, and the range of its rank."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from matplotlib.axes import Axes

from valuesim.graph import ValueRanking, ValueStrength
from valuesim.report.canvas import COLOURS, dots, lines, new_figure, style, to_svg
from valuesim.report.text import number, short


def ranking_dots(ranking: ValueRanking, name: str, group: str) -> str:
    """Return the strengths of all values of `ranking` (at least one), strongest on top.

    Values that are not identified stand below, in grey, without a dot where nothing is known.
    """
    with style():
        figure, axes = new_figure(5.2, 0.62 + 0.24 * len(ranking.values))
        _rows(axes, ranking, COLOURS["blue" if ranking.coherence.is_coherent else "muted"])
        axes.set_yticks(range(len(ranking.values)), [short(v.value, 28) for v in ranking.values])
        for label, value in zip(axes.get_yticklabels(), ranking.values, strict=True):
            label.set_color(COLOURS["ink"] if value.is_identified else COLOURS["muted"])
        axes.set_ylim(len(ranking.values) - 0.4, -0.9)
        _dividers(axes, ranking)
        axes.axvline(0, color=COLOURS["muted"], linewidth=0.8, linestyle=(0, (3, 2)), zorder=1)
        axes.set_xlabel("strength in log-odds, 0 = mean; whisker: 95 % interval", fontsize=7.5)
        axes.grid(axis="x")
        axes.margins(x=0.06)
        axes.spines["left"].set_visible(False)
        _rank_column(axes)
        return to_svg(figure, name, _read_out(ranking, group))


def _dividers(axes: Axes, ranking: ValueRanking) -> None:
    """Draw a line between sets of values that nothing compares."""
    components = [v.component if v.strength is not None else -1 for v in ranking.values]
    for y, (above, below) in enumerate(pairwise(components)):
        if above != below:
            axes.axhline(y + 0.5, color=COLOURS["rule"], linewidth=1.2, zorder=1)


def _rows(axes: Axes, ranking: ValueRanking, colour: str) -> None:
    spans, marked = [], defaultdict[tuple[bool, bool], list[tuple[float, float]]](list)
    for y, value in enumerate(ranking.values):
        is_known = value.low is not None and value.high is not None
        if value.low is not None and value.high is not None:
            spans.append((value.low, value.high, float(y)))
        if value.strength is not None:
            marked[value.is_separated, is_known].append((value.strength, y))
        _rank_of(axes, y, value, COLOURS["ink" if is_known else "muted"])
    lines(axes, spans, color=colour, linewidth=1.8, zorder=2)
    for (is_separated, is_known), points in marked.items():
        dots(
            axes,
            points,
            marker="D" if is_separated else "o",
            markersize=5.5,
            color=colour if is_known else COLOURS["muted"],
            markerfacecolor=colour if is_known else COLOURS["paper"],
            zorder=3,
        )


def _rank_of(axes: Axes, y: float, value: ValueStrength, colour: str) -> None:
    axes.text(
        1.03,
        y,
        _rank(value),
        transform=axes.get_yaxis_transform(),
        va="center",
        fontsize=7.5,
        color=colour,
    )


def _rank_column(axes: Axes) -> None:
    axes.text(
        1.03,
        -0.75,
        "rank (95 %)",
        transform=axes.get_yaxis_transform(),
        va="center",
        fontsize=7,
        color=COLOURS["muted"],
    )


def _rank(value: ValueStrength) -> str:
    if value.rank is None:
        return "not identified"
    return f"{value.rank} ({value.rank_low}–{value.rank_high})"


def _read_out(ranking: ValueRanking, group: str) -> str:
    rows = (
        f"{short(v.value, 28)} {number(v.strength)} [{number(v.low)} to {number(v.high)}], "
        f"rank {_rank(v)}"
        for v in ranking.values
    )
    return f"Value ranking of {group}: {'; '.join(rows)}"
