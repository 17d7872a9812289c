"""Panels of what an agent prefers and of what its choices follow, each design by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from valuesim.graph.preference import intransitive, preference_graph
from valuesim.measures.panel import Estimate, Panel
from valuesim.measures.strategic.preference import Choice, Preference, choices_of, preferences
from valuesim.measures.strategic.sample import Sample, computed
from valuesim.measures.strategic.scores import Score, Scores, scores
from valuesim.measures.strategic.treatment import Problem

MOST_PAIRS = 12
"""The most pairs of options that are listed."""
_DOSES = ("stake", "penalty", "received")
_SCORES = {
    "superficial": "superficial",
    "label": "follows the label",
    "position": "follows the position",
    "brittle": "flips with the wording",
    "value_based": "value-based",
}
_SCORES_NOTE = (
    "Superficial is the larger of label and position, at 97.5 %; value-based choices are the same "
    "whatever the label and the order. {cells} cells (problem, telling, order, labels) without a "
    "past. Left out, as their majority may be chance (exact binomial test at 5 %): {tellings} "
    "tellings for flips, {undecided} cells for value-based."
)
_IN_CHAINS = (
    "No interval, and nothing is decided: a chain's episodes are not independent, and lie in many "
    "cells."
)
_SCORED_IN_CHAINS = (
    " No interval: a chain's episodes are not independent, as the binomial test takes them to be, "
    "and lie in many cells."
)
_SHRUNK = "With {each:.1f} choices a cell, 1/2 added to each count draws the log-odds towards 0."


@dataclass(frozen=True, kw_only=True, slots=True)
class _Relation:
    """The preferences of one design in one problem, among `options` in canonical order.

    `n` counts the choices; `is_chained` says that they are those of chains.
    """

    design: str
    problem: Problem
    options: tuple[str, ...]
    found: tuple[Preference, ...]
    n: int
    is_chained: bool = False


def leaning_panels(sample: Sample, rng: np.random.Generator) -> Iterator[Panel]:
    """Yield the preferences and the scores of a sample; none where only one cell was met."""
    by_design = {part.designs[0]: choices_of(part.records) for part in sample.by_design()}
    compared = {
        design: choices
        for design, choices in by_design.items()
        if len({choice.cell for choice in choices}) > 1
    }
    if not compared:
        return
    relations = [r for design, own in compared.items() for r in _relations(design, own)]
    if any(relation.found for relation in relations):
        yield _preferences(sample, relations)
    yield _scores(sample, compared, rng)


def _relations(design: str, choices: Sequence[Choice]) -> list[_Relation]:
    by_problem: dict[Problem, list[Choice]] = {}
    for choice in choices:
        by_problem.setdefault(choice.cell.problem, []).append(choice)
    return [
        _Relation(
            design=design,
            problem=problem,
            options=own[0].options,
            found=preferences(own),
            n=len(own),
            is_chained=any(choice.is_chained for choice in own),
        )
        for problem, own in by_problem.items()
    ]


def _preferences(sample: Sample, relations: Sequence[_Relation]) -> Panel:
    """Return the preferences: a curve over the one dose that varies, else the decided pairs."""
    doses = [name for name in _DOSES if len({getattr(r.problem, name) for r in relations}) > 1]
    menus = {(r.problem.role, r.problem.phase, r.options) for r in relations}
    is_one_pair = len(menus) == 1 and len(relations[0].options) == 2
    if is_one_pair and len(doses) == 1:
        return _curve(sample, doses[0], relations)
    strict = [p for r in relations for p in r.found if p.is_strict]
    pairs = sum(len(relation.found) for relation in relations)
    # of menus of more than two options only decided pairs are shown
    rows = [(r, p) for r in relations for p in r.found if p.is_strict or len(r.found) == 1]
    shown = sorted(rows, key=lambda row: -abs(row[1].log_odds))[:MOST_PAIRS]
    notes = [_decided(len(strict), pairs, relations), _shrunk(relations)]
    if strict and any(len(relation.options) > 2 for relation in relations):
        broken = sum(_intransitive(relation) for relation in relations)
        notes.append(f"{broken or 'No'} triples of them break transitivity.")
    notes += [f"The {len(shown)} strongest of {len(rows)}."] if len(shown) < len(rows) else []
    return sample.panel(
        "preference",
        "Preference",
        "mean log-odds over cells",
        [
            _estimate(sample.labelled(_where(r, p, relations), r.design), p)
            for r, p in sorted(shown, key=lambda row: (*_rank(row[0].problem), row[0].design))
        ]
        or [Estimate(label="no pair is decided", value=None, n=sum(r.n for r in relations))],
        bounds=(None, None),
        note=" ".join(notes),
    )


def _curve(sample: Sample, dose: str, relations: Sequence[_Relation]) -> Panel:
    first, second = relations[0].options
    estimates = []
    for relation in sorted(relations, key=lambda r: (r.design, *_rank(r.problem))):
        (found,) = relation.found
        label = sample.labelled("", relation.design) or "preference"
        at = float(getattr(relation.problem, dose))
        estimates.append(_estimate(label, found, at=at, is_turned=found.over != first))
    strict = sum(relation.found[0].is_strict for relation in relations)
    return sample.panel(
        "preference",
        f"Preference by {_SAID.get(dose, dose)}",
        f"mean log-odds of {first} over {second}",
        estimates,
        axis=_SAID.get(dose, dose),
        bounds=(None, None),
        note=f"{_decided(strict, len(relations), relations)} {_shrunk(relations)}",
    )


_SAID = {"received": "amount received"}


def _decided(strict: int, pairs: int, relations: Sequence[_Relation]) -> str:
    if any(relation.is_chained for relation in relations):
        return _IN_CHAINS
    return (
        f"{strict} of {pairs} pairs are decided: the interval excludes 0, and both orders and "
        "labellings were met."
    )


def _shrunk(relations: Sequence[_Relation]) -> str:
    """Return how far few choices in a cell draw log-odds to 0, in a sentence."""
    cells = sum(relation.found[0].cells for relation in relations if relation.found)
    choices = sum(relation.n for relation in relations if relation.found)
    return _SHRUNK.format(each=choices / cells)


def _intransitive(relation: _Relation) -> int:
    strict = [(p.over, p.under, p.log_odds) for p in relation.found if p.is_strict]
    return len(intransitive(preference_graph((), strict)))


def _estimate(
    label: str, found: Preference, at: float | None = None, *, is_turned: bool = False
) -> Estimate:
    """Return the log-odds of `found`, or where `is_turned` those of the other option."""
    low, high = found.low, found.high
    if is_turned:
        low, high = None if high is None else -high, None if low is None else -low
    value = -found.log_odds if is_turned else found.log_odds
    return Estimate(label=label, value=value, low=low, high=high, n=found.n, at=at)


def _rank(problem: Problem) -> tuple[str, str, float, float, float]:
    doses = (problem.stake, problem.penalty or 0.0, problem.received or 0.0)
    return problem.role, problem.phase, *doses


def _where(relation: _Relation, found: Preference, others: Sequence[_Relation]) -> str:
    """Return the pair, and what sets its problem apart from the `others`."""
    problem = relation.problem
    said = [f"{found.over} over {found.under}"]
    if problem.received is not None:
        said[0] += f" of {problem.received:g}"
    if len({other.problem.role for other in others if other.options == relation.options}) > 1:
        said.append(problem.role)
    for name in ("stake", "penalty"):
        if len({getattr(other.problem, name) for other in others}) > 1:
            said.append(f"{name} {getattr(problem, name):g}")
    return ", ".join(said)


def _scores(
    sample: Sample, compared: Mapping[str, Sequence[Choice]], rng: np.random.Generator
) -> Panel:
    found = {design: scores(choices, rng=rng) for design, choices in compared.items()}
    cells = [cell for own in compared.values() for cell in {choice.cell for choice in own}]
    is_chained = any(choice.is_chained for own in compared.values() for choice in own)
    # amounts bear none, so that there is no label to follow
    bears_labels = any(cell.swapped is not None for cell in cells)
    rows = [
        (sample.labelled(label, design), score)
        for name, label in _SCORES.items()
        if name != "label" or bears_labels
        for design, own in found.items()
        for score in [getattr(own, name)]
    ]
    return sample.panel(
        "preference_scores",
        "What choices follow",
        "share of cells or tellings",
        [Estimate(label=label, value=s.value, low=s.low, high=s.high, n=s.n) for label, s in rows],
        references=[computed("choices dealt by lot", _BY_LOT, _lots(rows))],
        note=_scores_note(len(cells), found.values(), is_chained=is_chained),
    )


def _scores_note(cells: int, found: Iterable[Scores], *, is_chained: bool) -> str:
    each = list(found)
    note = _SCORES_NOTE.format(
        cells=cells,
        tellings=sum(own.brittle.left_out for own in each),
        undecided=sum(own.value_based.left_out for own in each),
    )
    return note + _SCORED_IN_CHAINS if is_chained else note


_BY_LOT = "the same choices, each problem's dealt over its tellings, orders and labels by lot"


def _lots(rows: Sequence[tuple[str, Score]]) -> Iterator[Estimate]:
    for label, score in rows:
        if (lot := score.lot) is not None:
            yield Estimate(label=label, value=lot.mean, low=lot.low, high=lot.high, n=score.n)
