"""What every intervention is: it changes what one agent is asked, and sees what it decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from valuesim.agents.prompt import Message, Prompt
from valuesim.decision import Addition, Decision
from valuesim.observation import Observation

Place = Literal["system", "before", "after"]


class Ask(Protocol):
    """Asks the agent's own model something beside the decision, in plain text."""

    async def __call__(self, messages: Sequence[Message], *, purpose: str) -> str:
        """Return the reply, thinking left out, "" if there was none.

        `purpose` names the question within one decision ("council 2"): each has its own seed, and
        traces show it. Tokens count as the decision's. Raises Interruption where the server cannot
        be had.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Lived:
    """An episode as one agent lived it: what it saw and decided, step by step, and all it earned.

    `payoff` is summed over all steps, those in which it had nothing to decide among them.
    """

    moments: Sequence[tuple[Observation, Decision]]
    payoff: float = 0.0


class Intervention:
    """One intervention on one role in one episode; a subclass says `name` and its settings.

    Settings are keyword arguments of the subclass; one that is not allowed raises InputError. All
    that is random follows from `seed`. What lives across turns is kept on the instance; what lives
    across the episodes of a chain goes through `carried` and `carry`.
    """

    name: ClassVar[str]

    needs_chain: str = ""
    """The setting that does nothing where no episode follows another; empty if there is none."""
    environments: ClassVar[frozenset[str] | None] = None
    """The ids of the environments that it is made in; None for all."""

    def __init__(self, *, role: str, seed: int) -> None:
        """Intervene on `role` in the episode of `seed`."""
        self.role = role
        self.seed = seed

    async def prepare(self, prompt: Prompt, observation: Observation, ask: Ask) -> Prompt:
        """Return `prompt` with what this intervention adds before the decision is asked."""
        raise NotImplementedError

    async def recall(
        self, prompt: Prompt, observation: Observation, did: Mapping[str, Any]
    ) -> Prompt:
        """Do again what `prepare` did at a decision of the log, where `did` is what it `told`.

        Nobody is asked: the answers are those that it told. Raises KeyError where one is not there.
        """

        async def answered(messages: Sequence[Message], *, purpose: str) -> str:  # noqa: ARG001 (as of Ask)
            return str(did[purpose])

        return await self.prepare(prompt, observation, answered)

    def witness(self, observation: Observation) -> None:
        """Take in what was seen at a decision of the log that was made without it."""

    def told(self) -> Mapping[str, Any]:
        """Return what it did for the present decision beside what it added; {} for nothing.

        Plain JSON, kept in the decision's line: states, and the answers to its own questions.
        """
        return {}

    def saw(self, observation: Observation, decision: Decision) -> None:
        """Take note of what was decided; the next turn's `prepare` may use it."""

    async def ended(self, lived: Lived, ask: Ask) -> None:
        """Take note of a finished episode after which another of its chain may come."""

    def carried(self) -> Any:
        """Return what the next episode of the chain starts with, as plain JSON; None for nothing.

        It stands in the line of the finished episode, so that a resume goes on with exactly that.
        """
        return None

    def carry(self, state: Any) -> None:
        """Start with `state`, which is what `carried` returned at the end of the episode before."""

    def addition(self, place: Place, text: str) -> Addition:
        """Return `text` as an addition of this intervention."""
        return Addition(by=self.name, place=place, text=text.strip())
