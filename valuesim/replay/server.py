"""Answers a browser: the one module that needs FastAPI, Starlette and uvicorn.

Routes are thin: they read the address, call a function, and send its answer as JSON.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

import orjson
import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.convertors import Convertor, register_url_convertor
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from valuesim.errors import InputError, LogError, ValueSimError
from valuesim.replay import security
from valuesim.replay.archetyping import Archetypes
from valuesim.replay.facets import about, facets
from valuesim.replay.listing import asked, listed
from valuesim.replay.moments import depiction, opened, told
from valuesim.replay.naming import NotThereError
from valuesim.replay.pages import pages
from valuesim.replay.security import Access, Asked
from valuesim.replay.shelf import Shelf

_BUG = "the viewer failed ({}): a bug; what it was stands where it was started"


class _Anything(Convertor[str]):
    """The rest of an address: Starlette's own `path` stops at a line break (%0A)."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("any", _Anything())


def create_app(shelf: Shelf, access: Access) -> FastAPI:
    """Return the application that shows the runs of `shelf` to those whom `access` allows."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    _add_errors(app, shelf)
    _add_finding(app, shelf)
    _add_watching(app, shelf)
    _add_page(app)
    app.add_middleware(Guard, access=access)
    return app


class Guard:
    """Refuses what `security.refusal` says, and puts the headers of safety on every answer."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            # there are no web sockets; what is no request is not answered
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, content in security.HEADERS.items():
                    headers.setdefault(name, content)
            await send(message)

        refused = security.refusal(_asked(scope), self._access)
        if refused is None:
            await self._app(scope, receive, guarded)
        else:
            await _error(refused.status, refused.sentence)(scope, receive, guarded)


def _asked(scope: Scope) -> Asked:
    headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
    query = dict(_pairs(scope))
    return Asked(
        method=scope["method"],
        path=scope["path"],
        headers=headers,
        token=headers.get(security.TOKEN_HEADER) or query.get(security.TOKEN_KEY),
    )


def _pairs(scope: Scope) -> list[tuple[str, str]]:
    """Return the pairs of the query string; what is no UTF-8 becomes U+FFFD."""
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _filters(request: Request) -> list[tuple[str, str]]:
    return [(k, v) for k, v in _pairs(request.scope) if k != security.TOKEN_KEY]


def _names(request: Request, count: int) -> list[str]:
    """Return the last `count` parts of the address; a name may hold a slash of its own (%2F)."""
    raw = request.scope["raw_path"].partition(b"?")[0]
    parts = [unquote_to_bytes(each).decode("utf-8", "replace") for each in raw.split(b"/")]
    # "", "api", and what is asked for come first
    if len(parts) != count + 3:
        raise NotThereError("there is nothing at this address")
    return parts[-count:]


def _json(content: Any, status: int = 200) -> Response:
    body = orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS)
    return Response(body, status_code=status, media_type="application/json")


def _error(status: int, sentence: str) -> Response:
    return _json({"error": sentence}, status)


def _add_errors(app: FastAPI, shelf: Shelf) -> None:
    @app.exception_handler(ValueSimError)
    def own(_: Request, error: Exception) -> Response:
        kinds = ((NotThereError, 404), (InputError, 400), (LogError, 500))
        status = next((each for kind, each in kinds if isinstance(error, kind)), 500)
        return _error(status, shelf.sentence(error))

    @app.exception_handler(HTTPException)
    def no_route(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return _error(status, "there is nothing at this address")

    @app.exception_handler(Exception)
    def bug(_: Request, error: Exception) -> Response:
        return _error(500, _BUG.format(type(error).__name__))


def _add_finding(app: FastAPI, shelf: Shelf) -> None:
    archetypes = Archetypes(shelf)

    def fresh(answer: Callable[[], dict[str, Any]]) -> Response:
        shelf.keep_up()
        archetypes.wanted()
        return _json(answer())

    @app.get("/api/about")
    def get_about() -> Response:
        return fresh(lambda: about(shelf) | {"pending": archetypes.pending})

    @app.get("/api/facets")
    def get_facets() -> Response:
        return fresh(lambda: facets(shelf))

    @app.get("/api/episodes")
    def get_episodes(request: Request) -> Response:
        return fresh(lambda: listed(shelf, *asked(_filters(request))))


def _add_watching(app: FastAPI, shelf: Shelf) -> None:
    @app.get("/api/episodes/{rest:any}")
    def get_episode(request: Request) -> Response:
        run, episode = _names(request, 2)
        return _json(told(opened(shelf, run, episode)))

    @app.get("/api/depiction/{rest:any}")
    def get_depiction(request: Request) -> Response:
        run, episode, step, role = _names(request, 4)
        if not (step.isascii() and step.isdecimal() and len(step) < 10):
            raise NotThereError(f"{step!r:.40} is no step")
        picture = depiction(opened(shelf, run, episode), int(step), role)
        headers = {"content-security-policy": security.PICTURE_POLICY}
        return Response(picture, media_type="image/svg+xml", headers=headers)


def _add_page(app: FastAPI) -> None:
    found = pages()

    @app.get("/{rest:any}")
    def get_page(request: Request) -> Response:
        page = found.get(request.scope["path"])
        if page is None:
            raise NotThereError("there is nothing at this address")
        return Response(page.content, media_type=page.kind)


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
    uvicorn.Server(config).run(sockets=[listening])
