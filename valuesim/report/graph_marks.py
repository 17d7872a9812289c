"""Draws a value of the graph: its name, its strength and interval as figures and as a whisker."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from valuesim.graph import ValueRanking
from valuesim.report.canvas import COLOURS
from valuesim.report.graph_places import BOX_HEIGHT, Box, Layout
from valuesim.report.text import number, short

_LONGEST = 22
"""Characters of a name on a line of its box; it may have two."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """The one scale of all whiskers: the least lower and the greatest upper bound."""

    low: float
    high: float

    @classmethod
    def of(cls, ranking: ValueRanking, layout: Layout) -> Scale:
        """Return the scale of the values that are placed; they have intervals."""
        drawn = [value for value in ranking.values if value.value in layout.boxes]
        return cls(
            low=min((v.low for v in drawn if v.low is not None), default=-1.0),
            high=max((v.high for v in drawn if v.high is not None), default=1.0),
        )

    def place(self, strength: float, box: Box) -> float:
        """Return where on the whisker's line in `box` a strength stands."""
        share = (strength - self.low) / max(self.high - self.low, 1e-9)
        return box.x + (share - 0.5) * (box.width - 0.28)

    def depth(self, strength: float) -> float:
        """Return how deep a box is coloured, in [0, 1]: the strength's part of the widest."""
        return min(1.0, abs(strength) / max(abs(self.low), abs(self.high), 1e-9))


def node(axes: Axes, ranking: ValueRanking, name: str, box: Box, scale: Scale) -> None:
    """Draw the box of a value: its name, its strength and interval as figures and as a whisker."""
    value = ranking.value(name)
    strength = value.strength if value and value.strength is not None else 0.0
    for colour, depth, edge in (
        (COLOURS["paper"], 1.0, "none"),
        (COLOURS["blue" if strength >= 0 else "orange"], 0.06 + 0.4 * scale.depth(strength), None),
    ):
        axes.add_patch(
            FancyBboxPatch(
                (box.x - box.width / 2, box.y - BOX_HEIGHT / 2),
                box.width,
                BOX_HEIGHT,
                boxstyle="round,pad=0,rounding_size=0.07",
                facecolor=(colour, depth),
                edgecolor=edge or COLOURS["muted"],
                linestyle=(0, (3, 2)) if box.is_alone else "solid",
                linewidth=0.9,
                zorder=3,
            )
        )
    where: dict[str, Any] = {"ha": "center", "va": "center", "zorder": 4}
    lines = wrap(short(name, 2 * _LONGEST), _LONGEST) or [""]
    size = 8.5 if len(lines) == 1 else 6.6
    named = "\n".join([*lines[:1], short("".join(lines[1:]), _LONGEST)] if lines[1:] else lines)
    axes.text(box.x, box.y - 0.18, named, fontsize=size, fontweight="bold", **where)
    if value is None or value.low is None or value.high is None:
        return
    figures = f"{number(strength)} ({number(value.low)} to {number(value.high)})"
    axes.text(box.x, box.y + 0.03, figures, fontsize=7.2, **where)
    y = box.y + 0.21
    ends = [scale.place(bound, box) for bound in (value.low, value.high)]
    axes.plot(ends, [y, y], color=COLOURS["ink"], linewidth=1.3, zorder=4, solid_capstyle="butt")
    axes.plot(scale.place(strength, box), y, "o", color=COLOURS["ink"], markersize=3.4, zorder=5)
    if scale.low < 0 < scale.high:
        zero = scale.place(0.0, box)
        axes.plot(
            [zero, zero], [y - 0.06, y + 0.06], color=COLOURS["muted"], linewidth=0.8, zorder=4
        )
