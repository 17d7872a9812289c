"""The episodes that a selection holds, a page at a time, in the order that is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from valuesim.errors import InputError, unknown
from valuesim.replay.finding.conditions import pointer
from valuesim.replay.indexing.shelf import Shelf

MOST = 200
"""The most episodes of a page."""
_PAGE = 50
_FILTERS: Mapping[str, str] = {
    "run": "list_contains(?::VARCHAR[], run)",
    "env": "list_contains(?::VARCHAR[], env)",
    "family": "list_contains(?::VARCHAR[], family)",
    "agent": "list_has_any(agents, ?::VARCHAR[])",
    "model": "list_has_any(models, ?::VARCHAR[])",
    "fault": "list_has_any(fault_kinds, ?::VARCHAR[])",
    "value": "list_contains(?::VARCHAR[], first)",
    "archetype": "list_contains(?::VARCHAR[], archetype)",
}
# a level that is null is no text, but JSON all the same
_UNDER = "list_contains(?::VARCHAR[], coalesce(condition ->> ?, (condition -> ?)::VARCHAR))"
_CONDITION = "condition."
_SORTS: Mapping[str, str] = {
    **{name: name for name in ("run_name", "episode", "env", "seed", "steps", "decisions")},
    "run": "run_name",
    "agent": "agents",
    "agents": "agents",
    "model": "models",
    "models": "models",
    "condition": "condition",
    "fault": "faults",
    "faults": "faults",
    "value": "first",
    "first": "first",
    "archetype": "archetype",
}
_SHOWN = (
    *("run", "run_name", "episode", "env", "family", "agents", "models", "condition", "seed"),
    *("steps", "decisions", "faults_by_kind", "first", "archetype"),
)
_LONGEST = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Which episodes: any of the given names for each filter, all filters at once.

    `condition` maps a factor to levels as text, `text` is what a row must hold, word by word.
    Branches are among them where their run is named.
    """

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    condition: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    text: str = ""

    def where(self, shelf: Shelf) -> tuple[str, list[object]]:
        """Return the condition in SQL for the rows of `shelf`, and what its `?` are."""
        parts = [] if self.names.get("run") else ["NOT is_branch"]
        given: list[object] = []
        for name, listed in self.names.items():
            parts.append(_FILTERS[name])
            given.append(list(listed))
        for factor, levels in self.condition.items():
            parts.append(_UNDER)
            given += [list(levels), *2 * [pointer(factor)]]
        for word in self.text.casefold().split():
            parts.append("(contains(search, ?) OR contains(lower(run_name), ?))")
            given += [word, word]
        return " AND ".join(parts) or "true", given


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Which part of a selection, and in which order: a column's name, "-" before it for falling."""

    sort: str = ""
    offset: int = 0
    limit: int = _PAGE

    def order(self) -> str:
        """Return the order in SQL; what is missing comes last, and the plan settles ties."""
        column = self.sort.removeprefix("-")
        falling = " DESC" if self.sort.startswith("-") else ""
        own = f"{_SORTS[column]}{falling} NULLS LAST, " if column else ""
        return f"{own}run_name, place NULLS FIRST, episode"


def asked(items: Iterable[tuple[str, str]]) -> tuple[Selection, Page]:
    """Return the selection and page that a query string's pairs ask for; empty ones say nothing.

    Raises InputError for an unknown key, a sort by no column, and numbers out of range.
    """
    names: dict[str, tuple[str, ...]] = {}
    condition: dict[str, tuple[str, ...]] = {}
    single: dict[str, str] = {}
    for key, given in items:
        if key in _FILTERS:
            names[key] = (*names.get(key, ()), given) if given else names.get(key, ())
        elif key.startswith(_CONDITION):
            factor = key.removeprefix(_CONDITION)
            condition[factor] = (*condition.get(factor, ()), given)
        elif key in ("text", "sort", "offset", "limit"):
            single[key] = given
        else:
            raise InputError(unknown("key", key[:60], [*_FILTERS, "text", "sort", "offset"]))
    selection = Selection(
        names={name: listed for name, listed in names.items() if listed},
        condition=condition,
        text=single.get("text", "")[:_LONGEST],
    )
    return selection, _page(single)


def _page(single: Mapping[str, str]) -> Page:
    sort = single.get("sort", "")
    if sort and sort.removeprefix("-") not in _SORTS:
        raise InputError(unknown("column to sort by", sort[:60], _SORTS))
    return Page(
        sort=sort,
        offset=_number("offset", single.get("offset") or "0", most=10**12),
        limit=_number("limit", single.get("limit") or str(_PAGE), most=MOST),
    )


def _number(name: str, given: str, *, most: int) -> int:
    if not (given.isascii() and given.isdecimal()) or len(given) > len(str(most)):
        raise InputError(f"{name}={given!r:.40} is not a whole number from 0 to {most}")
    if int(given) > most:
        raise InputError(f"{name}={given} is more than {most}")
    return int(given)


def listed(shelf: Shelf, selection: Selection, page: Page) -> dict[str, Any]:
    """Return a page of the episodes of a selection, and how many there are in all."""
    where, given = selection.where(shelf)
    ((total,),) = shelf.rows.ask(f"SELECT count(*) FROM own WHERE {where}", given)
    found = shelf.rows.ask(
        f"SELECT {', '.join(_SHOWN)} FROM own WHERE {where} ORDER BY {page.order()} "
        "LIMIT ? OFFSET ?",
        [*given, page.limit, page.offset],
    )
    return {"schema": 1, "total": total, "rows": [_row(cells) for cells in found]}


def _row(cells: Sequence[Any]) -> dict[str, Any]:
    row = dict(zip(_SHOWN, cells, strict=True))
    row["faults"] = orjson.loads(row.pop("faults_by_kind"))
    return row | {"condition": orjson.loads(row["condition"])}
