"""The table of episodes: its columns, and an episode as the cells of a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from valuesim.replay.tui.texts import Piece, figure, listed, name, said

COLUMNS = (
    ("run_name", "Run", 20),
    ("env", "Environment", 20),
    ("agents", "Agents", 22),
    ("faults", "Faults", 10),
    ("first", "Puts first", 20),
    ("archetype", "Archetype", 20),
    ("steps", "Steps", 8),
    ("decisions", "Decisions", 11),
    ("condition", "Condition", 44),
    ("models", "Models", 24),
    ("seed", "Seed", 16),
    ("episode", "Episode", 20),
)
"""The columns in their order: the name that is sorted by, the title, how wide it is at most."""
NUMBERS = frozenset({"steps", "decisions", "faults", "seed"})
_FALLING_FIRST = frozenset({"steps", "decisions", "faults"})
_MOST_LEVELS = 4
UP, DOWN = "\u25b2", "\u25bc"


def title(column: str, told: str, sort: str) -> str:
    """Return the title of a column, with which way it is sorted."""
    sign = {column: f" {UP}", f"-{column}": f" {DOWN}"}.get(sort, "")
    return told + sign


def next_sort(column: str, sort: str) -> str:
    """Return the order after one more click on a column: one way, the other, that of the runs.

    >>> next_sort("faults", ""), next_sort("faults", "-faults"), next_sort("faults", "faults")
    ('-faults', 'faults', '')
    """
    ways = [column, f"-{column}"]
    first, second = reversed(ways) if column in _FALLING_FIRST else ways
    return first if sort not in ways else second if sort == first else ""


def sorts() -> list[tuple[str, str]]:
    """Return all orders there are, with their names in words."""
    every = [("", "as in the runs")]
    for column, told, _ in COLUMNS:
        every += [(column, f"{told}, rising"), (f"-{column}", f"{told}, falling")]
    return every


def cells(row: Mapping[str, Any], varying: Sequence[str], *, is_pending: bool) -> list[Piece]:
    """Return the cells of an episode in the order of `COLUMNS`.

    `varying` are the factors whose levels are told. An archetype that is not known reads "…" while
    some are still worked out.
    """
    told = {
        "run_name": (_end(row["run_name"], 20), "strong"),
        "env": (name(row["env"], 20), ""),
        "agents": (_within(listed(row["agents"], 2, 20), 22), ""),
        "faults": _faults(row["faults"]),
        "first": _or_none(row["first"]),
        "archetype": ("\u2026", "muted")
        if row["archetype"] is None and is_pending
        else _or_none(row["archetype"]),
        "steps": (figure(row["steps"]), ""),
        "decisions": (figure(row["decisions"]), ""),
        "condition": (_within(_levels(row["condition"], varying), 44), "muted"),
        "models": (_within(listed(row["models"], 2, 22), 24), ""),
        "seed": (str(row["seed"]), "muted"),
        "episode": (name(row["episode"], 20), "muted"),
    }
    return [told[column] for column, _, _ in COLUMNS]


def _faults(faults: Mapping[str, int]) -> Piece:
    total = sum(faults.values())
    return (figure(total), "fault") if total else ("0", "muted")


def _or_none(told: str | None) -> Piece:
    return ("\u2013", "muted") if told is None else (name(told, 20), "")


def _end(told: str, most: int) -> str:
    """Return the end of a run's name where it is long: its beginning is that of its neighbours."""
    return name(told, most) if len(told) <= most else "\u2026" + name(told[1 - most :], most)


def _within(told: str, most: int) -> str:
    return told if len(told) <= most else told[: most - 1] + "\u2026"


def _levels(condition: Mapping[str, Any], varying: Sequence[str]) -> str:
    factors = [factor for factor in varying if factor in condition]
    told = [f"{name(each, 16)} {name(said(condition[each]), 16)}" for each in factors]
    more = f" +{len(told) - _MOST_LEVELS}" if len(told) > _MOST_LEVELS else ""
    return ", ".join(told[:_MOST_LEVELS]) + more or "\u2013"


def varying(rows: Sequence[Mapping[str, Any]], levels: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the factors worth telling: those that vary among `rows` first, then the others."""
    factors = [factor for factor, each in levels.items() if len(each) > 1]

    def is_here(factor: str) -> bool:
        own = (row["condition"] for row in rows)
        return len({said(each[factor]) for each in own if factor in each}) > 1

    return sorted(factors, key=lambda factor: not is_here(factor))
