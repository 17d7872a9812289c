"""What makes a game: who moves when, what they can do, what they earn, what is at stake.

A `Form` is a frozen record of a game's payoff parameters. Its methods are pure; rounds, words,
noise and history are the engine's (`engine.Game`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from valuesim.envs.games.stakes import AHEAD
from valuesim.parameters import number

Made = Mapping[str, tuple[str | None, ...]]
"""The moves of a round so far: phase -> one canonical move a player, None where none was made."""

MOST_OPTIONS = 121


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """What the stakes of a player's moves may depend on; `place` counts players from 0.

    `history` are its own and the others' moves of the past rounds it is shown, `is_ahead` whether
    another player has earned less than it has, `promised` the move it has announced.
    """

    place: int
    phase: str
    made: Made
    history: Sequence[tuple[str | None, tuple[str | None, ...]]] = ()
    is_ahead: bool = False
    promised: str | None = None

    @property
    def ahead(self) -> float:
        """What Care gains here, because another has earned less."""
        return AHEAD if self.is_ahead else 0.0


class Form(ABC):
    """Base of all games' forms."""

    game: str
    usual_rounds: ClassVar[int] = 1

    @property
    def phases(self) -> tuple[str, ...]:
        """Return the phases of a round in which moves are made, in order."""
        return ("act",)

    @property
    @abstractmethod
    def roles(self) -> tuple[str, ...]:
        """Return each player's role, in order."""

    @property
    @abstractmethod
    def factors(self) -> dict[str, Any]:
        """Return the payoff parameters by their names, as flat JSON values."""

    @abstractmethod
    def catalogue(self, phase: str) -> tuple[str, ...]:
        """Return every move that may ever be offered in `phase`."""

    @abstractmethod
    def payoffs(self, phase: str, made: Made) -> tuple[float, ...]:
        """Return what each player earns by `phase`, all of whose moves are in `made`; stake 1."""

    @abstractmethod
    def stakes(self, move: str, here: Situation) -> dict[str, float]:
        """Return what `move` upholds (> 0) and violates (< 0); see the package's table."""

    @abstractmethod
    def is_cooperative(self, phase: str, move: str) -> bool:
        """Return whether `move` is tagged as cooperation."""

    def offered(self, place: int, phase: str, made: Made) -> tuple[str, ...]:
        """Return the moves of the player at `place`; none where it has no move now."""
        return self.catalogue(phase)

    def is_scale(self, phase: str) -> bool:
        """Return whether the moves of `phase` are amounts on a grid."""
        return True

    def received(self, made: Made) -> float | None:
        """Return the amount that a responder faces; None before there is one."""
        return None

    def broken(self, promised: str, move: str) -> float:
        """Return how far, in [0, 1], `move` falls short of the amount that was promised."""
        most = float(promised) - float(self.catalogue("act")[0])
        return max(0.0, float(promised) - float(move)) / most if most > 0 else 0.0

    def share(self, move: str) -> float:
        """Return the place of an amount on the grid of the first phase, in [0, 1]."""
        grid = self.catalogue("act")
        low, high = float(grid[0]), float(grid[-1])
        return (float(move) - low) / (high - low)


def numeral(amount: float) -> str:
    """Return the canonical numeral of an amount.

    >>> numeral(180.0), numeral(2.5), numeral(1_000_000)
    ('180', '2.5', '1000000')
    """
    return f"{amount:.10g}"


@lru_cache(maxsize=256)
def grid(name: str, low: float, high: float, step: float) -> tuple[str, ...]:
    """Return the numerals from `low` to `high` by `step`; ValueError if that is not 2 to 121.

    >>> grid("claims", 180, 240, 20)
    ('180', '200', '220', '240')
    """
    number(f"{name}: low", low, -1e6, 1e6)
    number(f"{name}: high", high, low, 1e6, above=True)
    number(f"{name}: step", step, 0, high - low, above=True)
    steps = (high - low) / step
    if abs(steps - round(steps)) > 1e-9 or steps + 1 > MOST_OPTIONS:
        raise ValueError(
            f"{name} from {low:g} to {high:g} cannot be offered in steps of {step:g}: "
            f"a whole number of steps, at most {MOST_OPTIONS - 1}"
        )
    return tuple(numeral(low + k * step) for k in range(round(steps) + 1))
