"""What a line of `judgements.jsonl` holds: read again, it may be anybody's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from valuesim.errors import InputError
from valuesim.parameters import is_number
from valuesim.replay.judging.judgement import Phase, Task, on_scale


def check_line(line: Mapping[str, Any]) -> None:
    """Raise one of `files.MISSHAPEN` where a line says no judgement of which figures can be made.

    Who was judged, and how many options were offered, need not be told.
    """
    for name in ("run", "episode", "role", "cluster"):
        _expect(name, line[name], str)
    for name in ("env", "agent", "model"):
        _expect(name, line.get(name), str | None)
    for each in _expect("interventions", line.get("interventions"), list | None) or ():
        _expect("an intervention", each, str)
    _check_count("step", line["step"], 0)
    if line.get("offered") is not None:
        _check_count("offered", line["offered"], 1)
    latency = line["time"]["latency"]
    if not is_number(latency) or latency < 0:
        raise ValueError(f"latency is {latency!r:.80}")
    _check_one_of("task", line["task"], Task)
    _check_one_of("phase", line["phase"], Phase)
    if line["answer"] is not None:
        _check_answer(line["task"], line["phase"], line["answer"])
    if line["phase"] == Phase.AFTER:
        _check_chosen(line["chose"])


def _check_answer(task: str, phase: str, answer: Any) -> None:
    if task == Task.RATE:
        for rating in answer["ratings"].values():
            _check_scale("a rating", rating)
    elif task == Task.GUESS and phase == Phase.AFTER:
        _check_scale("surprise", answer["surprise"])
    else:
        _expect("option", answer["option"], str)


def _check_chosen(chose: Any) -> None:
    option, fault = (_expect(name, chose[name], str | None) for name in ("option", "fault"))
    if (option is None) == (fault is None):
        raise ValueError("chose holds neither an option nor a fault, or both")


def _expect(name: str, given: object, kind: Any) -> Any:
    """Return `given`; raise ValueError, naming it, if it is not of `kind`."""
    if not isinstance(given, kind):
        raise ValueError(f"{name} is {given!r:.80}")
    return given


def _check_one_of(name: str, given: object, allowed: Iterable[str]) -> None:
    if given not in tuple(allowed):
        raise ValueError(f"{name} is {given!r:.80}")


def _check_count(name: str, given: object, least: int) -> None:
    if type(given) is not int or given < least:
        raise ValueError(f"{name} is {given!r:.80}")


def _check_scale(name: str, given: object) -> None:
    try:
        on_scale(name, given)
    except InputError as error:
        raise ValueError(str(error)) from None
