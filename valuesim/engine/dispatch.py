"""Hands the episodes of one run to workers, keeps them busy, and survives the loss of some."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from valuesim import registry
from valuesim.engine import counted
from valuesim.engine.budget import Budget
from valuesim.engine.connections import Connection, distinct
from valuesim.engine.crew import Crew, CrewFailed, Hired, WorkerLost, failure
from valuesim.engine.handout import MOST_LOSSES, Handout, Post
from valuesim.engine.parcels import Ended, Failed, Made, Report
from valuesim.engine.progress import Progress
from valuesim.engine.schedule import Table
from valuesim.engine.shutdown import Shutdown
from valuesim.engine.summary import Summary
from valuesim.episode import EpisodeSpec
from valuesim.log import RunWriter
from valuesim.log.lines import AGAIN, GONE
from valuesim.log.segments import SEGMENTS, Left, left_in

_GRACE_S = 20.0
_TOLD_S = 2.0


async def run_on(
    crew: Crew,
    specs: Sequence[EpisodeSpec],
    writer: RunWriter,
    connections: Mapping[str, Connection],
    *,
    concurrency: int,
    progress: Progress,
    stop: Shutdown | None = None,
    budget: Budget | None = None,
) -> Summary:
    """Play all of `specs` that `writer` does not hold yet on `crew` and return how it went.

    As `schedule.run`, but that each worker plays up to `concurrency` episodes at once. Of
    `connections` only the counters are used, to which those of the workers are added. The
    episodes of a worker that is lost are played again by others; one in which `MOST_LOSSES`
    workers were lost is listed as interrupted. Raises CrewFailed where as many are lost in a row
    before they begin anything.
    """
    table = Dispatch(writer, connections, progress, specs, stop=stop, budget=budget)
    waiting = table.chains.to_begin(specs)
    to_play = sum(1 + len(table.chains.behind(spec)) for spec in waiting)
    progress.start(len(specs), len(specs) - to_play, distinct(connections))
    try:
        if waiting:
            await table.play_on(crew, waiting, concurrency)
    finally:
        progress.finish()
    return table.summary(specs)


class Dispatch(Table):
    """A table whose episodes are played by workers; here is what is known of them."""

    _posts: Sequence[Post] = ()

    def __init__(
        self,
        writer: RunWriter,
        connections: Mapping[str, Connection],
        progress: Progress,
        specs: Sequence[EpisodeSpec],
        *,
        stop: Shutdown | None = None,
        budget: Budget | None = None,
    ) -> None:
        super().__init__(writer, connections, progress, specs, stop=stop, budget=budget)
        self._plan = specs
        self._failed: Failed | None = None
        self._tells: set[asyncio.Task[None]] = set()
        self._run_writer = writer

    async def play_on(self, crew: Crew, specs: Sequence[EpisodeSpec], seats: int) -> None:
        """Play `specs` and those behind them in their chains, on each worker `seats` at once."""
        self._news = asyncio.Event()
        self._posts = [Post(index=k, segment=f"w{k:03d}") for k in range(crew.size)]
        self._handout = Handout(
            self._plan,
            specs,
            seats=seats,
            posts=self._posts,
            writer=self._run_writer,
            chains=self.chains,
            ledger=self._ledger,
            stop=self._shutdown,
        )
        kept = [asyncio.create_task(self._keep(post, crew)) for post in self._posts]
        watch = asyncio.create_task(self._watch())
        try:
            await asyncio.wait(kept, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            ending = (watch, *kept, *self._tells)
            for task in ending:
                task.cancel()
            await asyncio.wait(ending)
            parted = [asyncio.create_task(self._part(post)) for post in self._posts]
            await asyncio.wait(parted)
        self._raise((*kept, watch, *parted))

    def _raise(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """Raise what one of `tasks`, which are done, raised, or what a worker failed with."""
        for task in tasks:
            with suppress(asyncio.CancelledError):
                task.result()
        if self._failed is not None:
            raise failure(self._failed)

    async def _keep(self, post: Post, crew: Crew) -> None:
        """Keep the post of one worker filled, and the worker busy, until nothing is left."""
        while self._failed is None and self._handout.may_need(post):
            try:
                post.worker = await self._hired(post, crew)
                if post.worker is not None:
                    await self._feed(post, post.worker)
            except WorkerLost as lost:
                await self._recover(post, lost)

    async def _hired(self, post: Post, crew: Crew) -> Hired | None:
        """Return a worker for `post`; None where the run is to end before there is one."""
        hire = asyncio.ensure_future(crew.hire(post.index, post.segment))
        ends = asyncio.create_task(self._shutdown.begun.wait())
        try:
            await asyncio.wait((hire, ends), return_when=asyncio.FIRST_COMPLETED)
            return hire.result() if hire.done() else None
        finally:
            hire.cancel()
            ends.cancel()

    async def _feed(self, post: Post, worker: Hired) -> None:
        while self._failed is None and self._handout.may_need(post):
            if parcels := self._handout.parcels(post):
                await worker.give(parcels)
            post.pending = post.pending or asyncio.ensure_future(worker.report())
            news = asyncio.create_task(self._news.wait())
            await asyncio.wait((post.pending, news), return_when=asyncio.FIRST_COMPLETED)
            news.cancel()
            if post.pending.done():
                told, post.pending = post.pending, None
                self._take(post, told.result())
                if post.is_over and not self.is_closed and self._failed is None:
                    raise WorkerLost("it ended by itself")

    async def _watch(self) -> None:
        """Wait for the end to begin; then tell it to the workers, and again when it is now."""
        while not self.is_closed:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._ledger.seconds_left):
                    await self._shutdown.begun.wait()
            if refusal := self._ledger.hours_over():
                self._shutdown.spend(refusal)
        self._progress.ending(self._handout.under_way, self._shutdown.spent)
        await self._tell_all(now=False)
        await self._shutdown.now.wait()
        await self._tell_all(now=True)
        await asyncio.sleep(_GRACE_S)
        for post in self._posts:
            if post.worker is not None:
                post.worker.dismiss()

    async def _tell_all(self, *, now: bool) -> None:
        self._wake()
        tells = [asyncio.create_task(_tell(post, now=now)) for post in self._posts]
        self._tells |= set(tells)
        # one that does not answer keeps no other from hearing it
        heard, _ = await asyncio.wait(tells, timeout=_TOLD_S)
        for task in heard:
            task.result()

    async def _part(self, post: Post) -> None:
        """Let a worker list what it has under way, take its last reports, and end it."""
        if (worker := post.worker) is None:
            return
        try:
            async with asyncio.timeout(_GRACE_S):
                await worker.stop(now=True)
                while not post.is_over:
                    told, post.pending = post.pending or worker.report(), None
                    self._take(post, await told)
        except (WorkerLost, TimeoutError) as lost:
            worker.dismiss()
            await self._recover(post, WorkerLost(str(lost) or "it did not end in time"))
        else:
            worker.dismiss()

    def _take(self, post: Post, report: Report) -> None:
        """Take in what a worker told; where it failed, the run is to end with what it says."""
        for id, made in report.made.items():
            self._progress.count(made.decisions, made.faults)
            if id in post.under_way:
                post.told.setdefault(id, Made()).add(made)
                self._ledger.told(id, made.spent, asked=made.asked)
        for ended in report.ended:
            self._end(post, ended)
        for id in report.dropped:
            self._ledger.end(self._handout.ended(post, id), None)
        for role, more in report.counters.items():
            counted.add(self._connections[role].counters, more)
        self._pause(post, report.paused)
        post.is_over = report.is_over
        self._failed = self._failed or report.failed
        self._wake()

    def _pause(self, post: Post, paused: Mapping[str, str]) -> None:
        """Keep why nothing is asked of some role's server at the moment, by any worker."""
        before, post.paused = post.paused, paused
        for role in {*before, *paused}:
            told = {each.paused[role] for each in self._posts if role in each.paused}
            self._connections[role].counters.paused = "; ".join(sorted(told))

    def _end(self, post: Post, ended: Ended) -> None:
        id = ended.episode
        if ended.reason == AGAIN:
            # the one behind in a chain is to be played again
            self._writer.raise_play(id, self._writer.play(id) + 1)
            self._writer.finished.discard(id)
            return
        spec = self._handout.ended(post, id)
        self._ledger.end(spec, ended.steps)
        if ended.reason is not None:
            self._writer.raise_play(id, self._writer.play(id) + 1)
            self._list(spec, ended.reason)
            return
        self._writer.finished.add(id)
        if ended.carried:
            self._writer.carried[id] = ended.carried
        self._progress.episode()
        self._handout.go_on(post, spec)

    def _list(self, spec: EpisodeSpec, reason: str) -> None:
        """Count an episode as interrupted, and those behind it in its chain as held up."""
        self.interrupted[reason] += 1
        self._progress.episode(interrupted=True)
        finished = self._writer.finished
        self._held_up += sum(late.id not in finished for late in self.chains.behind(spec))

    async def _recover(self, post: Post, lost: WorkerLost) -> None:
        """Look at what a worker left that is no more, and let others play what it did not end."""
        number = len(post.under_way)
        post.idle_losses += not number
        self._progress.note(f"worker {post.segment} is lost ({lost}); it had {number} to play")
        folder = self._writer.folder / SEGMENTS / post.segment
        ids = frozenset(post.under_way)
        left = await asyncio.to_thread(left_in, folder, ids, patience_s=_GRACE_S / 4)
        for spec in list(post.under_way.values()):
            ended = None if left is None else left.ended(spec.id, self._writer.play(spec.id))
            if ended is None:
                self._lose(spec, left)
            else:
                self._progress.count(*_untold(ended, post.told.get(spec.id, Made())))
                told = Ended(
                    episode=spec.id, steps=ended["steps"], carried=ended.get("carried", {})
                )
                self._end(post, told)
        self._handout.vacate(post, renamed=left is None)
        self._wake()
        if post.idle_losses >= MOST_LOSSES:
            raise CrewFailed(f"workers end before they play anything: {lost}")

    def _lose(self, spec: EpisodeSpec, left: Left | None) -> None:
        """List the play of an episode that was cut off with its worker; others may play it again.

        Of one that may still be written, `left` being None, it is not known that it has begun.
        """
        id, play = spec.id, self._writer.play(spec.id)
        given_up = self._handout.lost(spec)
        self._ledger.end(spec, None)
        if left is not None:
            self._writer.raise_play(id, left.next_play(id))
        if given_up or left is None or left.has_begun(id, play):
            condition = registry.make(spec.env, **spec.parameters).condition
            self._writer.interrupt(spec, given_up or GONE, condition)
        if given_up:
            self._list(spec, given_up)

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


async def _tell(post: Post, *, now: bool) -> None:
    # whoever feeds it learns that it is lost
    with suppress(WorkerLost):
        if post.worker is not None:
            await post.worker.stop(now=now)


def _untold(line: Mapping[str, Any], told: Made) -> tuple[int, Counter[str]]:
    """Return the decisions of a finished episode that its worker did not tell any more."""
    return line["decisions"] - told.decisions, Counter(line["faults"]) - told.faults
