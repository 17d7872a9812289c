"""Routes on what the decisions of a selection put first, and what archetype they speak for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response

from valuesim.errors import InputError
from valuesim.replay.finding.listing import Page, Selection, asked
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.server.answering import filters, json_answer
from valuesim.replay.understanding.questions import Pending
from valuesim.replay.understanding.understood import BY, Understanding

_OWN = ("by", "group", "over", "under")
_LONGEST = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    selection: Selection
    page: Page
    by: str
    own: dict[str, str]

    def group(self) -> int:
        """Return the number of the group; raise InputError where it is none."""
        given = self.own.get("group", "0")
        if not (given.isascii() and given.isdecimal() and len(given) < 7):
            raise InputError(f"group={given!r:.40} is not the number of a group, from 0")
        return int(given)

    def pair(self) -> tuple[str, str]:
        """Return the two values; raise InputError where one is not given."""
        if not all(self.own.get(name) for name in ("over", "under")):
            raise InputError("over= and under= must name two values: OVER was put before UNDER")
        return self.own["over"], self.own["under"]


def add_understanding(app: FastAPI, shelf: Shelf) -> None:
    """Answer what is asked of the values of a selection."""
    understanding = Understanding(shelf)

    @app.get("/api/graph")
    def get_graph(request: Request) -> Response:
        it = _read(request)
        return _answer(understanding.graph(it.selection, it.by))

    @app.get("/api/behind")
    def get_behind(request: Request) -> Response:
        it = _read(request)
        return _answer(understanding.behind(it.selection, it.by, it.group(), it.pair(), it.page))

    @app.get("/api/archetypes")
    def get_archetypes(request: Request) -> Response:
        it = _read(request)
        if "group" in it.own:
            return _answer(understanding.evidence(it.selection, it.by, it.group()))
        return _answer(understanding.archetypes(it.selection, it.by))


def _read(request: Request) -> _Asked:
    given = filters(request)
    selection, page = asked((key, each) for key, each in given if key not in _OWN)
    own = {key: each for key, each in given if key in _OWN}
    by = ",".join(each for key, each in given if key == "by" and each) or BY
    if len(by) > _LONGEST:
        raise InputError(f"by= has {len(by):,} characters; at most {_LONGEST}")
    return _Asked(selection=selection, page=page, by=by, own=own)


def _answer(told: dict[str, Any] | Pending) -> Response:
    if isinstance(told, Pending):
        return json_answer({"schema": 1, "pending": True, "progress": told.progress}, 202)
    return json_answer(told)
