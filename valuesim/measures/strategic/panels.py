"""The panels of one group of decisions in one game.

Treatments (payoffs, rounds, noise, talk, framing, currency, perspective, design) are never pooled;
words and labels are, and so are stakes, but for the curves that are drawn over them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from valuesim.graph.preference import intransitive, preference_graph
from valuesim.log.reader import DecisionRecord
from valuesim.measures.panel import Estimate, Panel
from valuesim.measures.strategic.amounts import amount_panels
from valuesim.measures.strategic.doses import dose_panels
from valuesim.measures.strategic.moves import move_panels
from valuesim.measures.strategic.preference import Choice, Preference, choices_of, preferences
from valuesim.measures.strategic.sample import Sample
from valuesim.measures.strategic.scores import Score, scores
from valuesim.measures.strategic.treatment import Problem, by_treatment, names, penalty
from valuesim.measures.strategic.worth import worth_panels

_DOSES = ("stake", "penalty", "received")


def panels(records: Sequence[DecisionRecord], *, seed: int) -> Sequence[Panel]:
    """Return the panels of `records`, all of one group and one game; none without records.

    `seed` draws the resamples behind intervals: the same records and seed give the same panels.
    """
    rng = np.random.default_rng(seed)
    return [
        panel
        for sample in _samples(records)
        for panel in (*_static(sample, rng), *_moving(sample, rng))
    ]


def _samples(records: Sequence[DecisionRecord]) -> list[Sample]:
    treatments = by_treatment(records)
    called = names(list(treatments))
    return [
        Sample(treatment=treatment, penalty=None, name=called[treatment], records=tuple(own))
        for treatment, own in treatments.items()
    ]


def _static(sample: Sample, rng: np.random.Generator) -> Iterator[Panel]:
    """Yield what is measured at each penalty apart."""
    by_penalty: dict[float | None, list[DecisionRecord]] = {}
    for record in sample.records:
        by_penalty.setdefault(penalty(record), []).append(record)
    for level, own in sorted(by_penalty.items(), key=lambda item: item[0] or 0.0):
        said = [sample.name] if sample.name else []
        said += [f"penalty {level:g}"] if level is not None and len(by_penalty) > 1 else []
        at = replace(sample, penalty=level, name=", ".join(said), records=tuple(own))
        if sample.treatment.game_table is not None:
            yield from move_panels(at, rng)
        else:
            yield from amount_panels(at)
        yield from worth_panels(at, rng)


def _moving(sample: Sample, rng: np.random.Generator) -> Iterator[Panel]:
    """Yield what is measured across doses, labels and tellings."""
    yield from dose_panels(sample)
    yield from _preferences(sample, rng)


def _preferences(sample: Sample, rng: np.random.Generator) -> Iterator[Panel]:
    choices = choices_of(sample.records)
    if len({choice.cell for choice in choices}) < 2:
        return
    by_problem: dict[Problem, list[Choice]] = {}
    for choice in choices:
        by_problem.setdefault(choice.cell.problem, []).append(choice)
    relations = {
        _where(problem, list(by_problem)): preferences(own)
        for problem, own in sorted(by_problem.items(), key=_rank)
    }
    if any(relations.values()):
        yield _relations(sample, relations)
    yield _scores(sample, choices, rng)


def _rank(item: tuple[Problem, object]) -> tuple[str, str, float, float, float]:
    problem, _ = item
    doses = (problem.stake, problem.penalty or 0.0, problem.received or 0.0)
    return problem.role, problem.phase, *doses


def _where(problem: Problem, others: Sequence[Problem]) -> str:
    """Return what sets `problem` apart from the `others`."""
    said = []
    for name in ("role", *_DOSES):
        if len({getattr(other, name) for other in others}) > 1:
            own = getattr(problem, name)
            said += [] if own is None else [f"{name} {own:g}" if name in _DOSES else str(own)]
    return ", ".join(said)


def _relations(sample: Sample, relations: Mapping[str, Sequence[Preference]]) -> Panel:
    strict = {k: [p for p in found if p.is_strict] for k, found in relations.items()}
    broken = sum(
        len(intransitive(preference_graph((), [(p.over, p.under, p.log_odds) for p in found])))
        for found in strict.values()
    )
    pairs = sum(len(found) for found in relations.values())
    note = f"{sum(map(len, strict.values()))} of {pairs} pairs are decided (the interval excludes 0"
    note += " and both orders and labellings were met; of larger menus only these are listed); "
    note += f"{broken} triples break transitivity." if broken else "the relation is transitive."
    return sample.panel(
        "preference",
        "Preference",
        "mean log-odds over cells",
        [
            Estimate(
                label=f"{p.over} over {p.under}{where and ', '}{where}",
                value=p.log_odds,
                low=p.low,
                high=p.high,
                n=p.n,
            )
            for where, found in relations.items()
            for p in found
            if p.is_strict or len(found) == 1
        ],
        bounds=(None, None),
        note=note,
    )


def _scores(sample: Sample, choices: Sequence[Choice], rng: np.random.Generator) -> Panel:
    found = scores(choices, rng=rng)
    cells = len({choice.cell for choice in choices})
    return sample.panel(
        "preference_scores",
        "What choices follow",
        "share of cells or tellings",
        [
            _estimate("superficial (label or position)", found.superficial),
            _estimate("follows the label", found.label),
            _estimate("follows the position", found.position),
            _estimate("brittle (flips with the wording)", found.brittle),
            _estimate("value-based", found.value_based),
        ],
        note=f"Over {cells} cells (problem, telling, order, labels) of decisions without a past.",
    )


def _estimate(label: str, score: Score) -> Estimate:
    return Estimate(label=label, value=score.value, low=score.low, high=score.high, n=score.n)
