"""Every game pays what its rules say, refuses what is no such game, and never counts a fault."""

from __future__ import annotations

import json

import pytest

from valuesim.decision import Decision, Fault
from valuesim.envs.games import (
    GAMES,
    BattleOfTheSexes,
    Chicken,
    Dictator,
    Game,
    MatchingPennies,
    MatrixGame,
    PrisonersDilemma,
    PublicGoods,
    StagHunt,
    TravelersDilemma,
    Trust,
    Ultimatum,
)
from valuesim.option import Move


def names(env: Game, agent: str) -> dict[str, str]:
    """Return the shown name of each canonical move of the present phase."""
    return {move: name for name, move in env.observe(agent).annotations["labels"].items()}


def step(env: Game, *moves: str | None) -> list[float]:
    """Make the canonical `moves`, one a player (None: no decision); return the payoffs."""
    chosen = dict(zip(env.possible_agents, moves, strict=True))
    taken = {
        agent: Move(option="WAIT" if move == "WAIT" else names(env, agent)[move])
        for agent, move in chosen.items()
        if move is not None
    }
    for agent, move in taken.items():
        assert env.observe(agent).option(move.option), (agent, move)
    _, payoffs, *_ = env.step(dict(taken))
    return [payoffs[agent] for agent in env.possible_agents]


def fresh(env: Game, seed: int = 0) -> Game:
    env.reset(seed=seed)
    return env


@pytest.mark.parametrize(
    ("env", "moves", "payoffs"),
    [
        (PrisonersDilemma(), ("cooperate", "cooperate"), [3, 3]),
        (PrisonersDilemma(), ("cooperate", "defect"), [0, 5]),
        (PrisonersDilemma(), ("defect", "cooperate"), [5, 0]),
        (PrisonersDilemma(T=50, R=32, P=25, S=12), ("defect", "defect"), [25, 25]),
        (PrisonersDilemma(stake=10), ("defect", "cooperate"), [50, 0]),
        (PrisonersDilemma(framing="loss"), ("cooperate", "defect"), [0, 5]),
        (StagHunt(), ("stag", "stag"), [4, 4]),
        (StagHunt(), ("stag", "hare"), [0, 3]),
        (StagHunt(), ("hare", "hare"), [3, 3]),
        (Chicken(), ("swerve", "straight"), [1, 4]),
        (Chicken(), ("straight", "straight"), [0, 0]),
        (BattleOfTheSexes(), ("own", "other"), [3, 2]),
        (BattleOfTheSexes(), ("own", "own"), [0, 0]),
        (BattleOfTheSexes(), ("other", "other"), [0, 0]),
        (MatchingPennies(), ("heads", "heads"), [1, -1]),
        (MatchingPennies(), ("heads", "tails"), [-1, 1]),
        (MatrixGame(), ("volunteer", "wait"), [2, 3]),
        (TravelersDilemma(), ("240", "240"), [240, 240]),
        (TravelersDilemma(), ("200", "300"), [205, 195]),
        (TravelersDilemma(penalty=180), ("300", "180"), [0, 360]),
        (TravelersDilemma(stake=0.5), ("200", "300"), [102.5, 97.5]),
        (PublicGoods(), ("20", "20", "0", "0"), [16, 16, 36, 36]),
        (PublicGoods(agents=2, marginal_return=0.75, step=20), ("20", "0"), [15, 35]),
        (Dictator(), ("30", "WAIT"), [70, 30]),
    ],
)
def test_a_round_pays_what_the_rules_say(
    env: Game, moves: tuple[str, ...], payoffs: list[float]
) -> None:
    assert step(fresh(env), *moves) == pytest.approx(payoffs)
    assert env.effects["Alpha"]["move"] == moves[0]


def test_the_table_in_the_condition_is_what_is_paid() -> None:
    for kind in (PrisonersDilemma, StagHunt, Chicken, BattleOfTheSexes, MatchingPennies):
        table = json.loads(kind().condition["table"])
        for i, own in enumerate(table["moves"]):
            for j, partner in enumerate(table["moves"]):
                expected = [table["row"][i][j], table["column"][i][j]]
                assert step(fresh(kind(horizon=1)), own, partner) == expected


def test_trust_multiplies_what_is_sent_and_pays_when_the_second_has_answered() -> None:
    env = fresh(Trust())
    assert step(env, "6", "WAIT") == [0, 0]
    assert env.observe("Beta").annotations["received"] == 18
    assert {option.name for option in env.observe("Alpha").options} == {"WAIT"}
    assert step(env, "WAIT", "8") == [12, 20]
    assert (
        env.effects["Beta"] | {"move": "8", "received": 18.0, "returned": 8.0}
        == (env.effects["Beta"])
    )
    assert not env.agents


def test_nothing_sent_leaves_nothing_to_answer() -> None:
    env = fresh(Trust(horizon=2))
    assert step(env, "0", "WAIT") == [10, 10]
    assert env.observe("Alpha").annotations["round"] == 2
    assert "returned" not in env.observe("Alpha").text


def test_a_rejected_offer_leaves_both_with_nothing() -> None:
    for answer, payoffs in (("accept", [60, 40]), ("reject", [0, 0])):
        env = fresh(Ultimatum())
        assert step(env, "40", "WAIT") == [0, 0]
        assert step(env, "WAIT", answer) == payoffs
        assert env.effects["Beta"]["partner_payoff"] == payoffs[0]


def test_punishment_costs_one_and_takes_three_times_as_much() -> None:
    env = fresh(PublicGoods(punishment=2, horizon=2))
    assert step(env, "20", "20", "20", "0") == [24, 24, 24, 44]
    assert env.observe("Alpha").view["contributions"] == {"Beta": "20", "Gamma": "20", "Delta": "0"}
    assert "Alpha" not in {option.name for option in env.observe("Alpha").options}
    assert step(env, "Delta", "Delta", "none", "Alpha") == [-2 - 6, -2, 0, -12 - 2]
    assert "14 points" in env.observe("Delta").text
    assert env.observe("Alpha").annotations["mean_before"] == pytest.approx(40 / 3)


@pytest.mark.parametrize(
    ("kind", "given", "named"),
    [
        (PrisonersDilemma, {"T": 3, "R": 3}, "T > R > P > S"),
        (PrisonersDilemma, {"T": 10}, "2R > T"),
        (PrisonersDilemma, {"S": 1}, "T > R > P > S"),
        (PrisonersDilemma, {"T": float("nan")}, "T="),
        (StagHunt, {"T": 4}, "R > T >= P > S"),
        (Chicken, {"P": 1}, "T > R > S > P"),
        (BattleOfTheSexes, {"other": 3}, "own > other > apart"),
        (MatchingPennies, {"lose": 1}, "win > lose"),
        (TravelersDilemma, {"step": 50}, "whole number of steps"),
        (TravelersDilemma, {"high": 180}, "high"),
        (TravelersDilemma, {"noise": 0.1}, "noise"),
        (TravelersDilemma, {"framing": "loss"}, "framing"),
        (PublicGoods, {"marginal_return": 0.25}, "marginal_return"),
        (PublicGoods, {"marginal_return": 1.0}, "marginal_return"),
        (PublicGoods, {"punishment": 1, "price_list": [1, 2]}, "price_list"),
        (Trust, {"multiplier": 1}, "multiplier"),
        (Ultimatum, {"talk": True}, "talk"),
        (Dictator, {"step": 0}, "step"),
        (PrisonersDilemma, {"horizon": 3, "delta": 0.5}, "horizon and delta"),
        (PrisonersDilemma, {"delta": 1.0}, "delta"),
        (PrisonersDilemma, {"price_list": [1, 1]}, "once"),
        (PrisonersDilemma, {"price_list": "1,2"}, "price_list"),
        (PrisonersDilemma, {"price_list": [1, 2], "horizon": 2}, "horizon"),
        (PrisonersDilemma, {"price_list": [1, 2], "talk": True}, "talk"),
        (PrisonersDilemma, {"price_list": [1, 2], "sweeps": "penalty"}, "penalty"),
        (PrisonersDilemma, {"sweeps": "penalty"}, "price_list"),
        (PrisonersDilemma, {"perspective": "predict", "horizon": 2}, "horizon"),
        (PrisonersDilemma, {"wording": "neutrall"}, "did you mean 'neutral'"),
        (PrisonersDilemma, {"stake": 0}, "stake"),
        (PrisonersDilemma, {"talk": 1}, "talk"),
        (MatrixGame, {"wording": "privacy"}, "privacy"),
    ],
)
def test_what_is_no_such_game_is_refused_by_name(
    kind: type[Game], given: dict[str, object], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        kind(**given)


@pytest.mark.parametrize("fault", [None, Fault.REFUSED, Fault.UNPARSED])
def test_a_decision_that_was_not_made_is_no_defection_and_voids_the_round(
    fault: Fault | None,
) -> None:
    env = fresh(PrisonersDilemma(noise=0.5, horizon=3))
    missing = Decision(agent="Alpha", step=0, fault=fault) if fault else None
    _, payoffs, *_ = env.step({"Alpha": missing, "Beta": Move(option=names(env, "Beta")["defect"])})
    assert payoffs == {"Alpha": 0.0, "Beta": 0.0}
    effect = env.effects["Alpha"]
    assert (effect["move"], effect["intended"], effect["flipped"]) == (None, None, False)
    assert env.effects["Beta"]["partner"] is None
    assert "no decision" in env.observe("Beta").text
    assert env.observe("Beta").annotations["before"][1] is None
    assert all("Justice" not in option.stakes for option in env.observe("Beta").options)


def test_an_answer_that_was_not_given_pays_nothing_and_ends_the_round() -> None:
    env = fresh(Ultimatum(horizon=2))
    step(env, "50", "WAIT")
    assert step(env, "WAIT", None) == [0, 0]
    assert env.effects["Beta"]["move"] is None
    env = fresh(Trust(horizon=2))
    assert step(env, None, "WAIT") == [0, 0]
    assert env.observe("Beta").annotations["round"] == 2, "nobody is asked to answer nothing"


def test_one_missing_contribution_voids_the_round_of_the_whole_group() -> None:
    env = fresh(PublicGoods(horizon=2, punishment=1))
    assert step(env, "20", None, "20", "0") == [0, 0, 0, 0]
    assert env.observe("Alpha").annotations["phase"] == "act"
    assert env.observe("Alpha").annotations["mean_before"] == 10


def test_a_picture_of_each_state_can_be_drawn() -> None:
    for id, kind in GAMES.items():
        env = fresh(kind(render_mode="rgb_array", horizon=2))
        images = [env.render()]
        while env.agents:
            masks = {agent: env.observe(agent).state["action_mask"] for agent in env.agents}
            env.step({agent: int(mask.argmax()) for agent, mask in masks.items()})
            images.append(env.render())
        assert {image.shape for image in images} == {(540, 960, 3)}, id
        assert any((images[0] != image).any() for image in images[1:])
        assert "total" in fresh(kind(render_mode="ansi")).render()


def test_every_game_is_there_once() -> None:
    assert [kind.id for kind in GAMES.values()] == list(GAMES)
    assert {env().condition["game"] for env in GAMES.values()} == {
        id.removesuffix("-v0") for id in GAMES
    }
    assert len({kind.metadata["name"] for kind in GAMES.values()}) == len(GAMES)
