"""Players that weigh payoffs instead of following the past: quantal response and level k."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from valuesim.agents.scripted.games import TWO_MOVES, Player
from valuesim.errors import InputError
from valuesim.measures.strategic.equilibrium import FloatArray, Game, travelers_dilemma
from valuesim.measures.strategic.quantal import quantal_response

_PLAYED = TWO_MOVES | {"matching_pennies-v0", "travelers_dilemma-v0"}
MOST_RATE = 1000.0
MOST_LEVELS = 100


class Logit(Player):
    """Plays the logit (quantal response) equilibrium of the one-shot game at a given rate.

    `variant` is the rate (lambda) per unit of payoff, stake included: at 0 any move is as likely as
    any other.
    """

    environments: ClassVar[frozenset[str] | None] = _PLAYED
    variants: ClassVar[str] = "the rate, 0 to 1000, per unit of payoff"

    def __init__(self, *, role: str, seed: int, variant: str = "0.1") -> None:
        """Raise ValueError unless `variant` is a number from 0 to 1000."""
        super().__init__(role=role, seed=seed)
        self.rate = _rate(variant)

    def act(self, view: Mapping[str, Any]) -> str:
        """Return a move drawn from the equilibrium; InputError if none follows from rate 0."""
        game = game_of(view)
        mix = _mix(game.moves, game.row.tobytes(), game.column.tobytes(), self.rate)
        if mix is None:
            raise InputError(
                f"logit:{self.rate:g} in {view['game']}: no one equilibrium at this rate"
            )
        return game.moves[int(self.rng.choice(len(mix), p=np.array(mix) / sum(mix)))]


class LevelK(Player):
    """Replies best to a player of the level below; level 0 takes any move, all alike."""

    environments: ClassVar[frozenset[str] | None] = _PLAYED
    variants: ClassVar[str] = "the level, a whole number from 0 to 100"

    def __init__(self, *, role: str, seed: int, variant: str = "1") -> None:
        """Raise ValueError unless `variant` is a whole number from 0 to 100."""
        super().__init__(role=role, seed=seed)
        if not variant.isdecimal() or int(variant) > MOST_LEVELS:
            raise ValueError(f"{variant!r} is no level: a whole number from 0 to {MOST_LEVELS}")
        self.level = int(variant)

    def act(self, view: Mapping[str, Any]) -> str:
        """Return the best reply, the first of several, or any move at level 0."""
        game = game_of(view)
        return game.moves[int(self.rng.choice(len(game.moves), p=level_mix(game, self.level)))]


def game_of(view: Mapping[str, Any]) -> Game:
    """Return the game as its row player, the one who has `view`, faces it, stake included."""
    payoffs = view["payoffs"]
    if payoffs is not None:
        row, column = (np.array(payoffs[side], dtype=float) for side in ("own", "partner"))
        return Game(moves=tuple(payoffs["moves"]), row=row, column=column)
    given = view["parameters"]
    game = travelers_dilemma(given["low"], given["high"], view["penalty"], given["step"])
    return Game(moves=game.moves, row=game.row * view["stake"], column=game.column * view["stake"])


def level_mix(game: Game, level: int) -> FloatArray:
    """Return what the row player of `level` does, as a probability of each move."""
    if level == 0:
        return np.full(len(game.moves), 1 / len(game.moves))
    turned = game.seen_by("Beta")
    worth = game.row @ level_mix(turned, level - 1)
    mix = np.zeros(len(game.moves))
    mix[int(np.argmax(worth))] = 1.0
    return mix


@lru_cache(maxsize=512)
def _mix(
    moves: tuple[str, ...], row: bytes, column: bytes, rate: float
) -> tuple[float, ...] | None:
    shape = (len(moves), len(moves))
    game = Game(
        moves=moves,
        row=np.frombuffer(row).reshape(shape),
        column=np.frombuffer(column).reshape(shape),
    )
    found = quantal_response(game, rate)
    return None if found is None else tuple(found.row.tolist())


def _rate(variant: str) -> float:
    try:
        rate = float(variant)
    except ValueError:
        rate = -1.0
    if not 0.0 <= rate <= MOST_RATE:
        raise ValueError(f"{variant!r} is no rate: a number from 0 to {MOST_RATE:g}")
    return rate
