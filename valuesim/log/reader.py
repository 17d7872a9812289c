"""Reads run folders back as records; only decisions of finished episodes count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from valuesim.decision import Fault
from valuesim.episode import Player
from valuesim.errors import LogError
from valuesim.log.files import read_lines
from valuesim.option import Option


@dataclass(frozen=True, kw_only=True, slots=True)
class EpisodeRecord:
    """One finished episode, as its line in `episodes.jsonl` says."""

    id: str
    env: str
    condition: Mapping[str, Any]
    population: Mapping[str, Player]
    elicitation: Mapping[str, Any]
    seed: int
    steps: int
    outcome: Mapping[str, Any]
    measures: Mapping[str, Any]
    decisions: int
    faults: Mapping[str, int]
    usage: Mapping[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionRecord:
    """One decision of a finished episode, with the episode it belongs to.

    Exactly one of `chosen` (the name of an option in `options`, which stand in the order shown)
    and `fault` is given.
    """

    episode: EpisodeRecord
    step: int
    role: str
    options: tuple[Option, ...]
    chosen: str | None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    fault: Fault | None = None
    fault_detail: str | None = None
    text: str = ""
    rules_id: str = ""
    message: str | None = None
    rationale: str | None = None
    reply: str = ""
    attempts: int = 1
    usage: Mapping[str, int] = field(default_factory=dict)
    view: Mapping[str, Any] = field(default_factory=dict)
    annotations: Mapping[str, Any] = field(default_factory=dict)
    effect: Mapping[str, Any] = field(default_factory=dict)
    payoff: float = 0.0
    latency: float = 0.0

    @property
    def player(self) -> Player:
        """Who decided."""
        return self.episode.population[self.role]


@dataclass(frozen=True, kw_only=True, slots=True)
class InterruptedRecord:
    """One play that did not finish; `is_open` while the episode has not been finished since.

    `population` is empty for a play that a kill cut off: nothing was written of who played.
    """

    episode: str
    play: int
    reason: str
    is_open: bool
    population: Mapping[str, Player] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFolder:
    """A run folder that was read: its configuration and finished episodes; decisions stream."""

    path: Path
    config: Mapping[str, Any]
    episodes: Mapping[str, EpisodeRecord]
    interrupted: tuple[InterruptedRecord, ...]

    def decisions(self) -> Iterator[DecisionRecord]:
        """Yield the decisions of finished episodes, in the order of the log."""
        void = {(record.episode, record.play) for record in self.interrupted}
        path = self.path / "decisions.jsonl"
        for number, line in read_lines(path, ("episode", "play")):
            if line["episode"] in self.episodes and (line["episode"], line["play"]) not in void:
                yield _decision(line, self.episodes[line["episode"]], path, number)

    def texts(self) -> dict[str, str]:
        """Return the rules texts by id."""
        lines = read_lines(self.path / "texts.jsonl", ("id", "text"))
        return {line["id"]: line["text"] for _, line in lines}


def find_runs(paths: Iterable[Path]) -> list[Path]:
    """Return the run folders that `paths` are or hold, each once, sorted.

    Raises LogError for a path that does not exist or has no run folder in or below it.
    """
    found: set[Path] = set()
    for path in paths:
        if not path.is_dir():
            raise LogError(f"{path} is not a folder; give a run folder or a folder above some")
        below = {file.parent for file in path.rglob("run.yaml")}
        if not below:
            raise LogError(f"{path} is not a run folder and holds none: there is no run.yaml in it")
        found |= below
    return sorted(found)


def read_run(path: Path) -> RunFolder:
    """Return the run folder at `path`; raise LogError if it is not one or a line is corrupt."""
    path = Path(path)
    if not (path / "run.yaml").is_file():
        raise LogError(f"{path} is not a run folder: there is no run.yaml in it")
    episodes = {}
    for number, line in read_lines(path / "episodes.jsonl", ("episode",)):
        episode = _episode(line, path / "episodes.jsonl", number)
        episodes[episode.id] = episode
    return RunFolder(
        path=path,
        config=_config(path / "run.yaml"),
        episodes=episodes,
        interrupted=tuple(_interrupted(path / "interrupted.jsonl", episodes)),
    )


def _config(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LogError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise LogError(f"{path} does not hold a run's configuration")
    return content


def _episode(line: Any, path: Path, number: int) -> EpisodeRecord:
    try:
        return EpisodeRecord(
            id=line["episode"],
            population=_population(line["population"]),
            **{name: line[name] for name in _EPISODE_FIELDS},
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise LogError(f"{path}, line {number} is not an episode: {error!r}") from error


def _population(players: Mapping[str, Any]) -> dict[str, Player]:
    return {role: Player(**player) for role, player in players.items()}


_EPISODE_FIELDS = (
    *("env", "condition", "elicitation", "seed", "steps", "outcome"),
    *("measures", "decisions", "faults", "usage"),
)


def _decision(line: Any, episode: EpisodeRecord, path: Path, number: int) -> DecisionRecord:
    try:
        seen, answer = line["observation"], line["decision"]
        options = tuple(_option(option) for option in seen["options"])
        _check(line["agent"], answer, options, episode)
        return DecisionRecord(
            episode=episode,
            step=line["step"],
            role=line["agent"],
            options=options,
            chosen=answer["option"],
            arguments=answer["arguments"],
            fault=Fault(answer["fault"]) if answer["fault"] else None,
            fault_detail=answer["fault_detail"],
            text=seen["text"],
            rules_id=seen["rules"],
            message=answer["message"],
            rationale=answer["rationale"],
            reply=answer["reply"],
            attempts=answer["attempts"],
            usage=answer["usage"],
            view=seen["view"],
            annotations=seen["annotations"],
            effect=line["effect"],
            payoff=line["payoff"],
            latency=line["time"]["latency"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise LogError(f"{path}, line {number} is not a decision: {error!r}") from error


def _check(role: str, answer: Any, options: Iterable[Option], episode: EpisodeRecord) -> None:
    """Raise ValueError for a role that nobody plays, or what is neither a choice nor a fault."""
    if role not in episode.population:
        raise ValueError(f"nobody plays {role!r}")
    if (answer["option"] is None) == (answer["fault"] is None):
        raise ValueError("it holds neither an option nor a fault, or both")
    if answer["option"] is not None and answer["option"] not in {o.name for o in options}:
        raise ValueError(f"{answer['option']!r} was not on offer")


def _option(option: Any) -> Option:
    return Option(
        name=option["name"],
        text="",
        stakes=option["stakes"],
        tags=frozenset(option["tags"]),
        is_omission=option["omission"],
    )


def _interrupted(path: Path, finished: Mapping[str, object]) -> Iterator[InterruptedRecord]:
    for number, line in read_lines(path, ("episode", "play", "reason")):
        try:
            yield InterruptedRecord(
                episode=line["episode"],
                play=line["play"],
                reason=line["reason"],
                is_open=line["episode"] not in finished,
                population=_population(line.get("population", {})),
            )
        except (TypeError, AttributeError) as error:
            raise LogError(f"{path}, line {number} is not an interruption: {error!r}") from error
