"""Answers to an amount: acceptance, what is sent back, punishment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from valuesim.choices import cluster_of
from valuesim.log.reader import DecisionRecord
from valuesim.measures.interval import clustered_rate
from valuesim.measures.panel import Estimate, Panel, Reference
from valuesim.measures.strategic.cooperation import rate
from valuesim.measures.strategic.history import intended
from valuesim.measures.strategic.people import references as people
from valuesim.measures.strategic.sample import Arm, Figures, Sample, computed, estimate
from valuesim.measures.strategic.theory import acceptance


def answer_panels(sample: Sample) -> Iterator[Panel]:
    """Yield what responders do with what they received, a curve for each design."""
    answers = {
        sample.labelled("", arm.design): own for arm in sample.arms if (own := _in(arm, "respond"))
    }
    if answers:
        yield (_acceptance if sample.treatment.game == "ultimatum" else _returned)(sample, answers)


def punished(arm: Arm) -> Figures | None:
    """Return how often anybody is punished; None where nobody may be."""
    punishments = _in(arm, "punish")
    if not punishments:
        return None
    moves = ((cluster_of(r), intended(r)) for r in punishments)
    found = rate((c, move != "none") for c, move in moves if move is not None)
    return Figures(arm=arm, estimates=[estimate("punishes somebody", found)])


_Answers = Mapping[str, Sequence[DecisionRecord]]


def _in(arm: Arm, phase: str) -> list[DecisionRecord]:
    return [record for record in arm.records if record.annotations.get("phase") == phase]


def _acceptance(sample: Sample, answers: _Answers) -> Panel:
    pie = float(sample.treatment.factor("pie"))
    records = [record for own in answers.values() for record in own]
    offers = list(_received(records, pie))
    known = people(sample.treatment, None, {"acceptance under 20 %": "accepts"})
    low = [share for share in offers if share < 0.2]
    logit = ((share, acceptance(sample.treatment, pie * share)) for share in offers)
    return sample.panel(
        "acceptance",
        "Acceptance by offer",
        "share of offers accepted",
        [
            estimate(design or "accepts", rate((c, m == "accept") for c, m in own), at=share)
            for design, given in answers.items()
            for share, own in _received(given, pie).items()
        ],
        records=records,
        axis="offer as a share of the pie",
        references=[
            *(_along(ref, ref.points[0].value, low) for ref in known if low),
            computed(
                "subgame-perfect",
                "accepts whatever is more than 0",
                (Estimate(label="accepts", value=1.0, at=share) for share in offers if share > 0),
            ),
            computed(
                "logit equilibrium",
                "logit answer at lambda 10 / pie",
                (Estimate(label="accepts", value=value, at=share) for share, value in logit),
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


def _received(answers: Sequence[DecisionRecord], unit: float) -> dict[float, list[tuple[str, str]]]:
    """Return the valid answers, with their clusters, by the amount received over `unit`."""
    found: dict[float, list[tuple[str, str]]] = {}
    for record in answers:
        share = round(float(record.annotations["received"]) / unit, 6)
        own = found.setdefault(share, [])
        if (move := intended(record)) is not None:
            own.append((cluster_of(record), move))
    return dict(sorted(found.items()))


def _returned(sample: Sample, answers: _Answers) -> Panel:
    estimates = []
    for design, given in answers.items():
        for received, own in _received(given, 1.0).items():
            sums: dict[str, list[float]] = {}
            for cluster, move in own:
                share = float(move) / received if received else 0.0
                sums.setdefault(cluster, []).append(share)
            hits, chances = [sum(x) for x in sums.values()], [len(x) for x in sums.values()]
            found = clustered_rate(hits, chances, is_binary=False)
            estimates.append(estimate(design or "returned", found, at=received))
    nothing = (Estimate(label="returned", value=0.0, at=e.at) for e in estimates)
    return sample.panel(
        "returned",
        "Share returned by amount received",
        "share of what was received",
        estimates,
        records=[record for own in answers.values() for record in own],
        axis="amount received",
        references=[computed("subgame-perfect", "returns nothing", nothing)],
    )
