"""The measures of one episode: what was decided, changed and flipped; counts only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

_VOTES = frozenset({"decide", "after"})


def tally(turns: Sequence[Any]) -> dict[str, Any]:
    """Return the counts of an episode's turns (`episode.Turn`s).

    `stay`, `swerve` and `none` (faults) count the decisions that decide what the car does, a
    panel's second ones. `changed` of `revised` are second decisions of a panel that differ from the
    first, of those where both were made. `flipped` of `repeated` are scenes that an agent decided
    otherwise when the presentation was mirrored, of those it decided both times. `verdicts` count
    what a panel decided, None for none.
    """
    votes = [vote for turn in turns for vote in _votes(turn)]
    moves = [vote["move"] for vote in votes]
    revised = [v for v in votes if v.get("before") is not None and v["move"] is not None]
    repeated = _repeated(votes)
    return {
        "stay": moves.count("stay"),
        "swerve": moves.count("swerve"),
        "none": moves.count(None),
        "revised": len(revised),
        "changed": sum(vote["move"] != vote["before"] for vote in revised),
        "repeated": len(repeated),
        "flipped": sum(first != second for first, second in repeated),
        "verdicts": _verdicts(turns),
    }


def _votes(turn: Any) -> Iterator[dict[str, Any]]:
    for agent, observation in turn.observations.items():
        seen = observation.annotations
        if seen["phase"] in _VOTES:
            yield {"agent": agent, "number": seen["number"], **turn.effects[agent]}


def _repeated(votes: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    answers: dict[tuple[str, int], list[str | None]] = {}
    for vote in votes:
        answers.setdefault((vote["agent"], vote["number"]), []).append(vote["move"])
    return [(a, b) for a, b in (p for p in answers.values() if len(p) == 2) if a and b]


def _verdicts(turns: Sequence[Any]) -> dict[str, int] | None:
    decided = [e["verdict"] for t in turns for e in list(t.effects.values())[:1] if "verdict" in e]
    if not decided:
        return None
    return {str(verdict).lower(): decided.count(verdict) for verdict in ("stay", "swerve", None)}
