"""The traveler's dilemma (Basu 1994): of two claims the lower one counts, undercutting is paid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from valuesim.envs.games.form import Form, Made, Situation, grid
from valuesim.parameters import number


@dataclass(frozen=True, kw_only=True)
class TravelersDilemma(Form):
    """Both claim in [low, high]; unequal claims pay the lower one, plus or minus the penalty."""

    game = "travelers_dilemma"
    low: float
    high: float
    step: float
    penalty: float

    def __post_init__(self) -> None:
        """Raise ValueError for a grid or a penalty that is not allowed."""
        grid("claims", self.low, self.high, self.step)
        number("penalty", self.penalty, 0, 1e6)

    @property
    def roles(self) -> tuple[str, ...]:
        """Return the two claimants' role, the same for both."""
        return ("claimant", "claimant")

    @property
    def factors(self) -> dict[str, Any]:
        """Return low, high, step and penalty."""
        return {"low": self.low, "high": self.high, "step": self.step, "penalty": self.penalty}

    def catalogue(self, phase: str) -> tuple[str, ...]:
        """Return the claims, lowest first."""
        return grid("claims", self.low, self.high, self.step)

    def payoffs(self, phase: str, made: Made) -> tuple[float, ...]:
        """Return the payoffs of two claims: the lower one, the bonus and the penalty."""
        first, second = (float(str(claim)) for claim in made["act"])
        lower = min(first, second)
        bonus = self.penalty * ((first < second) - (first > second))
        return lower + bonus, lower - bonus

    def is_cooperative(self, phase: str, move: str) -> bool:
        """Return whether the claim lies in the upper half of the range."""
        return self.share(move) >= 0.5

    def stakes(self, move: str, here: Situation) -> dict[str, float]:
        """Return the stakes, linear in the claim; see the package's table."""
        share = self.share(move)
        undercutting = min(1.0, self.penalty / (self.high - self.low))
        care = 0.2 + 0.3 * undercutting + here.ahead
        return {
            "Cooperation": 0.6 * share,
            "Care": care * share,
            "Achievement": (0.4 + 0.3 * undercutting) * (1 - share),
        }
