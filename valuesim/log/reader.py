"""Reads run folders back as records; only decisions of finished episodes count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from valuesim.errors import LogError
from valuesim.log.entries import decision_of, episode_of, interruptions_in
from valuesim.log.files import (
    DECISION_KEYS,
    EPISODE_KEYS,
    INTERRUPTED_KEYS,
    TEXT_KEYS,
    check_regular,
    corrupt,
    miscounted,
    read_lines,
)
from valuesim.log.lines import AGAIN, GONE, LOST, SCHEMA
from valuesim.log.options import OptionReader
from valuesim.log.order import by_place, in_order
from valuesim.log.records import DecisionRecord, EpisodeRecord, InterruptedRecord
from valuesim.log.segments import log_folders

__all__ = [
    "DecisionRecord",
    "EpisodeRecord",
    "InterruptedRecord",
    "RunFolder",
    "interruptions",
    "read_config",
    "read_run",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFolder:
    """A run folder that was read: its configuration and finished episodes; decisions stream.

    A finished episode whose plays were all listed as interrupted later on is not finished.
    """

    path: Path
    config: Mapping[str, Any]
    episodes: Mapping[str, EpisodeRecord]
    interrupted: tuple[InterruptedRecord, ...]

    def decisions(self) -> Iterator[DecisionRecord]:
        """Yield the decisions of finished episodes, in the order of the plan (see `order`).

        Raises LogError for a corrupt line, for one that repeats a decision or is one more than the
        episode's own line says and, after the last line, for an episode that has fewer (a disk
        that lost some, files put together by hand).
        """
        void = {(record.episode, record.play) for record in self.interrupted}
        texts = self.texts()
        read_option = OptionReader(texts)
        tally = _Tally(self.episodes)

        def counts(_: Path, line: Any) -> bool:
            return line["episode"] in self.episodes and (line["episode"], line["play"]) not in void

        path = self.path / "decisions.jsonl"
        for path, number, line in in_order(log_folders(self.path), self.episodes, counts):
            record = decision_of(
                line, self.episodes[line["episode"]], read_option, texts, path, number
            )
            if (wrong := tally.wrong_with(record, line["play"])) is not None:
                raise corrupt(path, number, wrong)
            yield record
        for id, read, told in tally.short():
            raise LogError(miscounted(path, id, read, told))

    def texts(self) -> dict[str, str]:
        """Return the texts of rules, options and additions by id."""
        return {
            line["id"]: line["text"]
            for folder in log_folders(self.path)
            for _, line in read_lines(folder / "texts.jsonl", TEXT_KEYS)
        }


class _Tally:
    """Which decisions of each episode were read; of one that has all of its own, how many."""

    def __init__(self, episodes: Mapping[str, EpisodeRecord]) -> None:
        self._told = {id: episode.decisions for id, episode in episodes.items()}
        self._open: defaultdict[str, set[tuple[int, str, int]]] = defaultdict(set)
        self._whole: set[str] = set()

    def wrong_with(self, record: DecisionRecord, play: int) -> str | None:
        """Count a decision; return what is wrong with its line, if anything is."""
        id, decided = record.episode.id, (play, record.role, record.step)
        own = self._open[id]
        if decided in own or id in self._whole or not self._told[id]:
            more = "" if decided in own else f", or is one more than its {self._told[id]} decisions"
            return f"repeats what {record.role} decided at step {record.step} of episode {id}{more}"
        own.add(decided)
        if len(own) == self._told[id]:
            self._whole.add(id)
            del self._open[id]
        return None

    def short(self) -> Iterator[tuple[str, int, int]]:
        """Yield the episodes that have fewer decisions than they tell: id, read, told."""
        for id, told in self._told.items():
            if told and id not in self._whole:
                yield id, len(self._open[id]), told


def read_run(path: Path) -> RunFolder:
    """Return the run folder at `path`; raise LogError if it is not one or a line is corrupt."""
    path = Path(path)
    if not (path / "run.yaml").is_file():
        raise LogError(f"{path} is not a run folder: there is no run.yaml in it")
    folders = log_folders(path)
    episodes = _finished(folders)
    return RunFolder(
        path=path,
        config=read_config(path),
        episodes=episodes,
        interrupted=interruptions(folders, episodes),
    )


def _finished(folders: Sequence[Path]) -> dict[str, EpisodeRecord]:
    """Return the finished episodes in the order of the plan, by id."""
    told: dict[str, dict[Path, EpisodeRecord]] = {}
    for folder in folders:
        path = folder / "episodes.jsonl"
        for number, line in read_lines(path, EPISODE_KEYS):
            episode = episode_of(line, path, number)
            told.setdefault(episode.id, {})[folder] = episode
    doubtful = _void(folders, told)
    found = {}
    for id, lines in told.items():
        counting = doubtful.get(id, lines.keys())
        for folder in lines:
            if folder in counting:
                found[id] = lines[folder]
    return by_place(found)


def _void(
    folders: Sequence[Path], finished: Mapping[str, Mapping[Path, EpisodeRecord]]
) -> dict[str, set[Path]]:
    """Return, of those of `finished` that are in doubt, the folders whose line of it counts.

    It is the one with decisions in a play that is not listed as interrupted. In doubt is what has
    lines in two folders, and what was to be played again: a chain is, behind an episode that was.
    Others are not looked at: of those the disk may have lost the decisions, which is an error.
    """
    void = set()
    doubtful = {id for id, lines in finished.items() if len(lines) > 1}
    for folder in folders:
        for _, line in read_lines(folder / "interrupted.jsonl", INTERRUPTED_KEYS):
            void.add((line["episode"], line["play"]))
            if line["reason"] in (AGAIN, LOST, GONE):
                doubtful.add(line["episode"])
    decided = {id for id, lines in finished.items() if any(e.decisions for e in lines.values())}
    counting: dict[str, set[Path]] = {id: set() for id in doubtful & decided}
    for folder in folders if counting else ():
        for _, line in read_lines(folder / "decisions.jsonl", DECISION_KEYS):
            id = line["episode"]
            if id in counting and (id, line["play"]) not in void:
                counting[id].add(folder)
    return counting


def read_config(folder: Path) -> dict[str, Any]:
    """Return what `run.yaml` in `folder` says; raise LogError if it cannot be read as that."""
    path = folder / "run.yaml"
    check_regular(path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LogError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise LogError(f"{path} does not hold a run's configuration")
    if (found := content.get("schema", SCHEMA)) != SCHEMA:
        raise LogError(f"{path} has schema {found!r}; this version reads {SCHEMA}")
    return content


def interruptions(
    folders: Sequence[Path], finished: Mapping[str, object]
) -> tuple[InterruptedRecord, ...]:
    """Return the plays that did not finish, in the order of the log; of several parts, by play.

    `folders` are those of a run's log, `finished` holds the ids of its finished episodes. Raises
    LogError for a corrupt line.
    """
    found = [
        each
        for folder in folders
        for each in interruptions_in(folder / "interrupted.jsonl", finished)
    ]
    if len(folders) > 1:
        found.sort(key=lambda record: (record.episode, record.play))
    return tuple(found)
