"""How far the ranking is from the planted one, by the number of decisions and the method."""

from __future__ import annotations

from collections.abc import Mapping

import choix
import numpy as np

from benchmarks.elo import Battles, battles_of, sequential_elo
from benchmarks.validity.design import FloatArray, Plan, coded, made, names, planted
from benchmarks.validity.measured import Experiment, Measured, Repeat, Table
from valuesim.graph import ValueRanking, rank_values
from valuesim.graph.rank import ELO_PER_LOG_ODDS

VALUES = 16
SIZES = (100, 300, 1000, 3000)
DESIGNS: Mapping[str, Plan] = {
    "one value a side": Plan(values=VALUES),
    "four values a side": Plan(values=VALUES, a_side=4),
    "one value a side, shown first preferred, order by value": Plan(
        values=VALUES, first=1.0, order="by value"
    ),
}
METHODS = ("valuesim", "Bradley-Terry on battles", "sequential Elo", "win rate")
SCALED = (*METHODS[:-1], "all alike")
"""What has an error in log-odds: a win rate has none, and taking all for alike is a yardstick."""
CELLS: Mapping[str, Plan] = {
    f"{design}, {size:,}": Plan(
        scenes=size,
        values=VALUES,
        a_side=plan.a_side,
        first=plan.first,
        order=plan.order,
    )
    for design, plan in DESIGNS.items()
    for size in SIZES
}
_PRIOR = 1e-3
"""choix's regularisation: as good as none, but finite where a value wins every battle."""


def once(cell: str, rng: np.random.Generator) -> Repeat:
    """Return each method's share of pairs in the wrong order, and its error in log-odds."""
    plan = CELLS[cell]
    strengths = planted(plan.values, rng, scale=0.6)
    choices = made(plan, strengths, rng)
    battles = battles_of(choices.stakes, choices.taken)
    ranking = rank_values(coded(plan, choices), draws=2)
    found = {
        "valuesim": estimated(ranking, plan.values),
        "Bradley-Terry on battles": bradley_terry(battles, plan.values),
        "sequential Elo": np.array(sequential_elo(battles.winner, battles.loser, plan.values))
        / ELO_PER_LOG_ODDS,
        "win rate": _win_rate(battles, plan.values),
    }
    return {
        **{f"tau {method}": disorder(each, strengths) for method, each in found.items()},
        **{f"error {method}": distance(each, strengths) for method, each in found.items()},
        "error all alike": distance(np.zeros(plan.values), strengths),
    }


def estimated(ranking: ValueRanking, values: int) -> FloatArray:
    """Return the strengths by value, 0 where there is none."""
    known = {value.value: value.strength or 0.0 for value in ranking.values}
    return np.array([known.get(name, 0.0) for name in names(values)])


def bradley_terry(battles: Battles, values: int) -> FloatArray:
    """Return Bradley-Terry strengths by choix."""
    counts = np.zeros((values, values))
    np.add.at(counts, (battles.winner, battles.loser), 1.0)
    np.fill_diagonal(counts, 0.0)
    return np.asarray(choix.ilsr_pairwise_dense(counts, alpha=_PRIOR))


def disorder(found: FloatArray, truth: FloatArray) -> float:
    """Return the share of pairs in the wrong order; a tie counts half."""
    u, w = np.triu_indices(len(truth), 1)
    agreement = np.sign(found[u] - found[w]) * np.sign(truth[u] - truth[w])
    return float((1 - agreement.mean()) / 2)


def distance(found: FloatArray, truth: FloatArray) -> float:
    """Return the root mean squared error of strengths, both centred."""
    off = found - found.mean() - truth + truth.mean()
    return float(np.sqrt((off**2).mean()))


def _win_rate(battles: Battles, values: int) -> FloatArray:
    won = np.bincount(battles.winner, minlength=values)
    lost = np.bincount(battles.loser, minlength=values)
    return np.asarray(won / np.maximum(won + lost, 1))


EXPERIMENT = Experiment(name="error", cells=tuple(CELLS), once=once, repeats=40, quick=3)


def table(measured: Mapping[str, Measured], design: str) -> Table:
    """Return, for one design, each method's errors by the number of decisions."""
    rows = []
    for size in SIZES:
        of = measured[f"{design}, {size:,}"]
        wrong = tuple(f"{100 * float(of.mean(f'tau {method}')):.1f}" for method in METHODS)
        off = tuple(f"{float(of.mean(f'error {method}')):.2f}" for method in SCALED)
        rows.append((f"{size:,}", *wrong, *off))
    return Table(
        columns=(
            "decisions",
            *(f"{method}: wrong pairs, %" for method in METHODS),
            *(f"{method}: error" for method in SCALED),
        ),
        rows=tuple(rows),
    )
