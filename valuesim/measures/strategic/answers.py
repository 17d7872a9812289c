"""Panels of answers to an amount: acceptance, what is sent back, punishment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from valuesim.choices import cluster_of
from valuesim.log.reader import DecisionRecord
from valuesim.measures.interval import clustered_rate
from valuesim.measures.panel import Estimate, Panel, Reference
from valuesim.measures.strategic.cooperation import rate
from valuesim.measures.strategic.history import intended
from valuesim.measures.strategic.people import references as people
from valuesim.measures.strategic.sample import Sample, estimate
from valuesim.measures.strategic.theory import acceptance


def answer_panels(sample: Sample) -> Iterator[Panel]:
    """Yield what responders do with what they received, and how often anybody is punished."""
    answers = [r for r in sample.records if r.annotations.get("phase") == "respond"]
    punishments = [r for r in sample.records if r.annotations.get("phase") == "punish"]
    if answers and sample.treatment.game == "ultimatum":
        yield _acceptance(sample, answers)
    elif answers:
        yield _returned(sample, answers)
    if punishments:
        moves = ((cluster_of(r), intended(r)) for r in punishments)
        punished = rate((c, move != "none") for c, move in moves if move is not None)
        yield sample.panel(
            "punishment",
            "Costly punishment",
            "share of valid decisions",
            [estimate("punishes somebody", punished)],
            records=punishments,
        )


def _acceptance(sample: Sample, answers: Sequence[DecisionRecord]) -> Panel:
    pie = float(sample.treatment.factor("pie"))
    offers = _received(answers, pie)
    known = people(sample.treatment, None, {"acceptance under 20 %": "accepts"})
    low = [share for share in offers if share < 0.2]
    return sample.panel(
        "acceptance",
        "Acceptance by offer",
        "share of offers accepted",
        [
            estimate("accepts", rate((c, m == "accept") for c, m in own), at=share)
            for share, own in offers.items()
        ],
        records=answers,
        axis="offer as a share of the pie",
        references=[
            *(_along(ref, ref.points[0].value, low) for ref in known if low),
            _computed(
                "subgame-perfect",
                "accepts whatever is more than 0",
                [Estimate(label="accepts", value=1.0, at=share) for share in offers if share > 0],
            ),
            _computed(
                "logit equilibrium",
                "logit answer at lambda 10 / pie",
                [
                    Estimate(
                        label="accepts", value=acceptance(sample.treatment, pie * share), at=share
                    )
                    for share in offers
                ],
            ),
        ],
    )


def _along(reference: Reference, value: float | None, at: Sequence[float]) -> Reference:
    points = tuple(Estimate(label="accepts", value=value, at=place) for place in at)
    return Reference(
        label=reference.label,
        points=points,
        source=reference.source,
        population=reference.population,
    )


def _computed(label: str, source: str, points: Sequence[Estimate]) -> Reference:
    return Reference(label=label, points=tuple(points), source=source, population="computed")


def _received(answers: Sequence[DecisionRecord], unit: float) -> dict[float, list[tuple[str, str]]]:
    """Return the valid answers, with their clusters, by the amount received over `unit`."""
    found: dict[float, list[tuple[str, str]]] = {}
    for record in answers:
        share = round(float(record.annotations["received"]) / unit, 6)
        own = found.setdefault(share, [])
        if (move := intended(record)) is not None:
            own.append((cluster_of(record), move))
    return dict(sorted(found.items()))


def _returned(sample: Sample, answers: Sequence[DecisionRecord]) -> Panel:
    estimates = []
    for received, own in _received(answers, 1.0).items():
        sums: dict[str, list[float]] = {}
        for cluster, move in own:
            sums.setdefault(cluster, []).append(float(move) / received if received else 0.0)
        found = clustered_rate([sum(x) for x in sums.values()], [len(x) for x in sums.values()])
        estimates.append(estimate("returned", found, at=received))
    nothing = [Estimate(label="returned", value=0.0, at=e.at) for e in estimates]
    return sample.panel(
        "returned",
        "Share returned by amount received",
        "share of what was received",
        estimates,
        records=answers,
        axis="amount received",
        references=[_computed("subgame-perfect", "returns nothing", nothing)],
    )
