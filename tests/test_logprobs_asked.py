"""Letters and their probabilities, asked of a server: what is sent, read, told and logged."""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel

from valuesim.agents import prompt as prompts
from valuesim.agents.endpoint import Endpoint, Limits
from valuesim.agents.interventions import Ask, Intervention
from valuesim.agents.llm import Connection, connect
from valuesim.agents.llm.channel import Channel
from valuesim.agents.llm.label_agent import LabelAgent
from valuesim.agents.llm.logprobs import labellings, probabilities
from valuesim.agents.llm.models import Model
from valuesim.agents.prompt import Elicitation, Prompt, prompt_of, templates_id
from valuesim.cli import main
from valuesim.decision import Decision, Fault, Usage
from valuesim.errors import InputError, Interruption, LogError
from valuesim.log import read_run
from valuesim.measures.likelihood import likelihood
from valuesim.measures.panel import Panel, panels
from valuesim.observation import Observation
from valuesim.option import Amount, Option

Serve = Callable[..., Any]
WAIT, DRAW, TALK = (Option(name=name, text=f"{name} now.") for name in ("WAIT", "DRAW", "TALK"))
SEEN = Observation(
    agent="Alpha", step=2, text="You are Alpha.", rules="RULES", options=(WAIT, DRAW, TALK)
)
GIVE = Option(name="GIVE", text="Give some.", arguments={"amount": Amount(low=1, high=5)})
ASKED = {"format": "logprobs", "ask_rationale": False, "max_tokens": 8}
PLANTED = {"WAIT": 0.6, "DRAW": 0.3, "TALK": 0.1}


def to(url: str, elicitation: Mapping[str, Any] | None = None, **model: Any) -> Connection:
    settings = {"provider": "vllm", "name": "m", "base_url": url, "retries": 0, "timeout_s": 5.0}
    asked = ASKED | dict(elicitation or {})
    return connect(settings | model, asked, np.random.default_rng(0))


async def decided(connection: Connection, seeds: int, seen: Observation = SEEN) -> list[Decision]:
    made = (connection.agent("Alpha", seed).decide(seen) for seed in range(seeds))
    try:
        return await asyncio.gather(*made)
    finally:
        await connection.close()


async def test_a_letter_alone_is_asked_for(serve: Serve) -> None:
    server = await serve(planted=PLANTED)
    (decision,) = await decided(to(server.url, max_tokens=300), 1)
    (body,) = server.requests
    assert body["logprobs"] is True
    assert (body["top_logprobs"], body["max_completion_tokens"]) == (20, 8)
    system, user = (message["content"] for message in body["messages"])
    assert "Reply with the letter of the option" in system
    (asked,) = decision.labellings
    lines = [
        f"- {label}) {name}: {name} now." for label, name in zip(asked.labels, PLANTED, strict=True)
    ]
    assert user.endswith("Your options now:\n" + "\n".join(lines)), "in the order of the options"
    assert decision.reply == asked.labels[[*PLANTED].index(str(decision.option))]


async def test_planted_probabilities_are_recovered_under_any_permutation(serve: Serve) -> None:
    server = await serve(planted=PLANTED)
    decisions = await decided(to(server.url), 600)
    assert len({decision.labellings[0].labels for decision in decisions}) == 6
    for decision in decisions:
        assert decision.probabilities == pytest.approx(PLANTED)
        assert decision.unaccounted == pytest.approx(0.02)
    taken = Counter(decision.option for decision in decisions)
    for option, p in PLANTED.items():
        # four standard errors of a share
        assert abs(taken[option] / 600 - p) < 4 * math.sqrt(p * (1 - p) / 600)


async def test_a_servers_liking_of_a_letter_shows_and_is_averaged_out(serve: Serve) -> None:
    server = await serve(planted=dict.fromkeys(PLANTED, 1.0), bias={"A": 1.5})
    alone = await decided(to(server.url), 60)
    favoured = math.exp(1.5) / (math.exp(1.5) + 2)
    for decision in alone:
        at = decision.labellings[0].labels.index("A")
        assert [*decision.probabilities.values()][at] == pytest.approx(favoured)
    assert favoured > 0.6
    averaged = await decided(to(server.url, {"permutations": 3}), 20)
    for decision in averaged:
        assert decision.probabilities == pytest.approx(dict.fromkeys(PLANTED, 1 / 3))
        assert len(decision.labellings) == 3


async def test_the_choice_is_that_of_the_first_permutation(serve: Serve) -> None:
    server = await serve(planted=PLANTED)
    one = await decided(to(server.url), 30)
    three = await decided(to(server.url, {"permutations": 3}), 30)
    assert [d.option for d in one] == [d.option for d in three]
    assert [d.labellings[0] for d in one] == [d.labellings[0] for d in three]
    assert three[0].usage.prompt_tokens == 3 * one[0].usage.prompt_tokens
    assert {d.attempts for d in three} == {1}
    starts = {
        body["messages"][1]["content"].partition("Your options")[0] for body in server.requests
    }
    assert len(starts) == 1, "what comes before the options is the same: a prefix cache keeps it"


async def test_arguments_are_asked_for_after_the_letter(serve: Serve) -> None:
    seen = replace(SEEN, options=(GIVE, WAIT))
    server = await serve(planted={"GIVE": 1.0, "WAIT": 0.0})
    (decision,) = await decided(to(server.url, max_tokens=300), 1, seen)
    letter, arguments = server.requests
    assert decision.option == "GIVE"
    assert 1 <= decision.arguments["amount"] <= 5
    assert decision.attempts == 1
    said, given = decision.reply.split("\n")
    assert said == decision.labellings[0].labels[0]
    assert json.loads(given)["action"]["arguments"] == decision.arguments
    assert "logprobs" not in arguments
    assert arguments["max_completion_tokens"] == 300
    assert arguments["messages"][:2] == letter["messages"]
    assert arguments["messages"][2] == {"role": "assistant", "content": said}
    assert "You take GIVE. Now give its arguments." in arguments["messages"][3]["content"]
    form = arguments["response_format"]["json_schema"]["schema"]["properties"]["action"]
    assert [each["properties"]["option"]["enum"] for each in form["anyOf"]] == [["GIVE"]]
    assert decision.probabilities == pytest.approx({"GIVE": 1.0, "WAIT": 0.0})


async def test_arguments_that_cannot_be_taken_are_asked_for_again_and_the_letter_is_not(
    serve: Serve,
) -> None:
    seen = replace(SEEN, options=(GIVE, replace(GIVE, name="LEND")))
    wrong, right = (
        json.dumps({"action": {"option": option, "arguments": {"amount": amount}}})
        for option, amount in (("GIVE", 9), ("GIVE", 2))
    )
    drawn = labellings(seen, 1, seed_of_labels())[0]
    server = await serve(script=["hm", drawn[0], wrong, right])
    connection = to(server.url)
    (decision,) = await decided(connection, 1, seen)
    assert (decision.option, decision.arguments) == ("GIVE", {"amount": 2})
    assert decision.attempts == 3
    assert [tried.fault for tried in decision.tries] == [Fault.UNPARSED, Fault.ILLEGAL]
    assert decision.reply == f"{drawn[0]}\n{right}"
    assert len(server.requests) == 4


def seed_of_labels() -> int:
    from valuesim.agents.llm.agent import call_seed

    return call_seed(0, "Alpha", SEEN.step, 0, "labels")


async def test_a_reply_that_is_no_letter_is_asked_again_and_then_a_fault(serve: Serve) -> None:
    server = await serve(script=["It depends."])
    (decision,) = await decided(to(server.url), 1)
    assert (decision.fault, decision.attempts) == (Fault.UNPARSED, 2)
    assert "none of the letters A, B, C" in server.requests[1]["messages"][3]["content"]
    assert decision.labellings[0].found is None


async def test_probabilities_are_those_of_the_question_as_it_was_first_put(serve: Serve) -> None:
    server = await serve(planted=PLANTED, faults={"garbage": 0.4})
    decisions = await decided(to(server.url), 20)
    assert {decision.attempts for decision in decisions} == {1, 2}
    assert any(decision.fault for decision in decisions)
    for decision in decisions:
        assert decision.probabilities == pytest.approx(PLANTED)
        assert len(decision.labellings) == 1


async def test_a_server_without_log_probabilities_is_told_once_and_its_choices_stand(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    server = await serve(planted=PLANTED, most_logprobs=0)
    connection = to(server.url, {"permutations": 2})
    with caplog.at_level(logging.WARNING):
        decisions = await decided(connection, 5)
    assert all(decision.option for decision in decisions)
    assert {len(decision.probabilities) for decision in decisions} == {0}
    assert {decision.unaccounted for decision in decisions} == {None}
    assert connection.counters.no_logprobs == 10
    assert len([r for r in caplog.records if "no log-probabilities" in r.message]) == 1


async def test_a_server_that_gives_fewer_is_told_in_one_sentence(
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = await serve(most_logprobs=5)
    with pytest.raises(InputError, match=r"refuses elicitation.top_logprobs=20: HTTP 400: .* 5"):
        await decided(to(server.url), 1)
    assert (await decided(to(server.url, {"top_logprobs": 5}), 1))[0].probabilities
    monkeypatch.chdir(tmp_path)
    command = ["run", "agents=llm", "model=vllm", "model.name=m", f"model.base_url={server.url}"]
    assert await asyncio.to_thread(main, [*command, "elicitation=logprobs", "run.name=a"]) == 2
    (said,) = (line for line in capsys.readouterr().err.splitlines() if "refuses" in line)
    assert "give a smaller one" in said


async def test_another_bad_request_is_no_word_on_log_probabilities(serve: Serve) -> None:
    server = await serve(faults={"400": 1.0})
    with pytest.raises(Interruption, match="HTTP 400: injected"):
        await decided(to(server.url), 1)


async def test_langchains_own_client_passes_them_on(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-nobody-needs-this")
    server = await serve(planted=PLANTED)
    (decision,) = await decided(to(server.url, provider="chat", name="openai:m"), 1)
    assert decision.probabilities == pytest.approx(PLANTED)
    assert server.requests[0]["max_completion_tokens"] == 8


async def test_a_client_that_knows_no_log_probabilities_is_asked_for_the_letter_alone() -> None:
    chat = FakeListChatModel(responses=["A"])
    endpoint = Endpoint(where="here", limits=Limits(), rng=np.random.default_rng(0))
    channel = Channel(chat=chat, endpoint=endpoint, model=Model(provider="chat", name="fake:m"))
    decision = await LabelAgent("Alpha", 1, channel, Elicitation.of(ASKED)).decide(SEEN)
    (asked,) = decision.labellings
    assert decision.option == [*PLANTED][asked.labels.index("A")]
    assert (asked.found, decision.probabilities, decision.unaccounted) == (None, {}, None)
    assert endpoint.counters.no_logprobs == 1


class Curious(Intervention):
    """Keeps what it was shown."""

    name = "curious"

    async def prepare(self, prompt: Prompt, observation: Observation, ask: Ask) -> Prompt:
        self.shown = prompt.user
        return prompt.plus(self.addition("after", "Think of WAIT."))


async def test_interventions_see_no_letters_and_stand_in_every_permutation(serve: Serve) -> None:
    server = await serve(planted=PLANTED)
    curious = Curious(role="Alpha", seed=0)
    connection = to(server.url, {"permutations": 2})
    agent = LabelAgent("Alpha", 0, connection.channel, connection.elicitation, [curious])
    decision = await agent.decide(SEEN)
    await connection.close()
    assert "- WAIT: WAIT now." in curious.shown
    assert len(server.requests) == 2
    assert all(b["messages"][1]["content"].endswith("Think of WAIT.") for b in server.requests)
    assert decision.added[0].text == "Think of WAIT."


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"ask_rationale": True}, "a letter alone"),
        ({"max_tokens": None}, "a letter alone"),
        ({"permutations": 0}, "from 1 to 100"),
        ({"permutations": 101}, "from 1 to 100"),
        ({"top_logprobs": 0}, "from 1 to 1000"),
        ({"format": "json", "permutations": 2}, "those of format 'logprobs'"),
    ],
)
def test_bad_settings_are_named(settings: Mapping[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Elicitation.of(ASKED | dict(settings))


def test_its_templates_name_its_prompts_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    others, own = templates_id(), templates_id("logprobs")
    assert others != own
    source = prompts._source
    monkeypatch.setattr(prompts, "_source", lambda name: source(name) + "!" * (name == "arguments"))
    assert templates_id() == others
    assert templates_id("logprobs") != own


def test_the_rules_come_first_whatever_is_asked() -> None:
    prompt = prompt_of(SEEN, Elicitation.of(ASKED))
    assert prompt.system.startswith("RULES\n\nHow to answer")
    assert "A)" not in prompt.user


def test_probabilities_are_written_and_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["run", "agents=llm", "model=mock", "env.horizon=2", "episodes=1"]
    asked = ["elicitation=logprobs", "elicitation.permutations=2"]
    assert main([*command, *asked, "run.name=a"]) == 0
    records = list(read_run(Path("runs/a")).decisions())
    assert any(record.arguments for record in records)
    for record in records:
        assert set(record.probabilities) == {option.name for option in record.options}
        assert math.fsum(record.probabilities.values()) == pytest.approx(1.0)
        assert record.unaccounted == pytest.approx(0.02)
        names = [option.name for option in record.options]
        assert (dict(record.probabilities), record.unaccounted) == probabilities(
            record.labellings, names
        ), "they follow from what is kept of each labelling"
        letter = record.reply.partition("\n")[0].strip()
        assert record.labellings[0].labels[names.index(str(record.chosen))] == letter
    assert [panel.id for panel in panels(records)] == ["sureness", "letters"]
    assert main([*command, "elicitation=name", "run.name=b"]) == 0
    plain = Path("runs/b/decisions.jsonl").read_text()
    assert not any(key in plain for key in ("labellings", "probabilities", "unaccounted"))
    assert {record.unaccounted for record in read_run(Path("runs/b")).decisions()} == {None}


async def shown(serve: Serve, place: Path, bias: Mapping[str, float]) -> Mapping[str, Panel]:
    server = await serve(planted={}, bias=bias)
    command = ["run", "agents=llm", "model=vllm", "model.name=m", f"model.base_url={server.url}"]
    asked = ["env=dilemmas", "elicitation=logprobs", "episodes=6", f"run.name={place}"]
    assert await asyncio.to_thread(main, [*command, *asked]) == 0
    return {panel.id: panel for panel in likelihood(list(read_run(place).decisions()))}


async def test_the_panels_say_how_sure_the_model_was_and_which_letters_it_likes(
    serve: Serve, tmp_path: Path
) -> None:
    fair = await shown(serve, tmp_path / "fair", {})
    for letter in fair["letters"].estimates:
        assert letter.value == pytest.approx(0.5)
    # its options are called A and B, so that others stand before them
    fond = await shown(serve, tmp_path / "fond", {"P": 2.0})
    liked = math.exp(2.0) / (math.exp(2.0) + 1)
    assert [letter.value for letter in fond["letters"].estimates] == pytest.approx(
        [liked, 1 - liked]
    )
    assert [point.value for point in fond["letters"].references[0].points] == [0.5, 0.5]
    sure = {estimate.label: estimate.value for estimate in fond["sureness"].estimates}
    bits = -liked * math.log2(liked) - (1 - liked) * math.log2(1 - liked)
    assert sure["entropy"] == pytest.approx(bits)
    assert sure["probability of the likeliest"] == pytest.approx(liked)
    assert sure["probability of no letter found"] == pytest.approx(0.02)
    assert sure["the likeliest was taken"] == pytest.approx(liked, abs=0.15)


def test_without_log_probabilities_there_are_no_such_panels() -> None:
    assert likelihood([]) == ()


async def test_tokens_of_all_questions_are_counted(serve: Serve) -> None:
    server = await serve(planted=PLANTED)
    connection = to(server.url, {"permutations": 3})
    decisions = await decided(connection, 4)
    assert connection.counters.calls == 12
    assert connection.counters.usage == sum((d.usage for d in decisions), Usage())


async def test_a_failure_under_a_further_permutation_interrupts(serve: Serve) -> None:
    server = await serve(faults={"500": 0.5})
    connection = to(server.url, {"permutations": 3})
    asked = (connection.agent("Alpha", seed).decide(SEEN) for seed in range(20))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    await connection.close()
    assert {type(answer) for answer in answers} <= {Decision, Interruption}
    assert any(isinstance(answer, Interruption) for answer in answers)
    assert all(len(a.labellings) == 3 for a in answers if isinstance(a, Decision))


async def test_log_probabilities_that_are_none_are_a_failure_of_the_server(serve: Serve) -> None:
    server = await serve(script=["A"])
    server._completion = lambda _: {  # type: ignore[method-assign]
        "choices": [{"message": {"content": "A"}, "logprobs": {"content": [{"token": "A"}]}}]
    }
    with pytest.raises(Interruption, match="log-probabilities are none"):
        await decided(to(server.url), 1)


def told(logprob: Any, top: Any) -> Callable[[Any], dict[str, Any]]:
    """What a server answers that gives one token "A", and "B" beside it."""
    beside = [{"token": "B", "logprob": top}]
    tokens = [{"token": "A", "logprob": logprob, "top_logprobs": beside}]
    choice = {"message": {"content": "A"}, "logprobs": {"content": tokens}}
    return lambda _: {"choices": [choice]}


@pytest.mark.parametrize("logprob", [5000, 0.5, math.nan, "-1", True, -(10**400), None])
@pytest.mark.parametrize("is_said", [True, False])
async def test_a_number_that_is_no_log_probability_is_a_failure_of_the_server(
    serve: Serve, logprob: Any, is_said: bool
) -> None:
    server = await serve(script=["A"])
    server._completion = told(*((logprob, -1.0) if is_said else (-1.0, logprob)))
    with pytest.raises(Interruption, match="log-probabilities are none"):
        await decided(to(server.url), 1)


@pytest.mark.parametrize("logprob", [-9999.0, -math.inf])
async def test_a_choice_that_is_next_to_impossible_stands_without_probabilities(
    serve: Serve, logprob: float
) -> None:
    server = await serve(script=["A"])
    server._completion = told(logprob, logprob)
    (decision,) = await decided(to(server.url), 1)
    assert decision.option is not None
    assert (decision.probabilities, decision.labellings[0].found) == ({}, {})


async def test_rounding_above_zero_is_certainty(serve: Serve) -> None:
    server = await serve(script=["A"])
    server._completion = told(1e-6, -50.0)
    (decision,) = await decided(to(server.url), 1)
    assert decision.labellings[0].found == pytest.approx({"A": 1.0, "B": math.exp(-50.0)})


async def test_letters_are_offered_again_with_their_options(serve: Serve) -> None:
    server = await serve(script=["It depends."])
    (decision,) = await decided(to(server.url), 1)
    named = zip(decision.labellings[0].labels, PLANTED, strict=True)
    listed = ", ".join(f"{label}) {name}" for label, name in named)
    asked = server.requests[1]["messages"][3]["content"]
    assert f"Your options are still: {listed}. Please answer again, with the letter" in asked


@pytest.mark.parametrize(
    ("field", "broken"),
    [
        ("probabilities", {"WAIT": None}),
        ("probabilities", {"WAIT": "0.5"}),
        ("labellings", [{"labels": ["A"], "found": {"A": None}}]),
        ("labellings", [{"labels": [1], "found": None}]),
        ("labellings", [{"labels": ["A"], "found": {"A": -0.5}}]),
    ],
)
def test_a_logged_probability_that_is_no_number_is_told_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str, broken: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["run", "agents=llm", "model=mock", "env.horizon=1", "episodes=1", "run.name=a"]
    assert main([*command, "elicitation=logprobs"]) == 0
    path = Path("runs/a/decisions.jsonl")
    first, *others = path.read_text().splitlines()
    line = json.loads(first)
    line["decision"][field] = broken
    path.write_text("\n".join([json.dumps(line), *others, ""]))
    with pytest.raises(LogError, match=r"decisions.jsonl, line 1 is not a decision"):
        list(read_run(Path("runs/a")).decisions())
