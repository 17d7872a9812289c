"""Do 95 % intervals hold the truth in 95 % of repeats, and are P(u over w) right so often?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.validity.design import (
    FloatArray,
    Plan,
    coded,
    made,
    names,
    planted,
    population,
)
from benchmarks.validity.measured import (
    BAND,
    Experiment,
    Measured,
    Repeat,
    Table,
    coverage,
    percent,
)
from valuesim.graph import ValueRanking, rank_values

CELLS: Mapping[str, Plan] = {
    "300 decisions": Plan(scenes=300),
    "1,000 decisions": Plan(scenes=1000),
    "3,000 decisions": Plan(scenes=3000),
    "600 decisions between five options": Plan(scenes=600, options=5),
    "1,000 decisions, shown first and letting be preferred": Plan(first=0.8, omission=0.8),
    "120 scenes asked 3 times, answered alike": Plan(scenes=120, alike=3),
    "500 scenes asked 3 times, answered alike": Plan(scenes=500, alike=3),
    "40 clusters of 25 that differ": Plan(clusters=40, spread=0.6),
    "200 clusters of 10 that differ": Plan(scenes=2000, clusters=200, spread=0.6),
    "600 decisions, 3 of 8 values a side, graded": Plan(scenes=600, a_side=3, is_graded=True),
    "1,000 decisions, 10 % faults": Plan(),
    "1,000 decisions, strengths of deviation 0.3": Plan(),
    "1,000 decisions, strengths of deviation 0.1": Plan(),
}
NEAR_TIES = {cell: float(cell.split()[-1]) for cell in CELLS if "deviation" in cell}
"""The planted strengths' standard deviation where it is not `SCALE`."""
FAULTS = 0.1
DRAWS = 500
SCALE = 1.0
"""The planted strengths' standard deviation. A statement's stated probability knows nothing of it:
where it is no wider than the errors, statements are too sure (`NEAR_TIES`)."""
BINS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.925, 0.975, 0.99, 1.0)
"""Limits of the stated probabilities; the bin 92.5 to 97.5 holds the statements made with 95 %."""
NEAR_95 = BINS.index(0.925)


def once(cell: str, rng: np.random.Generator) -> Repeat:
    """Return what the ranking of one set of choices says, against the truth."""
    plan = CELLS[cell]
    strengths = planted(plan.values, rng, scale=NEAR_TIES.get(cell, SCALE))
    choices = made(plan, strengths, rng)
    faults = rng.random(len(choices.taken)) < FAULTS if "faults" in cell else None
    truth = population(strengths, plan.spread) if plan.spread else strengths
    ranking = rank_values(coded(plan, choices, faults), seed=int(rng.integers(2**31)), draws=DRAWS)
    return {**_values(ranking, truth), **_pairs(ranking, truth)}


def _values(ranking: ValueRanking, truth: FloatArray) -> Repeat:
    """Return the shares of values whose interval, and whose rank range, hold the truth."""
    known = dict(zip(names(len(truth)), truth, strict=True))
    rank = {name: 1 + sum(other > own for other in truth) for name, own in known.items()}
    hits, held, widths = [], [], []
    for value in ranking.values:
        if value.low is None or value.high is None:
            continue
        low, high = value.rank_low or 0, value.rank_high or 0
        hits.append(value.low <= known[value.value] <= value.high)
        held.append(low <= rank[value.value] <= high)
        widths.append(high - low + 1)
    return {
        "strengths": float(np.mean(hits)),
        "ranks": float(np.mean(held)),
        "width": float(np.mean(widths)),
    }


def _pairs(ranking: ValueRanking, truth: FloatArray) -> Repeat:
    """Return the share of differences held, and statements made and right by stated probability."""
    known = names(len(truth))
    u, w = np.triu_indices(len(truth), 1)
    place = np.array([ranking.tally.values.index(name) for name in known])
    gaps = ranking.strengths[:, place[u]] - ranking.strengths[:, place[w]]
    low, high = np.quantile(gaps, [0.025, 0.975], axis=0)
    own = truth[u] - truth[w]
    forward = (gaps > 0).mean(axis=0)
    likely = np.maximum(forward, 1 - forward)
    right = (forward > 0.5) == (own > 0)
    number = np.clip(np.digitize(likely, BINS) - 1, 0, len(BINS) - 2)
    size = len(BINS) - 1
    sure = ranking.apart[np.ix_(place, place)]
    return {
        "sure": float(sure.sum()),
        "wrongly": float((sure & (truth[:, None] <= truth)).any()),
        "differences": float(((low <= own) & (own <= high)).mean()),
        "made": np.bincount(number, minlength=size).astype(float),
        "right": np.bincount(number, weights=right, minlength=size).astype(float),
        "said": np.bincount(number, weights=likely, minlength=size).astype(float),
    }


_COLUMNS = (
    "design",
    "strengths",
    "differences",
    "“u over w” stated at 92.5 to 97.5 %",
    "rank ranges",
    "ranks in a range",
    "sure pairs of 28",
    "rankings with a wrong one",
)

EXPERIMENT = Experiment(name="coverage", cells=tuple(CELLS), once=once, repeats=600, quick=10)


def table(measured: Mapping[str, Measured]) -> Table:
    """Return coverage by design."""
    rows = []
    for cell, of in measured.items():
        right, error = (each[NEAR_95] for each in of.share("right", "made"))
        rows.append(
            (
                cell,
                coverage(float(of.mean("strengths")), float(of.error("strengths"))),
                coverage(float(of.mean("differences")), float(of.error("differences"))),
                coverage(float(right), float(error)),
                percent(float(of.mean("ranks")), float(of.error("ranks"))),
                f"{float(of.mean('width')):.1f}",
                f"{float(of.mean('sure')):.1f}",
                percent(float(of.mean("wrongly")), float(of.error("wrongly"))),
            )
        )
    return Table(
        columns=_COLUMNS,
        rows=tuple(rows),
    )


def outside(measured: Mapping[str, Measured]) -> list[str]:
    """Return a line for each of the first three figures of a design that is outside the band."""
    lines = []
    for row in table(measured).rows:
        for column, figure in zip(_COLUMNS[1:4], row[1:4], strict=True):
            if figure.startswith("**"):
                share, error = (float(part) for part in figure.strip("*").split(" ± "))
                beyond = max(100 * BAND[0] - share, share - 100 * BAND[1])
                chance = "" if beyond > 2 * error else ", by no more than twice its error"
                lines.append(f"{column}, {row[0]}: {share} ± {error} %{chance}")
    return lines


def pooled(measured: Mapping[str, Measured]) -> Measured:
    """Return the statements of all designs together, but for those of near ties."""
    usual = [of for cell, of in measured.items() if cell not in NEAR_TIES]
    return Measured(
        of={
            name: np.concatenate([of.of[name] for of in usual])
            for name in ("made", "right", "said")
        }
    )


def calibration(measured: Mapping[str, Measured]) -> Table:
    """Return, by stated probability, how often statements of all designs were right."""
    of = pooled(measured)
    right, error = of.share("right", "made")
    said, _ = of.share("said", "made")
    rows = tuple(
        (
            f"{100 * low:g} to {100 * high:g} %",
            f"{int(count):,}",
            percent(float(mean)),
            percent(float(share), float(own)),
        )
        for low, high, count, mean, share, own in zip(
            BINS, BINS[1:], of.of["made"].sum(axis=0), said, right, error, strict=False
        )
    )
    return Table(columns=("stated", "statements", "mean stated", "right"), rows=rows)
