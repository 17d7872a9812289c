"""Scores of item sets, by the rules that their authors published (scoring.yaml)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from statistics import mean
from typing import Any, Literal

from valuesim.measures.interval import mean_interval
from valuesim.measures.panel import Estimate, Reference
from valuesim.measures.questionnaire.answers import Answer
from valuesim.shipped import shipped_yaml

Refusal = Literal["catch", "uncaught", "missing", "alike"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scoring:
    """How an instrument is scored; see scoring.yaml for the fields."""

    title: str
    unit: str
    points: tuple[float, float]
    scales: Mapping[str, int]
    missing: Literal["complete", "half", "available"] | int
    source: str
    centred: bool = False
    alike: int | None = None
    catch: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and highest score possible."""
        low, high = self.points
        return (low - high, high - low) if self.centred else (low, high)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """The scores of one administration, of `unit`, by scale; None for a scale without one.

    `refusal` says why the instrument's rules score none of it: a catch item failed or not answered,
    too many items unanswered, or too many answers alike. `answered` counts the answers behind each
    scale.
    """

    unit: str
    scales: Mapping[str, float | None]
    answered: Mapping[str, int]
    refusal: Refusal | None = None


@cache
def scorings() -> Mapping[str, Scoring]:
    """Return how each item set is scored, by instrument."""
    content = shipped_yaml("valuesim.measures.questionnaire", "scoring.yaml")
    return {name: _scoring(entry) for name, entry in content.items()}


def _scoring(entry: Mapping[str, Any]) -> Scoring:
    references = tuple(_reference(given) for given in entry.get("references", ()))
    catch = {item: (low, high) for item, (low, high) in entry.get("catch", {}).items()}
    given = {name: entry[name] for name in entry if name not in ("references", "catch", "points")}
    points = (entry["points"][0], entry["points"][1])
    return Scoring(**given, points=points, catch=catch, references=references)


def _reference(given: Mapping[str, Any]) -> Reference:
    return Reference(
        label=given["label"],
        points=tuple(
            Estimate(label=scale, value=figure, n=given.get("n", 0))
            for scale, figure in given["means"].items()
        ),
        source=given["source"],
        population=given["population"],
    )


def scores(answers: Sequence[Answer], scoring: Scoring) -> Scores:
    """Return the scores of the answers of one administration; there is one answer at least.

    An item that was not asked counts as unanswered.
    """
    given = [(a.scale, a.score) for a in answers if a.scale is not None and a.score is not None]
    scales = scoring.scales or dict.fromkeys(sorted({a.scale for a in answers if a.scale}), 1)
    of_scale = {name: [score for scale, score in given if scale == name] for name in scales}
    answered = {name: len(found) for name, found in of_scale.items()}
    refusal = _refusal(answers, [score for _, score in given], scoring)
    if refusal:
        nothing = dict.fromkeys(scales)
        return Scores(unit=answers[0].unit, scales=nothing, answered=answered, refusal=refusal)
    centre = mean(score for _, score in given) if scoring.centred and given else 0.0
    return Scores(
        unit=answers[0].unit,
        scales={
            name: mean(found) - centre if _suffices(len(found), scales[name], scoring) else None
            for name, found in of_scale.items()
        },
        answered=answered,
    )


def _suffices(answered: int, items: int, scoring: Scoring) -> bool:
    if scoring.missing == "complete":
        return answered == items
    return answered > 0 and (scoring.missing != "half" or 2 * answered >= items)


def _refusal(answers: Sequence[Answer], given: Sequence[float], scoring: Scoring) -> Refusal | None:
    caught = {a.item: a.score for a in answers if a.item in scoring.catch and a.score is not None}
    if any(not low <= caught.get(item, low) <= high for item, (low, high) in scoring.catch.items()):
        return "catch"
    if len(caught) < len(scoring.catch):
        return "uncaught"
    unanswered = sum(scoring.scales.values()) - len(given)
    if isinstance(scoring.missing, int) and unanswered > scoring.missing:
        return "missing"
    most = max(Counter(given).values(), default=0)
    return "alike" if scoring.alike is not None and most > scoring.alike else None


def mean_score(
    label: str,
    found: Sequence[float],
    bounds: tuple[float, float],
    n: int,
    units: Sequence[str] | None = None,
) -> Estimate:
    """Return the mean of `found`, one score an administration, with Student's interval.

    The interval lies within `bounds`. There is none with fewer than two administrations, nor where
    all scored the same, which tells nothing of how much others would differ. Where `units` names
    for each score the administrations that are not independent, they count together.
    """
    if not found:
        return Estimate(label=label, value=None, n=n)
    average, low, high = mean_interval(found, bounds, units)
    return Estimate(label=label, value=average, low=low, high=high, n=n)
