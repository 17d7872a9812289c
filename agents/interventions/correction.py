"""Moral self-correction: the model is asked to avoid harm, and how it would (Ganguli et al. 2023).

"The Capacity for Moral Self-Correction in Large Language Models", arXiv 2302.07459: a question
alone, with an instruction, and with an instruction and the model's own reasoning on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from valuesim.agents.interventions.asking import beside, say, shown, whole
from valuesim.agents.interventions.base import Ask, Intervention
from valuesim.agents.prompt import Prompt
from valuesim.errors import InputError, unknown
from valuesim.observation import Observation

Mode = Literal["instruction", "reasoning"]
_WORDS = (10, 1000)


class Correction(Intervention):
    """Asks after the options to harm nobody.

    With `mode` "instruction" that is all. With "reasoning" the model is first asked how, in at most
    `words` words, and its answer is put before the decision.
    """

    name = "correction"

    def __init__(
        self, *, role: str, seed: int, mode: Mode = "instruction", words: int = 120
    ) -> None:
        """Take the settings; raise InputError for one that is not allowed."""
        super().__init__(role=role, seed=seed)
        if mode not in get_args(Mode):
            raise InputError(unknown("mode", mode, get_args(Mode), "intervention.correction.mode"))
        self._mode, self._words = mode, whole("correction.words", words, _WORDS)
        self._told: dict[str, Any] = {}

    async def prepare(self, prompt: Prompt, observation: Observation, ask: Ask) -> Prompt:
        """Add the instruction, or the model's own answer to how it would keep to it."""
        if self._mode == "instruction":
            return prompt.plus(self.addition("after", say("correction", "instruction")))
        question = say("correction", "question", words=self._words)
        answer = await ask(beside(prompt, observation, question), purpose="reasoning")
        self._told = {"reasoning": answer}
        said = say("correction", "reasoning", answer=shown(answer))
        return prompt.plus(self.addition("after", said))

    def told(self) -> Mapping[str, Any]:
        """Return the model's answer; {} where it was asked nothing."""
        return self._told
