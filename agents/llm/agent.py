"""An agent that asks a chat model, reads its reply, and asks once more where that is fair."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from valuesim.agents.interventions import Intervention
from valuesim.agents.interventions.base import Lived
from valuesim.agents.llm.ask import Reply
from valuesim.agents.llm.channel import DECISION, Call, Channel
from valuesim.agents.llm.questions import Answer, Form, tried
from valuesim.agents.parse import Reading, cleaned, split_thinking
from valuesim.agents.prompt import Elicitation, Message, Prompt, again, prompt_of
from valuesim.decision import Decision, Fault, Try, Usage
from valuesim.episode import Aftermath, Turn
from valuesim.errors import Departed
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

    reads_state: ClassVar[bool] = False

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
        self._calls: Counter[tuple[int, int, str]] = Counter()

    async def decide(self, observation: Observation) -> Decision:
        """Return the model's decision, or its fault once the re-asks are spent.

        Raises Interruption when the server cannot be had.
        """
        started, self._beside = self._channel.endpoint.clock(), Usage()
        prompt = await self._prepared(observation)
        said = await self._said(prompt, observation)
        decision = Decision(
            agent=observation.agent,
            step=observation.step,
            added=prompt.added,
            latency=self._channel.endpoint.clock() - started,
            **(said | {"usage": self._beside + said["usage"]}),
        )
        return self._seen(observation, decision)

    async def _said(self, prompt: Prompt, observation: Observation) -> dict[str, Any]:
        """Ask for the decision; return what the answer says of it, by field of `Decision`."""
        form = Form(observation=observation, elicitation=self._elicitation)
        return (await self._settled(form, prompt.messages())).fields()

    async def _settled(self, form: Form, messages: tuple[Message, ...]) -> Answer:
        """Ask until there is a choice, a fault that is not asked again, or no try left."""
        tries: list[Try] = []
        usage, replies = Usage(), []
        while True:
            reply = await self._ask(form, messages, len(tries))
            usage += reply.usage
            replies.append(reply)
            reading = form.read(reply)
            schema_break = self._breaks_schema(form, reply, reading)
            is_last = len(tries) == self._elicitation.reask
            if reading.fault not in _ASKED_AGAIN or is_last:
                return Answer(
                    reading=reading,
                    reply=reply,
                    first=replies[0],
                    tries=tuple(tries),
                    schema_break=schema_break,
                    usage=usage,
                )
            tries.append(tried(reply, reading, schema_break=schema_break))
            _, answer = split_thinking(reply.text)
            messages += again(answer, reading.detail or "", form.observation, form.labels)

    def carry(self, carried: Mapping[str, Any]) -> None:
        """Start with what its interventions carried on from the episode before, by name."""
        for intervention in self._interventions:
            if intervention.name in carried:
                intervention.carry(carried[intervention.name])

    async def ended(self, turns: Sequence[Turn]) -> Aftermath:
        """Let its interventions look back on a finished episode; return what they carry on.

        Raises Interruption when the server cannot be had.
        """
        own = [turn for turn in turns if self.role in turn.decisions]
        lived = Lived(
            moments=[(turn.observations[self.role], turn.decisions[self.role]) for turn in own],
            payoff=sum(turn.payoffs.get(self.role, 0.0) for turn in turns),
        )
        self._beside = Usage()
        carried = {}
        for intervention in self._interventions:
            # the step after the last has no other questions
            await intervention.ended(lived, partial(self._beside_it, len(turns), intervention.name))
            if (state := intervention.carried()) is not None:
                carried[intervention.name] = state
        return Aftermath(carried=carried, usage=self._beside)

    async def recall(
        self, observation: Observation, decision: Decision, *, made: Collection[str] | None = None
    ) -> None:
        """Take in what was seen and decided, as the log says; the model is asked nothing.

        Interventions do again what they did, and those that were not `made` then (None: all were)
        see what was seen. Raises Departed where one does something else than the log says.
        """
        prompt = prompt_of(observation, self._elicitation)
        for each in self._interventions:
            if made is None or each.name in made:
                prompt = await _recalled(each, prompt, observation, decision)
            else:
                each.witness(observation)
        for each in self._interventions:
            each.saw(observation, decision)

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
        seed = call_seed(self._seed, self.role, step, 0, purpose)
        call = self._call(step, purpose=purpose)
        reply = await self._channel.ask(messages, seed=seed, call=call)
        self._beside += reply.usage
        _, answer = split_thinking(reply.text)
        # some providers tell a refusal apart from the text, which is then empty
        return cleaned(answer if answer.strip() else reply.refusal or "")

    async def _ask(self, form: Form, messages: tuple[Message, ...], attempt: int) -> Reply:
        step, purpose = form.observation.step, form.purpose
        return await self._channel.ask(
            messages,
            schema=form.schema(bounded=self._channel.takes_max_length),
            label=form.label,
            seed=call_seed(self._seed, self.role, step, attempt, purpose),
            call=self._call(step, attempt, purpose),
        )

    def _call(self, step: int, attempt: int = 0, purpose: str = DECISION) -> Call:
        sample = self._calls[step, attempt, purpose]
        self._calls[step, attempt, purpose] += 1
        return Call(
            episode=self._episode,
            role=self.role,
            step=step,
            attempt=attempt,
            purpose=purpose,
            sample=sample,
        )

    def _breaks_schema(self, form: Form, reply: Reply, reading: Reading) -> bool:
        """Return whether `reply` left the schema that the server was given; count it if so."""
        if not form.is_broken_by(reply, reading):
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


async def _recalled(
    intervention: Intervention, prompt: Prompt, observation: Observation, decision: Decision
) -> Prompt:
    name = intervention.name
    did = decision.interventions.get(name, {})
    try:
        after = await intervention.recall(prompt, observation, did)
    except KeyError as error:
        what = f"the log does not hold what {name} was answered ({error})"
        raise Departed(observation.step, observation.agent, what) from error
    added = [each for each in decision.added if each.by == name]
    if list(after.added[len(prompt.added) :]) != added or dict(intervention.told()) != dict(did):
        raise Departed(observation.step, observation.agent, f"{name} adds something else")
    return after


def call_seed(seed: int, role: str, step: int, attempt: int, purpose: str = DECISION) -> int:
    """Return the seed of one attempt, in [0, 2**31): equal arguments, equal seed."""
    own = "" if purpose == DECISION else f"/{purpose}"
    digest = hashlib.sha256(f"{seed}/{role}/{step}/{attempt}{own}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
