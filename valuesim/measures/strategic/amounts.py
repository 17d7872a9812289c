"""Panels of games in which amounts are chosen: claims, contributions, offers, what is sent back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from valuesim.choices import cluster_of
from valuesim.log.reader import DecisionRecord
from valuesim.measures.interval import Rate, clustered_rate
from valuesim.measures.panel import Estimate, Panel, Reference
from valuesim.measures.strategic.answers import answer_panels, punished
from valuesim.measures.strategic.cooperation import rate
from valuesim.measures.strategic.history import canonical, intended
from valuesim.measures.strategic.people import along_penalties
from valuesim.measures.strategic.people import references as people
from valuesim.measures.strategic.sample import Arm, Figures, Sample, computed, estimate
from valuesim.measures.strategic.theory import Theory, predicted
from valuesim.measures.strategic.worth import WELFARE, WELFARE_NOTE, has_welfare, welfare_of

MOST_BARS = 13
"""The most places of an amount that are shown one by one; finer grids are put into ten classes."""
MOST_CURVES = 4
"""The most penalties whose distributions are drawn."""
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
    grid = sorted({float(canonical(r, option.name)) for r in sample.acts for option in r.options})
    if len(grid) > 1:
        yield _mean(sample, grid)
        if sample.is_dosed:
            yield from _ends_by_penalty(sample, grid)
        else:
            yield _ends(sample, grid)
        for part in sample.by_design():
            yield _distribution(part, grid)
            rounds = {record.annotations.get("round", 1) for record in part.acts}
            if len(rounds) > 1 and _is_repeated(part):
                yield _by_round(part, grid)
    yield from answer_panels(sample)


def mean_amount(
    records: Iterable[DecisionRecord], low: float, high: float
) -> tuple[float | None, float | None, float | None, int]:
    """Return the mean amount chosen, its 95 % interval, and n; see `bounded_mean`."""
    moves = ((cluster_of(r), intended(r)) for r in records)
    return bounded_mean(((c, float(m)) for c, m in moves if m is not None), low, high)


def bounded_mean(
    amounts: Iterable[tuple[str, float]], low: float, high: float
) -> tuple[float | None, float | None, float | None, int]:
    """Return the mean of (cluster, amount), its 95 % interval, and n; None without any.

    It is the clustered rate of an amount's place between `low` and `high`, so that the interval
    stays within them.
    """
    sums: dict[str, list[float]] = {}
    for cluster, amount in amounts:
        sums.setdefault(cluster, []).append((amount - low) / (high - low))
    hits, chances = [sum(x) for x in sums.values()], [len(x) for x in sums.values()]
    found = clustered_rate(hits, chances, is_binary=False)
    value, first, last = (
        None if x is None else low + (high - low) * x for x in (found.value, found.low, found.high)
    )
    return value, first, last, int(found.n)


def mean_estimate(
    label: str,
    found: tuple[float | None, float | None, float | None, int],
    at: float | None = None,
) -> Estimate:
    """Return what `mean_amount` or `bounded_mean` found as an estimate."""
    value, low, high, n = found
    return Estimate(label=label, value=value, low=low, high=high, n=n, at=at)


def called(sample: Sample) -> str:
    """Return what the first move of the sample's game is called."""
    return NAMES.get(sample.treatment.game, "amount")


def curves(sample: Sample) -> dict[str, Arm]:
    """Return the arms that are drawn as curves, by label; `sample` has one design.

    Of more than `MOST_CURVES` penalties: the lowest, the highest and some between.
    """
    if not sample.is_dosed:
        return dict(zip(["observed"], sample.arms, strict=True))
    last = len(sample.arms) - 1
    places = np.linspace(0, last, min(MOST_CURVES, last + 1)).round().astype(int)
    drawn = [sample.arms[place] for place in places]
    return {f"penalty {arm.penalty:g}": arm for arm in drawn}


def _is_repeated(sample: Sample) -> bool:
    return sample.treatment.rounds != 1


def _of(theory: Theory, values: Mapping[str, float]) -> Reference:
    points = (Estimate(label=label, value=value) for label, value in values.items())
    return computed(theory.label, theory.source, points)


def _mean(sample: Sample, grid: Sequence[float]) -> Panel:
    label = f"mean {called(sample)}"
    return sample.across(
        "mean",
        label.capitalize(),
        f"{called(sample)} at stake 1",
        [_means(sample, arm, grid, label) for arm in sample.arms],
        records=sample.acts,
        references=along_penalties(sample.treatment, label) if sample.is_dosed else (),
        bounds=(grid[0], grid[-1]),
    )


def _means(sample: Sample, arm: Arm, grid: Sequence[float], label: str) -> Figures:
    low, high = grid[0], grid[-1]
    estimates = [mean_estimate(label, mean_amount(arm.acts, low, high))]
    first_label = f"{label} in round 1"
    if _is_repeated(sample):
        first = (record for record in arm.acts if record.annotations.get("round", 1) == 1)
        estimates.append(mean_estimate(first_label, mean_amount(first, low, high)))
    labels = [e.label for e in estimates]
    known: list[Reference] = []
    if not sample.is_dosed:
        treatment, penalty = sample.treatment, arm.penalty
        known += people(treatment, penalty, {"mean": label})
        known += people(treatment, penalty, {"mean share": label}, lambda x: x * high)
        known += people(treatment, penalty, {"first share": first_label}, lambda x: x * high)
    known += [_of(t, dict.fromkeys(labels, t.mean)) for t in predicted(sample, arm)]
    return Figures(arm=arm, estimates=estimates, references=known)


def _ends(sample: Sample, grid: Sequence[float]) -> Panel:
    """Return the shares that sum the game up: lowest and highest amount, punishment, welfare."""
    measured = [
        _end(sample, arm, amount, end)
        for arm in sample.arms
        for end, amount in (("lowest", grid[0]), ("highest", grid[-1]))
    ]
    measured += [figures for arm in sample.arms if (figures := punished(arm)) is not None]
    title, unit, note = f"Lowest and highest {called(sample)}", "share of valid decisions", ""
    if has_welfare(sample):
        measured += [welfare_of(sample, arm) for arm in sample.arms]
        title, unit = f"{title}, {WELFARE}", "share of decisions, of the joint payoff"
        note = WELFARE_NOTE
    return sample.across("ends", title, unit, measured, records=sample.acts, note=note)


def _ends_by_penalty(sample: Sample, grid: Sequence[float]) -> Iterator[Panel]:
    for end, amount in (("lowest", grid[0]), ("highest", grid[-1])):
        yield sample.across(
            end,
            f"{end.capitalize()} {called(sample)} ({amount:g})",
            "share of valid decisions",
            [_end(sample, arm, amount, end) for arm in sample.arms],
            records=sample.acts,
        )
    if has_welfare(sample):
        yield sample.across(
            "welfare",
            WELFARE.capitalize(),
            "share of the highest joint payoff",
            [welfare_of(sample, arm) for arm in sample.arms],
            records=sample.acts,
            note=WELFARE_NOTE,
        )


def _end(sample: Sample, arm: Arm, amount: float, end: str) -> Figures:
    """Return how often the `amount` at one end of the grid is chosen in `arm`."""
    label = f"{end} ({amount:g})"
    estimates = [estimate(label, _at(arm.acts, amount))]
    figures = {end: label}
    if end == "lowest" and _is_repeated(sample) and sample.treatment.rounds is not None:
        last = [r for r in arm.acts if r.annotations.get("round") == sample.treatment.rounds]
        figures["lowest in the last round"] = f"{label} in the last round"
        estimates.append(estimate(figures["lowest in the last round"], _at(last, amount)))
    return Figures(
        arm=arm,
        estimates=estimates,
        references=[
            *people(sample.treatment, arm.penalty, figures, is_exact=sample.is_dosed),
            *(
                _of(t, dict.fromkeys(figures.values(), t.share([f"{amount:.10g}"])))
                for t in predicted(sample, arm)
            ),
        ],
    )


def _at(records: Sequence[DecisionRecord], amount: float) -> Rate:
    moves = ((cluster_of(r), intended(r)) for r in records)
    return rate((cluster, float(m) == amount) for cluster, m in moves if m is not None)


def _distribution(sample: Sample, grid: Sequence[float]) -> Panel:
    """Return the distribution of amounts in a sample of one design, a curve for each penalty."""
    places = _places(grid)
    drawn = curves(sample)
    estimates = []
    for label, arm in drawn.items():
        moves = ((cluster_of(r), intended(r)) for r in arm.acts)
        chosen = [(cluster, places[float(m)]) for cluster, m in moves if m is not None]
        estimates += [
            estimate(label, rate((c, place == own) for c, own in chosen), at=place)
            for place in sorted(set(places.values()))
        ]
    notes = ["In ten classes; the axis shows their middles."] if len(grid) > MOST_BARS else []
    if len(drawn) < len(sample.arms):
        notes.append(f"{len(drawn)} of {len(sample.arms)} penalties are drawn.")
    return sample.panel(
        "distribution",
        f"How often each {called(sample)}",
        "share of valid decisions",
        estimates,
        records=[record for arm in drawn.values() for record in arm.acts],
        references=[
            _spread(theory, places, next(iter(drawn)))
            for theory in _shared([predicted(sample, arm) for arm in drawn.values()])
        ],
        axis=called(sample),
        note=" ".join(notes),
    )


def _shared(predictions: Sequence[Sequence[Theory]]) -> list[Theory]:
    """Return the theories of the first arm that predict the same in every other."""
    first, *others = predictions
    return [
        theory
        for theory in first
        if all(
            any(t.label == theory.label and np.allclose(t.mix, theory.mix) for t in other)
            for other in others
        )
    ]


def _places(grid: Sequence[float]) -> dict[float, float]:
    """Return where each amount is shown: itself, or the middle of its class."""
    if len(grid) <= MOST_BARS:
        return {amount: amount for amount in grid}
    edges = np.linspace(grid[0], grid[-1], 11)
    middles = (edges[1:] + edges[:-1]) / 2
    classes = np.clip(np.searchsorted(edges, grid, side="right") - 1, 0, 9)
    return {amount: float(middles[k]) for amount, k in zip(grid, classes, strict=True)}


def _spread(theory: Theory, places: Mapping[float, float], curve: str) -> Reference:
    shares: dict[float, float] = dict.fromkeys(sorted(set(places.values())), 0.0)
    for move, probability in zip(theory.moves, theory.mix, strict=True):
        nearest = min(places, key=lambda amount: abs(amount - float(move)))
        shares[places[nearest]] += float(probability)
    points = (Estimate(label=curve, value=p, at=at) for at, p in shares.items())
    return computed(theory.label, theory.source, points)


def _by_round(sample: Sample, grid: Sequence[float]) -> Panel:
    estimates = []
    for label, arm in curves(sample).items():
        rounds: dict[int, list[DecisionRecord]] = {}
        for record in arm.acts:
            rounds.setdefault(int(record.annotations.get("round", 1)), []).append(record)
        estimates += [
            mean_estimate(label, mean_amount(own, grid[0], grid[-1]), at=float(number))
            for number, own in sorted(rounds.items())
        ]
    return sample.panel(
        "mean_by_round",
        f"Mean {called(sample)} by round",
        f"{called(sample)} at stake 1",
        estimates,
        records=sample.acts,
        axis="round",
        bounds=(grid[0], grid[-1]),
    )
