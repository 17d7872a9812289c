"""vLLM in the same process: the chat model over a fake engine, the engine over a fake vLLM."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from valuesim import registry
from valuesim.agents.llm import (
    build_chat,
    connect,
    engine_guard,
    offline_chat,
    offline_engine,
)
from valuesim.agents.llm.mock import reply_to
from valuesim.agents.llm.offline_chat import OfflineChat
from valuesim.agents.llm.offline_engine import Completion
from valuesim.agents.llm.prefix_cache import PrefixCache, of_metrics
from valuesim.episode import play
from valuesim.errors import InputError

TURNS = [("system", "Rules."), ("user", "Begin.")]
SCHEMA = {"type": "object", "properties": {"word": {"enum": ["yes"]}}}
MASK = signal.pthread_sigmask
MODEL = {"provider": "vllm_offline", "name": "tiny"}


# -- the chat model over a fake engine -------------------------------------------------------------


@dataclass
class FakeEngine:
    """Answers by hash, as the mock model does."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    is_down: bool = False
    reasoning: str | None = None

    async def reply(
        self,
        turns: Any,
        sampling: Mapping[str, Any],
        *,
        schema: Mapping[str, Any] | None = None,
        template: Mapping[str, Any] | None = None,
    ) -> Completion:
        self.asked.append({"turns": turns, "schema": schema, "template": template, **sampling})
        form = {} if schema is None else {"response_format": {"json_schema": {"schema": schema}}}
        return Completion(
            text=reply_to({"messages": turns, **form}, 0),
            reasoning=self.reasoning,
            finish_reason="stop",
            prompt_tokens=100,
            completion_tokens=10,
            reasoning_tokens=4 if self.reasoning else 0,
            cached_tokens=64,
        )

    def prefix_cache(self) -> PrefixCache:
        return PrefixCache(queries=100 * len(self.asked), hits=64 * len(self.asked))

    def shutdown(self) -> None:
        self.is_down = True


@pytest.fixture
def no_vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offline_engine, "load", lambda: None)
    monkeypatch.setattr(offline_engine, "is_installed", lambda: True)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, no_vllm: None) -> FakeEngine:
    fake = FakeEngine()
    monkeypatch.setattr(offline_engine, "start", lambda *_: fake)
    return fake


def form(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "d", "schema": schema}}


async def test_a_request_carries_its_sampling_its_seed_and_its_schema(engine: FakeEngine) -> None:
    further = {"top_k": 20, "chat_template_kwargs": {"enable_thinking": False}}
    chat = OfflineChat(model="tiny", temperature=0.5, max_tokens=80, extra_body=further)
    message = await chat.ainvoke(TURNS, response_format=form(SCHEMA), seed=7)
    await chat.aclose()
    assert message.text == '{"word": "yes"}'
    assert engine.asked == [
        {
            "turns": [
                {"role": "system", "content": "Rules."},
                {"role": "user", "content": "Begin."},
            ],
            "schema": SCHEMA,
            "template": {"enable_thinking": False},
            "temperature": 0.5,
            "max_tokens": 80,
            "top_k": 20,
            "seed": 7,
        }
    ]


async def test_log_probabilities_are_asked_for_in_openais_words(engine: FakeEngine) -> None:
    chat = OfflineChat(model="tiny", max_tokens=80)
    await chat.ainvoke(TURNS, logprobs=True, top_logprobs=5, max_completion_tokens=8)
    await chat.ainvoke(TURNS, logprobs=None, top_logprobs=None)
    await chat.aclose()
    assert [(asked.get("logprobs"), asked["max_tokens"]) for asked in engine.asked] == [
        (5, 8),
        (None, 80),
    ]


async def test_thinking_and_cached_tokens_are_kept_apart(engine: FakeEngine) -> None:
    engine.reasoning = "hm"
    chat = OfflineChat(model="tiny")
    message = await chat.ainvoke(TURNS)
    await chat.aclose()
    assert message.additional_kwargs["reasoning"] == "hm"
    assert message.usage_metadata is not None
    assert message.usage_metadata["input_token_details"]["cache_read"] == 64
    assert message.usage_metadata["output_token_details"]["reasoning"] == 4


async def test_many_requests_at_once_start_one_engine(
    monkeypatch: pytest.MonkeyPatch, no_vllm: None
) -> None:
    started = []

    def start(name: str, engine_args: Mapping[str, Any]) -> FakeEngine:
        time.sleep(0.05)
        started.append((name, engine_args))
        return FakeEngine()

    monkeypatch.setattr(offline_engine, "start", start)
    chat = OfflineChat(model="tiny", engine_args={"dtype": "float32"})
    await asyncio.gather(*[chat.ainvoke(TURNS) for _ in range(20)])
    await chat.aclose()
    assert started == [("tiny", {"dtype": "float32"})]


async def test_closing_ends_the_engine_and_keeps_its_last_counters(engine: FakeEngine) -> None:
    chat = OfflineChat(model="tiny")
    assert chat.prefix_cache() is None
    await chat.ainvoke(TURNS)
    await chat.aclose()
    await chat.aclose()
    assert engine.is_down
    assert chat.prefix_cache() == PrefixCache(queries=100, hits=64)


def test_it_can_be_asked_without_a_loop(engine: FakeEngine) -> None:
    assert OfflineChat(model="tiny").invoke(TURNS).text == "OK"
    assert engine.is_down


async def test_an_engine_that_cannot_start_is_told_to_whoever_waits(
    monkeypatch: pytest.MonkeyPatch, no_vllm: None
) -> None:
    def start(name: str, engine_args: Mapping[str, Any]) -> FakeEngine:
        raise InputError("vLLM cannot load model.name=tiny: no such folder")

    monkeypatch.setattr(offline_engine, "start", start)
    chat = OfflineChat(model="tiny")
    told = await asyncio.gather(*[chat.ainvoke(TURNS) for _ in range(3)], return_exceptions=True)
    assert [type(each) for each in told] == [InputError] * 3
    await chat.aclose()
    assert chat.prefix_cache() is None


async def test_closing_while_it_starts_ends_its_processes(
    monkeypatch: pytest.MonkeyPatch, no_vllm: None
) -> None:
    begun: list[Any] = []

    def start(name: str, engine_args: Mapping[str, Any]) -> FakeEngine:
        worker = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
        worker.start()
        begun.append(worker)
        worker.join()
        raise InputError("the engine's process is gone")

    monkeypatch.setattr(offline_engine, "start", start)
    chat = OfflineChat(model="tiny")
    asking = asyncio.create_task(chat.astart())
    while not chat._guarded:
        await asyncio.sleep(0.02)
    await chat.aclose()
    assert begun[0].exitcode == -signal.SIGTERM
    with pytest.raises(InputError, match="gone"):
        await asking


async def test_a_start_that_does_not_end_is_left_behind_and_told(
    monkeypatch: pytest.MonkeyPatch, no_vllm: None, caplog: pytest.LogCaptureFixture
) -> None:
    begun, may_end, late = threading.Event(), threading.Event(), FakeEngine()

    def start(name: str, engine_args: Mapping[str, Any]) -> FakeEngine:
        begun.set()
        may_end.wait()
        return late

    monkeypatch.setattr(offline_engine, "start", start)
    monkeypatch.setattr(offline_chat, "_GIVE_UP_S", 0.0)
    chat = OfflineChat(model="tiny")
    asking = asyncio.create_task(chat.astart())
    await asyncio.to_thread(begun.wait)
    await chat.aclose()
    assert "model.name=tiny was still being started" in caplog.text
    with pytest.raises(asyncio.CancelledError):
        await asking
    may_end.set()
    while not late.is_down:
        await asyncio.sleep(0.01)


def test_a_process_that_was_given_anothers_id_is_left_alone() -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert other.stdin is not None
    when = engine_guard.began(other.pid)
    assert when
    engine_guard.end({other.pid: when - 1})
    guard = [sys.executable, str(engine_guard.__file__), str(os.getpid())]
    subprocess.run(guard, input=f"{other.pid} {when - 1}\n".encode(), check=True)
    other.stdin.close()
    # it ended by the end of its input, not by a signal
    assert other.wait() == 1
    again = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    again_when = engine_guard.began(again.pid)
    assert again_when is not None
    subprocess.run(guard, input=f"{again.pid} {again_when}\n".encode(), check=True)
    assert again.wait() == -signal.SIGTERM
    assert engine_guard.began(again.pid) is None


KILLED = """
import asyncio, multiprocessing, os, signal, time
from valuesim.agents.llm import offline_engine
from valuesim.agents.llm.offline_chat import OfflineChat

def start(name, engine_args):
    worker = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
    worker.start()
    print(worker.pid, flush=True)
    time.sleep(60)

async def main():
    chat = OfflineChat(model="tiny")
    asking = asyncio.create_task(chat.astart())
    while not chat._guarded:
        await asyncio.sleep(0.02)
    os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    offline_engine.load, offline_engine.start = (lambda: None), start
    asyncio.run(main())
"""


def test_a_killed_run_leaves_no_engine(tmp_path: Any) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED, "utf-8")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    run = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, env=environment, text=True
    )
    assert run.stdout is not None
    worker = int(run.stdout.readline())
    assert run.wait() == -signal.SIGKILL
    until = time.monotonic() + 20
    while is_running(worker) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_running(worker)
    run.stdout.close()


def is_running(process: int) -> bool:
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True)
    return told.stdout.strip()[:1] not in ("", "Z")


async def test_an_episode_is_played_and_loading_is_no_part_of_a_request(
    monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> None:
    def start(name: str, engine_args: Mapping[str, Any]) -> FakeEngine:
        time.sleep(3)
        return engine

    monkeypatch.setattr(offline_engine, "start", start)
    model = MODEL | {"timeout_s": 2, "retries": 0}
    connection = connect(model, {}, np.random.default_rng(0))
    assert await connection.probe() is None
    env = registry.make("survival", scarcity="low", horizon=2)
    agents = {role: connection.agent(role, 1) for role in env.possible_agents}
    turns = await play(env, agents, 1)
    await connection.close()
    decisions = [decision for turn in turns for decision in turn.decisions.values()]
    assert len(decisions) == 8
    assert all(decision.fault is None for decision in decisions)
    assert all(decision.usage.cached_tokens == 64 for decision in decisions)
    assert connection.prefix_cache() == PrefixCache(queries=900, hits=576)
    assert engine.is_down


def test_a_missing_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offline_engine, "is_installed", lambda: False)
    with pytest.raises(InputError, match=r'pip install "valuesim\[vllm\]", or ask a server'):
        build_chat(MODEL)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({**MODEL, "base_url": "http://127.0.0.1:8000/v1"}, "model=vllm_offline has none"),
        ({**MODEL, "engine_args": "float32"}, "model.engine_args is 'float32': a mapping"),
        ({"provider": "mock", "name": "m", "engine_args": {"seed": 1}}, "for model=vllm_offline"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        build_chat(settings)


# -- the counters of a server ----------------------------------------------------------------------


def test_counters_of_several_engines_are_added_up() -> None:
    page = """# HELP vllm:prefix_cache_queries_total Tokens.
vllm:prefix_cache_queries_total{engine="0",model_name="a b"} 100.0
vllm:prefix_cache_queries_total{engine="1",model_name="a b"} 1.5e+02
vllm:prefix_cache_queries_created{engine="0",model_name="a b"} 1.7e+09
vllm:external_prefix_cache_queries_total{engine="0",model_name="a b"} 7.0
vllm:prefix_cache_hits_total{engine="0",model_name="a b"} 50.0
"""
    found = of_metrics(page)
    assert found == PrefixCache(queries=250, hits=50)
    assert found.share == 0.2
    assert str(found) == "20.0 % of 250 prompt tokens were in the prefix cache"


def test_a_server_without_counters_says_nothing() -> None:
    assert of_metrics("<html>not found</html>") is None
    assert PrefixCache(queries=0, hits=0).share is None
