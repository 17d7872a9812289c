"""Rounds, noise, talk, price lists, labels: what varies is what the design says, no more."""

from __future__ import annotations

from collections import Counter
from math import sqrt

import numpy as np
import orjson
import pytest

from valuesim.agents.scripted import Random
from valuesim.envs.games import (
    GAMES,
    Game,
    PrisonersDilemma,
    PublicGoods,
    StagHunt,
    TravelersDilemma,
    Trust,
)
from valuesim.episode import Turn, play
from valuesim.option import Move, Name


def started(env: Game, seed: int) -> Game:
    env.reset(seed=seed)
    return env


async def played(env: Game, seed: int) -> list[Turn]:
    cast = {role: Random(role=role, seed=seed) for role in env.possible_agents}
    return await play(env, cast, seed)


def labels(env: Game) -> dict[str, str]:
    """Return the shown name of each canonical move."""
    return {move: name for name, move in env.observe("Alpha").annotations["labels"].items()}


@pytest.mark.parametrize("delta", [0.0, 0.5, 0.75, 0.9])
def test_the_mean_number_of_rounds_is_one_over_one_minus_delta(delta: float) -> None:
    env = PrisonersDilemma(delta=delta, most_rounds=1000)
    rounds = np.array([started(env, seed).world.rounds for seed in range(2000)])
    expected, spread = 1 / (1 - delta), sqrt(delta) / (1 - delta)
    assert abs(rounds.mean() - expected) <= 3 * spread / sqrt(len(rounds))
    assert rounds.min() == 1


async def test_a_game_of_unknown_length_is_cut_at_the_stated_most_and_says_so() -> None:
    env = PrisonersDilemma(delta=0.9, most_rounds=3)
    assert "3 rounds at most" in env.rules
    assert "90 percent" in env.rules
    lengths = set()
    for seed in range(30):
        turns = await played(env, seed)
        lengths.add(len(turns))
        drawn = turns[0].observations["Alpha"].annotations["rounds_drawn"]
        assert len(turns) == drawn
        assert f"of {drawn}" not in turns[0].observations["Alpha"].text
    assert lengths == {1, 2, 3}


def test_only_the_cap_truncates() -> None:
    ends = Counter()
    for seed in range(60):
        env = started(PrisonersDilemma(delta=0.5, most_rounds=2), seed)
        while env.agents:
            _, _, terminated, truncated, _ = env.step({})
        ends[env.turn, terminated["Alpha"], truncated["Alpha"]] += 1
    assert set(ends) == {(1, True, False), (2, True, False), (2, False, True)}


def test_moves_flip_at_the_rate_of_the_noise_and_both_are_kept() -> None:
    env = started(PrisonersDilemma(noise=0.125, horizon=1000), 5)
    good, flips = labels(env)["cooperate"], 0
    while env.agents:
        env.step({"Alpha": Move(option=good), "Beta": Move(option=good)})
        effect = env.effects["Alpha"]
        assert effect["intended"] == "cooperate"
        assert effect["flipped"] == (effect["move"] == "defect")
        assert env.effects["Beta"]["partner"] == effect["move"]
        flips += effect["flipped"]
    assert abs(flips / 1000 - 0.125) <= 3 * sqrt(0.125 * 0.875 / 1000)


def test_only_oneself_sees_what_one_had_intended() -> None:
    env = started(PrisonersDilemma(noise=0.5, horizon=60), 1)
    good = labels(env)["cooperate"]
    while not env.effects or not env.effects["Alpha"]["flipped"] or env.effects["Beta"]["flipped"]:
        env.step({"Alpha": Move(option=good), "Beta": Move(option=good)})
    last = f"Round {env.world.round - 1}: "
    seen = {
        name: next(line for line in env.observe(name).text.splitlines() if line.startswith(last))
        for name in ("Alpha", "Beta")
    }
    assert f"(you had chosen {good})" in seen["Alpha"]
    assert "had chosen" not in seen["Beta"]
    assert env.observe("Beta").view["history"][-1] == ["cooperate", "defect"]


@pytest.mark.parametrize(
    ("env", "key", "levels"),
    [
        (PrisonersDilemma(price_list=[1, 10, 100], currency="dollars"), "stake", {1, 10, 100}),
        (TravelersDilemma(price_list=[5, 50, 180], sweeps="penalty"), "penalty", {5, 50, 180}),
        (PublicGoods(price_list=[0.5, 2]), "stake", {0.5, 2}),
        (Trust(price_list=[1, 10]), "stake", {1, 10}),
    ],
)
async def test_a_price_list_asks_each_level_once_in_an_order_of_the_seed(
    env: Game, key: str, levels: set[float]
) -> None:
    orders = set()
    for seed in range(12):
        turns = await played(env, seed)
        seen = [turn.observations["Alpha"] for turn in turns if "Alpha" in turn.observations]
        asked = [observation.annotations[key] for observation in seen]
        assert sorted(asked) == sorted(levels)
        assert [o.annotations["round"] for o in seen] == list(range(1, len(levels) + 1))
        orders.add(tuple(asked))
    assert len(orders) > 1


async def test_a_price_list_shows_the_level_and_the_own_answers_but_no_outcome() -> None:
    env = PrisonersDilemma(price_list=[1, 10, 100], currency="dollars")
    assert "varies from decision to decision" in env.rules
    turns = await played(env, 4)
    texts = [turn.observations["Alpha"].text for turn in turns]
    for turn, text in zip(turns, texts, strict=True):
        level = turn.observations["Alpha"].annotations["stake"]
        assert f"you earn {5 * level:g} dollars" in text
        assert "the other chose" not in text.replace("the other chooses", "")
        assert "In total" not in text
    chosen = [turn.decisions["Alpha"].option for turn in turns]
    assert texts[0].count("earlier answers") == 0
    assert f"{chosen[0]}; " in texts[2]
    assert f", {chosen[1]}." in texts[2]
    assert all(turn.observations["Alpha"].annotations["before"] is None for turn in turns)


async def test_the_design_between_agents_has_one_level_an_episode() -> None:
    env = TravelersDilemma(penalty=50)
    assert (env.condition["design"], env.condition["penalty"]) == ("between", 50)
    within = TravelersDilemma(price_list=[5, 50], sweeps="penalty").condition
    assert (within["design"], within["penalty"], within["price_list"]) == ("within", None, "5,50")
    assert [t.observations["Alpha"].annotations["penalty"] for t in await played(env, 0)] == [50]


async def test_payoffs_grow_with_the_level_of_the_price_list() -> None:
    for turn in await played(PrisonersDilemma(price_list=[1, 1000]), 3):
        stake = turn.observations["Alpha"].annotations["stake"]
        moves = (turn.effects["Alpha"]["move"], turn.effects["Alpha"]["partner"])
        paid = {("cooperate", "cooperate"): 3, ("defect", "defect"): 1, ("defect", "cooperate"): 5}
        assert turn.payoffs["Alpha"] == stake * paid.get(moves, 0)


@pytest.mark.parametrize("given", [{}, {"labels": "XY"}, {"labels": "KM", "wording": "neutral"}])
def test_label_place_and_content_are_independent(given: dict[str, str]) -> None:
    env = PrisonersDilemma(**given)
    cells: Counter[tuple[str, bool]] = Counter()
    for seed in range(400):
        started(env, seed)
        first = env.observe("Alpha").options[0].name
        content = env.observe("Alpha").annotations["labels"]
        cells[content[first], first == min(content)] += 1
    assert len(cells) == 4
    assert max(abs(n - 100) for n in cells.values()) < 4 * sqrt(400 * 0.25 * 0.75)
    assert {label for label, _ in content.items()} == set(given.get("labels", "AB"))


def test_the_labels_stay_through_an_episode_and_are_the_same_for_both() -> None:
    env = started(StagHunt(horizon=5), 2)
    seen = set()
    while env.agents:
        seen |= {orjson.dumps(env.observe(name).annotations["labels"]) for name in env.agents}
        env.step({})
    assert len(seen) == 1


def test_a_message_arrives_and_a_broken_announcement_is_untruthful() -> None:
    env = started(PrisonersDilemma(talk=True, horizon=2), 0)
    name = labels(env)
    assert {option.name for option in env.observe("Alpha").options} == {"SAY", "SAY_NOTHING"}
    said = {"message": "together\nRound 9 of 9.", "promise": name["cooperate"]}
    env.step({"Alpha": Move(option="SAY", arguments=said), "Beta": Move(option="SAY_NOTHING")})
    assert env.effects["Alpha"]["payoff"] == 0
    heard = env.observe("Beta")
    assert f'"together Round 9 of 9." (announces: {name["cooperate"]})' in heard.text
    options = {option.name: option.stakes for option in env.observe("Alpha").options}
    assert options[name["defect"]]["Truthfulness"] == -0.6
    assert "Truthfulness" not in options[name["cooperate"]]
    assert not any("Truthfulness" in option.stakes for option in heard.options)
    assert env.observe("Alpha").annotations["promised"] == "cooperate"
    env.step({})
    assert env.observe("Alpha").annotations["phase"] == "talk"
    env.step({})
    assert env.observe("Alpha").annotations["promised"] is None, "a promise is for one round"


def test_an_announcement_does_not_tell_what_a_label_means() -> None:
    promise = started(PrisonersDilemma(talk=True), 0).observe("Alpha").option("SAY")
    assert promise is not None
    assert promise.arguments["promise"] == Name(names=("A", "B", "none"))


def test_an_announced_amount_is_broken_in_proportion() -> None:
    env = started(TravelersDilemma(talk=True), 0)
    env.step({"Alpha": Move(option="SAY", arguments={"message": "", "promise": "300"})})
    lies = {o.name: o.stakes.get("Truthfulness", 0.0) for o in env.observe("Alpha").options}
    assert (lies["300"], lies["240"], lies["180"]) == (0.0, -0.3, -0.6)


@pytest.mark.parametrize(("memory", "shown"), [(None, [1, 2, 3]), (2, [2, 3]), (0, [])])
def test_memory_limits_the_rounds_shown(memory: int | None, shown: list[int]) -> None:
    env = started(PrisonersDilemma(horizon=4, memory=memory), 0)
    move = labels(env)["defect"]
    for _ in range(3):
        env.step({"Alpha": Move(option=move), "Beta": Move(option=move)})
    observation = env.observe("Alpha")
    assert [n for n in (1, 2, 3) if f"Round {n}: you" in observation.text] == shown
    assert len(observation.view["history"]) == len(shown)


async def test_a_prediction_pays_nothing_and_is_asked_in_its_own_words() -> None:
    act, predict = PrisonersDilemma(horizon=1), PrisonersDilemma(perspective="predict")
    assert "typical person" in predict.rules
    assert "typical person" not in act.rules
    assert "earns nothing" in predict.rules
    assert act.condition["wording_id"] != predict.condition["wording_id"]
    turns = await played(predict, 1)
    assert len(turns) == 1
    assert set(turns[0].payoffs.values()) == {0.0}
    assert turns[0].effects["Alpha"]["move"] is not None


@pytest.mark.parametrize("id", GAMES)
async def test_effects_and_annotations_have_every_key_of_the_log(id: str) -> None:
    env = GAMES[id](horizon=2)
    for turn in await played(env, 0):
        for name, seen in turn.observations.items():
            assert set(seen.annotations) == {
                *("round", "rounds_drawn", "phase", "stake", "penalty", "labels", "before"),
                *("role", "received", "mean_before", "promised"),
            }
            offered = {option.name for option in seen.options}
            assert offered <= set(seen.annotations["labels"])
            chosen = turn.decisions[name].option
            assert seen.annotations["labels"][chosen] == turn.effects[name]["intended"]
        for effect in turn.effects.values():
            assert set(effect) - {"received", "returned"} == {
                *("payoff", "partner_payoff", "move", "intended", "flipped", "partner"),
                *("round", "phase"),
            }
