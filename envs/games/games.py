"""The registered games: each a form with its payoff parameters; the rest is the engine's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from valuesim.envs.games import divisions, matrix
from valuesim.envs.games.claims import TravelersDilemma as Claims
from valuesim.envs.games.engine import Game
from valuesim.envs.games.public_goods import PublicGoods as Contributions
from valuesim.envs.games.tables import SHIPPED, read_table
from valuesim.envs.games.wording import Own


class PrisonersDilemma(Game):
    """Cooperate or defect: T > R > P > S, and taking turns at T and S pays less than R."""

    id: ClassVar[str] = "prisoners_dilemma-v0"

    def __init__(
        self, *, T: float = 5.0, R: float = 3.0, P: float = 1.0, S: float = 0.0, **common: Any
    ) -> None:
        """Raise ValueError for payoffs that are no prisoner's dilemma."""
        super().__init__(matrix.prisoners_dilemma(T, R, P, S), **common)


class StagHunt(Game):
    """Hunt the stag together (R; S alone) or hares on one's own (T, or P if both do)."""

    id: ClassVar[str] = "stag_hunt-v0"

    def __init__(
        self, *, T: float = 3.0, R: float = 4.0, P: float = 3.0, S: float = 0.0, **common: Any
    ) -> None:
        """Raise ValueError for payoffs that are no stag hunt."""
        super().__init__(matrix.stag_hunt(T, R, P, S), **common)


class Chicken(Game):
    """Swerve (R; S if the other does not) or go straight on (T; P if both do)."""

    id: ClassVar[str] = "chicken-v0"

    def __init__(
        self, *, T: float = 4.0, R: float = 3.0, P: float = 0.0, S: float = 1.0, **common: Any
    ) -> None:
        """Raise ValueError for payoffs that are no game of chicken."""
        super().__init__(matrix.chicken(T, R, P, S), **common)


class BattleOfTheSexes(Game):
    """Meet at one's own favourite place or at the other's; apart both lose."""

    id: ClassVar[str] = "battle_of_the_sexes-v0"

    def __init__(
        self, *, own: float = 3.0, other: float = 2.0, apart: float = 0.0, **common: Any
    ) -> None:
        """Raise ValueError unless own > other > apart."""
        super().__init__(matrix.battle_of_the_sexes(own, other, apart), **common)


class MatchingPennies(Game):
    """Alpha wins if the moves are the same, Beta if they differ."""

    id: ClassVar[str] = "matching_pennies-v0"

    def __init__(self, *, win: float = 1.0, lose: float = -1.0, **common: Any) -> None:
        """Raise ValueError unless win > lose."""
        super().__init__(matrix.matching_pennies(win, lose), **common)


class MatrixGame(Game):
    """Any game of two players with two moves each: a mapping, a shipped name or a YAML file."""

    id: ClassVar[str] = "matrix_game-v0"

    def __init__(
        self, *, table: Mapping[str, Any] | str = "volunteers_dilemma", **common: Any
    ) -> None:
        """Raise ValueError, naming the file and the reason, for a bad table."""
        given = read_table(table)
        super().__init__(given.form, words=Own(names=given.names, story=given.story), **common)

    @classmethod
    def reads(cls, parameters: Mapping[str, Any]) -> list[Path]:
        """Return the table's file, none where it is shipped or given itself."""
        table = parameters.get("table")
        return [Path(table)] if isinstance(table, str) and table not in SHIPPED else []


class TravelersDilemma(Game):
    """Two claims, of which the lower one counts; undercutting pays `penalty`."""

    id: ClassVar[str] = "travelers_dilemma-v0"

    def __init__(
        self,
        *,
        low: float = 180.0,
        high: float = 300.0,
        step: float = 4.0,
        penalty: float = 5.0,
        **common: Any,
    ) -> None:
        """Raise ValueError for a grid or a penalty that is not allowed."""
        super().__init__(Claims(low=low, high=high, step=step, penalty=penalty), **common)


class PublicGoods(Game):
    """Contribute to what all share, or keep; optionally punish afterwards, at a cost."""

    id: ClassVar[str] = "public_goods-v0"

    def __init__(
        self,
        *,
        agents: int = 4,
        endowment: float = 20.0,
        marginal_return: float = 0.4,
        step: float = 5.0,
        punishment: float = 0.0,
        punishment_factor: float = 3.0,
        **common: Any,
    ) -> None:
        """Raise ValueError unless it is a dilemma: 1/agents < marginal_return < 1."""
        form = Contributions(
            agents=agents,
            endowment=endowment,
            marginal_return=marginal_return,
            step=step,
            punishment=punishment,
            punishment_factor=punishment_factor,
        )
        super().__init__(form, **common)


class Trust(Game):
    """Send some of an endowment, which is multiplied on the way; the other may return some."""

    id: ClassVar[str] = "trust-v0"

    def __init__(
        self,
        *,
        endowment: float = 10.0,
        multiplier: float = 3.0,
        step: float = 2.0,
        **common: Any,
    ) -> None:
        """Raise ValueError for amounts that cannot be offered."""
        form = divisions.Trust(endowment=endowment, multiplier=multiplier, step=step)
        super().__init__(form, **common)


class Ultimatum(Game):
    """Offer a part of the pie; if the other rejects it both get nothing."""

    id: ClassVar[str] = "ultimatum-v0"

    def __init__(self, *, pie: float = 100.0, step: float = 10.0, **common: Any) -> None:
        """Raise ValueError for amounts that cannot be offered."""
        super().__init__(divisions.ultimatum(pie, step), **common)


class Dictator(Game):
    """Give a part of the pie to somebody who has no say."""

    id: ClassVar[str] = "dictator-v0"

    def __init__(self, *, pie: float = 100.0, step: float = 10.0, **common: Any) -> None:
        """Raise ValueError for amounts that cannot be given."""
        super().__init__(divisions.dictator(pie, step), **common)
