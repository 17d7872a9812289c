"""What choices follow beside values: being shown first, the place shown, letting things be.

Each habit is a contrast of the logit's coefficients of `design.TERMS`, told only where the choices
determine it (see `identification`). In sets of two an option's place is nothing but being shown
first or not: there the whole habit, the log-odds of the option shown first over the other with all
else equal, is one figure, told of "first".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from valuesim.graph.design import LEAST_STAKE, TERMS, Design, FloatArray
from valuesim.graph.identification import Identification
from valuesim.graph.logit import RUNAWAY, LogitFit, effective_clusters

FIRST, PLACE = "first", "position"
_NEVER = {"omission": "the options of no choice differ in it"}
_ORDER_UNKNOWN = "the order shown is not known"
_BOUNDED = "never contradicted, so that only the prior bounds it"


@dataclass(frozen=True, kw_only=True, slots=True)
class Habit:
    """How far choices follow one of `design.TERMS`, in log-odds.

    `value`, `se` and the 95 % interval `low` to `high` are of an option with the term over one
    without, all else equal; of "position", of the last shown over the first, beyond being first.
    `choices` counts the contested choices whose options differ in it. Where a figure is None
    `reason` says why: the value, or its uncertainty alone, is not determined. Beside figures it
    says that only the prior bounds them.
    """

    term: str
    value: float | None = None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    choices: int
    reason: str | None = None


def habits(design: Design, fitted: LogitFit, identified: Identification) -> dict[str, Habit]:
    """Return the habit of each of `TERMS`, by its name.

    `fitted` and `identified` are those of `design`, which must hold at least one choice.
    """
    contrasts = _contrasts(design)
    found = {}
    for number, resting in enumerate(effective_clusters(design, fitted, contrasts)):
        differs = np.ptp(_columns(design)[:, :, number], axis=1) > LEAST_STAKE
        habit = Habit(term=list(TERMS)[number], choices=int(design.met @ differs))
        reason = _why_not(identified, contrasts, number, habit)
        if reason is None:
            clusters = int((design.asked @ differs.astype(float) > 0).sum())
            habit = _estimated(habit, design, fitted, contrasts[number], resting, clusters)
        found[habit.term] = replace(habit, reason=reason or habit.reason)
    return found


def _columns(design: Design) -> FloatArray:
    """Return the features of `TERMS` (S x K x 3)."""
    return design.features[:, :, len(design.values) :]


def _contrasts(design: Design) -> FloatArray:
    """Return what of the coefficients each habit is (3 x P); 0 for one that is told of another."""
    contrasts = np.eye(len(TERMS), design.features.shape[2], k=len(design.values))
    first, position = (_columns(design)[:, :, list(TERMS).index(term)] for term in (FIRST, PLACE))
    if np.abs(first + position).max(initial=0.0) < LEAST_STAKE:
        contrasts[list(TERMS).index(FIRST)] -= contrasts[list(TERMS).index(PLACE)]
        contrasts[list(TERMS).index(PLACE)] = 0.0
    return contrasts


def _why_not(
    identified: Identification, contrasts: FloatArray, number: int, habit: Habit
) -> str | None:
    """Return why the choices do not determine a habit; None if they do."""
    contrast = contrasts[number]
    if not habit.choices:
        return _NEVER.get(habit.term, _ORDER_UNKNOWN)
    if not contrast.any():
        return f"cannot be told apart from {TERMS[FIRST]}"
    if identified.determines(contrast):
        return None
    beside = identified.entangled(contrast) & (contrast == 0)
    names = ["what is at stake"] if beside[: -len(TERMS)].any() else []
    # a place that is told of being shown first is no other habit
    are_in = beside[-len(TERMS) :] & contrasts.any(axis=1)
    names += [TERMS[term] for term, is_in in zip(TERMS, are_in, strict=True) if is_in]
    return f"cannot be told apart from {' and '.join(names)}"


def _estimated(
    habit: Habit,
    design: Design,
    fitted: LogitFit,
    contrast: FloatArray,
    resting: float,
    clusters: int,
) -> Habit:
    value = float(contrast @ fitted.theta)
    if clusters < 2:
        return replace(habit, value=value, reason=f"met in fewer than two {design.unit}s")
    se = float(np.sqrt(contrast @ fitted.covariance @ contrast))
    half = fitted.quantile(resting) * se
    runs_away = abs(contrast @ fitted.drift) > RUNAWAY
    return replace(
        habit,
        value=value,
        se=se,
        low=value - half,
        high=value + half,
        reason=_BOUNDED if runs_away else None,
    )
