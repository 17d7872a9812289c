"""Signature archetypes: how probable it is that a value is put before certain others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from valuesim.archetypes.entries import Signature
from valuesim.graph.ranking import ValueRanking


@dataclass(frozen=True, kw_only=True, slots=True)
class Flag:
    """One signature's evidence.

    `over` holds the values of the signature that could be compared, `left_out` the others.
    `probability` is the share of the shared bootstrap draws in which `puts` is stronger than every
    value in `over`. `margin` is the strength of `puts` less that of the strongest in `over`, in
    log-odds per unit of stake, and `low` to `high` its 95 % range. `decisions` counts choices that
    set `puts` against a value in `over`, either way.
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
    draws = np.min([ranking.differences(signature.puts, w) for w in compared], axis=0)
    low, high = np.quantile(draws, [0.025, 0.975])
    return Flag(
        name=signature.name,
        puts=signature.puts,
        over=compared,
        left_out=tuple(w for w in signature.over if w not in compared),
        probability=float((draws > 0).mean()),
        margin=min(_strength(ranking, signature.puts) - _strength(ranking, w) for w in compared),
        low=float(low),
        high=float(high),
        decisions=decisions,
    )


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
