"""An episode that is not finished, or was cut off, as the page gets it, and what comes after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from valuesim.log.entries import decision_of, episode_of
from valuesim.log.files import DECISION_KEYS, INHERITED, MISSHAPEN, read_lines
from valuesim.log.options import OptionReader
from valuesim.log.reader import DecisionRecord, EpisodeRecord
from valuesim.replay.indexing.parts import Parts, text_of
from valuesim.replay.indexing.played import Played
from valuesim.replay.indexing.progress import ENDED, MADE, TEXTS, Progress
from valuesim.replay.indexing.shelf import Shelved
from valuesim.replay.live.sources import Source
from valuesim.replay.watching.light import BUDGET, light
from valuesim.replay.watching.moments import Opened, steps, told
from valuesim.spec import Player

_UNKNOWN = Player(agent="")


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Decisions of a play, `steps` as the page gets them, and how many there were `so_far`."""

    steps: Sequence[Mapping[str, Any]]
    so_far: int


def unfinished(run: Shelved, progress: Progress, played: Played, source: Source) -> dict[str, Any]:
    """Return an episode that is not finished as the page gets it; null is what is not known yet.

    An episode that has just ended is told as any other.
    """
    with progress.lock:
        found = _opened(run, progress, played, source, range(len(played.places)))
        if played.ends is not None:
            return told(found)
        seen = found.records
        usage: Counter[str] = Counter()
        for each in seen:
            usage.update(each.usage)
        return told(found) | {
            "env": source.env,
            "condition": source.condition,
            "population": told(found)["population"] if source.population else None,
            "seed": source.seed,
            "faults": Counter(str(each.fault) for each in seen if each.fault is not None),
            "usage": usage,
            "live": played.is_open,
            "interrupted": played.reason,
            "play": played.play,
            "decisions": len(seen),
        }


def later(
    run: Shelved, progress: Progress, played: Played, source: Source, after: int, most: int
) -> Batch:
    """Return at most `most` decisions that came after the first `after` of a play."""
    with progress.lock:
        wanted = range(after, min(len(played.places), after + most))
        found = _opened(run, progress, played, source, wanted)
        return Batch(steps=steps(replace(found, inherited=())), so_far=wanted.stop)


def step_of(
    run: Shelved, progress: Progress, played: Played, source: Source, step: int
) -> list[dict[str, Any]]:
    """Return one step of a play, its moments whole; empty where nobody decided then."""
    with progress.lock:
        wanted = [number for number, each in enumerate(played.steps) if each == step]
        found = _opened(run, progress, played, source, wanted, is_light=False)
        return [each for each in steps(found) if each["step"] == step]


def _opened(
    run: Shelved,
    progress: Progress,
    played: Played,
    source: Source,
    wanted: Sequence[int],
    *,
    is_light: bool = True,
) -> Opened:
    """Return the decisions of a play that are `wanted`, by their numbers in it."""
    with ExitStack() as stack:
        parts = Parts(progress.parts, stack)
        episode = _record(parts, played, source)
        texts = _Texts(parts, progress)
        records, whole = _records(parts, texts, played, episode, wanted, is_light=is_light)
        inherited = _inherited(progress.run, texts, episode)
        return Opened(
            run=run,
            episode=episode,
            records=records,
            texts=texts,
            inherited=inherited,
            whole=None if whole is None else whole + len(inherited),
        )


def _records(
    parts: Parts,
    texts: _Texts,
    played: Played,
    episode: EpisodeRecord,
    wanted: Sequence[int],
    *,
    is_light: bool,
) -> tuple[list[DecisionRecord], int | None]:
    """Return the decisions of a play that are `wanted`, and how many are whole if not all."""
    decision = _decision_of(episode, texts)
    before = sum(played.sizes[: wanted[0]]) if wanted else 0
    whole = None
    records: list[DecisionRecord] = []
    for number in wanted:
        record = parts.read(MADE, played.places[number], decision)
        before += played.sizes[number]
        if is_light and before > BUDGET:
            whole = len(records) if whole is None else whole
            record = light(record)
        records.append(record)
    return records, whole


def _decision_of(
    episode: EpisodeRecord, texts: _Texts
) -> Callable[[Any, Path, int], DecisionRecord]:
    read_option = OptionReader(texts)

    def decision(line: Any, path: Path, at: int) -> DecisionRecord:
        texts.keep(line)
        return decision_of(line, episode, read_option, texts, path, at)

    return decision


def _record(parts: Parts, played: Played, source: Source) -> EpisodeRecord:
    """Return the episode as its line tells it, or until it ends as far as it is known."""
    if played.ends is not None:
        return parts.read(ENDED, played.ends, episode_of)
    unknown = dict.fromkeys(played.roles, _UNKNOWN)
    return EpisodeRecord(
        id=played.episode,
        env=source.env or "",
        condition=source.condition or {},
        population={**unknown, **source.population},
        seed=source.seed or 0,
        elicitation=source.elicitation,
    )


class _Texts(dict[str, str]):
    """The texts of a log by id, each read when it is first named."""

    def __init__(self, parts: Parts, progress: Progress) -> None:
        super().__init__()
        self._parts = parts
        self._places = progress.texts

    def __missing__(self, id: str) -> str:
        _, text = self._parts.read(TEXTS, self._places[id], text_of)
        self[id] = text
        return text

    def keep(self, line: Any) -> None:
        """Read the rules that a decision's line names."""
        with suppress(*MISSHAPEN):
            self[line["observation"]["rules"]]


def _inherited(run: Path, texts: _Texts, episode: EpisodeRecord) -> list[DecisionRecord]:
    """Return what a branch has of the episode that it leaves."""
    path, read_option = run / INHERITED, OptionReader(texts)
    found = []
    for number, line in read_lines(path, DECISION_KEYS):
        if line["episode"] == episode.id:
            texts.keep(line)
            roles = {str(line.get("agent")): _UNKNOWN}
            whose = replace(episode, population={**roles, **episode.population})
            found.append(decision_of(line, whose, read_option, texts, path, number))
    return found
