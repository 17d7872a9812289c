"""Reads one line of a log file as a record; what cannot be one is an error with file and line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from valuesim.decision import Addition, Fault, Labelling, Try
from valuesim.log.files import INTERRUPTED_KEYS, MISSHAPEN, corrupt, read_lines, wrong_in
from valuesim.log.options import OptionReader
from valuesim.log.records import DecisionRecord, EpisodeRecord, InterruptedRecord
from valuesim.option import Move, Option
from valuesim.parameters import is_number
from valuesim.spec import Chain, Fork, Player

MOST_FORKS = 100
"""So many episodes may leave one another in a row."""


def episode_of(line: Any, path: Path, number: int) -> EpisodeRecord:
    """Return the episode of a line of `path`; raise LogError if it is none."""
    try:
        return EpisodeRecord(
            id=line["episode"],
            population=_population(line["population"]),
            chain=Chain(**_counts(line["chain"])) if "chain" in line else None,
            carried=_expect(line.get("carried", {}), dict),
            place=None if line.get("place") is None else _count(line["place"]),
            seed=_count(line["seed"]),
            steps=_count(line["steps"]),
            decisions=_count(line["decisions"]),
            faults=_counts(line["faults"]),
            usage=_counts(line["usage"]),
            parameters=_expect(line.get("parameters"), dict | None),
            fork=_fork(line["fork"]) if "fork" in line else None,
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


def _fork(given: Any, depth: int = 1) -> Fork:
    if depth > MOST_FORKS:
        raise ValueError(f"it leaves more than {MOST_FORKS} episodes, one after another")
    before = given.get("before")
    return Fork(
        parent=_expect(given["parent"], str),
        step=_expect(given["step"], int),
        replaced=_population(given["replaced"]),
        moves={role: _move(move) for role, move in given["moves"].items()},
        messages={role: _expect(text, str) for role, text in given["messages"].items()},
        seed=_expect(given["seed"], int | None),
        world={name: _expect(x, int | float) for name, x in given["world"].items()},
        before=None if before is None else _fork(before, depth + 1),
    )


def _move(given: Any) -> Move:
    return Move(option=_expect(given["option"], str), arguments=_expect(given["arguments"], dict))


def _expect(given: object, kind: Any) -> Any:
    """Return `given`; raise ValueError if it is not of `kind`."""
    if not isinstance(given, kind):
        raise ValueError(f"{given!r:.80} is not what it should be")
    return given


_EPISODE_FIELDS: Mapping[str, Any] = {
    **dict.fromkeys(("condition", "elicitation", "outcome", "measures"), dict),
    "env": str,
}
_LARGEST = 2**63 - 1
"""The largest count of a log, and of a table."""


def _count(given: object) -> int:
    """Return `given`; raise ValueError if it is no whole number from 0 that a table can hold."""
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= _LARGEST:
        raise ValueError(f"{given!r:.80} is no count")
    return given


def _counts(given: object) -> dict[str, int]:
    """Return counts by name; raise ValueError if `given` is anything else."""
    return {name: _count(each) for name, each in _expect(given, dict).items()}


def _number(given: object) -> Any:
    """Return `given`; raise ValueError if it is no finite number."""
    if not is_number(given):
        raise ValueError(f"{given!r:.80} is no number")
    return given


def decision_of(
    line: Any,
    episode: EpisodeRecord,
    read_option: OptionReader,
    texts: Mapping[str, str],
    path: Path,
    number: int,
) -> DecisionRecord:
    """Return the decision of a line of `path`; raise LogError if it is none.

    `episode` is its own, `texts` those of the log by id.
    """
    try:
        seen, answer = line["observation"], line["decision"]
        options = tuple(read_option(option) for option in seen["options"])
        _check(line["agent"], answer, options, episode)
        return DecisionRecord(
            episode=episode,
            step=_count(line["step"]),
            role=line["agent"],
            options=options,
            chosen=answer["option"],
            arguments=_expect(answer["arguments"], dict),
            fault=Fault(answer["fault"]) if answer["fault"] else None,
            fault_detail=_expect(answer["fault_detail"], str | None),
            text=_expect(seen["text"], str),
            rules_id=_expect(seen["rules"], str),
            message=_expect(answer["message"], str | None),
            rationale=_expect(answer["rationale"], str | None),
            reply=_expect(answer["reply"], str),
            attempts=_count(answer["attempts"]),
            tries=tuple(_try(tried) for tried in answer.get("tries", ())),
            attempted=_attempted(answer),
            schema_break=answer.get("schema_break", False),
            added=tuple(_addition(each, texts) for each in answer.get("added", ())),
            interventions=_expect(answer.get("interventions", {}), dict),
            labellings=tuple(_labelling(each) for each in answer.get("labellings", ())),
            probabilities=_shares(answer.get("probabilities", {})),
            unaccounted=_expect(answer.get("unaccounted"), float | int | None),
            usage=_counts(answer["usage"]),
            view=_expect(seen["view"], dict),
            annotations=_expect(seen["annotations"], dict),
            effect=_expect(line["effect"], dict),
            payoff=_number(line["payoff"]),
            latency=_number(line["time"]["latency"]),
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


def interruptions_in(path: Path, finished: Mapping[str, object]) -> Iterator[InterruptedRecord]:
    """Yield the plays that `path` lists as interrupted; raise LogError for a line that is none.

    `finished` holds the ids of episodes that were finished all the same.
    """
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
