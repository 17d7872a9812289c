"""Equilibria of games in which two players move at once, and what play is worth against them.

A mix is a vector of probabilities of the moves, in the game's order. Payoffs are in the game's
units at stake 1; a logit rate (lambda) is per unit of payoff.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_EQUAL = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Game:
    """Payoffs of both players: `row[i, j]` is Alpha's and `column[i, j]` Beta's if Alpha plays i.

    Both choose among `moves`. What follows from the payoffs is computed once (so: no slots).
    """

    moves: tuple[str, ...]
    row: FloatArray
    column: FloatArray

    @cached_property
    def is_symmetric(self) -> bool:
        """Whether both players face the same payoffs."""
        return bool(np.allclose(self.column, self.row.T))

    @cached_property
    def span(self) -> float:
        """The highest payoff of either player less the lowest."""
        both = np.stack([self.row, self.column])
        return float(both.max() - both.min())

    def seen_by(self, role: str) -> Game:
        """Return the game with `role` as its row player; any role but Beta plays the rows."""
        return self._swapped if role == "Beta" else self

    @cached_property
    def _swapped(self) -> Game:
        return Game(moves=self.moves, row=self.column.T, column=self.row.T)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Equilibrium:
    """A pair of mixes, each a best reply to the other."""

    row: FloatArray
    column: FloatArray

    @property
    def is_pure(self) -> bool:
        """Whether both play one move for certain."""
        return bool(self.row.max() > 1 - _EQUAL and self.column.max() > 1 - _EQUAL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """The column player's best reply to a mix of rows: what it is and what each then earns."""

    move: str
    payoff: float
    partner: float


@lru_cache(maxsize=256)
def game_of(table: str) -> Game:
    """Return the game that a condition's `table` (JSON) describes."""
    content: Mapping[str, Any] = json.loads(table)
    return Game(
        moves=tuple(content["moves"]),
        row=np.array(content["row"], dtype=float),
        column=np.array(content["column"], dtype=float),
    )


@lru_cache(maxsize=256)
def travelers_dilemma(low: float, high: float, penalty: float, step: float = 1) -> Game:
    """Return the traveler's dilemma on claims low, low + step, ..., high (Basu 1994).

    The lower claimant gets its claim plus `penalty`, the higher the lower claim less `penalty`.
    """
    claims = np.arange(low, high + step / 2, step)
    own, other = claims[:, None], claims[None, :]
    payoffs = np.minimum(own, other) + penalty * np.sign(other - own)
    return Game(moves=tuple(f"{c:g}" for c in claims), row=payoffs, column=payoffs.T)


def pure_equilibria(game: Game) -> tuple[Equilibrium, ...]:
    """Return all equilibria in pure moves, in the order of the moves."""
    best_row = game.row >= game.row.max(axis=0, keepdims=True) - _EQUAL
    best_column = game.column >= game.column.max(axis=1, keepdims=True) - _EQUAL
    unit = np.eye(len(game.moves))
    return tuple(
        Equilibrium(row=unit[i], column=unit[j]) for i, j in np.argwhere(best_row & best_column)
    )


def equilibria(game: Game) -> tuple[Equilibrium, ...]:
    """Return all equilibria of a game with two moves, pure ones first.

    Each player's mix is pure or makes the other indifferent. Where a game is degenerate (a payoff
    tie) there may be a continuum: then its extreme points are returned. Raises ValueError for more
    than two moves.
    """
    if len(game.moves) != 2:
        raise ValueError(f"all equilibria are found for 2 moves only, not {len(game.moves)}")
    rows = [0.0, 1.0, *_indifferent(game.column.T)]
    columns = [0.0, 1.0, *_indifferent(game.row)]
    pairs = [
        Equilibrium(row=np.array([p, 1 - p]), column=np.array([q, 1 - q]))
        for p, q in product(sorted(rows, reverse=True), sorted(columns, reverse=True))
    ]
    found = [pair for pair in pairs if is_equilibrium(game, pair)]
    return tuple(sorted(found, key=lambda pair: not pair.is_pure))


def is_equilibrium(game: Game, pair: Equilibrium, tolerance: float = 1e-7) -> bool:
    """Return whether neither player of `pair` gains more than `tolerance` by any other move."""
    of_row, of_column = game.row @ pair.column, pair.row @ game.column
    slack = tolerance * max(1.0, game.span)
    return bool(
        of_row.max() - pair.row @ of_row <= slack
        and of_column.max() - of_column @ pair.column <= slack
    )


def best_reply(game: Game, mix: FloatArray) -> Reply:
    """Return the column player's best reply to the row mix; the first where several are best.

    `payoff` is what the replying partner earns, `partner` what the observed row player then earns:
    its payoff against a partner that exploits it.
    """
    (move,), (payoff,), (partner,) = best_replies(game, mix[None, :])
    return Reply(move=game.moves[move], payoff=float(payoff), partner=float(partner))


def best_replies(game: Game, mixes: FloatArray) -> tuple[NDArray[np.intp], FloatArray, FloatArray]:
    """Return, for each row of `mixes`, the place of the best reply and both payoffs, as above."""
    worth = mixes @ game.column
    best = (worth >= worth.max(axis=1, keepdims=True) - _EQUAL).argmax(axis=1)
    each = np.arange(len(mixes))
    return best, worth[each, best], (mixes @ game.row)[each, best]


def welfare(game: Game, row: str, column: str) -> float | None:
    """Return the joint payoff of a pair of moves as a share of the highest possible.

    Negative joint payoffs count as they are; None where the highest is not positive (a zero-sum
    game has no welfare to share).
    """
    joint = game.row + game.column
    if joint.max() <= _EQUAL:
        return None
    return float(joint[game.moves.index(row), game.moves.index(column)] / joint.max())


def _indifferent(payoffs: FloatArray) -> list[float]:
    """Return the probability of the other's first move that makes both own moves worth the same.

    `payoffs[i, j]` is what move i earns against the other's j; only inner probabilities.
    """
    gain = payoffs[0] - payoffs[1]
    if abs(gain[0] - gain[1]) < _EQUAL:
        return []
    probability = float(gain[1] / (gain[1] - gain[0]))
    return [probability] if _EQUAL < probability < 1 - _EQUAL else []
