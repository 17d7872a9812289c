"""Stated against revealed: does a value weigh in what is done as it does in what is said?

Strengths of a questionnaire and of behaviour are on different scales: how decided the choices are,
and how large the stakes, differ. So each is divided by the standard deviation of the true strengths
over the values that both compare: that of the estimates, less what sampling noise adds to it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from valuesim.choices import Choices
from valuesim.graph.compared import Comparison, Gap
from valuesim.graph.comparison import correlations, level_counts, why_nothing
from valuesim.graph.contrasts import Contrasts, holm
from valuesim.graph.correlation import LEAST_VALUES, too_few
from valuesim.graph.design import FloatArray
from valuesim.graph.flips import Pair, flips, pair_changes
from valuesim.graph.joint import Joint, estimate_jointly

TOGETHER = "all behaviour"
"""The level that pools what is revealed in more than one way."""
LEAST_SHARE = 0.2
"""The share of the spread of strengths that must be no noise, for them to be standardised."""


def say_do(
    groups: Mapping[str, Choices],
    stated: Collection[str],
    *,
    roll_ups: Mapping[str, Mapping[str, str]] | None = None,
    pairs: Sequence[Pair] = (),
    seed: int = 0,
    draws: int = 1000,
) -> Comparison:
    """Return how the rankings of `groups` correlate, and the gaps of those `stated` to the others.

    Gaps, flips and `pairs` are of each stated level against each other one, and against all of them
    together (`TOGETHER`), where several share a vocabulary. `roll_ups` is as in
    `joint.estimate_jointly`. Strengths themselves are not compared.
    """
    revealed = [name for name in groups if name not in stated]
    alike = [name for name in revealed if name not in (roll_ups or {})]
    together = (
        {TOGETHER: pooled([groups[name] for name in alike])} if stated and len(alike) > 1 else {}
    )
    joint = estimate_jointly({**groups, **together}, seed=seed, draws=draws, roll_ups=roll_ups)
    counts = level_counts({**groups, **together}, joint)
    names = [name for name in joint.levels if name != TOGETHER]
    if len(names) < 2:
        return Comparison(counts=counts, why=why_nothing(groups, joint))
    sides = [
        (said, done)
        for said in names
        if said in stated
        for done in joint.levels
        if done not in stated
    ]
    told, no_pairs = pair_changes(joint, sides, pairs)
    found = Comparison(
        counts=counts,
        correlations=correlations(
            joint, [*combinations(names, 2), *(s for s in sides if s[1] == TOGETHER)], seed
        ),
        flips=flips(joint, sides),
        pairs=told,
        no_pairs=no_pairs,
    )
    return _with_gaps(found, joint, sides)


def pooled(each: Sequence[Choices]) -> Choices:
    """Return the evidence of several groups of choices as one."""
    faults: dict[str, int] = {}
    for choices in each:
        for kind, number in choices.faults.items():
            faults[kind] = faults.get(kind, 0) + number
    return Choices(
        decisions=sum(choices.decisions for choices in each),
        evidence=tuple(evidence for choices in each for evidence in choices.evidence),
        faults=faults,
    )


def _with_gaps(found: Comparison, joint: Joint, sides: Sequence[Pair]) -> Comparison:
    gaps: list[Gap] = []
    reasons: dict[str, str] = {}
    for stated, revealed in sides:
        values, _ = joint.common([stated, revealed])
        if len(values) < LEAST_VALUES:
            reasons[f"{stated}, {revealed}"] = str(too_few(len(values)).reason)
            continue
        both = joint.side_by_side(stated, revealed, values)
        scales = _scales(both)
        vague = [name for name, scale in zip((stated, revealed), scales, strict=True) if not scale]
        if vague:
            why = "strengths do not differ by more than their noise"
            reasons[f"{stated}, {revealed}"] = f"{' and '.join(vague)}: {why}"
        else:
            gaps += _gaps(joint, (stated, revealed), values, both, scales)
    return replace(found, gaps=tuple(gaps), no_gaps=reasons)


def _scales(both: Contrasts) -> tuple[float, float]:
    """Return the standard deviation of the true strengths on each side; 0 where none is told."""
    n = len(both.estimate) // 2
    found = []
    for half in (slice(0, n), slice(n, None)):
        size = float(both.estimate[half] @ both.estimate[half])
        left = size - float(np.trace(both.covariance[half, half]))
        found.append(float(np.sqrt(left / (n - 1))) if left > LEAST_SHARE * size else 0.0)
    return found[0], found[1]


def _gaps(
    joint: Joint, side: Pair, values: Sequence[str], both: Contrasts, scales: tuple[float, float]
) -> list[Gap]:
    n = len(values)
    stated, revealed = (both.estimate[:n] / scales[0], both.estimate[n:] / scales[1])
    slopes = np.hstack(
        [_slopes(both.estimate[:n], scales[0]), -_slopes(both.estimate[n:], scales[1])]
    )
    at_scale = {
        name: joint.rows(name, values) / scale for name, scale in zip(side, scales, strict=True)
    }
    gap = Contrasts(
        estimate=stated - revealed,
        covariance=slopes @ both.covariance @ slopes.T,
        draws=np.empty((0, n)),
        clusters=joint.contrasts(at_scale).clusters,
    )
    bounded = np.array([value in joint.bounded(side) for value in values])
    is_gap = np.zeros(n, dtype=bool)
    is_gap[~bounded] = holm(gap.p[~bounded])
    order = np.argsort(-gap.estimate, kind="stable")
    return [
        Gap(
            value=values[place],
            stated=side[0],
            revealed=side[1],
            at_stated=float(stated[place]),
            at_revealed=float(revealed[place]),
            gap=float(gap.estimate[place]),
            se=float(gap.se[place]),
            low=float(gap.estimate[place] - gap.half[place]),
            high=float(gap.estimate[place] + gap.half[place]),
            p=float(gap.p[place]),
            is_gap=bool(is_gap[place]),
            bounded=bool(bounded[place]),
            n_stated=joint.levels[side[0]].met(values[place]),
            n_revealed=joint.levels[side[1]].met(values[place]),
        )
        for place in order
    ]


def _slopes(strengths: FloatArray, scale: float) -> FloatArray:
    """Return the derivatives of the strengths over their scale by the strengths."""
    n = len(strengths)
    pull = np.outer(strengths, strengths) / ((n - 1) * scale**3)
    return np.asarray(np.eye(n) / scale - pull)
