"""What agents did in dilemmas of two: each move, and under which conditions it was made.

A game counts where two players choose at once between two moves, one of them named as cooperative
(tag "cooperation"), and where it is a dilemma: defecting pays more whatever the partner does, and
both earn more if both cooperate (Rapoport and Chammah 1965). In a stag hunt, say, cooperating with
a cooperator is self-interest, and tells no type of player from another.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from valuesim.choices import cluster_of
from valuesim.log.reader import DecisionRecord
from valuesim.option import Option

COOPERATION = "cooperation"


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """One decision of a dilemma; `rates` names the conditional rates that it belongs to.

    `cooperates` is what the agent meant, None for a fault or an abstention. `place` is 1 if the
    cooperative move stood first, else -1; `label` is 1 if its shown name comes first in the
    alphabet, else -1, and 0 where names tell of the moves.
    """

    cluster: str
    rates: tuple[str, ...]
    cooperates: bool | None
    is_fault: bool
    place: int
    label: int
    is_shuffled: bool


def moments(records: Iterable[DecisionRecord]) -> tuple[Moment, ...]:
    """Return the decisions of `records` in dilemmas, player by player, rounds in order."""
    played: dict[tuple[str, str], list[DecisionRecord]] = {}
    for record in records:
        if is_dilemma(record):
            played.setdefault((record.episode.id, record.role), []).append(record)
    found: list[Moment] = []
    for own in played.values():
        found += _moments(sorted(own, key=lambda record: record.step))
    return tuple(found)


def is_game(record: DecisionRecord) -> bool:
    """Return whether it is a move between two, one of them cooperative, in a game of two."""
    condition = record.episode.condition
    return (
        len(record.options) == 2
        and len(_cooperative(record)) == 1
        and record.annotations.get("phase", "act") == "act"
        and condition.get("agents", 2) == 2
        and condition.get("perspective", "act") == "act"
        and not any(_is_amount(canonical(record, option)) for option in record.options)
    )


def is_dilemma(record: DecisionRecord) -> bool:
    """Return whether it is such a move, and the game a dilemma; one without a table is taken so."""
    if not is_game(record):
        return False
    table = record.episode.condition.get("table")
    return table is None or is_dilemma_table(str(table), canonical(record, _cooperative(record)[0]))


@lru_cache(maxsize=256)
def is_dilemma_table(table: str, cooperative: str) -> bool:
    """Return whether T > R > P > S holds for both players of a table (JSON text).

    >>> table = '{"moves": ["c", "d"], "row": [[3, 0], [5, 1]], "column": [[3, 5], [0, 1]]}'
    >>> is_dilemma_table(table, "c"), is_dilemma_table(table, "d")
    (True, False)
    """
    content: Mapping[str, Any] = json.loads(table)
    c = content["moves"].index(cooperative)
    d = 1 - c
    row, column = content["row"], content["column"]
    return bool(
        row[d][c] > row[c][c] > row[d][d] > row[c][d]
        and column[c][d] > column[c][c] > column[d][d] > column[d][c]
    )


def canonical(record: DecisionRecord, option: Option) -> str:
    """Return the move behind an option that is shown under a drawn name."""
    return str((record.annotations.get("labels") or {}).get(option.name, option.name))


def _cooperative(record: DecisionRecord) -> list[Option]:
    return [option for option in record.options if COOPERATION in option.tags]


def _is_amount(move: str) -> bool:
    try:
        float(move)
    except ValueError:
        return False
    return True


def _moments(records: Sequence[DecisionRecord]) -> Iterator[Moment]:
    earlier: DecisionRecord | None = None
    for record in records:
        (option,) = _cooperative(record)
        good = canonical(record, option)
        names = sorted(each.name for each in record.options)
        is_neutral = record.episode.condition.get("wording") == "neutral"
        yield Moment(
            cluster=cluster_of(record),
            rates=tuple(_rates(record, earlier, good)),
            cooperates=_meant(record, option),
            is_fault=record.fault is not None,
            place=1 if record.options[0] is option else -1,
            label=(1 if names[0] == option.name else -1) if is_neutral else 0,
            is_shuffled=record.episode.condition.get("shuffle_options") is not False,
        )
        earlier = record


def _meant(record: DecisionRecord, option: Option) -> bool | None:
    has_abstained = "move" in record.effect and record.effect["move"] is None
    return None if record.chosen is None or has_abstained else record.chosen == option.name


def _rates(record: DecisionRecord, earlier: DecisionRecord | None, good: str) -> Iterator[str]:
    number = record.annotations.get("round", 1)
    is_list = record.episode.condition.get("design") == "within"
    is_known = record.episode.condition.get("delta") is None
    is_last = is_known and number == record.annotations.get("rounds_drawn", number)
    if is_list or (is_last and number == 1):
        yield "one_shot"
        return
    if number == 1:
        yield "first"
    partner = _before(record, good)[1]
    if partner is None:
        return
    if is_last:
        if partner:
            yield "last_trusted"
        return
    yield "after_cooperation" if partner else "after_defection"
    # what the agent did two rounds ago, which the partner's last move answers
    own = None if earlier is None else _before(earlier, good)[0]
    if own is False and earlier is not None and _round(earlier) == _round(record) - 1:
        yield "unpunished" if partner else "punished"


def _round(record: DecisionRecord) -> int:
    return int(record.annotations.get("round", 1))


def _before(record: DecisionRecord, good: str) -> tuple[bool | None, bool | None]:
    """Return whether the agent and its partner cooperated in the round before; None: unknown."""
    before = record.annotations.get("before") or (None, None)
    own, partner = (move == good if isinstance(move, str) else None for move in before)
    return own, partner
