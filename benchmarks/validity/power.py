"""Does a planned number of episodes have the power it was planned for?

The studies are made here, with nothing of the search but its answer: each opportunity takes the
episode's own coin or a fresh one, where the plan draws beta distributed propensities, and the test
is the one that `valuesim compare` makes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from benchmarks.validity.measured import Experiment, Measured, Repeat, Table, percent
from valuesim.measures.paired import paired_difference
from valuesim.power.sampling import Assumed
from valuesim.power.search import Aim, needed


@dataclass(frozen=True, kw_only=True, slots=True)
class Truth:
    """The rates of two arms, opportunities of an episode in both, likeness and pairing.

    `pairing` is the share of seeds on which both arms toss the same coin. `assumed` is the
    correlation that a plan is told of.
    """

    first: float
    second: float
    opportunities: Sequence[tuple[int, int]]
    likeness: float
    pairing: float = 0.0


CELLS: Mapping[str, Truth] = {
    "0.45 and 0.55": Truth(first=0.45, second=0.55, opportunities=((4, 4),), likeness=0.3),
    "0.10 and 0.30": Truth(first=0.1, second=0.3, opportunities=((10, 10), (3, 5)), likeness=0.1),
    "0.02 and 0.12": Truth(first=0.02, second=0.12, opportunities=((20, 20), (44, 30)), likeness=0),
    "0.50 and 0.70": Truth(first=0.5, second=0.7, opportunities=((48, 48), (4, 2)), likeness=0.3),
    "0.20 and 0.50": Truth(first=0.2, second=0.5, opportunities=((8, 8),), likeness=0.6),
    "0.30 and 0.45": Truth(
        first=0.3, second=0.45, opportunities=((12, 12), (0, 12)), likeness=0.4, pairing=0.7
    ),
}
TARGETS = (0.8, 0.9)


def once(cell: str, rng: np.random.Generator) -> Repeat:
    """Return, for each target, whether one study of the planned size leaves out 0."""
    truth = CELLS[cell]
    return {f"{target}": float(is_found(truth, planned(cell, target), rng)) for target in TARGETS}


@cache
def planned(cell: str, target: float) -> int:
    """Return the number of seeds that the plan names."""
    truth = CELLS[cell]
    assumed = Assumed(
        first=truth.first,
        second=truth.second,
        opportunities=tuple(truth.opportunities),
        likeness=truth.likeness,
        pairing=truth.pairing,
    )
    units = needed(assumed, Aim(power=target), seed=1).units
    assert units is not None, "every truth here can be found"
    return units


def is_found(truth: Truth, units: int, rng: np.random.Generator) -> bool:
    """Return whether a study of so many seeds separates the two rates."""
    first: dict[int, tuple[float, float]] = {}
    second: dict[int, tuple[float, float]] = {}
    for unit in range(units):
        m_first, m_second = truth.opportunities[int(rng.integers(len(truth.opportunities)))]
        coin = rng.random()
        other = coin if rng.random() < truth.pairing else rng.random()
        first[unit] = (taken(truth.first, m_first, coin, truth.likeness, rng), m_first)
        second[unit] = (taken(truth.second, m_second, other, truth.likeness, rng), m_second)
    found = paired_difference(first, second)
    return found.low is not None and found.high is not None and not found.low <= 0 <= found.high


def taken(
    rate: float, opportunities: int, coin: float, likeness: float, rng: np.random.Generator
) -> float:
    """Return how many of the opportunities of an episode with its own `coin` are taken.

    Two of them take the coin together with probability `likeness`, which is their correlation.
    """
    takes_coin = rng.random(opportunities) < likeness**0.5
    tossed = np.where(takes_coin, coin, rng.random(opportunities))
    return float((tossed < rate).sum())


EXPERIMENT = Experiment(name="power", cells=tuple(CELLS), once=once, repeats=1000, quick=40)


def table(measured: Mapping[str, Measured]) -> Table:
    """Return the share of studies that found the difference, beside what was planned for."""
    rows = []
    for cell, of in measured.items():
        truth = CELLS[cell]
        found = [percent(float(of.mean(f"{t}")), float(of.error(f"{t}"))) for t in TARGETS]
        sizes = [f"{planned(cell, target):,}" for target in TARGETS]
        mean = np.mean([m for m, _ in truth.opportunities])
        rows.append(
            (
                cell,
                f"{mean:g}",
                f"{truth.likeness:g}",
                f"{truth.pairing:g}",
                *(part for pair in zip(sizes, found, strict=True) for part in pair),
            )
        )
    columns = (
        *("rates", "opportunities", "likeness", "pairing"),
        *("seeds for 80 %", "found", "seeds for 90 %", "found"),
    )
    return Table(columns=columns, rows=tuple(rows))
