"""Answers a browser: the one package that needs FastAPI, Starlette and uvicorn.

Routes are thin, a module for each part of the viewer: they read the address, call a function of
`valuesim.replay`, and send its answer as JSON.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from threading import Event, Thread
from types import FrameType

import uvicorn
from fastapi import FastAPI

from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.live.now import Lives
from valuesim.replay.playing.plays import Plays
from valuesim.replay.security import Access
from valuesim.replay.server.answering import add_errors
from valuesim.replay.server.branching_tree import add_branching_tree
from valuesim.replay.server.finding import add_finding
from valuesim.replay.server.following import add_following
from valuesim.replay.server.guard import Guard
from valuesim.replay.server.judging import add_judging
from valuesim.replay.server.page import add_page
from valuesim.replay.server.playing import add_playing
from valuesim.replay.server.sharing import add_sharing
from valuesim.replay.server.understanding import add_understanding
from valuesim.replay.server.watching import add_watching


def create_app(shelf: Shelf, access: Access, plays: Plays | None = None) -> FastAPI:
    """Return the application that shows the runs of `shelf` to those whom `access` allows.

    What it plays itself is played in `plays`, without models where none are given.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    plays = plays or Plays(shelf=shelf)
    # called once the server is told to stop, so that answers which go on end by themselves
    ended = Event()
    app.state.endings = [ended.set, plays.close]
    add_errors(app, shelf)
    add_finding(app, shelf)
    lives = Lives(shelf)
    add_watching(app, shelf, lives)
    add_following(app, lives, ended.is_set)
    add_branching_tree(app, shelf)
    add_playing(app, plays)
    add_sharing(app, shelf)
    add_understanding(app, shelf)
    add_judging(app, shelf, plays.consent, plays.models.secrets)
    # it answers whatever is left: others come before it
    add_page(app)
    app.add_middleware(Guard, access=access)
    return app


def serve(app: FastAPI, listening: socket.socket) -> None:
    """Answer on a bound socket until this process is told to stop; then return."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        # an answer that is waited for (`questions.WAITS_S`) still goes out
        timeout_graceful_shutdown=2,
        limit_concurrency=200,
    )
    _Server(config, app.state.endings).run(sockets=[listening])


class _Server(uvicorn.Server):
    """Tells what goes on that the server is to stop; it would else be waited for, and cut off."""

    def __init__(self, config: uvicorn.Config, endings: Sequence[Callable[[], None]]) -> None:
        super().__init__(config)
        self._endings = endings

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop, as a signal asks for."""
        for each in self._endings:
            # what this thread was doing when the signal came may hold a lock
            Thread(target=each, daemon=True).start()
        super().handle_exit(sig, frame)
