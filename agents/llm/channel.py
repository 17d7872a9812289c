"""The way from an agent to its model: limits, cache and traces stand here, each once.

An agent knows what it asks and why; what is sent, how often and to which server is decided below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from valuesim.agents.endpoint import Endpoint
from valuesim.agents.failure import read_failure, shortened
from valuesim.agents.llm.ask import LabelForm, Question, Reply, ask
from valuesim.agents.llm.cache import Place, ReplyCache
from valuesim.agents.llm.models import Model
from valuesim.agents.llm.spans import request_span, runnable_config, tell_reply
from valuesim.agents.parse import cleaned
from valuesim.agents.prompt import Message
from valuesim.errors import InputError
from valuesim.secrets import redact_strictly

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from valuesim.agents.llm.exchange import Exchange

DECISION = "decision"
"""The purpose of the call that asks for the decision itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """Which call of a run this is; it changes nothing of what is sent.

    `attempt` counts from 0 the re-asks of one question, `purpose` names the question within one
    decision, `sample` counts from 0 the calls of one agent that are alike in all of this.
    """

    episode: str = ""
    role: str = ""
    step: int = 0
    attempt: int = 0
    purpose: str = DECISION
    sample: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """A chat model behind the limits of its endpoint, shared by all its agents in a run.

    `model` says what shapes its replies. With a `cache` they are kept there, or taken from there;
    `chat` is None where every reply is (a replay). `watch` is shown the first exchange of the run.
    """

    chat: BaseChatModel | None
    endpoint: Endpoint
    model: Model
    cache: ReplyCache | None = None
    watch: Exchange | None = None

    @property
    def takes_max_length(self) -> bool:
        """Whether the server takes `maxLength` in a JSON schema."""
        return self.model.takes_max_length

    async def ask(
        self,
        messages: Sequence[Message],
        *,
        seed: int,
        call: Call,
        schema: Mapping[str, Any] | None = None,
        label: LabelForm | None = None,
    ) -> Reply:
        """Return the reply, counted at the endpoint and without its secrets.

        Whatever is sent can be encoded. Raises as `Endpoint.call` does, as `ask` for a provider
        without structured output, and as the cache, which is looked into first and told last.
        """
        sent = [Message(role=message.role, text=cleaned(message.text)) for message in messages]
        question = Question(messages=sent, seed=seed, schema=schema, label=label)
        place = self.cache.place(self.model, question, call) if self.cache else None
        if (kept := place.found() if place else None) is not None:
            self.endpoint.counters.replayed += 1
            return kept.without(self.endpoint.secrets)
        return await self._asked(question, place, call)

    async def _asked(self, question: Question, place: Place | None, call: Call) -> Reply:
        if (start := getattr(self.chat, "astart", None)) is not None:
            # an engine in this process: loading it is no part of a request and its limit of time
            await start()
        started = self.endpoint.clock()
        reply = await self.endpoint.call(lambda: self._sent(question, call))
        self.endpoint.counters.usage += reply.usage
        reply = reply.without(self.endpoint.secrets)
        if place is not None:
            place.keep(reply, self.endpoint.clock() - started)
        return reply

    async def _sent(self, question: Question, call: Call) -> Reply:
        assert self.chat is not None, "a replay finds every reply, or ends the episode"
        try:
            with request_span(self.model, self.endpoint, question, call) as traced:
                reply = await ask(self.chat, question, runnable_config(call, self.watch))
                tell_reply(traced, reply)
            return reply
        except Exception as error:
            if told := question.label and _refusal(error, question.label):
                raise InputError(redact_strictly(told, self.endpoint.secrets)) from None
            raise


def _refusal(error: Exception, form: LabelForm) -> str | None:
    """Return the sentence for a server that refuses log-probabilities, None for another failure."""
    failure = read_failure(error, now=0.0, timeout_s=0.0)
    if failure.status not in (400, 422) or "logprob" not in failure.reason.casefold():
        return None
    return (
        f"the model server refuses elicitation.top_logprobs={form.top}: HTTP {failure.status}: "
        f"{shortened(failure.reason)} (give a smaller one, or another elicitation)"
    )
