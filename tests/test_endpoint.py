"""One server under load and failure, on a clock that does not really wait."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from email.utils import formatdate
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from valuesim.agents.endpoint import Endpoint, Limits
from valuesim.agents.failure import MalformedReply, read_failure
from valuesim.agents.slots import Servers, Slots
from valuesim.errors import InputError, Interruption

NOW = 1_800_000_000.0


class Refused(Exception):
    """Looks like a client library's error: a status, a response with headers."""

    def __init__(self, status: int, retry_after: str | None = None, said: str = "no") -> None:
        super().__init__(said)
        headers = {"retry-after": retry_after} if retry_after else {}
        self.status_code, self.response = status, SimpleNamespace(headers=headers)


class Clock:
    """Time that passes only in `sleep`."""

    def __init__(self) -> None:
        self.time, self.waits = 0.0, list[float]()

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds


def endpoint(clock: Clock | None = None, secrets: tuple[str, ...] = (), **limits: Any) -> Endpoint:
    clock = clock or Clock()
    return Endpoint(
        where="http://me:pass@server/v1",
        limits=Limits(**limits),
        rng=np.random.default_rng(0),
        secrets=secrets,
        clock=lambda: clock.time,
        now=lambda: NOW,
        sleep=clock.sleep,
    )


def scripted(*outcomes: Any) -> Callable[[], Any]:
    """Return a request that raises or returns `outcomes` in turn, the last one for ever."""
    left = list(outcomes)

    async def request() -> Any:
        outcome = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return request


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 529])
async def test_a_passing_failure_is_tried_again(status: int) -> None:
    server = endpoint()
    assert await server.call(scripted(Refused(status), Refused(status), "ok")) == "ok"
    assert (server.counters.calls, server.counters.retries) == (3, 2)
    assert server.counters.failures == 0


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError("reset"),
        TimeoutError(),
        json.JSONDecodeError("cut", "{", 1),
        MalformedReply("no choices"),
        type("APIConnectionError", (Exception,), {})("gone"),
        type("RemoteProtocolError", (Exception,), {})("peer closed connection"),
        type("ReadTimeout", (Exception,), {})("slow"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_broken_connection_is_tried_again(error: Exception) -> None:
    assert await endpoint().call(scripted(error, "ok")) == "ok"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_a_refused_request_ends_the_episode_with_the_servers_reason(status: int) -> None:
    server = endpoint()
    with pytest.raises(Interruption, match=rf"server/v1 failed: HTTP {status}: bad model"):
        await server.call(scripted(Refused(status, said="bad model"), "ok"))
    assert server.counters.calls == 1


async def test_spent_retries_say_what_and_where() -> None:
    with pytest.raises(
        Interruption, match=r"at http://server/v1 failed after 3 tries: HTTP 503: no"
    ):
        await endpoint(retries=2).call(scripted(Refused(503)))


async def test_an_unknown_error_is_named_and_not_tried_again() -> None:
    server = endpoint()
    with pytest.raises(Interruption, match="ZeroDivisionError: oops"):
        await server.call(scripted(ZeroDivisionError("oops"), "ok"))
    assert server.counters.calls == 1


async def test_bad_input_is_not_turned_into_an_interruption() -> None:
    with pytest.raises(InputError):
        await endpoint().call(scripted(InputError("no structured output")))


async def test_waits_are_jittered_within_a_doubling_and_capped_ceiling() -> None:
    clock = Clock()
    with pytest.raises(Interruption):
        await endpoint(clock, retries=6, backoff_s=1.0, backoff_cap_s=4.0).call(
            scripted(Refused(500))
        )
    assert len(clock.waits) == 6
    assert all(0 <= wait <= top for wait, top in zip(clock.waits, [1, 2, 4, 4, 4, 4], strict=True))
    assert len(set(clock.waits)) == 6


@pytest.mark.parametrize("header", ["7", formatdate(NOW + 7, usegmt=True)])
async def test_retry_after_is_honoured_in_seconds_and_as_a_date(header: str) -> None:
    clock = Clock()
    await endpoint(clock, backoff_s=0.001).call(scripted(Refused(429, header), "ok"))
    assert clock.waits == [7.0]


@pytest.mark.parametrize("header", ["soon", "-3", "nan", formatdate(NOW - 60, usegmt=True)])
async def test_a_useless_retry_after_leaves_the_backoff(header: str) -> None:
    clock = Clock()
    await endpoint(clock, backoff_s=1.0).call(scripted(Refused(429, header), "ok"))
    assert 0 < clock.waits[0] <= 1.0


async def test_a_retry_after_of_hours_ends_the_call() -> None:
    clock = Clock()
    with pytest.raises(Interruption, match="asks to wait 7200 s"):
        await endpoint(clock).call(scripted(Refused(429, "7200"), "ok"))
    assert clock.waits == []


async def test_a_call_that_never_answers_times_out() -> None:
    server = endpoint(timeout_s=0.01, retries=1)

    async def never() -> None:
        await asyncio.sleep(60)

    with pytest.raises(Interruption, match=r"after 2 tries: no answer within 0.01 s"):
        await server.call(never)
    assert server.counters.in_flight == 0


async def test_no_more_calls_run_at_once_than_the_limit() -> None:
    server, most = endpoint(concurrency=3), 0

    async def request() -> None:
        nonlocal most
        most = max(most, server.counters.in_flight)
        await asyncio.sleep(0)

    await asyncio.gather(*[server.call(request) for _ in range(20)])
    assert most == 3
    assert (server.counters.calls, server.counters.in_flight) == (20, 0)


async def test_a_call_that_waits_to_try_again_holds_no_slot() -> None:
    clock = Clock()
    server = endpoint(clock, concurrency=1)
    held: list[int] = []

    async def sleep(seconds: float) -> None:
        held.append(server.counters.in_flight)
        assert await server.call(scripted("other")) == "other"

    server._sleep = sleep
    assert await server.call(scripted(Refused(500), "ok")) == "ok"
    assert held == [0]


async def test_a_cancelled_call_gives_its_slot_back() -> None:
    server = endpoint(concurrency=1)
    task = asyncio.create_task(server.call(lambda: asyncio.sleep(60)))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await asyncio.wait_for(server.call(scripted("ok")), 30) == "ok"
    assert server.counters.in_flight == 0


async def test_busy_seconds_are_the_time_in_flight() -> None:
    clock = Clock()
    await endpoint(clock).call(scripted("ok"))
    server = endpoint(clock)

    async def request() -> None:
        clock.time += 2.5

    await server.call(request)
    await server.call(request)
    assert server.counters.busy_s == 5.0


async def test_a_server_that_is_down_ends_the_run_at_once() -> None:
    server = endpoint(retries=1, down_after=3)
    for _ in range(3):
        with pytest.raises(Interruption, match="failed after 2 tries"):
            await server.call(scripted(ConnectionRefusedError("refused")))
    assert server.is_down
    with pytest.raises(
        Interruption, match=r"appears to be down: 6 requests failed with no success.*refused"
    ):
        await server.call(scripted("ok"))
    assert server.counters.calls == 6, "nothing was sent"


async def test_calls_already_under_way_stop_when_the_server_is_down() -> None:
    server = endpoint(retries=50, down_after=1, concurrency=1)
    calls = [server.call(scripted(Refused(401))), server.call(scripted(Refused(500)))]
    first, second = await asyncio.gather(*calls, return_exceptions=True)
    assert "HTTP 401" in str(first)
    assert "appears to be down" in str(second)
    assert server.counters.calls == 1


async def test_a_server_that_never_answers_is_down_before_all_retries_are_spent() -> None:
    clock = Clock()
    server = endpoint(clock, retries=50, down_after=4, down_after_s=60)

    async def times_out() -> None:
        clock.time += 25
        raise TimeoutError

    with pytest.raises(Interruption, match="appears to be down"):
        await server.call(times_out)
    assert server.counters.calls == 4


async def test_a_short_outage_and_a_rate_limit_are_not_down() -> None:
    clock = Clock()
    server = endpoint(clock, retries=50, down_after=4, backoff_cap_s=0.1)
    outage = [ConnectionRefusedError("refused")] * 30
    assert await server.call(scripted(*outage, "ok")) == "ok"
    limited = [Refused(429, "30")] * 30
    assert await server.call(scripted(*limited, "ok")) == "ok"


@pytest.mark.parametrize("status", [400, 404, 422, 429])
async def test_calls_that_a_working_server_turns_away_do_not_make_it_down(status: int) -> None:
    server = endpoint(retries=1, down_after=2, down_after_s=0.001)
    for _ in range(10):
        with pytest.raises(Interruption, match=f"HTTP {status}"):
            await server.call(scripted(Refused(status)))
    assert not server.is_down
    assert server.counters.failures == 10
    assert await server.call(scripted("ok")) == "ok"


@pytest.mark.parametrize("status", [401, 403, 500, 503])
async def test_a_server_that_lets_nobody_in_or_breaks_is_down(status: int) -> None:
    server = endpoint(retries=0, down_after=3)
    for _ in range(3):
        await asyncio.gather(server.call(scripted(Refused(status))), return_exceptions=True)
    with pytest.raises(Interruption, match=f"down: 3 requests failed .*HTTP {status}"):
        await server.call(scripted("ok"))


async def test_the_sentence_of_a_server_that_is_down_tells_what_speaks_against_it() -> None:
    server = endpoint(retries=0, down_after=2)
    answers = [Refused(429), Refused(500, said="burning"), Refused(400), Refused(503), Refused(429)]
    for answer in answers:
        await asyncio.gather(server.call(scripted(answer)), return_exceptions=True)
    with pytest.raises(Interruption, match=r"2 requests failed with no success .*HTTP 503"):
        await server.call(scripted("ok"))


async def test_a_call_is_given_up_with_its_own_reason() -> None:
    server, gate = endpoint(retries=0), asyncio.Event()

    async def late() -> None:
        await gate.wait()
        raise Refused(400, said="too long")

    waiting = asyncio.create_task(server.call(late))
    await asyncio.gather(server.call(scripted(Refused(500))), return_exceptions=True)
    gate.set()
    with pytest.raises(Interruption, match="HTTP 400: too long"):
        await waiting


async def test_endpoints_of_one_server_share_its_slots() -> None:
    servers, most, now = Servers(), 0, 0

    async def request() -> None:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1

    first, second, other = (
        Endpoint(
            where=name,
            limits=Limits(concurrency=2),
            rng=np.random.default_rng(0),
            slots=servers.slots(name, 2),
        )
        for name in ("http://a", "http://a", "http://b")
    )
    await asyncio.gather(*[each.call(request) for each in (first, second) for _ in range(9)])
    assert most == 2
    most = 0
    await asyncio.gather(*[each.call(request) for each in (first, other) for _ in range(9)])
    assert most == 4


def test_one_server_has_one_limit() -> None:
    servers = Servers()
    servers.slots("http://a", 2)
    servers.slots("http://b", 3)
    with pytest.raises(InputError, match=r"is 2 for one model and 3 for another on .*http://a"):
        servers.slots("http://a", 3)


async def test_one_success_forgets_earlier_failures() -> None:
    server = endpoint(retries=0, down_after=3)
    for outcome in [Refused(500), Refused(500), "ok", Refused(500), Refused(500)]:
        await asyncio.gather(server.call(scripted(outcome)), return_exceptions=True)
    assert not server.is_down


async def test_a_key_is_redacted_before_a_long_reason_is_cut(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    key = "K" * 100
    for padding in range(200, 320, 7):
        server = endpoint(secrets=(key,))
        with pytest.raises(Interruption) as caught:
            await server.call(scripted(Refused(401, said="x" * padding + " " + key)))
        assert "KKK" not in str(caught.value)
    assert "KKK" not in caplog.text
    assert "REDACTED" in caplog.text


def test_a_failure_keeps_its_status_and_its_root_cause() -> None:
    failure = read_failure(Refused(429, "3"), now=NOW, timeout_s=1)
    assert (failure.status, failure.retry_after_s, failure.is_retryable) == (429, 3.0, True)
    outer = type("APIConnectionError", (Exception,), {})("Connection error.")
    outer.__cause__ = ConnectionRefusedError("port 9 refused")
    assert "port 9 refused" in read_failure(outer, now=NOW, timeout_s=1).reason


@pytest.mark.parametrize(
    "limit",
    [{"concurrency": 0}, {"retries": -1}, {"timeout_s": 0}, {"down_after": 0}, {"retries": True}],
    ids=str,
)
def test_impossible_limits_are_refused(limit: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(limit))):
        Limits(**limit)


async def test_a_run_waits_for_a_server_that_comes_back() -> None:
    clock = Clock()
    server = endpoint(clock, retries=0, down_after=2, pause_s=600)
    away = [ConnectionRefusedError("refused")] * 2
    for request in (scripted(*away[:1]), scripted(*away[1:])):
        with pytest.raises(Interruption, match="failed"):
            await server.call(request)
    assert server.is_down
    back = scripted(ConnectionRefusedError("refused"), ConnectionRefusedError("refused"), "ok")
    replies = await asyncio.gather(*(server.call(back) for _ in range(5)))
    assert replies == ["ok"] * 5
    assert not server.is_down
    assert server.counters.paused == ""
    assert clock.waits == [2.0, 4.0, 8.0], "one at a time tries, ever more seldom"


async def test_a_run_does_not_wait_for_ever() -> None:
    clock = Clock()
    server = endpoint(clock, retries=0, down_after=1, pause_s=100)
    down = ConnectionRefusedError("refused")
    await asyncio.gather(server.call(scripted(down)), return_exceptions=True)
    calls = [server.call(scripted(down)) for _ in range(3)]
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert all("appears to be down" in str(each) for each in ended)
    assert 100 <= clock.time < 140


async def test_nothing_is_paused_once_nobody_tries_a_server_any_more() -> None:
    clock = Clock()
    server = endpoint(clock, retries=0, down_after=1, pause_s=600)
    await asyncio.gather(server.call(scripted(Refused(500))), return_exceptions=True)

    async def never() -> str:
        await asyncio.sleep(3600)
        return "ok"

    scout = asyncio.create_task(server.call(never))
    while not server.counters.in_flight:
        await asyncio.sleep(0)
    assert "is away" in server.counters.paused
    scout.cancel()
    await asyncio.gather(scout, return_exceptions=True)
    assert not server.counters.paused


async def test_waiting_mends_no_key() -> None:
    clock = Clock()
    server = endpoint(clock, retries=0, down_after=1, pause_s=600)
    await asyncio.gather(server.call(scripted(Refused(401))), return_exceptions=True)
    with pytest.raises(Interruption, match="appears to be down"):
        await server.call(scripted("ok"))
    assert clock.time == 0


async def test_a_trial_that_the_server_turns_away_shows_that_it_is_back() -> None:
    server = endpoint(retries=0, down_after=1, pause_s=600)
    await asyncio.gather(server.call(scripted(Refused(500))), return_exceptions=True)
    with pytest.raises(Interruption, match="HTTP 400"):
        await server.call(scripted(Refused(400)))
    assert await server.call(scripted("ok")) == "ok"


async def test_calls_that_wait_for_a_slot_when_the_server_goes_down_wait_on() -> None:
    server = endpoint(retries=0, down_after=1, concurrency=1, pause_s=600)
    first, second = await asyncio.gather(
        server.call(scripted(Refused(500))), server.call(scripted("ok")), return_exceptions=True
    )
    assert "HTTP 500" in str(first)
    assert second == "ok"


async def test_a_server_with_too_many_requests_is_sent_fewer() -> None:
    slots = Slots(8)
    server = Endpoint(
        where="here", limits=Limits(backoff_s=0.001), rng=np.random.default_rng(0), slots=slots
    )
    await server.call(scripted(Refused(429), Refused(503), "ok"))
    assert slots.limit < 8
