"""Scripted agents: no model, no network; each reads only its observation.

`Scripted` is what they share: a subclass writes `choose`. `Random` and `Mute` play any environment.
"""

from __future__ import annotations

from typing import ClassVar
from zlib import crc32

import numpy as np

from valuesim.decision import Decision, Fault
from valuesim.env import Observation
from valuesim.option import Amount, Argument, Move, Name

WORDS = ("yes", "no", "maybe", "later", "thanks", "hello")


class Scripted:
    """An agent that answers at once; `environments` are the families it can play, None for any."""

    environments: ClassVar[frozenset[str] | None] = None

    def __init__(self, *, role: str, seed: int) -> None:
        """Play `role`; all that is random in it follows from `seed` and `role`."""
        self.role = role
        self.rng = np.random.default_rng([seed, crc32(role.encode())])

    async def decide(self, observation: Observation) -> Decision:
        """Return the chosen option as a decision that gives every argument."""
        move = self.choose(observation)
        option = observation.option(move.option)
        arguments = option.complete(move.arguments) if option else move.arguments
        return Decision(
            agent=observation.agent,
            step=observation.step,
            option=move.option,
            arguments=arguments,
        )

    def choose(self, observation: Observation) -> Move:
        """Return an offered option with valid arguments; those left out are the defaults."""
        raise NotImplementedError


class Random(Scripted):
    """Takes any offered option, all alike, with any valid arguments: blind to content."""

    def choose(self, observation: Observation) -> Move:
        """Return one of the offered options, each with the same probability."""
        option = observation.options[int(self.rng.integers(len(observation.options)))]
        return Move(
            option=option.name,
            arguments={name: self._any(kind) for name, kind in option.arguments.items()},
        )

    def _any(self, kind: Argument) -> float | str:
        if isinstance(kind, Amount):
            drawn = round(float(self.rng.uniform(kind.low, kind.high)), 2)
            return min(max(drawn, kind.low), kind.high)
        names = kind.names if isinstance(kind, Name) else WORDS
        return names[int(self.rng.integers(len(names)))]


class Mute(Scripted):
    """Never answers: every decision is an unparsed fault, as from a dead endpoint."""

    async def decide(self, observation: Observation) -> Decision:
        """Return a fault."""
        return Decision(
            agent=observation.agent,
            step=observation.step,
            fault=Fault.UNPARSED,
            fault_detail="no reply",
        )
