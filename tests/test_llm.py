"""A chat model as an agent, against a server that works, fails, refuses, babbles or is gone."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from valuesim.agents.llm import Connection, Servers, connect
from valuesim.agents.llm.agent import call_seed
from valuesim.decision import Decision, Fault, Try
from valuesim.env import Ending, Environment, Observation
from valuesim.episode import play
from valuesim.errors import InputError, Interruption
from valuesim.option import Amount, Move, Option, Text

CONF = Path(__file__).parent.parent / "conf"
OPTIONS = (
    Option(name="WAIT", text="Do nothing."),
    Option(name="DRAW", text="Take power.", arguments={"amount": Amount(low=1, high=5)}),
    Option(name="TALK", text="Speak.", arguments={"message": Text(longest=60)}),
)
SEEN = Observation(agent="Alpha", step=2, text="You are Alpha.", rules="RULES", options=OPTIONS)
WAIT = '{"rationale": "r", "action": {"option": "WAIT", "arguments": {}}}'
Serve = Callable[..., Any]


class Battery(Environment):
    """Two agents, three turns; nothing depends on what they do."""

    id = "battery-v0"

    def __init__(self) -> None:
        self.possible_agents = ["Alpha", "Beta"]
        self.rules, self.condition = "RULES", {}
        self.catalogue = (Move(option="WAIT"),)
        self.bounds = (np.zeros(1, dtype=np.float32), np.ones(1, dtype=np.float32))
        super().__init__()

    def start(self) -> None:
        return None

    def describe(self, agent: str) -> str:
        return f"You are {agent}, turn {self.turn}."

    def options(self, agent: str) -> tuple[Option, ...]:
        return OPTIONS

    def resolve(self, moves: Mapping[str, Move | None]) -> dict[str, dict[str, Any]]:
        return {agent: {"payoff": 0.0} for agent in moves}

    def ended(self) -> dict[str, Ending]:
        return dict.fromkeys(self.agents, "truncated") if self.turn >= 3 else {}


def to(
    url: str,
    elicitation: Mapping[str, Any] | None = None,
    servers: Servers | None = None,
    **model: Any,
) -> Connection:
    settings = {"provider": "vllm", "name": "m", "base_url": url, "retries": 1, "timeout_s": 5.0}
    rng = np.random.default_rng(0)
    connection = connect(settings | model, elicitation or {}, rng, servers=servers)
    # short waits between retries; how long they are is the endpoint's own test
    connection.endpoint.limits = replace(connection.endpoint.limits, backoff_s=0.01)
    return connection


async def outcomes(connection: Connection, episodes: int) -> list[Decision | Exception]:
    asked = [connection.agent("Alpha", seed).decide(SEEN) for seed in range(episodes)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    await connection.close()
    return answers  # type: ignore[return-value]


async def one(connection: Connection) -> Decision:
    (answer,) = await outcomes(connection, 1)
    if isinstance(answer, Exception):
        raise answer
    return answer


def dead_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


@pytest.mark.parametrize("form", ["json_schema", "json", "name"])
async def test_a_working_server_yields_choices(serve: Serve, form: str) -> None:
    server = await serve()
    connection = to(server.url, {"format": form})
    answers = await outcomes(connection, 30)
    assert {answer.option for answer in answers} == {"WAIT", "DRAW", "TALK"}
    assert all(answer.attempts == 1 and answer.reply for answer in answers)
    assert connection.counters.schema_breaks == 0
    assert connection.counters.calls == 30
    assert connection.counters.usage == sum((a.usage for a in answers[1:]), answers[0].usage)
    assert all(("response_format" in b) == (form == "json_schema") for b in server.requests)


async def test_a_decision_carries_what_was_said(serve: Serve) -> None:
    reply = '{"rationale": "why", "action": {"option": "TALK", "arguments": {"message": "hi"}}}'
    decision = await one(to((await serve(script=[reply])).url))
    assert decision.agent == "Alpha"
    assert decision.step == 2
    assert decision.option == "TALK"
    assert decision.arguments == {"message": "hi"}
    assert decision.message == "hi"
    assert decision.rationale == "why"
    assert decision.reply == reply
    assert decision.usage.prompt_tokens > 0


INTERRUPTS = {
    "400": "HTTP 400",
    "401": "HTTP 401",
    "403": "HTTP 403",
    "404": "HTTP 404",
    "429": "after 2 tries: HTTP 429",
    "500": "after 2 tries: HTTP 500",
    "503": "after 2 tries: HTTP 503",
    "timeout": "after 2 tries: no answer within 0.2 s",
    "truncated_body": "after 2 tries: .*(incomplete|peer closed|not completed)",
    "empty_choices": "after 2 tries: .*no choices",
    "reset": "after 2 tries: ",
}
FAULTS = {
    "truncated_json": Fault.UNPARSED,
    "refusal_field": Fault.REFUSED,
    "refusal_text": Fault.REFUSED,
    "garbage": Fault.UNPARSED,
}


async def test_every_injected_fault_has_its_own_test(fault_server: ModuleType) -> None:
    kinds = set(fault_server.MIXED + fault_server.FATAL)
    assert kinds == set(INTERRUPTS) | set(FAULTS) | {"slow_first_byte"}


@pytest.mark.parametrize(("kind", "said"), INTERRUPTS.items())
async def test_a_failing_server_interrupts_and_is_no_choice(
    serve: Serve, kind: str, said: str
) -> None:
    server = await serve(faults={kind: 1.0})
    with pytest.raises(Interruption, match=said) as caught:
        await one(to(server.url, timeout_s=0.2))
    assert server.url in str(caught.value)


@pytest.mark.parametrize(("kind", "fault"), FAULTS.items())
async def test_a_useless_reply_is_the_agents_fault(serve: Serve, kind: str, fault: Fault) -> None:
    server = await serve(faults={kind: 1.0})
    decision = await one(to(server.url))
    assert decision.fault is fault
    assert decision.attempts == (1 if fault is Fault.REFUSED else 2)


async def test_a_slow_answer_is_waited_for(serve: Serve) -> None:
    decision = await one(to((await serve(faults={"slow_first_byte": 1.0}, slow_s=0.1)).url))
    assert decision.option is not None
    assert decision.latency >= 0.1


async def test_a_third_of_faults_leaves_no_wrong_choice(
    serve: Serve, fault_server: ModuleType
) -> None:
    mixed = {kind: 0.3 / len(fault_server.MIXED) for kind in fault_server.MIXED}
    clean, faulty = await serve(), await serve(faults=mixed, slow_s=0.05)
    wanted = await outcomes(to(clean.url), 100)
    connection = to(faulty.url, retries=8, timeout_s=0.4)
    got = await outcomes(connection, 100)
    for right, answer in zip(wanted, got, strict=True):
        assert isinstance(answer, Decision), "retries suffice at this rate"
        if answer.option is not None and answer.attempts == 1:
            assert (answer.option, answer.arguments) == (right.option, right.arguments)
    seen = Counter(answer.fault for answer in got)
    assert seen[Fault.REFUSED] > 0
    assert seen[None] > 80
    assert connection.counters.retries > 0


async def test_episodes_play_through_faults(serve: Serve) -> None:
    server = await serve(faults={"429": 0.2, "garbage": 0.2, "reset": 0.1})
    connection = to(server.url, retries=8)
    agents = {role: connection.agent(role, 1) for role in ("Alpha", "Beta")}
    turns = await play(Battery(), agents, seed=1)
    await connection.close()
    assert [len(turn.decisions) for turn in turns] == [2, 2, 2]


async def test_a_dead_port_ends_the_run_quickly() -> None:
    started = time.perf_counter()
    connection = to(dead_port(), down_after=3, concurrency=4)
    answers = await outcomes(connection, 100)
    assert all(isinstance(answer, Interruption) for answer in answers)
    assert sum("appears to be down" in str(answer) for answer in answers) > 90
    assert connection.counters.failures < 10
    assert time.perf_counter() - started < 15


async def test_a_server_that_refuses_every_prompt_refuses_every_decision(serve: Serve) -> None:
    server = await serve(faults={"refusal_text": 1.0})
    answers = await outcomes(to(server.url), 20)
    assert {answer.fault for answer in answers} == {Fault.REFUSED}
    assert server.counts["requests"] == 20, "refusals are not asked again"


async def test_garbage_for_every_prompt_is_a_fault_each(serve: Serve) -> None:
    server = await serve(faults={"garbage": 1.0})
    answers = await outcomes(to(server.url), 20)
    assert {answer.fault for answer in answers} == {Fault.UNPARSED}
    assert server.counts["requests"] == 40


async def test_an_illegal_reply_is_asked_again_with_the_reason(serve: Serve) -> None:
    wrong = '{"rationale": "r", "action": {"option": "FLY", "arguments": {}}}'
    server = await serve(script=[wrong, WAIT])
    decision = await one(to(server.url))
    assert (decision.option, decision.attempts, decision.reply) == ("WAIT", 2, WAIT)
    first, second = server.requests
    assert second["messages"][:2] == first["messages"]
    assert second["messages"][2] == {"role": "assistant", "content": wrong}
    assert "'FLY' was not on offer" in second["messages"][3]["content"]
    assert decision.usage.completion_tokens == len(wrong.split()) + len(WAIT.split())
    assert decision.attempted is None


TAP = '{"rationale": "r", "action": {"option": "TAP", "arguments": {"units": 10}}}'


async def test_what_was_said_before_a_re_ask_is_kept(serve: Serve) -> None:
    server = await serve(script=[TAP, "hm", WAIT])
    decision = await one(to(server.url, {"reask": 2}))
    assert (decision.option, decision.attempts) == ("WAIT", 3)
    assert decision.tries == (
        Try(
            reply=TAP,
            fault=Fault.ILLEGAL,
            detail="'TAP' was not on offer; offered: DRAW, TALK, WAIT",
            attempted=Move(option="TAP", arguments={"units": 10}),
            schema_break=True,
        ),
        Try(
            reply="hm",
            fault=Fault.UNPARSED,
            detail="no option could be read from the reply",
            schema_break=True,
        ),
    )


async def test_a_fault_at_last_keeps_what_was_attempted_each_time(serve: Serve) -> None:
    draw = '{"rationale": "r", "action": {"option": "DRAW", "arguments": {"amount": 50}}}'
    decision = await one(to((await serve(script=[TAP, draw])).url))
    assert decision.fault is Fault.ILLEGAL
    assert decision.attempted == Move(option="DRAW", arguments={"amount": 50})
    assert [tried.attempted for tried in decision.tries] == [
        Move(option="TAP", arguments={"units": 10})
    ]


@pytest.mark.parametrize("form", ["json_schema", "json"])
async def test_an_amount_that_no_float_can_hold_is_asked_again(serve: Serve, form: str) -> None:
    huge = f'{{"action": {{"option": "DRAW", "arguments": {{"amount": {"9" * 400}}}}}}}'
    server = await serve(script=[huge, WAIT])
    connection = to(server.url, {"format": form})
    agents = {role: connection.agent(role, 1) for role in ("Alpha", "Beta")}
    (first, *_) = await play(Battery(), agents, seed=1)
    await connection.close()
    (decision,) = [d for d in first.decisions.values() if d.tries]
    assert decision.option == "WAIT"
    assert decision.tries[0].fault is Fault.ILLEGAL
    assert len(server.requests[-1]["messages"][-1]["content"]) < 1000


@pytest.mark.parametrize("form", ["json_schema", "json", "name"])
async def test_a_missing_amount_is_asked_for_and_not_made_up(serve: Serve, form: str) -> None:
    bare = "DRAW" if form == "name" else '{"action": {"option": "DRAW", "arguments": {}}}'
    server = await serve(script=[bare, 'DRAW {"amount": 2}'])
    decision = await one(to(server.url, {"format": form}))
    assert "amount of DRAW is missing" in server.requests[1]["messages"][3]["content"]
    assert (decision.option, decision.arguments) == ("DRAW", {"amount": 2})


@pytest.mark.parametrize("form", ["json_schema", "json"])
async def test_of_a_key_that_stands_twice_neither_counts(serve: Serve, form: str) -> None:
    wait, draw = '{"option": "WAIT", "arguments": {}}', '{"option": "TALK", "arguments": {}}'
    twice = f'{{"rationale": "r", "action": {wait}, "action": {draw}}}'
    connection = to((await serve(script=[twice])).url, {"format": form})
    decision = await one(connection)
    assert decision.fault is Fault.AMBIVALENT
    assert decision.schema_break == (form == "json_schema")


async def test_a_second_failure_is_the_fault(serve: Serve) -> None:
    server = await serve(script=["WAIT or DRAW", '{"option": "FLY"}'])
    decision = await one(to(server.url, {"format": "json"}))
    assert (decision.fault, decision.attempts) == (Fault.ILLEGAL, 2)
    assert decision.reply == '{"option": "FLY"}'


async def test_nothing_is_asked_again_where_that_is_switched_off(serve: Serve) -> None:
    server = await serve(script=["hm"])
    assert (await one(to(server.url, {"reask": 0}))).attempts == 1


async def test_an_ignored_schema_is_counted_and_warned_about_once(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    server = await serve(ignores_schema=True, script=['{"option": "WAIT"}'])
    connection = to(server.url)
    answers = await outcomes(connection, 10)
    assert {answer.option for answer in answers} == {"WAIT"}, "the reply is still checked and read"
    assert connection.counters.schema_breaks == 10
    assert all(answer.schema_break for answer in answers)
    assert sum("did not keep to it" in message for message in caplog.messages) == 1


async def test_reasoning_is_kept_in_the_reply_and_apart_from_the_choice(serve: Serve) -> None:
    server = await serve(script=[{"content": WAIT, "reasoning": "I could DRAW."}])
    decision = await one(to(server.url))
    assert decision.option == "WAIT"
    assert decision.reply == f"<think>\nI could DRAW.\n</think>\n{WAIT}"


async def test_a_re_ask_leaves_the_thinking_out_and_stays_bounded(serve: Serve) -> None:
    server = await serve(script=[{"content": "x" * 50_000, "reasoning": "deep thought"}, WAIT])
    await one(to(server.url))
    again = server.requests[1]["messages"][2]["content"]
    assert again == "x" * 4000


async def test_a_lone_surrogate_in_a_message_can_be_sent_and_stored(serve: Serve) -> None:
    server = await serve(script=["\ud83d hm", WAIT])
    decision = await one(to(server.url))
    assert decision.option == "WAIT"


async def test_each_attempt_has_its_own_seed_and_the_same_one_again(serve: Serve) -> None:
    server = await serve(script=["hm"])
    await one(to(server.url))
    await one(to(server.url))
    seeds = [body["seed"] for body in server.requests]
    assert seeds[:2] == seeds[2:]
    assert seeds[0] != seeds[1]
    drawn = {call_seed(e, r, s, a) for e in (0, 1) for r in "ab" for s in (0, 1) for a in (0, 1)}
    assert len(drawn) == 16
    assert all(0 <= seed < 2**31 for seed in drawn)


async def test_settings_reach_the_server(serve: Serve) -> None:
    server = await serve(script=[WAIT])
    await one(to(server.url, {"max_tokens": 77}, temperature=0.3, extra_body={"top_k": 5}))
    (body,) = server.requests
    assert body["temperature"] == 0.3
    assert body["top_k"] == 5
    assert body["max_completion_tokens"] == 77
    assert body["response_format"]["json_schema"]["strict"] is True


async def test_no_more_calls_are_in_flight_than_the_limit(serve: Serve) -> None:
    server = await serve(latency_s=0.01)
    await outcomes(to(server.url, concurrency=5), 40)
    assert server.counts["most_in_flight"] == 5


async def test_two_models_on_one_server_share_its_limit(serve: Serve) -> None:
    server, servers = await serve(latency_s=0.01), Servers()
    connections = [
        to(url, servers=servers, name=name, concurrency=5)
        for url, name in ((server.url, "a"), (f"{server.url}/", "b"))
    ]
    await asyncio.gather(*[outcomes(connection, 20) for connection in connections])
    assert server.counts["most_in_flight"] == 5
    assert [connection.counters.calls for connection in connections] == [20, 20]


def test_two_models_on_one_server_cannot_have_two_limits() -> None:
    servers, url = Servers(), dead_port()
    to(url, servers=servers, concurrency=5)
    to(dead_port(), servers=servers, concurrency=6)
    with pytest.raises(InputError, match="same server"):
        to(url, servers=servers, name="b", concurrency=6)


async def test_a_server_that_keeps_to_a_schema_passes_the_probe(serve: Serve) -> None:
    server = await serve()
    connection = to(server.url)
    assert await connection.probe() is None
    assert connection.counters.calls == 1
    assert connection.counters.usage.prompt_tokens > 0
    assert connection.counters.schema_breaks == 0
    assert "response_format" in server.requests[0]
    await connection.close()


async def test_a_server_that_ignores_a_schema_fails_the_probe_in_a_sentence(serve: Serve) -> None:
    server = await serve(ignores_schema=True)
    connection = to(server.url)
    told = await connection.probe()
    assert told is not None
    assert server.url in told
    assert "replied 'OK' against it" in told
    assert connection.counters.schema_breaks == 1
    await connection.close()


@pytest.mark.parametrize("fault", ["truncated_json", "refusal_field"])
async def test_a_probe_that_shows_nothing_says_so(serve: Serve, fault: str) -> None:
    connection = to((await serve(faults={fault: 1.0})).url)
    assert "may not keep to a JSON schema" in str(await connection.probe())
    assert connection.counters.schema_breaks == 0
    await connection.close()


@pytest.mark.parametrize("form", ["json", "name"])
async def test_without_a_schema_nothing_is_probed(serve: Serve, form: str) -> None:
    server = await serve()
    connection = to(server.url, {"format": form})
    assert await connection.probe() is None
    assert server.counts["requests"] == 0
    await connection.close()


async def test_a_probe_of_a_server_that_is_away_is_an_interruption() -> None:
    connection = to(dead_port())
    with pytest.raises(Interruption):
        await connection.probe()
    await connection.close()


async def test_a_second_connection_works_after_the_first_is_closed(serve: Serve) -> None:
    server = await serve()
    for _ in range(2):
        assert (await one(to(server.url))).option


# -- keys ------------------------------------------------------------------------------------

KEY = "planted-secret-9f2c7d"


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("VALUESIM_API_KEY", KEY)
    return KEY


@pytest.mark.parametrize("kind", ["none", "401", "400", "500", "reset", "timeout", "empty_choices"])
async def test_a_key_is_sent_and_never_written(
    serve: Serve,
    fault_server: ModuleType,
    planted: str,
    caplog: pytest.LogCaptureFixture,
    kind: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    server = await serve(faults={} if kind == "none" else {kind: 1.0})
    connection = to(server.url, timeout_s=0.2)
    (answer,) = await outcomes(connection, 1)
    assert server.authorizations[fault_server.key_hash(f"Bearer {planted}")] > 0
    shown = [repr(answer), repr(connection), str(connection.chat), caplog.text]
    if isinstance(answer, Exception):
        shown += traceback.format_exception(answer)
    assert not [text for text in shown if planted in text]


def test_a_log_in_inside_the_address_is_refused_and_not_quoted(planted: str) -> None:
    with pytest.raises(InputError, match="holds a log-in") as caught:
        to(f"http://me:{planted}@127.0.0.1:1/v1")
    assert planted not in "".join(traceback.format_exception(caught.value))


async def test_the_named_variable_holds_the_key(
    serve: Serve, fault_server: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTHER_NAME", "another-secret")
    server = await serve(faults={"401": 1.0})
    (answer,) = await outcomes(to(server.url, api_key_env="OTHER_NAME"), 1)
    assert fault_server.key_hash("Bearer another-secret") in server.authorizations
    assert "REDACTED" in str(answer)
    assert "another-secret" not in str(answer)


async def test_a_key_that_a_reply_repeats_is_kept_out_of_the_decision(
    serve: Serve, planted: str
) -> None:
    words = f"my key is {planted}"
    given = {planted: "x" * 190 + planted}
    illegal = json.dumps({"action": {"option": planted, "arguments": given}})
    action = {"option": "TALK", "arguments": {"message": words}}
    talk = json.dumps({"rationale": words, "action": action})
    server = await serve(script=[{"content": illegal, "reasoning": words}, talk])
    decision = await one(to(server.url))
    assert (decision.option, decision.attempts) == ("TALK", 2)
    assert decision.message == decision.rationale == "my key is REDACTED"
    assert decision.arguments == {"message": "my key is REDACTED"}
    assert decision.tries[0].attempted is not None
    assert decision.tries[0].attempted.option == "REDACTED"
    assert planted[:8] not in repr(decision)


async def test_a_key_in_a_refusal_is_kept_out_of_the_decision(serve: Serve, planted: str) -> None:
    server = await serve(script=[{"content": None, "refusal": "x" * 190 + planted}])
    decision = await one(to(server.url))
    assert decision.fault is Fault.REFUSED
    assert planted[:8] not in repr(decision)


async def test_openai_through_the_chat_provider_speaks_to_its_base_url(
    serve: Serve, planted: str
) -> None:
    server = await serve()
    decision = await one(to(server.url, provider="chat", name="openai:m"))
    assert decision.option is not None
    assert "maxLength" not in str(server.requests[0]["response_format"])
