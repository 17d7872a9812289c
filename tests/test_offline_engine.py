"""vLLM's engine in this process, over a fake vLLM: how it is started, asked and read."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from valuesim.agents.failure import MalformedReply, ServerError
from valuesim.agents.llm import (
    offline_engine,
)
from valuesim.agents.llm.offline_engine import Engine
from valuesim.agents.llm.prefix_cache import PrefixCache
from valuesim.errors import InputError

TURNS = [("system", "Rules."), ("user", "Begin.")]
SCHEMA = {"type": "object", "properties": {"word": {"enum": ["yes"]}}}
MASK = signal.pthread_sigmask
MODEL = {"provider": "vllm_offline", "name": "tiny"}


# -- the chat model over a fake engine -------------------------------------------------------------


class Tokenizer:
    def apply_chat_template(self, turns: Any, **options: Any) -> str:
        if any(turn["role"] == "system" and turn["content"] == "" for turn in turns):
            raise ValueError("no system role here. Sorry")
        return "".join(f"<{turn['role']}>{turn['content']}" for turn in turns)

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
        assert not add_special_tokens, "the template wrote them"
        return [ord(letter) for letter in text]


@dataclass
class Llm:
    finish: str | None = "stop"
    error: Exception | None = None
    prompts: list[Any] = field(default_factory=list)
    is_down: bool = False

    @property
    def model_config(self) -> Any:
        defaults = {"top_k": 50, "temperature": 0.7}
        return SimpleNamespace(served_model_name="tiny", get_diff_sampling_param=lambda: defaults)

    def get_tokenizer(self) -> Tokenizer:
        return Tokenizer()

    async def generate(self, prompt: Any, params: Any, request_id: str) -> Any:
        self.prompts.append((prompt, params))
        if self.error:
            raise self.error
        likely = [
            {5: token("A", -0.1), 6: token("B", -2.0)},
            {7: token(None, -0.5)},
        ]
        written = SimpleNamespace(
            text="A", token_ids=[5, 7], finish_reason=self.finish, logprobs=likely
        )
        yield SimpleNamespace(
            outputs=[written],
            prompt_token_ids=prompt["prompt_token_ids"],
            num_cached_tokens=3,
        )

    def shutdown(self, timeout: float) -> None:
        self.is_down = True


def token(text: str | None, logprob: float) -> Any:
    return SimpleNamespace(decoded_token=text, logprob=logprob)


class Refused(Exception):
    pass


@dataclass
class Arguments:
    model: str
    dtype: str = "auto"


@pytest.fixture
def vllm(monkeypatch: pytest.MonkeyPatch) -> Llm:
    """Put a stand-in for vLLM's modules where they are imported from."""
    counters = [
        SimpleNamespace(name="vllm:prefix_cache_queries", value=40, labels={"model_name": "tiny"}),
        SimpleNamespace(name="vllm:prefix_cache_hits", value=30, labels={"model_name": "tiny"}),
        SimpleNamespace(name="vllm:prefix_cache_hits", value=9, labels={"model_name": "other"}),
        SimpleNamespace(name="vllm:e2e", buckets={}, labels={}),
    ]
    llm = Llm()
    loaded = SimpleNamespace(from_engine_args=lambda _: llm)
    parts: dict[str, dict[str, Any]] = {
        "vllm": {"SamplingParams": lambda **given: given},
        "vllm.config": {"StructuredOutputsConfig": dict},
        "vllm.engine": {},
        "vllm.engine.arg_utils": {"AsyncEngineArgs": Arguments},
        "vllm.exceptions": {"VLLMClientError": Refused},
        "vllm.inputs": {"tokens_input": lambda ids: {"prompt_token_ids": ids}},
        "vllm.sampling_params": {
            "RequestOutputKind": SimpleNamespace(FINAL_ONLY="final"),
            "StructuredOutputsParams": lambda json: {"json": json},
        },
        "vllm.v1": {},
        "vllm.v1.engine": {},
        "vllm.v1.engine.async_llm": {"AsyncLLM": loaded},
        "vllm.v1.metrics": {},
        "vllm.v1.metrics.reader": {"get_metrics_snapshot": lambda: counters},
    }
    for name, content in parts.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    for setting in offline_engine._SETTINGS:
        monkeypatch.setenv(setting, "")
    # a start leaves its thread deaf to Ctrl-C: here that is the thread of the tests
    monkeypatch.setattr(signal, "pthread_sigmask", lambda *_: None)
    return llm


SPOKEN = [{"role": "user", "content": "Hi"}]


async def test_the_engine_is_asked_by_tokens_and_the_models_own_defaults_come_last(
    vllm: Llm,
) -> None:
    engine = offline_engine.start("tiny", {"dtype": "float32"})
    sampling = {"temperature": 1.0, "seed": 3}
    completion = await engine.reply(SPOKEN, sampling, schema=SCHEMA)
    prompt, params = vllm.prompts[0]
    assert prompt == {"prompt_token_ids": [ord(letter) for letter in "<user>Hi"]}
    assert params == {
        "top_k": 50,
        "temperature": 1.0,
        "max_tokens": None,
        "seed": 3,
        "structured_outputs": {"json": SCHEMA},
        "output_kind": "final",
    }
    assert (completion.prompt_tokens, completion.completion_tokens) == (8, 2)
    assert completion.cached_tokens == 3


async def test_log_probabilities_have_openais_form(vllm: Llm) -> None:
    completion = await offline_engine.start("tiny", {}).reply(SPOKEN, {"logprobs": 2})
    assert completion.logprobs is not None
    first, second = completion.logprobs["content"]
    assert (first["token"], first["logprob"]) == ("A", -0.1)
    assert [each["token"] for each in first["top_logprobs"]] == ["A", "B"]
    assert second["token"] == ""


@pytest.mark.parametrize("error", [ValueError("too long"), Refused("too long")])
async def test_a_request_that_the_engine_does_not_take_is_not_tried_again(
    vllm: Llm, error: Exception
) -> None:
    vllm.error = error
    with pytest.raises(ServerError, match="too long") as told:
        await offline_engine.start("tiny", {}).reply(SPOKEN, {})
    assert told.value.status == 400


async def test_a_reply_that_was_broken_off_is_no_answer(vllm: Llm) -> None:
    vllm.finish = "abort"
    with pytest.raises(MalformedReply):
        await offline_engine.start("tiny", {}).reply(SPOKEN, {})


def test_an_unknown_argument_names_the_nearest(vllm: Llm) -> None:
    with pytest.raises(InputError, match=r"'dtipe' \(in model.engine_args\): did you mean 'dtype'"):
        offline_engine.start("tiny", {"dtipe": "float32"})


def test_a_model_that_cannot_be_asked_is_let_go(vllm: Llm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offline_engine, "_TRIAL", ({"role": "system", "content": ""},))
    with pytest.raises(InputError, match=r"tiny cannot be asked: no system role here. Sorry"):
        offline_engine.start("tiny", {})
    assert vllm.is_down


def test_the_engine_counts_its_own_model_alone(vllm: Llm) -> None:
    engine = offline_engine.start("tiny", {})
    assert engine.prefix_cache() == PrefixCache(queries=40, hits=30)
    engine.shutdown()
    assert vllm.is_down


def test_vllm_writes_nothing_to_the_standard_output(
    vllm: Llm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VLLM_LOGGING_STREAM")
    offline_engine.start("tiny", {})
    assert os.environ["VLLM_LOGGING_STREAM"] == "ext://sys.stderr"


def test_the_engines_processes_do_not_hear_ctrl_c(
    vllm: Llm, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Any] = []

    def load(arguments: Arguments) -> Llm:
        worker = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
        worker.start()
        begun.append(worker)
        return vllm

    loaded: Any = sys.modules["vllm.v1.engine.async_llm"]
    monkeypatch.setattr(loaded, "AsyncLLM", SimpleNamespace(from_engine_args=load))
    monkeypatch.setattr(signal, "pthread_sigmask", MASK)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(offline_engine.start, "tiny", {}).result()
    os.kill(begun[0].pid, signal.SIGINT)
    begun[0].join(1.0)
    assert begun[0].is_alive()
    begun[0].terminate()
    begun[0].join()
    assert begun[0].exitcode == -signal.SIGTERM


class Parser:
    def __init__(self, tokenizer: Any, **given: Any) -> None:
        self.given = given

    def adjust_request(self, request: Any) -> Any:
        request.skip_special_tokens = False
        return request

    def extract_reasoning(self, text: str, request: Any) -> tuple[str, str]:
        return "hm", text.lower()

    def count_reasoning_tokens(self, tokens: Any) -> int:
        return len(tokens) - 1


async def test_a_parser_of_vllm_splits_thinking_off(
    vllm: Llm, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = SimpleNamespace(get_reasoning_parser=lambda name: {"qwen3": Parser}[name])
    protocol = "vllm.entrypoints.openai.chat_completion.protocol"
    parts: dict[str, dict[str, Any]] = {
        "vllm.reasoning": {"ReasoningParserManager": manager},
        protocol: {"ChatCompletionRequest": lambda **given: SimpleNamespace(**given)},
    }
    for name in ("vllm.entrypoints", "vllm.entrypoints.openai", protocol.rpartition(".")[0]):
        parts[name] = {}
    for name, content in parts.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    completion = await Engine(vllm, "tiny", "qwen3").reply(SPOKEN, {})
    assert (completion.reasoning, completion.text) == ("hm", "a")
    assert completion.reasoning_tokens == 1
    assert vllm.prompts[0][1]["skip_special_tokens"] is False
    with pytest.raises(InputError, match="cannot be asked"):
        Engine(vllm, "tiny", "qwen4")
