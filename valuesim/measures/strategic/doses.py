"""Panels of how choices answer the stake and the penalty, one design at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import log10

from valuesim.choices import cluster_of
from valuesim.log.reader import DecisionRecord
from valuesim.measures.panel import Estimate, Panel, Reference
from valuesim.measures.strategic.amounts import NAMES, mean_amount
from valuesim.measures.strategic.cooperation import rate
from valuesim.measures.strategic.history import canonical, cooperative, intended, is_act, is_fresh
from valuesim.measures.strategic.people import along_penalties
from valuesim.measures.strategic.response import Slope, linear_slope, logistic_slope, trend
from valuesim.measures.strategic.sample import Sample, estimate
from valuesim.measures.strategic.theory import Theory, theories
from valuesim.measures.strategic.treatment import penalty, stake

_PEOPLE_AND_STAKES = (
    "People cooperate less at higher stakes only where each sees several (Yamagishi et al. 2016)."
)
_DESIGNS = {"within": "each agent saw all", "between": "one an episode"}


def dose_panels(sample: Sample) -> Iterator[Panel]:
    """Yield the curve over, and the slope on, each dose that varies in the sample.

    Only decisions that no earlier round bears on: the first of a repeated game, or one-shot.
    """
    fresh = [r for r in sample.records if is_act(r) and is_fresh(r)]
    is_two = sample.treatment.game_table is not None
    if is_two and not any(cooperative(record) for record in fresh):
        return
    for name, dose in (("stake", stake), ("penalty", penalty)):
        known = [(float(level), r) for r in fresh if (level := dose(r)) is not None]
        if len({level for level, _ in known}) > 1:
            yield (_cooperation_curve if is_two else _amount_curve)(sample, name, known)
            yield _slopes(sample, name, known, is_two=is_two)


def _title(sample: Sample, of: str, dose: str) -> str:
    design = sample.treatment.design
    return f"{of} by {dose}, {design} ({_DESIGNS.get(design, design)})"


def _levels(
    known: Sequence[tuple[float, DecisionRecord]],
) -> dict[float, list[DecisionRecord]]:
    levels: dict[float, list[DecisionRecord]] = {}
    for level, record in known:
        levels.setdefault(level, []).append(record)
    return dict(sorted(levels.items()))


def _cooperation_curve(
    sample: Sample, dose: str, known: Sequence[tuple[float, DecisionRecord]]
) -> Panel:
    estimates = []
    for level, records in _levels(known).items():
        moves = ((cluster_of(r), r, intended(r)) for r in records)
        found = rate((c, m in cooperative(r)) for c, r, m in moves if m is not None)
        estimates.append(estimate("cooperation", found, at=level))
    return sample.panel(
        f"dose_{dose}_{sample.treatment.design}",
        _title(sample, "Cooperation", dose),
        "share of valid decisions",
        estimates,
        records=[record for _, record in known],
        axis=dose,
    )


def _amount_curve(
    sample: Sample, dose: str, known: Sequence[tuple[float, DecisionRecord]]
) -> Panel:
    low, high = _span(known)
    estimates = []
    for level, records in _levels(known).items():
        value, first, last, n = mean_amount(records, low, high)
        estimates.append(Estimate(label="mean", value=value, low=first, high=last, n=n, at=level))
    return sample.panel(
        f"dose_{dose}_{sample.treatment.design}",
        _title(sample, f"Mean {NAMES.get(sample.treatment.game, 'amount')}", dose),
        "payoff at stake 1",
        estimates,
        records=[record for _, record in known],
        axis=dose,
        bounds=(low, high),
        references=_claims(sample, _levels(known)) if dose == "penalty" else (),
    )


def _claims(sample: Sample, levels: Iterable[float]) -> list[Reference]:
    """Return what people and theory claim at each penalty."""
    found: dict[str, list[tuple[float, Theory]]] = {}
    for level in levels:
        lowest, *_, logit = theories(sample.treatment, level, "Alpha")
        found.setdefault("lowest Nash equilibrium", []).append((level, lowest))
        found.setdefault(logit.label, []).append((level, logit))
    computed = [
        Reference(
            label=label,
            points=tuple(Estimate(label="mean", value=t.mean, at=level) for level, t in known),
            source=known[0][1].source,
            population="computed",
        )
        for label, known in found.items()
    ]
    return [*along_penalties(sample.treatment, "mean"), *computed]


def _span(known: Sequence[tuple[float, DecisionRecord]]) -> tuple[float, float]:
    amounts = [float(canonical(r, option.name)) for _, r in known for option in r.options]
    return min(amounts), max(amounts)


def _slopes(
    sample: Sample, dose: str, known: Sequence[tuple[float, DecisionRecord]], *, is_two: bool
) -> Panel:
    valid = [(level, r, move) for level, r in known if (move := intended(r)) is not None]
    clusters = [cluster_of(record) for _, record, _ in valid]
    levels = [level for level, _, _ in valid]
    if is_two:
        answers = [float(move in cooperative(record)) for _, record, move in valid]
    else:
        answers = [float(move) for _, _, move in valid]
    slope, unit = _slope(dose, levels, answers, clusters, is_two=is_two)
    within = sample.treatment.design == "within"
    monotone = trend(levels, answers, clusters, within=within)
    notes = ["Somers' D runs from -1 (always falls) to 1 (always rises)."]
    notes += [f"No slope: {slope.why}."] if slope.why else []
    notes += [_PEOPLE_AND_STAKES] if dose == "stake" else []
    return sample.panel(
        f"slope_{dose}_{sample.treatment.design}",
        _title(sample, "Slope and trend", dose),
        unit,
        [_estimate("slope", slope), _estimate("trend (Somers' D)", monotone)],
        records=[record for _, record in known],
        bounds=(None, None),
        note=" ".join(notes),
    )


def _slope(
    dose: str,
    levels: Sequence[float],
    answers: Sequence[float],
    clusters: Sequence[str],
    *,
    is_two: bool,
) -> tuple[Slope, str]:
    fit: Callable[[Sequence[float], Sequence[float], Sequence[str]], Slope]
    fit, of = (logistic_slope, "log-odds") if is_two else (linear_slope, "payoff")
    if dose == "stake":
        return fit([log10(level) for level in levels], answers, clusters), f"{of} a tenfold stake"
    return fit(levels, answers, clusters), f"{of} per unit of penalty"


def _estimate(label: str, found: Slope) -> Estimate:
    return Estimate(label=label, value=found.value, low=found.low, high=found.high, n=found.n)
