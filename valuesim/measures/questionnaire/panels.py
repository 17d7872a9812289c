"""The panels of a group's answers to questionnaires."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from valuesim.log.reader import DecisionRecord
from valuesim.measures.apart import PERSPECTIVE, apart
from valuesim.measures.panel import Estimate, Panel, Reference, fault_counts
from valuesim.measures.questionnaire import habits, preference
from valuesim.measures.questionnaire.answers import Answer, by_administration, read
from valuesim.measures.questionnaire.scoring import Scores, Scoring, mean_score, scores, scorings

_WORDED_ANEW = "the items are worded anew: figures of the published items are for orientation"
_REFUSALS = {
    "catch": "a catch item was failed",
    "uncaught": "a catch item was not answered",
    "missing": "too many items were unanswered",
    "alike": "too many answers were alike",
}
_UNSCORED = {
    "complete": "that was not answered in full",
    "half": "of which fewer than half of the items were answered",
}


def panels(records: Sequence[DecisionRecord], *, seed: int) -> Sequence[Panel]:
    """Return the panels of `records`: instrument by instrument, vocabulary by vocabulary.

    Item sets and ratings give scores, best-worst blocks give counts, pairs give their consistency;
    each also gives the habits of answering. Perspectives are never pooled. Raises LogError for
    records of no questionnaire.
    """
    return apart(records, (PERSPECTIVE,), _panels, seed=seed)


def _panels(records: Sequence[DecisionRecord], *, seed: int) -> Sequence[Panel]:
    groups: dict[tuple[str, str], list[tuple[DecisionRecord, Answer]]] = defaultdict(list)
    for record, answer in zip(records, read(records), strict=True):
        groups[answer.instrument, answer.vocabulary or ""].append((record, answer))
    vocabularies = Counter(instrument for instrument, _ in groups)
    shown: list[Panel] = []
    for (instrument, vocabulary), asked in sorted(groups.items()):
        faults = fault_counts([record for record, _ in asked])
        suffix = f"-{vocabulary}" if vocabularies[instrument] > 1 else ""
        for panel in _of_instrument(instrument, [answer for _, answer in asked], seed):
            named = f"{panel.id}{suffix}"
            shown.append(replace(panel, id=named, decisions=len(asked), faults=faults))
    return shown


def _of_instrument(instrument: str, answers: Sequence[Answer], seed: int) -> list[Panel]:
    form = answers[0].form
    if form == "bundles":
        return _habits(instrument, answers)
    if form == "pairwise":
        main = _consistency(instrument, answers, seed)
    elif form == "best_worst":
        main = _best_worst(instrument, answers)
    else:
        main = _scored(instrument, answers, scorings()[instrument])
    return [main, *_habits(instrument, answers)]


def _scored(instrument: str, answers: Sequence[Answer], scoring: Scoring) -> Panel:
    found = [scores(each, scoring) for each in by_administration(answers).values()]
    estimates = _estimates(found, scoring)
    if not scoring.scales:
        estimates.sort(key=lambda e: (e.value is None, -(e.value or 0.0), e.label))
    return Panel(
        id=instrument,
        title=scoring.title,
        unit=scoring.unit,
        estimates=tuple(estimates),
        references=scoring.references,
        bounds=scoring.bounds,
        note=_note(found, estimates, scoring),
    )


def _estimate(scale: str, found: Sequence[Scores], scoring: Scoring) -> Estimate:
    own = [each for each in found if each.scales.get(scale) is not None]
    return mean_score(
        scale,
        [score for each in own if (score := each.scales[scale]) is not None],
        scoring.bounds,
        n=sum(each.answered[scale] for each in own),
        units=[each.unit for each in own],
    )


def _note(found: Sequence[Scores], estimates: Sequence[Estimate], scoring: Scoring) -> str:
    scored = [each for each in found if any(score is not None for score in each.scales.values())]
    sentences = [f"{len(scored)} of {len(found)} administrations are scored, n counts answers"]
    refused = Counter(each.refusal for each in found if each.refusal)
    for refusal, count in sorted(refused.items()):
        sentences.append(f"{count} not at all because {_REFUSALS[refusal]}")
    partial = sum(None in each.scales.values() and not each.refusal for each in found)
    if partial:
        why = _UNSCORED.get(str(scoring.missing), "that was not answered")
        sentences.append(f"{partial} without a scale {why}")
    if any(e.value is not None and e.low is None for e in estimates):
        sentences.append("no interval where there is only one, or all scored the same")
    sentences.append(f"scored after {scoring.source}")
    if scoring.scales:
        sentences.append(_WORDED_ANEW)
    return "; ".join(sentences) + "."


def _estimates(found: Sequence[Scores], scoring: Scoring) -> list[Estimate]:
    scales = scoring.scales or sorted({name for each in found for name in each.scales})
    return [_estimate(name, found, scoring) for name in scales]


def _best_worst(instrument: str, answers: Sequence[Answer]) -> Panel:
    return Panel(
        id=instrument,
        title="Best-worst counts",
        unit="(best - worst) / times shown",
        estimates=preference.best_minus_worst(answers),
        bounds=(-1.0, 1.0),
        note="n counts the blocks that showed the value and of which both questions were answered.",
    )


def _consistency(instrument: str, answers: Sequence[Answer], seed: int) -> Panel:
    cyclic, by_chance = preference.cyclic_triads(answers, seed=seed)
    flipped = Estimate.of("order flips", preference.order_flips(answers))
    return Panel(
        id=f"{instrument}-consistency",
        title="Consistency of pairwise answers",
        unit="share",
        estimates=(cyclic, flipped),
        references=(_chance(by_chance, Estimate(label="order flips", value=0.5)),),
        bounds=(0.0, 1.0),
        note="Of cyclic triads n counts triads of values whose three pairs were decided, of order "
        "flips pairs that one template asked in both orders; the ranking itself is the graph's.",
    )


def _habits(instrument: str, answers: Sequence[Answer]) -> list[Panel]:
    found = []
    shares = habits.shares(answers)
    if shares:
        found.append(
            Panel(
                id=f"{instrument}-habits",
                title="Habits of answering",
                unit="share of answers",
                estimates=tuple(share for share, _ in shares),
                references=(_chance(*(by_content for _, by_content in shares)),),
                bounds=(0.0, 1.0),
                note="Place, label and direction are drawn by lot: what follows the content alone "
                "stands where chance does.",
            )
        )
    effect = habits.direction_effect(answers)
    if effect is not None:
        found.append(
            Panel(
                id=f"{instrument}-direction",
                title="Effect of turning the scale's numbers",
                unit="points of the scale",
                estimates=(effect,),
                note="0 for whoever reads what the points say.",
            )
        )
    return found


def _chance(*points: Estimate) -> Reference:
    return Reference(label="by chance", points=points, source="chance", population="computed")
