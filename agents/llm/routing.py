"""Which of several servers of one model a request goes to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from valuesim.agents.failure import ServerError

_FIRST_REST_S = 2.0
_LONGEST_REST_S = 60.0


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
    does not answer, or with 5xx, rests, twice as long each time it fails again, unless all do.
    """

    def __init__(self, urls: Sequence[str], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._routes = [_Route(url=url) for url in urls]
        self._clock = clock

    @contextmanager
    def least_busy(self) -> Iterator[str]:
        """Yield the address to ask; the block is the request, and what it raises a failure."""
        route = self._chosen()
        route.busy += 1
        route.used += 1
        try:
            yield route.url
        except Exception as error:
            if isinstance(error, ServerError) and error.status < 500:
                raise
            rest = min(_FIRST_REST_S * 2.0**route.failures, _LONGEST_REST_S)
            route.failures += 1
            route.rests_until = self._clock() + rest
            raise
        else:
            route.failures, route.rests_until = 0, 0.0
        finally:
            route.busy -= 1

    def _chosen(self) -> _Route:
        now = self._clock()
        awake = [route for route in self._routes if route.rests_until <= now]
        return min(awake or self._routes, key=lambda route: (route.busy, route.used))
