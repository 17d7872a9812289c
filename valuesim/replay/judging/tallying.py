"""What judgements come to, by task: of one session, and of all people together; pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import mean
from typing import Any

from valuesim.measures.interval import rate_by_cluster
from valuesim.measures.two_way import crossed_rate
from valuesim.replay.judging.judgement import Phase, Task

Line = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a person judged of a moment before what was chosen was seen, and after."""

    person: str
    before: Line
    after: Line


def tallied(lines: Iterable[Line]) -> dict[str, dict[str, Any]]:
    """Return by task how moments that were judged before and after agree with what was chosen.

    `lines` are those of one session. `n` counts moments. Apart from all shares stand `faulty`,
    moments in which nothing was chosen, and `declined`, those of which the person said nothing
    before or after; of guesses before alone, as a guess is right or wrong however surprised
    somebody is. A share has a 95 % interval that respects the episodes or scenes
    (`interval.rate_by_cluster`); none with only one of them. Beside shares that agree stands
    `by_lot`, the agreement that is expected of who draws one of the offered options each time;
    None where the log does not say how many were offered.
    """
    return _by_task(judged_in(lines, ""), _within_person)


def pooled(judged: Sequence[Judged]) -> dict[str, dict[str, Any]]:
    """Return the same of what several people judged, with intervals over people and scenes.

    The intervals are those of `two_way.crossed_rate`: none with only one person, or one scene.
    """
    return _by_task(judged, _over_people)


def judged_in(lines: Iterable[Line], person: str) -> list[Judged]:
    """Return the moments of one session that were judged both before and after, each once."""
    before: dict[tuple[Any, ...], Line] = {}
    found = []
    for line in lines:
        key = tuple(line[name] for name in ("run", "episode", "step", "role"))
        if line["phase"] == Phase.BEFORE:
            before[key] = line
        elif key in before:
            found.append(Judged(person, before.pop(key), line))
    return found


Share = Callable[[Sequence[Judged], Sequence[bool]], dict[str, Any]]


def _by_task(judged: Sequence[Judged], share: Share) -> dict[str, dict[str, Any]]:
    found = {task: [each for each in judged if each.before["task"] == task] for task in Task}
    return {task: _tally(task, own, share) for task, own in found.items() if own}


def _tally(task: Task, judged: Sequence[Judged], share: Share) -> dict[str, Any]:
    chosen = [each for each in judged if each.after["chose"]["fault"] is None]
    whole = [each for each in chosen if _is_told(task, each)]
    told = {
        "n": len(judged),
        "faulty": len(judged) - len(chosen),
        "declined": len(chosen) - len(whole),
        "seconds": round(mean(each.before["time"]["latency"] for each in judged), 3),
    }
    return told | _TALLIES[task](whole, share)


def _is_told(task: Task, judged: Judged) -> bool:
    if judged.before["answer"] is None:
        return False
    return task is Task.GUESS or judged.after["answer"] is not None


def _decided(judged: Sequence[Judged], share: Share) -> dict[str, Any]:
    return {
        "agreed_before": share(judged, [_is_taken(j.before, j.after) for j in judged]),
        "agreed_after": share(judged, [_is_taken(j.after, j.after) for j in judged]),
        "changed": share(judged, [_option(j.before) != _option(j.after) for j in judged]),
        "by_lot": _by_lot(judged),
    }


def _guessed(judged: Sequence[Judged], share: Share) -> dict[str, Any]:
    surprises = [j.after["answer"]["surprise"] for j in judged if j.after["answer"]]
    return {
        "right": share(judged, [_is_taken(j.before, j.after) for j in judged]),
        "by_lot": _by_lot(judged),
        "surprise": mean(surprises) if surprises else None,
    }


def _rated(judged: Sequence[Judged], share: Share) -> dict[str, Any]:
    before = [_of_chosen(j.before, j.after) for j in judged]
    after = [_of_chosen(j.after, j.after) for j in judged]
    return {
        "agreed_before": share(judged, [_is_best(j.before, j.after) for j in judged]),
        "agreed_after": share(judged, [_is_best(j.after, j.after) for j in judged]),
        "changed": share(judged, [j.before["answer"] != j.after["answer"] for j in judged]),
        "rating_before": mean(before) if before else None,
        "rating_after": mean(after) if after else None,
    }


_TALLIES: Mapping[Task, Callable[[Sequence[Judged], Share], dict[str, Any]]] = {
    Task.DECIDE: _decided,
    Task.GUESS: _guessed,
    Task.RATE: _rated,
}


def _option(line: Line) -> str:
    return str(line["answer"]["option"])


def _is_taken(line: Line, after: Line) -> bool:
    """Return whether a person named the option that was chosen."""
    return bool(_option(line) == after["chose"]["option"])


def _of_chosen(line: Line, after: Line) -> int:
    return int(line["answer"]["ratings"][after["chose"]["option"]])


def _is_best(line: Line, after: Line) -> bool:
    """Return whether the option that was chosen has the highest rating, and has it alone."""
    chosen = after["chose"]["option"]
    others = [rating for name, rating in line["answer"]["ratings"].items() if name != chosen]
    return all(rating < _of_chosen(line, after) for rating in others)


def _within_person(judged: Sequence[Judged], holds: Sequence[bool]) -> dict[str, Any]:
    return asdict(rate_by_cluster(zip(_scenes(judged), map(float, holds), strict=True)))


def _over_people(judged: Sequence[Judged], holds: Sequence[bool]) -> dict[str, Any]:
    return asdict(crossed_rate(holds, [each.person for each in judged], _scenes(judged)))


def _scenes(judged: Sequence[Judged]) -> list[str]:
    return [str(each.before["cluster"]) for each in judged]


def _by_lot(judged: Sequence[Judged]) -> float | None:
    if not judged or any(each.before.get("offered") is None for each in judged):
        return None
    return mean(1 / int(each.before["offered"]) for each in judged)
