"""The arithmetic of stakes that the forms share; the table is in the package's docstring."""

from __future__ import annotations

from collections.abc import Mapping

COMMUNICATION = 0.2
BROKEN_PROMISE = -0.6
AHEAD = 0.2
"""What Care gains where another has earned less than oneself."""


def rounded(stakes: Mapping[str, float]) -> dict[str, float]:
    """Return `stakes` within [-1, 1], to three decimals, without those that are 0."""
    kept = {value: round(max(-1.0, min(stake, 1.0)), 3) for value, stake in stakes.items()}
    return {value: stake for value, stake in kept.items() if stake}


def added(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    """Return the sum of two sets of stakes."""
    return {v: first.get(v, 0.0) + second.get(v, 0.0) for v in {**first, **second}}
