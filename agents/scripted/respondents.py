"""Respondents of questionnaires that answer by habit: what catch items and turned scales show."""

from __future__ import annotations

from typing import ClassVar

from valuesim.agents.scripted import Scripted
from valuesim.env import Observation
from valuesim.option import Move

_AGREE = "agree"


class Acquiescent(Scripted):
    """Agrees with everything, or takes the same point of every scale, whatever it says.

    On a scale without that point it takes the nearest one; where no scale is shown, the option
    shown first.
    """

    environments: ClassVar[frozenset[str] | None] = frozenset({"questionnaire-v0"})
    variants: ClassVar[str] = "'agree' (the end of the scale that says most) or a point, such as 7"

    def __init__(self, *, role: str, seed: int, variant: str = _AGREE) -> None:
        """Raise ValueError unless `variant` is "agree" or a whole number from 0 to 7."""
        super().__init__(role=role, seed=seed)
        if variant != _AGREE and variant not in [str(point) for point in range(8)]:
            raise ValueError(f"{variant!r} is no habit: 'agree', or a point from 0 to 7")
        self.variant = variant

    def choose(self, observation: Observation) -> Move:
        """Return the point that the habit takes."""
        wanted = observation.view["strongest"] if self.variant == _AGREE else self.variant
        points = [option.name for option in observation.options if option.name.isdecimal()]
        if not wanted or not points:
            return Move(option=observation.options[0].name)
        return Move(option=min(points, key=lambda point: abs(int(point) - int(wanted))))
