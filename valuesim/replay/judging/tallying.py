"""What the judgements of a session come to, by task: a pure function of their lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from statistics import mean
from typing import Any

from valuesim.measures.interval import rate_by_cluster
from valuesim.replay.judging.judgement import Phase, Task

Line = Mapping[str, Any]
Pair = tuple[Line, Line]
"""What was judged of a moment before what was chosen was seen, and after."""


def tallied(lines: Iterable[Line]) -> dict[str, dict[str, Any]]:
    """Return by task how moments that were judged before and after agree with what was chosen.

    `n` counts them. Apart from all shares stand `faulty`, moments in which nothing was chosen, and
    `declined`, those of which the person said nothing before or after; of guesses before alone, as
    a guess is right or wrong however surprised somebody is. A share has a 95 % interval
    that respects the episodes or scenes (`interval.rate_by_cluster`); none with only one of them.
    """
    pairs = _pairs(lines)
    found = {task: [pair for pair in pairs if pair[0]["task"] == task] for task in Task}
    return {task: _tally(task, own) for task, own in found.items() if own}


def _pairs(lines: Iterable[Line]) -> list[Pair]:
    before: dict[tuple[Any, ...], Line] = {}
    pairs = []
    for line in lines:
        key = tuple(line[name] for name in ("run", "episode", "step", "role"))
        if line["phase"] == Phase.BEFORE:
            before[key] = line
        elif key in before:
            pairs.append((before[key], line))
    return pairs


def _tally(task: Task, pairs: Sequence[Pair]) -> dict[str, Any]:
    chosen = [pair for pair in pairs if pair[1]["chose"]["fault"] is None]
    whole = [pair for pair in chosen if _is_told(task, *pair)]
    told = {
        "n": len(pairs),
        "faulty": len(pairs) - len(chosen),
        "declined": len(chosen) - len(whole),
        "seconds": round(mean(before["time"]["latency"] for before, _ in pairs), 3),
    }
    return told | _TALLIES[task](whole)


def _is_told(task: Task, before: Line, after: Line) -> bool:
    if before["answer"] is None:
        return False
    return task is Task.GUESS or after["answer"] is not None


def _decided(pairs: Sequence[Pair]) -> dict[str, Any]:
    return {
        "agreed_before": _share(pairs, [_is_taken(b, a) for b, a in pairs]),
        "agreed_after": _share(pairs, [_is_taken(a, a) for _, a in pairs]),
        "changed": _share(pairs, [_option(b) != _option(a) for b, a in pairs]),
    }


def _guessed(pairs: Sequence[Pair]) -> dict[str, Any]:
    surprises = [after["answer"]["surprise"] for _, after in pairs if after["answer"]]
    return {
        "right": _share(pairs, [_is_taken(b, a) for b, a in pairs]),
        "surprise": mean(surprises) if surprises else None,
    }


def _rated(pairs: Sequence[Pair]) -> dict[str, Any]:
    before = [_of_chosen(b, a) for b, a in pairs]
    after = [_of_chosen(a, a) for _, a in pairs]
    return {
        "agreed_before": _share(pairs, [_is_best(b, a) for b, a in pairs]),
        "agreed_after": _share(pairs, [_is_best(a, a) for _, a in pairs]),
        "changed": _share(pairs, [b["answer"] != a["answer"] for b, a in pairs]),
        "rating_before": mean(before) if before else None,
        "rating_after": mean(after) if after else None,
    }


_TALLIES: Mapping[Task, Callable[[Sequence[Pair]], dict[str, Any]]] = {
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


def _share(pairs: Sequence[Pair], holds: Iterable[bool]) -> dict[str, Any]:
    clusters = [str(before["cluster"]) for before, _ in pairs]
    return asdict(rate_by_cluster(zip(clusters, map(float, holds), strict=True)))
