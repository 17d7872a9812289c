"""The way from an agent to its model: limits, cache and traces stand here, each once.

An agent knows what it asks and why; what is sent, how often and to which server is decided below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from valuesim.agents.endpoint import Endpoint
from valuesim.agents.llm.ask import Reply, ask
from valuesim.agents.parse import cleaned
from valuesim.agents.prompt import Message

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

DECISION = "decision"
"""The purpose of the call that asks for the decision itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """Which call of a run this is; it changes nothing of what is sent.

    `attempt` counts from 0 the re-asks of one question, `purpose` names the question within one
    decision.
    """

    episode: str = ""
    role: str = ""
    step: int = 0
    attempt: int = 0
    purpose: str = DECISION


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """A chat model behind the limits of its endpoint, shared by all its agents in a run."""

    chat: BaseChatModel
    endpoint: Endpoint

    @property
    def takes_max_length(self) -> bool:
        """Whether the server takes `maxLength` in a JSON schema."""
        return bool(getattr(self.chat, "takes_max_length", False))

    async def ask(
        self,
        messages: Sequence[Message],
        *,
        seed: int,
        call: Call,
        schema: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Return the reply, counted at the endpoint and without its secrets.

        Whatever is sent can be encoded. Raises as `Endpoint.call` does, and as `ask` for a provider
        without structured output.
        """
        sent = [Message(role=message.role, text=cleaned(message.text)) for message in messages]
        reply = await self.endpoint.call(lambda: ask(self.chat, sent, schema=schema, seed=seed))
        self.endpoint.counters.usage += reply.usage
        return reply.without(self.endpoint.secrets)
