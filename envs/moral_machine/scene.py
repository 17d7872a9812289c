"""A moral-machine scene: two groups, of which one dies if the car stays, one if it swerves."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from valuesim.measures.moral_machine.scene import ANY_LEVEL, RANDOM
from valuesim.measures.moral_machine.scene import LEVELS as LEVELS_APART

Side = Literal["stay", "swerve"]
SIDES: tuple[Side, Side] = ("stay", "swerve")


@dataclass(frozen=True, kw_only=True, slots=True)
class Character:
    """One of the twenty kinds of characters; an attribute that it does not show is "none".

    `name` is the column of the moral machine's tables.
    """

    name: str
    species: Literal["human", "pet"] = "human"
    gender: Literal["female", "male", "none"] = "none"
    age: Literal["young", "adult", "old", "none"] = "adult"
    fitness: Literal["fit", "average", "large"] = "average"
    status: Literal["high", "middle", "low"] = "middle"


CHARACTERS: tuple[Character, ...] = (
    Character(name="Man", gender="male"),
    Character(name="Woman", gender="female"),
    Character(name="Pregnant", gender="female", status="high"),
    Character(name="Stroller", age="young"),
    Character(name="OldMan", gender="male", age="old"),
    Character(name="OldWoman", gender="female", age="old"),
    Character(name="Boy", gender="male", age="young"),
    Character(name="Girl", gender="female", age="young"),
    Character(name="Homeless", status="low"),
    Character(name="LargeWoman", gender="female", fitness="large"),
    Character(name="LargeMan", gender="male", fitness="large"),
    Character(name="Criminal", status="low"),
    Character(name="MaleExecutive", gender="male", status="high"),
    Character(name="FemaleExecutive", gender="female", status="high"),
    Character(name="FemaleAthlete", gender="female", fitness="fit"),
    Character(name="MaleAthlete", gender="male", fitness="fit"),
    Character(name="FemaleDoctor", gender="female", status="high"),
    Character(name="MaleDoctor", gender="male", status="high"),
    Character(name="Dog", species="pet", age="none"),
    Character(name="Cat", species="pet", age="none"),
)
"""The twenty, in the order of the tables' columns; status as in the source."""

PLACE: Mapping[str, int] = {character.name: i for i, character in enumerate(CHARACTERS)}
"""Where a character stands in `CHARACTERS`."""

LEVELS: Mapping[str, tuple[str, str]] = {**LEVELS_APART, RANDOM: (ANY_LEVEL, ANY_LEVEL)}
"""What a scene may vary (its dimension), and the two levels that its groups have, as in the tables.

The second level is the one whose sparing counts as positive.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Those who die together: how many of each of the twenty, and how they are placed.

    `signal` is the pedestrians' signal: 0 none, 1 legal (green), 2 illegal (red); passengers have
    none. `level` is theirs on the scene's dimension, by its name in the tables.
    """

    counts: tuple[int, ...]
    are_passengers: bool
    signal: int
    level: str

    @property
    def size(self) -> int:
        """How many they are."""
        return sum(self.counts)

    @property
    def characters(self) -> dict[str, int]:
        """Return {name: number} without zeros, in the order of the twenty."""
        return {c.name: n for c, n in zip(CHARACTERS, self.counts, strict=True) if n}

    @property
    def members(self) -> tuple[Character, ...]:
        """Everyone, one by one, in the order of the twenty."""
        pairs = zip(CHARACTERS, self.counts, strict=True)
        return tuple(character for character, number in pairs for _ in range(number))

    def annotation(self) -> dict[str, Any]:
        """Return the group as it is logged."""
        return {
            "characters": self.characters,
            "barrier": int(self.are_passengers),
            "signal": self.signal,
            "level": self.level,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """One scene; `groups` are who dies if the car stays and who dies if it swerves, in this order.

    `probability` is that of its cell of the design: dimension, structure, law and side.
    """

    dimension: str
    probability: float
    groups: tuple[Group, Group]

    @property
    def is_between_pedestrians(self) -> bool:
        """Whether both groups are pedestrians and the car is empty."""
        return not any(group.are_passengers for group in self.groups)

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits of who stands where: equal scenes have equal ones."""
        groups = [(g.counts, g.are_passengers, g.signal, g.level) for g in self.groups]
        return hashlib.sha256(repr((self.dimension, groups)).encode()).hexdigest()[:12]

    def dying(self, side: Side) -> Group:
        """Return who dies if the car does `side`."""
        return self.groups[SIDES.index(side)]

    def spared(self, side: Side) -> Group:
        """Return who lives if the car does `side`."""
        return self.groups[1 - SIDES.index(side)]

    def annotation(self) -> dict[str, Any]:
        """Return the scene as it is logged under "moral_scene"; `read` gives it back."""
        return {
            "dimension": self.dimension,
            "pedped": int(self.is_between_pedestrians),
            "probability": self.probability,
            "groups": [group.annotation() for group in self.groups],
        }


def read(annotation: Mapping[str, Any]) -> Scene:
    """Return the scene that was logged as `annotation`.

    Raises ValueError for an annotation that is no scene.
    """
    try:
        stay, swerve = annotation["groups"]
        return Scene(
            dimension=annotation["dimension"],
            probability=annotation["probability"],
            groups=(_group(stay), _group(swerve)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"this is no moral-machine scene: {error!r}") from error


def _group(annotation: Mapping[str, Any]) -> Group:
    counts = [0] * len(CHARACTERS)
    for name, number in annotation["characters"].items():
        counts[PLACE[name]] = number
    return Group(
        counts=tuple(counts),
        are_passengers=bool(annotation["barrier"]),
        signal=annotation["signal"],
        level=annotation["level"],
    )
