"""An agent that asks a chat model, reads its reply, and asks once more where that is fair."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from valuesim.agents.interventions import Intervention
from valuesim.agents.llm.ask import Reply
from valuesim.agents.llm.channel import DECISION, Call, Channel
from valuesim.agents.parse import Reading, cleaned, keeps_schema, read, split_thinking
from valuesim.agents.prompt import Elicitation, Message, Prompt, again, prompt_of, schema
from valuesim.decision import Decision, Fault, Try, Usage
from valuesim.observation import Observation

_log = logging.getLogger(__name__)

# a refusal is an answer; asking again would press the model to change it
_ASKED_AGAIN = frozenset({Fault.UNPARSED, Fault.ILLEGAL, Fault.AMBIVALENT})


class LLMAgent:
    """Plays `role` in the episode of `seed` by asking a chat model through `channel`.

    `interventions` change, in their order, what is asked. Each attempt is sent a seed of its own,
    derived from the episode's seed, the role, the step and the attempt (of a question beside the
    decision also from its purpose), so that the same episode asks the same thing whatever else is
    played beside it. `episode` names the episode in traces.
    """

    def __init__(
        self,
        role: str,
        seed: int,
        channel: Channel,
        elicitation: Elicitation,
        interventions: Sequence[Intervention] = (),
        episode: str = "",
    ) -> None:
        self.role = role
        self._seed = seed
        self._channel = channel
        self._elicitation = elicitation
        self._interventions = interventions
        self._episode = episode
        self._beside = Usage()

    async def decide(self, observation: Observation) -> Decision:
        """Return the model's decision, or its fault once the re-asks are spent.

        Raises Interruption when the server cannot be had.
        """
        started, self._beside = self._channel.endpoint.clock(), Usage()
        prompt = await self._prepared(observation)
        messages, usage = prompt.messages(), self._beside
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
        decision = Decision(
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
            added=prompt.added,
            usage=usage,
            latency=self._channel.endpoint.clock() - started,
        )
        return self._seen(observation, decision)

    async def _prepared(self, observation: Observation) -> Prompt:
        prompt = prompt_of(observation, self._elicitation)
        for intervention in self._interventions:
            prompt = await intervention.prepare(
                prompt, observation, partial(self._beside_it, observation.step, intervention.name)
            )
        return prompt

    def _seen(self, observation: Observation, decision: Decision) -> Decision:
        told = {each.name: did for each in self._interventions if (did := each.told())}
        for intervention in self._interventions:
            intervention.saw(observation, decision)
        return replace(decision, interventions=told) if told else decision

    async def _beside_it(
        self, step: int, by: str, messages: Sequence[Message], *, purpose: str
    ) -> str:
        """Ask something beside the decision, in plain text (see `interventions.Ask`)."""
        purpose = f"{by}: {purpose}"
        call = Call(episode=self._episode, role=self.role, step=step, purpose=purpose)
        seed = call_seed(self._seed, self.role, step, 0, purpose)
        reply = await self._channel.ask(messages, seed=seed, call=call)
        self._beside += reply.usage
        return cleaned(split_thinking(reply.text)[1])

    async def _ask(
        self, messages: tuple[Message, ...], observation: Observation, attempt: int
    ) -> Reply:
        form = None
        if self._elicitation.format == "json_schema":
            bounded = self._channel.takes_max_length
            form = schema(observation, self._elicitation, bounded=bounded)
        step = observation.step
        call = Call(episode=self._episode, role=self.role, step=step, attempt=attempt)
        seed = call_seed(self._seed, self.role, step, attempt)
        return await self._channel.ask(messages, schema=form, seed=seed, call=call)

    def _breaks_schema(self, reply: Reply, reading: Reading, observation: Observation) -> bool:
        """Return whether `reply` left the schema that the server was given; count it if so."""
        # a cut reply is the token limit's doing, and a refusal is an answer
        is_exempt = reply.finish_reason == "length" or reading.fault is Fault.REFUSED
        if self._elicitation.format != "json_schema" or is_exempt:
            return False
        if keeps_schema(reply.parsed, observation, self._elicitation):
            return False
        endpoint = self._channel.endpoint
        endpoint.counters.schema_breaks += 1
        if endpoint.counters.schema_breaks == 1:
            _log.warning(
                "the model at %s was given a JSON schema and did not keep to it; "
                "its server may ignore the constraint",
                endpoint.where,
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


def call_seed(seed: int, role: str, step: int, attempt: int, purpose: str = DECISION) -> int:
    """Return the seed of one attempt, in [0, 2**31): equal arguments, equal seed."""
    own = "" if purpose == DECISION else f"/{purpose}"
    digest = hashlib.sha256(f"{seed}/{role}/{step}/{attempt}{own}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
