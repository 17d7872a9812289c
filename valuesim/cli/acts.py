"""Prints what was done in games, over doses, and how what is put first shifts with scarcity."""

from __future__ import annotations

from collections.abc import Sequence

from valuesim.archetypes.conduct import IN_WORDS, ConductReport
from valuesim.archetypes.dose import DoseTable
from valuesim.archetypes.shift import Shift
from valuesim.cli.terminal import clean, interval, percent, print_table
from valuesim.graph.statement import count


def print_conduct(found: ConductReport) -> None:
    """Print the conduct in games of two, why, and the rates behind it."""
    faults = found.faults / found.decisions if found.decisions else None
    print(clean(f"  in games of two: {found.name}"))
    print(f"    {count(found.decisions, 'move')} in dilemmas, {percent(faults)} faults")
    told = [each for each in found.likenesses if each.probability is not None]
    if told:
        print(f"    posterior: {', '.join(f'{each.name} {each.probability:.2f}' for each in told)}")
    print(f"    why: {clean(found.why)}")
    if found.rates:
        columns = ("it cooperated", "done", "of", "rate", "95 % interval", "blind")
        rows = [
            (
                IN_WORDS[rate.name],
                rate.cooperated,
                rate.moves,
                percent(rate.rate),
                _ends(rate.low, rate.high),
                percent(rate.blind),
            )
            for rate in found.rates
        ]
        print_table("moves in dilemmas of two", columns, rows)


def print_dose(table: DoseTable) -> None:
    """Print the rate of an act at each level of a dose, and the trend."""
    columns = (table.dose, "done", "of", "faults", "rate", "95 % interval")
    rows = [
        (
            level.level if isinstance(level.level, str) else f"{level.level:g}",
            level.done,
            level.possible,
            level.faults,
            percent(level.rate),
            _ends(level.low, level.high),
        )
        for level in table.levels
    ]
    design = f", {table.design} episodes" if table.dose in ("stake", "penalty") else ""
    print_table(f"{table.env}: {table.act} by {table.dose}{design}", columns, rows)
    trend = table.trend
    if trend is None:
        print(f"  trend: undetermined: {clean(table.why)}")
        return
    bounded = "; never contradicted: bounded by the prior only" if trend.is_separated else ""
    ends = interval(trend.low, trend.high) or "interval not known: one cluster"
    print(f"  trend: {trend.value:+.2f} log-odds ({ends}), {clean(table.step)}{bounded}")


def print_shifts(moved: Sequence[Shift]) -> None:
    """Print each signature's probability at every level of scarcity, and the change."""
    if not moved:
        return
    levels = list(dict.fromkeys(str(level.level) for shift in moved for level in shift.levels))
    rows = []
    for shift in moved:
        by_level = {str(level.level): level.probability for level in shift.levels}
        shown = [None if by_level.get(level) is None else by_level[level] for level in levels]
        change = (shift.change, interval(shift.low, shift.high), shift.against)
        rows.append((shift.name, *shown, *change))
    columns = ("flag", *(f"p at {level}" for level in levels), "change", "95 % interval", "against")
    print_table("signatures by scarcity; change of its lead, scarcest less most", columns, rows)
    for shift in moved:
        if shift.why:
            print(f"  {shift.name}: change undetermined: {clean(shift.why)}")


def _ends(low: float | None, high: float | None) -> str | None:
    return None if low is None or high is None else f"{percent(low)} to {percent(high)}"
