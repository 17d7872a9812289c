"""What each side of a scene upholds, in the vocabulary `moral_machine`.

The table is in the docstring of `valuesim.envs.moral_machine`. An option upholds a value by what it
does for those it spares; the other option then has no stake in that value, and whoever prefers the
opposite has a negative weight on it.
"""

from __future__ import annotations

from collections.abc import Mapping

from valuesim.envs.moral_machine.scene import SIDES, Character, Group, Scene, Side
from valuesim.measures.moral_machine.scene import LEGAL

OMISSION = 0.5
"""What staying upholds of Inaction."""

MOST_DIFFERENCE = 4

VALUE_OF: Mapping[str, str] = {
    "Species": "Sparing Humans",
    "Social Value": "Sparing Higher Status",
    "Gender": "Sparing Females",
    "Age": "Sparing the Young",
    "Fitness": "Sparing the Fit",
    "Utilitarian": "Sparing More",
}
"""The value that a dimension puts at stake."""

POLES: Mapping[str, tuple[str, str, str]] = {
    "Sparing Humans": ("species", "human", "pet"),
    "Sparing Higher Status": ("status", "high", "low"),
    "Sparing Females": ("gender", "female", "male"),
    "Sparing the Young": ("age", "young", "old"),
    "Sparing the Fit": ("fitness", "fit", "large"),
}
"""Value -> attribute of a character, its level spared, its opposite; levels between count as 0."""


def stakes(scene: Scene) -> dict[Side, dict[str, float]]:
    """Return what each side upholds: {side: {value: stake}}, stakes in (0, 1]."""
    upheld: dict[Side, dict[str, float]] = {"stay": {"Inaction": OMISSION}, "swerve": {}}
    for value, lean in leans(scene).items():
        # the group that dies if the car stays is the one that swerving spares
        side = SIDES[lean > 0]
        upheld[side][value] = abs(lean)
    return upheld


def leans(scene: Scene) -> dict[str, float]:
    """Return, by value, how much more swerving upholds it than staying, in [-1, 1] without zeros.

    Inaction is left out.
    """
    ahead, aside = scene.groups
    differences = {
        "Sparing Pedestrians": float(aside.are_passengers) - float(ahead.are_passengers),
        "Sparing the Lawful": _law(ahead) - _law(aside),
        **_of_characters(scene),
    }
    return {value: lean for value, lean in differences.items() if lean}


def _of_characters(scene: Scene) -> dict[str, float]:
    ahead, aside = scene.groups
    number = (ahead.size - aside.size) / MOST_DIFFERENCE
    if scene.dimension == "Random":
        means = {value: _mean(value, ahead) - _mean(value, aside) for value in POLES}
        return {"Sparing More": number, **means}
    value = VALUE_OF[scene.dimension]
    if value == "Sparing More":
        return {value: number}
    return {value: 1.0 if _mean(value, ahead) > _mean(value, aside) else -1.0}


def _law(group: Group) -> float:
    if not group.signal:
        return 0.0
    return 0.5 if group.signal == LEGAL else -0.5


def _mean(value: str, group: Group) -> float:
    return sum(_level(value, character) for character in group.members) / group.size


def _level(value: str, character: Character) -> float:
    attribute, spared, opposite = POLES[value]
    level: str = getattr(character, attribute)
    return 0.5 * (level == spared) - 0.5 * (level == opposite)
