"""Reason and feeling asked apart, and weighed in the decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from valuesim.agents.interventions.asking import ask_all, beside, say, shown, wording
from valuesim.agents.interventions.base import Ask, Intervention
from valuesim.agents.prompt import Prompt
from valuesim.errors import InputError
from valuesim.observation import Observation


class Emotion(Intervention):
    """Asks for an answer by reason alone and one by feeling alone, and puts both before a decision.

    `weight`, in [0, 1], is that of feeling, told in words and as a number; at 0 reason alone is
    asked, at 1 feeling alone.
    """

    name = "emotion"

    def __init__(self, *, role: str, seed: int, weight: float = 0.5) -> None:
        """Weigh feeling by `weight`; raise InputError for one outside [0, 1]."""
        super().__init__(role=role, seed=seed)
        is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not is_number or not 0 <= weight <= 1:
            raise InputError(f"intervention.emotion.weight is {weight!r}: a number from 0 to 1")
        self._weight = float(weight)
        self._answers: Mapping[str, str] = {}

    async def prepare(self, prompt: Prompt, observation: Observation, ask: Ask) -> Prompt:
        """Ask both sides at once and add their answers."""
        sides = {"reason": 1 - self._weight, "feeling": self._weight}
        questions = {
            side: beside(prompt, observation, say(self.name, side))
            for side, weight in sides.items()
            if weight > 0
        }
        self._answers = await ask_all(ask, questions)
        told = {side: shown(answer) for side, answer in self._answers.items()}
        both = dict.fromkeys(sides) | told
        text = say(self.name, "told", weight=self._weight, words=self._words, **both)
        return prompt.plus(self.addition("after", text))

    def told(self) -> Mapping[str, Any]:
        """Return the weight and the whole answers."""
        return {"weight": self._weight, **self._answers}

    @property
    def _words(self) -> str:
        entries = wording(self.name)["words"]
        return str(next(each["text"] for each in entries if self._weight <= each["most"]))
