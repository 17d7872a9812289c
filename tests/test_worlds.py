"""One seed under two conditions: the same scenes where they are asked again, else another world."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from valuesim import registry
from valuesim.env import Environment
from valuesim.episode import play


def drawn(id: str, seed: int, **parameters: Any) -> list[tuple[Any, ...]]:
    """Return what happened to a cooperative pair whose moves the world may flip."""
    env = registry.make(id, **parameters)
    agents = {
        role: registry.make_agent("always_cooperate", role=role, seed=seed)
        for role in env.possible_agents
    }
    turns = asyncio.run(play(env, agents, seed))
    return [tuple(turn.effects[role]["move"] for role in env.possible_agents) for turn in turns]


def test_games_draw_lengths_and_flips_anew_under_another_wording() -> None:
    given = {"delta": 0.8, "noise": 0.2}
    same = [
        drawn("prisoners_dilemma", seed, **given, paraphrase=0)
        == drawn("prisoners_dilemma", seed, **given, paraphrase=1)
        for seed in range(12)
    ]
    assert sum(same) <= 6, "short games may agree by chance"
    again = drawn("prisoners_dilemma", 3, **given, paraphrase=0)
    assert again == drawn("prisoners_dilemma", 3, **given, paraphrase=0)


def scenes(env: Environment, seed: int) -> list[str]:
    agents = {"Alpha": registry.make_agent("random", role="Alpha", seed=1)}
    turns = asyncio.run(play(env, agents, seed))
    return [turn.observations["Alpha"].annotations["scene"] for turn in turns]


@pytest.mark.parametrize(
    ("id", "parameters"),
    [("moral_machine", {}), ("dilemmas", {"pack": "daily"})],
)
def test_scenes_are_the_same_in_every_telling(id: str, parameters: dict[str, Any]) -> None:
    first, second = (
        scenes(registry.make(id, **parameters, paraphrase=telling), 5) for telling in (0, 1)
    )
    assert first == second
