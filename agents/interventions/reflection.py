"""Reflection after an episode, which the next one of the chain starts with."""

from __future__ import annotations

from typing import Any

from valuesim.agents.interventions.asking import looking_back, say, shown, whole
from valuesim.agents.interventions.base import Ask, Intervention, Lived
from valuesim.agents.prompt import Prompt
from valuesim.observation import Observation

_LAST, _LONGEST = (1, 50), (50, 5000)


class Reflection(Intervention):
    """Asks the model after an episode of a chain to reflect on what happened.

    The next episode starts with its `last` reflections, each cut to `longest` characters.
    """

    name = "reflection"

    def __init__(self, *, role: str, seed: int, last: int = 3, longest: int = 600) -> None:
        """Keep the `last` reflections; raise InputError for a setting that is not allowed."""
        super().__init__(role=role, seed=seed)
        self._last = whole("reflection.last", last, _LAST)
        self._longest = whole("reflection.longest", longest, _LONGEST)
        self.needs_chain = "intervention.reflection"
        self._reflections: tuple[str, ...] = ()

    async def prepare(self, prompt: Prompt, observation: Observation, ask: Ask) -> Prompt:
        """Add the reflections on the episodes before; nothing in the first of a chain."""
        if not self._reflections:
            return prompt
        told = [shown(each, self._longest) for each in self._reflections]
        return prompt.plus(self.addition("system", say(self.name, "told", reflections=told)))

    async def ended(self, lived: Lived, ask: Ask) -> None:
        """Ask for a reflection, and keep it as it is; who decided nothing is not asked."""
        if not lived.moments:
            return
        question = say(self.name, "question", longest=self._longest)
        reply = await ask(looking_back(lived, question), purpose="reflection")
        self._reflections = (*self._reflections, reply)[-self._last :]

    def carried(self) -> Any:
        """Return the last reflections, whole."""
        return {"reflections": list(self._reflections)}

    def carry(self, state: Any) -> None:
        """Start with the reflections of `state`."""
        self._reflections = tuple(state["reflections"])
