"""How often each act is done at ordered checkpoints that played the same seeds and scenes.

Whether a rate moved is asked of each gap between checkpoints: the rate after it less the rate
before it, in the same units (`paired`). The smallest of the p-values, times the number of gaps
(Bonferroni), is that of the rate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from scipy import special

from valuesim.graph.drift import Change, Drift, Point, tested
from valuesim.graph.steps import Timing, timing
from valuesim.graph.units import Records, unit_names
from valuesim.measures.acts import Counts, counted, level_of, together, told_cells
from valuesim.measures.interval import Rate, clustered_rate
from valuesim.measures.paired import paired_difference, paired_p
from valuesim.measures.visible import visible_difference


def act_drift(arms: Mapping[str, Records], positions: Mapping[str, float]) -> tuple[Drift, ...]:
    """Return how the rate of each act moves over `arms` (by checkpoint, in order), surest first.

    A rate that some checkpoint has no interval of is told with why, and not tested. No records: ().
    """
    name = unit_names(list(arms.values()))
    levels = [{level_of(record) for record in arm} for arm in arms.values()]
    by_level = bool(set.intersection(*levels))
    found = {arm: counted(records, name, by_level=by_level) for arm, records in arms.items()}
    named = told_cells(dict.fromkeys(cell for own in found.values() for cell in own))
    drifts = [
        _drift(told, {arm: own.get(cell, {}) for arm, own in found.items()}, positions, len(named))
        for cell, told in named.items()
    ]
    return tested(drifts)


def _drift(
    told: str, counts: Mapping[str, Counts], positions: Mapping[str, float], cells: int
) -> Drift:
    arms = list(counts.values())
    rates = {name: _rate(own) for name, own in counts.items()}
    change = paired_difference(arms[0], arms[-1])
    drift = Drift(
        name=told,
        points=tuple(_point(name, positions[name], rate) for name, rate in rates.items()),
        change=Change(value=change.value, low=change.low, high=change.high),
    )
    why = _unknown(rates)
    if why is not None:
        return replace(drift, why=why)
    gaps = [(together(arms[:gap]), together(arms[gap:])) for gap in range(1, len(arms))]
    found = [p for before, after in gaps if (p := paired_p(before, after)) is not None]
    return replace(
        drift,
        p=min(1.0, len(gaps) * min(found)),
        visible=_visible(gaps, cells),
        timing=_timing(list(rates.values()), arms, list(positions.values()), gaps),
    )


def _unknown(rates: Mapping[str, Rate]) -> str | None:
    nothing = [name for name, rate in rates.items() if rate.value is None]
    few = [name for name, rate in rates.items() if rate.value is not None and rate.low is None]
    if nothing:
        return f"nothing was possible at {', '.join(nothing)}"
    return f"one unit only at {', '.join(few)}" if few else None


def _point(name: str, at: float, rate: Rate) -> Point:
    return Point(checkpoint=name, at=at, value=rate.value, low=rate.low, high=rate.high, n=rate.n)


def _rate(counts: Counts) -> Rate:
    return clustered_rate([d for d, _ in counts.values()], [n for _, n in counts.values()])


def _visible(gaps: Sequence[tuple[Counts, Counts]], cells: int) -> float | None:
    """Return the step that is seen in whichever gap it lies; None where some gap shows none."""
    level = 1 - 0.05 / (cells * len(gaps))
    found = [visible_difference(before, after, level=level) for before, after in gaps]
    known = [each for each in found if each is not None]
    return max(known) if len(known) == len(found) else None


def _timing(
    rates: Sequence[Rate],
    arms: Sequence[Counts],
    positions: Sequence[float],
    gaps: Sequence[tuple[Counts, Counts]],
) -> Timing:
    """Return when the rates changed; half the width of an interval is that of 1.96 errors."""
    error = np.array([((rate.high or 0.0) - (rate.low or 0.0)) / 2 for rate in rates])
    error /= special.ndtri(0.975)
    correlation = np.eye(len(rates))
    for one, two in combinations(range(len(rates)), 2):
        found = paired_difference(arms[one], arms[two]).correlation or 0.0
        correlation[one, two] = correlation[two, one] = found
    values = np.array([rate.value or 0.0 for rate in rates])
    # the intervals are wide enough for few units as they are
    when = timing(values, np.outer(error, error) * correlation, positions, np.inf)
    step = paired_difference(*gaps[when.gap])
    assert step.value is not None
    assert step.low is not None
    assert step.high is not None
    return replace(when, size=step.value, low=step.low, high=step.high)
