"""Routes that follow what is being played: what there is, and server-sent events of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.responses import StreamingResponse

from valuesim.replay.indexing.naming import NotThereError
from valuesim.replay.indexing.played import Played
from valuesim.replay.live.now import Lives
from valuesim.replay.live.opening import Batch, later
from valuesim.replay.sending import as_json
from valuesim.replay.server.answering import error_answer, json_answer, names, pairs
from valuesim.replay.server.feed import Ends, Feed, Feeds

_HEARTBEAT_S = 10.0
_MOST_AT_ONCE = 50
_MOST_LISTENERS = 100
_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
_BUSY = f"{_MOST_LISTENERS} pages follow runs already: close one"


def add_following(app: FastAPI, lives: Lives, ends: Ends) -> None:
    """Answer what is asked of runs that are being played, until the server `ends`."""
    feeds = Feeds(lives, ends)

    @app.get("/api/live")
    def get_live() -> Response:
        lives.shelf.keep_up()
        return json_answer(lives.listed())

    @app.get("/api/live/{rest:any}")
    async def get_events(request: Request) -> Response:
        return await _stream(feeds, request)

    @app.get("/api/moments/{rest:any}")
    def get_moments(request: Request) -> Response:
        run, episode, step = names(request, 3)
        if not (step.isascii() and step.isdecimal() and len(step) < 10):
            raise NotThereError(f"{step!r:.40} is no step")
        return json_answer(lives.step(run, episode, int(step)))


async def _stream(feeds: Feeds, request: Request) -> Response:
    """Return the events of a run, or of one of its episodes; 503 where too many listen."""
    run, episode = _asked(request)
    if feeds.listeners >= _MOST_LISTENERS:
        return error_answer(503, _BUSY)
    feed = await feeds.of(run)
    if episode is None:
        told = _of_run(feed, run, _last_id(request))
    else:
        told = _of_episode(feeds.lives, feed, episode, *_place(request))
    heard = _heard(feeds, feed, told)
    return StreamingResponse(heard, media_type="text/event-stream", headers=_HEADERS)


async def _heard(feeds: Feeds, feed: Feed, told: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async with feeds.listening(feed):
        yield b"retry: 1000\n\n"
        async for each in told:
            yield each


def _asked(request: Request) -> tuple[str, str | None]:
    """Return the run, and the episode unless it is all of the run, whose events are asked for."""
    parts = request.scope["raw_path"].partition(b"?")[0].count(b"/")
    run, *rest = names(request, parts - 2)
    if not 1 <= len(rest) <= 2 or rest[-1] != "events":
        raise NotThereError("there is nothing at this address")
    return run, rest[0] if len(rest) == 2 else None


def _last_id(request: Request) -> str:
    return request.headers.get("last-event-id", "")


def _place(request: Request) -> tuple[int, int]:
    """Return the play, and how many decisions of it are known; (-1, 0) where that is not said.

    A browser that lost the connection says it by the last event that it got.
    """
    query = dict(pairs(request.scope))
    given = _last_id(request) or f"{query.get('play', '')}.{query.get('after', '')}"
    play, _, after = given.partition(".")
    if all(each.isascii() and each.isdecimal() and len(each) < 12 for each in (play, after)):
        return int(play), int(after)
    return -1, 0


async def _of_run(feed: Feed, run: str, last: str) -> AsyncIterator[bytes]:
    at = feed.place_of(last)
    if at is None:
        at = feed.news.end
        yield event("state", await asyncio.to_thread(feed.state), feed.name(at))
    while feed.goes_on:
        if at < feed.news.begin:
            # it was too slow: what it missed is no longer kept
            at = feed.news.end
            yield event("reload", {"run": run}, feed.name(at))
        for told in feed.news.since(at, _MOST_AT_ONCE):
            at += 1
            yield event(told.name, {"run": run, **told.told}, feed.name(at))
        if not await _more(feed, at):
            yield b": here\n\n"
    if feed.error is not None:
        yield event("failed", {"error": feed.error})


async def _of_episode(
    lives: Lives, feed: Feed, episode: str, play: int, after: int
) -> AsyncIterator[bytes]:
    """Yield the steps that come after the first `after` decisions of a play, then how it ended."""
    is_due = True
    while feed.goes_on:
        seen = feed.news.end
        played = feed.progress.played(episode)
        is_silent = is_due and not await asyncio.to_thread(lives.is_live, feed.run_id)
        if played is None or play not in (-1, played.play) or (is_silent and played.is_open):
            # another play, an end that is no longer kept, or nothing written for minutes: the
            # episode is to be asked anew
            yield event("reload", {"episode": episode})
            break
        play, is_open = played.play, played.is_open
        if is_due:
            # whoever lost the connection learns that it is there again, and a page that hears
            # nothing for long takes the server for lost
            yield _up_to(played, after)
        async for batch in _batches(lives, feed, played, after):
            after = batch.so_far
            yield b"".join(event("step", step) for step in batch.steps) + _up_to(played, after)
        if not is_open:
            yield _ended(played)
            break
        is_due = not await _more(feed, seen)
    if feed.error is not None:
        yield event("failed", {"error": feed.error})


async def _batches(lives: Lives, feed: Feed, played: Played, after: int) -> AsyncIterator[Batch]:
    """Yield what was decided after the first `after` decisions of a play, as far as it is known."""
    if after >= len(played.places):
        return
    shelved = lives.shelf.run(feed.run_id)
    # who plays may be long in being found
    source = await asyncio.to_thread(lives.source, feed.run_id, played.episode)
    while after < len(played.places):
        wanted = feed.progress, played, source, after, _MOST_AT_ONCE
        batch = await asyncio.to_thread(later, shelved, *wanted)
        after = batch.so_far
        yield batch


def _up_to(played: Played, after: int) -> bytes:
    told = {"episode": played.episode, "play": played.play}
    return event("state", told, f"{played.play}.{after}")


def _ended(played: Played) -> bytes:
    name = "finished" if played.reason is None else "interrupted"
    return event(name, {"episode": played.episode, "reason": played.reason})


async def _more(feed: Feed, seen: int) -> bool:
    """Wait until something happened after `seen`; return False where nothing did for long."""
    try:
        await asyncio.wait_for(feed.beyond(seen), _HEARTBEAT_S)
    except TimeoutError:
        return False
    return True


def event(name: str, content: Any, id: str | None = None) -> bytes:
    """Return a server-sent event; `id` is what a browser that lost the connection says again."""
    numbered = b"" if id is None else b"id: " + id.encode() + b"\n"
    return b"%sevent: %s\ndata: %s\n\n" % (numbered, name.encode(), as_json(content))
