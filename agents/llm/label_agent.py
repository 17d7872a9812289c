"""An agent that asks for the letter of an option, and how likely each letter was."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from valuesim.agents.llm.agent import LLMAgent, call_seed
from valuesim.agents.llm.ask import LabelForm, Reply
from valuesim.agents.llm.channel import DECISION
from valuesim.agents.llm.logprobs import labelling, labellings, probabilities, read_label
from valuesim.agents.llm.questions import Answer, Form
from valuesim.agents.parse import split_thinking
from valuesim.agents.prompt import Elicitation, Message, Prompt, arguments_of, labelled
from valuesim.decision import Labelling
from valuesim.episode import at_once
from valuesim.observation import Observation
from valuesim.option import Option

_log = logging.getLogger(__name__)
_ARGUMENTS = Elicitation(format="json_schema", ask_rationale=False)


class LabelAgent(LLMAgent):
    """Plays as `LLMAgent` does, and asks for a letter instead of an option's name.

    Which option has which letter is drawn anew for each decision. The choice is what was sampled
    under the first permutation; the further ones are asked beside it, for their probabilities
    alone, as the question was first put. Arguments of the option are then asked for by JSON schema.
    """

    async def _said(self, prompt: Prompt, observation: Observation) -> dict[str, Any]:
        seed = call_seed(self._seed, self.role, observation.step, 0, "labels")
        drawn = labellings(observation, self._elicitation.permutations, seed)
        first, *others = drawn
        got: dict[int, Any] = await at_once(
            {0: self._chosen(prompt, observation, first)}
            | {
                k: self._sampled(prompt, observation, each, k)
                for k, each in enumerate(others, start=1)
            }
        )
        said: dict[str, Any]
        (said, reply), *beside = got.values()
        replies = [reply, *beside]
        asked = tuple(labelling(r, labels) for r, labels in zip(replies, drawn, strict=True))
        self._count(asked)
        shares, unaccounted = probabilities(asked, [each.name for each in observation.options])
        return said | {
            "labellings": asked,
            "probabilities": shares,
            "unaccounted": unaccounted,
            "usage": sum((reply.usage for reply in beside), start=said["usage"]),
        }

    async def _chosen(
        self, prompt: Prompt, observation: Observation, labels: Sequence[str]
    ) -> tuple[dict[str, Any], Reply]:
        """Return what the answer says, and the first reply to the question for the letter."""
        messages = _asked(prompt, observation, labels)
        answer = await self._settled(self._form(observation, labels, DECISION), messages)
        option = observation.option(answer.reading.option or "")
        if option is None or not option.arguments:
            return answer.fields(), answer.first
        return await self._with_arguments(answer, observation, option, messages), answer.first

    async def _with_arguments(
        self,
        letter: Answer,
        observation: Observation,
        option: Option,
        messages: tuple[Message, ...],
    ) -> dict[str, Any]:
        form = Form(
            observation=replace(observation, options=(option,)),
            elicitation=_ARGUMENTS,
            purpose="arguments",
        )
        _, said = split_thinking(letter.reply.text)
        given = await self._settled(form, messages + arguments_of(said.strip(), option))
        both, was = given.fields(), letter.fields()
        return both | {
            "reply": f"{was['reply']}\n{both['reply']}",
            "attempts": was["attempts"] + both["attempts"] - 1,
            "tries": was["tries"] + both["tries"],
            "usage": was["usage"] + both["usage"],
        }

    async def _sampled(
        self, prompt: Prompt, observation: Observation, labels: Sequence[str], number: int
    ) -> Reply:
        form = self._form(observation, labels, f"permutation {number}")
        return await self._ask(form, _asked(prompt, observation, labels), 0)

    def _form(self, observation: Observation, labels: Sequence[str], purpose: str) -> Form:
        asked = self._elicitation
        assert asked.max_tokens is not None, "checked by Elicitation"
        return Form(
            observation=observation,
            elicitation=asked,
            purpose=purpose,
            label=LabelForm(top=asked.top_logprobs, max_tokens=asked.max_tokens),
            labels=tuple(labels),
            label_read=partial(read_label, observation=observation, labels=labels),
        )

    def _count(self, asked: Sequence[Labelling]) -> None:
        endpoint = self._channel.endpoint
        missing = sum(each.found is None for each in asked)
        if missing and not endpoint.counters.no_logprobs:
            _log.warning(
                "the model at %s gave no log-probabilities: its decisions have no probabilities",
                endpoint.where,
            )
        endpoint.counters.no_logprobs += missing


def _asked(prompt: Prompt, observation: Observation, labels: Sequence[str]) -> tuple[Message, ...]:
    return replace(prompt, user=labelled(observation, labels)).messages()
