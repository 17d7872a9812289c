"""A plan as tables, and drawn."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING

from valuesim.cli.terminal import clean, interval, percent, print_table
from valuesim.engine.prices import money
from valuesim.graph.statement import count
from valuesim.measures.acts import Cell
from valuesim.power.achieved import Achieved
from valuesim.power.rates import Figure
from valuesim.power.search import MOST_UNITS, Needed
from valuesim.power.strengths import Separated, StrengthPlan

if TYPE_CHECKING:
    from valuesim.cli.expense import Expense
    from valuesim.cli.plan import Planned, PlannedRate


def tell(found: Planned) -> None:
    """Print `found`: what is assumed, what is needed, what other sizes achieve, what it costs."""
    if found.rates:
        _tell_assumed(found)
        _tell_needed(found)
    most = max(
        (each for each in found.rates if each.episodes is not None),
        key=lambda each: each.episodes or 0,
        default=None,
    )
    if most is not None:
        _tell_sizes(most, found)
    if found.strengths is not None:
        _tell_strengths(found.strengths, found)
    if found.expense is not None:
        _tell_expense(found.expense)
    for note in found.notes:
        print(clean(note))
    print(clean(_command(found)))


def _command(found: Planned) -> str:
    if found.episodes is None:
        return "no number of episodes is named: the notes say why"
    given = [each for each in found.overrides if not each.startswith("episodes=")]
    command = " ".join(map(shlex.quote, [*given, f"episodes={found.episodes}"]))
    return f"to play one arm of it: valuesim run {command}"


def where(cell: Cell, rates: Sequence[PlannedRate]) -> str:
    """Return what sets `cell` apart from the others of `rates`, in words."""
    threat = {True: "threatened", False: "not threatened", None: ""}[cell.threatened]
    env = cell.env if len({each.cell.env for each in rates}) > 1 else ""
    return ", ".join(part for part in (env, cell.level, threat) if part) or cell.env


def _tell_assumed(found: Planned) -> None:
    rows = []
    for each in found.rates:
        grounds = each.plan.grounds
        possible = [pair[0] for pair in grounds.opportunities]
        rate = f"{each.plan.first:.2f} and {each.plan.second:.2f}"
        rows.append(
            [
                where(each.cell, found.rates),
                f"{sum(possible) / len(possible):.1f}",
                grounds.source,
                f"{rate} (worst case)"
                if grounds.rate is None
                else f"{rate} ({_from(grounds.rate)})",
                _from(grounds.likeness),
                _from(grounds.pairing),
            ]
        )
    columns = ("where", "opportunities", "as", "rates", "likeness", "pairing")
    told = (
        f"assumed of {found.asked.of}: opportunities of a {found.noun}, as whom they were counted; "
        "the two rates; how alike decisions of one episode are, and two arms on one seed"
    )
    print_table(told, columns, rows)


def _tell_needed(found: Planned) -> None:
    rows = [_needed_row(each, found) for each in found.rates]
    columns = [
        *("where", "same seeds", "own seeds", "for width", "range", "power", "episodes", "note")
    ]
    kept = [at for at in range(len(columns)) if any(row[at] not in (None, "-", "") for row in rows)]
    told = (
        f"needed for {percent(found.asked.aim.power)} power, in {found.noun}s of each arm; range: "
        "over what is assumed; episodes: of each cell"
    )
    print_table(told, [columns[at] for at in kept], [[row[at] for at in kept] for row in rows])


def _needed_row(each: PlannedRate, found: Planned) -> list[object]:
    plan = each.plan
    shown = plan.paired or plan.narrow
    return [
        where(each.cell, found.rates),
        _units(plan.paired),
        _units(plan.unpaired),
        _units(plan.narrow),
        "-" if plan.low is None else f"{plan.low:,} to {plan.high:,}",
        "-" if shown is None or shown.found is None else _power(shown.found),
        "-" if each.episodes is None else f"{each.episodes:,}",
        "; ".join([*([plan.why] if plan.why else []), *each.notes, *_jump(shown)]),
    ]


def _units(needed: Needed | None) -> str:
    if needed is None:
        return "-"
    return f"over {MOST_UNITS:,}" if needed.units is None else f"{needed.units:,}"


def _tell_sizes(most: PlannedRate, found: Planned) -> None:
    needed = most.plan.paired or most.plan.narrow
    assert needed is not None, "a number of episodes was named"
    rows = [[each.units, _power(each), each.width, each.rate_width] for each in needed.table]
    told = f"other sizes, {where(most.cell, found.rates)}: power, and mean widths of the intervals"
    print_table(told, (f"{found.noun}s", "power", "of the difference", "of a rate"), rows)


def _tell_strengths(plan: StrengthPlan, found: Planned) -> None:
    rows = [
        [each.episodes, each.decisions, each.clusters, _power(each), each.width]
        for each in plan.tried
    ]
    told = (
        f"{plan.over} before {plan.under} by {found.asked.strength:g} log-odds: episodes of each "
        "cell, and what studies of that size achieve"
    )
    columns = ("episodes", "decisions", f"{plan.unit}s", "power", "width of the difference")
    print_table(told, columns, rows)
    if plan.why:
        print(clean(plan.why))
    for name, pair in (("fewest", plan.easiest), ("most", plan.hardest)):
        if pair is not None:
            over, under, episodes = pair
            print(
                clean(
                    f"the pair that needs {name}: {over} and {under}, about {episodes:,} episodes"
                )
            )
    if plan.jump is not None:
        print(f"one episode fewer has {100 * plan.jump:.0f} points less power")


def _tell_expense(cost: Expense) -> None:
    spent = cost.spent
    cached = "not measured" if spent.cached_tokens is None else f"{spent.cached_tokens:,.0f}"
    rows = [
        ["episodes", f"{cost.episodes * cost.cells:,}"],
        ["decisions of models", f"{cost.decisions:,.0f}"],
        ["calls", f"{spent.calls:,.0f}"],
        ["prompt tokens", f"{spent.prompt_tokens:,.0f}"],
        ["of these cached", cached],
        ["completion tokens", f"{spent.completion_tokens:,.0f}"],
        ["dollars", "-" if cost.dollars is None else money(cost.dollars)],
        ["hours", "-" if cost.hours is None else f"{cost.hours:.2f}"],
    ]
    source = (
        "as the pilot measured"
        if cost.is_measured
        else (f"4 characters a token, {cost.completion:g} tokens a reply")
    )
    told = f"{count(cost.episodes, 'episode')} in each of {count(cost.cells, 'cell')}: {source}"
    print_table(told, ("what", "in all"), rows)
    for line in cost.why:
        print(clean(line))


def _power(achieved: Achieved | Separated) -> str:
    if isinstance(achieved, Separated):
        return f"{100 * achieved.power:.1f} ± {100 * achieved.error:.1f} %"
    return f"{100 * _shared(achieved):.1f} ± {100 * _error(achieved):.1f} %"


def _jump(needed: Needed | None) -> list[str]:
    if needed is None or needed.jump is None:
        return []
    return [f"one fewer has {100 * needed.jump:.0f} points less power"]


def _from(figure: Figure) -> str:
    told = f"{figure.value:.2f}"
    if figure.low < figure.high and figure.source != "default":
        told += f" ({interval(figure.low, figure.high)})"
    return f"{told} {figure.source}"


def draw(found: Planned, path: Path) -> None:
    """Draw the power of other sizes to `path`, a line for each rate, or for the two values."""
    from valuesim.report.power_figure import PowerPoint, save_power

    lines: dict[str, Sequence[PowerPoint]] = {}
    for each in found.rates:
        needed = each.plan.paired or each.plan.narrow
        if needed is not None and needed.table:
            lines[where(each.cell, found.rates)] = [
                PowerPoint(size=size.units, share=_shared(size), error=_error(size))
                for size in needed.table
            ]
    unit = f"{found.noun}s of each arm"
    if not lines and found.strengths is not None:
        plan, unit = found.strengths, "episodes of each cell"
        lines[f"{plan.over} before {plan.under}"] = [
            PowerPoint(size=size.episodes, share=size.power, error=size.error)
            for size in plan.tried
        ]
    save_power(lines, target=found.asked.aim.power, unit=unit, path=path)


def _shared(achieved: Achieved) -> float:
    return achieved.power if achieved.narrow is None else achieved.narrow


def _error(achieved: Achieved) -> float:
    share = _shared(achieved)
    return sqrt(share * (1 - share) / achieved.repeats)
