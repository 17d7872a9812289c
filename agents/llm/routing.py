"""Which of several servers of one model a request goes to."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from valuesim.agents.failure import ServerError

_FIRST_REST_S = 2.0
_LONGEST_REST_S = 60.0
_OF_THE_SERVER = (401, 403, 408, 429)


@dataclass(kw_only=True, slots=True)
class _Route:
    url: str
    busy: int = 0
    used: int = 0
    failures: int = 0
    rests_until: float = 0.0


class Routes:
    """Servers that are alike, by address; `clock` gives seconds.

    A request goes to the one with the fewest under way, of equals to the one used least. One that
    does not answer, or with 5xx, 401, 403, 408 or 429, rests, twice as long each time it fails
    again, unless all do. A request that is cancelled after `patience_s` was not answered.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        patience_s: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._routes = [_Route(url=url) for url in urls]
        self._patience_s = patience_s
        self._clock = clock

    @contextmanager
    def least_busy(self) -> Iterator[str]:
        """Yield the address to ask; the block is the request, and what it raises a failure."""
        route = self._chosen()
        route.busy += 1
        route.used += 1
        started = self._clock()
        try:
            yield route.url
        except asyncio.CancelledError:
            if self._clock() - started >= self._patience_s:
                self._rest(route)
            raise
        except Exception as error:
            if not isinstance(error, ServerError) or _is_the_servers(error.status):
                self._rest(route)
            raise
        else:
            route.failures, route.rests_until = 0, 0.0
        finally:
            route.busy -= 1

    def _rest(self, route: _Route) -> None:
        rest = min(_FIRST_REST_S * 2.0**route.failures, _LONGEST_REST_S)
        route.failures += 1
        route.rests_until = self._clock() + rest

    def _chosen(self) -> _Route:
        now = self._clock()
        awake = [route for route in self._routes if route.rests_until <= now]
        return min(awake or self._routes, key=lambda route: (route.busy, route.used))


def _is_the_servers(status: int) -> bool:
    """Return whether an answer with this status speaks of the server, not of the request."""
    return status >= 500 or status in _OF_THE_SERVER
