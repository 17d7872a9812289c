"""The decisions of many run folders, those of each episode once, with one folder in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from valuesim.formats.choice_columns import Row, rows_of
from valuesim.log.pool import Pool, digest_of, told_by
from valuesim.log.reader import DecisionRecord, EpisodeRecord, RunFolder, read_config, read_run


class Decided(Protocol):
    """A run folder as far as its finished episodes and their decisions go."""

    @property
    def path(self) -> Path:
        """Where it is."""
        ...

    @property
    def episodes(self) -> Mapping[str, EpisodeRecord]:
        """Its finished episodes by id."""
        ...

    def decisions(self) -> Iterator[DecisionRecord]:
        """Yield their decisions; raise LogError for a corrupt line."""
        ...


class DecisionsOnce:
    """The decisions of some run folders, as `decisions_once` counts them, one after the other.

    Read them once, as records or as rows of the table of choices. Of an episode in several folders
    the first one's decisions are given; `notes` then says how many there are, and `rows` how many
    rows were given. Memory is that of the largest folder's episodes, and of the ids of all.
    """

    def __init__(self, folders: Sequence[Path], read: Callable[[Path], Decided] = read_run) -> None:
        """Take the run folders in their order, and how one is read.

        Raises LogError where one cannot be.
        """
        self.rows = 0
        self.folders = tuple(folders)
        self._read = read
        self._repeated = _repeated(self.folders, read)
        self._samples: defaultdict[str, set[str]] = defaultdict(set)
        self._told: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Row]:
        """Yield a row for each decision, in the order of the folders and their logs.

        Raises LogError as `RunFolder.decisions` does.
        """
        for run, records in self.by_run():
            for row in rows_of(records, dict.fromkeys(run.episodes, run.path.name)):
                self.rows += 1
                yield row

    def by_run(self) -> Iterator[tuple[Decided, Iterator[DecisionRecord]]]:
        """Yield each run with its decisions, which must be read before the next one's.

        Raises LogError as `RunFolder.decisions` does.
        """
        seen: set[str] = set()
        self._told = told_by([_configured(folder) for folder in self.folders])
        for folder in self.folders:
            run = self._read(folder)
            yield run, self._new(run, seen)
            seen |= run.episodes.keys() & self._repeated

    def _new(self, run: Decided, seen: set[str]) -> Iterator[DecisionRecord]:
        """Yield the decisions of episodes that no earlier folder had."""
        again: dict[str, list[DecisionRecord]] = {
            id: [] for id in run.episodes if id in self._repeated
        }
        for record in run.decisions():
            if record.episode.id in again:
                again[record.episode.id].append(record)
            if record.episode.id not in seen:
                yield record
        for id, own in again.items():
            self._samples[id].add(digest_of(own))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of the folders and of episodes in several, a sentence each."""
        differing = sum(len(digests) > 1 for digests in self._samples.values())
        pool = Pool(
            episodes={},
            decisions=(),
            interrupted=(),
            repeated=len(self._repeated),
            differing=differing,
            told=self._told,
        )
        return pool.notes


def _repeated(folders: Sequence[Path], read: Callable[[Path], Decided]) -> frozenset[str]:
    """Return the episodes that stand in more than one of `folders`."""
    if len(folders) < 2:
        return frozenset()
    times = Counter(id for folder in folders for id in read(folder).episodes)
    return frozenset(id for id, count in times.items() if count > 1)


def _configured(folder: Path) -> RunFolder:
    return RunFolder(path=folder, config=read_config(folder), episodes={}, interrupted=())
