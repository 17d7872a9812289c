"""How many requests a server is sent at once: as many as it bears, up to a limit."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType

from valuesim.errors import InputError

_CUT = 0.7
"""The share that is left of the limit when the server says that it is too much (Chiu and Jain 1989,
"Analysis of the increase and decrease algorithms for congestion avoidance")."""


class Slots:
    """An asynchronous semaphore of at most `most` places, fewer where the server is pressed.

    `limit`, in [1, most], falls when the server turns requests away and grows by one place in as
    many successes as there are places. Whoever waits longest is served first.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(most)
        self.busy = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        # answers to requests sent before the last cut say nothing about the new limit
        self._ignored = 0

    async def __aenter__(self) -> None:
        """Take a place, as soon as there is one."""
        if self.busy < int(self.limit) and not self._waiting:
            self.busy += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._leave()
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give the place back."""
        self._leave()

    def eased(self) -> None:
        """Note that a request went well."""
        if self._ignored:
            self._ignored -= 1
        elif self.limit < self.most:
            self.limit = min(self.limit + 1.0 / self.limit, float(self.most))
            self._fill()

    def pressed(self) -> None:
        """Note that the server turned a request away because it has too many."""
        if self._ignored:
            self._ignored -= 1
            return
        self.limit = max(self.limit * _CUT, 1.0)
        self._ignored = self.busy

    def _leave(self) -> None:
        self.busy -= 1
        self._fill()

    def _fill(self) -> None:
        while self._waiting and self.busy < int(self.limit):
            place = self._waiting.popleft()
            if not place.done():
                self.busy += 1
                place.set_result(None)


class Servers:
    """The servers of a run: endpoints of the same server share its slots."""

    def __init__(self) -> None:
        self._slots: dict[str, Slots] = {}

    def slots(self, server: str, concurrency: int) -> Slots:
        """Return the slots of `server`, `concurrency` in all.

        Raises InputError where another number was asked for before: one server has one limit.
        """
        slots = self._slots.setdefault(server, Slots(concurrency))
        if slots.most != concurrency:
            raise InputError(
                f"model concurrency is {slots.most} for one model and {concurrency} for another on "
                f"the same server, {server}: give both the same"
            )
        return slots
