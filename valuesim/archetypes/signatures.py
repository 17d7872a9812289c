"""Signature archetypes: how probable it is that a value is put before certain others.

A margin is the least of several differences, and the least of several noisy ones is too low. So
the draws of the least are no range for it: a margin is at most each of the differences, and its
range runs from the lowest of their lower ends to the lowest of their upper ends, these made to
hold together (intersection bounds: Chernozhukov, Lee and Rosen, Econometrica 81, 2013).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from valuesim.archetypes.entries import Signature
from valuesim.graph.design import FloatArray
from valuesim.graph.ranking import ValueRanking

_LEAST_SPREAD = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class Flag:
    """One signature's evidence.

    `over` holds the values of the signature that could be compared, `left_out` the others.
    `probability` is the share of the shared bootstrap draws in which `puts` is stronger than every
    value in `over`. `margin` is the strength of `puts` less that of the strongest in `over`, in
    log-odds per unit of stake, and `low` to `high` its 95 % range, which contains it. The margin
    itself is low where several values in `over` are as strong. `decisions` counts choices that set
    `puts` against a value in `over`, either way.
    """

    name: str
    puts: str
    over: tuple[str, ...]
    left_out: tuple[str, ...]
    probability: float
    margin: float
    low: float
    high: float
    decisions: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Omitted:
    """A signature on which the choices say nothing, and why."""

    name: str
    reason: str


def judge(signature: Signature, ranking: ValueRanking) -> Flag | Omitted:
    """Return the evidence that `ranking` has on `signature`, or why it has none."""
    compared = tuple(w for w in signature.over if ranking.are_compared(signature.puts, w))
    decisions = ranking.tally.contests(signature.puts, compared)
    if not decisions:
        return Omitted(name=signature.name, reason=_why_not(signature, ranking))
    estimates = np.array([difference(ranking, signature.puts, w) for w in compared])
    draws = np.array([ranking.differences(signature.puts, w) for w in compared])
    low, high = _range(estimates, draws)
    return Flag(
        name=signature.name,
        puts=signature.puts,
        over=compared,
        left_out=tuple(w for w in signature.over if w not in compared),
        probability=float((draws > 0).all(axis=0).mean()),
        margin=float(estimates.min()),
        low=low,
        high=high,
        decisions=decisions,
    )


def difference(ranking: ValueRanking, over: str, under: str) -> float:
    """Return the strength of `over` less that of `under`; they must be compared."""
    return _strength(ranking, over) - _strength(ranking, under)


def _range(estimates: FloatArray, draws: FloatArray) -> tuple[float, float]:
    """Return the 95 % range of the least of some differences (D) from their `draws` (D x draws)."""
    above = draws - estimates[:, None]
    unit = np.maximum(draws.std(axis=1), _LEAST_SPREAD)
    # one difference that is known to be low bounds the least, so that all must hold together
    reach = np.quantile((above / unit[:, None]).max(axis=0), 0.975)
    low = np.quantile(draws, 0.025, axis=1).min()
    high = (estimates + max(float(reach), 0.0) * unit).min()
    return min(float(low), float(estimates.min())), float(high)


def _strength(ranking: ValueRanking, name: str) -> float:
    value = ranking.value(name)
    strength = value.strength if value else None
    assert strength is not None, "only compared values are asked for"
    return strength


def _why_not(signature: Signature, ranking: ValueRanking) -> str:
    first = ranking.value(signature.puts)
    if first is None:
        return f"{signature.puts} was never at stake"
    if first.reason is not None:
        return f"{signature.puts}: {first.reason}"
    return f"no choice tells {signature.puts} from {', '.join(signature.over)}"
