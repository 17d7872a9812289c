"""Games of two players with two moves each, made at the same time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import orjson

from valuesim.envs.games.form import Form, Made, Situation
from valuesim.parameters import number

Table = tuple[tuple[float, float], tuple[float, float]]
RECIPROCITY = 0.3


@dataclass(frozen=True, kw_only=True)
class TwoByTwo(Form):
    """A table: if Alpha makes its i-th move and Beta its j-th, they earn row[i][j], column[i][j].

    Stakes are as `fixed`, if given. Otherwise they follow from the table and the history, and the
    `cooperative` move, if there is one, upholds Cooperation by `cooperation`.
    """

    usual_rounds: ClassVar[int] = 10
    game: str
    moves: tuple[str, str]
    row: Table
    column: Table
    given: Mapping[str, float] = field(default_factory=dict)
    cooperative: str | None = None
    cooperation: float = 0.0
    fixed: Mapping[str, Mapping[str, float]] | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        """Return Alpha's and Beta's role."""
        return ("row", "column")

    @property
    def factors(self) -> dict[str, Any]:
        """Return the payoffs by their names, and the table as JSON text."""
        table = {"moves": self.moves, "row": self.row, "column": self.column}
        return {**self.given, "table": orjson.dumps(table).decode()}

    def catalogue(self, phase: str) -> tuple[str, ...]:
        """Return the two moves."""
        return self.moves

    def is_scale(self, phase: str) -> bool:
        """Return False: the moves have no order."""
        return False

    def payoffs(self, phase: str, made: Made) -> tuple[float, ...]:
        """Return the two payoffs of the cell that was played."""
        i, j = (self.moves.index(str(move)) for move in made["act"])
        return self.row[i][j], self.column[i][j]

    def is_cooperative(self, phase: str, move: str) -> bool:
        """Return whether it is the cooperative move."""
        return move == self.cooperative

    def broken(self, promised: str, move: str) -> float:
        """Return 1 for any move but the one announced."""
        return float(move != promised)

    def seen_from(self, place: int) -> tuple[Table, Table]:
        """Return the own and the partner's payoffs, each by own move, then partner's move."""
        if place == 0:
            return self.row, self.column
        return transposed(self.column), transposed(self.row)

    @property
    def most(self) -> float:
        """The highest payoff of the table, which the loss frame hands out first."""
        return max(x for table in (self.row, self.column) for line in table for x in line)

    def stakes(self, move: str, here: Situation) -> dict[str, float]:
        """Return the stakes; see the package's table."""
        if self.fixed is not None:
            return dict(self.fixed.get(move, {}))
        own, partner = self.seen_from(here.place)
        gain, benefit = (self._advantage(each, move, here) for each in (own, partner))
        stakes = {"Achievement": 0.3 + 0.5 * gain} if gain > 0 else {}
        if move == self.cooperative:
            care = 0.2 + 0.4 * benefit + here.ahead
            stakes |= {"Cooperation": self.cooperation, "Care": care}
        if self.cooperative and self._answers(move, here):
            stakes["Justice"] = RECIPROCITY
        return stakes

    def _advantage(self, table: Table, move: str, here: Situation) -> float:
        """Return what `move` brings beyond the other move, as a share of the table's range.

        The partner's next move is expected as often as it was made in the rounds shown, each of
        the two counted once more.
        """
        made = [others[0] for _, others in here.history if others[0] is not None]
        first = (made.count(self.moves[0]) + 1) / (len(made) + 2)
        i = self.moves.index(move)
        each = (table[i][j] - table[1 - i][j] for j in (0, 1))
        span = self.most - min(x for t in (self.row, self.column) for line in t for x in line)
        return sum(w * d for w, d in zip((first, 1 - first), each, strict=True)) / span

    def _answers(self, move: str, here: Situation) -> bool:
        """Return whether `move` gives back what the partner did last round, good or bad."""
        last = here.history[-1][1][0] if here.history else None
        return last is not None and (last == self.cooperative) == (move == self.cooperative)


def transposed(table: Table) -> Table:
    """Return `table` with its two sides exchanged."""
    (a, b), (c, d) = table
    return (a, c), (b, d)


def prisoners_dilemma(T: float, R: float, P: float, S: float) -> TwoByTwo:
    """Return the prisoner's dilemma; ValueError unless T > R > P > S and 2R > T + S."""
    _numbers(T=T, R=R, P=P, S=S)
    _require("T > R > P > S and 2R > T + S", T > R > P > S and 2 * R > T + S, T=T, R=R, P=P, S=S)
    return _symmetric("prisoners_dilemma", ("cooperate", "defect"), 0.6, T=T, R=R, P=P, S=S)


def stag_hunt(T: float, R: float, P: float, S: float) -> TwoByTwo:
    """Return the stag hunt (R: both hunt the stag, S: alone); ValueError unless R > T >= P > S."""
    _numbers(T=T, R=R, P=P, S=S)
    _require("R > T >= P > S", R > T >= P > S, T=T, R=R, P=P, S=S)
    return _symmetric("stag_hunt", ("stag", "hare"), 0.6, T=T, R=R, P=P, S=S)


def chicken(T: float, R: float, P: float, S: float) -> TwoByTwo:
    """Return chicken (P: both go straight); ValueError unless T > R > S > P."""
    _numbers(T=T, R=R, P=P, S=S)
    _require("T > R > S > P", T > R > S > P, T=T, R=R, P=P, S=S)
    return _symmetric("chicken", ("swerve", "straight"), 0.5, T=T, R=R, P=P, S=S)


def battle_of_the_sexes(own: float, other: float, apart: float) -> TwoByTwo:
    """Return the battle: each prefers `own` place, both prefer meeting; moves are one's own view.

    ValueError unless own > other > apart.
    """
    _numbers(own=own, other=other, apart=apart)
    _require("own > other > apart", own > other > apart, own=own, other=other, apart=apart)
    row = ((apart, own), (other, apart))
    return TwoByTwo(
        game="battle_of_the_sexes",
        moves=("own", "other"),
        row=row,
        column=transposed(row),
        given={"own": own, "other": other, "apart": apart},
        cooperative="other",
        cooperation=0.2,
    )


def matching_pennies(win: float, lose: float) -> TwoByTwo:
    """Return matching pennies (Alpha wins if the moves are equal); ValueError unless win > lose."""
    _numbers(win=win, lose=lose)
    _require("win > lose", win > lose, win=win, lose=lose)
    return TwoByTwo(
        game="matching_pennies",
        moves=("heads", "tails"),
        row=((win, lose), (lose, win)),
        column=((lose, win), (win, lose)),
        given={"win": win, "lose": lose},
    )


def _symmetric(game: str, moves: tuple[str, str], cooperation: float, **given: float) -> TwoByTwo:
    row = ((given["R"], given["S"]), (given["T"], given["P"]))
    return TwoByTwo(
        game=game,
        moves=moves,
        row=row,
        column=transposed(row),
        given=given,
        cooperative=moves[0],
        cooperation=cooperation,
    )


def _numbers(**given: float) -> None:
    for name, payoff in given.items():
        number(name, payoff, -1e6, 1e6)


def _require(rule: str, holds: bool, **given: float) -> None:
    if not holds:
        payoffs = ", ".join(f"{name}={payoff:g}" for name, payoff in given.items())
        raise ValueError(f"{payoffs} is not allowed: {rule} must hold")
