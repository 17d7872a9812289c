"""The lean chat model: what is sent, what is read, and which server is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import AsyncCallbackHandler, UsageMetadataCallbackHandler
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.rate_limiters import BaseRateLimiter
from langchain_core.tracers.context import collect_runs

from valuesim.agents.failure import MalformedReply, ServerError, read_failure
from valuesim.agents.llm.completion import checked
from valuesim.agents.llm.routing import Routes
from valuesim.agents.llm.server_chat import ServerChat

Serve = Callable[..., Any]
TURNS = [SystemMessage("Rules."), HumanMessage("Now?"), AIMessage("I wait."), HumanMessage("Go.")]


def chat(*urls: str, **settings: Any) -> ServerChat:
    return ServerChat(model="m", base_urls=urls, **settings)


async def asked(model: ServerChat, **kwargs: Any) -> AIMessage:
    try:
        return await model.ainvoke(TURNS, **kwargs)
    finally:
        await model.aclose()


async def test_a_request_says_what_is_set_and_nothing_else(serve: Serve) -> None:
    server = await serve(script=["WAIT"])
    model = chat(server.url, temperature=0.5, max_tokens=9, extra_body={"top_k": 3})
    await asked(model, seed=7, stop=["END"])
    (body,) = server.requests
    assert body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Rules."},
            {"role": "user", "content": "Now?"},
            {"role": "assistant", "content": "I wait."},
            {"role": "user", "content": "Go."},
        ],
        "temperature": 0.5,
        "max_completion_tokens": 9,
        "stop": ["END"],
        "top_k": 3,
        "seed": 7,
    }


async def test_an_answer_keeps_reasoning_refusal_ending_and_tokens(serve: Serve) -> None:
    said = {"content": None, "reasoning": "Let me see.", "refusal": "No.", "finish_reason": "stop"}
    server = await serve(script=[said])
    reply = await asked(chat(server.url))
    assert reply.content == ""
    assert reply.additional_kwargs == {"refusal": "No.", "reasoning": "Let me see."}
    assert reply.response_metadata["finish_reason"] == "stop"
    assert reply.usage_metadata is not None
    assert reply.usage_metadata["input_tokens"] == 5


@pytest.mark.parametrize("count", [-5, True, 2.5, "7", None])
async def test_a_count_that_is_none_is_no_count(serve: Serve, count: Any) -> None:
    server = await serve(script=["WAIT"])
    server._completion = lambda _: {
        "choices": [{"message": {"content": "WAIT"}}],
        "usage": {"prompt_tokens": count, "completion_tokens": 3},
    }
    reply = await asked(chat(server.url))
    assert reply.usage_metadata is not None
    assert (reply.usage_metadata["input_tokens"], reply.usage_metadata["output_tokens"]) == (0, 3)


async def test_callbacks_see_the_call(serve: Serve) -> None:
    seen: list[str] = []

    class Handler(AsyncCallbackHandler):
        async def on_chat_model_start(self, *_: Any, **kwargs: Any) -> None:
            seen.append(f"start {kwargs['metadata']['agent']}")

        async def on_llm_end(self, response: Any, **_: Any) -> None:
            seen.append(f"end {response.generations[0][0].text}")

    server = await serve(script=["WAIT"])
    model = chat(server.url)
    config: Any = {"callbacks": [Handler()], "metadata": {"agent": "Alpha"}}
    await model.ainvoke(TURNS, config=config)
    await model.aclose()
    assert seen == ["start Alpha", "end WAIT"]


async def test_pairs_of_role_and_text_are_sent_and_answered_as_messages_are(serve: Serve) -> None:
    server = await serve(script=[{"content": "WAIT", "reasoning": "Hm."}])
    model = chat(server.url, temperature=0.5)
    roles = {"human": "user", "ai": "assistant"}
    pairs = [(roles.get(turn.type, turn.type), str(turn.content)) for turn in TURNS]
    by_messages = await model.ainvoke(TURNS, seed=7, stop=["END"])
    by_pairs = await model.ainvoke(pairs, seed=7, stop=["END"])
    await model.aclose()
    assert server.requests[0] == server.requests[1]
    by_messages.id = None
    assert by_pairs == by_messages


async def test_pairs_are_seen_by_whoever_watches(serve: Serve) -> None:
    server = await serve(script=["WAIT"])
    model = chat(server.url)
    handler = UsageMetadataCallbackHandler()
    await model.ainvoke([("user", "Now?")], config={"callbacks": [handler]})
    with collect_runs() as runs:
        await model.ainvoke([("user", "Now?")])
    watched = chat(server.url, callbacks=[handler])
    await watched.ainvoke([("user", "Now?")])
    await model.aclose()
    await watched.aclose()
    assert [run.outputs["generations"][0][0]["text"] for run in runs.traced_runs] == ["WAIT"]
    assert sum(usage["output_tokens"] for usage in handler.usage_metadata.values()) == 2


async def test_pairs_meet_the_cache_and_the_rate_limiter(serve: Serve) -> None:
    class Limiter(BaseRateLimiter):
        waits = 0

        def acquire(self, *, blocking: bool = True) -> bool:
            raise AssertionError("asked in a loop")

        async def aacquire(self, *, blocking: bool = True) -> bool:
            self.waits += 1
            return True

    server = await serve(script=["WAIT"])
    limiter = Limiter()
    model = chat(server.url, cache=InMemoryCache(), rate_limiter=limiter)
    for _ in range(3):
        await model.ainvoke([("user", "Now?")])
    await model.aclose()
    assert len(server.requests) == limiter.waits == 1


async def test_it_answers_without_a_loop_and_within_one(serve: Serve) -> None:
    server = await serve(script=["WAIT"])
    model = chat(server.url)
    # the server lives in this loop, so that the waiting is done in a thread
    assert (await asyncio.to_thread(model.invoke, TURNS)).content == "WAIT"


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
async def test_a_status_from_400_is_an_error_with_what_was_said(serve: Serve, status: int) -> None:
    server = await serve(faults={str(status): 1.0})
    with pytest.raises(ServerError, match=f"injected {status}") as caught:
        await asked(chat(server.url))
    failure = read_failure(caught.value, now=0.0, timeout_s=1.0)
    assert failure.status == status
    assert failure.retry_after_s == (0.01 if status == 429 else None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "no JSON object"),
        ({}, "no choices"),
        ({"choices": []}, "no choices"),
        ({"choices": ["x"]}, "no message"),
        ({"choices": [{}]}, "no message"),
        ({"error": {"message": "overloaded"}}, "overloaded"),
    ],
)
def test_what_is_no_completion_says_what_is_missing(content: Any, said: str) -> None:
    with pytest.raises(MalformedReply, match=said):
        checked(content)


async def test_servers_that_are_alike_share_the_work(serve: Serve) -> None:
    servers = [await serve(script=["WAIT"], latency_s=0.05) for _ in range(3)]
    model = chat(*(server.url for server in servers))
    await asyncio.gather(*(model.ainvoke(TURNS) for _ in range(30)))
    await model.aclose()
    assert [server.counts["requests"] for server in servers] == [10, 10, 10]


def test_the_least_busy_is_asked_and_a_failed_one_rests() -> None:
    now = [0.0]
    routes = Routes(["a", "b"], clock=lambda: now[0])
    with routes.least_busy() as first, routes.least_busy() as second:
        assert (first, second) == ("a", "b")

    def fail(error: Exception) -> str:
        with pytest.raises(type(error)), routes.least_busy() as url:
            raise error
        return url

    assert fail(ConnectionResetError()) == "a"
    assert [next_url(routes) for _ in range(3)] == ["b", "b", "b"]
    now[0] = 2.5
    assert next_url(routes) == "a", "it is tried again"
    assert fail(ServerError(400, {}, "bad")) == "a"
    assert fail(ServerError(500, {}, "broken")) == "a"
    assert fail(ConnectionResetError()) == "b"
    assert next_url(routes) in ("a", "b"), "where all rest, one is asked all the same"


@pytest.mark.parametrize("status", [401, 429, 503])
def test_a_server_that_turns_requests_away_rests_too(status: int) -> None:
    routes = Routes(["a", "b"], clock=lambda: 0.0)
    with pytest.raises(ServerError), routes.least_busy():
        raise ServerError(status, {}, "not now")
    assert [next_url(routes) for _ in range(2)] == ["b", "b"]


async def test_a_server_that_never_answers_rests_so_that_another_is_asked() -> None:
    routes = Routes(["a", "b"], patience_s=0.02)

    async def hang() -> str:
        with routes.least_busy() as url:
            await asyncio.sleep(60 if url == "a" else 0)
        return url

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.03):
            await hang()
    assert [await hang() for _ in range(3)] == ["b", "b", "b"]


async def test_a_request_that_is_cut_off_early_says_nothing_of_its_server() -> None:
    routes = Routes(["a", "b"], patience_s=60.0)

    async def cut_off() -> None:
        async with asyncio.timeout(0.001):
            with routes.least_busy():
                await asyncio.sleep(60)

    for _ in range(2):
        with pytest.raises(TimeoutError):
            await cut_off()
    assert {next_url(routes), next_url(routes)} == {"a", "b"}


def next_url(routes: Routes) -> str:
    with routes.least_busy() as url:
        return url


async def test_half_a_surrogate_pair_is_no_reason_to_lose_a_reply(serve: Serve) -> None:
    server = await serve(script=["\ud83e WAIT"])
    reply = await asked(chat(server.url))
    assert "WAIT" in str(reply.content)
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(b'"\\ud83e"')
