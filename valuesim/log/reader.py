"""Reads run folders back as records; only decisions of finished episodes count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from valuesim.decision import Addition, Fault, Labelling, Try
from valuesim.episode import Chain, Player
from valuesim.errors import LogError
from valuesim.log.files import (
    DECISION_KEYS,
    EPISODE_KEYS,
    INTERRUPTED_KEYS,
    MISSHAPEN,
    TEXT_KEYS,
    check_regular,
    corrupt,
    miscounted,
    read_lines,
    wrong_in,
)
from valuesim.log.lines import AGAIN, LOST, SCHEMA
from valuesim.log.options import OptionReader
from valuesim.log.records import DecisionRecord, EpisodeRecord, InterruptedRecord
from valuesim.option import Move, Option
from valuesim.parameters import is_number

__all__ = [
    "DecisionRecord",
    "EpisodeRecord",
    "InterruptedRecord",
    "RunFolder",
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
        """Yield the decisions of finished episodes, in the order of the log.

        Raises LogError for a corrupt line, for one that repeats a decision and, after the last
        line, for an episode that has more or fewer decisions than its own line says (a disk that
        lost some, files put together by hand).
        """
        void = {(record.episode, record.play) for record in self.interrupted}
        path = self.path / "decisions.jsonl"
        texts = self.texts()
        read_option = OptionReader(texts)
        read: defaultdict[str, set[tuple[int, str, int]]] = defaultdict(set)
        for number, line in read_lines(path, DECISION_KEYS):
            if line["episode"] in self.episodes and (line["episode"], line["play"]) not in void:
                episode = self.episodes[line["episode"]]
                record = _decision(line, episode, read_option, texts, path, number)
                decided = (line["play"], record.role, record.step)
                if decided in read[record.episode.id]:
                    wrong = f"repeats what {record.role} decided at step {record.step}"
                    raise corrupt(path, number, f"{wrong} of episode {record.episode.id}")
                read[record.episode.id].add(decided)
                yield record
        for id, episode in self.episodes.items():
            if len(read[id]) != episode.decisions:
                raise LogError(miscounted(path, id, len(read[id]), episode.decisions))

    def texts(self) -> dict[str, str]:
        """Return the texts of rules, options and additions by id."""
        lines = read_lines(self.path / "texts.jsonl", TEXT_KEYS)
        return {line["id"]: line["text"] for _, line in lines}


def read_run(path: Path) -> RunFolder:
    """Return the run folder at `path`; raise LogError if it is not one or a line is corrupt."""
    path = Path(path)
    if not (path / "run.yaml").is_file():
        raise LogError(f"{path} is not a run folder: there is no run.yaml in it")
    episodes = {}
    for number, line in read_lines(path / "episodes.jsonl", EPISODE_KEYS):
        episode = _episode(line, path / "episodes.jsonl", number)
        episodes[episode.id] = episode
    for id in _void(path, episodes):
        del episodes[id]
    return RunFolder(
        path=path,
        config=read_config(path),
        episodes=episodes,
        interrupted=tuple(_interrupted(path / "interrupted.jsonl", episodes)),
    )


def _void(path: Path, finished: Mapping[str, EpisodeRecord]) -> set[str]:
    """Return those of `finished` of which every play that made decisions is listed as interrupted.

    They are to be played again: a chain is, behind an episode that was. Others than listed ones
    are not looked at: of those the disk may have lost the decisions, which is an error.
    """
    void = set()
    again = set()
    for _, line in read_lines(path / "interrupted.jsonl", INTERRUPTED_KEYS):
        void.add((line["episode"], line["play"]))
        if line["reason"] in (AGAIN, LOST):
            again.add(line["episode"])
    again &= {id for id, episode in finished.items() if episode.decisions}
    if again:
        for _, line in read_lines(path / "decisions.jsonl", DECISION_KEYS):
            if (line["episode"], line["play"]) not in void:
                again.discard(line["episode"])
    return again


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


def _episode(line: Any, path: Path, number: int) -> EpisodeRecord:
    try:
        return EpisodeRecord(
            id=line["episode"],
            population=_population(line["population"]),
            chain=Chain(**line["chain"]) if "chain" in line else None,
            carried=_expect(line.get("carried", {}), dict),
            **{name: _expect(line[name], kind) for name, kind in _EPISODE_FIELDS.items()},
        )
    except MISSHAPEN as error:
        raise corrupt(path, number, f"is not an episode: {wrong_in(error)}") from error


def _population(players: Mapping[str, Any]) -> dict[str, Player]:
    population = {role: Player(**player) for role, player in players.items()}
    for player in population.values():
        _expect(player.agent, str)
        _expect(player.parameters, dict)
        for settings in player.interventions.values():
            _expect(settings, dict)
        _expect(player.model, dict | None)
    return population


def _expect(given: object, kind: Any) -> Any:
    """Return `given`; raise ValueError if it is not of `kind`."""
    if not isinstance(given, kind):
        raise ValueError(f"{given!r:.80} is not what it should be")
    return given


_EPISODE_FIELDS: Mapping[str, Any] = {
    **dict.fromkeys(("seed", "steps", "decisions"), int),
    **dict.fromkeys(("condition", "elicitation", "outcome", "measures", "faults", "usage"), dict),
    "env": str,
}


def _decision(
    line: Any,
    episode: EpisodeRecord,
    read_option: OptionReader,
    texts: Mapping[str, str],
    path: Path,
    number: int,
) -> DecisionRecord:
    try:
        seen, answer = line["observation"], line["decision"]
        options = tuple(read_option(option) for option in seen["options"])
        _check(line["agent"], answer, options, episode)
        return DecisionRecord(
            episode=episode,
            step=_expect(line["step"], int),
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
            tries=tuple(_try(tried) for tried in answer.get("tries", ())),
            attempted=_attempted(answer),
            schema_break=answer.get("schema_break", False),
            added=tuple(_addition(each, texts) for each in answer.get("added", ())),
            interventions=_expect(answer.get("interventions", {}), dict),
            labellings=tuple(_labelling(each) for each in answer.get("labellings", ())),
            probabilities=_shares(answer.get("probabilities", {})),
            unaccounted=_expect(answer.get("unaccounted"), float | int | None),
            usage=answer["usage"],
            view=_expect(seen["view"], dict),
            annotations=_expect(seen["annotations"], dict),
            effect=_expect(line["effect"], dict),
            payoff=line["payoff"],
            latency=line["time"]["latency"],
        )
    except MISSHAPEN as error:
        raise corrupt(path, number, f"is not a decision: {wrong_in(error)}") from error


def _check(role: str, answer: Any, options: Iterable[Option], episode: EpisodeRecord) -> None:
    """Raise ValueError for a role that nobody plays, or what is neither a choice nor a fault."""
    if role not in episode.population:
        raise ValueError(f"nobody plays {role!r}")
    if (answer["option"] is None) == (answer["fault"] is None):
        raise ValueError("it holds neither an option nor a fault, or both")
    if answer["option"] is not None and answer["option"] not in {o.name for o in options}:
        raise ValueError(f"{answer['option']!r} was not on offer")


def _addition(given: Any, texts: Mapping[str, str]) -> Addition:
    return Addition(by=given["by"], place=given["place"], text=texts[given["text"]])


def _labelling(given: Any) -> Labelling:
    found = given.get("found")
    return Labelling(
        labels=tuple(_expect(label, str) for label in given["labels"]),
        found=None if found is None else _shares(found),
    )


def _shares(given: Any) -> dict[str, float]:
    """Return probabilities by name; raise ValueError for what is no number from 0."""
    for name, share in _expect(given, dict).items():
        if not is_number(share) or share < 0:
            raise ValueError(f"the probability of {name!r:.80} is {share!r:.80}")
    return dict(given)


def _try(tried: Any) -> Try:
    return Try(
        reply=tried["reply"],
        fault=Fault(tried["fault"]),
        detail=tried["detail"],
        attempted=_attempted(tried),
        schema_break=tried.get("schema_break", False),
    )


def _attempted(attempt: Any) -> Move | None:
    return Move(**attempt["attempted"]) if "attempted" in attempt else None


def _interrupted(path: Path, finished: Mapping[str, object]) -> Iterator[InterruptedRecord]:
    for number, line in read_lines(path, INTERRUPTED_KEYS):
        try:
            yield InterruptedRecord(
                episode=line["episode"],
                play=line["play"],
                reason=line["reason"],
                is_open=line["episode"] not in finished,
                population=_population(line.get("population", {})),
                env=_expect(line.get("env"), str | None),
                condition=_expect(line.get("condition"), dict | None),
                elicitation=_expect(line.get("elicitation", {}), dict),
            )
        except MISSHAPEN as error:
            raise corrupt(path, number, f"is not an interruption: {wrong_in(error)}") from error
