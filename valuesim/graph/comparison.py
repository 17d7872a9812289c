"""Compares the value rankings of several groups of choices, shared clusters and all.

Strengths are compared over the values that every level can compare, centred on their mean there:
a logit tells strengths only up to a constant. A level at which choices are less decided has all its
strengths nearer to 0, which moves values as well; rank correlations and flips do not see that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from valuesim.choices import Choices
from valuesim.graph.compared import Comparison, Correlation, Difference, LevelCount, Strength
from valuesim.graph.contrasts import holm
from valuesim.graph.correlation import LEAST_VALUES, rank_correlation, too_few
from valuesim.graph.flips import Pair, flips, pair_changes
from valuesim.graph.joint import Joint, estimate_jointly


def compare(
    groups: Mapping[str, Choices],
    *,
    pairs: Sequence[Pair] = (),
    seed: int = 0,
    draws: int = 1000,
) -> Comparison:
    """Return how the rankings of `groups` (by level, in order) differ; equal input, equal figures.

    Each level is compared with the first that ranks anything; rank correlations are between all.
    Strengths are compared over what all levels compare, without those few that compare far less.
    `pairs` are (u, w) whose order is followed from level to level.
    """
    joint = estimate_jointly(groups, seed=seed, draws=draws)
    counts = level_counts(groups, joint)
    names = list(joint.levels)
    if len(names) < 2:
        return Comparison(counts=counts, why=why_nothing(groups, joint))
    changes = [(names[0], name) for name in names[1:]]
    told, no_pairs = pair_changes(joint, changes, pairs)
    found = Comparison(
        counts=counts,
        correlations=correlations(joint, list(combinations(names, 2)), seed),
        flips=flips(joint, changes),
        pairs=told,
        no_pairs=no_pairs,
    )
    names, thin = thinned(joint, names)
    values, left_out = joint.common(names)
    found = replace(found, thin=thin, left_out=left_out)
    if len(values) < 2:
        return found
    changes = [(names[0], name) for name in names[1:]]
    centre = centre_of(joint, names, values)
    first = joint.contrasts({names[0]: joint.rows(names[0], values, centre)})
    values = tuple(values[place] for place in np.argsort(-first.estimate, kind="stable"))
    return replace(
        found,
        values=values,
        strengths={name: _strengths(joint, name, values, centre) for name in names},
        differences=_differences(joint, changes, values, centre),
    )


def level_counts(groups: Mapping[str, Choices], joint: Joint) -> tuple[LevelCount, ...]:
    """Return what each level's figures rest on."""
    found = []
    for name, choices in groups.items():
        level = joint.levels.get(name)
        found.append(
            LevelCount(
                level=name,
                decisions=choices.decisions,
                contested=int(level.design.counts.sum()) if level else 0,
                clusters=len(level.design.clusters) if level else 0,
                unit=choices.unit,
                fault_rate=choices.fault_rate,
                separated=level.separated if level else (),
                why=joint.left_out.get(name),
            )
        )
    return tuple(found)


def thinned(joint: Joint, names: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return the levels whose strengths are compared, and why those of others are not.

    A level that takes more than half of the values from what the others have in common is left
    out, one after the other, as long as two stay.
    """
    kept, thin = list(names), {}
    while len(kept) > 2:
        others = {name: [each for each in kept if each != name] for name in kept}
        common = {name: len(joint.common(each)[0]) for name, each in others.items()}
        worst = max(kept, key=lambda name: common[name])
        left = len(joint.common(kept)[0])
        if 2 * left >= common[worst]:
            break
        kept.remove(worst)
        thin[worst] = f"compares {left} of the {common[worst]} values that others do"
    return kept, thin


def centre_of(joint: Joint, names: Sequence[str], values: Sequence[str]) -> tuple[str, ...]:
    """Return the values to centre on: those whose sizes are known, or all if fewer than two are."""
    bounded = joint.bounded(names)
    known = tuple(value for value in values if value not in bounded)
    return known if len(known) > 1 else tuple(values)


def _strengths(
    joint: Joint, name: str, values: Sequence[str], centre: Sequence[str]
) -> dict[str, Strength]:
    own = joint.contrasts({name: joint.rows(name, values, centre)})
    return {
        value: Strength(
            strength=float(own.estimate[place]),
            se=float(own.se[place]),
            low=float(own.estimate[place] - own.half[place]),
            high=float(own.estimate[place] + own.half[place]),
            n=joint.levels[name].met(value),
        )
        for place, value in enumerate(values)
    }


def correlations(joint: Joint, between: Sequence[Pair], seed: int) -> tuple[Correlation, ...]:
    """Return the rank correlations of some pairs of levels, over the values each pair compares."""
    found = []
    for number, (against, level) in enumerate(between):
        values, _ = joint.common([against, level])
        if len(values) < LEAST_VALUES:
            rank = too_few(len(values))
        else:
            both = joint.side_by_side(against, level, values)
            noise = both.draws - both.estimate
            rng = np.random.default_rng([seed, 2, number])
            rank = rank_correlation(both.estimate, both.covariance, noise, rng)
        found.append(Correlation(level=level, against=against, found=rank))
    return tuple(found)


def why_nothing(groups: Mapping[str, Choices], joint: Joint) -> str:
    """Return why fewer than two levels can be compared."""
    if len(groups) < 2:
        only = f": {next(iter(groups))}" if groups else ""
        return f"a comparison needs two levels; there is {len(groups) or 'none'}{only}"
    left = "; ".join(f"{level}: {why}" for level, why in joint.left_out.items())
    return f"fewer than two levels can be ranked ({left})"


def _differences(
    joint: Joint, changes: Sequence[Pair], values: Sequence[str], centre: Sequence[str]
) -> tuple[Difference, ...]:
    found = [
        joint.contrasts(
            {
                against: -joint.rows(against, values, centre),
                level: joint.rows(level, values, centre),
            }
        )
        for against, level in changes
    ]
    bounded = np.array([[v in joint.bounded(change) for v in values] for change in changes])
    # a centre whose sizes are unknown leaves no difference known
    bounded |= not joint.bounded({name for change in changes for name in change}).isdisjoint(centre)
    moved = np.zeros_like(bounded)
    moved[~bounded] = holm(np.array([each.p for each in found])[~bounded])
    return tuple(
        Difference(
            value=value,
            level=level,
            against=against,
            difference=float(each.estimate[place]),
            se=float(each.se[place]),
            low=float(each.estimate[place] - each.half[place]),
            high=float(each.estimate[place] + each.half[place]),
            p=float(each.p[place]),
            moved=bool(moved[number, place]),
            bounded=bool(bounded[number, place]),
        )
        for number, ((against, level), each) in enumerate(zip(changes, found, strict=True))
        for place, value in enumerate(values)
    )
