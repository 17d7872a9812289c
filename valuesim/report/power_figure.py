"""Power against the size of a study, drawn so that people can choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from valuesim.report.canvas import COLOURS, new_figure, style
from valuesim.report.drawing import graph_format
from valuesim.report.text import short

_WIDTH, _HEIGHT = 7.2, 4.2
_LONGEST = 48
_COLOURS = ("blue", "vermillion", "green", "purple", "orange", "sky")
_DASHES = ("-", "--", ":")
_Z = 1.96


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerPoint:
    """The share of studies of one size that show what was asked, with its Monte Carlo error."""

    size: int
    share: float
    error: float


def save_power(
    lines: Mapping[str, Sequence[PowerPoint]], *, target: float, unit: str, path: Path
) -> None:
    """Draw each of `lines` over sizes in `unit`, and the share that was aimed at, to `path`.

    Bars are 95 % of the Monte Carlo error. Raises InputError for a suffix other than .png and .svg,
    OSError for a path that cannot be written.
    """
    kind = graph_format(path)
    looks = zip(cycle(_COLOURS), [dash for dash in _DASHES for _ in _COLOURS] * 9, strict=False)
    with style():
        figure, axes = new_figure(_WIDTH, _HEIGHT)
        figure.set_facecolor(COLOURS["paper"])
        axes.axhline(target, color=COLOURS["muted"], linewidth=0.8, linestyle=(0, (4, 3)))
        for (name, points), (colour, dashes) in zip(lines.items(), looks, strict=False):
            axes.errorbar(
                [point.size for point in points],
                [point.share for point in points],
                yerr=[_Z * point.error for point in points],
                color=COLOURS[colour],
                linestyle=dashes,
                marker="o",
                markersize=3,
                linewidth=1.2,
                label=short(name, _LONGEST),
            )
        axes.set(ylim=(0, 1.02), xlabel=unit, ylabel="studies that show it")
        axes.legend(frameon=False, loc="lower right")
        metadata = {"Date": None} if kind == "svg" else None
        figure.savefig(path, format=kind, dpi=200, metadata=metadata)
