"""The agent of one role in one episode whose decisions a person makes."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import ClassVar
from weakref import WeakKeyDictionary

from valuesim.agents.human.person import Person
from valuesim.decision import Decision
from valuesim.observation import Observation

_AT_TERMINAL: WeakKeyDictionary[asyncio.AbstractEventLoop, Person] = WeakKeyDictionary()


class Human:
    """Plays `role` in the episode of `seed` by asking `person`.

    `sitting` tells one person's episodes from another's, which would else have one id. Without a
    `person` it asks whoever sits at the terminal; all who play in one event loop are
    then asked by turns.
    """

    environments: ClassVar[frozenset[str] | None] = None
    variants: ClassVar[str] = ""

    def __init__(
        self, role: str, seed: int, person: Person | None = None, sitting: str = ""
    ) -> None:
        self.role = role
        self.sitting = sitting
        self._seed = seed
        self._person = person

    async def decide(self, observation: Observation) -> Decision:
        """Return what the person decides, or its refusal.

        Raises Interruption when the person leaves, or was not there to begin with.
        """
        person = self._person or _at_terminal()
        return await person.decide(observation, str(self._seed))

    async def recall(
        self, observation: Observation, decision: Decision, *, made: Collection[str] | None = None
    ) -> None:
        """Take in nothing: a person sees at each decision what the agent is shown then."""


def _at_terminal() -> Person:
    from valuesim.agents.human.terminal import Terminal

    loop = asyncio.get_running_loop()
    if loop not in _AT_TERMINAL:
        _AT_TERMINAL[loop] = Person(Terminal.standard())
    return _AT_TERMINAL[loop]
