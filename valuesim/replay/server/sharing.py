"""The route that gives an episode, or two side by side, as one file to be saved."""

from __future__ import annotations

from threading import Semaphore

from fastapi import FastAPI, Request, Response

from valuesim.replay import security
from valuesim.replay.branching.lineage import family
from valuesim.replay.indexing.naming import NotThereError
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.server.answering import filters, names, step_of
from valuesim.replay.sharing import file_name, shared_page
from valuesim.replay.watching.moments import opened

_BEFORE = 3
"""Parts of the address before the names: "", "api" and "share"."""
_AT_ONCE = 2
"""So many files are made at once, and others wait: that of a long episode takes much memory."""


def add_sharing(app: FastAPI, shelf: Shelf) -> None:
    """Answer what is asked to share episodes."""
    free = Semaphore(_AT_ONCE)

    @app.get("/api/share/{rest:any}")
    def get_share(request: Request) -> Response:
        given = request.scope["raw_path"].partition(b"?")[0].count(b"/") + 1 - _BEFORE
        parts = names(request, 2 if given <= 2 else 4)
        places = [(parts[at], parts[at + 1]) for at in range(0, len(parts), 2)]
        if len(set(places)) < len(places):
            raise NotThereError("an episode is compared with another one, not with itself")
        with free:
            episodes = [opened(shelf, *place) for place in places]
            tree = family(shelf, *places[1])["root"] if len(places) == 2 else None
            page = shared_page(episodes, place=_place(request), tree=tree)
        return Response(
            page,
            # of no kind that a browser shows, to be saved, and where it is shown all the same
            # powerless: it is a page of this viewer's own origin
            media_type="application/octet-stream",
            headers={
                "content-disposition": f'attachment; filename="{file_name(episodes)}"',
                "content-security-policy": security.PICTURE_POLICY,
            },
        )


def _place(request: Request) -> dict[str, str]:
    """Return where the file opens; raise NotThereError for what is no step."""
    given = dict(filters(request))
    step_of(given.get("step", "0"))
    return {name: given[name] for name in ("step", "role") if given.get(name)}
