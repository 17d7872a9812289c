"""The figures of the page: coverage, calibration, error by size, widths of intervals."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.validity import coverage, error, permutation
from benchmarks.validity.measured import BAND, Measured
from valuesim.report.canvas import COLOURS, new_figure, style

Cells = Mapping[str, Measured]

SERIES = ("blue", "orange", "green", "purple")
SHAPES = ("o", "s", "^", "D")


def figures(measured: Mapping[str, Cells]) -> dict[str, str]:
    """Return the figures as SVG by name; same measurements, same bytes."""
    with style():
        return {
            "coverage": _svg(_coverage(measured["coverage"])),
            "calibration": _svg(_calibration(measured["coverage"])),
            "error": _svg(_error(measured["error"])),
            "widths": _svg(_widths(measured["permutation"])),
        }


def _svg(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(
        buffer,
        format="svg",
        metadata={"Date": None},
        facecolor=COLOURS["paper"],
        bbox_inches="tight",
        pad_inches=0.08,
    )
    return buffer.getvalue().decode()


def _coverage(cells: Cells) -> Figure:
    figure, axes = new_figure(6.6, 0.5 + 0.34 * len(cells))
    axes.axvspan(*(100 * limit for limit in BAND), color=COLOURS["wash"], lw=0)
    axes.axvline(95, color=COLOURS["muted"], lw=0.8)
    rows = np.arange(len(cells))[::-1]
    for number, (name, label) in enumerate(
        (
            ("strengths", "strengths"),
            ("differences", "differences"),
            ("right", "“u over w” stated at 92.5 to 97.5 %"),
        )
    ):
        means, errors = [], []
        for of in cells.values():
            if name == "right":
                mean, own = (each[coverage.NEAR_95] for each in of.share("right", "made"))
            else:
                mean, own = of.mean(name), of.error(name)
            means.append(100 * float(mean))
            errors.append(196 * float(own))
        axes.errorbar(
            means,
            rows + 0.22 - 0.22 * number,
            xerr=errors,
            fmt=SHAPES[number],
            color=COLOURS[SERIES[number]],
            ms=3.5,
            lw=1.0,
            label=label,
        )
    axes.set_yticks(rows, list(cells))
    axes.set_xlabel("right, % (bars: Monte Carlo error, 95 %; band: 93 to 97 %)")
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure


def _calibration(cells: Cells) -> Figure:
    figure, axes = new_figure(3.6, 3.3)
    axes.plot([50, 100], [50, 100], color=COLOURS["muted"], lw=0.8)
    pooled = coverage.pooled(cells)
    right, own = pooled.share("right", "made")
    said, _ = pooled.share("said", "made")
    axes.errorbar(
        100 * said, 100 * right, yerr=196 * own, fmt="o", color=COLOURS["blue"], ms=4, lw=1.0
    )
    axes.set_xlabel("probability stated, %")
    axes.set_ylabel("right, %")
    axes.grid(True)
    return figure


def _error(cells: Cells) -> Figure:
    figure = Figure(figsize=(7.4, 2.9), layout="constrained")
    panels = figure.subplots(1, len(error.DESIGNS), sharey=True)
    for axes, design in zip(panels, error.DESIGNS, strict=True):
        _error_panel(axes, cells, design)
    panels[0].set_ylim(bottom=0)
    panels[0].set_ylabel("pairs of values in the wrong order, %")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, frameon=False)
    return figure


def _error_panel(axes: Axes, cells: Cells, design: str) -> None:
    for number, method in enumerate(error.METHODS):
        means = [100 * float(cells[f"{design}, {n:,}"].mean(f"tau {method}")) for n in error.SIZES]
        # lines that coincide are told apart by their marks
        axes.plot(
            error.SIZES,
            means,
            marker=SHAPES[number],
            color=COLOURS[SERIES[number]],
            ms=4,
            lw=1.2,
            mfc="none",
            label=method,
        )
    axes.set_xscale("log")
    axes.set_xticks(error.SIZES, [f"{size:,}" for size in error.SIZES])
    axes.minorticks_off()
    axes.set_title(design.replace(", ", ",\n", 1), fontsize=8)
    axes.set_xlabel("decisions")
    axes.grid(True, axis="y")


def _widths(cells: Cells) -> Figure:
    figure, axes = new_figure(5.6, 2.9)
    places = np.arange(len(cells))
    for number, (name, label) in enumerate(permutation.METHODS.items()):
        widths = [permutation.widths(of, name) for of in cells.values()]
        known = [k for k, pair in enumerate(widths) if pair is not None]
        at = places[known] + 0.26 * (number - 1)
        stated = [pair[0] for pair in widths if pair is not None]
        true = [pair[1] for pair in widths if pair is not None]
        axes.bar(at, stated, 0.22, color=COLOURS[SERIES[number]], label=f"{label}: stated")
        axes.hlines(true, at - 0.13, at + 0.13, color=COLOURS["ink"], lw=2.0)
    axes.hlines([], [], [], color=COLOURS["ink"], lw=2.0, label="over repeats")
    axes.set_xticks(places, [f"{cell} dilemmas" for cell in cells])
    axes.set_ylabel("width of 95 % intervals, Elo")
    axes.legend(frameon=False)
    return figure
