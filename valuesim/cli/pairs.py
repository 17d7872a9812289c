"""The pairs of values whose order is followed from level to level, as they are typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from valuesim.errors import InputError, unknown
from valuesim.graph.flips import Pair
from valuesim.graph.units import Records


def read_pair(given: str) -> Pair:
    """Return the two values of "U,W"; raise InputError if it does not name two."""
    over, _, under = (part.strip() for part in given.partition(","))
    if not over or not under or over == under:
        raise InputError(f"--pair {given!r} does not name two values: write U,W")
    return over, under


def check_pairs(pairs: Sequence[Pair], each: Iterable[Records]) -> None:
    """Raise InputError for a value of `pairs` that is at stake in none of the decisions."""
    if not pairs:
        return
    options = {id(o): o for records in each for record in records for o in record.options}
    known = {value for option in options.values() for value in option.stakes}
    for value in (value for pair in pairs for value in pair):
        if known and value not in known:
            raise InputError(unknown("value", value, known, "--pair"))
