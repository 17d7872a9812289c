"""Wordings and paraphrases of a game state the same facts, and neutral ones name no move."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from valuesim.envs.games import GAMES, Game
from valuesim.envs.games.parameters import FACTORS
from valuesim.envs.games.wording import money

NUMBERS = {
    "travelers_dilemma-v0": {"low": 110, "high": 190, "step": 16, "penalty": 7},
    "public_goods-v0": {"agents": 5, "endowment": 24, "marginal_return": 0.6, "step": 6}
    | {"punishment": 3, "punishment_factor": 7},
    "trust-v0": {"endowment": 14, "multiplier": 9, "step": 7},
    "ultimatum-v0": {"pie": 90, "step": 18},
    "dictator-v0": {"pie": 90, "step": 18},
    "prisoners_dilemma-v0": {"T": 71, "R": 61, "P": 31, "S": 11},
    "stag_hunt-v0": {"T": 61, "R": 71, "P": 31, "S": 11},
    "chicken-v0": {"T": 71, "R": 61, "P": 11, "S": 31},
    "battle_of_the_sexes-v0": {"own": 71, "other": 61, "apart": 11},
    "matching_pennies-v0": {"win": 71, "lose": 11},
}
MORALS = (
    *("cooperat", "defect", "betray", "fair", "selfish", "greed", "generous", "trust", "punish"),
    *("honest", "moral", "good", "bad", "right", "wrong", "should", "help", "kind", "steal"),
)


def tellings(id: str, **given: Any) -> Iterator[Game]:
    """Return the game in each of its wordings and paraphrases."""
    for wording, paraphrase in product(FACTORS["wording"], range(3)):
        if id == "matrix_game-v0" and wording not in ("neutral", "named"):
            continue
        yield GAMES[id](wording=wording, paraphrase=paraphrase, **given)


def text_of(env: Game, seed: int = 0) -> str:
    env.reset(seed=seed)
    seen = env.observe("Alpha")
    return "\n".join([seen.rules, seen.text, *(option.text for option in seen.options)])


def texts_of(env: Game, seed: int) -> str:
    """Return what Alpha reads in a whole episode in which nobody decides anything."""
    told = [text_of(env, seed)]
    while env.agents:
        told.append(env.observe("Alpha").text)
        env.step({})
    return "\n".join(told)


def numbers_in(text: str) -> set[str]:
    return set(re.findall(r"\d+(?:\.\d+)?", text))


@pytest.mark.parametrize("id", NUMBERS)
def test_every_telling_states_every_number_of_the_game(id: str) -> None:
    given = NUMBERS[id]
    derived = {"punishment_factor": 21}  # told as what one act takes
    wanted = {f"{derived.get(name, number):g}" for name, number in given.items()}
    for env in tellings(id, stake=1.0, horizon=8, **given):
        assert wanted | {"8"} <= numbers_in(text_of(env)), (env.condition["wording_id"], wanted)


@pytest.mark.parametrize("id", GAMES)
def test_all_tellings_state_the_same_numbers_and_differ_in_words(id: str) -> None:
    for given in ({"horizon": 4}, {"price_list": [2, 30]}, {"perspective": "predict"}):
        numbers, rules, ids = set(), set(), set()
        for env in tellings(id, **given):
            numbers.add(frozenset(numbers_in(texts_of(env, seed=1))))
            rules.add(env.rules)
            ids.add(env.condition["wording_id"])
        count = 6 if id == "matrix_game-v0" else 15
        assert (len(numbers), len(rules), len(ids)) == (1, count, count), numbers


@pytest.mark.parametrize("id", GAMES)
def test_neutral_words_name_no_move_and_judge_nothing(id: str) -> None:
    for paraphrase in range(3):
        env = GAMES[id](paraphrase=paraphrase, horizon=2)
        text = text_of(env)
        env.step({})
        told = f"{text}\n{env.observe('Alpha').text}".lower()
        moves = {m for m in env.form.catalogue("act") if not m[0].isdigit()}
        for word in (*MORALS, *(moves - {"own", "other"})):
            assert not re.search(rf"\b{word}", told), (word, told)


@pytest.mark.parametrize("id", [id for id in GAMES if GAMES[id]().form.catalogue("act")[0] > "9"])
def test_named_words_name_the_moves_and_labels_do_not_stay_with_a_content(id: str) -> None:
    named = GAMES[id](wording="named")
    named.reset(seed=0)
    names = {option.name for option in named.observe("Alpha").options}
    assert not names & {"A", "B"}
    assert all(name in text_of(named) for name in names)
    neutral = GAMES[id]()
    assert len({tuple(labels_of(neutral, seed).items()) for seed in range(20)}) == 2


def labels_of(env: Game, seed: int) -> dict[str, str]:
    env.reset(seed=seed)
    labels: dict[str, str] = env.observe("Alpha").annotations["labels"]
    return labels


@pytest.mark.parametrize("id", GAMES)
def test_only_the_privacy_story_of_the_dilemma_puts_privacy_at_stake(id: str) -> None:
    for env in tellings(id):
        env.reset(seed=0)
        stakes = [option.stakes.get("Privacy") for option in env.observe("Alpha").options]
        is_told = id == "prisoners_dilemma-v0" and env.condition["wording"] == "privacy"
        assert (sorted(filter(None, stakes)) == [-0.3, 0.3]) == is_told


def test_losses_and_gains_are_the_same_outcomes() -> None:
    gain, loss = (GAMES["prisoners_dilemma-v0"](framing=f, stake=2) for f in ("gain", "loss"))
    assert "you lose 0 points, the other loses 10 points" in text_of(loss)
    assert "you earn 10 points, the other earns 0 points" in text_of(gain)
    assert "each received 10 points" in text_of(loss)


@pytest.mark.parametrize("id", GAMES)
def test_who_one_is_and_what_a_token_is_worth_is_told(id: str) -> None:
    paid = {money(25 * x, "cents") for x in (1, 2, 3, 4, 5)}
    assert any(amount in text_of(GAMES[id](stake=25, currency="cents")) for amount in paid)
    assert "dollar" in text_of(GAMES[id](currency="dollars"))
    assert re.search("You are one of them|One of them is you", text_of(GAMES[id]()))
