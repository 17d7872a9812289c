"""Scripted players of games do what they are named for; how well they fare is not their claim."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import sqrt
from typing import Any

import numpy as np
import pytest

from valuesim.agents.scripted import Mute, Random, Scripted
from valuesim.agents.scripted.games import (
    AlwaysCooperate,
    AlwaysDefect,
    FairSplitter,
    GenerousTitForTat,
    GreedySplitter,
    Grim,
    MemoryOne,
    Player,
    TitForTat,
    TwoTits,
    WinStayLoseShift,
)
from valuesim.agents.scripted.reasoners import LevelK, Logit, level_mix
from valuesim.decision import Agent
from valuesim.envs.games import GAMES, Game, PrisonersDilemma, PublicGoods, TravelersDilemma
from valuesim.episode import Turn, play
from valuesim.errors import InputError
from valuesim.measures.strategic.equilibrium import travelers_dilemma
from valuesim.option import Move

PLAYERS = (
    *(AlwaysCooperate, AlwaysDefect, TitForTat, Grim, WinStayLoseShift, TwoTits),
    *(GenerousTitForTat, MemoryOne, FairSplitter, GreedySplitter, Logit, LevelK),
)
FACES = {"cooperate": "C", "defect": "D", None: "-"}


class Script(Player):
    """Makes the moves it is given, round by round ("-": it says nothing that can be read)."""

    def __init__(self, moves: str, role: str = "Beta") -> None:
        super().__init__(role=role, seed=0)
        self.moves = moves

    async def decide(self, observation: Any) -> Any:
        if self.moves[observation.annotations["round"] - 1] == "-":
            return await Mute(role=self.role, seed=0).decide(observation)
        return await super().decide(observation)

    def act(self, view: Mapping[str, Any]) -> str:
        return {"C": "cooperate", "D": "defect"}[self.moves[view["round"] - 1]]


def versus(player: type[Scripted], moves: str, seed: int = 0, **given: Any) -> str:
    """Return what `player` does against the scripted `moves` of its partner, as letters."""
    env = PrisonersDilemma(horizon=len(moves))
    mine = player(role="Alpha", seed=seed, **given)
    turns = asyncio.run(play(env, {"Alpha": mine, "Beta": Script(moves)}, seed))
    return "".join(FACES[turn.effects["Alpha"]["move"]] for turn in turns)


def played(env: Game, seed: int = 0, **cast: Agent) -> list[Turn]:
    return asyncio.run(play(env, cast, seed))


@pytest.mark.parametrize(
    ("player", "partner", "expected"),
    [
        (AlwaysCooperate, "CDDC", "CCCC"),
        (AlwaysDefect, "CDDC", "DDDD"),
        (TitForTat, "CDDCDC", "CCDDCD"),
        (TitForTat, "D-DC", "CDDD"),
        (Grim, "CDCCCC", "CCDDDD"),
        (Grim, "CCCC", "CCCC"),
        # it shifts when exploited (CD) and stays when it wins by defecting (DC)
        (WinStayLoseShift, "CDCCDD", "CCDDDC"),
        (TwoTits, "CDCCCC", "CCDDCC"),
        # what happens during the punishment does not matter; one that ends in peace starts anew
        (TwoTits, "DDDCDCC", "CDDCCDD"),
    ],
)
def test_a_strategy_answers_a_scripted_partner_as_defined(
    player: type[Scripted], partner: str, expected: str
) -> None:
    assert versus(player, partner) == expected


def rounds(seed: int, count: int = 30) -> str:
    return "".join(np.random.default_rng(seed).choice(list("CD"), count))


@pytest.mark.parametrize(
    ("vector", "player"),
    [("1,0,0,1", WinStayLoseShift), ("1,0,1,0", TitForTat), ("1,1,1,1", AlwaysCooperate)],
)
def test_a_memory_one_vector_is_the_strategy_that_it_describes(
    vector: str, player: type[Scripted]
) -> None:
    for seed in range(5):
        partner = rounds(seed)
        assert versus(MemoryOne, partner, seed, variant=vector) == versus(player, partner, seed)


def test_grim_is_memory_one_as_long_as_its_own_defection_reminds_it() -> None:
    for seed in range(5):
        assert versus(MemoryOne, rounds(seed), variant="1,0,0,0") == versus(Grim, rounds(seed))


def test_firm_but_fair_cooperates_after_mutual_defection_two_times_in_three() -> None:
    moves = versus(MemoryOne, "D" * 200, seed=1, variant="1,0,1,0.6666667")
    # against constant defection: after its own cooperation it defects, after DD 2/3 cooperate
    after_cooperation = [b for a, b in pairwise(moves) if a == "C"]
    after_defection = [b for a, b in pairwise(moves) if a == "D"]
    assert set(after_cooperation) == {"D"}
    share = after_defection.count("C") / len(after_defection)
    assert abs(share - 2 / 3) < 3 * sqrt(2 / 9 / len(after_defection))


def test_generosity_is_the_rate_of_forgiving() -> None:
    moves = versus(GenerousTitForTat, "D" * 200, variant="0.25")[1:]
    assert abs(moves.count("C") / len(moves) - 0.25) < 3 * sqrt(0.25 * 0.75 / len(moves))
    assert versus(GenerousTitForTat, "CDCD" * 5, variant="0") == versus(TitForTat, "CDCD" * 5)


def test_the_first_move_of_a_memory_one_player_can_be_set() -> None:
    assert {versus(MemoryOne, "C", seed, variant="1,1,1,1,0") for seed in range(5)} == {"D"}


def test_tit_for_tat_takes_the_amount_that_others_took() -> None:
    for partner, then in ((AlwaysDefect, "180"), (AlwaysCooperate, "300")):
        env = TravelersDilemma(horizon=2)
        cast = {"Alpha": TitForTat(role="Alpha", seed=0), "Beta": partner(role="Beta", seed=0)}
        moves = [turn.effects["Alpha"]["move"] for turn in played(env, **cast)]
        assert moves == ["300", then]
    group = {
        "Alpha": TitForTat(role="Alpha", seed=0),
        "Beta": AlwaysCooperate(role="Beta", seed=0),
        "Gamma": AlwaysDefect(role="Gamma", seed=0),
        "Delta": AlwaysDefect(role="Delta", seed=0),
    }
    turns = played(PublicGoods(horizon=2), **group)
    assert [turn.effects["Alpha"]["move"] for turn in turns] == ["20", "5"], "mean 6.7"


@pytest.mark.parametrize("kind", PLAYERS)
def test_no_player_ever_faults_in_the_games_it_plays(kind: type[Scripted]) -> None:
    settings: Sequence[dict[str, Any]] = (
        {"horizon": 4},
        {"wording": "named", "horizon": 3},
        {"price_list": [1, 7]},
        {"perspective": "predict"},
    )
    assert kind.environments
    for id in kind.environments:
        extra = {"public_goods-v0": [{"punishment": 1, "horizon": 3}, {"talk": True}]}.get(id, [])
        two_moves = {"noise": 0.2, "talk": True, "delta": 0.8, "memory": 1}
        more = [two_moves] if not GAMES[id]().form.is_scale("act") else []
        for given in (*settings, *extra, *more):
            env = GAMES[id](**given)
            cast = {role: Random(role=role, seed=1) for role in env.possible_agents[1:]}
            for turn in played(env, 1, **cast, **{"Alpha": kind(role="Alpha", seed=1)}):
                assert not any(d.fault for d in turn.decisions.values()), (id, given)
            cast = {role: kind(role=role, seed=2) for role in env.possible_agents}
            for turn in played(env, 2, **cast):
                assert not any(d.fault for d in turn.decisions.values()), (id, given)


@pytest.mark.parametrize("kind", PLAYERS)
def test_the_same_seed_gives_the_same_moves(kind: type[Scripted]) -> None:
    assert kind.environments
    env = GAMES[sorted(kind.environments)[0]](horizon=5)

    def moves(seed: int) -> list[Any]:
        cast = {role: kind(role=role, seed=seed) for role in env.possible_agents}
        return [dict(turn.effects) for turn in played(env, 3, **cast)]

    assert moves(1) == moves(1)


def shares(
    player: type[Scripted], env: Game, episodes: int = 300, **given: Any
) -> dict[str, float]:
    counts: Counter[str] = Counter()
    for seed in range(episodes):
        cast = {role: player(role=role, seed=seed, **given) for role in env.possible_agents}
        counts.update(turn.effects["Alpha"]["move"] for turn in played(env, seed, **cast))
    return {move: n / counts.total() for move, n in counts.items()}


def test_a_logit_player_claims_less_when_the_penalty_is_large() -> None:
    means = []
    for penalty in (5, 180):
        claims = shares(Logit, TravelersDilemma(penalty=penalty), variant="0.1")
        means.append(sum(float(claim) * share for claim, share in claims.items()))
    assert means[0] > means[1] + 30


def test_a_logit_player_at_rate_0_takes_every_move_alike() -> None:
    found = shares(Logit, TravelersDilemma(step=20), episodes=700, variant="0")
    assert len(found) == 7
    assert max(abs(share - 1 / 7) for share in found.values()) < 4 * sqrt(6 / 49 / 700)


def test_a_logit_player_of_the_dilemma_has_the_share_that_solves_the_equation() -> None:
    # p = 1 / (1 + exp(rate * (1 + p))): defecting gains 2 on cooperation and 1 on defection
    share = 0.5
    for _ in range(200):
        share = 1 / (1 + np.exp(0.5 * (1 + share)))
    found = shares(Logit, PrisonersDilemma(horizon=1), episodes=1500, variant="0.5")
    assert abs(found["cooperate"] - share) < 3 * sqrt(share * (1 - share) / 1500)


def test_each_level_undercuts_the_one_below() -> None:
    game = travelers_dilemma(180, 300, 5, 20)
    claims = [game.moves[int(level_mix(game, level).argmax())] for level in range(1, 8)]
    # undercutting by 20 for a bonus of 5 does not pay: from level 1 on all name the same
    assert len(set(claims)) == 1
    large = travelers_dilemma(180, 300, 50, 20)
    ladder = [float(large.moves[int(level_mix(large, level).argmax())]) for level in range(1, 8)]
    assert ladder == sorted(ladder, reverse=True)
    assert ladder[-1] == 180


def test_level_2_replies_to_the_partners_level_1_where_players_differ() -> None:
    env = GAMES["matching_pennies-v0"](horizon=1)
    first = shares(LevelK, env, episodes=5, variant="1")
    second = shares(LevelK, env, episodes=5, variant="2")
    assert first == {"heads": 1.0}
    assert second == {"heads": 1.0}, "Beta's level 1 takes its first move, heads; Alpha matches it"
    third = shares(LevelK, env, episodes=5, variant="3")
    assert third == {"tails": 1.0}, "Beta's level 2 evades heads"


@pytest.mark.parametrize(
    ("id", "player", "moves"),
    [
        ("ultimatum-v0", FairSplitter, {"act": "50", "respond": "accept"}),
        ("ultimatum-v0", GreedySplitter, {"act": "10", "respond": "accept"}),
        ("dictator-v0", FairSplitter, {"act": "50"}),
        ("dictator-v0", GreedySplitter, {"act": "0"}),
        # 4 of 10 sent, 12 arrive: 8 back leave 14 to both
        ("trust-v0", FairSplitter, {"act": "4", "respond": "8"}),
        ("trust-v0", GreedySplitter, {"act": "0"}),
    ],
)
def test_dividers_divide_as_they_are_named(
    id: str, player: type[Scripted], moves: dict[str, str]
) -> None:
    env = GAMES[id](wording="named")
    turns = played(env, **{role: player(role=role, seed=0) for role in env.possible_agents})
    made = {
        turn.effects["Alpha"]["phase"]: next(
            e["move"] for e in turn.effects.values() if e["move"] is not None
        )
        for turn in turns
    }
    assert made == moves


def test_the_fair_reject_less_than_a_fifth() -> None:
    for offer, answer in (("10", "reject"), ("20", "accept")):
        env = GAMES["ultimatum-v0"]()
        env.reset(seed=0)
        env.step({"Alpha": Move(option=offer)})
        seen = env.observe("Beta")
        move = FairSplitter(role="Beta", seed=0).choose(seen)
        assert seen.annotations["labels"][move.option] == answer


@pytest.mark.parametrize(
    ("kind", "variant"),
    [
        (GenerousTitForTat, "1.5"),
        (GenerousTitForTat, "often"),
        (MemoryOne, "1,0,0"),
        (MemoryOne, "1,0,0,2"),
        (Logit, "-1"),
        (Logit, "nan"),
        (LevelK, "1.5"),
        (LevelK, "-1"),
    ],
)
def test_a_variant_that_makes_no_sense_is_refused(kind: type[Scripted], variant: str) -> None:
    with pytest.raises(ValueError, match=variant):
        kind(role="Alpha", seed=0, variant=variant)


def test_a_strategy_needs_a_cooperative_move() -> None:
    table = {"moves": ["x", "y"], "row": [[1, 2], [3, 4]], "column": [[1, 2], [3, 4]]}
    env = GAMES["matrix_game-v0"](table=table)
    env.reset(seed=0)
    with pytest.raises(InputError, match="no cooperative move"):
        TitForTat(role="Alpha", seed=0).choose(env.observe("Alpha"))
