"""What a player reads is true, and says who it is, in every wording and frame."""

from __future__ import annotations

import re
from itertools import product

import pytest

from valuesim.envs.games import GAMES, BattleOfTheSexes, Game, MatchingPennies, TravelersDilemma
from valuesim.envs.games.parameters import FACTORS
from valuesim.option import Move

LINE = re.compile(
    r"(?:You choose|The person chooses) (\w+), the other chooses (\w+): "
    r"(?:you earn|the person earns) (\S+) points?, the other earns (\S+) points?"
)


def fresh(env: Game) -> Game:
    env.reset(seed=3)
    return env


def names(env: Game, agent: str) -> dict[str, str]:
    """Return the shown name of each move of `agent`."""
    return {move: name for name, move in env.view(agent)["labels"].items()}


def told(env: Game, agent: str) -> str:
    observation = env.observe(agent)
    return f"{observation.rules}\n{observation.text}"


@pytest.mark.parametrize("wording", FACTORS["wording"])
@pytest.mark.parametrize("perspective", ["act", "predict"])
def test_both_earn_in_the_battle_where_both_go_to_the_place_of_one_name(
    wording: str, perspective: str
) -> None:
    env = fresh(BattleOfTheSexes(wording=wording, perspective=perspective))
    for agent in env.possible_agents:
        lines = LINE.findall(env.observe(agent).text)
        assert len(lines) == 4
        favourite = names(env, agent)["own"]
        for own, other, *earned in lines:
            # labels without a meaning name the same move of either, not the same place
            is_together = (own == other) == (wording != "neutral")
            together = ["3", "2"] if own == favourite else ["2", "3"]
            assert earned == (together if is_together else ["0", "0"])


@pytest.mark.parametrize("wording", FACTORS["wording"])
def test_history_and_messages_of_the_battle_use_the_names_of_its_table(wording: str) -> None:
    env = fresh(BattleOfTheSexes(wording=wording, horizon=2, talk=True))
    shown = names(env, "Alpha")
    to_beta = shown["own"] if wording == "neutral" else shown["other"]
    said = {"message": "hello", "promise": shown["own"]}
    env.step({"Alpha": Move(option="SAY", arguments=said)})
    assert f'You: "hello" (announces: {shown["own"]})' in env.observe("Alpha").text
    assert f'The other: "hello" (announces: {to_beta})' in env.observe("Beta").text
    env.step({"Alpha": Move(option=shown["own"]), "Beta": Move(option=shown["other"])})
    text = env.observe("Beta").text
    assert f"you chose {shown['other']}, the other chose {to_beta}" in text
    assert "You earned 2 points, the other 3 points" in text


@pytest.mark.parametrize("id", [id for id in GAMES if hasattr(GAMES[id]().form, "moves")])
@pytest.mark.parametrize("stake", [1, 20])
def test_nobody_can_lose_more_than_it_has_received(id: str, stake: float) -> None:
    env = fresh(GAMES[id](framing="loss", stake=stake, horizon=1))
    text = told(env, "Alpha")
    (received,) = map(float, re.findall(r"have each received (\S+) point", text))
    back = sum(map(float, re.findall(r"each gives back (\S+) point", text)))
    losses = [float(loss) for loss in re.findall(r"you lose (\S+) point", text)]
    paid = sorted(x for line in env.view("Alpha")["payoffs"]["own"] for x in line)
    assert max(losses) <= received
    assert sorted(received - back - loss for loss in losses) == pytest.approx(paid)
    assert "each round" not in text


def test_a_missing_decision_loses_all_in_the_loss_frame_as_it_says() -> None:
    env = fresh(GAMES["prisoners_dilemma-v0"](framing="loss", horizon=2))
    assert "taken back, so that neither is left with anything" in env.rules
    assert "nobody earns" not in env.rules
    env.step({})
    assert "You were left with 0 points, the other with 0 points" in env.observe("Alpha").text


@pytest.mark.parametrize("wording", FACTORS["wording"])
def test_no_table_advertises_what_a_missing_decision_brings(wording: str) -> None:
    rules = MatchingPennies(wording=wording).rules
    assert "makes no decision, that step does not count, and the round is over" in rules
    assert not re.search("nobody earns|nobody is paid|taken back", rules)


@pytest.mark.parametrize("id", ["trust-v0", "ultimatum-v0", "dictator-v0"])
@pytest.mark.parametrize("perspective", ["act", "predict"])
def test_every_telling_says_who_is_first_and_who_one_is(id: str, perspective: str) -> None:
    subject = {"act": "You are", "predict": "The person to predict is"}[perspective]
    for wording, paraphrase in product(FACTORS["wording"], range(3)):
        env = fresh(GAMES[id](wording=wording, paraphrase=paraphrase, perspective=perspective))
        assert env.observe("Alpha").rules == env.observe("Beta").rules
        roles = [
            re.search(rf"{subject} the {place} of the two(?:, (.+))?\.", env.observe(agent).text)
            for place, agent in (("first", "Alpha"), ("second", "Beta"))
        ]
        assert all(roles)
        first, second = (role[1] for role in roles if role)
        if wording == "neutral":
            assert (first, second) == (None, None)
        else:
            assert f"The first of the two is {first}, the second is {second}." in env.rules


@pytest.mark.parametrize("id", GAMES)
def test_the_report_is_never_empty(id: str) -> None:
    for paraphrase, perspective in product(range(3), ("act", "predict")):
        env = fresh(GAMES[id](horizon=1, paraphrase=paraphrase, perspective=perspective))
        assert all(env.observe(agent).text for agent in env.possible_agents)
    report = fresh(TravelersDilemma(paraphrase=2)).observe("Alpha").text
    assert report == "This is the only decision, and nothing has been decided so far."
