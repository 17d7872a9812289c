"""Asks few questions: each next batch is chosen by what the answers so far leave open.

Every cell has a sequence of its own, chosen in halves of what may be in flight: half k rests on the
answers of all halves but the last, k - 1, which is still in flight and counts with the information
expected of it. So a sequence depends on answers alone, never on when they came in, and a run that
was cut off goes on with the same questions: they are worked out again from the log.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from valuesim.choices import Evidence
from valuesim.engine.asking import CUT, EXHAUSTED, SETTLED, SPENT, Asked, Asking
from valuesim.engine.budget import Budget
from valuesim.engine.connections import Connection, distinct
from valuesim.engine.pool import Pool, Pools, Said, read, said
from valuesim.engine.progress import Progress
from valuesim.engine.schedule import Table
from valuesim.engine.shutdown import Shutdown
from valuesim.engine.summary import Summary
from valuesim.episode import EpisodeSpec
from valuesim.graph.arms import arm_of, arms_apart
from valuesim.graph.information import choose, prospects
from valuesim.graph.order import Order, order
from valuesim.graph.room import room
from valuesim.log import RunWriter
from valuesim.log.reader import read_run

LITTLE_ROOM = 0.56
"""The share of random order's decisions above which choosing well among all questions saves little.

Where pools were measured (docs/adaptive.md) those above it did not come to half.
"""


@dataclass(kw_only=True, slots=True)
class Cell:
    """The questions of one cell so far, in the order in which they were chosen.

    `batches` hold places in `pool`, `answers` what was said to them. `why` is None until it ends.
    """

    name: Mapping[str, Any]
    pool: Pool
    asking: Asking
    key: tuple[int, ...]
    batches: list[list[int]] = field(default_factory=list)
    answers: dict[int, Said] = field(default_factory=dict)
    order: Order = field(default_factory=Order)
    why: str | None = None

    @property
    def decisions(self) -> int:
        """How many decisions were made, faults among them."""
        return sum(each.decisions for each in self.answers.values())

    @property
    def most_episodes(self) -> int:
        """The largest number of episodes that the budget and the questions allow."""
        return min(self.asking.budget // min(self.pool.lengths), len(self.pool.specs))

    def choose_next(self, in_flight: Sequence[int]) -> list[int]:
        """Return the batch to ask next, empty where the answers so far end it.

        It rests on the answers of all batches but those `in_flight`. Equal answers, equal batch.
        `why` tells an end only where nothing is in flight, lest answers that are still to come
        open again what it says is told apart: then asking goes on.
        """
        asked = [question for batch in self.batches for question in batch]
        evidence = self._evidence(in_flight)
        known = prospects(self.pool.questions, evidence)
        self.order = order(known, evidence, sure=self.asking.sure, span=self._span)
        if self.order.is_settled:
            self.why = None if in_flight else SETTLED
            return []
        left = self._left(asked, in_flight)
        picked = choose(
            known,
            asked=asked,
            in_flight=in_flight,
            size=min(self.asking.batch // 2, max(left, 0)),
            rng=np.random.default_rng([*self.key, len(asked)]),
        )
        total = np.cumsum([self.pool.lengths[each] for each in picked])
        batch = picked[: int(np.searchsorted(total, left, side="right"))]
        end = EXHAUSTED if left > 0 and not picked else SPENT
        self.why = None if batch or in_flight else end
        return batch

    def ended(self) -> Asked:
        """Return how it ended, by all answers that are in."""
        evidence = self._evidence(())
        known = prospects(self.pool.questions, evidence)
        found = order(known, evidence, sure=self.asking.sure, span=self._span)
        is_cut = any(each not in self.answers for batch in self.batches for each in batch)
        return Asked(
            cell=self.name,
            decisions=self.decisions,
            questions=len(self.pool.specs),
            why=CUT if is_cut or self.why is None else self.why,
            pairs=len(found.pairs),
            open=found.open,
        )

    def _left(self, asked: Sequence[int], in_flight: Sequence[int]) -> int:
        """Return how many decisions may still be asked for; those in flight are at their most."""
        awaited = sum(self.pool.lengths[each] for each in in_flight)
        made = sum(self.answers[each].decisions for each in asked if each not in in_flight)
        return self.asking.budget - made - awaited

    @property
    def _span(self) -> float:
        """How many times more decisions the last look has than the first."""
        return max(2 * self.asking.budget / self.asking.batch, 1.0)

    def _evidence(self, in_flight: Sequence[int]) -> list[Evidence]:
        """Return the choices made so far, in the order in which they were asked for."""
        return [
            evidence
            for batch in self.batches
            for question in batch
            if question in self.answers and question not in in_flight
            for evidence in self.answers[question].evidence
        ]


def cells(specs: Sequence[EpisodeSpec], asking: Asking, seed: int) -> list[Cell]:
    """Return a cell for each of `specs`, any episode of it; raise as `pool.check_askable` does."""
    pools = Pools(size=asking.pool, seed=seed)
    asked = [pools.pool(spec) for spec in specs]
    return [
        Cell(
            name=name,
            pool=pool,
            asking=asking,
            key=(seed, zlib.crc32(replace(spec, seed=0).id.encode())),
        )
        for spec, pool, name in zip(specs, asked, _names(specs), strict=True)
    ]


def room_notes(planned: Sequence[Cell]) -> list[str]:
    """Return a sentence for each pool of questions among which choosing cannot save much."""
    pools = {id(cell.pool.questions): cell.pool for cell in planned}
    found = []
    for pool in pools.values():
        share = room(prospects(pool.questions, ()))
        if share is not None and share > LITTLE_ROOM:
            found.append(
                f"{pool.specs[0].env} has little room to choose: the best choice among its "
                f"questions needs about {share:.2f} of random order's decisions (docs/adaptive.md)"
            )
    return found


async def run_adaptively(
    planned: Sequence[Cell],
    writer: RunWriter,
    connections: Mapping[str, Connection],
    *,
    concurrency: int,
    progress: Progress,
    stop: Shutdown | None = None,
    budget: Budget | None = None,
) -> Summary:
    """Ask `planned` cells, beside each other, and return how it went; else as `schedule.run`.

    What `writer` holds already is not asked again. Where an episode is interrupted its cell ends
    with what is in flight: what would be asked next depends on the answer that is missing.
    """
    before = read(read_run(writer.folder).decisions()) if writer.finished else {}
    progress.aside = lambda: _standing(planned)
    most = sum(cell.most_episodes for cell in planned)
    progress.start(most, len(before), distinct(connections))
    every = [spec for cell in planned for spec in cell.pool.specs]
    table = Table(writer, connections, progress, every, stop=stop, budget=budget)
    room = _Room(table, before, asyncio.Semaphore(concurrency))
    await table.until_done(room.serve(planned))
    specs = [cell.pool.specs[each] for cell in planned for batch in cell.batches for each in batch]
    return table.summary(specs, tuple(cell.ended() for cell in planned))


class _Room:
    """Where all cells are asked at once; `before` is what was said in earlier sessions."""

    def __init__(self, table: Table, before: Mapping[str, Said], seats: asyncio.Semaphore) -> None:
        self._table = table
        self._before = before
        self._seats = seats

    async def serve(self, planned: Sequence[Cell]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for cell in planned:
                    group.create_task(self._ask(cell, group))
        except BaseExceptionGroup as failures:
            # as in `schedule`: the first failure cancelled the others
            raise failures.exceptions[0] from failures.exceptions[0].__cause__

    async def _ask(self, cell: Cell, group: asyncio.TaskGroup) -> None:
        under_way: list[asyncio.Task[None]] = []
        in_flight: list[int] = []
        # what was chosen before the run is told to end is chosen again when it goes on
        while not self._table.is_closed:
            # numbers are crunched beside the loop, so that other cells go on
            picked = await asyncio.to_thread(cell.choose_next, in_flight)
            if not picked and not in_flight:
                return
            asked = [group.create_task(self._play(cell, each)) for each in picked]
            if picked:
                cell.batches.append(picked)
            if under_way:
                await asyncio.wait(under_way)
            if any(question not in cell.answers for question in in_flight):
                return
            under_way, in_flight = asked, picked

    async def _play(self, cell: Cell, question: int) -> None:
        spec = cell.pool.specs[question]
        if spec.id in self._before:
            cell.answers[question] = self._before[spec.id]
            return
        async with self._seats:
            if not await self._table.may_begin(spec):
                return
            turns = await self._table.play(spec)
        if turns is not None:
            cell.answers[question] = said(turns, spec)


def _standing(planned: Sequence[Cell]) -> str:
    pairs = sum(len(cell.order.pairs) for cell in planned)
    still_open = sum(len(cell.order.open) for cell in planned)
    decisions = sum(cell.decisions for cell in planned)
    return f"{decisions:,} decisions asked for, {still_open} of {pairs} pairs open"


def _names(specs: Sequence[EpisodeSpec]) -> list[dict[str, Any]]:
    """Return for each cell who is asked, in which environment, and what differs beside that.

    These are parameters, and the interventions made.
    """
    names = []
    apart = arms_apart((), specs)
    for spec in specs:
        (player,) = spec.population.values()
        others = [each.parameters for each in specs if each.env == spec.env]
        differing = {
            name: level
            for name, level in spec.parameters.items()
            if any(other.get(name) != level for other in others)
        }
        who = player.agent if player.model is None else f"{player.agent} ({player.model_name})"
        arm = {key: of for key in apart if (of := arm_of(player, key)) is not None}
        names.append({"agent": who, "env": spec.env} | differing | arm)
    return names
