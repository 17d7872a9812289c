"""Who the model is told to be."""

from __future__ import annotations

from valuesim.agents.interventions.asking import wording
from valuesim.agents.interventions.base import Ask, Intervention
from valuesim.agents.prompt import Prompt
from valuesim.errors import InputError, unknown
from valuesim.observation import Observation


class Persona(Intervention):
    """Adds a description of a character to the system message: a `text`, or the one of a `name`."""

    name = "persona"

    def __init__(
        self, *, role: str, seed: int, text: str | None = None, name: str | None = None
    ) -> None:
        """Take `text` as it is; raise InputError unless one of both is given and usable."""
        super().__init__(role=role, seed=seed)
        self._text = _named(name) if text is None and name is not None else text
        if text is not None and name is not None:
            raise InputError("intervention.persona has a text and a name: give one of the two")
        if not isinstance(self._text, str) or not self._text.strip():
            known = ", ".join(characters())
            raise InputError(
                f"intervention.persona.text is {text!r}: describe who the agent is, or give "
                f"intervention.persona.name, one of {known}"
            )

    async def prepare(self, prompt: Prompt, observation: Observation, ask: Ask) -> Prompt:
        """Add the description."""
        assert self._text is not None, "checked when it was built"
        return prompt.plus(self.addition("system", self._text))


def characters() -> dict[str, str]:
    """Return the shipped characters: name -> description."""
    return dict(wording("persona")["characters"])


def _named(name: str) -> str:
    if name not in characters():
        raise InputError(unknown("persona", name, characters(), "intervention.persona.name"))
    return characters()[name]
