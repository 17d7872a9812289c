"""What answers for the roles of a run: models, and whoever else plays in the whole of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from valuesim.decision import Agent

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


def distinct(connections: Mapping[str, T]) -> list[T]:
    """Return each connection once, whatever it plays."""
    return list({id(each): each for each in connections.values()}.values())
