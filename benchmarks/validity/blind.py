"""How often agents without values look as if they had some, and circles where there are none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import log

import numpy as np

from benchmarks.validity.design import Made, Plan, coded, made, planted
from benchmarks.validity.measured import Experiment, Measured, Repeat, Table, percent
from valuesim.graph import rank_values

Agent = Callable[[Plan, np.random.Generator], Made]

SIZES = (300, 1000)


def _at_random(plan: Plan, rng: np.random.Generator) -> Made:
    return made(plan, np.zeros(plan.values), rng)


def _first(plan: Plan, rng: np.random.Generator) -> Made:
    choices = made(plan, np.zeros(plan.values), rng)
    return replace(choices, taken=np.zeros_like(choices.taken))


def _mostly_first(plan: Plan, rng: np.random.Generator) -> Made:
    return made(replace(plan, first=log(0.8 / 0.2)), np.zeros(plan.values), rng)


def _shuffled(plan: Plan, rng: np.random.Generator) -> Made:
    """Return the choices of an agent with values, their labels dealt anew for each decision."""
    choices = made(plan, planted(plan.values, rng), rng)
    dealt = rng.random((len(choices.taken), plan.values)).argsort(axis=1)
    return replace(choices, stakes=np.take_along_axis(choices.stakes, dealt[:, None, :], axis=2))


def _valued(plan: Plan, rng: np.random.Generator) -> Made:
    return made(plan, planted(plan.values, rng), rng)


def _circular(plan: Plan, rng: np.random.Generator) -> Made:
    """Return choices in which each value beats the half of the others that follow it in a ring."""
    choices = made(plan, np.zeros(plan.values), rng)
    first, second = (choices.stakes[:, place].argmax(axis=1) for place in (0, 1))
    ahead = (second - first) % plan.values
    half = plan.values / 2
    lead = np.sign(half - ahead) * (ahead != half)
    return replace(choices, taken=(rng.random(len(ahead)) > 1 / (1 + np.exp(-lead))).astype(int))


AGENTS: Mapping[str, Agent] = {
    "chooses at random": _at_random,
    "always takes the first": _first,
    "takes the first in 80 %": _mostly_first,
    "has values whose labels are shuffled": _shuffled,
    "has values": _valued,
    "prefers in circles": _circular,
}
CELLS: Mapping[str, tuple[Agent, int]] = {
    f"{agent}, {size:,} decisions": (choose, size)
    for agent, choose in AGENTS.items()
    for size in SIZES
}


def once(cell: str, rng: np.random.Generator) -> Repeat:
    """Return whether the ranking is coherent, and whether a circle is found."""
    choose, size = CELLS[cell]
    plan = Plan(scenes=size)
    ranking = rank_values(coded(plan, choose(plan, rng)), seed=int(rng.integers(2**31)), draws=2)
    known: list[float] = [
        float(value.low <= 0 <= value.high)
        for value in ranking.values
        if value.low is not None and value.high is not None
    ]
    return {
        "coherent": float(ranking.coherence.is_coherent),
        "circle": float(bool(ranking.consistency.cycles)),
        "zero": float(np.mean(known)),
    }


EXPERIMENT = Experiment(name="blind", cells=tuple(CELLS), once=once, repeats=200, quick=4)


def table(measured: Mapping[str, Measured]) -> Table:
    """Return the shares of coherent rankings, of circles, and of intervals that hold 0."""
    return Table(
        columns=("agent", "“coherent”, %", "a circle found, %", "intervals that hold 0, %"),
        rows=tuple(
            (
                cell,
                *(
                    percent(float(of.mean(name)), float(of.error(name)))
                    for name in ("coherent", "circle", "zero")
                ),
            )
            for cell, of in measured.items()
        ),
    )
