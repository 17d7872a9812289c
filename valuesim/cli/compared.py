"""What `valuesim compare` prints: tables of differences, correlations and gaps, and sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from valuesim.cli.ranking import print_line
from valuesim.cli.terminal import clean, interval, percent, print_table
from valuesim.graph.compared import Comparison, Correlation, Difference, Gap, LevelCount, PairChange
from valuesim.graph.correlation import LEAST_VALUES
from valuesim.graph.say_do import TOGETHER
from valuesim.graph.statement import count

_LONGEST = 18
"""The longest name of a level that heads a column of figures."""
_MOST_COLUMNS = 3
"""The levels beside the first whose differences fit into one table."""


def print_comparison(title: str, found: Comparison, remarks: Iterable[str] = ()) -> None:
    """Print the comparison of one group with what must be known to read it, `remarks` included."""
    print(clean(title))
    for level in found.counts:
        print_line(_count(level))
    if found.why:
        print_line(f"nothing to compare: {found.why}")
        print()
        return
    if found.values:
        _print_differences(found)
    if found.correlations:
        _print_correlations(found.correlations)
    _print_gaps(found)
    for flip in found.flips:
        print_line(f"flips: {_flip(flip)}")
    for change in found.pairs:
        print_line(_pair(change))
    for pair, why in found.no_pairs.items():
        print_line(f"{pair}: undetermined ({why})")
    for note in (*_notes(found), *remarks):
        print_line(f"note: {note}")
    print()


def _count(level: LevelCount) -> str:
    counted = f"{count(level.decisions, 'decision')}, {percent(level.fault_rate)} faults"
    if level.why:
        return f"{level.level}: {counted}; left out: {level.why}"
    contested = count(level.contested, "contested choice")
    return f"{level.level}: {counted}, {contested} in {count(level.clusters, level.unit)}"


def _print_differences(found: Comparison) -> None:
    first, *others = found.strengths
    if len(others) == 1:
        rows = [
            (
                each.value,
                found.strengths[first][each.value].strength,
                found.strengths[others[0]][each.value].strength,
                each.difference,
                interval(each.low, each.high),
                _moved(each),
                f"{found.strengths[first][each.value].n}, "
                f"{found.strengths[others[0]][each.value].n}",
            )
            for each in found.differences
        ]
        named = [first, others[0]]
        if max(map(len, named)) > _LONGEST:
            named = ["the former", "the latter"]
        columns = ("value", *named, "difference", "95 % interval", "moved", "n at each")
        print_table(f"strengths in log-odds, {first} and {others[0]}", columns, rows)
    elif len(others) <= _MOST_COLUMNS:
        _print_side_by_side(found, first, others)
    else:
        _print_moved(found, first)


def _print_side_by_side(found: Comparison, first: str, others: list[str]) -> None:
    of = {(each.level, each.value): each for each in found.differences}
    rows = [
        (
            value,
            found.strengths[first][value].strength,
            *(_cell(of[level, value]) for level in others),
        )
        for value in found.values
    ]
    columns = ("value", first, *(f"{level} less {first}" for level in others))
    print_table(
        "strengths in log-odds, differences with 95 % intervals (* moved, ? size unknown)",
        columns,
        rows,
    )


def _print_moved(found: Comparison, first: str) -> None:
    rows = [
        (each.value, each.level, each.difference, interval(each.low, each.high))
        for each in found.differences
        if each.moved
    ]
    if rows:
        columns = ("value", "level", f"less {first}", "95 % interval")
        print_table("what moved, in log-odds", columns, rows)
    print(
        f"  {len(found.differences) - len(rows)} of {len(found.differences)} differences may be 0"
    )


def _print_correlations(correlations: Sequence[Correlation]) -> None:
    if all(each.found.spearman is None for each in correlations):
        most = max(each.found.values for each in correlations)
        print_line(
            f"no rank correlation: at most {count(most, 'value')} in common between two levels; "
            f"{LEAST_VALUES} are needed"
        )
        return
    rows = [
        (
            each.against,
            each.level,
            each.found.spearman,
            each.found.reason or interval(each.found.low, each.found.high),
            each.found.kendall,
            each.found.values,
            each.found.observed,
            each.found.ceiling,
        )
        for each in correlations
    ]
    columns = (
        "between",
        "and",
        "Spearman",
        "95 % interval",
        "Kendall",
        "values",
        "observed",
        "if alike",
    )
    print_table("rank correlations, freed of noise", columns, rows)


def _print_gaps(found: Comparison) -> None:
    sides = list(dict.fromkeys((gap.stated, gap.revealed) for gap in found.gaps))
    pooled = {stated for stated, revealed in sides if revealed == TOGETHER}
    for stated, revealed in sides:
        own = [gap for gap in found.gaps if (gap.stated, gap.revealed) == (stated, revealed)]
        if revealed == TOGETHER or stated not in pooled:
            columns = ("value", "said", "done", "gap", "95 % interval", "surely", "n of each")
            print_table(
                f"say-do gap: {stated} less {revealed}, standardised", columns, map(_row, own)
            )
        else:
            sure = [f"{g.value} {g.gap:+.2f} ({interval(g.low, g.high)})" for g in own if g.is_gap]
            told = "; ".join(sure) or "no sure gap"
            print_line(f"{stated} less {revealed} ({len(own)} values): {told}")
    for between, why in found.no_gaps.items():
        print_line(f"no gap of {between}: {why}")


def _row(gap: Gap) -> tuple[object, ...]:
    says = "" if not gap.is_gap else "says more" if gap.gap > 0 else "says less"
    says = "?" if gap.bounded else says
    numbers = f"{gap.n_stated}, {gap.n_revealed}"
    return (
        gap.value,
        gap.at_stated,
        gap.at_revealed,
        gap.gap,
        interval(gap.low, gap.high),
        says,
        numbers,
    )


def _cell(each: Difference) -> str:
    mark = " ?" if each.bounded else " *" if each.moved else ""
    return f"{each.difference:+.2f} ({interval(each.low, each.high)}){mark}"


def _moved(each: Difference) -> str:
    if each.bounded:
        return "?"
    return "" if not each.moved else "up" if each.difference > 0 else "down"


def _flip(flip: PairChange) -> str:
    return (
        f"{flip.over} before {flip.under} at {flip.against} (p {flip.p_over_against:.2f}), "
        f"{flip.under} before {flip.over} at {flip.level} (p {1 - flip.p_over_level:.2f})"
    )


def _pair(pair: PairChange) -> str:
    return (
        f"{pair.over} over {pair.under}: {pair.against} {pair.at_against:.2f}, "
        f"{pair.level} {pair.at_level:.2f}, change {pair.change:+.2f} "
        f"({interval(pair.low, pair.high)}); the order differs with probability "
        f"{pair.p_differs:.2f}{' (the size is bounded by the prior only)' if pair.bounded else ''}"
    )


def _notes(found: Comparison) -> list[str]:
    notes = []
    is_compared = any(each.found.values > 1 for each in found.correlations)
    if is_compared and not found.flips:
        notes.append("no pair of values is surely ordered one way at one level and not at another.")
    if found.left_out and not found.values:
        notes.append("no two values are compared at all levels, so that no strengths are.")
    notes += [f"{level} {why}: its strengths are left out." for level, why in found.thin.items()]
    notes += [f"left out: {why}: {', '.join(values)}." for why, values in _left_out(found).items()]
    separated = [level.level for level in found.counts if level.separated]
    if separated:
        notes.append(
            f"at {', '.join(separated)} choices never contradict each other on some values: the "
            f"prior alone bounds their size, and nothing is said of it (?)."
        )
    return notes


def _left_out(found: Comparison) -> dict[str, list[str]]:
    """Return the values that are left out by reason; one with a reason a level is told by each."""
    by_reason: dict[str, list[str]] = {}
    for value, why in found.left_out.items():
        for reason in why.replace("); ", ")\n").split("\n"):
            by_reason.setdefault(reason, []).append(value)
    return by_reason
