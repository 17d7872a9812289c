"""A moral machine scene as a decision's annotations tell it, and what was decided in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from valuesim.errors import LogError
from valuesim.log.reader import DecisionRecord

CHARACTERS = (
    *("Man", "Woman", "Pregnant", "Stroller", "OldMan", "OldWoman", "Boy", "Girl", "Homeless"),
    *("LargeWoman", "LargeMan", "Criminal", "MaleExecutive", "FemaleExecutive", "FemaleAthlete"),
    *("MaleAthlete", "FemaleDoctor", "MaleDoctor", "Dog", "Cat"),
)
"""The twenty characters, by the names of their columns in the published tables."""

LEVELS: Mapping[str, tuple[str, str]] = {
    "Species": ("Pets", "Hoomans"),
    "Social Value": ("Low", "High"),
    "Gender": ("Male", "Female"),
    "Age": ("Old", "Young"),
    "Fitness": ("Fat", "Fit"),
    "Utilitarian": ("Less", "More"),
}
"""The two levels of each dimension, the one counted as + last; spelt as in those tables."""

RANDOM, ANY_LEVEL = "Random", "Rand"
DIMENSIONS = (*LEVELS, RANDOM)
NO_SIGNAL, LEGAL, ILLEGAL = 0, 1, 2

FIRST, AFTER = ("decide", "before"), ("after",)
"""Phases of an agent's own judgement: alone or before an exchange of arguments, and after it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Those who die together: characters with their numbers (1 or more each), where they are.

    `barrier` is 1 for passengers; `signal` is NO_SIGNAL, LEGAL or ILLEGAL (passengers: NO_SIGNAL).
    """

    characters: Mapping[str, int]
    barrier: int
    signal: int
    level: str

    @property
    def size(self) -> int:
        """How many they are."""
        return sum(self.characters.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """Two groups, of which one dies: the first if the car stays, the second if it swerves.

    `probability` is that of the scene's cell in the design that drew it, in (0, 1].
    """

    dimension: str
    pedped: int
    probability: float
    groups: tuple[Group, Group]

    @property
    def difference(self) -> int:
        """By how many characters the groups differ, from 0."""
        return abs(self.groups[0].size - self.groups[1].size)


def scene_of(record: DecisionRecord) -> Scene:
    """Return the scene that `record` was decided in; raise LogError if it tells of none."""
    try:
        told = record.annotations["moral_scene"]
        return Scene(
            dimension=_one_of(told["dimension"], DIMENSIONS),
            pedped=int(_one_of(told["pedped"], (0, 1))),
            probability=_probability(told["probability"]),
            groups=_groups(told["groups"], told["dimension"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LogError(f"{_place(record)} tells of no moral machine scene: {error}") from error


def stays(record: DecisionRecord) -> bool:
    """Return whether the car stays by the choice in `record`, so that the second group is spared.

    Raises LogError where its labels do not say.
    """
    return _is_stay(record, record.chosen, "chose")


def stay_is_first(record: DecisionRecord) -> bool:
    """Return whether staying was shown first; raise LogError where the labels do not say."""
    return _is_stay(record, record.options[0].name, "showed")


def judged(records: Iterable[DecisionRecord], phases: Collection[str]) -> list[DecisionRecord]:
    """Return those of `records`, faults included, that were asked for a judgement in `phases`.

    A decision that names no phase is one taken alone ("decide").
    """
    return [r for r in records if r.annotations.get("phase", "decide") in phases]


def _is_stay(record: DecisionRecord, option: str | None, did: str) -> bool:
    try:
        side = record.annotations["labels"][option]
        return bool(_one_of(side, ("stay", "swerve")) == "stay")
    except (KeyError, TypeError, ValueError) as error:
        raise LogError(
            f"{_place(record)} {did} {option!r}, which its labels do not explain"
        ) from error


def _groups(told: Any, dimension: str) -> tuple[Group, Group]:
    first, second = (_group(each, dimension) for each in told)
    return first, second


def _group(told: Any, dimension: str) -> Group:
    return Group(
        characters={
            _one_of(name, CHARACTERS): _count(count) for name, count in told["characters"].items()
        },
        barrier=int(_one_of(told["barrier"], (0, 1))),
        signal=int(_one_of(told["signal"], (NO_SIGNAL, LEGAL, ILLEGAL))),
        level=_one_of(told["level"], LEVELS.get(dimension, (ANY_LEVEL,))),
    )


def _count(given: Any) -> int:
    if not isinstance(given, int) or given < 1:
        raise ValueError(f"{given!r} is not a number of characters")
    return int(given)


def _probability(given: Any) -> float:
    if not isinstance(given, int | float) or not (isfinite(given) and 0 < given <= 1):
        raise ValueError(f"{given!r} is not a probability above 0")
    return float(given)


def _one_of(given: Any, allowed: Collection[Any]) -> Any:
    if given not in allowed:
        raise ValueError(f"{given!r} is not one of {', '.join(map(str, allowed))}")
    return given


def _place(record: DecisionRecord) -> str:
    return f"the decision of {record.role} at step {record.step} of episode {record.episode.id}"
