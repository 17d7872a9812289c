"""Two ways to err about uncertainty: permuting battles, and resampling pairs of values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.elo import Battles, battles_of, permuted_elo
from benchmarks.validity.design import FloatArray, Plan, coded, made, names
from benchmarks.validity.measured import Experiment, Measured, Repeat, Table, coverage
from valuesim.graph import ValueRanking, rank_values
from valuesim.graph.coded import CodedChoices
from valuesim.graph.rank import ELO_PER_LOG_ODDS
from valuesim.option import Option

VALUES = 16
ORDERS = 100
CELLS: Mapping[str, Plan] = {
    f"{size:,}": Plan(scenes=size, values=VALUES, a_side=4) for size in (300, 3000, 9000)
}
STRENGTHS = np.linspace(-0.5, 0.5, VALUES)
"""Log-odds of one value on one side; an option has four."""
_MOST_PAIRS = 3000
"""The most dilemmas whose battles are ranked as if each were a decision."""
WIDTH = 2 * 1.959964


def once(cell: str, rng: np.random.Generator) -> Repeat:
    """Return, by value, estimates and the limits of 95 % intervals, in Elo, of three methods.

    They are sequential Elo over permutations; this ranking; and this ranking of battles in place of
    decisions, each battle its own cluster, which is Bradley-Terry with pairs as the unit.
    """
    plan = CELLS[cell]
    choices = made(plan, STRENGTHS, rng)
    battles = battles_of(choices.stakes, choices.taken)
    ratings = permuted_elo(battles, VALUES, ORDERS, rng)
    low, high = np.quantile(ratings, [0.025, 0.975], axis=0)
    own = _in_elo(rank_values(coded(plan, choices), draws=2))
    if plan.scenes <= _MOST_PAIRS:
        pairs = _in_elo(rank_values(as_decisions(battles), draws=2))
    else:
        pairs = np.full((3, VALUES), np.nan)
    measured = {"permutations": np.stack([ratings.mean(axis=0), low, high])}
    measured |= {"valuesim": own, "pairs": pairs}
    return {
        f"{name} {part}": row
        for name, rows in measured.items()
        for part, row in zip(("centre", "low", "high"), rows, strict=True)
    }


def as_decisions(battles: Battles) -> CodedChoices:
    """Return battles as choices between two options of one value each, order unknown."""
    moving = battles.winner != battles.loser
    winner, loser = battles.winner[moving], battles.loser[moving]
    known = [Option(name=name, text="", stakes={name: 1.0}) for name in names(VALUES)]
    count = len(winner)
    return CodedChoices(
        situations=tuple(((one, other), False) for one in known for other in known),
        clusters=tuple(f"{number:07}" for number in range(count)),
        situation=winner * VALUES + loser,
        cluster=np.arange(count),
        position=np.zeros(count, dtype=np.int64),
        decisions=count,
    )


def _in_elo(ranking: ValueRanking) -> FloatArray:
    """Return strengths and their intervals in Elo (3 x V)."""
    found = {value.value: (value.strength, value.low, value.high) for value in ranking.values}
    rows = np.array([found[name] for name in names(VALUES)], dtype=float).T
    return np.asarray(1000 + rows * ELO_PER_LOG_ODDS)


METHODS = {
    "valuesim": "valuesim",
    "pairs": "Bradley-Terry with pairs as the unit",
    "permutations": "100 permutations of sequential Elo",
}
"""The three methods, in words."""

EXPERIMENT = Experiment(name="permutation", cells=tuple(CELLS), once=once, repeats=40, quick=3)


def widths(of: Measured, name: str) -> tuple[float, float] | None:
    """Return the mean width a method states and 2 x 1.96 standard deviations over repeats, in Elo.

    None where the method was not tried.
    """
    centre = of.of[f"{name} centre"]
    if np.isnan(centre).any():
        return None
    stated = float((of.of[f"{name} high"] - of.of[f"{name} low"]).mean())
    return stated, WIDTH * float(np.sqrt(centre.var(axis=0, ddof=1).mean()))


def table(measured: Mapping[str, Measured]) -> Table:
    """Return each method's stated width against that over repeats, and what its intervals hold.

    Sequential Elo is asked for its own mean over repeats, not for the planted strengths: it is
    given its own scale and bias. So is the ranking of pairs.
    """
    rows = []
    for cell, of in measured.items():
        for name, label in METHODS.items():
            pair = widths(of, name)
            if pair is not None:
                stated, over_repeats = pair
                rows.append(
                    (
                        cell,
                        label,
                        f"{stated:.0f}",
                        f"{over_repeats:.0f}",
                        f"{stated / over_repeats:.2f}",
                        _held(of, name),
                    )
                )
    return Table(
        columns=(
            "dilemmas",
            "95 % interval from",
            "its width, Elo",
            "width over repeats, Elo",
            "ratio",
            "coverage",
        ),
        rows=tuple(rows),
    )


def _held(of: Measured, name: str) -> str:
    planted = 1000 + STRENGTHS * ELO_PER_LOG_ODDS
    truth = planted if name == "valuesim" else of.mean(f"{name} centre")
    held = (of.of[f"{name} low"] <= truth) & (truth <= of.of[f"{name} high"])
    share = held.mean(axis=1)
    return coverage(float(share.mean()), float(share.std(ddof=1) / np.sqrt(len(share))))
