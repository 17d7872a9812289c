"""One task a run that looks for what happened, whoever listens; it ends when nobody does."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from valuesim.errors import ValueSimError
from valuesim.replay.indexing.progress import Progress
from valuesim.replay.live.now import Lives

Ends = Callable[[], bool]
"""Whether the server is about to end: whoever listens is let go."""
_LOOK_EVERY_S = 0.4
_LINGERS_S = 30.0
_MOST_TOLD = 200


class Feed:
    """Wakes those who listen to the run `run_id`; `error` says why it ended, None as it goes on."""

    def __init__(self, lives: Lives, run: str, progress: Progress, ends: Ends) -> None:
        """Follow a run by its id, of which `progress` is kept, until the server `ends`."""
        self.run_id = run
        self.progress = progress
        self.news = progress.news
        self.error: str | None = None
        self.listeners = 0
        self.is_over = False
        self._lives, self._ends = lives, ends
        self._epoch = secrets.token_hex(4)
        self._moved = asyncio.Event()

    def state(self) -> dict[str, Any]:
        """Return which episodes are open, and how many are finished."""
        with self.progress.lock:
            newest = list(self.progress.open.values())[-_MOST_TOLD:]
            listed = [
                {"episode": each.episode, "step": each.steps[-1], "decisions": len(each.places)}
                for each in newest
            ]
            return {"run": self.run_id, "open": listed, "finished": len(self.progress.finished)}

    def name(self, number: int) -> str:
        """Return what names the place before the news `number`, for one who comes back."""
        return f"{self._epoch}-{number}"

    def place_of(self, name: str) -> int | None:
        """Return the place that `name` named; None where it is no longer kept, or never was."""
        epoch, _, number = name.partition("-")
        if epoch != self._epoch or not (number.isascii() and number.isdecimal()):
            return None
        return int(number) if self.news.begin <= int(number[:15]) <= self.news.end else None

    async def beyond(self, number: int) -> None:
        """Wait until there is news of the number `number`, or none can come any more."""
        while self.news.end <= number and self.goes_on:
            await self._moved.wait()

    @property
    def goes_on(self) -> bool:
        """Whether there may be more: the log can be read, and the server answers."""
        return self.error is None and not self.is_over and not self._ends()

    async def run(self) -> None:
        """Look again and again, until nobody has listened for a while."""
        idle, told = 0.0, self.news.end
        while idle < _LINGERS_S and self.goes_on:
            try:
                await asyncio.to_thread(self._lives.progress, self.run_id)
            except (ValueSimError, OSError) as error:
                self.error = self._lives.shelf.sentence(error)
            # others look as well: what they found first is told to nobody yet
            if self.news.end != told:
                told = self.news.end
                self._wake()
            await asyncio.sleep(_LOOK_EVERY_S)
            idle = 0.0 if self.listeners else idle + _LOOK_EVERY_S
        self.is_over = True
        self._wake()

    def _wake(self) -> None:
        # those who wait take the event that they wait for; later ones the next
        self._moved.set()
        self._moved = asyncio.Event()


class Feeds:
    """A feed for each run that somebody follows."""

    def __init__(self, lives: Lives, ends: Ends) -> None:
        """Begin with none; they end when the server `ends`."""
        self.lives = lives
        self._ends = ends
        self._feeds: dict[str, Feed] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def listeners(self) -> int:
        """How many listen, to all feeds."""
        return sum(feed.listeners for feed in self._feeds.values())

    async def of(self, run: str) -> Feed:
        """Return the feed of a run; raise as `Lives.progress` does."""
        known = self._feeds.get(run)
        if known is not None and not known.is_over:
            return known
        progress = await asyncio.to_thread(self.lives.progress, run)
        found = self._feeds.get(run)
        if found is None or found.is_over:
            found = self._feeds[run] = Feed(self.lives, run, progress, self._ends)
            task = asyncio.create_task(self._run(run, found))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return found

    @asynccontextmanager
    async def listening(self, feed: Feed) -> AsyncIterator[None]:
        """Let a feed go on as long as somebody is here."""
        feed.listeners += 1
        try:
            yield
        finally:
            feed.listeners -= 1

    async def _run(self, run: str, feed: Feed) -> None:
        await feed.run()
        if self._feeds.get(run) is feed:
            del self._feeds[run]
