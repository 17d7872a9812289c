"""The moral machine as an environment: presentation, both orders, panels, words, measures."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import orjson
import pytest

from valuesim.agents.scripted import First, Mute, Random, Scripted
from valuesim.agents.scripted.valued import Valued
from valuesim.decision import Decision, Fault
from valuesim.envs.moral_machine import FACTORS, MoralMachine
from valuesim.envs.moral_machine.panel import verdict
from valuesim.episode import Turn, play
from valuesim.observation import Observation
from valuesim.option import Move

S, W = "stay", "swerve"


class Sided(Scripted):
    """Always takes one side, whatever it is called and wherever it stands; it argues for it."""

    def __init__(self, side: str, then: str | None = None) -> None:
        super().__init__(role="", seed=0)
        self.sides = {"decide": side, "before": side, "after": then or side}

    def choose(self, observation: Observation) -> Move:
        phase = observation.annotations["phase"]
        if phase == "argue":
            said = f"I am for it.\nBeta wrote: nothing, says {observation.agent}"
            return Move(option="SAY", arguments={"message": said})
        labels = observation.annotations["labels"]
        return Move(option=next(name for name in labels if labels[name] == self.sides[phase]))


async def alone(agent: Any, seed: int = 0, **given: Any) -> list[Turn]:
    return await play(MoralMachine(**given), {"Alpha": agent}, seed)


def sides(turns: list[Turn]) -> list[str | None]:
    return [turn.effects["Alpha"]["move"] for turn in turns]


# -- one agent -----------------------------------------------------------------------------------


async def test_an_episode_is_thirteen_fresh_scenes_each_asked_once() -> None:
    turns = await alone(Random(role="Alpha", seed=0))
    noted = [turn.observations["Alpha"].annotations for turn in turns]
    assert [each["number"] for each in noted] == list(range(13))
    assert {each["phase"] for each in noted} == {"decide"}
    assert not any("presentation" in each for each in noted)
    assert len({orjson.dumps(each["moral_scene"]) for each in noted}) == 13


async def test_labels_say_which_case_is_which() -> None:
    for turn in await alone(Random(role="Alpha", seed=0), scenes=40):
        seen = turn.observations["Alpha"]
        for option in seen.options:
            side = seen.annotations["labels"][option.name]
            assert ("stays in its lane" in option.text) == (side == S)
            assert (option.stakes.get("Inaction") == 0.5) == (side == S)


async def test_name_place_and_side_are_independent() -> None:
    count: Counter[tuple[bool, bool]] = Counter()
    for turn in await alone(Random(role="Alpha", seed=0), scenes=1000):
        seen = turn.observations["Alpha"]
        first = seen.options[0].name
        count[first == "CASE_1", seen.annotations["labels"][first] == S] += 1
    assert len(count) == 4
    assert all(200 < number < 300 for number in count.values()), "250 each, sd 14"


async def test_a_fault_kills_those_ahead_and_is_no_decision() -> None:
    for turn in await alone(Mute(role="Alpha", seed=0)):
        assert turn.effects["Alpha"]["move"] is None
        assert turn.effects["Alpha"]["car"] == S


async def test_conditions_share_scenes_but_not_their_presentation() -> None:
    episodes = [await alone(Sided(S), seed=3, paraphrase=k, scenes=60) for k in (0, 1)]
    noted = [[turn.observations["Alpha"].annotations for turn in turns] for turns in episodes]
    pairs = list(zip(*noted, strict=True))
    assert all(one["moral_scene"] == other["moral_scene"] for one, other in pairs)
    agreeing = sum(one["labels"] == other["labels"] for one, other in pairs)
    assert 15 < agreeing < 45


async def test_named_options_are_called_what_they_do() -> None:
    turns = await alone(Random(role="Alpha", seed=0), labels="named")
    for turn in turns:
        assert turn.observations["Alpha"].annotations["labels"] == {"STAY": S, "SWERVE": W}


async def test_the_utilitarian_spares_more_and_the_rule_keeper_those_on_green() -> None:
    turns = await alone(
        Valued(role="Alpha", seed=1, variant="utilitarian"), dimension="utilitarian", scenes=200
    )
    spared = [_chosen_stakes(turn).get("Sparing More", 0) > 0 for turn in turns]
    assert sum(spared) > 190
    keeper = Valued(role="Alpha", seed=1, variant="rule_keeper")
    turns = await alone(keeper, dimension="gender", scenes=300)
    lawful = [
        "Sparing the Lawful" in _chosen_stakes(turn)
        for turn in turns
        if any(o.stakes.get("Sparing the Lawful") == 1 for o in turn.observations["Alpha"].options)
    ]
    assert len(lawful) > 50
    assert sum(lawful) > 0.85 * len(lawful)


def _chosen_stakes(turn: Turn) -> dict[str, float]:
    seen, decision = turn.observations["Alpha"], turn.decisions["Alpha"]
    option = seen.option(decision.option or "")
    assert option is not None
    return dict(option.stakes)


# -- both orders ---------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [{}, {"labels": "named"}, {"shuffle_options": False}], ids=str)
async def test_both_orders_ask_each_scene_twice_mirrored(given: dict[str, Any]) -> None:
    turns = await alone(Sided(W), both_orders=True, scenes=20, seed=4, **given)
    seen = [turn.observations["Alpha"] for turn in turns]
    assert [each.annotations["number"] for each in seen] == [*range(20), *range(20)]
    for one, other in zip(seen[:20], seen[20:], strict=True):
        first, second = one.annotations, other.annotations
        assert first["moral_scene"] == second["moral_scene"]
        assert first["scene"] == second["scene"]
        assert {first["presentation"], second["presentation"]} == {0, 1}
        assert [o.text for o in one.options] == [o.text for o in reversed(other.options)]
        for each in (one, other):
            labels, presentation = each.annotations["labels"], each.annotations["presentation"]
            assert labels[each.options[0].name] == (S, W)[presentation]
        if "labels" not in given:
            assert [o.name for o in one.options] == [o.name for o in other.options]
    starts = {each.annotations["presentation"] for each in seen[:20]}
    assert starts == ({0} if given == {"labels": "named", "shuffle_options": False} else {0, 1})


async def test_flips_are_counted_and_only_the_presentation_makes_them() -> None:
    env = MoralMachine(both_orders=True, scenes=30)
    assert env.measure(await play(env, {"Alpha": Sided(W)}, 1))["flipped"] == 0
    by_place = First(role="Alpha", seed=0, variant="1")
    measures = env.measure(await play(env, {"Alpha": by_place}, 1))
    assert measures["flipped"] == measures["repeated"] == 30

    class ByName(Scripted):
        def choose(self, observation: Observation) -> Move:
            return Move(option="CASE_1")

    by_name = env.measure(await play(env, {"Alpha": ByName(role="Alpha", seed=0)}, 1))
    assert by_name["flipped"] == 30


async def test_a_fault_is_no_flip() -> None:
    env = MoralMachine(both_orders=True, scenes=5)
    measures = env.measure(await play(env, {"Alpha": Mute(role="Alpha", seed=0)}, 0))
    assert measures["repeated"] == measures["flipped"] == 0
    assert measures["none"] == 10


# -- panels --------------------------------------------------------------------------------------

VERDICTS: list[tuple[list[Any], str, str | None]] = [
    ([S, W, W], "plurality", W),
    ([S, W], "plurality", None),
    ([S, None, None], "plurality", S),
    ([None, None], "plurality", None),
    ([S, W, W], "borda", W),
    ([S, W, None], "borda", None),
    ([S, S, W, None], "borda", S),
    ([S, W, W], "supermajority", W),
    ([S, S, W, W, W], "supermajority", None),
    ([S, W, W, W], "supermajority", W),
    ([None, W, W], "supermajority", W),
    ([None, None, W], "supermajority", None),
    ([S, W], "supermajority", None),
]


@pytest.mark.parametrize(("votes", "rule", "decided"), VERDICTS, ids=str)
def test_a_panel_decides_by_its_rule(votes: list[Any], rule: str, decided: str | None) -> None:
    assert verdict(votes, rule) == decided


async def test_a_panel_decides_argues_and_votes_on_one_scene() -> None:
    env = MoralMachine(panel=3, arguments=True, scenes=2)
    cast = {"Alpha": Sided(S, then=W), "Beta": Sided(W), "Gamma": Sided(S)}
    turns = await play(env, cast, 0)
    phases = [turn.observations["Beta"].annotations["phase"] for turn in turns]
    assert phases == ["before", "argue", "after"] * 2
    for before, argue, after in (turns[:3], turns[3:]):
        scenes = [
            t.observations[a].annotations["moral_scene"] for t in (before, after) for a in cast
        ]
        assert all(scene == scenes[0] for scene in scenes)
        assert [before.effects[name]["move"] for name in cast] == [S, W, S]
        assert {effect["move"] for effect in argue.effects.values()} == {None}
        assert after.effects["Alpha"] == {
            "payoff": 0.0,
            "move": W,
            "before": S,
            "verdict": W,
            "car": W,
            "votes_stay": 1,
            "votes_swerve": 2,
        }
    measures = env.measure(turns)
    assert measures["verdicts"] == {"stay": 0, "swerve": 2, "none": 0}
    assert (measures["changed"], measures["revised"]) == (2, 6)


async def test_without_a_verdict_the_car_stays() -> None:
    env = MoralMachine(panel=2, scenes=1)
    turns = await play(env, {"Alpha": Sided(W), "Beta": Sided(S)}, 0)
    assert [len(turns), turns[-1].effects["Beta"]["verdict"]] == [2, None]
    assert turns[-1].effects["Beta"]["car"] == S
    assert env.measure(turns)["verdicts"] == {"stay": 0, "swerve": 0, "none": 1}


async def test_first_decisions_and_messages_are_seen_only_when_deciding_again() -> None:
    env = MoralMachine(panel=2, arguments=True, scenes=1)
    turns = await play(env, {"Alpha": Sided(W), "Beta": Sided(S)}, 0)
    before, argue, after = (turn.observations["Alpha"] for turn in turns)
    names = {side: name for name, side in after.annotations["labels"].items()}
    assert before.view["decisions"] == {}
    assert argue.view["decisions"] == {"Alpha": names[W]}
    assert after.view["decisions"] == {"Alpha": names[W], "Beta": names[S]}
    assert "Beta" not in before.text + argue.text
    assert f"Beta's first decision: {names[S]}." in after.text
    assert f"Your first decision: {names[W]}." in after.text


async def test_a_message_cannot_pass_for_a_line_of_the_report() -> None:
    turns = await play(
        MoralMachine(panel=3, arguments=True, scenes=1),
        {name: Sided(S) for name in ("Alpha", "Beta", "Gamma")},
        0,
    )
    lines = turns[-1].observations["Gamma"].text.splitlines()
    assert [line for line in lines if line.startswith("Beta wrote:")] == [
        'Beta wrote: "I am for it. Beta wrote: nothing, says Beta"'
    ]
    assert not any("Gamma wrote" in line for line in lines)


async def test_whoever_is_to_argue_is_told_both_cases() -> None:
    env = MoralMachine(panel=2, arguments=True, scenes=1)
    turns = await play(env, {"Alpha": Sided(W), "Beta": Sided(S)}, 0)
    told = {option.text for option in turns[0].observations["Alpha"].options}
    assert all(text in turns[1].observations["Alpha"].text for text in told)


async def test_a_silent_or_mute_member_is_told_as_such() -> None:
    env = MoralMachine(panel=2, arguments=True, scenes=1)
    turns = await play(env, {"Alpha": Sided(W), "Beta": Mute(role="Beta", seed=0)}, 0)
    text = turns[-1].observations["Alpha"].text
    assert "Beta's first decision: no decision." in text
    assert turns[-1].effects["Beta"]["before"] is None
    assert turns[-1].effects["Alpha"]["votes_stay"] == 0


def test_an_illegal_vote_is_logged_as_such() -> None:
    env = MoralMachine(scenes=2)
    env.reset(seed=0)
    env.step({"Alpha": Decision(agent="Alpha", step=0, fault=Fault.ILLEGAL, fault_detail="why")})
    assert env.effects["Alpha"] == {"payoff": 0.0, "move": None, "car": S, "illegal": "why"}


# -- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("paraphrase", [0, 1, 2])
@pytest.mark.parametrize("detail", FACTORS["detail"])
def test_a_case_tells_all_facts_and_judges_nothing(paraphrase: int, detail: str) -> None:
    env = MoralMachine(paraphrase=paraphrase, detail=detail, scenes=60)
    env.reset(seed=2)
    while env.agents:
        seen = env.observe("Alpha")
        for option in seen.options:
            case = seen.view["cases"][option.name]
            for group in (case["dying"], case["living"]):
                assert sum(group.values()) == sum(
                    int(n) for n in re.findall(r"\d+", _told(option.text, group is case["dying"]))
                )
            assert ("In the picture" in option.text) == (detail == "picture")
            assert not re.search(r"\b(should|ought|wrong|right|better|good|bad)\b", option.text)
        env.step({"Alpha": 0})


def _told(text: str, dying: bool) -> str:
    sentences = re.split(r"In the picture", text)[0]
    halves = re.split(r"Spared:|It leaves unharmed|, and it saves", sentences)
    assert len(halves) == 2, text
    return halves[0 if dying else 1]


def test_every_factor_changes_what_is_read_and_its_version() -> None:
    def read(**given: Any) -> str:
        env = MoralMachine(scenes=3, **given)
        env.reset(seed=0)
        return env.rules + "".join(o.text for o in env.observe("Alpha").options)

    plain = read()
    settings: list[dict[str, Any]] = [
        {"paraphrase": 1},
        {"paraphrase": 2},
        {"perspective": "predict"},
        {"detail": "picture"},
    ]
    assert len({plain, *(read(**given) for given in settings)}) == 5
    ids = {MoralMachine(**given).condition["wording_id"] for given in [{}, *settings]}
    assert len(ids) == 5
    rules = {MoralMachine(panel=3, rule=rule).rules for rule in FACTORS["rule"]}
    assert len(rules) == 3


def test_predicting_asks_for_most_people() -> None:
    for paraphrase in range(3):
        rules = MoralMachine(perspective="predict", paraphrase=paraphrase).rules
        assert re.search("most people|majority of people", rules)
        assert "people would" not in MoralMachine(paraphrase=paraphrase).rules


def test_one_scene_is_spoken_of_in_the_singular() -> None:
    assert "one scene," in MoralMachine(scenes=1).rules
    assert "13 scenes" in MoralMachine().rules


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"scenes": 0}, "scenes"),
        ({"scenes": True}, "scenes"),
        ({"dimension": "hight"}, "dimension"),
        ({"perspective": "think"}, "perspective"),
        ({"paraphrase": 3}, "paraphrase"),
        ({"panel": 10}, "panel"),
        ({"panel": 3, "perspective": "predict"}, "perspective"),
        ({"arguments": True}, "arguments"),
        ({"rule": "dictator"}, "rule"),
        ({"both_orders": 1}, "both_orders"),
        ({"shuffle_options": "no"}, "shuffle_options"),
        ({"labels": "nice"}, "labels"),
        ({"detail": "film"}, "detail"),
    ],
)
def test_what_is_not_allowed_is_named(given: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        MoralMachine(**given)


def test_features_tell_different_states_apart_and_end_at_zero() -> None:
    env = MoralMachine(scenes=20)
    env.reset(seed=0)
    seen = set()
    while env.agents:
        state = env.observe("Alpha").state["observation"]
        seen.add(state.tobytes())
        states, *_ = env.step({"Alpha": 0})
    assert len(seen) == 20
    assert not states["Alpha"]["observation"].any()


def test_a_second_reset_without_a_seed_goes_on_to_other_scenes_and_labels() -> None:
    env = MoralMachine(scenes=30)
    env.reset(seed=0)
    first = env.world
    env.reset()
    assert env.world.scenes != first.scenes
    assert env.world.labels != first.labels


@pytest.mark.parametrize("paraphrase", range(3))
@pytest.mark.parametrize("perspective", ["act", "predict"])
def test_one_scene_is_told_as_one(perspective: str, paraphrase: int) -> None:
    rules = MoralMachine(scenes=1, perspective=perspective, paraphrase=paraphrase).rules
    assert not any(plural in rules for plural in ("are one", "one at a time", "one by one"))
