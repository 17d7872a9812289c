"""What speaks for and against each archetype of behaviour, taken apart by condition and by act.

Log-odds are of one archetype against all else. Those of the posterior are those before anything
was seen, and what each condition (a level, with its regime) adds to them. How much one adds hangs
on what is known of the others, whose rates say something of its own: so its contribution is the
mean over the orders in which conditions may be told one after the other (Shapley), over all orders
of up to four, else over the rotations of the order of appearance and of its reverse. The sum is
exact whichever orders there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations

import numpy as np

from valuesim.archetypes.behaviour import Act, Behaviour, Level, acts
from valuesim.archetypes.catalogue import BEHAVIOURAL, Rule
from valuesim.archetypes.clauses import Clause, clauses
from valuesim.archetypes.hierarchy import posterior_rates
from valuesim.archetypes.rates import DRAWS, RateDraws, draw_rates
from valuesim.archetypes.verdict import drawn_names
from valuesim.graph.design import BoolArray, FloatArray
from valuesim.graph.grouping import Label
from valuesim.log.reader import DecisionRecord

MOST_LEVELS = 12
"""With more levels nothing is taken apart: it would take too long."""
_MOST_ORDERED = 4
_PRIOR_DRAWS = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Contribution:
    """What one condition adds to the log-odds of an archetype."""

    condition: Mapping[str, Label]
    log_odds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Weight:
    """What one act of a kind says alone: the log of its Bayes factor for an archetype.

    It is how much more probable the act is of an agent with such rates as the archetype's rule asks
    for than of any other, of which nothing else is known; `count` such acts were seen. Acts of one
    episode repeat each other, so that the weights of many do not add up. None where no draw, or
    each, has such rates.
    """

    condition: Mapping[str, Label]
    is_done: bool
    log_odds: float | None
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """An archetype's log-odds taken apart: `prior` and the contributions sum to `log_odds`.

    A share of draws of 0 or 1 is taken as half a draw from it, so that log-odds end at some 9.
    `clauses` are the conditions of its rule, each with the share of draws that meets it.
    """

    name: str
    posterior: float
    log_odds: float
    prior: float
    contributions: tuple[Contribution, ...]
    clauses: tuple[Clause, ...]
    weights: tuple[Weight, ...]


def taken_apart(
    records: Iterable[DecisionRecord], behaviour: Behaviour, rule: Rule, *, seed: int = 0
) -> tuple[Taken, ...]:
    """Return each behavioural archetype's evidence; `behaviour` is of `records`.

    Empty without opportunities, and with more than `MOST_LEVELS` levels. Shares of draws are those
    of `verdict.verdict` with the same seed.
    """
    levels = behaviour.levels
    if not behaviour.cells or len(levels) > MOST_LEVELS:
        return ()

    @cache
    def shares(told: frozenset[Level]) -> Mapping[str, float]:
        drawn = draw_rates(behaviour, np.random.default_rng(seed), told=told)
        names = drawn_names(behaviour, drawn, rule)
        return {name: float(is_met.mean()) for name, is_met in names.items()}

    added = _added(levels, lambda told, name: _log_odds(shares(told)[name]))
    drawn = draw_rates(behaviour, np.random.default_rng(seed))
    weights = _weights(list(acts(records)), behaviour, rule, seed)
    return tuple(
        Taken(
            name=name,
            posterior=shares(frozenset(levels))[name],
            log_odds=_log_odds(shares(frozenset(levels))[name]),
            prior=_log_odds(shares(frozenset())[name]),
            contributions=tuple(
                Contribution(condition=dict(level), log_odds=added[name][level]) for level in levels
            ),
            clauses=clauses(name, behaviour, drawn, rule),
            weights=weights[name],
        )
        for name in BEHAVIOURAL
    )


def _log_odds(share: float) -> float:
    """Return the log-odds of a share of `DRAWS` draws, half a draw from 0 and 1 at least."""
    share = (share * DRAWS + 0.5) / (DRAWS + 1)
    return float(np.log(share / (1 - share)))


def _added(
    levels: Sequence[Level], log_odds: Callable[[frozenset[Level], str], float]
) -> dict[str, dict[Level, float]]:
    """Return by name what each level adds, the mean over the orders of `levels`."""
    orders = _orders(levels)
    added = {name: dict.fromkeys(levels, 0.0) for name in BEHAVIOURAL}
    for order in orders:
        for place, level in enumerate(order):
            before, after = frozenset(order[:place]), frozenset(order[: place + 1])
            for name in BEHAVIOURAL:
                step = log_odds(after, name) - log_odds(before, name)
                added[name][level] += step / len(orders)
    return added


def _orders(levels: Sequence[Level]) -> list[tuple[Level, ...]]:
    if len(levels) <= _MOST_ORDERED:
        return list(permutations(levels))
    there, back = tuple(levels), tuple(reversed(levels))
    return [each[k:] + each[:k] for each in (there, back) for k in range(len(levels))]


def _weights(
    found: Sequence[Act], behaviour: Behaviour, rule: Rule, seed: int
) -> dict[str, tuple[Weight, ...]]:
    drawn = _rates_alone(behaviour, np.random.default_rng(seed))
    names = drawn_names(behaviour, drawn, rule)
    counts: dict[tuple[tuple[Level, bool], bool], int] = {}
    for act in found:
        kind = act.cell, act.is_done
        counts[kind] = counts.get(kind, 0) + 1
    return {name: tuple(_ordered(counts, drawn, names[name])) for name in BEHAVIOURAL}


def _rates_alone(behaviour: Behaviour, rng: np.random.Generator) -> RateDraws:
    """Return draws of the rates before anything is seen, and all else as each rule asks for it.

    Beforehand rates are independent of players and steps, and only they make an act more probable.
    """
    cells = list(behaviour.cells)
    rates = posterior_rates([() for _ in cells], _PRIOR_DRAWS, rng)
    levels = len(behaviour.levels)
    return RateDraws(
        cells=dict(zip(cells, rates.T, strict=True)),
        opportunities={cell: behaviour.cells[cell].possible.total() for cell in cells},
        players=np.zeros((_PRIOR_DRAWS, levels)),
        ratios=np.full((_PRIOR_DRAWS, levels), np.inf),
        ratio=np.zeros(_PRIOR_DRAWS),
    )


def _ordered(
    counts: Mapping[tuple[tuple[Level, bool], bool], int], drawn: RateDraws, is_met: BoolArray
) -> list[Weight]:
    """Return the weights of each kind of act, those that speak most first."""
    found = [
        Weight(
            condition={**dict(level), "threatened": is_threatened},
            is_done=is_done,
            log_odds=_factor(drawn.cells[level, is_threatened], is_met, is_done=is_done),
            count=number,
        )
        for ((level, is_threatened), is_done), number in counts.items()
    ]
    return sorted(found, key=lambda weight: -abs(weight.log_odds or 0.0))


def _factor(rates: FloatArray, is_met: BoolArray, *, is_done: bool) -> float | None:
    if is_met.all() or not is_met.any():
        return None
    p = rates if is_done else 1 - rates
    return float(np.log(p[is_met].mean() / p[~is_met].mean()))
