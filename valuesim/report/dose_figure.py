"""A dose and its response drawn: the rate of one act over what was turned up."""

from __future__ import annotations

from math import log2

from valuesim.archetypes import DoseLevel, DoseTable
from valuesim.graph.statement import count
from valuesim.measures.interval import Rate
from valuesim.report.canvas import style, to_svg
from valuesim.report.figures import NONE, rate_panel
from valuesim.report.text import percent, short, shown

_SCARCITY = "scarcity"
_PRICED = ("stake", "penalty")
"""The doses that differ between episodes, or within them as on a price list."""
_SHARES = {
    "transgression": "transgressions per opportunity",
    "defection": "defections per move",
    "risk": "risky options per choice",
}


def about(table: DoseTable) -> str:
    """Return which act is set out over which dose, and where; safe to show once escaped."""
    design = f", {table.design} episodes" if table.dose in _PRICED else ""
    return f"{table.act.capitalize()} by {table.dose}{design}: {shown(table.env, 60)}"


def dose_panel(table: DoseTable, name: str, group: str) -> str:
    """Return the rate of one act over the levels of a dose, with its intervals and n.

    Numbers stand at their logarithms, named levels at equal steps.
    """
    levels = table.levels
    numbers = [level.level for level in levels if isinstance(level.level, float)]
    is_scaled = len(numbers) == len(levels) and table.dose != _SCARCITY
    places = [log2(number) for number in numbers] if is_scaled else range(len(levels))
    rates = [
        Rate(value=each.rate, low=each.low, high=each.high, n=each.possible) for each in levels
    ]
    with style():
        absent = ["faults" if each.faults else NONE for each in levels]
        words = "", _SHARES[table.act]
        figure = rate_panel(words, places, rates, list(map(_dosed, levels)), absent)
        return to_svg(figure, name, f"{group}: {_dose_told(table)}")


def _dosed(level: DoseLevel) -> str:
    lines = [short(_word(level.level), 12), f"n {level.possible:,}"]
    return "\n".join([*lines, *([count(level.faults, "fault")] if level.faults else [])])


def _word(level: str | float) -> str:
    return level if isinstance(level, str) else f"{level:g}"


def _dose_told(table: DoseTable) -> str:
    points = (
        f"{short(_word(each.level), 24)} {percent(each.rate)} [{percent(each.low)} to "
        f"{percent(each.high)}], n {each.possible:,}, {count(each.faults, 'fault')}"
        for each in table.levels
    )
    return f"{about(table)}: {'; '.join(points)}"
