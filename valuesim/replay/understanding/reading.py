"""The decisions of chosen episodes, read by the places of their lines, in the order of the plan.

They come as commands read a run folder that holds these episodes alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from valuesim.errors import LogError
from valuesim.log.entries import decision_of, episode_of
from valuesim.log.options import OptionReader
from valuesim.log.reader import DecisionRecord, EpisodeRecord, RunFolder, interruptions, read_config
from valuesim.log.segments import log_folders
from valuesim.replay.indexing.parts import Parts
from valuesim.replay.indexing.votes import Untold


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """Some finished episodes of a run folder, and the places of their decisions.

    Texts are left out, and so is what an episode came to: what counts choices reads neither.
    `ranks` say where in the plan each of `episodes` stands.
    """

    run: str
    path: Path
    is_whole: bool
    episodes: Mapping[str, EpisodeRecord]
    ranks: tuple[int, ...]
    moments: tuple[tuple[int, ...], ...]

    def decisions(self) -> Iterator[DecisionRecord]:
        """Yield the decisions; raise LogError where a line is not what it was."""
        texts = Untold()
        read_option = OptionReader(texts)
        records = list(self.episodes.values())
        seen: dict[str, set[tuple[int, str]]] = {id: set() for id in self.episodes}
        with ExitStack() as stack:
            lines = Parts(log_folders(self.path), stack)
            for place, which in self._in_order():
                episode = records[which]

                def decision(
                    line: Any, path: Path, number: int, own: EpisodeRecord = episode
                ) -> DecisionRecord:
                    return decision_of(_own(line, path, own), own, read_option, texts, path, number)

                record = lines.read("decisions.jsonl", place, decision)
                moment = record.step, record.role
                if moment in seen[episode.id]:
                    raise _changed(self.path)
                seen[episode.id].add(moment)
                yield record

    def _in_order(self) -> Iterator[tuple[int, int]]:
        """Yield (place, episode) by the plan; those of one episode, or none in it, as logged."""
        which = np.repeat(np.arange(len(self.moments)), [len(each) for each in self.moments])
        at = np.array([place for each in self.moments for place in each], dtype=np.int64)
        ranks = np.array(self.ranks, dtype=np.int64)[which]
        for index in np.lexsort((at, ranks)):
            yield int(at[index]), int(which[index])

    def folder(self) -> RunFolder:
        """Return what is told of the run beside its decisions: what was never finished, too."""
        folders = log_folders(self.path) if self.is_whole else []
        return RunFolder(
            path=self.path,
            config=read_config(self.path),
            episodes=self.episodes,
            interrupted=interruptions(folders, self.episodes),
        )


def chosen_of(told: Mapping[str, Any]) -> Chosen:
    """Return the episodes that `selected.places` tells of a run; raise LogError for a bad line."""
    path = Path(told["path"])
    known: dict[bytes, Any] = {}
    episodes: dict[str, EpisodeRecord] = {}
    with ExitStack() as stack:
        lines = Parts(log_folders(path), stack)
        for id, place, moments in zip(
            told["episodes"], told["lines"], told["moments"], strict=True
        ):
            episode = lines.read("episodes.jsonl", place, episode_of)
            if episode.id != id or episode.decisions != len(moments):
                raise _changed(path)
            episodes[id] = _short(episode, known)
    return Chosen(
        run=told["run"],
        path=path,
        is_whole=told["is_whole"],
        episodes=episodes,
        ranks=tuple(told["ranks"]),
        moments=tuple(map(tuple, told["moments"])),
    )


def _short(episode: EpisodeRecord, known: dict[bytes, Any]) -> EpisodeRecord:
    """Return an episode without what it came to; what many have alike is kept once."""

    def once(content: Any, key: object) -> Any:
        return known.setdefault(orjson.dumps(key, default=str), content)

    players = {role: (p.agent, p.model, p.parameters) for role, p in episode.population.items()}
    return replace(
        episode,
        condition=once(episode.condition, ["condition", episode.condition]),
        population=once(episode.population, ["population", players]),
        elicitation=once(episode.elicitation, ["elicitation", episode.elicitation]),
        outcome={},
        measures={},
        usage={},
        carried={},
        parameters=None,
    )


def _own(line: Any, path: Path, episode: EpisodeRecord) -> Any:
    if line.get("episode") != episode.id:
        raise _changed(path)
    return line


def _changed(path: Path) -> LogError:
    return LogError(f"{path.name} has changed since it was read: ask again in a moment")
