"""One play of the viewer: an episode, or several, in a thread and an event loop of its own.

What is known of it is one frozen `Standing`, which is replaced; whoever follows it is woken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from threading import Lock, Thread
from typing import Any, Literal

from valuesim.errors import ValueSimError
from valuesim.replay.playing.seat import Seat

State = Literal["starting", "playing", "asking", "finished", "stopped", "failed"]
Kind = Literal["branch", "game"]
FINAL = frozenset({"finished", "stopped", "failed"})
"""States that no other one follows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How far a play is.

    `run` and `episode` are ids, None until known; `step` is the last one played; `episodes` are
    those that are finished. `error` says why it failed or was stopped; `asking` what a person is
    asked now.
    """

    state: State = "starting"
    run: str | None = None
    run_name: str | None = None
    episode: str | None = None
    step: int | None = None
    episodes: int = 0
    error: str | None = None
    asking: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class About:
    """What is known of a play before it begins.

    `total` is how many episodes it is to have, `parent` what a branch leaves (run, episode, step),
    and `key` what no two plays do at once, empty for one that hinders no other. `person` says
    whether somebody sits in it, who must not be shown what others decide.
    """

    kind: Kind
    title: str
    total: int = 1
    parent: Mapping[str, Any] | None = None
    key: str = ""
    person: bool = False


class Play:
    """A play that was started; `work` is what it does, in an event loop of its own.

    `work` returns why it was stopped, empty where it is finished. `settled` is called once it has
    ended, before that is told; `sentence` words what it raised.
    """

    def __init__(
        self,
        id: str,
        about: About,
        work: Callable[[Play], Coroutine[Any, Any, str]],
        *,
        settled: Callable[[], None],
        sentence: Callable[[Exception], str],
    ) -> None:
        self.id, self.about = id, about
        self.seat = Seat(self._asked)
        self._work, self._settled, self._sentence = work, settled, sentence
        self._standing = Standing()
        self._lock = Lock()
        self._woken: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._task: asyncio.Task[str] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_stopped = False
        self._thread = Thread(target=self._run, name=f"play {id}", daemon=True)

    @property
    def standing(self) -> Standing:
        """How far it is now."""
        return self._standing

    @property
    def is_over(self) -> bool:
        """Whether nothing of it changes any more."""
        return self._standing.state in FINAL

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Let it end where it is; what was played stays."""
        with self._lock:
            self._is_stopped = True
            task, loop = self._task, self._loop
        if task is not None and loop is not None:
            # of one that has just ended the loop is closed
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(task.cancel)

    def join(self, patience_s: float) -> None:
        """Wait for its end, at most `patience_s` seconds."""
        self._thread.join(max(patience_s, 0.0))

    def tell(self, **changes: Any) -> None:
        """Replace parts of its standing, unless it is over, and wake whoever follows it."""
        with self._lock:
            if not self.is_over:
                self._standing = replace(self._standing, **changes)
            woken = list(self._woken.items())
        for event, loop in woken:
            # a listener whose loop is closed is gone
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(event.set)

    @contextmanager
    def followed(self) -> Iterator[asyncio.Event]:
        """Yield what is set, in the present event loop, at each change."""
        event = asyncio.Event()
        with self._lock:
            self._woken[event] = asyncio.get_running_loop()
        try:
            yield event
        finally:
            with self._lock:
                self._woken.pop(event, None)

    def plain(self) -> dict[str, Any]:
        """Return it as the page gets it (docs/replay.md)."""
        about = self.about
        return {
            "id": self.id,
            "kind": about.kind,
            "title": about.title,
            "total": about.total,
            "parent": about.parent,
            "person": about.person,
            **asdict(self._standing),
        }

    def _asked(self, asking: Mapping[str, Any] | None) -> None:
        self.tell(state="playing" if asking is None else "asking", asking=asking)

    def _run(self) -> None:
        try:
            ended = self._ended()
        except Exception as error:
            ended = {"state": "failed", "error": self._sentence(error)}
            if not isinstance(error, ValueSimError):
                self._end(ended)
                raise
        self._end(ended)

    def _end(self, ended: Mapping[str, Any]) -> None:
        try:
            self._settled()
        finally:
            self.tell(asking=None, **ended)

    def _ended(self) -> dict[str, Any]:
        try:
            why = asyncio.run(self._play())
        except asyncio.CancelledError:
            why = "it was stopped"
        return {"state": "stopped", "error": why} if why else {"state": "finished"}

    async def _play(self) -> str:
        with self._lock:
            self._loop = asyncio.get_running_loop()
            self._task = asyncio.ensure_future(self._work(self))
            if self._is_stopped:
                self._task.cancel()
        return await self._task
