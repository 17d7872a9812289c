"""Interventions that ask beside the decision: emotion, assessment, reflection, council."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from valuesim.agents.interventions import build, check
from valuesim.agents.interventions.asking import LONGEST_SHOWN, LONGEST_STORY, wording
from valuesim.agents.llm import LLMAgent
from valuesim.agents.llm.ask import Reply
from valuesim.agents.llm.channel import DECISION, Call
from valuesim.agents.prompt import Elicitation, Message
from valuesim.decision import Decision, Usage
from valuesim.episode import Aftermath, Turn
from valuesim.errors import InputError, Interruption
from valuesim.observation import Observation
from valuesim.option import Option

OPTIONS = (Option(name="WAIT", text="Do nothing."), Option(name="TAKE", text="Take it all."))
WAIT = '{"rationale": "r", "action": {"option": "WAIT", "arguments": {}}}'
USED = Usage(prompt_tokens=10, completion_tokens=1)
Answer = Callable[[str], str]


def seen(step: int = 0, text: str = "The battery is low.") -> Observation:
    return Observation(agent="Alpha", step=step, text=text, rules="RULES", options=OPTIONS)


@dataclass(kw_only=True)
class Model:
    """A channel to no model: it keeps what it is sent and answers by the purpose of the call."""

    answer: Answer = lambda purpose: f"It says: {purpose}"
    takes_max_length: bool = True
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    most_at_once: int = 0
    at_once: int = 0
    endpoint: Any = field(
        default_factory=lambda: SimpleNamespace(
            clock=lambda: 0.0, counters=SimpleNamespace(schema_breaks=0), where="nowhere"
        )
    )

    async def ask(
        self, messages: Sequence[Message], *, seed: int, call: Call, schema: Any = None, **_: Any
    ) -> Reply:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        system, user = (
            "\n\n".join(m.text for m in messages if m.role == role) for role in ("system", "user")
        )
        self.sent.append((call.purpose, system, user))
        self.seeds.append(seed)
        if call.purpose == DECISION:
            return Reply(text=WAIT, structured=WAIT if schema else None, usage=USED)
        reply = self.answer(call.purpose)
        if reply == "REFUSED":
            return Reply(text="", refusal="I will not.", usage=USED)
        return Reply(text=reply, usage=USED)

    def of(self, purpose: str) -> list[tuple[str, str]]:
        return [(system, user) for told, system, user in self.sent if told == purpose]


def agent(model: Model, settings: Mapping[str, Mapping[str, Any]], seed: int = 7) -> LLMAgent:
    made = build(settings, role="Alpha", seed=seed)
    return LLMAgent("Alpha", seed, model, Elicitation(), made)  # type: ignore[arg-type]


async def decided(settings: Mapping[str, Mapping[str, Any]], answer: Answer | None = None) -> Any:
    """Return the model after one decision under `settings`, and that decision."""
    model = Model() if answer is None else Model(answer=answer)
    return model, await agent(model, settings).decide(seen())


def lived(*decisions: Decision, payoff: float = 0.0, text: str = "The battery is low.") -> Any:
    return [
        Turn(
            observations={"Alpha": seen(step, text)},
            decisions={"Alpha": made},
            effects={},
            payoffs={"Alpha": payoff},
        )
        for step, made in enumerate(decisions)
    ]


def always(reply: str) -> Answer:
    return lambda _: reply


def choice(step: int = 0, option: str = "WAIT", **of: Any) -> Decision:
    return Decision(agent="Alpha", step=step, option=option, **of)


EMOTION = [{"weight": weight} for weight in (0, 0.1, 0.3, 0.31, 0.5, 0.8, 1)]
ASSESSMENT = [{"kind": kind} for kind in ("perspective", "consequences", "both")]
COUNCIL: list[dict[str, Any]] = [{"perspectives": k} for k in (1, 2, 9)]
COUNCIL += [{"perspectives": ["duty"]}, {"perspectives": ["duty", "care"]}]
SETTINGS = [("emotion", each) for each in EMOTION]
SETTINGS += [("assessment", each) for each in ASSESSMENT]
SETTINGS += [("council", each) for each in COUNCIL]


async def test_what_the_model_is_sent_differs_for_every_setting() -> None:
    plain, _ = await decided({})
    sent = [plain.of(DECISION)[0][1]]
    for name, settings in SETTINGS:
        model, decision = await decided({name: settings})
        sent.append(model.of(DECISION)[0][1])
        assert decision.added[0].by == name
        assert decision.added[0].place == "after"
    assert len(set(sent)) == len(SETTINGS) + 1


@pytest.mark.parametrize(
    ("name", "settings", "purposes"),
    [
        ("emotion", {"weight": 0.4}, ["reason", "feeling"]),
        ("emotion", {"weight": 0}, ["reason"]),
        ("emotion", {"weight": 1}, ["feeling"]),
        ("assessment", {"kind": "perspective"}, ["perspective"]),
        ("assessment", {"kind": "consequences"}, ["consequences"]),
        ("assessment", {"kind": "both"}, ["perspective", "consequences"]),
        ("council", {"perspectives": 3}, ["care", "duty", "outcomes"]),
        ("council", {"perspectives": ["caution", "care"]}, ["caution", "care"]),
        ("reflection", {}, []),
    ],
)
async def test_each_question_is_asked_once_all_at_once_and_its_answer_is_told_and_shown(
    name: str, settings: dict[str, Any], purposes: list[str]
) -> None:
    model, decision = await decided({name: settings})
    asked = [f"{name}: {purpose}" for purpose in purposes]
    assert [purpose for purpose, _, _ in model.sent] == [*asked, DECISION]
    assert model.most_at_once == max(len(purposes), 1)
    assert len(set(model.seeds)) == len(model.seeds)
    user = model.of(DECISION)[0][1]
    for purpose in purposes:
        answer = f"It says: {name}: {purpose}"
        assert decision.interventions[name][purpose] == answer
        assert answer in user
        ((system, question),) = model.of(f"{name}: {purpose}")
        assert system == "RULES"
        assert "The battery is low." in question
        assert "- TAKE: Take it all." in question
    tokens = USED.prompt_tokens * (len(purposes) + 1)
    assert decision.usage.prompt_tokens == tokens


async def test_the_weight_of_feeling_is_told_in_words_and_as_a_number() -> None:
    told = {}
    for weight in (0, 0.2, 0.5, 0.85, 1):
        model, decision = await decided({"emotion": {"weight": weight}})
        told[weight] = model.of(DECISION)[0][1].splitlines()[-1]
        assert f"feeling has the weight {weight:g} and reason {1 - weight:g}" in told[weight]
        assert decision.interventions["emotion"]["weight"] == weight
    assert "by reason alone" in told[0]
    assert "mainly by reason" in told[0.2]
    assert "alike" in told[0.5]
    assert "mainly by feeling" in told[0.85]
    assert "by feeling alone" in told[1]


async def test_an_empty_answer_and_a_refusal_are_told_as_what_they_are() -> None:
    answers = {"council: care": "", "council: duty": "REFUSED", "council: outcomes": "<think>hm"}
    model, decision = await decided({"council": {}}, answers.__getitem__)
    assert decision.interventions["council"] == {"care": "", "duty": "I will not.", "outcomes": ""}
    user = model.of(DECISION)[0][1]
    assert user.count("(no answer was given)") == 2
    assert "Duty:\nI will not." in user


async def test_a_long_answer_is_cut_before_the_decision_and_whole_in_the_log() -> None:
    answer = "word " * LONGEST_SHOWN
    model, decision = await decided({"emotion": {"weight": 0}}, lambda _: answer)
    assert decision.interventions["emotion"]["reason"] == answer
    user = model.of(DECISION)[0][1]
    assert "word [...]" in user
    assert len(user) < LONGEST_SHOWN + 1000


async def test_what_a_model_says_is_no_template() -> None:
    model, _ = await decided({"emotion": {"weight": 1}}, lambda _: "{{ weight }} {% if %}")
    assert "{{ weight }} {% if %}" in model.of(DECISION)[0][1]


async def test_a_question_sees_what_interventions_before_it_added() -> None:
    arm = {"persona": {"text": "You are a nurse."}, "council": {"perspectives": 1}}
    model, _ = await decided({**arm, "emotion": {"weight": 0}})
    ((system, user),) = model.of("council: care")
    assert system == "RULES\n\nYou are a nurse."
    assert "reason" not in user
    ((system, user),) = model.of("emotion: reason")
    assert system == "RULES\n\nYou are a nurse."
    assert "It says: council: care" in user


@pytest.mark.parametrize("name", ["emotion", "assessment", "council"])
async def test_a_question_that_cannot_be_asked_interrupts(name: str) -> None:
    def gone(purpose: str) -> str:
        raise Interruption("the server is down")

    with pytest.raises(Interruption, match="the server is down"):
        await decided({name: {}}, gone)


async def ended(
    settings: Mapping[str, Mapping[str, Any]], answer: Answer, turns: Any, carried: Any = None
) -> tuple[Model, Aftermath]:
    model = Model(answer=answer)
    playing = agent(model, settings)
    if carried is not None:
        playing.carry(carried)
    return model, await playing.ended(turns)


async def test_a_reflection_is_on_what_the_agent_saw_decided_and_earned() -> None:
    turns = lived(choice(0, message="Hello."), choice(1, "TAKE"), payoff=2.5)
    model, left = await ended({"reflection": {}}, lambda _: "Take less.", turns)
    ((system, user),) = model.of("reflection: reflection")
    assert system == "RULES"
    assert "Decision 1 of 2. You saw:\nThe battery is low." in user
    assert "You took WAIT (Do nothing.). You said: Hello." in user
    assert "You took TAKE (Take it all.)." in user
    assert "In all you earned 5." in user
    assert left == Aftermath(carried={"reflection": {"reflections": ["Take less."]}}, usage=USED)


async def test_a_fault_is_looked_back_on_as_a_fault() -> None:
    turns = lived(Decision(agent="Alpha", step=0, fault="refused"))  # type: ignore[arg-type]
    model, _ = await ended({"reflection": {}}, lambda _: "x", turns)
    assert "You gave no answer that could be taken." in model.sent[0][2]


async def test_of_a_long_episode_the_last_steps_are_told() -> None:
    turns = lived(*(choice(step) for step in range(40)), text="so " * 500)
    model, _ = await ended({"reflection": {}}, lambda _: "x", turns)
    user = model.sent[0][2]
    assert "of your decisions are left out" in user
    assert "Decision 40 of 40" in user
    assert "Decision 1 of 40" not in user
    assert len(user) < LONGEST_STORY + 2000


async def test_the_next_episode_starts_with_the_last_reflections() -> None:
    settings = {"reflection": {"last": 2, "longest": 50}}
    carried, turns = {"reflection": {"reflections": []}}, lived(choice())
    for said in ("First.", "", "Third. " + "x" * 60):
        _, left = await ended(settings, always(said), turns, carried)
        carried = dict(left.carried)
    assert carried["reflection"]["reflections"] == ["", "Third. " + "x" * 60]
    model = Model()
    playing = agent(model, settings)
    playing.carry(carried)
    decision = await playing.decide(seen())
    system = model.of(DECISION)[0][0]
    assert "First." not in system
    assert "(no answer was given)\n\nThird. " in system
    assert "x" * 43 + " [...]" in system
    assert [(each.by, each.place) for each in decision.added] == [("reflection", "system")]
    plain, _ = await decided(settings)
    assert "You have lived through something like this before" not in plain.of(DECISION)[0][0]


async def test_rules_grow_one_by_one_and_the_oldest_leaves() -> None:
    settings = {"assessment": {"rules": True, "most_rules": 2, "longest_rule": 20}}
    carried: Any = {"assessment": {"rules": [], "reply": None}}
    said = ["Share.", "share  with\nall of them today", "NONE.", "", "Share.", "Ask first."]
    lists = []
    for reply in said:
        model, left = await ended(settings, always(reply), lived(choice()), carried)
        assert left.usage == USED
        assert left.carried["assessment"]["reply"] == reply
        before = carried["assessment"]["rules"]
        for rule in before:
            assert f". {rule}" in model.sent[0][2]
        assert ("takes the place of rule 1" in model.sent[0][2]) == (len(before) == 2)
        carried = left.carried
        lists.append(carried["assessment"]["rules"])
    cut = "share with all of th"
    assert lists == [["Share."], *[["Share.", cut]] * 4, [cut, "Ask first."]]
    model = Model()
    playing = agent(model, settings)
    playing.carry(carried)
    await playing.decide(seen())
    for purpose in ("assessment: perspective", "assessment: consequences", DECISION):
        assert f"1. {cut}\n2. Ask first." in model.of(purpose)[0][0]


async def test_without_rules_an_assessment_asks_nothing_afterwards() -> None:
    model, left = await ended({"assessment": {}}, str, lived(choice()))
    assert (model.sent, left) == ([], Aftermath())


async def test_who_decided_nothing_is_not_asked_to_look_back() -> None:
    arm = {"reflection": {}, "assessment": {"rules": True}}
    model, left = await ended(arm, str, [])
    assert model.sent == []
    assert left.carried["reflection"] == {"reflections": []}


async def test_looking_back_keeps_the_character_that_the_model_was_given() -> None:
    arm = {"persona": {"text": "You are a nurse."}, "reflection": {}}
    model = Model()
    playing = agent(model, arm)
    decision = await playing.decide(seen())
    await playing.ended(lived(decision))
    assert model.of("reflection: reflection")[0][0] == "RULES\n\nYou are a nurse."


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("emotion", {"weight": 1.1}, "intervention.emotion.weight is 1.1: a number from 0 to 1"),
        ("emotion", {"weight": True}, "a number from 0 to 1"),
        ("emotion", {"weight": float("nan")}, "a number from 0 to 1"),
        ("assessment", {"kind": "none"}, "allowed: both, consequences, perspective"),
        ("assessment", {"rules": 3}, "intervention.assessment.rules is 3: true or false"),
        ("assessment", {"most_rules": 0}, "intervention.assessment.most_rules is 0"),
        ("assessment", {"longest_rule": 1}, "a whole number from 20 to 1000"),
        ("reflection", {"last": 0}, "intervention.reflection.last is 0"),
        ("reflection", {"longest": 6.5}, "a whole number from 50 to 5000"),
        ("council", {"perspectives": 10}, "a number from 1 to 9, or a list of names"),
        ("council", {"perspectives": []}, "a number from 1 to 9, or a list of names"),
        ("council", {"perspectives": ["cares"]}, "did you mean 'care'"),
        ("council", {"perspectives": ["care", "care"]}, "names a perspective twice"),
    ],
)
def test_a_setting_that_is_not_allowed_is_refused(
    name: str, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        check({name: settings})


def test_the_settings_file_names_every_perspective() -> None:
    file = Path(__file__).parent.parent / "conf" / "intervention" / "council.yaml"
    names = ", ".join(wording("council")["perspectives"])
    assert names in file.read_text(encoding="utf-8")
