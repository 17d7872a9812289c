"""Plays the episodes of a plan, many at once, and survives what goes wrong in one of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from valuesim import registry
from valuesim.decision import Agent
from valuesim.engine.asking import Asked
from valuesim.engine.progress import Progress
from valuesim.env import Environment
from valuesim.episode import EpisodeSpec, Turn, play
from valuesim.errors import InputError, Interruption, LogError, ValueSimError
from valuesim.log import RunWriter

STOPPED = "the run was stopped"


class Connection(Protocol):
    """A model that answers: makes its agents, counts its calls (see `agents.llm.connect`)."""

    @property
    def counters(self) -> Any:
        """Return what was asked so far: calls, retries, usage."""
        ...

    def agent(self, role: str, seed: int, parameters: Mapping[str, Any], episode: str) -> Agent:
        """Return the agent that plays `role` in one episode, with its player's parameters."""
        ...

    async def close(self) -> None:
        """Let go of the server."""
        ...


class EpisodeFailed(ValueSimError):
    """An episode raised what nobody foresaw: a bug in an environment, an agent or this package."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """How a run ended: episodes planned, finished (ever, and now), and interrupted now by reason.

    `stopped` is true when the run was told to stop before every episode had been tried. Where
    questions were chosen by the answers, `planned` are those chosen, and `asked` tells of each cell
    how that ended.
    """

    planned: int
    finished: int
    played: int
    interrupted: Mapping[str, int] = field(default_factory=dict)
    decisions: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)
    stopped: bool = False
    asked: Sequence[Asked] = ()


async def run(
    specs: Sequence[EpisodeSpec],
    writer: RunWriter,
    connections: Mapping[str, Connection],
    *,
    concurrency: int,
    progress: Progress,
    stop: asyncio.Event | None = None,
) -> Summary:
    """Play all of `specs` that `writer` does not hold yet and return how it went.

    At most `concurrency` episodes are played at once. `connections` maps each role that a model
    plays to what answers for it. An Interruption ends its episode, which is listed and left for a
    resume. An InputError ends the run as it is, and nothing more is listed; any other exception
    ends it as EpisodeFailed, after the other episodes have been listed as interrupted. When `stop`
    is set, episodes under way are listed as interrupted and none begins.
    """
    waiting = [spec for spec in specs if spec.id not in writer.finished]
    distinct = list({id(each): each for each in connections.values()}.values())
    progress.start(len(specs), len(specs) - len(waiting), distinct)
    table = Table(writer, connections, progress)
    try:
        stopped = await until(stop or asyncio.Event(), table.serve(waiting, concurrency))
    finally:
        progress.finish()
    return Summary(
        planned=len(specs),
        finished=sum(spec.id in writer.finished for spec in specs),
        played=progress.played,
        interrupted=dict(table.interrupted),
        decisions=progress.decisions,
        faults=dict(progress.fault_kinds),
        stopped=stopped,
    )


async def until(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Return whether `stop` was set before `work` was done; what `work` raises is raised."""
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        stopped = working.cancel()
        with suppress(asyncio.CancelledError):
            await working
    return stopped


class Table:
    """Where the episodes of one run are played; `interrupted` counts reasons."""

    def __init__(
        self,
        writer: RunWriter,
        connections: Mapping[str, Connection],
        progress: Progress,
    ) -> None:
        self._writer = writer
        self._connections = connections
        self._progress = progress
        self.interrupted: Counter[str] = Counter()
        self._is_refused = False

    async def serve(self, waiting: Sequence[EpisodeSpec], seats: int) -> None:
        """Play all of `waiting`, at most `seats` at once."""
        queue = iter(waiting)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(seats, len(waiting))):
                    group.create_task(self._sit(queue))
        except BaseExceptionGroup as failures:
            # the first failure cancelled the others; the group around it would hide its sentence
            raise failures.exceptions[0] from failures.exceptions[0].__cause__

    async def _sit(self, queue: Iterator[EpisodeSpec]) -> None:
        for spec in queue:
            await self.play(spec)

    async def play(self, spec: EpisodeSpec) -> list[Turn] | None:
        """Play `spec`, write it down and return its turns; None if it was interrupted.

        Whatever is no Interruption is raised, as `run` tells.
        """
        condition: Mapping[str, Any] | None = None
        try:
            env = registry.make(spec.env, **spec.parameters)
            condition = env.condition
            return await self._play_to_the_end(spec, env)
        except Interruption as interruption:
            self._interrupt(spec, str(interruption), condition)
            return None
        except asyncio.CancelledError:
            if not self._is_refused:
                self._interrupt(spec, STOPPED, condition)
            raise
        except LogError:
            # the folder takes no more lines: the reader and a resume see the cut from what is there
            raise
        except InputError:
            # a setting that no episode can be played with: nothing is listed for it
            self._is_refused = True
            raise
        except Exception as error:
            where = f"episode {spec.id} ({spec.env}, seed {spec.seed})"
            failed = f"{where} failed: {type(error).__name__}: {error}"
            self._interrupt(spec, failed, condition)
            raise EpisodeFailed(failed) from error

    async def _play_to_the_end(self, spec: EpisodeSpec, env: Environment) -> list[Turn]:
        # the world's seed is shared by the cells of a paired design; what agents draw is not, so
        # that episodes are independent pieces of evidence
        seed = int(spec.id, 16) >> 1
        agents = {role: self._agent(spec, role, seed) for role in spec.population}

        def keep(turn: Turn) -> None:
            self._writer.turn(spec.id, turn)
            self._progress.turn(turn)

        turns = await play(env, agents, spec.seed, keep)
        self._writer.finish(spec, env, turns)
        self._progress.episode()
        return turns

    def _agent(self, spec: EpisodeSpec, role: str, seed: int) -> Agent:
        player = spec.population[role]
        if player.model is not None:
            return self._connections[role].agent(role, seed, player.parameters, spec.id)
        agent: Agent = registry.make_agent(player.agent, role=role, seed=seed, **player.parameters)
        return agent

    def _interrupt(
        self, spec: EpisodeSpec, reason: str, condition: Mapping[str, Any] | None
    ) -> None:
        self._writer.interrupt(spec, reason, condition)
        self.interrupted[reason] += 1
        self._progress.episode(interrupted=True)
