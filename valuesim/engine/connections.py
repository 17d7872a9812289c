"""What answers for the roles of a run: models, and whoever else plays in the whole of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from valuesim import registry
from valuesim.decision import Agent
from valuesim.episode import EpisodeSpec

T = TypeVar("T")


class Connection(Protocol):
    """A model that answers: makes its agents, counts its calls (see `agents.llm.connect`)."""

    @property
    def counters(self) -> Any:
        """Return what was asked so far: calls, retries, usage."""
        ...

    def agent(self, role: str, seed: int, parameters: Mapping[str, Any], episode: str) -> Agent:
        """Return the agent that plays `role` in one episode, with its player's parameters."""
        ...

    async def close(self) -> None:
        """Let go of the server."""
        ...


def shared(agent: str) -> str:
    """Return the key among connections of an agent that plays in the whole run, as a person does.

    No role has such a name.
    """
    return f"agent:{agent}"


def seated(spec: EpisodeSpec, role: str, connections: Mapping[str, Connection]) -> Agent:
    """Return the agent that plays `role` in the episode of `spec`.

    `connections` hold, by role, what answers for a model, and by `shared` who else plays in all of
    a run. Raises InputError for an agent that cannot be made.
    """
    player, seed = spec.population[role], spec.agent_seed
    if player.model is not None:
        return connections[role].agent(role, seed, player.parameters, spec.id)
    if (host := connections.get(shared(player.agent))) is not None:
        return host.agent(role, seed, player.parameters, spec.id)
    agent: Agent = registry.make_agent(player.agent, role=role, seed=seed, **player.parameters)
    return agent


def distinct(connections: Mapping[str, T]) -> list[T]:
    """Return each connection once, whatever it plays."""
    return list({id(each): each for each in connections.values()}.values())
