"""How requests are read and answered: names and filters in addresses, JSON, errors."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

import orjson
from fastapi import FastAPI, Request, Response
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.types import Scope

from valuesim.errors import InputError, LogError, ValueSimError
from valuesim.replay import security
from valuesim.replay.indexing.naming import NotThereError, NotYetError
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.sending import as_json

_BUG = "the viewer failed ({}): a bug; what it was stands where it was started"


class _Anything(Convertor[str]):
    """The rest of an address: Starlette's own `path` stops at a line break (%0A)."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("any", _Anything())


def pairs(scope: Scope) -> list[tuple[str, str]]:
    """Return the pairs of the query string; what is no UTF-8 becomes U+FFFD."""
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def filters(request: Request) -> list[tuple[str, str]]:
    """Return the pairs of the query string but the token."""
    return [(k, v) for k, v in pairs(request.scope) if k != security.TOKEN_KEY]


def names(request: Request, count: int) -> list[str]:
    """Return the last `count` parts of the address; a name may hold a slash of its own (%2F)."""
    raw = request.scope["raw_path"].partition(b"?")[0]
    parts = [unquote_to_bytes(each).decode("utf-8", "replace") for each in raw.split(b"/")]
    # "", "api", and what is asked for come first
    if len(parts) != count + 3:
        raise NotThereError("there is nothing at this address")
    return parts[-count:]


def step_of(given: str) -> int:
    """Return the step that an address names; raise NotThereError where that is none."""
    if not (given.isascii() and given.isdecimal() and len(given) < 10):
        raise NotThereError(f"{given!r:.40} is no step")
    return int(given)


async def content(request: Request) -> dict[str, Any]:
    """Return what a request holds; raise InputError where that is no JSON object."""
    try:
        given = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise InputError(f"the request holds no JSON: {error.msg}") from None
    if not isinstance(given, dict):
        raise InputError("the request holds JSON that is no object")
    return given


def json_answer(content: Any, status: int = 200) -> Response:
    """Return `content` as JSON."""
    return Response(as_json(content), status_code=status, media_type="application/json")


def error_answer(status: int, sentence: str) -> Response:
    """Return a sentence that says why there is nothing else."""
    return json_answer({"error": sentence}, status)


def add_errors(app: FastAPI, shelf: Shelf) -> None:
    """Answer every error with one sentence, those of the viewer itself with where they are told."""

    @app.exception_handler(ValueSimError)
    def own(_: Request, error: Exception) -> Response:
        kinds = ((NotYetError, 503), (NotThereError, 404), (InputError, 400), (LogError, 500))
        status = next((each for kind, each in kinds if isinstance(error, kind)), 500)
        return error_answer(status, shelf.sentence(error))

    @app.exception_handler(HTTPException)
    def no_route(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return error_answer(status, "there is nothing at this address")

    @app.exception_handler(Exception)
    def bug(_: Request, error: Exception) -> Response:
        return error_answer(500, _BUG.format(type(error).__name__))
