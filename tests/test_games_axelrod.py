"""Strategies of the Axelrod library play as they do there; without the library one is told."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from valuesim.agents.scripted import Random, Scripted
from valuesim.agents.scripted import axelrod_player as adapter
from valuesim.agents.scripted.axelrod_player import AxelrodPlayer
from valuesim.agents.scripted.games import AlwaysDefect, Grim, TitForTat, WinStayLoseShift
from valuesim.envs.games import Chicken, Game, PrisonersDilemma
from valuesim.episode import play
from valuesim.errors import InputError


def library() -> Any:
    return pytest.importorskip("axelrod", reason="needs valuesim[axelrod]")


def moves(env: Game, player: Scripted, seed: int, partner: type[Scripted] = Random) -> list[Any]:
    cast = {"Alpha": player, "Beta": partner(role="Beta", seed=seed)}
    turns = asyncio.run(play(env, cast, seed))
    return [(turn.effects["Alpha"]["move"], turn.effects["Beta"]["move"]) for turn in turns]


def test_without_the_library_one_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(adapter, "import_module", missing)
    with pytest.raises(InputError, match=r"pip install \"valuesim\[axelrod\]\""):
        AxelrodPlayer(role="Alpha", seed=0)


def test_an_unknown_strategy_is_told_the_nearest() -> None:
    library()
    with pytest.raises(ValueError, match="did you mean 'TitForTat'"):
        AxelrodPlayer(role="Alpha", seed=0, variant="TitForTaat")
    with pytest.raises(ValueError, match="Darwin"):
        AxelrodPlayer(role="Alpha", seed=0, variant="Darwin")


@pytest.mark.parametrize(
    ("name", "own"),
    [("TitForTat", TitForTat), ("Grudger", Grim), ("WinStayLoseShift", WinStayLoseShift)],
)
@pytest.mark.parametrize("seed", range(4))
def test_it_plays_what_our_own_strategy_plays(name: str, own: type[Scripted], seed: int) -> None:
    library()
    theirs = moves(
        PrisonersDilemma(horizon=20), AxelrodPlayer(role="Alpha", seed=0, variant=name), seed
    )
    assert theirs == moves(PrisonersDilemma(horizon=20), own(role="Alpha", seed=0), seed)


@pytest.mark.parametrize(
    "name", ["FirmButFair", "FirstByJoss", "GTFT", "Gradual", "Adaptive", "EvolvedLookerUp2_2_2"]
)
def test_a_match_is_the_one_that_the_library_plays(name: str) -> None:
    axl = library()
    player = AxelrodPlayer(role="Alpha", seed=3, variant=name)
    env = PrisonersDilemma(horizon=25)
    cast = {"Alpha": player, "Beta": Random(role="Beta", seed=1)}
    turns = asyncio.run(play(env, cast, 1))
    partner = [turn.effects["Beta"]["move"] == "cooperate" for turn in turns]
    theirs, opponent = (
        getattr(axl, name)(),
        axl.MockPlayer([axl.Action.C if good else axl.Action.D for good in partner]),
    )
    theirs.set_seed(player._seed)
    theirs.set_match_attributes(length=25)
    expected = [match == axl.Action.C for match in _match(theirs, opponent, len(turns))]
    assert [turn.effects["Alpha"]["move"] == "cooperate" for turn in turns] == expected


def _match(player: Any, opponent: Any, rounds: int) -> list[Any]:
    made = []
    for _ in range(rounds):
        own, other = player.strategy(opponent), opponent.strategy(player)
        player.update_history(own, other)
        opponent.update_history(other, own)
        made.append(own)
    return made


def test_the_seed_fixes_what_is_random_in_a_strategy() -> None:
    library()

    def played(seed: int) -> list[Any]:
        player = AxelrodPlayer(role="Alpha", seed=seed, variant="Random")
        return moves(PrisonersDilemma(horizon=30), player, 0)

    assert played(1) == played(1)
    assert played(1) != played(2)


def test_firm_but_fair_forgives_mutual_defection_two_times_in_three() -> None:
    library()
    forgiven = []
    for seed in range(60):
        player = AxelrodPlayer(role="Alpha", seed=seed, variant="FirmButFair")
        made = [own for own, _ in moves(PrisonersDilemma(horizon=8), player, seed, AlwaysDefect)]
        pairs = list(pairwise(made))
        assert all(b == "defect" for a, b in pairs if a == "cooperate")
        forgiven += [b == "cooperate" for a, b in pairs if a == "defect"]
    spread = np.sqrt(2 / 9 / len(forgiven))
    assert abs(np.mean(forgiven) - 2 / 3) < 3 * spread


def test_every_quick_strategy_makes_moves_in_other_games_too() -> None:
    axl = library()
    quick = sorted(s.__name__ for s in axl.short_run_time_strategies)
    for name in quick[::20]:
        player = AxelrodPlayer(role="Alpha", seed=0, variant=name)
        made = moves(Chicken(horizon=6, noise=0.1, talk=False), player, 0)
        assert {own for own, _ in made} <= {"swerve", "straight"}, name
