"""What preferring the option shown first does to strengths, with and without terms of place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import log
from typing import Literal

import numpy as np

from benchmarks.validity.design import Plan, coded, made, names, planted
from benchmarks.validity.measured import Experiment, Measured, Repeat, Table, coverage
from valuesim.graph import rank_values


@dataclass(frozen=True, kw_only=True, slots=True)
class Habit:
    """An agent that takes what is shown first in this share of indifferent choices."""

    first: float
    is_blind: bool
    order: Literal["random", "by value"]
    knows_order: bool

    def name(self) -> str:
        """Return the cell's name."""
        agent = "nothing but place" if self.is_blind else "values and place"
        order = "at random" if self.order == "random" else "fixed"
        terms = "with" if self.knows_order else "without"
        return f"{agent}, first {self.first:g}, order {order}, {terms} terms of place"


CELLS: Mapping[str, Habit] = {
    habit.name(): habit
    for habit in (
        Habit(first=first, is_blind=is_blind, order=order, knows_order=knows_order)
        for is_blind in (True, False)
        for first in (0.6, 0.8)
        for order in ("random", "by value")
        for knows_order in (True, False)
    )
}


def once(cell: str, rng: np.random.Generator) -> Repeat:
    """Return the error of each value's strength, and whether its interval holds the truth."""
    habit = CELLS[cell]
    plan = Plan(first=log(habit.first / (1 - habit.first)), order=habit.order)
    strengths = np.zeros(plan.values) if habit.is_blind else planted(plan.values, rng)
    choices = coded(replace(plan, knows_order=habit.knows_order), made(plan, strengths, rng))
    ranking = rank_values(choices, draws=2)
    off, held = np.zeros(plan.values), np.zeros(plan.values)
    for place, name in enumerate(names(plan.values)):
        value = ranking.value(name)
        assert value is not None
        assert value.strength is not None
        assert value.low is not None
        assert value.high is not None
        off[place] = value.strength - strengths[place]
        held[place] = value.low <= strengths[place] <= value.high
    return {"off": off, "held": float(held.mean()), "coherent": ranking.coherence.is_coherent}


EXPERIMENT = Experiment(name="position", cells=tuple(CELLS), once=once, repeats=150, quick=3)


def table(measured: Mapping[str, Measured]) -> Table:
    """Return the largest bias of a value and the coverage, by agent, order and terms."""
    rows = []
    for cell, of in measured.items():
        biases = of.mean("off")
        worst = int(np.abs(biases).argmax())
        rows.append(
            (
                cell,
                f"{biases[worst]:+.2f} ± {of.error('off')[worst]:.2f}",
                coverage(float(of.mean("held")), float(of.error("held"))),
                f"{100 * float(of.mean('coherent')):.0f}",
            )
        )
    return Table(
        columns=("choices by", "largest bias of a value", "coverage", "“coherent”, %"),
        rows=tuple(rows),
    )
