"""Every environment works through Gymnasium and PettingZoo's registries."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import gymnasium
import numpy as np
import pettingzoo
import pytest
from gymnasium.utils.env_checker import check_env

import valuesim
from valuesim import gym, registry
from valuesim.agents.scripted import Scripted
from valuesim.decision import Decision
from valuesim.env import Environment, Observation
from valuesim.errors import InputError

IDS = list(registry.environments())


@pytest.mark.parametrize("id", IDS)
def test_it_passes_the_check_of_gymnasium(id: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make(gym.gymnasium_id(id)).unwrapped)


@pytest.mark.parametrize("id", IDS)
def test_valuesim_and_gymnasium_make_the_same_environment(id: str) -> None:
    made = valuesim.make(id)
    assert made.id == id
    single = gymnasium.make(gym.gymnasium_id(id))
    first = made.possible_agents[0]
    assert single.observation_space == made.observation_space(first)
    assert single.action_space == made.action_space(first)
    state, _ = single.reset(seed=0)
    assert state["action_mask"].any()


@pytest.mark.parametrize("id", IDS)
def test_its_spec_is_data(id: str) -> None:
    spec = gymnasium.make(gym.gymnasium_id(id), opponents="mute").spec
    assert spec is not None
    again = gymnasium.make(gymnasium.envs.registration.EnvSpec.from_json(spec.to_json()))
    assert again.reset(seed=0)[0].keys() == {"observation", "action_mask"}


@pytest.mark.parametrize("id", IDS)
def test_pettingzoo_makes_it(id: str) -> None:
    env = pettingzoo.make("parallel", f"valuesim/{id}")
    assert isinstance(env, Environment)
    assert env.id == id


def test_registering_again_changes_nothing_and_says_nothing() -> None:
    before = dict(gymnasium.registry)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gym.register()
    assert gymnasium.registry == before


def walk(env: gymnasium.Env, seed: int) -> tuple[list[float], list[np.ndarray]]:
    """Take the first masked-in action until the end; return rewards and observations."""
    state, _ = env.reset(seed=seed)
    rewards, states = [], [state["observation"]]
    over = False
    while not over:
        state, reward, terminated, truncated, _ = env.step(int(state["action_mask"].argmax()))
        rewards.append(float(reward))
        states.append(state["observation"])
        over = terminated or truncated
    return rewards, states


def test_an_episode_lasts_until_the_agent_is_done() -> None:
    env = gymnasium.make("valuesim/Survival-v0", scarcity={"personal": 5, "shared": 0})
    rewards, _ = walk(env, 0)
    assert rewards == [1.0, 1.0, 1.0, 0.0], "5 power pays for turns 1 to 4"
    env = gymnasium.make("valuesim/Survival-v0", scarcity="high", opponents="ethical")
    assert sum(walk(env, 0)[0]) == 13


def test_opponents_decide_and_the_seed_fixes_them() -> None:
    def end(opponents: object, seed: int) -> list[np.ndarray]:
        return walk(gymnasium.make("valuesim/Survival-v0", opponents=opponents), seed)[1]

    assert all((a == b).all() for a, b in zip(end("random", 1), end("random", 1), strict=True))
    assert any((a != b).any() for a, b in zip(end("random", 1), end("random", 2), strict=True))
    mixed = {"Beta": "ethical", "Gamma": "exploitative", "Delta": "free_rider"}
    assert any((a != b).any() for a, b in zip(end("mute", 1), end(mixed, 1), strict=True))


def test_any_role_can_be_the_one_that_acts() -> None:
    env = gymnasium.make("valuesim/Survival-v0", role="Gamma", opponents="ethical")
    assert walk(env, 3)[0]


async def test_it_steps_inside_a_running_event_loop() -> None:
    assert asyncio.get_running_loop()
    assert walk(gymnasium.make("valuesim/Survival-v0", scarcity=4), 0)[0]


def test_an_action_that_is_not_on_offer_abstains_and_is_told() -> None:
    env = gymnasium.make("valuesim/Survival-v0")
    state, _ = env.reset(seed=0)
    *_, notice = env.step(int(state["action_mask"].argmin()))
    assert "not on offer" in notice["notice"]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"opponents": "etical"}, "etical"),
        ({"opponents": {"Beta": "ethical"}}, "Gamma"),
        ({"opponents": {"Omega": "ethical"}}, "Omega"),
        ({"role": "Omega"}, "Omega"),
        ({"scarcity": -1}, "scarcity"),
    ],
)
def test_what_is_not_allowed_is_named(given: dict[str, Any], named: str) -> None:
    with pytest.raises((ValueError, InputError), match=named):
        gymnasium.make("valuesim/Survival-v0", **given)


def test_an_agent_that_is_not_there_from_the_start_cannot_be_the_one_that_acts() -> None:
    env = gymnasium.make("valuesim/Survival-v0", role="Epsilon", joins_at=2)
    with pytest.raises(ValueError, match="Epsilon"):
        env.reset(seed=0)


class Waiting(Scripted):
    """Waits for something before it answers."""

    async def decide(self, observation: Observation) -> Decision:
        await asyncio.sleep(0)
        return await super().decide(observation)


def test_an_opponent_that_waits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "make_agent", lambda _, **given: Waiting(**given))
    env = gymnasium.make("valuesim/Survival-v0")
    env.reset(seed=0)
    with pytest.raises(ValueError, match="Beta waits"):
        env.step(0)
