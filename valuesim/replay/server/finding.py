"""Routes that find episodes: what there is, what it can be filtered by, a page of the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response

from valuesim.replay.finding.facets import about, facets
from valuesim.replay.finding.listing import asked, listed
from valuesim.replay.indexing.archetyping import Archetypes
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.server.answering import filters, json_answer


def add_finding(app: FastAPI, shelf: Shelf) -> None:
    """Answer what is asked to find episodes."""
    archetypes = Archetypes(shelf)

    def fresh(answer: Callable[[], dict[str, Any]]) -> Response:
        shelf.keep_up()
        archetypes.wanted()
        return json_answer(answer())

    @app.get("/api/about")
    def get_about() -> Response:
        return fresh(lambda: about(shelf) | {"pending": archetypes.pending})

    @app.get("/api/facets")
    def get_facets() -> Response:
        return fresh(lambda: facets(shelf))

    @app.get("/api/episodes")
    def get_episodes(request: Request) -> Response:
        return fresh(lambda: listed(shelf, *asked(filters(request))))
