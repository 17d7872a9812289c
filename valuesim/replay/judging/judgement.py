"""One judgement of a moment: what it may say, read from what a page sends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from valuesim.errors import InputError, unknown
from valuesim.log.records import DecisionRecord
from valuesim.option import Move, Text, quoted
from valuesim.secrets import redact

LOWEST, HIGHEST = 1, 7
"""The ends of every scale: of ratings (wrong, right), surprise and confidence."""
_KEYS = frozenset(
    {"session", "run", "episode", "step", "role", "task", "phase", "answer", "confidence"}
)
_LARGEST_STEP = 10**9


class Task(StrEnum):
    """What a person is asked of a moment."""

    DECIDE = "decide"
    """What would you do?"""
    GUESS = "guess"
    """What did it do?"""
    RATE = "rate"
    """How right is each option?"""


class Phase(StrEnum):
    """Whether a judgement was made before what was chosen was seen, or after."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What a person says of one moment; the answer has not been held against it yet.

    `answer` is None where the person declines; `confidence` is from 1 to 7, None where not told.
    """

    run: str
    episode: str
    step: int
    role: str
    task: Task
    phase: Phase
    answer: Mapping[str, Any] | None
    confidence: int | None = None


def judgement_of(given: object) -> Judgement:
    """Return the judgement that JSON says; raise InputError where it says none."""
    if not isinstance(given, Mapping):
        raise InputError("a judgement is a JSON object")
    for name in given:
        if name not in _KEYS:
            raise InputError(unknown("key of a judgement", str(name)[:60], sorted(_KEYS)))
    answer = given.get("answer")
    if not isinstance(answer, Mapping | None):
        raise InputError(f"answer is {quoted(answer)}: an object, or null to decline")
    confidence = given.get("confidence")
    return Judgement(
        run=_text(given, "run"),
        episode=_text(given, "episode"),
        step=_step(given.get("step")),
        role=_text(given, "role"),
        task=Task(_one_of(given, "task", tuple(Task))),
        phase=Phase(_one_of(given, "phase", tuple(Phase))),
        answer=answer,
        confidence=None if confidence is None else on_scale("confidence", confidence),
    )


def answer_to(
    record: DecisionRecord, judgement: Judgement, secrets: Sequence[str] = ()
) -> dict[str, Any] | None:
    """Return the answer of a judgement of `record`, as it is kept; None where it is declined.

    `secrets` are blotted out of texts that were typed. Raises InputError for an answer that the
    task does not allow, such as an option that was not on offer.
    """
    if judgement.answer is None:
        return None
    answer = _answers(judgement)(record, judgement.answer)
    if judgement.task is Task.DECIDE:
        answer["arguments"] = _blotted(record, answer, secrets)
    return answer


Read = Callable[[DecisionRecord, Mapping[str, Any]], dict[str, Any]]


def _answers(judgement: Judgement) -> Read:
    if judgement.task is Task.RATE:
        return _ratings
    if judgement.task is Task.DECIDE:
        return _move
    return _guess if judgement.phase is Phase.BEFORE else _surprise


def _move(record: DecisionRecord, answer: Mapping[str, Any]) -> dict[str, Any]:
    _check_keys(answer, "option", "arguments")
    name = _offered(record, answer.get("option"))
    arguments = answer.get("arguments") or {}
    if not isinstance(arguments, Mapping):
        raise InputError(f"arguments are {quoted(arguments)}: an object, a value for each name")
    option = next(each for each in record.options if each.name == name)
    if wrong := option.fault(arguments):
        raise InputError(f"{wrong}")
    move = Move(option=name, arguments=option.complete(arguments))
    return {"option": move.option, "arguments": dict(move.arguments)}


def _blotted(
    record: DecisionRecord, answer: Mapping[str, Any], secrets: Sequence[str]
) -> dict[str, Any]:
    kinds = next(each for each in record.options if each.name == answer["option"]).arguments
    return {
        name: redact(given, secrets) if isinstance(kinds[name], Text) else given
        for name, given in answer["arguments"].items()
    }


def _guess(record: DecisionRecord, answer: Mapping[str, Any]) -> dict[str, Any]:
    _check_keys(answer, "option")
    return {"option": _offered(record, answer.get("option"))}


def _surprise(_: DecisionRecord, answer: Mapping[str, Any]) -> dict[str, Any]:
    _check_keys(answer, "surprise")
    return {"surprise": on_scale("surprise", answer.get("surprise"))}


def _ratings(record: DecisionRecord, answer: Mapping[str, Any]) -> dict[str, Any]:
    _check_keys(answer, "ratings")
    given = answer.get("ratings")
    names = [option.name for option in record.options]
    if not isinstance(given, Mapping) or set(given) != set(names):
        told = ", ".join(quoted(name) for name in names)
        raise InputError(f"ratings are {quoted(given)}: a number for each of {told}")
    return {"ratings": {name: on_scale("a rating", given[name]) for name in names}}


def on_scale(what: str, given: object) -> int:
    """Return a whole number from 1 to 7; raise InputError, which names `what`, for all else."""
    if type(given) is not int or not LOWEST <= given <= HIGHEST:
        raise InputError(
            f"{what} is {quoted(given)}: a whole number from {LOWEST} to {HIGHEST} is wanted"
        )
    return given


def _check_keys(answer: Mapping[str, Any], *allowed: str) -> None:
    for name in answer:
        if name not in allowed:
            raise InputError(unknown("key of the answer", str(name)[:60], allowed))


def _offered(record: DecisionRecord, given: object) -> str:
    names = [option.name for option in record.options]
    if not isinstance(given, str) or given not in names:
        offered = ", ".join(quoted(name) for name in names)
        raise InputError(f"{quoted(given)} was not on offer; offered: {offered}")
    return given


def _text(given: Mapping[str, Any], name: str) -> str:
    found = given.get(name)
    if not isinstance(found, str):
        raise InputError(f"{name} is {quoted(found)}: text")
    return found


def _step(given: object) -> int:
    if type(given) is not int or not 0 <= given < _LARGEST_STEP:
        raise InputError(f"step is {quoted(given)}: a whole number from 0")
    return given


def _one_of(given: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    found = given.get(name)
    if found not in allowed:
        raise InputError(f"{name} is {quoted(found)}: one of {', '.join(allowed)}")
    return str(found)
