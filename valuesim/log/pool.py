"""Several runs read as one: an episode that stands in more than one of them counts once."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from valuesim.errors import LogError
from valuesim.log.reader import (
    DecisionRecord,
    EpisodeRecord,
    InterruptedRecord,
    RunFolder,
    read_config,
)

BRANCHES = "branches"
"""The folder that holds branches of the episodes of the runs beside it."""
PARENT = "parent"
"""What run.yaml of a branch says of the episode that it leaves."""
PEOPLE = "people"
"""The folder that holds what people played and judged in the viewer of the runs beside it."""
PERSON = "person"
"""What run.yaml says of a person who played or judged in the viewer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """What some runs hold together.

    Of an episode in several runs, the first run's decisions are kept. `repeated` counts those
    episodes, `differing` those of them that were decided otherwise in another run (two samples of a
    model under one specification). `interrupted` holds the last record of each episode that no run
    has finished. `told` is what the runs' sessions noted, such as that questions were chosen by the
    answers before them.
    """

    episodes: Mapping[str, EpisodeRecord]
    decisions: tuple[DecisionRecord, ...]
    interrupted: tuple[InterruptedRecord, ...]
    repeated: int = 0
    differing: int = 0
    told: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of the runs and of episodes in several, a sentence each."""
        found = list(self.told)
        if self.repeated:
            found.append(
                f"in more than one run folder, and counted once: {_episodes(self.repeated)}"
            )
        if self.differing:
            found.append(
                "decided otherwise in another run folder, as a second sample of one specification "
                f"that counts nowhere: {_episodes(self.differing)}"
            )
        return tuple(found)


def find_runs(paths: Iterable[Path]) -> list[Path]:
    """Return the run folders that `paths` are or hold, each once, sorted.

    Branches, which leave episodes of other runs, and what people played or judged in the viewer are
    left out unless one of `paths` is such a run or the folder of them.
    Raises LogError for a path that does not exist or has no run folder in or below it.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        if not path.is_dir():
            raise LogError(
                f"{path} is not a folder; give a run folder or a folder above some{_made(path)}"
            )
        below = {file.parent for file in path.rglob("run.yaml")}
        below = {each for each in below if each == path or not _is_aside(each, path)}
        if not below:
            raise LogError(f"{path} is not a run folder and holds none: there is no run.yaml in it")
        # one folder may be reached by several names
        found = {folder.resolve(): folder for folder in below} | found
    return sorted(found.values())


def is_branch(folder: Path) -> bool:
    """Return whether a run folder is a branch; raise LogError if its run.yaml cannot be read."""
    return folder.parent.name == BRANCHES and PARENT in read_config(folder)


def _is_aside(folder: Path, path: Path) -> bool:
    """Return whether a run folder below `path` is a branch or a game that is not asked for."""
    return folder.parent != path and (is_branch(folder) or _is_game(folder))


def _is_game(folder: Path) -> bool:
    """Return whether a run folder is a game that a person played in the viewer."""
    return folder.parent.name == PEOPLE and PERSON in read_config(folder)


def _made(path: Path) -> str:
    """Return how a run folder is made of the file at `path`; nothing where there is no file."""
    if not path.is_file():
        return ""
    return f" (`valuesim import FORMAT {path} --out RUN` makes one of another tool's file)"


def decisions_once(runs: Sequence[RunFolder]) -> Pool:
    """Return the decisions of `runs`, those of each episode once, in the order of `runs`.

    Raises LogError as `RunFolder.decisions` does.
    """
    times = Counter(id for run in runs for id in run.episodes)
    repeated = {id for id, count in times.items() if count > 1}
    episodes: dict[str, EpisodeRecord] = {}
    decisions: list[DecisionRecord] = []
    samples: dict[str, set[str]] = defaultdict(set)
    for run in runs:
        again: dict[str, list[DecisionRecord]] = {id: [] for id in repeated & set(run.episodes)}
        for record in run.decisions():
            if record.episode.id not in episodes:
                decisions.append(record)
            if record.episode.id in again:
                again[record.episode.id].append(record)
        for id, own in again.items():
            samples[id].add(digest_of(own))
        episodes = {**run.episodes, **episodes}
    return Pool(
        episodes=episodes,
        decisions=tuple(decisions),
        interrupted=unfinished(runs, episodes),
        repeated=len(repeated),
        differing=sum(len(digests) > 1 for digests in samples.values()),
        told=told_by(runs),
    )


def told_by(runs: Sequence[RunFolder]) -> tuple[str, ...]:
    """Return each note of the runs' sessions once, with its runs' names where some lack it."""
    said: dict[str, dict[str, None]] = {}
    for run in runs:
        for note in _notes(run.config.get("sessions")):
            said.setdefault(note, {})[run.path.name] = None
    return tuple(
        note if len(names) == len(runs) else f"in {', '.join(names)}: {note}"
        for note, names in said.items()
    )


def _notes(sessions: object) -> Iterator[str]:
    for session in sessions if isinstance(sessions, list) else ():
        found = session.get("notes") if isinstance(session, Mapping) else None
        yield from (str(note) for note in found or () if note) if isinstance(found, list) else ()


def unfinished(
    runs: Iterable[RunFolder], finished: Mapping[str, object]
) -> tuple[InterruptedRecord, ...]:
    """Return the last record of each episode that none of `runs` has finished."""
    last: dict[str, InterruptedRecord] = {}
    for record in (record for run in runs for record in run.interrupted):
        if record.episode not in finished:
            known = last.get(record.episode, record)
            last[record.episode] = record if record.population else record.played_as(known)
    return tuple(last.values())


def digest_of(records: Iterable[DecisionRecord]) -> str:
    """Return what two plays of an episode share if every agent decided alike at every step."""
    decided: list[tuple[Any, ...]] = sorted(
        (r.step, r.role, r.chosen or "", r.fault or "", _canonical(r.arguments)) for r in records
    )
    return hashlib.sha256(orjson.dumps(decided)).hexdigest()


def _canonical(arguments: Mapping[str, Any]) -> str:
    return orjson.dumps(dict(arguments), option=orjson.OPT_SORT_KEYS).decode()


def _episodes(count: int) -> str:
    return "1 episode" if count == 1 else f"{count:,} episodes"
