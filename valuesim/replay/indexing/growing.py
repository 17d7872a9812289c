"""The index of a run that grows: extended by the episodes that were finished since.

What was there is read once; then only what is appended. Where anything else happened to the log
than that plays began, ended or were cut off, it is read as a whole, as `index.index_of` does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from valuesim.errors import LogError
from valuesim.log.entries import episode_of
from valuesim.log.files import MISSHAPEN
from valuesim.log.segments import log_folders
from valuesim.replay.indexing.gathering import Cells, Gathered, row
from valuesim.replay.indexing.index import Index, index_of, keep, table_of
from valuesim.replay.indexing.parts import Parts
from valuesim.replay.indexing.played import Played
from valuesim.replay.indexing.progress import ENDED, MADE, Progress
from valuesim.replay.indexing.votes import FirstReader
from valuesim.tables.derived import state_of

_KEPT_EVERY_S = 60.0


class Growing:
    """The index of the run folder `run`, kept up with its log.

    `is_extended` says whether the last one was made without reading the log as a whole.
    """

    def __init__(self, run: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing read."""
        self.is_extended = False
        self._run = run
        self._clock = clock
        self._progress: Progress | None = None
        self._index = Index(table=None)
        self._known: set[str] = set()
        self._unkept: bytes | None = None
        self._kept_at = clock()

    def index(self) -> Index:
        """Return the index of the log as it is now; raise as `index_of` does."""
        state = state_of(self._run)
        rows = self._new_rows()
        self.is_extended = rows is not None
        if rows is None:
            return self._anew()
        assert self._progress is not None, "there are rows where it was read"
        table = self._index.table
        if rows:
            table = _by_place(table, table_of(iter(rows), self._run))
            self._known |= {cells["episode"] for cells in rows}
        unfinished = len(self._progress.interrupted)
        self._index = replace(self._index, table=table, interrupted=unfinished)
        self._unkept = state
        if self._clock() - self._kept_at >= _KEPT_EVERY_S:
            self.settle()
        return self._index

    def settle(self) -> None:
        """Keep the index beside the log, unless that was done: the next start need not read it."""
        if self._unkept is not None:
            keep(self._run, self._index, self._unkept)
            self._unkept, self._kept_at = None, self._clock()

    def _anew(self) -> Index:
        # what is appended while the index is made is met again, and known then
        progress = Progress(self._run, keeps_ended=True)
        progress.look()
        # what was odd before is what the whole log says
        progress.is_odd = False
        self._progress = None
        self._index = index_of(self._run)
        self._known = set(self._index.table.column("episode").to_pylist())
        self._unkept, self._kept_at = None, self._clock()
        self._progress = progress
        return self._index

    def _new_rows(self) -> list[Cells] | None:
        """Return the rows of episodes that were finished since; None where all is to be read."""
        progress = self._progress
        if progress is None:
            return None
        progress.look()
        is_odd = progress.is_odd or progress.parts != log_folders(self._run)
        ended = [each for id, each in progress.ended.items() if id not in self._known]
        if is_odd or progress.finished != self._known | {each.episode for each in ended}:
            return None
        progress.ended.clear()
        try:
            return self._rows(progress, ended)
        except (LogError, *MISSHAPEN):
            # reading all of it tells what is wrong, and where
            return None

    def _rows(self, progress: Progress, ended: Sequence[Played]) -> list[Cells] | None:
        read_firsts = FirstReader()
        found = []
        with ExitStack() as stack:
            parts = Parts(progress.parts, stack)
            for played in ended:
                assert played.ends is not None, "it has ended"
                episode = parts.read(ENDED, played.ends, episode_of)
                if episode.decisions != len(played.places):
                    return None
                own = Gathered()
                for place in played.places:
                    line = parts.read(MADE, place, lambda line, *_: line)
                    own.add(place, line, progress.texts, read_firsts)
                found.append(row(episode, own, played.ends))
        return found


def _by_place(table: Any, new: Any) -> Any:
    """Return the rows of both in the order of the plan; those without a place come first."""
    import pyarrow

    whole = pyarrow.concat_tables([table.replace_schema_metadata(None), new])
    places = whole.column("place").to_pylist()
    order = sorted(range(len(places)), key=lambda n: -1 if places[n] is None else places[n])
    return whole.take(pyarrow.array(order, type=pyarrow.int64()))
