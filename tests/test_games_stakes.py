"""What is at stake in each move is what the table in the package's docstring says."""

from __future__ import annotations

import numpy as np
import pytest

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

Stakes = dict[str, dict[str, float]]


def stakes(env: Game, agent: str = "Alpha") -> Stakes:
    """Return the stakes of each canonical move on offer."""
    seen = env.observe(agent)
    return {
        seen.annotations["labels"].get(option.name, option.name): dict(option.stakes)
        for option in seen.options
    }


def after(env: Game, *rounds: tuple[str, ...]) -> Game:
    """Start `env` and make the canonical moves of each of `rounds` ("": no move to make)."""
    env.reset(seed=0)
    for moves in rounds:
        names = {m: name for name, m in env.observe("Alpha").annotations["labels"].items()}
        chosen = zip(env.possible_agents, moves, strict=True)
        env.step({agent: Move(option=names[move] if move else "WAIT") for agent, move in chosen})
    return env


def test_a_first_round_of_the_dilemma() -> None:
    # the partner is expected to do either: T - R = 2, P - S = 1, R - S = 3, T - P = 4, range 5
    assert stakes(after(PrisonersDilemma())) == {
        "cooperate": {"Cooperation": 0.6, "Care": round(0.2 + 0.4 * 3.5 / 5, 3)},
        "defect": {"Achievement": round(0.3 + 0.5 * 1.5 / 5, 3)},
    }


def test_retaliation_and_reciprocity_are_just() -> None:
    betrayed = stakes(after(PrisonersDilemma(), ("cooperate", "defect")))
    assert betrayed["defect"]["Justice"] == 0.3
    assert "Justice" not in betrayed["cooperate"]
    helped = stakes(after(PrisonersDilemma(), ("defect", "cooperate")))
    assert helped["cooperate"]["Justice"] == 0.3
    assert "Justice" not in helped["defect"]


def test_care_grows_when_the_partner_has_earned_less() -> None:
    env = after(PrisonersDilemma(), ("defect", "cooperate"))
    even = after(PrisonersDilemma(), ("cooperate", "cooperate"))
    assert stakes(env)["cooperate"]["Care"] == pytest.approx(
        stakes(even)["cooperate"]["Care"] + 0.2
    )
    assert stakes(env, "Beta")["cooperate"]["Care"] < stakes(env)["cooperate"]["Care"]


def test_achievement_grows_with_what_defection_gains() -> None:
    little, much = PrisonersDilemma(T=3.2, P=0.5, R=3), PrisonersDilemma(T=5.9, R=3)
    gains = [stakes(after(env))["defect"]["Achievement"] for env in (little, much)]
    assert gains[0] < gains[1]


def test_achievement_follows_the_expected_reply_where_no_move_dominates() -> None:
    assert "Achievement" in stakes(after(StagHunt()))["hare"]
    trusting = stakes(after(StagHunt(), *[("stag", "stag")] * 4))
    assert "Achievement" in trusting["stag"]
    assert "Achievement" not in trusting["hare"]
    assert "Achievement" in stakes(after(Chicken(), *[("swerve", "straight")] * 2))["swerve"]
    assert "Achievement" in stakes(after(BattleOfTheSexes()))["own"]


def test_matching_pennies_puts_only_achievement_at_stake_and_that_once_there_is_a_past() -> None:
    assert stakes(after(MatchingPennies())) == {"heads": {}, "tails": {}}
    env = after(MatchingPennies(), ("heads", "tails"))
    assert {move: set(own) for move, own in stakes(env).items()} == {
        "tails": {"Achievement"},
        "heads": set(),
    }
    # Beta wins on different moves, and has seen heads
    assert set(stakes(env, "Beta")["tails"]) == {"Achievement"}


def test_a_table_of_ones_own_puts_at_stake_what_it_says() -> None:
    assert stakes(after(MatrixGame(), ("volunteer", "wait"))) == {
        "volunteer": {"Cooperation": 0.5, "Care": 0.4},
        "wait": {"Achievement": 0.5},
    }


def test_amounts_are_graded_linearly_between_their_ends() -> None:
    claims = stakes(after(TravelersDilemma()))
    assert claims["300"] == {"Cooperation": 0.6, "Care": round(0.2 + 0.3 * 5 / 120, 3)}
    assert claims["180"] == {"Achievement": round(0.4 + 0.3 * 5 / 120, 3)}
    assert claims["240"]["Cooperation"] == 0.3
    given = stakes(after(PublicGoods()))
    assert given["20"] == {"Cooperation": 0.6, "Care": 0.36}
    assert given["0"] == {"Achievement": 0.6}
    assert given["10"]["Achievement"] == 0.3


def test_giving_less_than_the_others_did_is_unjust() -> None:
    env = after(PublicGoods(), ("0", "10", "10", "10"))
    assert {move: own["Justice"] for move, own in stakes(env).items()} == {
        "0": -0.2,
        "5": -0.2,
        "10": 0.2,
        "15": 0.2,
        "20": 0.2,
    }


def test_punishing_those_who_gave_less_is_just_and_others_unjust() -> None:
    env = after(PublicGoods(punishment=1), ("10", "0", "10", "20"))
    justice = {move: own.get("Justice") for move, own in stakes(env).items()}
    assert justice == {"Beta": 0.5, "Gamma": -0.5, "Delta": -0.5, "none": None}


def test_an_equal_split_is_the_justest_offer_and_gift() -> None:
    for env in (Ultimatum(), Dictator()):
        justice = {move: own.get("Justice", 0.0) for move, own in stakes(after(env)).items()}
        assert max(justice, key=justice.__getitem__) == "50"
        assert justice["0"] == justice["100"] == 0.0


def test_rejecting_is_just_only_below_half() -> None:
    small, large = (after(Ultimatum(), (offer, "")) for offer in ("10", "60"))
    assert stakes(small, "Beta")["reject"]["Justice"] == pytest.approx(0.64)
    assert "Justice" not in stakes(large, "Beta")["reject"]
    assert (
        stakes(small, "Beta")["accept"]["Achievement"]
        < (stakes(large, "Beta")["accept"]["Achievement"])
    )


def test_returning_half_is_as_just_as_returning_all() -> None:
    returned = stakes(after(Trust(), ("10", "")), "Beta")
    assert returned["16"]["Justice"] == returned["30"]["Justice"] == 0.6
    assert returned["0"] == {"Achievement": 0.6}


def test_cooperation_care_and_achievement_can_be_told_apart_over_all_games() -> None:
    values = ("Cooperation", "Care", "Achievement")
    contrasts = []
    for kind in GAMES.values():
        env = kind(horizon=6)
        rng = np.random.default_rng(1)
        env.reset(seed=1)
        while env.agents:
            moves = {}
            for agent in env.agents:
                options = env.observe(agent).options
                rows = np.array([[o.stakes.get(v, 0.0) for v in values] for o in options])
                contrasts += list(rows - rows[0])
                moves[agent] = Move(option=options[int(rng.integers(len(options)))].name)
            env.step(moves)
    singular = np.linalg.svd(np.array(contrasts), compute_uv=False)
    assert singular[-1] > 0.1 * singular[0]
