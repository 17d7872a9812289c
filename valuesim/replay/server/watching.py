"""Routes that open one episode."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response

from valuesim.replay import security
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.live.now import Lives
from valuesim.replay.server.answering import json_answer, names, step_of
from valuesim.replay.watching.moments import depiction, opened


def add_watching(app: FastAPI, shelf: Shelf, lives: Lives) -> None:
    """Answer what is asked of one episode."""

    @app.get("/api/episodes/{rest:any}")
    def get_episode(request: Request) -> Response:
        run, episode = names(request, 2)
        return json_answer(lives.told(run, episode))

    @app.get("/api/depiction/{rest:any}")
    def get_depiction(request: Request) -> Response:
        run, episode, step, role = names(request, 4)
        at = step_of(step)
        picture = depiction(opened(shelf, run, episode, step=at), at, role)
        headers = {"content-security-policy": security.PICTURE_POLICY}
        return Response(picture, media_type="image/svg+xml", headers=headers)
