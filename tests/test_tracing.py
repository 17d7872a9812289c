"""What traces say of a run: LangChain's metadata, OpenTelemetry's spans, one exchange in full."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult, LLMResult

from valuesim import registry, tracing
from valuesim.agents.endpoint import Endpoint, Limits
from valuesim.agents.llm import Connection, connect
from valuesim.agents.llm.channel import Call, Channel
from valuesim.agents.llm.exchange import Exchange
from valuesim.agents.llm.models import Model
from valuesim.agents.prompt import Message
from valuesim.cli import main
from valuesim.episode import play
from valuesim.errors import Interruption

GAME = ["env=prisoners_dilemma", "env.horizon=2", "episodes=1", "engine.progress=none"]
MOCK = [*GAME, "agents.Alpha=llm", "agents.all=tit_for_tat", "model=mock"]
KEY = "sk-a-very-secret-key"
HELLO = [Message(role="system", text="Be brief."), Message(role="user", text="Hello there.")]


def mock(**settings: Any) -> Connection:
    model = {"provider": "mock", "name": "mock", **settings}
    return connect(model, {}, np.random.default_rng(0))


class Seen(BaseCallbackHandler):
    """Keeps what the callbacks of a chat model are told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def on_chat_model_start(self, *_: Any, **told: Any) -> None:
        self.told.append(told)


class Fake(BaseChatModel):
    """Answers `reply`, or waits for ever."""

    reply: str = "I see."
    hangs: bool = False

    @property
    def _llm_type(self) -> str:
        return "fake"

    def _generate(self, *_: Any, **__: Any) -> ChatResult:
        raise NotImplementedError

    async def _agenerate(self, *_: Any, **__: Any) -> ChatResult:
        if self.hangs:
            await asyncio.Event().wait()
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self.reply))])


def channel(chat: BaseChatModel, **limits: Any) -> Channel:
    rng = np.random.default_rng(0)
    endpoint = Endpoint(where="here", limits=Limits(retries=0, **limits), rng=rng)
    return Channel(chat=chat, endpoint=endpoint, model=Model(provider="mock", name="fake"))


# -- LangChain ---------------------------------------------------------------------------------


async def test_callbacks_are_told_which_call_of_the_run_it_is() -> None:
    connection, seen = mock(), Seen()
    assert connection.chat is not None
    connection.chat.callbacks = [seen]
    env = registry.make("prisoners_dilemma", horizon=2)
    agents = {role: connection.agent(role, 1, episode="e1") for role in env.possible_agents}
    await play(env, agents, 1)
    calls = [(told["name"], told["metadata"]) for told in seen.told]
    own = ("episode", "agent", "step", "attempt", "purpose")
    assert {name for name, _ in calls} == {"decision"}
    assert sorted(tuple(told[key] for key in own) for _, told in calls) == [
        ("e1", role, step, 0, "decision") for role in ("Alpha", "Beta") for step in (0, 1)
    ]


# -- one exchange in full ----------------------------------------------------------------------


def test_debug_shows_one_exchange(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "--debug", *MOCK, "run.name=shown"]) == 0
    told = capsys.readouterr().err
    assert told.count("--- a request of this run: episode ") == 1
    assert "agent Alpha, step 0, attempt 0, purpose decision ---" in told
    titles = ["--- system ---", "--- user ---", "--- parameters ---", "--- the reply ---"]
    places = [told.index(title) for title in titles]
    assert places == sorted(places)
    sent = told[told.index(titles[2]) + len(titles[2]) : told.index(titles[3])]
    assert json.loads(sent)["response_format"]["json_schema"]["strict"] is True
    assert "seed" in json.loads(sent)
    assert '"option": "' in told[places[3] :]
    assert "--- the run goes on ---" in told


def test_nothing_is_shown_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", *MOCK, "run.name=quiet"]) == 0
    assert capsys.readouterr().err == ""


async def shown(chat: BaseChatModel, *, calls: int = 1, text: str = "Hello.") -> str:
    said: list[str] = []
    watch = Exchange(said.append, (KEY,))
    asked = channel(chat)
    asked = Channel(chat=chat, endpoint=asked.endpoint, model=asked.model, watch=watch)
    for step in range(calls):
        call = Call(episode="e1", role="Alpha", step=step)
        await asked.ask([Message(role="user", text=text)], seed=1, call=call)
    return "\n".join(said)


async def test_an_exchange_holds_no_key_and_commands_no_terminal() -> None:
    told = await shown(Fake(reply=f"\x1b[2J {KEY} \u202e"), text=f"key {KEY} \x9b1m sk-12345678901")
    assert KEY not in told
    assert "sk-1234" not in told
    assert "key REDACTED \\x9b1m REDACTED" in told
    assert "\\x1b[2J REDACTED \\u202e" in told
    assert not [each for each in told if each in "\x1b\x9b\u202e"]


ODD = 'ab"cd\\efgh-key'


async def test_an_exchange_holds_no_key_that_json_spells_otherwise() -> None:
    said: list[str] = []
    watch = Exchange(said.append, (ODD,))
    sent = {"extra_body": {ODD: [ODD, ("x", {"y": ODD})]}, "other": Path(ODD)}
    await watch.on_chat_model_start({}, [[]], run_id=UUID(int=0), invocation_params=sent)
    message = AIMessage("yes", additional_kwargs={"reasoning": f"I hold {ODD}"})
    await watch.on_llm_end(LLMResult(generations=[[ChatGeneration(message=message)]]))
    assert "efgh" not in "".join(said)
    assert "I hold REDACTED" in said[-1]


async def test_only_the_first_exchange_is_shown() -> None:
    told = await shown(Fake(), calls=3)
    assert told.count("a request of this run") == told.count("I see.") == 1


async def test_a_request_without_a_reply_is_shown_and_so_is_the_next() -> None:
    said: list[str] = []
    watch = Exchange(said.append)
    await watch.on_llm_error(ConnectionError("no route"))
    assert "--- no reply ---\nConnectionError: no route" in said[-1]
    assert not watch.is_taken
    for _ in range(2):
        await watch.on_llm_error(ConnectionError("no route"))
    assert watch.is_taken
    await watch.on_llm_end(LLMResult(generations=[[ChatGeneration(message=AIMessage("yes"))]]))
    assert "yes" in said[-1]


# -- OpenTelemetry -----------------------------------------------------------------------------


def test_without_the_extra_one_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    assert main(["run", *MOCK, "engine.trace=true", "run.name=untraced"]) == 2
    assert 'pip install "valuesim[otel]"' in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_texts_without_traces_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", *MOCK, "engine.trace_content=true"]) == 2
    assert "engine.trace is false" in capsys.readouterr().err


def test_untraced_spans_are_one_that_keeps_nothing() -> None:
    with tracing.span("turn", {"valuesim.step": 1}) as span:
        span.tell({"a": 1})
        span.quote(lambda: pytest.fail("nobody wants the texts"))
        span.fail("kind", "reason")
    assert span is tracing.NOBODYS


class Spans:
    """The spans of a run that have ended."""

    def __init__(self, exporter: Any) -> None:
        self._exporter = exporter

    @property
    def all(self) -> list[Any]:
        return list(self._exporter.get_finished_spans())

    def named(self, name: str) -> list[Any]:
        return [span for span in self.all if span.name == name]

    def path(self, span: Any) -> list[str]:
        """Return the names from the root down to `span`."""
        by_id = {each.context.span_id: each for each in self.all}
        above = self.path(by_id[span.parent.span_id]) if span.parent else []
        return [*above, span.name]

    def text(self) -> str:
        return " ".join(span.to_json() for span in self.all)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    """Where the spans of this test go; the test is skipped without the extra `otel`."""
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    exporter = memory.InMemorySpanExporter()

    def provider() -> TracerProvider:
        made = TracerProvider()
        made.add_span_processor(SimpleSpanProcessor(exporter))
        # a provider that is shut down takes its spans along
        monkeypatch.setattr(made, "shutdown", made.force_flush)
        return made

    monkeypatch.setattr(tracing, "_provider", provider)
    return Spans(exporter)


@pytest.fixture
def traced(spans: Spans) -> Iterator[Spans]:
    """Where the spans of this test go, without a run around them."""
    with tracing.tracing(tracing.Trace.exported(secrets=(KEY,))):
        yield spans


def status(span: Any) -> str:
    return str(span.status.status_code.name)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """What plays a run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *given: main(["run", *given, "engine.trace=true", "run.name=traced"])


def test_a_run_is_a_tree_of_spans(spans: Spans, run: Callable[..., int]) -> None:
    assert run(*MOCK, "model.temperature=0.5") == 0
    assert [status(span) for span in spans.all] == ["UNSET"] * len(spans.all)
    whole, episode = spans.named("run")[0], spans.named("episode")[0]
    assert whole.attributes["valuesim.run"] == "runs/traced"
    assert len(spans.named("turn")) == 2
    assert len(spans.named("decision")) == 4
    calls = [span for span in spans.named("chat mock") if len(spans.path(span)) > 2]
    below = ["run", "episode", "turn", "decision", "chat mock"]
    assert [spans.path(span) for span in calls] == [below] * 2
    told = dict(calls[0].attributes)
    assert told["gen_ai.usage.input_tokens"] > 100 > told["gen_ai.usage.output_tokens"] > 0
    assert (
        told
        | {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "mock",
            "gen_ai.request.model": "mock",
            "gen_ai.request.temperature": 0.5,
            "gen_ai.conversation.id": episode.attributes["valuesim.episode"],
            "gen_ai.agent.name": "Alpha",
            "gen_ai.output.type": "json",
            "gen_ai.response.finish_reasons": ("stop",),
            "valuesim.step": 0,
            "valuesim.attempt": 0,
            "valuesim.purpose": "decision",
        }
        == told
    )
    assert calls[0].kind.name == "CLIENT"
    assert spans.named("decision")[0].attributes["valuesim.option"] in ("A", "B")


def test_names_are_those_of_the_conventions(spans: Spans, run: Callable[..., int]) -> None:
    from opentelemetry.semconv._incubating.attributes import (
        error_attributes,
        gen_ai_attributes,
        server_attributes,
    )

    assert run(*MOCK, "engine.trace_content=true") == 0
    modules = (error_attributes, gen_ai_attributes, server_attributes)
    known = {name for module in modules for name in vars(module).values() if type(name) is str}
    used = {name for span in spans.all for name in span.attributes}
    foreign = {name for name in used - known if not name.startswith("valuesim.")}
    assert foreign == set()
    assert "gen_ai.input.messages" in used


PERSONA = ["intervention=persona", f"intervention.persona.text='I hold {KEY}.'"]


def test_texts_are_in_spans_only_if_wanted(spans: Spans, run: Callable[..., int]) -> None:
    assert run(*MOCK, *PERSONA) == 0
    assert spans.named("chat mock")
    assert not [text for text in ("Two people", "Round 1", "I hold") if text in spans.text()]


def test_texts_that_are_wanted_hold_no_keys(
    spans: Spans, run: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VALUESIM_API_KEY", KEY)
    assert run(*MOCK, *PERSONA, "engine.trace_content=true") == 0
    call = next(span for span in spans.named("chat mock") if len(spans.path(span)) > 2)
    sent = json.loads(call.attributes["gen_ai.input.messages"])
    assert sent[0]["role"] == "user"
    assert "Round 1 of 2." in sent[0]["parts"][0]["content"]
    told = call.attributes["gen_ai.system_instructions"]
    assert "Two people" in told
    assert "I hold REDACTED." in told
    replied = json.loads(call.attributes["gen_ai.output.messages"])
    assert "chosen by hash" in replied[0]["parts"][0]["content"]
    assert KEY not in spans.text()


def test_keys_that_json_spells_otherwise_and_those_in_lists_are_hidden(spans: Spans) -> None:
    trace = tracing.Trace.exported(content=True, secrets=(ODD,))
    with tracing.tracing(trace), tracing.span("chat", {"list": ["stop", ODD]}) as span:
        span.quote(lambda: {"texts": [{"role": "user", "parts": [f"I hold {ODD}."]}]})
    (told,) = spans.all
    assert told.attributes["list"] == ("stop", "REDACTED")
    assert json.loads(told.attributes["texts"])[0]["parts"] == ["I hold REDACTED."]


def test_a_fault_is_told_and_is_no_error(spans: Spans, run: Callable[..., int]) -> None:
    assert run(*GAME, "agents=mute") == 0
    decisions = spans.named("decision")
    assert {span.attributes["valuesim.fault"] for span in decisions} == {"unparsed"}
    assert {status(span) for span in spans.all} == {"UNSET"}


async def test_a_failing_server_is_an_error_of_its_own_kind(
    traced: Spans, serve: Callable[..., Any]
) -> None:
    server = await serve(faults={"500": 1.0})
    model = {"provider": "vllm", "name": "m", "base_url": server.url, "retries": 1}
    connection = connect(model, {"format": "name"}, np.random.default_rng(0))
    env = registry.make("prisoners_dilemma", horizon=2)
    agents = {role: connection.agent(role, 1, episode="e1") for role in env.possible_agents}
    with pytest.raises(Interruption):
        await play(env, agents, 1)
    await connection.close()
    calls = traced.named("chat m")
    assert len(calls) >= 2
    assert {(status(s), s.attributes.get("error.type")) for s in calls} <= {
        ("ERROR", "500"),
        ("UNSET", None),
    }
    assert calls[0].attributes["server.address"] == "127.0.0.1"
    ended = [(status(s), s.attributes.get("error.type")) for s in traced.named("decision")]
    assert ("ERROR", "Interruption") in ended
    # whoever was asked beside it was only stopped
    assert set(ended) <= {("ERROR", "Interruption"), ("UNSET", None)}
    assert traced.named("turn")[0].attributes["error.type"] == "Interruption"


async def test_no_answer_in_time_is_a_timeout(traced: Spans) -> None:
    with pytest.raises(Interruption):
        await channel(Fake(hangs=True), timeout_s=0.02).ask(HELLO, seed=1, call=Call())
    (call,) = traced.named("chat fake")
    assert (status(call), call.attributes["error.type"]) == ("ERROR", "timeout")
    assert "valuesim.stopped" not in call.attributes


async def test_a_stop_is_told_and_is_no_error(traced: Spans) -> None:
    asking = asyncio.create_task(channel(Fake(hangs=True)).ask(HELLO, seed=1, call=Call()))
    await asyncio.sleep(0.02)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    (call,) = traced.named("chat fake")
    assert (status(call), call.attributes["valuesim.stopped"]) == ("UNSET", True)


def test_an_unforeseen_error_is_told_by_its_class_and_without_its_words(traced: Spans) -> None:
    with pytest.raises(KeyError), tracing.span("turn", {}):
        raise KeyError(KEY)
    (turn,) = traced.named("turn")
    assert (status(turn), turn.attributes["error.type"]) == ("ERROR", "KeyError")
    assert turn.status.description is None
    assert KEY not in traced.text()


def test_the_words_of_an_error_are_told_where_texts_are(spans: Spans) -> None:
    trace = tracing.Trace.exported(content=True, secrets=(KEY,))
    with tracing.tracing(trace), pytest.raises(KeyError), tracing.span("turn", {}):
        raise KeyError(f"mood {KEY}")
    assert spans.named("turn")[0].status.description == "'mood REDACTED'"
