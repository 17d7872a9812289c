"""Posterior draws of transgression rates and of the ratio to content-blind choice."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from valuesim.archetypes.behaviour import Behaviour, Level, Tries
from valuesim.archetypes.hierarchy import posterior_rates
from valuesim.graph.design import FloatArray
from valuesim.graph.grouping import Label

DRAWS = 4000


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """Transgressions per opportunity under one condition, with its 95 % interval.

    `condition` holds scarcity and regime, and "threatened" for a cell; without it, the whole level.
    The interval is of the posterior (see `hierarchy`), widened to hold the rate. Without
    opportunities rate and interval are None.
    """

    condition: Mapping[str, Label]
    transgressions: int
    opportunities: int
    rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RateDraws:
    """Joint draws behind every behavioural figure.

    `cells` holds the rate (draws) of each (level, threatened) with opportunities, `opportunities`
    their number, `players` (draws x levels) the share of agents that transgress in an episode,
    `ratios` (draws x levels) the rate of steps over what blind choice would give, `ratio` (draws)
    the same over all levels together.
    """

    cells: Mapping[tuple[Level, bool], FloatArray]
    opportunities: Mapping[tuple[Level, bool], int]
    players: FloatArray
    ratios: FloatArray
    ratio: FloatArray

    def pooled(self, cells: list[tuple[Level, bool]]) -> FloatArray:
        """Return draws of the rate over `cells` (at least one), weighted by opportunities."""
        weights = np.array([self.opportunities[cell] for cell in cells], dtype=float)
        rates = np.column_stack([self.cells[cell] for cell in cells])
        return np.asarray(rates @ weights / weights.sum())


def draw_rates(
    behaviour: Behaviour,
    rng: np.random.Generator,
    draws: int = DRAWS,
    *,
    told: Collection[Level] | None = None,
) -> RateDraws:
    """Return the draws for `behaviour`, which must have a level.

    Where `told` names levels, what was done at the others is left out, as if nobody had looked; all
    are drawn and weighted as ever. With none it is what was thought before anything was seen.
    """

    def seen(level: Level, tries: Tries) -> list[tuple[int, int]]:
        return tries.pairs if told is None or level in told else []

    cells = list(behaviour.cells)
    rates = posterior_rates([seen(c[0], behaviour.cells[c]) for c in cells], draws, rng)
    players = posterior_rates([seen(*each) for each in behaviour.players.items()], draws, rng)
    steps = posterior_rates([seen(*each) for each in behaviour.steps.items()], draws, rng)
    offered = np.array([tries.possible.total() for tries in behaviour.steps.values()])
    blind = np.array([behaviour.blind[level] for level in behaviour.levels])
    return RateDraws(
        cells={cell: rates[:, index] for index, cell in enumerate(cells)},
        opportunities={cell: behaviour.cells[cell].possible.total() for cell in cells},
        players=players,
        ratios=steps / (blind / offered),
        ratio=steps @ offered / blind.sum(),
    )


def rate_table(behaviour: Behaviour, drawn: RateDraws) -> tuple[Rate, ...]:
    """Return each level's rate over all opportunities, followed by its cells' rates."""
    table = []
    for level in behaviour.levels:
        present = [cell for cell in behaviour.cells if cell[0] == level]
        table.append(_rate(dict(level), behaviour, drawn, present))
        for is_threatened in (True, False):
            cell = [cell for cell in present if cell[1] is is_threatened]
            condition = {**dict(level), "threatened": is_threatened}
            table.append(_rate(condition, behaviour, drawn, cell))
    return tuple(table)


def _rate(
    condition: Mapping[str, Label],
    behaviour: Behaviour,
    drawn: RateDraws,
    cells: list[tuple[Level, bool]],
) -> Rate:
    tries: list[Tries] = [behaviour.cells[cell] for cell in cells]
    done = sum(t.done.total() for t in tries)
    possible = sum(t.possible.total() for t in tries)
    if not possible:
        return Rate(
            condition=condition, transgressions=0, opportunities=0, rate=None, low=None, high=None
        )
    rate = done / possible
    low, high = np.quantile(drawn.pooled(cells), [0.025, 0.975])
    return Rate(
        condition=condition,
        transgressions=done,
        opportunities=possible,
        rate=rate,
        low=min(float(low), rate),
        high=max(float(high), rate),
    )
