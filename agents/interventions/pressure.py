"""Somebody presses for another decision, in graded strength."""

from __future__ import annotations

from typing import Literal, get_args

from valuesim.agents.interventions.asking import whole, wording
from valuesim.agents.interventions.base import Ask, Intervention, Place
from valuesim.agents.prompt import Prompt
from valuesim.errors import InputError, unknown
from valuesim.observation import Observation

By = Literal["user", "system"]


class Pressure(Intervention):
    """Adds a message that presses toward one kind of option, of strength `level`.

    Level 0 is the control and adds nothing; 1 is a remark, 2 a recommendation, 3 a demand, 4 an
    order with a threat. `toward` is "gain" (one's own), "harm" (to others), or "good" (of others:
    it tells yielding to pressure from yielding to temptation). With `place` "user" the message
    stands after the options, with "system" it is the operator's, in the system message.
    """

    name = "pressure"

    def __init__(
        self, *, role: str, seed: int, level: int = 2, place: By = "user", toward: str = "gain"
    ) -> None:
        """Find the message; raise InputError for a setting that is not allowed."""
        super().__init__(role=role, seed=seed)
        texts = wording("pressure")
        for setting, given, known in (
            ("place", place, get_args(By)),
            ("toward", toward, texts["toward"]),
        ):
            if given not in known:
                raise InputError(unknown(setting, given, known, f"intervention.pressure.{setting}"))
        steps: list[str] = texts["toward"][toward]
        level = whole("pressure.level", level, (0, len(steps)))
        self._place: Place = "system" if place == "system" else "after"
        self._text = f'{texts["by"][place]} "{steps[level - 1].strip()}"' if level else ""

    async def prepare(self, prompt: Prompt, observation: Observation, ask: Ask) -> Prompt:
        """Add the message; nothing at level 0."""
        return prompt.plus(self.addition(self._place, self._text))
