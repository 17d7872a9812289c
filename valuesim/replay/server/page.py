"""Routes of the page itself."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response

from valuesim.replay.indexing.naming import NotThereError
from valuesim.replay.pages import pages


def add_page(app: FastAPI) -> None:
    """Answer with the files of the page."""
    found = pages()

    @app.get("/{rest:any}")
    def get_page(request: Request) -> Response:
        page = found.get(request.scope["path"])
        if page is None:
            raise NotThereError("there is nothing at this address")
        return Response(page.content, media_type=page.kind)
