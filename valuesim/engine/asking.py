"""How few questions an adaptive run asks, and how that ended, as records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from valuesim.errors import InputError, unknown
from valuesim.log.chosen import ADAPTIVE

ALL = "all"
"""Every episode of the plan is played; else (`chosen.ADAPTIVE`) what is most telling is asked."""
SETTLED = "all neighbours are told apart"
SPENT = "the budget is spent"
EXHAUSTED = "no question is left"
CUT = "cut off"

_RANGES = {"budget": (1, 1_000_000), "batch": (2, 10_000), "pool": (1, 100_000)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """How few questions are asked.

    At most `budget` decisions are asked for in each cell, `batch` (>= 2) at once, of at least
    `pool` questions. `sure`, in (0.5, 1), is the probability that no two neighbours said to be told
    apart are in the wrong order; a cell stops when all are told apart.
    """

    budget: int
    batch: int
    sure: float
    pool: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """How one cell ended: `decisions` made, of `questions` that might have been asked.

    `cell` names it. `why` is one of the module's reasons. Of `pairs` of neighbours in the
    estimated order, `open` lists those not told apart, the stronger first.
    """

    cell: Mapping[str, Any]
    decisions: int
    questions: int
    why: str
    pairs: int
    open: tuple[tuple[str, str], ...]


def asking_of(settings: Mapping[str, Any]) -> Asking | None:
    """Return what the settings `asking` mean; None where every episode is played.

    Raises InputError for what is not set or not allowed.
    """
    given = dict(settings)
    if (id := given.pop("id")) not in (ALL, ADAPTIVE):
        raise InputError(unknown("asking.id", id, (ALL, ADAPTIVE)))
    if id == ALL:
        return None
    for name, each in given.items():
        if each is None:
            raise InputError(f"asking.{name} is not set: add asking.{name}=...")
    for name, (least, most) in _RANGES.items():
        if not least <= given[name] <= most:
            raise InputError(f"asking.{name}={given[name]} is not allowed: {least} to {most}")
    if not 0.5 < given["sure"] < 1:
        raise InputError(f"asking.sure={given['sure']} is not allowed: above 0.5 and below 1")
    return Asking(**given)
