"""Which options an agent prefers, and whether its choices follow content, label, place or wording.

This is an operationalisation of "human-like strategic preferences" (arXiv 2404.08710) of our own.
A *problem* is what is to be decided (game, payoffs, role, stake, what was received); only decisions
that no earlier round bears on are compared. A *telling* is its words (wording and paraphrase). A
*cell* is a telling in one order of the options and one assignment of labels to them. Cells weigh
alike, however often they were asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
from scipy import stats

from valuesim.choices import cluster_of
from valuesim.log.reader import DecisionRecord
from valuesim.measures.strategic.history import canonical, intended, is_fresh
from valuesim.measures.strategic.treatment import Problem, Treatment, problem, treatment

MOST_OPTIONS = 12
"""The largest menu whose options are all compared with one another."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """Where a choice was made: `reversed_order` of the options, `swapped` labels.

    The canonical order is by numeral or name. Labels are single letters; with any, `swapped` says
    that the first of them stands for the second option, and is None where options bear names.
    """

    problem: Problem
    telling: tuple[str, ...]
    reversed_order: bool
    labels: tuple[str, ...]
    swapped: bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One valid choice among `options` in canonical order; `place` is that of the one taken.

    `is_chained` says that its `cluster` is a chain, whose choices lie in many cells.
    """

    cell: Cell
    options: tuple[str, ...]
    place: int
    cluster: str
    is_chained: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Preference:
    """The mean log-odds, over cells, of choosing `over` rather than `under`; 95 % interval.

    `is_strict` says that it is preferred: the interval excludes 0 and the pair was met in both
    orders and, where it bore labels, under both assignments. `n` counts choices of either.
    """

    over: str
    under: str
    log_odds: float
    low: float | None
    high: float | None
    is_strict: bool
    cells: int
    n: int


def choices_of(records: Iterable[DecisionRecord]) -> tuple[Choice, ...]:
    """Return the comparable choices of `records`.

    Left out: faults, abstentions, talk, punishment, decisions with an earlier round behind them,
    and menus of more than two options that are shown neither upwards nor downwards.
    """
    treatments: dict[str, Treatment] = {}
    found = []
    for record in records:
        if record.episode.id not in treatments:
            treatments[record.episode.id] = treatment(record)
        found.append(_choice(record, treatments[record.episode.id]))
    return tuple(choice for choice in found if choice is not None)


def preferences(choices: Sequence[Choice]) -> tuple[Preference, ...]:
    """Return the preference between each pair of options of one problem, likelier one first.

    In a cell, the log-odds are log((a + 1/2) / (b + 1/2)) of the counts of choices (an estimate
    from the options' log-probabilities, where a log holds them, would take their place here). The
    half-width is the larger of Student's t at the spread between cells and the normal quantile at
    the sampling variance sum(1/(a + 1/2) + 1/(b + 1/2)) / cells^2, so that few unanimous choices
    decide nothing. There is no interval where choices are those of chains: neither they nor cells
    are independent then. No pair for menus of more than `MOST_OPTIONS`.
    """
    options = choices[0].options if choices else ()
    if len(options) > MOST_OPTIONS:
        return ()
    counts: dict[Cell, list[int]] = {}
    for choice in choices:
        counts.setdefault(choice.cell, [0] * len(options))[choice.place] += 1
    pairs = [_preference(options, counts, i, j) for i, j in permutations(range(len(options)), 2)]
    if any(choice.is_chained for choice in choices):
        pairs = [replace(each, low=None, high=None, is_strict=False) for each in pairs]
    return tuple(p for p in pairs if p.log_odds > 0 or (p.log_odds == 0 and p.over < p.under))


def _preference(
    options: Sequence[str], counts: Mapping[Cell, Sequence[int]], i: int, j: int
) -> Preference:
    a = np.array([own[i] for own in counts.values()]) + 0.5
    b = np.array([own[j] for own in counts.values()]) + 0.5
    odds = np.log(a / b)
    cells = len(odds)
    mean = float(odds.mean())
    half = None
    if cells > 1:
        spread = float(stats.t.ppf(0.975, cells - 1) * odds.std(ddof=1) / cells**0.5)
        sampling = float(stats.norm.ppf(0.975) * (1 / a + 1 / b).sum() ** 0.5 / cells)
        half = max(spread, sampling)
    return Preference(
        over=options[i],
        under=options[j],
        log_odds=mean,
        low=None if half is None else mean - half,
        high=None if half is None else mean + half,
        is_strict=half is not None and mean > half and _is_balanced(counts),
        cells=cells,
        n=int((a + b - 1).sum()),
    )


def _is_balanced(cells: Iterable[Cell]) -> bool:
    met = list(cells)
    assignments = {cell.swapped for cell in met} - {None}
    return len({cell.reversed_order for cell in met}) == 2 and len(assignments) != 1


def _choice(record: DecisionRecord, own: Treatment) -> Choice | None:
    move = intended(record)
    phase = record.annotations.get("phase", "act")
    if move is None or not is_fresh(record) or phase not in ("act", "respond"):
        return None
    shown = [canonical(record, option.name) for option in record.options]
    options = sorted(shown, key=_order)
    if shown not in (options, options[::-1]) or len(options) < 2:
        return None
    return Choice(
        cell=_cell(record, own, shown, options),
        options=tuple(options),
        place=options.index(move),
        cluster=cluster_of(record),
        is_chained=record.episode.chain is not None,
    )


def _cell(
    record: DecisionRecord, own: Treatment, shown: Sequence[str], options: Sequence[str]
) -> Cell:
    labels = record.annotations.get("labels") or {}
    bears = tuple(sorted(label for label in labels if len(label) == 1 and not label.isdigit()))
    condition = record.episode.condition
    return Cell(
        problem=problem(record, own),
        telling=(str(condition.get("wording", "")), str(condition.get("paraphrase", ""))),
        reversed_order=shown != options,
        labels=bears,
        swapped=str(labels[bears[0]]) != options[0] if bears else None,
    )


def _order(move: str) -> tuple[bool, float, str]:
    try:
        return False, float(move), move
    except ValueError:
        return True, 0.0, move
