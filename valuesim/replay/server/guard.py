"""Stands before the application: refuses requests, and puts the headers of safety on answers."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from valuesim.replay import security
from valuesim.replay.security import Access, Asked
from valuesim.replay.server.answering import error_answer, pairs


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
            await error_answer(refused.status, refused.sentence)(scope, receive, guarded)


def _asked(scope: Scope) -> Asked:
    headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
    query = dict(pairs(scope))
    return Asked(
        method=scope["method"],
        path=scope["path"],
        headers=headers,
        token=headers.get(security.TOKEN_HEADER) or query.get(security.TOKEN_KEY),
    )
