"""Tables of dilemmas that others made, row by row; their texts are not shipped.

- AIRiskDilemmas (arXiv 2505.14633): a row an action: `dilemma`, `action` ("Action 1: ..."),
  `values`, and in the full table `risky_behaviors`.
- DailyDilemmas (arXiv 2410.02683): a row an action: `dilemma_situation`, `action_type` ("to_do" or
  "not_to_do", which is the omission), `action`, `values_names`, `topic_group`.
- A table of one's own: a row a dilemma: `dilemma`, `option_1`, `option_2`, `values_1`, `values_2`
  and, if wanted, `topic`. Values are a list, or have commas or semicolons between them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from valuesim.envs.dilemmas.pairing import paired
from valuesim.envs.dilemmas.tables import Row
from valuesim.label_lists import listed

LONGEST_TOPIC = 60
_NUMBERED = re.compile(r"\s*action\s*([0-9]+)\s*[:.)-]\s*", re.IGNORECASE)


class Drop(Protocol):
    """Takes note of what makes no dilemma: its line, why, and the column."""

    def __call__(self, line: int, reason: str, where: str = "") -> None:
        """Take note."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """One option as a table gives it: labels of values and of behaviours are still free text."""

    text: str
    values: Sequence[str]
    behaviours: Sequence[str] = ()
    omission: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One dilemma as a table gives it, on the `line` where it starts."""

    line: int
    text: str
    topic: str
    actions: tuple[Action, Action]


def _ai_risk(rows: Sequence[Row], drop: Drop) -> Iterator[Asked]:
    for one, other in paired(rows, "dilemma", drop):
        numbers = [_NUMBERED.match(row.text("action")) for row in (one, other)]
        if all(numbers) and numbers[0].group(1) == numbers[1].group(1):  # type: ignore[union-attr]
            drop(one.line, f"both rows are action {numbers[0].group(1)}")  # type: ignore[union-attr]
            continue
        actions = [_litmus_action(row, drop) for row in (one, other)]
        if actions[0] is not None and actions[1] is not None:
            yield Asked(
                line=one.line,
                text=one.text("dilemma"),
                topic=one.text("context") if len(one.text("context")) <= LONGEST_TOPIC else "",
                actions=(actions[0], actions[1]),
            )


def _litmus_action(row: Row, drop: Drop) -> Action | None:
    values = _list(row, "values", drop)
    behaviours = _list(row, "risky_behaviors", drop) if row.text("risky_behaviors") else []
    if values is None or behaviours is None:
        return None
    text = _NUMBERED.sub("", row.text("action"), count=1)
    return Action(text=text, values=values, behaviours=behaviours)


def _daily(rows: Sequence[Row], drop: Drop) -> Iterator[Asked]:
    for pair in paired(rows, "dilemma_situation", drop):
        if {row.text("action_type") for row in pair} != {"to_do", "not_to_do"}:
            drop(pair[0].line, "the two rows are not one to_do and one not_to_do")
            continue
        actions = [
            Action(
                text=row.text("action"),
                values=values,
                omission=row.text("action_type") == "not_to_do",
            )
            for row in pair
            if (values := _list(row, "values_names", drop)) is not None
        ]
        if len(actions) == 2:
            yield Asked(
                line=pair[0].line,
                text=pair[0].text("dilemma_situation"),
                topic=pair[0].text("topic_group"),
                actions=(actions[0], actions[1]),
            )


def _table(rows: Sequence[Row], drop: Drop) -> Iterator[Asked]:
    for row in rows:
        values = [_list(row, f"values_{number}", drop) for number in (1, 2)]
        if values[0] is not None and values[1] is not None:
            yield Asked(
                line=row.line,
                text=row.text("dilemma"),
                topic=row.text("topic"),
                actions=(
                    Action(text=row.text("option_1"), values=values[0]),
                    Action(text=row.text("option_2"), values=values[1]),
                ),
            )


def _list(row: Row, column: str, drop: Drop) -> list[str] | None:
    try:
        return listed(row.cells.get(column))
    except ValueError as error:
        drop(row.line, str(error), column)
        return None


Reader = Callable[[Sequence[Row], Drop], Iterator[Asked]]
FORMATS: Mapping[str, tuple[tuple[str, ...], Reader]] = {
    "airiskdilemmas": (("dilemma", "action", "values"), _ai_risk),
    "dailydilemmas": (
        ("dilemma_situation", "action_type", "action", "values_names"),
        _daily,
    ),
    "dilemmas": (("dilemma", "option_1", "option_2", "values_1", "values_2"), _table),
}
"""Formats by name: the columns that a table must have, and what reads its rows."""
