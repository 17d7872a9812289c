"""Language models as agents: settings, and chat models that are not our own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda

from valuesim.agents.endpoint import Endpoint, Limits
from valuesim.agents.llm import LLMAgent, build_chat, connect
from valuesim.agents.llm.channel import Channel
from valuesim.agents.llm.models import Model
from valuesim.agents.prompt import Elicitation
from valuesim.decision import Fault
from valuesim.env import Observation
from valuesim.errors import InputError
from valuesim.option import Amount, Option, Text

CONF = Path(__file__).parent.parent / "conf"
OPTIONS = (
    Option(name="WAIT", text="Do nothing."),
    Option(name="DRAW", text="Take power.", arguments={"amount": Amount(low=1, high=5)}),
    Option(name="TALK", text="Speak.", arguments={"message": Text(longest=60)}),
)
SEEN = Observation(agent="Alpha", step=2, text="You are Alpha.", rules="RULES", options=OPTIONS)
WAIT = '{"rationale": "r", "action": {"option": "WAIT", "arguments": {}}}'
Serve = Callable[..., Any]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"provider": "vllm", "base_url": "http://x/v1"}, "model.name is missing"),
        ({"provider": "vllm", "name": "???", "base_url": "http://x/v1"}, "model.name is missing"),
        ({"name": "m"}, "model.provider is missing"),
        ({"provider": "vlm", "name": "m"}, "did you mean 'vllm'"),
        ({"provider": "vllm", "name": "m"}, "base_url is missing"),
        ({"provider": "vllm", "name": "m", "base_url": "127.0.0.1:8000"}, "http"),
        ({"provider": "vllm", "name": "m", "base_url": "http://x/v1?api_key=k"}, "query string"),
        ({"provider": "chat", "name": "m", "base_url": "https://x/v1#k"}, "query string"),
        ({"provider": "vllm", "name": "m", "temprature": 1}, "did you mean 'temperature'"),
        ({"provider": "vllm", "name": "m", "base_url": "http://x", "retries": -1}, "retries"),
        ({"provider": "vllm", "name": "m", "base_url": "http://x", "temperature": 3}, "0 to 2"),
        ({"provider": "vllm", "name": "m", "base_url": "http://x", "top_p": "hot"}, "top_p"),
        ({"provider": "vllm", "name": "m", "base_url": "http://x", "max_tokens": 0}, "max_tokens"),
        ({"provider": "vllm", "name": "m", "base_url": "http://x", "extra_body": None}, "mapping"),
        ({"provider": "chat", "name": "nobody:m"}, "cannot be built"),
        ({"provider": "chat", "name": "m", "api_key_env": "NOT_SET_HERE"}, "NOT_SET_HERE"),
    ],
    ids=str,
)
def test_bad_model_settings_are_named(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        connect(settings, {}, np.random.default_rng(0))


@pytest.mark.parametrize("path", sorted((CONF / "model").glob("*.yaml")), ids=lambda p: p.stem)
def test_a_shipped_model_wants_only_a_name_and_holds_no_key(path: Path) -> None:
    shipped = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert shipped["name"] == ("mock" if path.stem == "mock" else "???")
    assert shipped["api_key_env"] is None
    Model.of(shipped | {"name": "m"})


def test_a_shipped_elicitation_is_named_after_its_format() -> None:
    paths = sorted((CONF / "elicitation").glob("*.yaml"))
    assert [Elicitation.of(yaml.safe_load(p.read_text())).format for p in paths] == [
        p.stem for p in paths
    ]


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "valuesim.agents.llm.server_chat", raising=False)
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(InputError, match=r'pip install "valuesim\[llm\]"'):
        build_chat({"provider": "vllm", "name": "m", "base_url": "http://x/v1"})


def test_importing_the_package_does_not_import_langchain() -> None:
    script = (
        "import sys, valuesim.agents.llm; print([m for m in sys.modules if m.startswith('lang')])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def agent(chat: Any, **elicitation: Any) -> LLMAgent:
    endpoint = Endpoint(where="here", limits=Limits(), rng=np.random.default_rng(0))
    channel = Channel(chat=chat, endpoint=endpoint, model=Model(provider="chat", name="here"))
    return LLMAgent("Alpha", 1, channel, Elicitation(**elicitation))


async def test_any_langchain_chat_model_can_play() -> None:
    decision = await agent(FakeListChatModel(responses=["WAIT"]), format="name").decide(SEEN)
    assert decision.option == "WAIT"


async def test_a_model_without_structured_output_is_not_silently_asked_otherwise() -> None:
    with pytest.raises(InputError, match="no structured output"):
        await agent(FakeListChatModel(responses=["WAIT"])).decide(SEEN)


class Structured(FakeListChatModel):
    """A provider that answers by a tool call, without text."""

    def with_structured_output(self, schema: Any, *, include_raw: bool = False, **_: Any) -> Any:
        assert include_raw
        assert "maxLength" not in str(schema)
        action = {"option": "DRAW", "arguments": {"amount": 2}}
        answer = {"rationale": "r", "action": action}
        raw = AIMessage(content="", tool_calls=[{"name": "decision", "args": answer, "id": "1"}])
        return RunnableLambda(lambda _: {"raw": raw, "parsed": answer, "parsing_error": None})


async def test_a_providers_own_structured_output_is_read() -> None:
    decision = await agent(Structured(responses=[])).decide(SEEN)
    assert (decision.option, decision.arguments) == ("DRAW", {"amount": 2})
    assert '"option": "DRAW"' in decision.reply


class Twice(FakeListChatModel):
    """A provider whose client keeps the last of two equal keys, and the JSON as it was written."""

    def with_structured_output(self, schema: Any, *, include_raw: bool = False, **_: Any) -> Any:
        written = '{"action": {"option": "WAIT"}, "action": {"option": "TALK"}}'
        call = {"id": "1", "function": {"name": "decision", "arguments": written}}
        raw = AIMessage(content="", additional_kwargs={"tool_calls": [call]})
        kept = {"action": {"option": "TALK"}}
        return RunnableLambda(lambda _: {"raw": raw, "parsed": kept, "parsing_error": None})


async def test_a_providers_last_of_two_equal_keys_is_no_choice() -> None:
    decision = await agent(Twice(responses=[])).decide(SEEN)
    assert decision.fault is Fault.AMBIVALENT
