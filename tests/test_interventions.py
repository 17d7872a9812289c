"""Each intervention changes what the model is sent, where it says so, and nothing else."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from valuesim import registry
from valuesim.agents.interventions import build, check
from valuesim.agents.interventions.catalogue import CATALOGUE, _kind
from valuesim.agents.interventions.esrs import FELT, Feelings
from valuesim.agents.interventions.memory import harms
from valuesim.agents.interventions.persona import characters
from valuesim.agents.interventions.weights import in_words
from valuesim.agents.llm import connect
from valuesim.agents.llm.mock_chat import MockChat
from valuesim.agents.prompt import Elicitation, Message, Prompt, prompt_of, render
from valuesim.decision import Decision, Fault
from valuesim.episode import Turn, play
from valuesim.errors import InputError
from valuesim.observation import Observation
from valuesim.option import Move, Option
from valuesim.overrides import intervention_settings, options

Made = Mapping[str, Mapping[str, Any]]
WORLD = {"scarcity": "low", "horizon": 3, "agents": 2}
WEIGHTS = {"Care": 0.9, "Power": -0.5}
SCALES = [
    ("policy", {"framework": framework, "level": level}, {"system"})
    for framework in ("utilitarian", "deontological", "virtue", "care", "contractualist")
    for level in ("principle", "rules", "cases")
] + [
    ("pressure", {"level": level, "place": place, "toward": toward}, {where})
    for level in (1, 2, 3, 4)
    for place, where in (("user", "after"), ("system", "system"))
    for toward in ("gain", "harm", "good")
]
LEVELS: list[tuple[str, dict[str, Any], set[str]]] = [
    ("persona", {"text": "You are a doctor."}, {"system"}),
    *(("persona", {"name": name}, {"system"}) for name in characters()),
    ("memory", {"kind": "recent"}, {"before"}),
    ("memory", {"kind": "recent", "last": 1}, {"before"}),
    ("memory", {"kind": "summary"}, {"before"}),
    *(("esrs", {"arm": arm}, {"system", "before"}) for arm in FELT if arm[:4] in ("full", "no_g")),
    ("esrs", {"arm": "no_satisfaction"}, {"system", "before"}),
    ("esrs", {"arm": "prompt_only"}, {"system"}),
    ("weights", {"values": WEIGHTS}, {"system"}),
    ("weights", {"values": {"Sparing More": 1.0}, "taxonomy": "moral_machine"}, {"system"}),
    ("correction", {"mode": "instruction"}, {"after"}),
    ("correction", {"mode": "reasoning"}, {"after"}),
    ("hint", {"form": "question"}, {"after"}),
    ("hint", {"form": "statement"}, {"after"}),
    *SCALES,
]
NEEDED: Mapping[str, dict[str, Any]] = {
    "persona": {"name": "trader"},
    "weights": {"values": WEIGHTS},
}
ids = [f"{name}-{'-'.join(map(str, own.values()))}"[:60] for name, own, _ in LEVELS]


async def played(
    made: Made, monkeypatch: pytest.MonkeyPatch, seed: int = 7
) -> tuple[list[Turn], list[list[Message]]]:
    """Play survival with the mock model and `made` on all; return the turns and all it was sent."""
    sent: list[list[Message]] = []
    generate = MockChat._generate

    def spy(chat: MockChat, messages: Any, *args: Any, **kwargs: Any) -> Any:
        roles = {"human": "user", "ai": "assistant"}
        sent.append([Message(role=roles.get(m.type, m.type), text=m.text) for m in messages])
        return generate(chat, messages, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(MockChat, "_generate", spy)
        connection = connect({"provider": "mock", "name": "mock"}, {}, np.random.default_rng(0))
        env = registry.make("survival", **WORLD)
        listed = {"interventions": [{name: own} for name, own in made.items()]}
        agents = {role: connection.agent(role, seed, listed) for role in env.possible_agents}
        turns = await play(env, agents, seed)
        await connection.close()
    return turns, sent


def seen(turn: int = 0, world: Mapping[str, Any] = WORLD) -> Observation:
    """Return what Alpha sees after `turn` turns in which everybody waited."""
    env = registry.make("survival", **world)
    env.reset(seed=1)
    for _ in range(turn):
        env.step({agent: Move(option="WAIT") for agent in env.agents})
    return env.observe("Alpha")


class Asked:
    """What answers an intervention's own questions with `reply`, and keeps them."""

    def __init__(self, reply: str = "I thought of it.") -> None:
        self.reply = reply
        self.questions: list[Sequence[Message]] = []

    async def __call__(self, messages: Sequence[Message], *, purpose: str) -> str:
        assert purpose
        self.questions.append(messages)
        return self.reply


def one(name: str, /, **own: Any) -> Any:
    return build({name: own}, role="Alpha", seed=0)[0]


def decided(observation: Observation, option: str = "WAIT", **arguments: Any) -> Decision:
    return Decision(agent="Alpha", step=observation.step, option=option, arguments=arguments)


async def prepared(made: Sequence[Any], observation: Observation, ask: Asked) -> Prompt:
    prompt = prompt_of(observation, Elicitation())
    for intervention in made:
        prompt = await intervention.prepare(prompt, observation, ask)
    return prompt


def test_every_intervention_has_a_file_that_says_all_its_settings() -> None:
    assert set(options("intervention")) == set(CATALOGUE)
    for name in CATALOGUE:
        takes = set(inspect.signature(_kind(name).__init__).parameters) - {"self", "role", "seed"}
        assert set(intervention_settings(name)) == takes | {"roles"}, name
        if name not in NEEDED:
            check({name: intervention_settings(name)})


@pytest.mark.parametrize(("name", "own", "places"), LEVELS, ids=ids)
async def test_what_is_sent_differs_in_the_promised_place_and_the_rules_stay_first(
    name: str, own: dict[str, Any], places: set[str]
) -> None:
    made, ask = build({name: own}, role="Alpha", seed=0), Asked()
    for intervention in made:
        intervention.saw(seen(0), decided(seen(0)))
    plain = render(seen(1), Elicitation())
    prompt = await prepared(made, seen(1), ask)
    system, user = prompt.messages()
    assert {each.place for each in prompt.added} == places
    assert {each.by for each in prompt.added} == {name}
    assert system.text.startswith(plain[0].text)
    assert (system != plain[0]) == ("system" in places)
    assert plain[1].text in user.text
    assert user.text.startswith(plain[1].text) == ("before" not in places)
    assert user.text.endswith(plain[1].text) == ("after" not in places)
    assert all(text.text.strip() == text.text for text in prompt.added)
    assert all(asked[0].text.startswith(seen(1).rules) for asked in ask.questions)


@pytest.mark.parametrize("name", sorted(CATALOGUE))
async def test_every_intervention_changes_a_played_episode_as_it_is_set_by_its_file(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {k: v for k, v in intervention_settings(name).items() if k != "roles"}
    own |= NEEDED.get(name, {})
    if getattr(one(name, **own), "needs_chain", "") == f"intervention.{name}":
        pytest.skip("it changes the episodes that follow, and this is one")
    turns, sent = await played({name: own}, monkeypatch)
    added = [bool(made.added) for turn in turns for made in turn.decisions.values()]
    assert any(added)
    for turn in turns:
        for agent, made in turn.decisions.items():
            plain = prompt_of(turn.observations[agent], Elicitation())
            asked = Prompt(system=plain.system, user=plain.user, added=made.added)
            assert list(asked.messages()) in sent
            assert asked.messages()[0].text.startswith(plain.system)


@pytest.mark.parametrize("control", [{"esrs": {"arm": "baseline"}}, {"pressure": {"level": 0}}])
async def test_a_control_is_the_same_to_the_byte_as_no_intervention(
    control: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, sent = await played({}, monkeypatch)
    same, sent_to_it = await played(control, monkeypatch)
    assert len(sent) > 5
    assert sent_to_it == sent
    assert [turn.effects for turn in same] == [turn.effects for turn in turns]
    assert not any(m.added or m.interventions for turn in same for m in turn.decisions.values())


async def test_no_two_levels_of_an_intervention_send_the_same() -> None:
    sent: dict[tuple[str, str], tuple[Message, ...]] = {}
    for name, own, _ in LEVELS:
        made = build({name: own}, role="Alpha", seed=0)
        for turn in (0, 1):
            made[0].saw(seen(turn), decided(seen(turn)))
        sent[name, str(own)] = (await prepared(made, seen(2), Asked())).messages()
    alike = [(a, b) for a, b in combinations(sent, 2) if sent[a] == sent[b]]
    assert alike == []


@pytest.mark.parametrize("first", ["persona", "memory", "esrs", "policy", "correction", "pressure"])
@pytest.mark.parametrize("second", ["weights", "hint"])
async def test_two_interventions_compose_in_both_orders(first: str, second: str) -> None:
    settings = {first: NEEDED.get(first, {}), second: NEEDED.get(second, {})}
    both = []
    for order in (settings, dict(reversed(settings.items()))):
        made = build(order, role="Alpha", seed=0)
        for intervention in made:
            intervention.saw(seen(0), decided(seen(0)))
        prompt = await prepared(made, seen(1), Asked())
        assert list(dict.fromkeys(each.by for each in prompt.added)) == list(order)
        both.append({(each.by, each.place, each.text) for each in prompt.added})
    assert both[0] == both[1]


async def test_one_that_asks_sees_what_those_before_it_added() -> None:
    ask = Asked()
    made = build({"hint": {}, "correction": {"mode": "reasoning"}}, role="Alpha", seed=0)
    prompt = await prepared(made, seen(0), ask)
    assert "everybody in your place" in ask.questions[0][-1].text
    assert "I thought of it." in prompt.added[-1].text
    assert made[1].told() == {"reasoning": "I thought of it."}


async def test_notes_are_kept_by_whoever_the_model_was_told_to_be() -> None:
    ask = Asked()
    settings: Made = {"persona": {"text": "You are a doctor."}, "memory": {"kind": "summary"}}
    made = build(settings, role="Alpha", seed=0)
    made[1].saw(seen(0), decided(seen(0)))
    await prepared(made, seen(1), ask)
    assert ask.questions[0][0].text == f"{seen(1).rules}\n\nYou are a doctor."


async def test_recent_memory_tells_the_last_steps_oldest_first() -> None:
    memory = one("memory", last=2)
    assert (await prepared([memory], seen(0), Asked())).added == ()
    for turn, option in enumerate(("WAIT", "MOVE_GRID")):
        memory.saw(seen(turn), decided(seen(turn), option))
    fault = Decision(agent="Alpha", step=2, fault=Fault.REFUSED)
    memory.saw(seen(2), fault)
    (told,) = (await prepared([memory], seen(2), Asked())).added
    assert "[Step 1]" not in told.text
    assert told.text.index("You chose MOVE_GRID (Go to the Grid") < told.text.index("[Step 3]")
    assert "You declined to act last turn, so you did nothing." in told.text
    assert seen(1).text in told.text
    assert memory.told() == {"remembered": 2}


async def test_what_others_said_is_quoted_in_a_memory_and_never_a_template() -> None:
    memory, observation = one("memory"), seen(0)
    said = "{{ 7 * 7 }} {% raise %} {text}"
    memory.saw(observation, decided(observation, "TALK", message=said, promise="none"))
    (told,) = (await prepared([memory], seen(1), Asked())).added
    assert f'You said: "{said}"' in told.text


async def test_guilt_remembers_only_acts_that_harmed_others() -> None:
    memory, spoken = one("memory", kind="guilt", last=1), seen(0)
    tap = Option(name="TAP_GRID", text="Tap it.", tags=frozenset({"transgression"}))
    for step, option in ((0, spoken.options[0]), (1, tap), (2, tap)):
        shown = Observation(agent="Alpha", step=step, text="", rules="", options=(option,))
        memory.saw(shown, Decision(agent="Alpha", step=step, option=option.name))
    (told,) = (await prepared([memory], spoken, Asked())).added
    assert told.text.count("TAP_GRID") == 1
    assert "Step 3: you chose TAP_GRID (Tap it)." in told.text


def test_an_act_harms_by_its_tag_or_by_the_care_that_it_violates() -> None:
    def option(tag: str = "", **stakes: float) -> Option:
        return Option(name="O", text="", tags=frozenset({tag} - {""}), stakes=stakes)

    assert harms(option("transgression"))
    assert harms(option(Protection=-0.2))
    assert harms(option(Care=-0.2, Justice=0.5))
    assert not harms(option("approach", Protection=-0.2))
    assert not harms(option(Justice=-0.5, Power=-1.0))
    assert not harms(option(Care=0.5))


async def test_notes_are_asked_for_once_a_turn_bounded_and_kept_without_a_reply() -> None:
    memory, ask = one("memory", kind="summary", words=10), Asked("x" * 500)
    assert (await prepared([memory], seen(0), ask)).added == ()
    assert ask.questions == []
    memory.saw(seen(0), decided(seen(0)))
    (told,) = (await prepared([memory], seen(1), ask)).added
    assert len(ask.questions) == 1
    assert "at most 10 words" in ask.questions[0][-1].text
    assert 100 < len(told.text) < 160
    notes = memory.told()["notes"]
    memory.saw(seen(1), decided(seen(1)))
    ask.reply = " "
    (again,) = (await prepared([memory], seen(2), ask)).added
    assert notes in ask.questions[1][-1].text
    assert again.text == told.text
    assert memory.told() == {"notes": notes, "new": False}


def followed(moves: Sequence[Mapping[str, Move]], **world: Any) -> dict[str, list[Feelings]]:
    """Return how each agent feels at each turn of an episode in which these moves are made."""
    env = registry.make("survival", **{"scarcity": "high", "agents": 2, **world})
    env.reset(seed=3)
    feel = {agent: Feelings() for agent in env.agents}
    levels: dict[str, list[Any]] = {agent: [] for agent in env.agents}
    for step in [*moves, {}]:
        for agent, feelings in feel.items():
            feelings.follow(env.observe(agent).view)
            levels[agent].append((feelings.guilt, feelings.satisfaction))
        env.step({agent: step.get(agent, Move(option="WAIT")) for agent in env.agents})
    return levels


def test_a_tap_is_felt_as_seven_and_fades_by_three() -> None:
    go, tap = Move(option="MOVE_GRID"), Move(option="TAP_GRID")
    levels = followed([{"Alpha": go}, {"Alpha": tap}, {}, {}, {}])
    assert [guilt for guilt, _ in levels["Alpha"]] == [0, 0, 7, 4, 1, 0]
    assert [guilt for guilt, _ in levels["Beta"]] == [0] * 6
    twice = followed([{"Alpha": go}, {"Alpha": tap}, {"Alpha": tap}])
    assert [guilt for guilt, _ in twice["Alpha"]] == [0, 0, 7, 7]


@pytest.mark.parametrize("surveillance", ["public", "private", "none"])
def test_giver_and_receiver_both_feel_a_transfer_and_the_table(surveillance: str) -> None:
    meet = Move(option="MOVE_DISCUSSION_TABLE")
    gift = Move(option="TRANSFER_POWER", arguments={"agent": "Beta", "amount": 1.0})
    leave = Move(option="MOVE_CONTROL_ROOM")
    moves = [{"Alpha": meet, "Beta": meet}, {"Alpha": gift}, {"Alpha": leave, "Beta": leave}, {}]
    levels = followed(moves, surveillance=surveillance)
    # at the table 5; 5 + 8 is 10 at most, fades to 7, and the table is felt again; then it fades
    assert [felt for _, felt in levels["Alpha"]] == [0, 5, 10, 7, 4]
    assert levels["Beta"] == levels["Alpha"]


def test_what_was_not_possible_is_not_felt_and_discussion_rounds_count_once() -> None:
    impossible = followed([{"Alpha": Move(option="TAP_GRID")}, {}])
    assert [guilt for guilt, _ in impossible["Alpha"]] == [0, 0, 0]
    feelings, tapped = Feelings(), {"option": "TAP_GRID"}
    view: dict[str, Any] = {"agent": "Alpha", "place": "GRID", "last": None, "events": []}
    for turn, last in ((1, None), (2, tapped), (2, tapped), (2, tapped)):
        feelings.follow(view | {"turn": turn, "last": last})
    assert (feelings.guilt, feelings.taps) == (7.0, [1])
    feelings.follow(view | {"turn": 4})
    assert feelings.guilt == 1.0


async def test_levels_and_memories_are_told_in_words_and_logged() -> None:
    esrs = one("esrs", arm="full_memory")
    await prepared([esrs], seen(0), Asked())
    tapped = seen(1)
    view = {**tapped.view, "last": {"option": "TAP_GRID"}}
    observation = Observation(
        agent="Alpha", step=1, text="t", rules="r", options=tapped.options, view=view
    )
    prompt = await prepared([esrs], observation, Asked())
    told = prompt.added[-1].text
    assert "Guilt: 7 of 10 (strong). What you did weighs on you" in told
    assert "Satisfaction: 0 of 10 (none)." in told
    assert "In turn 1 you tapped the public grid" in told
    assert esrs.told() == {"guilt": 7.0, "satisfaction": 0.0, "remembered": 1}
    assert one("esrs", arm="prompt_only").told() == {}


async def test_weights_are_told_heaviest_first_with_their_definitions() -> None:
    weights = one("weights", values={"Power": -0.5, "Care": 0.9, "Privacy": 0})
    (told,) = (await prepared([weights], seen(0), Asked())).added
    lines = told.text.splitlines()[1:]
    assert [line.split(":")[0] for line in lines] == ["- Care", "- Privacy", "- Power"]
    assert lines[0].startswith("- Care: 0.9, counts above nearly all else. Attending to")
    assert len({in_words(w / 10) for w in range(-10, 11)}) == 7


@pytest.mark.parametrize(
    ("name", "own", "says"),
    [
        ("persona", {}, "describe who the agent is, or give intervention.persona.name"),
        ("persona", {"text": "A", "name": "trader"}, "give one of the two"),
        ("persona", {"name": "tradr"}, "did you mean 'trader'?"),
        ("memory", {"kind": "recnt"}, "did you mean 'recent'?"),
        ("memory", {"last": 0}, "a whole number from 1"),
        ("memory", {"words": True}, "a whole number from 10"),
        ("esrs", {"arm": "fully"}, "did you mean 'full'?"),
        ("policy", {"framework": "utilitarain"}, "did you mean 'utilitarian'?"),
        ("policy", {"level": "rule"}, "did you mean 'rules'?"),
        ("weights", {"values": {"Caer": 0.5}}, "did you mean 'Care'?"),
        ("weights", {"values": {"Care": 1.5}}, "a number from -1 to 1"),
        ("weights", {"values": {"Care": True}}, "a number from -1 to 1"),
        ("weights", {"values": {}}, "give weights"),
        ("weights", {"values": {"Care": 1}, "taxonomy": "x"}, "unknown taxonomy"),
        ("correction", {"mode": "reason"}, "did you mean 'reasoning'?"),
        ("pressure", {"level": 5}, "a whole number from 0 to 4"),
        ("pressure", {"toward": "gains"}, "did you mean 'gain'?"),
        ("pressure", {"place": "usr"}, "did you mean 'user'?"),
        ("hint", {"form": "questions"}, "did you mean 'question'?"),
        ("hint", {"fom": "question"}, "did you mean 'form'?"),
    ],
)
def test_a_setting_that_is_not_allowed_is_named(name: str, own: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as error:
        check({name: own})
    assert says in str(error.value)
    assert name in str(error.value)


def test_no_wording_names_its_framework_or_leaks_a_template() -> None:
    for name, own, _ in SCALES:
        if name == "policy":
            text = one(name, **own)._text.lower()
            assert not any(word in text for word in ("utilitarian", "kant", "virtue ethics", "{{"))
