"""Routes of what the viewer plays itself: branches, games, and the questions to a person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from valuesim.errors import InputError
from valuesim.replay.branching.branched import asked_branch, start_branch
from valuesim.replay.branching.changeable import branching
from valuesim.replay.playing.games import asked_game, games
from valuesim.replay.playing.gaming import start_game
from valuesim.replay.playing.play import FINAL, Play
from valuesim.replay.playing.plays import Plays
from valuesim.replay.playing.seat import AnswerError
from valuesim.replay.sending import as_json
from valuesim.replay.server.answering import content, error_answer, json_answer, names, step_of

BEAT_S = 15.0


def add_playing(app: FastAPI, plays: Plays) -> None:
    """Answer what is asked of branches, games and plays."""

    @app.get("/api/branching/{rest:any}")
    def get_branching(request: Request) -> Response:
        run, episode, step = names(request, 3)
        return json_answer(branching(plays, run, episode, step_of(step)))

    @app.post("/api/branches")
    async def post_branch(request: Request) -> Response:
        given = await content(request)
        start = lambda: start_branch(plays, asked_branch(plays, given))  # noqa: E731
        return _told(await run_in_threadpool(start), 202)

    @app.get("/api/games")
    def get_games() -> Response:
        return json_answer(games(plays))

    @app.post("/api/games")
    async def post_game(request: Request) -> Response:
        given = await content(request)
        start = lambda: start_game(plays, asked_game(plays, given))  # noqa: E731
        return _told(await run_in_threadpool(start), 202)

    @app.get("/api/plays")
    def get_plays() -> Response:
        return json_answer({"schema": 1, "plays": [play.plain() for play in plays.listed()]})

    @app.get("/api/plays/{id}")
    def get_play(id: str) -> Response:
        return _told(plays.find(id))

    _add_following(app, plays)


def _add_following(app: FastAPI, plays: Plays) -> None:
    @app.get("/api/plays/{id}/events")
    async def get_events(id: str) -> Response:
        told = _events(plays.find(id), plays)
        return StreamingResponse(told, media_type="text/event-stream")

    @app.post("/api/plays/{id}/answer")
    async def post_answer(id: str, request: Request) -> Response:
        play, given = plays.find(id), await content(request)
        number, text = given.get("number"), given.get("text")
        if type(number) is not int or not isinstance(text, str):
            raise InputError("an answer is the number of its question, and a text")
        try:
            play.seat.answer(number, text)
        except AnswerError as error:
            return error_answer(409, str(error))
        return _told(play)

    @app.post("/api/plays/{id}/stop")
    async def post_stop(id: str, request: Request) -> Response:
        play = plays.find(id)
        await content(request)
        play.stop()
        return _told(play)


async def _events(play: Play, plays: Plays) -> AsyncIterator[bytes]:
    """Yield the play as it is, and at each change, until it is over; a comment now and then.

    It ends with the viewer too.
    """
    with play.followed() as changed:
        seen = b""
        while True:
            changed.clear()
            plain = play.plain()
            told = as_json(plain)
            if told != seen:
                yield b"event: play\ndata: " + told + b"\n\n"
                seen = told
            if plain["state"] in FINAL or plays.is_closed:
                return
            try:
                await asyncio.wait_for(changed.wait(), BEAT_S)
            except TimeoutError:
                yield b": it goes on\n\n"


def _told(play: Play, status: int = 200) -> Response:
    return json_answer({"schema": 1, "play": play.plain()}, status)
