"""The ranking of one group in words: its table, and a line on each thing a reader must know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from textwrap import wrap

import numpy as np

from valuesim.cli.terminal import clean, interval, percent, print_table, width
from valuesim.graph import Cycle, Group, ValueRanking, ValueStrength
from valuesim.graph.coherence import LEAST_GAIN
from valuesim.graph.design import TERMS
from valuesim.graph.habits import Habit
from valuesim.graph.planning import Separation, separations
from valuesim.graph.reach import detectable
from valuesim.graph.statement import count, votes_for_and_against

FEW = 5
"""How many pairs, and cycles, are told unless all are asked for."""
_UNCONTRADICTED = "; where nothing is contradicted, cycles are not to be read from it"


def print_ranking(
    group: Group | str,
    ranking: ValueRanking,
    remarks: Iterable[str | None] = (),
    *,
    shows_all: bool = False,
) -> None:
    """Print the ranking of one group with what must be known to read it, `remarks` included.

    Long lists are cut short unless `shows_all`.
    """
    if ranking.values:
        counted = f"{ranking.unit}s"
        columns = ["value", "rank", "95 %", "log-odds", "95 % interval", "n", "elo", counted]
        print_table(_title(group, ranking), columns, map(_row, ranking.values))
    else:
        print(clean(_title(group, ranking)))
    for line in _lines(ranking, shows_all=shows_all):
        print_line(line)
    for remark in filter(None, [ranking.statement, *remarks]):
        print_line(f"note: {remark}")


def print_line(words: str) -> None:
    """Print a line on a ranking, cleaned, indented and wrapped to the width there is."""
    for number, line in enumerate(wrap(clean(words), max(40, width() - 4))):
        print(f"{'    ' if number else '  '}{line}")


def _title(group: Group | str, ranking: ValueRanking) -> str:
    return (
        f"{group}: {count(ranking.decisions, 'decision')}, {percent(ranking.fault_rate)} faults, "
        f"{count(ranking.contested, 'contested choice')} in {count(ranking.clusters, ranking.unit)}"
    )


def _row(value: ValueStrength) -> tuple[object, ...]:
    low, high = value.rank_low, value.rank_high
    ranks = None if low is None or high is None else f"{low} to {high}"
    elo = None if value.elo is None else round(value.elo)
    strength = (value.strength, interval(value.low, value.high))
    return (value.value, value.rank, ranks, *strength, value.choices, elo, value.clusters)


def _lines(ranking: ValueRanking, *, shows_all: bool) -> Iterator[str]:
    found = ranking.consistency
    votes = ranking.tally.votes
    # two values have no cycles, and even votes no pattern
    if found.curl_share is not None and len(votes) > 2 and not np.allclose(votes, votes.T):
        by_chance = f"by chance: {percent(found.null_curl_share)}"
        if found.null_curl_high is not None:
            by_chance += f", up to {percent(found.null_curl_high)}"
        yield (
            f"consistency: {percent(found.gradient_share)} of the pairwise pattern is one order, "
            f"{percent(found.curl_share)} cycles ({by_chance})"
            f"{_UNCONTRADICTED if ranking.is_separated else ''}"
        )
    for cycle in found.cycles if shows_all else found.cycles[:FEW]:
        yield f"cycle: {' > '.join([*cycle.values, cycle.values[0]])}{_votes(cycle)}"
    if (more := len(found.cycles) - FEW) > 0 and not shows_all:
        yield f"... and {count(more, 'more cycle')} (--all shows them)"
    yield from _prediction(ranking)
    yield from _agreeing(ranking, shows_all=shows_all)
    yield from _habits(ranking)
    yield from _undecided(ranking, shows_all=shows_all)


def _votes(cycle: Cycle) -> str:
    counted, cast = votes_for_and_against(cycle)
    if not counted:
        return ""
    if cast is None:
        return f" (votes for and against each step: {counted})"
    return (
        f" (votes for and against each step, in independent decisions: {counted}; as cast: {cast})"
    )


def _prediction(ranking: ValueRanking) -> Iterator[str]:
    """Yield how well unseen choices are foreseen; nothing where that is not known."""
    judged, tried = ranking.coherence, ranking.consistency.held_out
    if judged.values is None or judged.blind is None or judged.gain is None or judged.low is None:
        return
    told = (
        f"unseen choices, log-loss (less is better): {judged.values:.3f} from the values, "
        f"{judged.blind:.3f} from place and omission alone (gain {judged.gain:.4f}, at least "
        f"{judged.low:.4f}; above {LEAST_GAIN:g} is a ranking)"
    )
    if tried is not None and tried.gain is not None:
        verdict = "is better" if tried.is_cyclic else "is no better"
        told += f"; with cycles it {verdict}, by {tried.gain:.4f}"
    yield told


def _agreeing(ranking: ValueRanking, *, shows_all: bool) -> Iterator[str]:
    """Yield how the Kemeny order differs, where there is one ranking and it does."""
    found = ranking.consistency.kemeny
    estimated = [value.value for value in ranking.values if value.is_identified]
    if found is None or len({v.component for v in ranking.values if v.is_identified}) != 1:
        return
    order = [value for value in found.order if value in estimated]
    if order == estimated or not found.votes:
        return
    limits = "" if found.is_exact else ", the fewest that a search found"
    if found.is_exact and not found.is_unique:
        limits = ", as some others do"
    pairs = [order.index(over) > order.index(under) for over, under in combinations(estimated, 2)]
    yield (
        f"the order that contradicts the fewest votes ({found.disagreement:.0f} of "
        f"{found.votes:.0f}{limits}) has {sum(pairs)} of {count(len(pairs), 'pair')} the other way "
        f"round{': ' + ', '.join(order) if shows_all else ' (--all shows it)'}"
    )


def _habits(ranking: ValueRanking) -> Iterator[str]:
    """Yield what choices follow beside values; nothing where no choice could show it."""
    told = [
        f"{TERMS[habit.term]} {_habit(habit)}" for habit in ranking.terms.values() if habit.choices
    ]
    if told:
        yield f"beside values, choices follow (log-odds): {'; '.join(told)}"


def _habit(habit: Habit) -> str:
    if habit.value is None:
        return f"undetermined, {habit.reason}"
    known = "no interval" if habit.low is None else interval(habit.low, habit.high)
    reason = "" if habit.reason is None else f", {habit.reason}"
    return f"{habit.value:.2f} ({known}, n = {habit.choices:,}{reason})"


def _undecided(ranking: ValueRanking, *, shows_all: bool) -> Iterator[str]:
    """Yield the neighbours in rank that are not yet separated, the nearest to it first."""
    pairs = separations(ranking)
    reach = detectable(pairs)
    if reach is not None:
        low, high = f"{reach.least:.2f}", f"{reach.most:.2f}"
        span = low if low == high else f"{low} to {high}, depending on the pair"
        yield (
            "smallest difference of two neighbours that such a study shows 8 times in 10 "
            f"(log-odds): {span}"
        )
    left = [pair for pair in pairs if pair.low is None or pair.low <= 0]
    left.sort(key=lambda pair: (pair.needed is None, pair.needed or 0))
    for pair in left if shows_all else left[:FEW]:
        yield f"not yet separated: {pair.over}, {pair.under}: {_still_needed(pair)}"
    if len(left) > FEW and not shows_all:
        yield f"... and {count(len(left) - FEW, 'more pair')} (--all shows them)"


def _still_needed(pair: Separation) -> str:
    if pair.difference is None:
        return f"undetermined, {pair.reason}"
    known = f"{pair.difference:.2f} ({interval(pair.low, pair.high)})"
    needed = (
        pair.reason if pair.needed is None else f"about {count(pair.needed, 'more choice')} needed"
    )
    return f"{known}, {needed}"
