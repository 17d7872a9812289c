"""What faults do to a ranking: left out, as here, or counted as the second option, as elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.validity.design import Made, Plan, coded, made, names, planted
from benchmarks.validity.error import disorder, distance, estimated
from benchmarks.validity.measured import Experiment, Measured, Repeat, Table, coverage
from valuesim.graph import ValueRanking, rank_values

RATES = (0.0, 0.01, 0.05, 0.1, 0.2)


@dataclass(frozen=True, kw_only=True, slots=True)
class Failing:
    """Where faults come (`rate` of all decisions) and in what order options stand."""

    rate: float
    where: Literal["anywhere", "at stake", "taken"] = "anywhere"
    order: Literal["random", "by value"] = "random"

    def name(self) -> str:
        """Return the cell's name."""
        where = {
            "anywhere": "anywhere",
            "at stake": "where a certain value is at stake",
            "taken": "instead of taking a certain value's side",
        }[self.where]
        order = "" if self.order == "random" else ", options in a fixed order"
        return f"{100 * self.rate:.0f} % {where}{order}" if self.rate else f"none{order}"


_FAILING = (
    *(Failing(rate=rate) for rate in RATES),
    *(Failing(rate=rate, order="by value") for rate in RATES),
    *(Failing(rate=rate, where="at stake", order="by value") for rate in (0.05, 0.1, 0.2)),
    *(Failing(rate=rate, where="taken") for rate in (0.05, 0.1)),
)
CELLS: Mapping[str, Failing] = {each.name(): each for each in _FAILING}


def once(cell: str, rng: np.random.Generator) -> Repeat:
    """Return the errors of a ranking that leaves faults out, and of one that counts them."""
    failing = CELLS[cell]
    plan = Plan(order=failing.order)
    strengths = planted(plan.values, rng)
    choices = made(plan, strengths, rng)
    faults = _faults(failing, choices, rng)
    as_second = replace(choices, taken=np.where(faults, 1, choices.taken))
    left_out = rank_values(coded(plan, choices, faults), draws=2)
    # whoever counts faults as choices has no terms of place either
    counted = rank_values(coded(replace(plan, knows_order=False), as_second), draws=2)
    measured: dict[str, float] = {}
    for name, ranking in (("out", left_out), ("second", counted)):
        found = estimated(ranking, plan.values)
        measured |= {
            f"wrong {name}": disorder(found, strengths),
            f"error {name}": distance(found, strengths),
            f"held {name}": _held(ranking, strengths),
        }
    return measured


def _faults(failing: Failing, choices: Made, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return which decisions are faults; those tied to content come where value 0 is."""
    concerned: NDArray[np.bool_] = np.ones(len(choices.taken), dtype=bool)
    if failing.where == "at stake":
        concerned = np.asarray(choices.stakes[:, :, 0].any(axis=1))
    elif failing.where == "taken":
        concerned = np.asarray(choices.stakes[np.arange(len(concerned)), choices.taken, 0] > 0)
    chance = failing.rate * len(concerned) / max(int(concerned.sum()), 1)
    return np.asarray(concerned & (rng.random(len(concerned)) < chance))


def _held(ranking: ValueRanking, strengths: NDArray[np.float64]) -> float:
    known = dict(zip(names(len(strengths)), strengths, strict=True))
    hits = [
        value.low <= known[value.value] <= value.high
        for value in ranking.values
        if value.low is not None and value.high is not None
    ]
    return float(np.mean(hits)) if hits else 0.0


EXPERIMENT = Experiment(name="faults", cells=tuple(CELLS), once=once, repeats=80, quick=3)


def table(measured: Mapping[str, Measured]) -> Table:
    """Return the errors and coverage of both treatments by rate and place of the faults."""
    rows = []
    for cell, of in measured.items():
        row = [cell]
        for name in ("out", "second"):
            row += [
                f"{100 * float(of.mean(f'wrong {name}')):.1f}",
                f"{float(of.mean(f'error {name}')):.2f}",
                coverage(float(of.mean(f"held {name}")), float(of.error(f"held {name}"))),
            ]
        rows.append(tuple(row))
    treatments = ("left out", "as the second option")
    measures = ("wrong pairs, %", "error", "coverage")
    heads = tuple(f"{treatment}: {measure}" for treatment in treatments for measure in measures)
    return Table(columns=("faults", *heads), rows=tuple(rows))
