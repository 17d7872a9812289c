"""One worker of a run: plays the episodes it is given into a segment of its own, and tells of them.

It knows nothing of how it is reached: `ray_crew` puts it into a process, tests into their own.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from valuesim.engine import counted
from valuesim.engine.connections import Connection, distinct
from valuesim.engine.parcels import Ended, Failed, Parcel, Report
from valuesim.engine.prices import Price
from valuesim.engine.schedule import Table
from valuesim.engine.shutdown import Shutdown
from valuesim.engine.tally import Silent, Tally
from valuesim.env import Environment
from valuesim.episode import Aftermath, EpisodeSpec, Turn
from valuesim.log.segments import SEGMENTS, SegmentWriter

SIGN = ".session"
"""The file among the segments that names the session whose workers may write them."""
_TELL_EVERY_S = 0.02
_LONGEST_S = 1.0
_LOOK_EVERY_S = 1.0

Opened = Callable[[], AbstractContextManager[Mapping[str, Connection]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Setup:
    """What a worker is to know: its segment of `run`, the plan's cells, how many play at once.

    Paths in settings are those seen from `home`. `session` is the sign of the run's present
    session, `opened` opens what answers for the roles that models play, whose `prices` are given by
    role.
    """

    run: Path
    home: Path
    segment: str
    session: str
    cells: Sequence[EpisodeSpec]
    seats: int
    opened: Opened
    prices: Mapping[str, Price] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder of the segment."""
        return self.run / SEGMENTS / self.segment


class Worker:
    """Plays what it is given, `setup.seats` episodes at once, until it is told to stop."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._tally = Tally(setup.prices)
        self._stop = Shutdown()
        self._given: asyncio.Queue[Parcel] = asyncio.Queue()
        self._dropped: list[str] = []
        self._failed: Failed | None = None
        self._connections: Mapping[str, Connection] = {}
        self._told: dict[int, dict[str, object]] = {}
        self._work: asyncio.Task[None] | None = None
        self._guard: asyncio.Task[None] | None = None

    async def begin(self) -> bool:
        """Open the segment and begin; return whether this session's sign is seen in the run folder.

        Nothing is written where it is not: the folder is another one than the run's.
        """
        if not self._is_signed():
            return False
        os.chdir(self._setup.home)
        self._work = asyncio.create_task(self._serve())
        self._guard = asyncio.create_task(self._watch_session())
        return True

    async def give(self, parcels: Sequence[Parcel]) -> None:
        """Take episodes to play; where no more begin they are dropped."""
        for parcel in parcels:
            self._given.put_nowait(parcel)
        if self._stop.begun.is_set():
            self._drop()

    async def report(self) -> Report:
        """Return what was done since the last report, at the latest after a second."""
        work = self._work
        assert work is not None, "a worker begins before it reports"
        waited = 0.0
        while waited < _LONGEST_S and not work.done() and not (waited and self._has_news):
            await asyncio.sleep(_TELL_EVERY_S)
            waited += _TELL_EVERY_S
        made, ended = self._tally.taken()
        dropped, self._dropped = self._dropped, []
        return Report(
            made=made,
            ended=ended,
            dropped=dropped,
            counters=self._gained(),
            paused={r: c.counters.paused for r, c in self._by_role() if c.counters.paused},
            failed=self._failed,
            is_over=work.done(),
        )

    async def stop(self, *, now: bool) -> None:
        """Begin no further episode; where it is `now`, list those under way as interrupted."""
        self._stop.begun.set()
        if now:
            self._stop.now.set()
        self._drop()

    @property
    def _has_news(self) -> bool:
        return not self._tally.is_empty or bool(self._dropped)

    def _drop(self) -> None:
        while not self._given.empty():
            self._dropped.append(self._given.get_nowait().episode.spec(self._setup.cells).id)

    async def _serve(self) -> None:
        try:
            # the lock shows the run that its folder is seen here, however long opening takes
            writer = _Telling(self._setup.folder, self._tally)
            try:
                await self._open_and_play(writer)
            finally:
                writer.close()
        except Exception as error:  # noqa: BLE001 - told to the run, which raises it again
            self._failed = Failed(kind=type(error).__name__, told=str(error))

    async def _open_and_play(self, writer: SegmentWriter) -> None:
        with self._setup.opened() as self._connections:
            table = Table(
                writer, self._connections, Silent(), (), stop=self._stop, ledger=self._tally
            )
            try:
                await table.until_done(self._seats(table, writer))
            finally:
                for connection in distinct(self._connections):
                    await connection.close()

    async def _seats(self, table: Table, writer: SegmentWriter) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._setup.seats):
                    group.create_task(self._sit(table, writer))
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from failures.exceptions[0].__cause__

    async def _sit(self, table: Table, writer: SegmentWriter) -> None:
        ends = asyncio.create_task(self._stop.begun.wait())
        try:
            while not self._stop.begun.is_set():
                gets = asyncio.create_task(self._given.get())
                await asyncio.wait((gets, ends), return_when=asyncio.FIRST_COMPLETED)
                if not gets.done():
                    gets.cancel()
                    return
                if self._stop.begun.is_set():
                    self._given.put_nowait(gets.result())
                    self._drop()
                    return
                await self._play(gets.result(), table, writer)
        finally:
            ends.cancel()

    async def _play(self, parcel: Parcel, table: Table, writer: SegmentWriter) -> None:
        cells = self._setup.cells
        spec = parcel.episode.spec(cells)
        writer.take(spec.id, place=parcel.place, play=parcel.play)
        chain = [spec]
        if parcel.before is not None:
            chain.insert(0, before := parcel.before.spec(cells))
            writer.carried[before.id] = parcel.carried
        if parcel.late is not None:
            chain.append(late := parcel.late.spec(cells))
            writer.raise_play(late.id, parcel.late_play)
            writer.finished.add(late.id)
        table.chains.add(chain)
        await table.play(spec)
        table.chains.drop(chain)
        for each in chain:
            writer.forget(each.id)

    def _by_role(self) -> list[tuple[str, Connection]]:
        """Return each connection once, with the first of its roles."""
        roles: dict[int, tuple[str, Connection]] = {}
        for role in sorted(self._connections):
            roles.setdefault(id(self._connections[role]), (role, self._connections[role]))
        return list(roles.values())

    def _gained(self) -> dict[str, Mapping[str, object]]:
        found: dict[str, Mapping[str, object]] = {}
        for role, connection in self._by_role():
            before = self._told.get(id(connection), {})
            if more := counted.gained(connection.counters, before):
                found[role] = more
                self._told[id(connection)] = counted.sums(connection.counters)
        return found

    def _is_signed(self) -> bool:
        sign = self._setup.run / SEGMENTS / SIGN
        with suppress(OSError):
            return sign.read_text(encoding="ascii") == self._setup.session
        return False

    async def _watch_session(self) -> None:
        """End this process at once when another session has begun: it may not write beside it."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            if not self._is_signed():
                os._exit(1)


class _Telling(SegmentWriter):
    """Tells a tally how plays end, as it writes that down."""

    def __init__(self, folder: Path, tally: Tally) -> None:
        super().__init__(folder)
        self._tally = tally

    def finish(
        self,
        spec: EpisodeSpec,
        env: Environment,
        turns: list[Turn],
        left: Aftermath | None = None,
    ) -> None:
        super().finish(spec, env, turns, left)
        carried = {} if left is None else left.carried
        self._tally.ended.append(Ended(episode=spec.id, steps=len(turns), carried=carried))

    def interrupt(
        self, spec: EpisodeSpec, reason: str, condition: Mapping[str, object] | None = None
    ) -> None:
        super().interrupt(spec, reason, condition)
        self._tally.ended.append(Ended(episode=spec.id, reason=reason))
