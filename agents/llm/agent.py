"""An agent that asks a chat model, reads its reply, and asks once more where that is fair."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

from valuesim.agents.endpoint import Endpoint
from valuesim.agents.llm.ask import Reply, exchange
from valuesim.agents.parse import Reading, cleaned, keeps_schema, read, split_thinking
from valuesim.agents.prompt import Elicitation, Message, again, render, schema
from valuesim.decision import Decision, Fault, Try, Usage
from valuesim.observation import Observation

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_log = logging.getLogger(__name__)

# a refusal is an answer; asking again would press the model to change it
_ASKED_AGAIN = frozenset({Fault.UNPARSED, Fault.ILLEGAL, Fault.AMBIVALENT})


class LLMAgent:
    """Plays `role` in the episode of `seed` by asking `chat`, through the limits of `endpoint`.

    Each attempt is sent a seed of its own, derived from the episode's seed, the role, the step and
    the attempt, so that the same episode asks the same thing whatever else is played beside it.
    """

    def __init__(
        self,
        role: str,
        seed: int,
        chat: BaseChatModel,
        elicitation: Elicitation,
        endpoint: Endpoint,
    ) -> None:
        self.role = role
        self._seed = seed
        self._chat = chat
        self._elicitation = elicitation
        self._endpoint = endpoint

    async def decide(self, observation: Observation) -> Decision:
        """Return the model's decision, or its fault once the re-asks are spent.

        Raises Interruption when the server cannot be had.
        """
        messages = render(observation, self._elicitation)
        usage, started = Usage(), self._endpoint.clock()
        tries: list[Try] = []
        while True:
            reply = await self._ask(messages, observation, len(tries))
            usage += reply.usage
            reading = _read(reply, observation)
            schema_break = self._breaks_schema(reply, reading, observation)
            fault = reading.fault
            is_last = len(tries) == self._elicitation.reask
            if fault is None or fault not in _ASKED_AGAIN or is_last:
                break
            tries.append(
                Try(
                    reply=cleaned(reply.text),
                    fault=fault,
                    detail=reading.detail,
                    attempted=reading.attempted,
                    schema_break=schema_break,
                )
            )
            _, answer = split_thinking(reply.text)
            messages += again(answer, reading.detail or "", observation)
        return Decision(
            agent=observation.agent,
            step=observation.step,
            option=reading.option,
            arguments=reading.arguments,
            message=reading.message,
            rationale=reading.rationale,
            fault=reading.fault,
            fault_detail=reading.detail,
            attempted=reading.attempted,
            schema_break=schema_break,
            reply=cleaned(reply.text),
            attempts=len(tries) + 1,
            tries=tuple(tries),
            usage=usage,
            latency=self._endpoint.clock() - started,
        )

    async def _ask(
        self, messages: tuple[Message, ...], observation: Observation, attempt: int
    ) -> Reply:
        form = None
        if self._elicitation.format == "json_schema":
            bounded = getattr(self._chat, "takes_max_length", False)
            form = schema(observation, self._elicitation, bounded=bounded)
        seed = call_seed(self._seed, self.role, observation.step, attempt)
        return await exchange(self._endpoint, self._chat, messages, schema=form, seed=seed)

    def _breaks_schema(self, reply: Reply, reading: Reading, observation: Observation) -> bool:
        """Return whether `reply` left the schema that the server was given; count it if so."""
        # a cut reply is the token limit's doing, and a refusal is an answer
        is_exempt = reply.finish_reason == "length" or reading.fault is Fault.REFUSED
        if self._elicitation.format != "json_schema" or is_exempt:
            return False
        if keeps_schema(reply.parsed, observation, self._elicitation):
            return False
        self._endpoint.counters.schema_breaks += 1
        if self._endpoint.counters.schema_breaks == 1:
            _log.warning(
                "the model at %s was given a JSON schema and did not keep to it; "
                "its server may ignore the constraint",
                self._endpoint.where,
            )
        return True


def _read(reply: Reply, observation: Observation) -> Reading:
    return read(
        reply.text,
        observation,
        parsed=reply.parsed,
        refusal=reply.refusal,
        finish_reason=reply.finish_reason,
    )


def call_seed(seed: int, role: str, step: int, attempt: int) -> int:
    """Return the seed of one attempt, in [0, 2**31): equal arguments, equal seed."""
    digest = hashlib.sha256(f"{seed}/{role}/{step}/{attempt}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
