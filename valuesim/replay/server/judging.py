"""Routes of blind judging: a moment without what was chosen in it, and what people say of it."""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import Depends, FastAPI, Request, Response

from valuesim.errors import InputError
from valuesim.log.appending import utc_now
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.judging.blind import judgeable, moment_at, unseen
from valuesim.replay.judging.judged import consent_to_judge, mend_sessions
from valuesim.replay.judging.judgement import judgement_of
from valuesim.replay.judging.judges import Judges, NotNowError
from valuesim.replay.judging.pooling import over_people
from valuesim.replay.playing.consent import Consent, participant_of
from valuesim.replay.server.answering import (
    content,
    error_answer,
    filters,
    json_answer,
    names,
    step_of,
)
from valuesim.replay.watching.moments import Opened, opened

_CONTENT = Depends(content)


def add_judging(app: FastAPI, shelf: Shelf, consent: Consent, secrets: Sequence[str]) -> None:
    """Answer what is asked to judge moments blind; `consent` is what people who play agree to.

    `secrets` are blotted out of what is typed.
    """
    text = consent_to_judge(consent)
    mend_sessions(shelf.root, utc_now)
    judges = Judges(shelf.root, utc_now, time.monotonic, secrets)
    # Ctrl-C ends the viewer, and with it the sessions
    atexit.register(judges.close)
    _add_moments(app, shelf, judges)
    _add_sessions(app, shelf, judges, text)


def _add_moments(app: FastAPI, shelf: Shelf, judges: Judges) -> None:
    @app.get("/api/blind/{rest:any}")
    def get_blind(request: Request) -> Response:
        given = dict(filters(request))
        session = given.get("session")
        if request.scope["raw_path"].partition(b"?")[0].count(b"/") == 4:
            found = opened(shelf, *names(request, 2))
            return json_answer(_begin(found) | _next(found, judges, session, given.get("role")))
        run, episode, step, role = names(request, 4)
        found = opened(shelf, run, episode)
        record = moment_at(found, step_of(step), role)
        if session is None:
            return json_answer(unseen(found, record))
        return _timely(lambda: judges.session(session).show(found, record))


def _add_sessions(app: FastAPI, shelf: Shelf, judges: Judges, text: Consent) -> None:
    @app.get("/api/judgements/consent")
    def get_consent() -> Response:
        return json_answer({"schema": 1, "consent": text.plain()})

    @app.post("/api/judgements/sessions")
    def post_session(given: dict[str, Any] = _CONTENT) -> Response:
        if given.get("consent") != text.id or given.get("agreed") is not True:
            raise InputError(f"a session begins with consent to the text {text.id}, agreed: true")
        session = judges.begin(text, participant_of(given.get("participant")))
        shelf.keep_up()
        return json_answer(session.summary() | {"session": session.token}, 201)

    @app.post("/api/judgements/{token}/end")
    def post_end(token: str) -> Response:
        session = judges.session(token)
        session.end()
        # the page leads to what was just finished
        shelf.refresh()
        return json_answer(session.summary())

    @app.get("/api/judgements/{token}")
    def get_summary(token: str) -> Response:
        return json_answer(judges.session(token).summary())

    @app.get("/api/judgements")
    def get_all() -> Response:
        return json_answer(over_people(shelf.root))

    @app.post("/api/judgements")
    def post_judgement(given: dict[str, Any] = _CONTENT) -> Response:
        session, judgement = judges.session(given.get("session")), judgement_of(given)
        found = opened(shelf, judgement.run, judgement.episode)
        record = moment_at(found, judgement.step, judgement.role)
        return _timely(lambda: session.judge(found, record, judgement))


def _timely(answer: Callable[[], dict[str, Any]]) -> Response:
    try:
        return json_answer(answer())
    except NotNowError as error:
        return error_answer(409, str(error))


def _begin(found: Opened) -> dict[str, Any]:
    roles = list(dict.fromkeys(record.role for record in judgeable(found)))
    place = found.run.place
    return {"schema": 1, "run": place.id, "episode": found.episode.id, "roles": roles}


def _next(found: Opened, judges: Judges, token: str | None, role: str | None) -> dict[str, Any]:
    if token is not None:
        return judges.session(token).following(found, role)
    own = [record for record in judgeable(found) if role is None or record.role == role]
    first = {"step": own[0].step, "role": own[0].role} if own else None
    return {"next": first, "judged": 0}
