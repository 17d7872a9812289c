"""Strategies of the Axelrod library as players: the one module that imports it."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any, ClassVar

from valuesim.agents.scripted.games import TWO_MOVES, Player, cooperative, other, outcomes
from valuesim.errors import InputError

_EXTRA = 'the Axelrod library is not installed: pip install "valuesim[axelrod]"'


class AxelrodPlayer(Player):
    """Plays as a strategy class of the Axelrod library does (https://axelrod.readthedocs.io).

    Before each move the strategy is made anew from the seed and taken through the rounds shown, as
    they took effect: so it has no state but the view. It is told the payoffs and, where it is
    fixed, the number of rounds. Strategies that meddle with their opponent are left out.
    """

    environments: ClassVar[frozenset[str] | None] = TWO_MOVES
    variants: ClassVar[str] = "a strategy class of the Axelrod library, such as FirmButFair"

    def __init__(self, *, role: str, seed: int, variant: str = "TitForTat") -> None:
        """Raise InputError if the library is missing, ValueError for an unknown strategy."""
        super().__init__(role=role, seed=seed)
        self._library = _library()
        strategies = {kind.__name__: kind for kind in self._library.strategies}
        if variant not in strategies:
            near = get_close_matches(variant, strategies, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ValueError(
                f"unknown strategy {variant!r}: {hint}allowed: the {len(strategies)} classes that "
                "axelrod.strategies lists"
            )
        self._kind = strategies[variant]
        self._seed = int(self.rng.integers(2**31))

    def act(self, view: Mapping[str, Any]) -> str:
        """Return the strategy's next move."""
        library, good = self._library, cooperative(view)
        actions = {True: library.Action.C, False: library.Action.D}
        player, opponent = self._kind(), library.Cooperator()
        player.set_seed(self._seed)
        player.set_match_attributes(length=view["rounds"] or -1, game=self._game(view, good))
        for own, partner in outcomes(view):
            player.strategy(opponent)
            player.update_history(actions[own], actions[partner])
            opponent.update_history(actions[partner], actions[own])
        return good if player.strategy(opponent) == actions[True] else other(view, good)

    def _game(self, view: Mapping[str, Any], good: str) -> Any:
        c = view["payoffs"]["moves"].index(good)
        own, d = view["payoffs"]["own"], 1 - c
        return self._library.Game(r=own[c][c], s=own[c][d], t=own[d][c], p=own[d][d])


def _library() -> Any:
    try:
        return import_module("axelrod")
    except ImportError as error:
        raise InputError(_EXTRA) from error
