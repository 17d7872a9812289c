"""What all agents of one model in a run share: the chat model, the endpoint and its counters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from valuesim.agents.endpoint import Counters, Endpoint
from valuesim.agents.interventions import build
from valuesim.agents.llm.agent import LLMAgent
from valuesim.agents.llm.cache import ReplyCache
from valuesim.agents.llm.channel import Channel
from valuesim.agents.llm.label_agent import LabelAgent
from valuesim.agents.llm.models import Model, build_chat
from valuesim.agents.llm.prefix_cache import PrefixCache
from valuesim.agents.llm.probe import probe
from valuesim.agents.prompt import Elicitation
from valuesim.agents.slots import Servers
from valuesim.episode import interventions_in

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from valuesim.agents.llm.exchange import Exchange


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """One model of a run; build it with `connect`, in the event loop that uses it, and close it."""

    channel: Channel
    elicitation: Elicitation

    @property
    def chat(self) -> BaseChatModel | None:
        """The chat model, None where every reply comes from a cache."""
        return self.channel.chat

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint that all its agents share."""
        return self.channel.endpoint

    @property
    def counters(self) -> Counters:
        """What the endpoint has done so far."""
        return self.endpoint.counters

    def agent(
        self, role: str, seed: int, parameters: Mapping[str, Any] | None = None, episode: str = ""
    ) -> LLMAgent:
        """Return the agent that plays `role` in the episode of `seed`.

        `parameters` are those of its `Player` (its interventions), `episode` names the episode in
        traces. Raises InputError for an intervention that is not allowed.
        """
        made = interventions_in(parameters or {})
        interventions = build(made, role=role, seed=seed) if made else ()
        kind = LabelAgent if self.elicitation.format == "logprobs" else LLMAgent
        return kind(role, seed, self.channel, self.elicitation, interventions, episode)

    async def probe(self) -> str | None:
        """Return None if the model keeps to a JSON schema or is given none, else a sentence.

        Asks at most once, a replay never; raises as `probe.probe` does.
        """
        if self.elicitation.format != "json_schema" or self.chat is None:
            return None
        return await probe(self.channel)

    def prefix_cache(self) -> PrefixCache | None:
        """Return what an engine in this process says of its prefix cache; None for a server."""
        told = getattr(self.chat, "prefix_cache", None)
        return None if told is None else cast("PrefixCache | None", told())

    async def close(self) -> None:
        """Close the HTTP connections that are this connection's own, and an engine's processes."""
        for owner in (self.chat, getattr(self.chat, "http_async_client", None)):
            close = getattr(owner, "aclose", None)
            if close is not None:
                await close()


def connect(
    model: Mapping[str, Any],
    elicitation: Mapping[str, Any],
    rng: np.random.Generator,
    *,
    servers: Servers | None = None,
    cache: ReplyCache | None = None,
    watch: Exchange | None = None,
) -> Connection:
    """Return the connection to `model` (see conf/model), asked as `elicitation` says.

    `rng` spreads the waits between retries; it decides nothing else. `max_tokens` of the
    elicitation takes precedence over the model's. Connections given the same `servers` share the
    limit of requests at once of a server that they have in common. Replies are kept in `cache`, if
    there is one, and taken from it; where it replays, nothing is built that could ask. `watch` is
    shown the first exchange. Raises InputError for bad settings, or where two of them give one
    server two limits; the server is not contacted yet.
    """
    asked = Elicitation.of(elicitation)
    settings = dict(model)
    # the letter that "logprobs" asks for is bounded where it is asked for
    if asked.max_tokens is not None and asked.format != "logprobs":
        settings["max_tokens"] = asked.max_tokens
    described = Model.of(settings)
    endpoint = Endpoint(
        where=f"{described.where} ({described.name})" if described.base_url else described.name,
        limits=described.limits,
        rng=rng,
        secrets=described.secrets,
        slots=(servers or Servers()).slots(described.server, described.limits.concurrency),
    )
    chat = None if cache and cache.is_replay else build_chat(settings)
    channel = Channel(chat=chat, endpoint=endpoint, model=described, cache=cache, watch=watch)
    return Connection(channel=channel, elicitation=asked)
