"""Playing without a model: every reply is legal, and the same request has the same reply."""

from __future__ import annotations

import numpy as np
import pytest

from valuesim import registry
from valuesim.agents.llm import connect
from valuesim.agents.llm.mock_chat import MockChat
from valuesim.decision import Decision
from valuesim.episode import play

FORMS = ("json_schema", "json", "name")


async def decisions(form: str, env: str, seed: int) -> list[Decision]:
    connection = connect(
        {"provider": "mock", "name": "mock"}, {"format": form}, np.random.default_rng(0)
    )
    world = registry.make(env)
    agents = {role: connection.agent(role, seed) for role in world.possible_agents}
    turns = await play(world, agents, seed)
    return [decision for turn in turns for decision in turn.decisions.values()]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("env", ["survival-v0", "ultimatum-v0", "dilemmas-v0", "moral_machine-v0"])
async def test_every_reply_is_a_choice_and_comes_again(env: str, form: str) -> None:
    made = await decisions(form, env, 3)
    assert made
    assert all(decision.fault is None for decision in made)
    again = await decisions(form, env, 3)
    assert [(d.option, d.arguments) for d in made] == [(d.option, d.arguments) for d in again]


async def test_it_chooses_differently_with_another_seed() -> None:
    chosen = {tuple(d.option for d in await decisions("json", "dilemmas-v0", s)) for s in range(8)}
    assert len(chosen) > 1


async def test_it_counts_words_as_tokens() -> None:
    reply = await MockChat().ainvoke("three words here")
    assert reply.usage_metadata is not None
    assert reply.usage_metadata["input_tokens"] == 3
