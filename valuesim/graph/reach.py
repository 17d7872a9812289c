"""What differences between neighbours in rank a study of this size can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from valuesim.graph.planning import Separation


@dataclass(frozen=True, kw_only=True, slots=True)
class Detectable:
    """The true differences of neighbours in rank that a study of this size separates, in log-odds.

    Each is separated in 80 % of such studies; the `least`, `median` and `most` over all neighbours.
    """

    least: float
    median: float
    most: float


def detectable(pairs: Sequence[Separation]) -> Detectable | None:
    """Return what differences the separations of neighbours allow to see; None if unknown."""
    known = [pair.detectable for pair in pairs if pair.detectable is not None]
    if not known:
        return None
    return Detectable(least=min(known), median=median(known), most=max(known))
