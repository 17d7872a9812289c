"""The requests that survival episodes make of a model, written down once for other clients to send.

A client that is measured beside valuesim sends the same prompts and schemas in the same turns,
without the world that words them: what is left out is to its advantage.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from valuesim import registry
from valuesim.agents.prompt import Elicitation, render, schema
from valuesim.decision import Agent
from valuesim.episode import play

ENV, PARAMETERS, ELICITATION = "survival-v0", {"scarcity": "medium"}, {"format": "json_schema"}

Body = Mapping[str, Any]
Episode = list[list[Body]]
"""The turns of one episode, and the requests of each: one for each agent that decides."""


def written_down(episodes: int) -> list[Episode]:
    """Return the requests of `episodes` episodes played by random agents, equal on every call."""
    return [asyncio.run(_episode(seed)) for seed in range(episodes)]


async def _episode(seed: int) -> Episode:
    env = registry.make(ENV, **PARAMETERS)
    agents: dict[str, Agent] = {
        role: registry.make_agent("random", role=role, seed=seed) for role in env.possible_agents
    }
    turns = await play(env, agents, seed)
    asked = Elicitation.of(ELICITATION)
    episode = []
    for turn in turns:
        bodies: list[Body] = []
        for seen in turn.observations.values():
            messages = [{"role": m.role, "content": m.text} for m in render(seen, asked)]
            form = {"name": "decision", "strict": True, "schema": schema(seen, asked)}
            response_format = {"type": "json_schema", "json_schema": form}
            bodies.append({"messages": messages, "response_format": response_format})
        episode.append(bodies)
    return episode
