"""Who reads words alone is given no numbers, and what it sees and does is the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from valuesim import registry
from valuesim.agents.scripted import First
from valuesim.decision import Decision
from valuesim.env import Environment, Observation
from valuesim.episode import Turn, play
from valuesim.lots import keyed

FAMILIES: list[tuple[str, dict[str, Any]]] = [
    ("survival-v0", {"scarcity": "low", "talk_rounds": 1}),
    ("prisoners_dilemma-v0", {"horizon": 4, "talk": True}),
    ("moral_machine-v0", {"scenes": 3}),
]


class Reader:
    """Takes the first option, and keeps the states it was given."""

    def __init__(self) -> None:
        self.states: list[Any] = []

    async def decide(self, observation: Observation) -> Decision:
        self.states.append(observation.state)
        taken = observation.options[0]
        arguments = {name: kind.default for name, kind in taken.arguments.items()}
        return Decision(
            agent=observation.agent,
            step=observation.step,
            option=taken.name,
            arguments=arguments,
        )


async def played(env: Environment, agent: type[Any]) -> tuple[list[Turn], Any]:
    agents = {role: agent() for role in env.possible_agents}
    return await play(env, agents, seed=4), agents


def words(turns: list[Turn]) -> list[Any]:
    return [
        (seen.agent, seen.step, seen.text, seen.options, seen.view, seen.annotations)
        for turn in turns
        for seen in turn.observations.values()
    ]


@pytest.mark.parametrize(("id", "parameters"), FAMILIES, ids=[id for id, _ in FAMILIES])
async def test_an_agent_that_says_nothing_of_it_is_given_its_state(
    id: str, parameters: dict[str, Any]
) -> None:
    class Wordy(Reader):
        reads_state = False

    env = registry.make(id, **parameters)
    with_numbers, readers = await played(env, Reader)
    without, wordy = await played(registry.make(id, **parameters), Wordy)
    assert words(with_numbers) == words(without)
    for role, reader in readers.items():
        space = env.observation_space(role)
        assert reader.states
        assert all(space.contains(state) for state in reader.states)
        assert not any(wordy[role].states)


async def test_scripted_agents_are_given_none() -> None:
    env = registry.make("survival-v0")
    agents = {role: First(role=role, seed=0) for role in env.possible_agents}
    turns = await play(env, agents, seed=0)
    assert not any(seen.state for turn in turns for seen in turn.observations.values())


def test_a_step_without_numbers_names_the_same_agents() -> None:
    by_numbers, by_words = (registry.make("survival-v0", scarcity=1.5) for _ in range(2))
    for env in (by_numbers, by_words):
        env.reset(seed=1)
    while by_numbers.agents:
        states, *rest = by_numbers.step({})
        empty, *same = by_words.step({}, numeric=False)
        assert list(empty) == list(states)
        assert not any(empty.values())
        assert same == rest


@pytest.mark.parametrize("key", [[0, 0, 0, 0], [7, 2**32 - 1, 3, 1], [2**32, 5, 0, 2], [2**63, 1]])
def test_a_short_key_read_faster_draws_the_same(key: list[int]) -> None:
    assert keyed(key).permutation(50).tolist() == (
        np.random.default_rng(key).permutation(50).tolist()
    )
