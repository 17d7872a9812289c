"""Plays the episodes of a plan, many at once, and survives what goes wrong in one of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from valuesim import registry
from valuesim.decision import Usage
from valuesim.engine.asking import Asked
from valuesim.engine.budget import Budget, Ledger, cost_of
from valuesim.engine.chains import Chains
from valuesim.engine.connections import Connection, distinct, seated
from valuesim.engine.experience import read_experience
from valuesim.engine.progress import Progress
from valuesim.engine.shutdown import Shutdown
from valuesim.engine.summary import Summary
from valuesim.engine.waiting import Waiting
from valuesim.env import Environment
from valuesim.episode import EpisodeSpec, Turn, play
from valuesim.errors import STOPPED, InputError, Interruption, LogError, ValueSimError
from valuesim.log import RunWriter
from valuesim.log.appending import LogWriter
from valuesim.tracing import EPISODE, span

_LOOK_EVERY_S = 0.1


class EpisodeFailed(ValueSimError):
    """An episode raised what nobody foresaw: a bug in an environment, an agent or this package."""


async def run(
    specs: Sequence[EpisodeSpec],
    writer: RunWriter,
    connections: Mapping[str, Connection],
    *,
    concurrency: int,
    progress: Progress,
    stop: Shutdown | None = None,
    budget: Budget | None = None,
) -> Summary:
    """Play all of `specs` that `writer` does not hold yet and return how it went.

    At most `concurrency` episodes are played at once. `connections` maps each role that a model
    plays to what answers for it. An Interruption ends its episode, which is listed and left for a
    resume; those behind it in its chain do not begin. An InputError ends the run as it is, and
    nothing more is listed; so does a LogError, whose episode is listed where the folder takes it.
    Any other exception ends it as EpisodeFailed, after the other episodes have been listed as
    interrupted. Once `stop` begins, or `budget` has no room for the next episode, none begins;
    those under way are played to their end, but for those that wait for a server that is away;
    where `stop` says now, all are listed as interrupted.
    """
    table = Table(writer, connections, progress, specs, stop=stop, budget=budget)
    waiting = table.chains.to_begin(specs)
    to_play = sum(1 + len(table.chains.behind(spec)) for spec in waiting)
    progress.start(len(specs), len(specs) - to_play, distinct(connections))
    await table.until_done(table.serve(waiting, concurrency))
    return table.summary(specs)


class Table:
    """Where the episodes of one run are played; `interrupted` counts reasons.

    `specs` are those of the whole plan; what is known of their cells orders the last of them. The
    `budget` is kept by a ledger of its own, or by the one given.
    """

    def __init__(
        self,
        writer: LogWriter,
        connections: Mapping[str, Connection],
        progress: Progress,
        specs: Sequence[EpisodeSpec],
        *,
        stop: Shutdown | None = None,
        budget: Budget | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self.chains = Chains(specs, writer)
        writer.places = {spec.id: place for place, spec in enumerate(specs)}
        self._writer = writer
        self._connections = connections
        self._progress = progress
        self._shutdown = stop or Shutdown()
        given = budget or Budget()
        if ledger is None:
            known = read_experience(writer.folder, specs, given.prices)
            ledger = Ledger(given, connections, known)
        self._ledger = ledger
        self._prices = given.prices
        self._under_way: dict[str, tuple[asyncio.Task[Any], EpisodeSpec]] = {}
        self._one_ended = asyncio.Event()
        self.interrupted: Counter[str] = Counter()
        self._held_up = 0
        self._is_refused = False

    @property
    def is_closed(self) -> bool:
        """Whether no further episode begins."""
        return self._shutdown.begun.is_set()

    async def until_done(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work`, until it is done or is to end now; what it raises is raised."""
        parts = (work, self._shutdown.now.wait(), self._close())
        tasks: list[asyncio.Task[Any]] = [asyncio.create_task(each) for each in parts]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            self._progress.finish()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    task.result()

    async def serve(self, specs: Sequence[EpisodeSpec], seats: int) -> None:
        """Play all of `specs`, at most `seats` at once."""
        waiting = Waiting(specs, seats, self._ledger.experience)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(seats, len(waiting))):
                    group.create_task(self._sit(waiting))
        except BaseExceptionGroup as failures:
            # the first failure cancelled the others; the group around it would hide its sentence
            raise failures.exceptions[0] from failures.exceptions[0].__cause__

    async def _sit(self, waiting: Waiting) -> None:
        while await self._may_begin(waiting.peek):
            await self._play_chain(waiting.take())

    async def _play_chain(self, spec: EpisodeSpec) -> None:
        """Play `spec`, and then those behind it in its chain, one after another."""
        behind = self.chains.behind(spec)
        for place, each in enumerate((spec, *behind)):
            if place and not await self.may_begin(each):
                return
            if await self.play(each) is None:
                finished = self._writer.finished
                self._held_up += sum(late.id not in finished for late in behind[place:])
                return

    async def may_begin(self, spec: EpisodeSpec) -> bool:
        """Return whether `spec` may begin, once it is known; it must then do so at once."""
        return await self._may_begin(lambda: spec)

    async def _may_begin(self, following: Callable[[], EpisodeSpec | None]) -> bool:
        """Return whether what `following` returns may begin: another one while this waits."""
        while not self.is_closed and (spec := following()) is not None:
            if refusal := self._ledger.refusal(spec):
                self._shutdown.spend(refusal)
            elif self._ledger.has_room(spec):
                return True
            else:
                await self._one_ended.wait()
        return False

    async def _close(self) -> None:
        """Wait for the end to begin; then tell it, and let go of what waits for no reply."""
        while not self.is_closed:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._ledger.seconds_left):
                    await self._shutdown.begun.wait()
            if refusal := self._ledger.hours_over():
                self._shutdown.spend(refusal)
        self._leave_dead_servers()
        self._progress.ending(len(self._under_way), self._shutdown.spent)
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            self._leave_dead_servers()

    def _leave_dead_servers(self) -> None:
        """Cancel the episodes that wait for a server that is away: it may be so for long."""
        for id, (task, spec) in list(self._under_way.items()):
            models = (role for role, who in spec.population.items() if who.model is not None)
            if any(self._connections[role].counters.paused for role in models):
                task.cancel()
                del self._under_way[id]

    def summary(self, specs: Sequence[EpisodeSpec], asked: Sequence[Asked] = ()) -> Summary:
        """Return how the run ended that was to play `specs`."""
        models = distinct(self._connections)
        summary = Summary(
            planned=len(specs),
            finished=sum(spec.id in self._writer.finished for spec in specs),
            played=self._progress.played,
            interrupted=dict(self.interrupted),
            held_up=self._held_up,
            decisions=self._progress.decisions,
            faults=dict(self._progress.fault_kinds),
            stopped=self._shutdown.is_asked,
            usage=sum((each.counters.usage for each in models), start=Usage()),
            replayed=sum(each.counters.replayed for each in models),
            cost=cost_of(self._connections, self._prices),
            asked=asked,
        )
        return summary if summary.is_whole else replace(summary, spent=self._shutdown.spent)

    async def play(self, spec: EpisodeSpec) -> list[Turn] | None:
        """Play `spec`, write it down and return its turns; None if it was interrupted.

        Whatever is no Interruption is raised, as `run` tells.
        """
        task = asyncio.current_task()
        assert task is not None, "an episode is played in a task"
        self._under_way[spec.id] = (task, spec)
        self._ledger.begin(spec)
        turns = None
        try:
            turns = await self._play(spec)
        finally:
            self._under_way.pop(spec.id, None)
            self._ledger.end(spec, None if turns is None else len(turns))
            self._one_ended.set()
            self._one_ended = asyncio.Event()
        return turns

    async def _play(self, spec: EpisodeSpec) -> list[Turn] | None:
        condition: Mapping[str, Any] | None = None
        try:
            env = registry.make(spec.env, **spec.parameters)
            condition = env.condition
            with span("episode", {EPISODE: spec.id, "valuesim.env": spec.env}):
                return await self._play_to_the_end(spec, env)
        except Interruption as interruption:
            self._interrupt(spec, str(interruption), condition)
            return None
        except asyncio.CancelledError:
            if not self._is_refused:
                self._interrupt(spec, STOPPED, condition)
            raise
        except LogError as error:
            # of a full disk the folder may take no more lines; of a cache's error it does
            with suppress(LogError):
                self._interrupt(spec, str(error), condition)
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
        agents = {role: seated(spec, role, self._connections) for role in spec.population}

        def keep(turn: Turn) -> None:
            self._writer.turn(spec.id, turn)
            self._progress.turn(turn)
            self._ledger.turn(spec.id, turn)

        self.chains.bring(spec, agents)
        turns = await play(env, agents, spec.seed, keep)
        left = await self.chains.leave(spec, agents, turns)
        self._ledger.left(spec, left.usage)
        self._writer.finish(spec, env, turns, left)
        self._progress.episode()
        return turns

    def _interrupt(
        self, spec: EpisodeSpec, reason: str, condition: Mapping[str, Any] | None
    ) -> None:
        self._writer.interrupt(spec, reason, condition)
        self.interrupted[reason] += 1
        self._progress.episode(interrupted=True)
