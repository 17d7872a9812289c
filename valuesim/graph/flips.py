"""Pairs of values and their order from level to level: what flips, and what a pair becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from valuesim.graph.compared import PairChange
from valuesim.graph.contrasts import holm
from valuesim.graph.design import FloatArray
from valuesim.graph.joint import Joint

Pair = tuple[str, str]


def flips(joint: Joint, changes: Sequence[Pair]) -> tuple[PairChange, ...]:
    """Return the pairs surely ordered one way at a level and the other way at another.

    `changes` are (against, level). Both orders must be sure: a pair's p-value is the larger of
    theirs (an intersection-union test), and all pairs of all changes are corrected together (Holm).
    """
    found: list[tuple[Pair, list[Pair], FloatArray]] = []
    for against, level in changes:
        pairs = list(combinations(joint.common([against, level])[0], 2))
        if pairs:
            below = joint.contrasts({against: _rows(joint, against, pairs)}).p_above
            above = joint.contrasts({level: _rows(joint, level, pairs)}).p_above
            one_way, other_way = np.maximum(below, 1 - above), np.maximum(1 - below, above)
            found.append(((against, level), pairs, 2 * np.minimum(one_way, other_way)))
    if not found:
        return ()
    is_sure = iter(holm(np.concatenate([p for _, _, p in found])))
    flipped = [
        told
        for change, pairs, _ in found
        if (sure := [pair for pair in pairs if next(is_sure)])
        for told in _changes(joint, change, sure)
    ]
    return tuple(each if each.at_against > 0 else _turned(each) for each in flipped)


def pair_changes(
    joint: Joint, changes: Sequence[Pair], pairs: Sequence[Pair]
) -> tuple[tuple[PairChange, ...], dict[str, str]]:
    """Return what becomes of each of `pairs` at each change, and why nothing can be said of others.

    The reasons are by "u over w (against, level)".
    """
    told: list[PairChange] = []
    reasons: dict[str, str] = {}
    for change in changes:
        values, left_out = joint.common(change)
        for over, under in pairs:
            missing = [value for value in (over, under) if value not in values]
            if missing:
                why = left_out.get(missing[0], "never at stake")
                reasons[f"{over} over {under} ({', '.join(change)})"] = f"{missing[0]}: {why}"
            else:
                told += _changes(joint, change, [(over, under)])
    return tuple(told), reasons


def _changes(joint: Joint, change: Pair, pairs: Sequence[Pair]) -> list[PairChange]:
    against, level = change
    rows = {name: _rows(joint, name, pairs) for name in change}
    before = joint.contrasts({against: rows[against]})
    after = joint.contrasts({level: rows[level]})
    moved = joint.contrasts({against: -rows[against], level: rows[level]})
    bounded = joint.bounded(change)
    was_over, is_over = before.draws > 0, after.draws > 0
    return [
        PairChange(
            over=over,
            under=under,
            level=level,
            against=against,
            at_against=float(before.estimate[place]),
            at_level=float(after.estimate[place]),
            change=float(moved.estimate[place]),
            se=float(moved.se[place]),
            low=float(moved.estimate[place] - moved.half[place]),
            high=float(moved.estimate[place] + moved.half[place]),
            p_over_against=float(was_over[:, place].mean()),
            p_over_level=float(is_over[:, place].mean()),
            p_differs=float((was_over != is_over)[:, place].mean()),
            bounded=not bounded.isdisjoint((over, under)),
        )
        for place, (over, under) in enumerate(pairs)
    ]


def _rows(joint: Joint, name: str, pairs: Sequence[Pair]) -> FloatArray:
    own = joint.levels[name].rows
    return np.array([own[over] - own[under] for over, under in pairs])


def _turned(each: PairChange) -> PairChange:
    return replace(
        each,
        over=each.under,
        under=each.over,
        at_against=-each.at_against,
        at_level=-each.at_level,
        change=-each.change,
        low=-each.high,
        high=-each.low,
        p_over_against=1 - each.p_over_against,
        p_over_level=1 - each.p_over_level,
    )
