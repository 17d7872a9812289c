"""One model server as a whole run uses it: how many calls at once, what is tried again, what ends.

What a server does wrong is no choice of an agent: after its retries a call raises `Interruption`.
"""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from valuesim.agents.failure import Failure, advice, read_failure, shortened
from valuesim.agents.slots import Slots
from valuesim.decision import Usage
from valuesim.errors import InputError, Interruption, ValueSimError
from valuesim.secrets import redact_strictly

_log = logging.getLogger(__name__)
_Reply = TypeVar("_Reply")
_FIRST_TRIAL_S = 2.0
_TOO_MANY = (429, 503)


class _HeldBack(Exception):
    """The server went down while a request waited for its slot."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one endpoint is asked to bear; seconds, and counts of calls.

    A wait before retry k (from 0) is uniform in [0, min(backoff_s * 2**k, backoff_cap_s)] and not
    below the server's Retry-After; a Retry-After above `longest_wait_s` ends the call. The endpoint
    counts as down when, without one success between, `down_after` calls were given up, or as many
    requests failed over more than `down_after_s`; only failures that speak against the server
    count (see `Failure.speaks_against_server`). Calls then wait while one at a time tries whether
    it is back, for `pause_s` from the first failure at most; then they end. `concurrency` falls
    for a while where the server says that it has too many requests (429, 503).
    """

    concurrency: int = 64
    retries: int = 5
    timeout_s: float = 120.0
    backoff_s: float = 0.5
    backoff_cap_s: float = 30.0
    longest_wait_s: float = 300.0
    down_after: int = 8
    down_after_s: float = 60.0
    pause_s: float = 0.0

    def __post_init__(self) -> None:
        """Raise InputError for a limit that cannot be kept."""
        for name, least in (("concurrency", 1), ("retries", 0), ("down_after", 1)):
            given = getattr(self, name)
            if isinstance(given, bool) or not isinstance(given, int) or given < least:
                raise InputError(f"model {name} is {given!r}: a whole number from {least}")
        for name in ("timeout_s", "backoff_s", "backoff_cap_s", "longest_wait_s", "down_after_s"):
            given = getattr(self, name)
            if isinstance(given, bool) or not isinstance(given, int | float) or not given > 0:
                raise InputError(f"model {name} is {given!r}: seconds, above 0")
        given = self.pause_s
        if isinstance(given, bool) or not isinstance(given, int | float) or not given >= 0:
            raise InputError(f"model pause_s is {given!r}: seconds, from 0")


@dataclass(kw_only=True, slots=True)
class Counters:
    """What an endpoint has done so far, for a progress bar.

    `calls` counts every request sent, `retries` those sent again, `failures` the calls given up;
    `busy_s` sums the seconds of all requests, so that busy_s / (concurrency * elapsed) is the share
    of slots in use. `schema_breaks` counts replies that ignored a schema the server was given.
    `replayed` counts replies taken from a cache, which none of the others do; `no_logprobs` replies
    without the log-probabilities that were asked for. `paused` says why nothing is sent at the
    moment; it is empty while requests go out.
    """

    calls: int = 0
    retries: int = 0
    failures: int = 0
    in_flight: int = 0
    busy_s: float = 0.0
    schema_breaks: int = 0
    replayed: int = 0
    no_logprobs: int = 0
    paused: str = ""
    usage: Usage = field(default_factory=Usage)


@dataclass(kw_only=True, slots=True)
class _Streak:
    """Failures since the last success that speak against the server; `reason` is the latest's.

    `is_shut_out` says that it refused the key, which no waiting mends.
    """

    requests: int = 0
    since: float = 0.0
    until: float = 0.0
    given_up: int = 0
    trials: int = 0
    reason: str = ""
    is_shut_out: bool = False


class Endpoint:
    """One model on a server, shared by all its agents in a run; `where` names it in errors.

    `clock` and `sleep` measure and wait in seconds, `now` is the time of day in seconds since 1970
    (for a Retry-After that is a date). `secrets` never appear in what this class raises or logs.
    `slots` are those of `Servers`; without them the endpoint has its own.
    """

    def __init__(
        self,
        *,
        where: str,
        limits: Limits,
        rng: np.random.Generator,
        secrets: Iterable[str] = (),
        slots: Slots | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.secrets = tuple(secrets)
        self.where = redact_strictly(where, self.secrets)
        self.limits = limits
        self.counters = Counters()
        self._rng = rng
        self.clock = clock
        self._now, self._sleep = now, sleep
        self._slots = slots or Slots(limits.concurrency)
        self._streak = _Streak()
        self._scout = asyncio.Lock()

    @property
    def is_down(self) -> bool:
        """Whether the server has failed for so long that nothing more is sent (see `Limits`)."""
        enough = self.limits.down_after
        lasted = self._streak.until - self._streak.since
        return self._streak.given_up >= enough or (
            self._streak.requests >= enough and lasted > self.limits.down_after_s
        )

    async def call(self, request: Callable[[], Awaitable[_Reply]]) -> _Reply:
        """Return what `request` returns, sent in a free slot and sent again where that may help.

        While the endpoint is down it waits, as `Limits` tells. Raises Interruption when the server
        refuses, when the retries are spent, or when the server stays away.
        """
        attempt = 0
        while True:
            if found := await self._until_up(request):
                return found[0]
            started = self.clock()
            try:
                reply = await self._send(request)
            except _HeldBack:
                continue
            except Exception as error:  # noqa: BLE001 (each client has its own classes)
                failure = self._read(error, started)
            else:
                self._succeeded()
                return reply
            wait = self._wait(attempt, failure)
            attempt += 1
            is_last = attempt > self.limits.retries or wait > self.limits.longest_wait_s
            if is_last or not failure.is_retryable:
                raise Interruption(self._given_up(failure, attempt))
            await self._sleep(wait)
            self.counters.retries += 1

    async def _until_up(self, request: Callable[[], Awaitable[_Reply]]) -> tuple[_Reply, ...]:
        """Wait while the server is down; return the reply if it was `request` that found it back.

        Raises Interruption where it stays away.
        """
        while self.is_down:
            async with self._scout:
                if self.is_down and (found := await self._trial(request)):
                    return found
        return ()

    async def _trial(self, request: Callable[[], Awaitable[_Reply]]) -> tuple[_Reply, ...]:
        streak = self._streak
        if streak.is_shut_out or self.clock() - streak.since >= self.limits.pause_s:
            self.counters.paused = ""
            raise Interruption(self._down())
        if not streak.trials:
            _log.warning("%s; the run waits for it", self._down())
        wait = min(_FIRST_TRIAL_S * 2.0**streak.trials, self.limits.backoff_cap_s)
        self.counters.paused = f"{self.where} is away, tried again every {wait:.0f} s"
        try:
            return await self._tried(request, streak, wait)
        except BaseException:
            # nobody tries any more, so nothing says when it is back
            self.counters.paused = ""
            raise

    async def _tried(
        self, request: Callable[[], Awaitable[_Reply]], streak: _Streak, wait: float
    ) -> tuple[_Reply, ...]:
        await self._sleep(wait)
        streak.trials += 1
        started = self.clock()
        try:
            reply = await self._send(request, is_trial=True)
        except Exception as error:  # noqa: BLE001 (each client has its own classes)
            if not self._read(error, started).speaks_against_server:
                # it is there, whatever it thinks of this request
                self._succeeded()
            return ()
        self._succeeded()
        return (reply,)

    async def _send(
        self, request: Callable[[], Awaitable[_Reply]], *, is_trial: bool = False
    ) -> _Reply:
        async with self._slots:
            if self.is_down and not is_trial:
                raise _HeldBack
            started = self.clock()
            self.counters.calls += 1
            self.counters.in_flight += 1
            try:
                async with asyncio.timeout(self.limits.timeout_s):
                    return await request()
            finally:
                self.counters.in_flight -= 1
                self.counters.busy_s += self.clock() - started

    def _succeeded(self) -> None:
        if self.counters.paused:
            _log.warning("the model server at %s is back", self.where)
        self._streak, self.counters.paused = _Streak(), ""
        self._slots.eased()

    def _read(self, error: Exception, started: float) -> Failure:
        if isinstance(error, ValueSimError):
            raise error
        if _log.isEnabledFor(logging.DEBUG):
            told = "".join(traceback.format_exception(error))
            _log.debug("%s", redact_strictly(told, self.secrets))
        failure = read_failure(error, now=self._now(), timeout_s=self.limits.timeout_s)
        # redacted before it is cut: half a key would pass
        reason = shortened(redact_strictly(failure.reason, self.secrets))
        status = failure.status
        told = f"HTTP {status}: {reason}{advice(status)}" if status else reason
        failure = replace(failure, reason=told)
        if failure.speaks_against_server:
            if not self._streak.requests:
                self._streak.since = started
            self._streak.requests += 1
            self._streak.until = self.clock()
            self._streak.reason = failure.reason
            self._streak.is_shut_out = status in (401, 403)
        if status in _TOO_MANY:
            self._slots.pressed()
        return failure

    def _wait(self, attempt: int, failure: Failure) -> float:
        ceiling = min(self.limits.backoff_s * 2.0**attempt, self.limits.backoff_cap_s)
        return max(float(self._rng.uniform(0.0, ceiling)), failure.retry_after_s or 0.0)

    def _given_up(self, failure: Failure, attempts: int) -> str:
        self._streak.given_up += failure.speaks_against_server
        self.counters.failures += 1
        tries = f" after {attempts} tries" if attempts > 1 else ""
        wait = failure.retry_after_s or 0.0
        asks = f" (it asks to wait {wait:g} s)" if wait > self.limits.longest_wait_s else ""
        return f"the model server at {self.where} failed{tries}: {failure.reason}{asks}"

    def _down(self) -> str:
        return (
            f"the model server at {self.where} appears to be down: "
            f"{self._streak.requests} requests failed with no success between, the latest with: "
            f"{self._streak.reason}"
        )
