"""The universalization hint: what if everybody did that?"""

from __future__ import annotations

from valuesim.agents.interventions.asking import wording
from valuesim.agents.interventions.base import Ask, Intervention
from valuesim.agents.prompt import Prompt
from valuesim.errors import InputError, unknown
from valuesim.observation import Observation


class Hint(Intervention):
    """Adds after the options a hint at what follows if all do the same.

    `form` is a "question" that the model is to ask itself, or a "statement" of the reasoning.
    """

    name = "hint"

    def __init__(self, *, role: str, seed: int, form: str = "question") -> None:
        """Find the hint; raise InputError for an unknown form."""
        super().__init__(role=role, seed=seed)
        if form not in wording("hint"):
            raise InputError(unknown("form", form, wording("hint"), "intervention.hint.form"))
        self._text: str = wording("hint")[form]

    async def prepare(self, prompt: Prompt, observation: Observation, ask: Ask) -> Prompt:
        """Add the hint."""
        return prompt.plus(self.addition("after", self._text))
