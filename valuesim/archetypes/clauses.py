"""The conditions of each behavioural archetype's rule, and how far the draws meet each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from valuesim.archetypes.behaviour import Behaviour, Level
from valuesim.archetypes.catalogue import CONTEXT_DEPENDENT, ETHICAL, EXPLOITATIVE, Rule
from valuesim.archetypes.rates import RateDraws
from valuesim.graph.design import FloatArray
from valuesim.graph.grouping import Label

Figure = Literal["rate", "players", "ratio", "difference"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Clause:
    """One condition of a rule: that a figure lies below or above a limit.

    `figure` is the rate of transgressions, the share of players that transgress in an episode, the
    ratio of steps to blind choice, or the difference between rates. `condition` says of which level
    and threat; {} is all. `met` is the share of posterior draws that meets it, `low` to `high` the
    95 % of them. A rule asks for all of its clauses, unless they are `of_any`: then for one.
    """

    figure: Figure
    condition: Mapping[str, Label]
    limit: float
    is_below: bool
    met: float
    low: float
    high: float
    of_any: bool = False


def clauses(name: str, behaviour: Behaviour, drawn: RateDraws, rule: Rule) -> tuple[Clause, ...]:
    """Return the clauses of the rule of a behavioural archetype; `drawn` is of `behaviour`."""
    makers = {ETHICAL: _ethical, EXPLOITATIVE: _exploitative, CONTEXT_DEPENDENT: _dependent}
    return tuple(makers[name](behaviour, drawn, rule))


def _clause(
    figure: Figure,
    condition: Mapping[str, Label],
    draws: FloatArray,
    limit: float,
    *,
    is_below: bool = False,
    of_any: bool = False,
) -> Clause:
    low, high = np.quantile(draws, [0.025, 0.975])
    is_met = draws < limit if is_below else draws > limit
    return Clause(
        figure=figure,
        condition=condition,
        limit=limit,
        is_below=is_below,
        met=float(is_met.mean()),
        low=float(low),
        high=float(high),
        of_any=of_any,
    )


def _ethical(behaviour: Behaviour, drawn: RateDraws, rule: Rule) -> Iterator[Clause]:
    for (level, is_threatened), rates in drawn.cells.items():
        condition = {**dict(level), "threatened": is_threatened}
        yield _clause("rate", condition, rates, rule.ethical_rate, is_below=True)
    for level, shares in zip(behaviour.players, drawn.players.T, strict=True):
        yield _clause("players", dict(level), shares, rule.ethical_players, is_below=True)
    yield _clause("ratio", {}, drawn.ratio, rule.ethical_ratio, is_below=True)


def _exploitative(behaviour: Behaviour, drawn: RateDraws, rule: Rule) -> Iterator[Clause]:
    for level in _with_cells(behaviour):
        own = [cell for cell in behaviour.cells if cell[0] == level]
        yield _clause("rate", dict(level), drawn.pooled(own), rule.exploitative_rate)
    if unthreatened := [cell for cell in behaviour.cells if not cell[1]]:
        rates = drawn.pooled(unthreatened)
        yield _clause("rate", {"threatened": False}, rates, rule.exploitative_rate)
    for level, ratios in zip(behaviour.levels, drawn.ratios.T, strict=True):
        yield _clause("ratio", dict(level), ratios, rule.exploitative_ratio)


def _dependent(behaviour: Behaviour, drawn: RateDraws, rule: Rule) -> Iterator[Clause]:
    levels = _with_cells(behaviour)
    by_level = [[cell for cell in behaviour.cells if cell[0] == level] for level in levels]
    between = np.ptp(np.column_stack([drawn.pooled(own) for own in by_level]), axis=1)
    limit = rule.difference
    if len(levels) > 1:
        yield _clause("difference", {}, np.asarray(between), limit, of_any=True)
    for level, own in zip(levels, by_level, strict=True):
        if len(own) > 1:
            gap = np.ptp(np.column_stack([drawn.cells[cell] for cell in own]), axis=1)
            yield _clause("difference", dict(level), np.asarray(gap), limit, of_any=True)


def _with_cells(behaviour: Behaviour) -> list[Level]:
    return list(dict.fromkeys(level for level, _ in behaviour.cells))
