"""Panels of games in which amounts are chosen: claims, contributions, offers, what is sent back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from valuesim.choices import cluster_of
from valuesim.log.reader import DecisionRecord
from valuesim.measures.interval import Rate, clustered_rate
from valuesim.measures.panel import Estimate, Panel, Reference
from valuesim.measures.strategic.answers import answer_panels
from valuesim.measures.strategic.cooperation import rate
from valuesim.measures.strategic.history import canonical, intended, is_act
from valuesim.measures.strategic.people import references as people
from valuesim.measures.strategic.sample import Sample, estimate
from valuesim.measures.strategic.theory import Theory, theories

MOST_BARS = 13
"""The most places of an amount that are shown one by one; finer grids are put into ten classes."""
NAMES: Mapping[str, str] = {
    "travelers_dilemma": "claim",
    "public_goods": "contribution",
    "ultimatum": "offer",
    "dictator": "gift",
    "trust": "amount sent",
}
"""What the first move of each game is called."""


def amount_panels(sample: Sample) -> Iterator[Panel]:
    """Yield the panels of one treatment of a game in which amounts are chosen."""
    acts = [record for record in sample.records if is_act(record)]
    grid = sorted({float(canonical(r, option.name)) for r in acts for option in r.options})
    if len(grid) > 1:
        predicted = theories(sample.treatment, sample.penalty, "Alpha")
        yield _distribution(sample, acts, grid, predicted)
        yield _mean(sample, acts, grid, predicted)
        yield _ends(sample, acts, grid, predicted)
        if len({record.annotations.get("round", 1) for record in acts}) > 1 and _is_repeated(
            sample
        ):
            yield _by_round(sample, acts, grid)
    yield from answer_panels(sample)


def mean_amount(
    records: Sequence[DecisionRecord], low: float, high: float
) -> tuple[float | None, float | None, float | None, int]:
    """Return the mean amount chosen, its 95 % interval, and n.

    It is the clustered rate of the amount's place between `low` and `high`, so that the interval
    stays within them. None where nothing valid was chosen.
    """
    sums: dict[str, list[float]] = {}
    for record in records:
        if (move := intended(record)) is not None:
            share = (float(move) - low) / (high - low)
            sums.setdefault(cluster_of(record), []).append(share)
    found = clustered_rate([sum(x) for x in sums.values()], [len(x) for x in sums.values()])
    value, first, last = (
        None if x is None else low + (high - low) * x for x in (found.value, found.low, found.high)
    )
    return value, first, last, int(found.n)


def _is_repeated(sample: Sample) -> bool:
    return sample.treatment.rounds != 1


def _called(sample: Sample) -> str:
    return NAMES.get(sample.treatment.game, "amount")


def _distribution(
    sample: Sample,
    acts: Sequence[DecisionRecord],
    grid: Sequence[float],
    predicted: Sequence[Theory],
) -> Panel:
    places = _places(grid)
    chosen = [(cluster_of(r), places[float(m)]) for r in acts if (m := intended(r)) is not None]
    at = sorted(set(places.values()))
    is_classed = len(at) < len(grid)
    return sample.panel(
        "distribution",
        f"{_called(sample).capitalize()}s",
        "share of valid decisions",
        [
            estimate("observed", rate((c, place == own) for c, own in chosen), at=place)
            for place in at
        ],
        records=acts,
        references=[_spread(theory, places) for theory in predicted],
        axis=_called(sample),
        note="In ten classes; the axis shows their middles." if is_classed else "",
    )


def _places(grid: Sequence[float]) -> dict[float, float]:
    """Return where each amount is shown: itself, or the middle of its class."""
    if len(grid) <= MOST_BARS:
        return {amount: amount for amount in grid}
    edges = np.linspace(grid[0], grid[-1], 11)
    middles = (edges[1:] + edges[:-1]) / 2
    classes = np.clip(np.searchsorted(edges, grid, side="right") - 1, 0, 9)
    return {amount: float(middles[k]) for amount, k in zip(grid, classes, strict=True)}


def _spread(theory: Theory, places: Mapping[float, float]) -> Reference:
    shares: dict[float, float] = dict.fromkeys(sorted(set(places.values())), 0.0)
    for move, probability in zip(theory.moves, theory.mix, strict=True):
        nearest = min(places, key=lambda amount: abs(amount - float(move)))
        shares[places[nearest]] += float(probability)
    return Reference(
        label=theory.label,
        points=tuple(Estimate(label="observed", value=p, at=at) for at, p in shares.items()),
        source=theory.source,
        population="computed",
    )


def _mean(
    sample: Sample,
    acts: Sequence[DecisionRecord],
    grid: Sequence[float],
    predicted: Sequence[Theory],
) -> Panel:
    low, high = grid[0], grid[-1]
    first = [record for record in acts if record.annotations.get("round", 1) == 1]
    label, first_label = f"mean {_called(sample)}", f"mean {_called(sample)} in round 1"
    means = {label: mean_amount(acts, low, high)}
    if _is_repeated(sample):
        means[first_label] = mean_amount(first, low, high)
    treatment, penalty = sample.treatment, sample.penalty
    return sample.panel(
        "mean",
        f"Mean {_called(sample)}",
        "payoff at stake 1",
        [Estimate(label=k, value=v, low=a, high=b, n=n) for k, (v, a, b, n) in means.items()],
        records=acts,
        bounds=(low, high),
        references=[
            *people(treatment, penalty, {"mean": label}),
            *people(treatment, penalty, {"mean share": label}, lambda x: x * high),
            *people(treatment, penalty, {"first share": first_label}, lambda x: x * high),
            *(_points(theory, dict.fromkeys(means, theory.mean)) for theory in predicted),
        ],
    )


def _points(theory: Theory, values: Mapping[str, float]) -> Reference:
    return Reference(
        label=theory.label,
        points=tuple(Estimate(label=label, value=value) for label, value in values.items()),
        source=theory.source,
        population="computed",
    )


def _ends(
    sample: Sample,
    acts: Sequence[DecisionRecord],
    grid: Sequence[float],
    predicted: Sequence[Theory],
) -> Panel:
    ends = {f"the lowest ({grid[0]:g})": grid[0], f"the highest ({grid[-1]:g})": grid[-1]}
    lowest, highest = ends
    estimates = [estimate(label, _at(acts, amount)) for label, amount in ends.items()]
    labels = {"lowest": lowest, "highest": highest}
    if _is_repeated(sample) and sample.treatment.rounds is not None:
        last = [r for r in acts if r.annotations.get("round") == sample.treatment.rounds]
        label = f"{lowest} in the last round"
        estimates.append(estimate(label, _at(last, grid[0])))
        labels["lowest in the last round"] = label
    shares = [
        {e.label: theory.share([f"{ends.get(e.label, grid[0]):.10g}"]) for e in estimates}
        for theory in predicted
    ]
    return sample.panel(
        "ends",
        f"Lowest and highest {_called(sample)}",
        "share of valid decisions",
        estimates,
        records=acts,
        references=[
            *people(sample.treatment, sample.penalty, labels),
            *(_points(theory, own) for theory, own in zip(predicted, shares, strict=True)),
        ],
    )


def _at(records: Sequence[DecisionRecord], amount: float) -> Rate:
    moves = ((cluster_of(r), intended(r)) for r in records)
    return rate((cluster, float(m) == amount) for cluster, m in moves if m is not None)


def _by_round(sample: Sample, acts: Sequence[DecisionRecord], grid: Sequence[float]) -> Panel:
    rounds: dict[int, list[DecisionRecord]] = {}
    for record in acts:
        rounds.setdefault(int(record.annotations.get("round", 1)), []).append(record)
    estimates = []
    for number, own in sorted(rounds.items()):
        value, low, high, n = mean_amount(own, grid[0], grid[-1])
        at = float(number)
        estimates.append(Estimate(label="mean", value=value, low=low, high=high, n=n, at=at))
    return sample.panel(
        "mean_by_round",
        f"Mean {_called(sample)} by round",
        "payoff at stake 1",
        estimates,
        records=acts,
        axis="round",
        bounds=(grid[0], grid[-1]),
    )
