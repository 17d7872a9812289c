"""How choices answer the stake and the penalty: curves and slopes, each design by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import log10

from valuesim.choices import cluster_of
from valuesim.log.reader import DecisionRecord
from valuesim.measures.panel import Estimate, Panel
from valuesim.measures.strategic.amounts import called, mean_amount, mean_estimate
from valuesim.measures.strategic.cooperation import rate
from valuesim.measures.strategic.history import canonical, cooperative, intended, is_act, is_fresh
from valuesim.measures.strategic.response import Slope, linear_slope, logistic_slope, trend
from valuesim.measures.strategic.sample import Sample, estimate
from valuesim.measures.strategic.treatment import penalty, stake

_PEOPLE_AND_STAKES = (
    "People cooperate less at higher stakes only where each sees several (Yamagishi et al. 2016)."
)
_SOMERS = "Somers' D runs from -1 (always falls) to 1 (always rises)."

_Known = Sequence[tuple[float, DecisionRecord]]
"""Decisions, each with its dose."""


def dose_panels(sample: Sample) -> Iterator[Panel]:
    """Yield the curve over, and the slopes on, each dose that varies in a design of the sample.

    Only decisions that no earlier round bears on: the first of a repeated game, or one-shot. Means
    over the penalty are drawn elsewhere (`amounts`).
    """
    is_two = sample.treatment.game_table is not None
    if is_two and not any(cooperative(record) for record in sample.acts):
        return
    for name, dose in (("stake", stake), ("penalty", penalty)):
        by_design = {part.designs[0]: _fresh(part, dose) for part in sample.by_design()}
        varied = {k: known for k, known in by_design.items() if len({x for x, _ in known}) > 1}
        if varied:
            if name == "stake":
                yield _curve(sample, varied, is_two=is_two)
            yield _slopes(sample, name, varied, is_two=is_two)


def _fresh(sample: Sample, dose: Callable[[DecisionRecord], float | None]) -> _Known:
    fresh = (record for record in sample.records if is_act(record) and is_fresh(record))
    return [(float(level), record) for record in fresh if (level := dose(record)) is not None]


def _records(varied: Mapping[str, _Known]) -> list[DecisionRecord]:
    return [record for known in varied.values() for _, record in known]


def _curve(sample: Sample, varied: Mapping[str, _Known], *, is_two: bool) -> Panel:
    """Return cooperation, or the mean amount, at each stake."""
    amounts = [] if is_two else _amounts(_records(varied))
    kind = "cooperation" if is_two else f"mean {called(sample)}"
    estimates = []
    for design, known in varied.items():
        label = design if len(sample.designs) > 1 else kind
        for level in sorted({level for level, _ in known}):
            own = [record for at, record in known if at == level]
            if is_two:
                estimates.append(_cooperation(label, own, level))
            else:
                found = mean_amount(own, min(amounts), max(amounts))
                estimates.append(mean_estimate(label, found, at=level))
    return sample.panel(
        "dose_stake",
        f"{kind.capitalize()} by stake",
        "share of valid decisions" if is_two else f"{called(sample)} at stake 1",
        estimates,
        records=_records(varied),
        axis="stake",
        bounds=(0.0, 1.0) if is_two else (min(amounts), max(amounts)),
        note=_PEOPLE_AND_STAKES if is_two else "",
    )


def _cooperation(label: str, records: Sequence[DecisionRecord], level: float) -> Estimate:
    moves = ((cluster_of(r), r, intended(r)) for r in records)
    found = rate((c, m in cooperative(r)) for c, r, m in moves if m is not None)
    return estimate(label, found, at=level)


def _amounts(records: Sequence[DecisionRecord]) -> list[float]:
    return [float(canonical(r, option.name)) for r in records for option in r.options]


def _slopes(sample: Sample, dose: str, varied: Mapping[str, _Known], *, is_two: bool) -> Panel:
    """Return the slope on `dose` and the trend, a row each for each design."""
    estimates, notes = [], [_SOMERS]
    for design, known in varied.items():
        said = f"{design}: " if len(sample.designs) > 1 else ""
        valid = [(level, r, move) for level, r in known if (move := intended(r)) is not None]
        levels = [level for level, _, _ in valid]
        clusters = [cluster_of(record) for _, record, _ in valid]
        answers = [float(m in cooperative(r)) if is_two else float(m) for _, r, m in valid]
        slope = _slope(dose, levels, answers, clusters, is_two=is_two)
        monotone = trend(levels, answers, clusters, within=design == "within")
        estimates += [
            _estimate(f"{said}slope", slope),
            _estimate(f"{said}trend (Somers' D)", monotone),
        ]
        notes += [f"No slope {said and f'{design} '}as {slope.why}."] if slope.why else []
    return sample.panel(
        f"slope_{dose}",
        f"Slope and trend over the {dose}",
        f"{'log-odds' if is_two else called(sample)} per {_STEPS[dose]}, or Somers' D",
        estimates,
        records=_records(varied),
        bounds=(None, None),
        note=" ".join(notes),
    )


_STEPS = {"stake": "tenfold stake", "penalty": "unit of penalty"}


def _slope(
    dose: str,
    levels: Sequence[float],
    answers: Sequence[float],
    clusters: Sequence[str],
    *,
    is_two: bool,
) -> Slope:
    fit: Callable[[Sequence[float], Sequence[float], Sequence[str]], Slope]
    fit = logistic_slope if is_two else linear_slope
    doses = [log10(level) for level in levels] if dose == "stake" else levels
    return fit(doses, answers, clusters)


def _estimate(label: str, found: Slope) -> Estimate:
    return Estimate(label=label, value=found.value, low=found.low, high=found.high, n=found.n)
