"""Scripted agents: no model, no network; each reads only its observation.

`Scripted` is what they share: a subclass writes `choose`. `Random`, `First` and `Mute` play any
environment; `valued` holds the agent whose values are planted.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar
from zlib import crc32

import numpy as np

from valuesim.decision import Decision, Fault
from valuesim.env import Observation
from valuesim.episode import checked
from valuesim.errors import Departed
from valuesim.option import Amount, Argument, Move, Name, Option

WORDS = ("yes", "no", "maybe", "later", "thanks", "hello")


class Scripted:
    """An agent that answers at once.

    `environments` are the environments it can play, None for any. `variants` says what may follow
    its name after a colon ("first:0.7"), which it then takes as `variant`; "" if nothing may.
    `reads_state` says whether it reads an observation's numeric state, which is left empty if not.
    """

    environments: ClassVar[frozenset[str] | None] = None
    variants: ClassVar[str] = ""
    reads_state: ClassVar[bool] = False

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

    async def recall(
        self, observation: Observation, decision: Decision, *, made: Collection[str] | None = None
    ) -> None:
        """Decide again on `observation`, of which the log holds `decision`; its lots are drawn.

        Raises Departed where it decides otherwise and `made` is None: it is who decided.
        """
        again = checked(observation, await self.decide(observation))
        if made is None and _said(again) != _said(decision):
            raise Departed(observation.step, observation.agent, "the agent decides otherwise")

    def choose(self, observation: Observation) -> Move:
        """Return an offered option with valid arguments; those left out are the defaults."""
        raise NotImplementedError


def _said(decision: Decision) -> tuple[object, ...]:
    return decision.option, dict(decision.arguments), decision.fault, decision.fault_detail


class Random(Scripted):
    """Takes any offered option, all alike, with any valid arguments: blind to content."""

    def choose(self, observation: Observation) -> Move:
        """Return one of the offered options, each with the same probability."""
        option = observation.options[int(self.rng.integers(len(observation.options)))]
        return self._any_way(option)

    def _any_way(self, option: Option) -> Move:
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


class First(Random):
    """Takes the option shown first with a given probability, else any other: blind to content."""

    variants: ClassVar[str] = "the share, 0 to 1, of decisions that take the first option"

    def __init__(self, *, role: str, seed: int, variant: str = "0.7") -> None:
        """Raise ValueError unless `variant` is a number from 0 to 1."""
        super().__init__(role=role, seed=seed)
        self.share = _share(variant)

    def choose(self, observation: Observation) -> Move:
        """Return the first option, or one of the others, each with the same probability."""
        others = len(observation.options) - 1
        takes_first = not others or self.rng.random() < self.share
        option = observation.options[0 if takes_first else 1 + int(self.rng.integers(others))]
        return self._any_way(option)


def _share(variant: str) -> float:
    try:
        share = float(variant)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"{variant!r} is not a share: a number from 0 to 1")
    return share


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
