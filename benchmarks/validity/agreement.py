"""Agreement with choix where both say the same thing, and what the prior does."""

from __future__ import annotations

from collections.abc import Mapping

import choix
import numpy as np

from benchmarks.elo import battles_of
from benchmarks.validity.design import Plan, coded, made, planted
from benchmarks.validity.error import estimated
from benchmarks.validity.measured import Experiment, Measured, Repeat, Table
from valuesim.graph import rank_values
from valuesim.graph.logit import PRIOR_SD

CELLS: Mapping[str, Plan] = {
    f"{size:,}": Plan(scenes=size, values=10, knows_order=False) for size in (100, 300, 1000, 3000)
}


def once(cell: str, rng: np.random.Generator) -> Repeat:
    """Return the largest distance of a strength from choix's, with the same prior and almost none.

    choix takes `alpha` times the squared length of the strengths off the log-likelihood; a normal
    prior takes half of it over the variance.
    """
    plan = CELLS[cell]
    choices = made(plan, planted(plan.values, rng), rng)
    battles = battles_of(choices.stakes, choices.taken)
    pairs = list(zip(battles.winner.tolist(), battles.loser.tolist(), strict=True))
    own = estimated(rank_values(coded(plan, choices), draws=2), plan.values)
    measured = {}
    for name, alpha in (("same", 0.5 / PRIOR_SD**2), ("flat", 1e-6)):
        other = choix.opt_pairwise(plan.values, pairs, alpha=alpha, tol=1e-10)
        measured[name] = float(np.abs(own - other + other.mean()).max())
    return measured


EXPERIMENT = Experiment(name="agreement", cells=tuple(CELLS), once=once, repeats=10, quick=2)


def table(measured: Mapping[str, Measured]) -> Table:
    """Return the largest distance of all repeats with the same prior, and the median without."""
    rows = tuple(
        (
            cell,
            "below 0.00001" if of.of["same"].max() < 1e-5 else f"{of.of['same'].max():.5f}",
            f"{float(np.median(of.of['flat'])):.3f}",
        )
        for cell, of in measured.items()
    )
    columns = ("decisions", "same prior: largest difference", "no prior: median of the largest")
    return Table(columns=columns, rows=rows)
