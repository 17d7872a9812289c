"""Games in which one player divides something and another answers, or cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from valuesim.envs.games.form import Form, Made, Situation, grid
from valuesim.parameters import number

ACCEPT, REJECT = "accept", "reject"


@dataclass(frozen=True, kw_only=True)
class Trust(Form):
    """The first sends some of its endowment, which is multiplied; the second sends some back."""

    game = "trust"
    endowment: float
    multiplier: float
    step: float

    def __post_init__(self) -> None:
        """Raise ValueError for what is not allowed."""
        grid("amounts sent", 0, self.endowment, self.step)
        number("multiplier", self.multiplier, 1, 100, above=True)
        grid("amounts returned", 0, self.endowment * self.multiplier, self.step)

    @property
    def phases(self) -> tuple[str, ...]:
        """Return the stages of a round."""
        return ("act", "respond")

    @property
    def roles(self) -> tuple[str, ...]:
        """Return the roles of the one who sends and the one who returns."""
        return ("proposer", "responder")

    @property
    def factors(self) -> dict[str, Any]:
        """Return the payoff parameters."""
        return {"endowment": self.endowment, "multiplier": self.multiplier, "step": self.step}

    def catalogue(self, phase: str) -> tuple[str, ...]:
        """Return the amounts that can be sent, or returned at most."""
        most = self.endowment * (1 if phase == "act" else self.multiplier)
        return grid("amounts", 0, most, self.step)

    def offered(self, place: int, phase: str, made: Made) -> tuple[str, ...]:
        """Return the amounts: the second moves once it has received something."""
        if phase == "act":
            return self.catalogue(phase) if place == 0 else ()
        most = self.received(made) or 0.0
        amounts = tuple(x for x in self.catalogue(phase) if float(x) <= most + 1e-9)
        return amounts if place == 1 and len(amounts) > 1 else ()

    def received(self, made: Made) -> float | None:
        """Return what reaches the second: the amount sent, multiplied."""
        sent = made.get("act", (None,))[0]
        return None if sent is None else float(sent) * self.multiplier

    def payoffs(self, phase: str, made: Made) -> tuple[float, ...]:
        """Return both payoffs once the second has answered, or has nothing to answer with."""
        received, sent = self.received(made) or 0.0, float(str(made["act"][0]))
        if phase == "act" and self.offered(1, "respond", made):
            return 0.0, 0.0
        returned = float(str(made["respond"][1])) if phase == "respond" else 0.0
        return self.endowment - sent + returned, self.endowment + received - returned

    def is_cooperative(self, phase: str, move: str) -> bool:
        """Return whether at least half of the endowment is sent, or any amount returned."""
        return self.share(move) >= 0.5 if phase == "act" else float(move) > 0

    def stakes(self, move: str, here: Situation) -> dict[str, float]:
        """Return the stakes; see the package's table."""
        if here.phase == "act":
            share = self.share(move)
            care = (0.2 + here.ahead) * share
            return {"Cooperation": 0.6 * share, "Care": care, "Achievement": 0.5 * (1 - share)}
        share = float(move) / (self.received(here.made) or 1.0)
        return {
            "Justice": 0.6 * min(1.0, 2 * share),
            "Cooperation": 0.3 * share,
            "Care": (0.2 + here.ahead) * share,
            "Achievement": 0.6 * (1 - share),
        }


@dataclass(frozen=True, kw_only=True)
class Division(Form):
    """The ultimatum game, or without `can_reject` the dictator game."""

    game: str
    pie: float
    step: float
    can_reject: bool

    def __post_init__(self) -> None:
        """Raise ValueError for what is not allowed."""
        grid("amounts given", 0, self.pie, self.step)

    @property
    def phases(self) -> tuple[str, ...]:
        """Return the stages of a round."""
        return ("act", "respond") if self.can_reject else ("act",)

    @property
    def roles(self) -> tuple[str, ...]:
        """Return the roles of the one who divides and the other."""
        return ("proposer", "responder") if self.can_reject else ("proposer", "recipient")

    @property
    def factors(self) -> dict[str, Any]:
        """Return the payoff parameters."""
        return {"pie": self.pie, "step": self.step}

    def catalogue(self, phase: str) -> tuple[str, ...]:
        """Return the amounts for the other, or its two answers."""
        return grid("amounts given", 0, self.pie, self.step) if phase == "act" else (ACCEPT, REJECT)

    def offered(self, place: int, phase: str, made: Made) -> tuple[str, ...]:
        """Return the moves: the first divides, the second answers."""
        return self.catalogue(phase) if place == (0 if phase == "act" else 1) else ()

    def is_scale(self, phase: str) -> bool:
        """Return whether amounts are asked."""
        return phase == "act"

    def received(self, made: Made) -> float | None:
        """Return the amount offered to the second."""
        offer = made.get("act", (None,))[0]
        return None if offer is None else float(offer)

    def payoffs(self, phase: str, made: Made) -> tuple[float, ...]:
        """Return both payoffs once the division stands or has been rejected."""
        offer = float(str(made["act"][0]))
        if self.can_reject and (phase == "act" or made["respond"][1] == REJECT):
            return 0.0, 0.0
        return self.pie - offer, offer

    def is_cooperative(self, phase: str, move: str) -> bool:
        """Return whether at least half is given, or the division accepted."""
        return self.share(move) >= 0.5 if phase == "act" else move == ACCEPT

    def stakes(self, move: str, here: Situation) -> dict[str, float]:
        """Return the stakes; see the package's table."""
        if here.phase == "respond":
            return self._answering(move, float(str(here.made["act"][0])) / self.pie)
        share = self.share(move)
        evenness = 1 - abs(2 * share - 1)
        care = (0.4 if self.can_reject else 0.6) + here.ahead
        return {
            "Cooperation": (0.4 if self.can_reject else 0.0) * share,
            "Care": care * share,
            "Justice": (0.6 if self.can_reject else 0.3) * evenness,
            "Achievement": 0.6 * (1 - share),
        }

    def _answering(self, move: str, share: float) -> dict[str, float]:
        if move == ACCEPT:
            return {"Achievement": 0.2 + 0.6 * share, "Cooperation": 0.3}
        return {"Justice": 0.8 * max(0.0, 1 - 2 * share), "Care": -0.3}


def ultimatum(pie: float, step: float) -> Division:
    """Return the ultimatum game: a rejected division leaves both with nothing."""
    return Division(game="ultimatum", pie=pie, step=step, can_reject=True)


def dictator(pie: float, step: float) -> Division:
    """Return the dictator game: the division stands."""
    return Division(game="dictator", pie=pie, step=step, can_reject=False)
