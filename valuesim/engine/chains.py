"""Episodes that agents live through one after another: which follows which, and what goes on.

A chain is played in order, chains side by side. What goes on stands in the line of the finished
episode, so that a resume goes on with exactly that; one that is interrupted holds up those behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from valuesim.decision import Agent
from valuesim.episode import Aftermath, EpisodeSpec, Turn, aftermath
from valuesim.log.appending import LogWriter
from valuesim.log.lines import AGAIN


class Chains:
    """The chains of a plan; `writer` holds what is finished, and what it carries on."""

    def __init__(self, specs: Sequence[EpisodeSpec], writer: LogWriter) -> None:
        self._writer = writer
        self._places: dict[str, tuple[Sequence[EpisodeSpec], int]] = {}
        chains: dict[tuple[str, int], list[EpisodeSpec]] = {}
        for spec in specs:
            if spec.chain is not None:
                cell = replace(spec, seed=0, chain=None).id
                chains.setdefault((cell, spec.chain.first), []).append(spec)
        for chain in chains.values():
            self.add(chain)

    def add(self, chain: Sequence[EpisodeSpec]) -> None:
        """Take in episodes that follow one another."""
        self._places |= {spec.id: (chain, place) for place, spec in enumerate(chain)}

    def drop(self, chain: Sequence[EpisodeSpec]) -> None:
        """Forget episodes that were taken in."""
        for spec in chain:
            self._places.pop(spec.id, None)

    def to_begin(self, specs: Sequence[EpisodeSpec]) -> list[EpisodeSpec]:
        """Return which of `specs` may begin: those to be played that have none to play before them.

        A finished one behind such a one rests on what is lost. It counts until the one before it
        is finished anew, and is then played again (see `leave`).
        """
        begin = []
        late: set[str] = set()
        for spec in specs:
            if spec.id not in late and spec.id not in self._writer.finished:
                begin.append(spec)
                late.update(each.id for each in self.behind(spec))
        needed = {before.id for spec in begin if (before := self.before(spec)) is not None}
        for id in self._writer.carried.keys() - needed:
            del self._writer.carried[id]
        return begin

    def behind(self, spec: EpisodeSpec) -> Sequence[EpisodeSpec]:
        """Return those that follow `spec` in its chain, in order; none where it has no chain."""
        if spec.chain is None:
            return ()
        chain, place = self._places[spec.id]
        return chain[place + 1 :]

    def bring(self, spec: EpisodeSpec, agents: Mapping[str, Agent]) -> None:
        """Let `agents`, by role, start `spec` with what they carried on from the one before it."""
        before = self.before(spec)
        brought = {} if before is None else self._writer.carried.get(before.id, {})
        for role, carried in brought.items():
            agent: Any = agents[role]
            agent.carry(carried)

    async def leave(
        self, spec: EpisodeSpec, agents: Mapping[str, Agent], turns: Sequence[Turn]
    ) -> Aftermath:
        """Return what goes on from the finished `spec`; nothing at the end of a chain.

        If the one behind it is finished already, that is listed as interrupted: it started with
        what went on from another play. Raises Interruption where an agent cannot be asked.
        """
        goes_on = spec.chain is not None and spec.chain.goes_on
        left = await aftermath(agents, turns) if goes_on else Aftermath()
        # it is in the log; memory holds what the next episodes of chains start with
        if (before := self.before(spec)) is not None:
            self._writer.carried.pop(before.id, None)
        for late in self.behind(spec)[:1]:
            if late.id in self._writer.finished:
                # before the line of `spec`: a kill between the two leaves both to be played
                self._writer.interrupt(late, AGAIN)
                self._writer.finished.discard(late.id)
        return left

    def before(self, spec: EpisodeSpec) -> EpisodeSpec | None:
        """Return the one before `spec` in its chain; None where it is the first, or has none."""
        if spec.chain is None:
            return None
        chain, place = self._places[spec.id]
        return chain[place - 1] if place else None
