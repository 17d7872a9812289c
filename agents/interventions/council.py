"""A council of perspectives, and the decision as their synthesis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from valuesim.agents.interventions.asking import ask_all, beside, say, shown, wording
from valuesim.agents.interventions.base import Ask, Intervention
from valuesim.agents.prompt import Prompt
from valuesim.errors import InputError, unknown
from valuesim.observation import Observation


class Council(Intervention):
    """Asks each member of a council for advice, all at once; who decides then weighs all of it.

    `perspectives` is how many of the shipped ones are asked (in the order of their file), or their
    names.
    """

    name = "council"

    def __init__(self, *, role: str, seed: int, perspectives: int | Sequence[str] = 3) -> None:
        """Seat `perspectives`; raise InputError for a number or a name that there is not."""
        super().__init__(role=role, seed=seed)
        views: Mapping[str, str] = wording(self.name)["perspectives"]
        self._views = {name: views[name] for name in _seated(perspectives, list(views))}
        self._opinions: Mapping[str, str] = {}

    async def prepare(self, prompt: Prompt, observation: Observation, ask: Ask) -> Prompt:
        """Ask all members at once and add what they said."""
        questions = {
            name: beside(prompt, observation, say(self.name, "question", view=view))
            for name, view in self._views.items()
        }
        self._opinions = await ask_all(ask, questions)
        opinions = {name: shown(opinion) for name, opinion in self._opinions.items()}
        return prompt.plus(self.addition("after", say(self.name, "told", opinions=opinions)))

    def told(self) -> Mapping[str, Any]:
        """Return the whole opinions, by perspective."""
        return self._opinions


def _seated(given: object, known: Sequence[str]) -> list[str]:
    setting = "intervention.council.perspectives"
    if isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= len(known):
        return list(known[:given])
    if not isinstance(given, list | tuple) or not given:
        raise InputError(
            f"{setting} is {given!r}: a number from 1 to {len(known)}, or a list of names "
            f"({', '.join(known)})"
        )
    for name in given:
        if name not in known:
            raise InputError(unknown("perspective", name, known, setting))
    if len(set(given)) < len(given):
        raise InputError(f"{setting} names a perspective twice: {given!r}")
    return list(given)
