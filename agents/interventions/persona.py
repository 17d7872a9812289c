"""Who the model is told to be."""

from __future__ import annotations

from valuesim.agents.interventions.base import Ask, Intervention
from valuesim.agents.prompt import Prompt
from valuesim.errors import InputError
from valuesim.observation import Observation


class Persona(Intervention):
    """Adds `text`, a description of a character, to the system message."""

    name = "persona"

    def __init__(self, *, role: str, seed: int, text: str) -> None:
        """Take `text` as it is; raise InputError for an empty one."""
        super().__init__(role=role, seed=seed)
        if not isinstance(text, str) or not text.strip():
            raise InputError(f"intervention.persona.text is {text!r}: describe who the agent is")
        self._text = text

    async def prepare(self, prompt: Prompt, observation: Observation, ask: Ask) -> Prompt:
        """Add the description."""
        return prompt.plus(self.addition("system", self._text))
