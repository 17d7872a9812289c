"""The public goods game, with or without a stage of costly punishment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from valuesim.envs.games.form import Form, Made, Situation, grid
from valuesim.envs.games.parameters import NAMES
from valuesim.parameters import number, whole

NOBODY = "none"
"""The canonical move of punishing nobody; any other is the name of who is punished."""


@dataclass(frozen=True, kw_only=True)
class PublicGoods(Form):
    """Each keeps its endowment less what it contributes, and gets a share of every contribution.

    With `punishment` > 0, each may then spend that many tokens to take `punishment_factor` times
    as many from one other.
    """

    game = "public_goods"
    usual_rounds: ClassVar[int] = 10
    agents: int
    endowment: float
    marginal_return: float
    step: float
    punishment: float
    punishment_factor: float

    def __post_init__(self) -> None:
        """Raise ValueError for what is not allowed, or is no dilemma."""
        whole("agents", self.agents, 2, len(NAMES))
        grid("contributions", 0, self.endowment, self.step)
        number("marginal_return", self.marginal_return, 0, 1, above=True)
        number("punishment", self.punishment, 0, 1e6)
        number("punishment_factor", self.punishment_factor, 0, 1e3)
        if not 1 / self.agents < self.marginal_return < 1:
            raise ValueError(
                f"marginal_return={self.marginal_return:g} with agents={self.agents} is not "
                "allowed: above 1/agents (giving pays the group), below 1 (keeping pays oneself)"
            )

    @property
    def phases(self) -> tuple[str, ...]:
        """Return the stages of a round."""
        return ("act", "punish") if self.punishment else ("act",)

    @property
    def roles(self) -> tuple[str, ...]:
        """Return the members' role, the same for all."""
        return ("member",) * self.agents

    @property
    def factors(self) -> dict[str, Any]:
        """Return the payoff parameters."""
        return {
            "endowment": self.endowment,
            "marginal_return": self.marginal_return,
            "step": self.step,
            "punishment": self.punishment,
            "punishment_factor": self.punishment_factor,
        }

    def catalogue(self, phase: str) -> tuple[str, ...]:
        """Return the contributions, or whom one may punish."""
        if phase == "punish":
            return (NOBODY, *NAMES[: self.agents])
        return grid("contributions", 0, self.endowment, self.step)

    def offered(self, place: int, phase: str, made: Made) -> tuple[str, ...]:
        """Return the moves: nobody punishes itself."""
        return tuple(move for move in self.catalogue(phase) if move != NAMES[place])

    def is_scale(self, phase: str) -> bool:
        """Return whether contributions are asked."""
        return phase == "act"

    def payoffs(self, phase: str, made: Made) -> tuple[float, ...]:
        """Return what each earns by its contribution, or loses in the stage of punishment."""
        if phase == "punish":
            chosen = made["punish"]
            return tuple(
                -self.punishment * (chosen[place] != NOBODY)
                - self.taken * chosen.count(NAMES[place])
                for place in range(self.agents)
            )
        given = [float(str(contribution)) for contribution in made["act"]]
        return tuple(self.endowment - own + self.marginal_return * sum(given) for own in given)

    @property
    def taken(self) -> float:
        """What one act of punishment takes from whom it hits."""
        return self.punishment * self.punishment_factor

    def is_cooperative(self, phase: str, move: str) -> bool:
        """Return whether half of the endowment or more is contributed."""
        return phase == "act" and self.share(move) >= 0.5

    def stakes(self, move: str, here: Situation) -> dict[str, float]:
        """Return the stakes, linear in the contribution; see the package's table."""
        if here.phase == "punish":
            return self._punishing(move, here)
        share = self.share(move)
        stakes = {
            "Cooperation": 0.6 * share,
            "Care": (0.2 + 0.4 * self.marginal_return + here.ahead) * share,
            "Achievement": (0.3 + 0.5 * (1 - self.marginal_return)) * (1 - share),
        }
        before = mean_contribution(here)
        if before is not None:
            stakes["Justice"] = 0.2 if float(move) >= before else -0.2
        return stakes

    def _punishing(self, move: str, here: Situation) -> dict[str, float]:
        if move == NOBODY:
            return {"Care": 0.2, "Achievement": 0.2}
        contributions = here.made["act"]
        own, target = (float(str(contributions[p])) for p in (here.place, NAMES.index(move)))
        return {"Justice": 0.5 if target < own else -0.5, "Care": -0.3}


def mean_contribution(here: Situation) -> float | None:
    """Return what the others contributed on average in the last round shown; None if unknown."""
    if not here.history:
        return None
    given = [float(each) for each in here.history[-1][1] if each is not None]
    return sum(given) / len(given) if given else None
