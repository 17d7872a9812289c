"""The route of the tree that an episode stands in."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response

from valuesim.replay.branching.lineage import family
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.server.answering import json_answer, names


def add_branching_tree(app: FastAPI, shelf: Shelf) -> None:
    """Answer which branches an episode has, and which it comes from."""

    @app.get("/api/branches/{rest:any}")
    def get_branches(request: Request) -> Response:
        run, episode = names(request, 2)
        shelf.keep_up()
        return json_answer(family(shelf, run, episode))
