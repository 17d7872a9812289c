"""Entries of the catalogue that users may add: signatures of values and conduct in games."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from valuesim.errors import InputError, unknown
from valuesim.values import load_taxonomy

RATES = (
    *("first", "after_cooperation", "after_defection", "last_trusted", "one_shot"),
    *("punished", "unpunished"),
)
"""Shares of moves that mean to cooperate; conf/archetype/games.yaml says where each is taken."""

RESPONSE = "response"
"""The rate after the partner's cooperation less that after its defection."""

Intervals = Mapping[str, tuple[float, float]]
"""Name of a rate (or `RESPONSE`) -> its lowest and its highest."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """An archetype by its values: `puts` is stronger than every value in `over`."""

    name: str
    puts: str
    over: tuple[str, ...]
    source: str
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Conduct:
    """An archetype by what was done in games.

    All rates of one member of `when` lie in their intervals, and so do those of `where_seen` that
    were seen.
    """

    name: str
    when: tuple[Intervals, ...]
    where_seen: Intervals = field(default_factory=dict)
    source: str
    note: str


_TEXTS = ("name", "source", "note")


def signature_of(entry: Any, where: str) -> Signature:
    """Return the signature that a YAML entry holds; raise InputError if it is none."""
    kinds = {"puts": str, "over": list}
    _check(entry, where, kinds, optional=("taxonomy",))
    over = tuple(str(value) for value in entry["over"])
    if entry["puts"] in over:
        raise InputError(f"{where}: {entry['puts']!r} is put over itself")
    taxonomy = load_taxonomy(entry.get("taxonomy", "valuesim"))
    taxonomy.check([entry["puts"], *over], where)
    return Signature(over=over, puts=entry["puts"], **{key: entry[key] for key in _TEXTS})


def conduct_of(entry: Any, where: str) -> Conduct:
    """Return the conduct that a YAML entry holds; raise InputError if it is none."""
    _check(entry, where, {"when": list}, optional=("where_seen",))
    when = tuple(_intervals(each, where, "when") for each in entry["when"])
    if not all(when):
        raise InputError(f"{where}: each member of when must name a rate")
    return Conduct(
        when=when,
        where_seen=_intervals(entry.get("where_seen", {}), where, "where_seen"),
        **{key: entry[key] for key in _TEXTS},
    )


def _check(
    entry: Any, where: str, kinds: Mapping[str, type], *, optional: Iterable[str] = ()
) -> None:
    kinds = {**dict.fromkeys(_TEXTS, str), **kinds}
    if not isinstance(entry, Mapping) or set(entry) - set(optional) != set(kinds):
        given = ", ".join(map(str, entry)) if isinstance(entry, Mapping) else repr(entry)
        may = f" and may have {', '.join(optional)}"
        raise InputError(f"{where} has {given}; an entry has {', '.join(kinds)}{may}")
    for key, kind in kinds.items():
        if not isinstance(entry[key], kind) or not entry[key]:
            allowed = "a list" if kind is list else "text"
            raise InputError(f"{where}: {key} is {entry[key]!r}; it must be {allowed}, not empty")


def _intervals(given: Any, where: str, key: str) -> dict[str, tuple[float, float]]:
    if not isinstance(given, Mapping):
        raise InputError(f"{where}: {key} holds {given!r}; it must give rate: [low, high]")
    for name, ends in given.items():
        if name not in (*RATES, RESPONSE):
            raise InputError(f"{where}: {unknown('rate', str(name), (*RATES, RESPONSE))}")
        if not _is_interval(ends):
            raise InputError(f"{where}: {name} is {ends!r}; it must be [low, high] within -1 and 1")
    return {str(name): (float(ends[0]), float(ends[1])) for name, ends in given.items()}


def _is_interval(ends: Any) -> bool:
    if not isinstance(ends, list) or len(ends) != 2:
        return False
    are_numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in ends)
    return are_numbers and -1 <= ends[0] < ends[1] <= 1
