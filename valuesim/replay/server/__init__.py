"""Answers a browser: the one package that needs FastAPI, Starlette and uvicorn.

Routes are thin, a module for each part of the viewer: they read the address, call a function of
`valuesim.replay`, and send its answer as JSON.
"""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

from valuesim.replay.live.now import Lives
from valuesim.replay.security import Access
from valuesim.replay.server.answering import add_errors
from valuesim.replay.server.finding import add_finding
from valuesim.replay.server.following import add_following
from valuesim.replay.server.guard import Guard
from valuesim.replay.server.page import add_page
from valuesim.replay.server.watching import add_watching
from valuesim.replay.shelf import Shelf


def create_app(shelf: Shelf, access: Access) -> FastAPI:
    """Return the application that shows the runs of `shelf` to those whom `access` allows."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    add_errors(app, shelf)
    add_finding(app, shelf)
    lives = Lives(shelf)
    add_watching(app, shelf, lives)
    add_following(app, lives)
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
        timeout_graceful_shutdown=1,
        limit_concurrency=200,
    )
    # streams that have no end of their own look at it
    app.state.server = uvicorn.Server(config)
    app.state.server.run(sockets=[listening])
