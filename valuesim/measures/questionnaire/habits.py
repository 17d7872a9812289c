"""Answers that follow the place, the label or the number instead of the content."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import mean

import numpy as np
from scipy import stats

from valuesim.measures.interval import rate_by_cluster
from valuesim.measures.panel import Estimate
from valuesim.measures.questionnaire.answers import Answer, by_administration

Share = Callable[[Answer], float]


def shares(answers: Sequence[Answer]) -> list[tuple[Estimate, Estimate]]:
    """Return shares of answers that a habit would take, each with what content alone would give.

    Of choices: the option shown first, the label A and, of pairs, the value named first. Of scales:
    the half that is shown first, the middle counting one half. Faults are left out.
    """
    given = [answer for answer in answers if answer.chosen is not None]
    choices = [answer for answer in given if not answer.scores]
    pairs = [answer for answer in choices if answer.form == "pairwise"]
    scaled = [answer for answer in given if answer.scores]
    asked = [
        ("option shown first", choices, _is_first, _chance),
        ("label A", [a for a in choices if "A" in a.shown], _is_a, _chance),
        ("value named first", pairs, _is_named_first, _chance),
        ("half of the scale shown first", scaled, _is_first_half, lambda _: 0.5),
    ]
    return [
        (_share(label, group, habit), Estimate(label=label, value=mean(map(chance, group))))
        for label, group, habit, chance in asked
        if group
    ]


def _chance(answer: Answer) -> float:
    return 1 / len(answer.shown)


def _is_first(answer: Answer) -> float:
    return float(answer.chosen == answer.shown[0])


def _is_a(answer: Answer) -> float:
    return float(answer.chosen == "A")


def _is_named_first(answer: Answer) -> float:
    return float(answer.value == answer.named[0])


def _is_first_half(answer: Answer) -> float:
    assert answer.chosen is not None, "only answers are counted"
    place = answer.shown.index(answer.chosen)
    return 0.5 * (1 + float(np.sign(len(answer.shown) - 1 - 2 * place)))


def _share(label: str, answers: Sequence[Answer], habit: Share) -> Estimate:
    return Estimate.of(label, rate_by_cluster((a.cluster, habit(a)) for a in answers))


def direction_effect(answers: Sequence[Answer]) -> Estimate | None:
    """Return the mean score with the numbers turned less that without; None without both.

    0 for whoever reads what the points say; a respondent who always takes one number scores as much
    lower (or higher) as the scale is long. Welch's interval between administrations, those of one
    chain taken together.
    """
    sides: list[list[float]] = []
    counted = [a for a in answers if a.score is not None and a.scale is not None]
    for turned in (True, False):
        own = by_administration(a for a in counted if a.is_reversed is turned)
        units: dict[str, list[float]] = defaultdict(list)
        for each in own.values():
            units[each[0].unit].append(mean(a.score for a in each if a.score is not None))
        sides.append([mean(scores) for scores in units.values()])
    if not all(sides):
        return None
    turned_side, plain_side = sides
    effect = mean(turned_side) - mean(plain_side)
    label, n = "turned less plain", len(counted)
    if min(map(len, sides)) < 2 or np.ptp(turned_side) + np.ptp(plain_side) < 1e-12:
        return Estimate(label=label, value=effect, n=n)
    interval = stats.ttest_ind(turned_side, plain_side, equal_var=False).confidence_interval()
    return Estimate(
        label=label, value=effect, low=float(interval.low), high=float(interval.high), n=n
    )
