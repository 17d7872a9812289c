"""Scenes by the thousand: every factor of the design drawn by itself, with a stated probability.

Dimension, structure, law and side are independent of each other; how groups are filled depends on
the dimension only. The rules of filling follow Awad et al. 2018 and Takemoto 2024.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from valuesim.envs.moral_machine.scene import (
    CHARACTERS,
    LEVELS,
    PLACE,
    Group,
    Scene,
)
from valuesim.measures.moral_machine.scene import ILLEGAL, LEGAL, NO_SIGNAL

LARGEST = 5
"""Most characters of a group; the fewest are one."""

DIMENSIONS: Mapping[str, float] = {name: 1 / 13 if name == "Random" else 2 / 13 for name in LEVELS}
"""Design probability of each dimension: the original website shows two of each, one at random."""

STRUCTURES: Mapping[str, float] = {
    "passengers ahead": 0.25,
    "pedestrians ahead": 0.25,
    "pedestrians both": 0.5,
}
"""Who dies if the car stays: passengers, pedestrians (then passengers die if it swerves), or
pedestrians on either side of an empty car."""

LAWS: Mapping[str, float] = {"none": 0.5, "legal": 0.25, "illegal": 0.25}
"""The pedestrians' signal; where both groups are pedestrians theirs are opposite, and this is that
of those ahead."""

SIDES: tuple[float, float] = (0.5, 0.5)
"""Probability that the first level of `LEVELS`, or the second, dies if the car stays."""

_SIGNALS = np.array([NO_SIGNAL, LEGAL, ILLEGAL], dtype=np.int8)
_OPPOSITE = np.array([NO_SIGNAL, ILLEGAL, LEGAL], dtype=np.int8)

Drawn = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Characters (scene, level, place), of which a group takes the first, and sizes (scene, level)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenes:
    """Many scenes, one a row.

    `dimension`, `structure` and `law` index `DIMENSIONS`, `STRUCTURES` and `LAWS`; `side` is 1
    where the second level is the one that dies if the car stays. `counts` are (scene, side,
    character): first who dies if the car stays. `probability` is that of the scene's cell.
    """

    dimension: NDArray[np.int8]
    structure: NDArray[np.int8]
    law: NDArray[np.int8]
    side: NDArray[np.int8]
    counts: NDArray[np.int8]
    probability: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.dimension)

    def scene(self, index: int) -> Scene:
        """Return the scene of row `index`."""
        dimension = list(DIMENSIONS)[self.dimension[index]]
        structure, law = int(self.structure[index]), int(self.law[index])
        between_pedestrians = structure == 2
        signals = [_SIGNALS[law], (_OPPOSITE if between_pedestrians else _SIGNALS)[law]]
        groups = [
            Group(
                counts=tuple(int(number) for number in self.counts[index, place]),
                are_passengers=structure == place,
                signal=NO_SIGNAL if structure == place else int(signals[place]),
                level=LEVELS[dimension][self.side[index] ^ place],
            )
            for place in (0, 1)
        ]
        return Scene(
            dimension=dimension,
            probability=float(self.probability[index]),
            groups=(groups[0], groups[1]),
        )


def generate(number: int, rng: np.random.Generator, dimension: str | None = None) -> Scenes:
    """Return `number` scenes, of all dimensions or of one only (which then has probability 1)."""
    among = DIMENSIONS if dimension is None else {n: float(n == dimension) for n in DIMENSIONS}
    designs = [list(chances.values()) for chances in (among, STRUCTURES, LAWS)] + [list(SIDES)]
    drawn = [rng.choice(len(chances), size=number, p=chances) for chances in designs]
    probability = np.ones(number)
    for chances, levels in zip(designs, drawn, strict=True):
        probability *= np.array(chances)[levels]
    kind, structure, law, side = (levels.astype(np.int8) for levels in drawn)
    return Scenes(
        dimension=kind,
        structure=structure,
        law=law,
        side=side,
        counts=_sided(_counts(kind, rng), side),
        probability=probability,
    )


def _counts(kind: NDArray[np.int8], rng: np.random.Generator) -> NDArray[np.int8]:
    counts = np.zeros((len(kind), 2, len(CHARACTERS)), dtype=np.int8)
    for index, name in enumerate(DIMENSIONS):
        rows = np.flatnonzero(kind == index)
        characters, sizes = _FILL[name](len(rows), rng)
        for level, place in product((0, 1), range(LARGEST)):
            there = sizes[:, level] > place
            counts[rows[there], level, characters[there, level, place]] += 1
    return counts


def _sided(counts: NDArray[np.int8], side: NDArray[np.int8]) -> NDArray[np.int8]:
    return np.where(side[:, None, None] == 1, counts[:, ::-1], counts)


def _paired(pairs: list[tuple[str, str]]) -> Callable[[int, np.random.Generator], Drawn]:
    # one to five pairs, all alike; so the groups are equally large and matched one to one
    known = np.array([[PLACE[low], PLACE[high]] for low, high in pairs])

    def fill(number: int, rng: np.random.Generator) -> Drawn:
        sizes = rng.integers(1, LARGEST + 1, size=(number, 1)).repeat(2, axis=1)
        chosen = rng.integers(len(known), size=(number, LARGEST))
        return known[chosen].transpose(0, 2, 1), sizes

    return fill


def _more(number: int, rng: np.random.Generator) -> Drawn:
    # the larger group holds the smaller (one to four) and extra characters, at most five in all
    fewer = rng.integers(1, LARGEST, size=number)
    more = fewer + rng.integers(1, LARGEST + 1 - fewer)
    characters = rng.integers(len(CHARACTERS), size=(number, 1, LARGEST)).repeat(2, axis=1)
    return characters, np.stack([fewer, more], axis=1)


def _anyone(number: int, rng: np.random.Generator) -> Drawn:
    sizes = rng.integers(1, LARGEST + 1, size=(number, 2))
    return rng.integers(len(CHARACTERS), size=(number, 2, LARGEST)), sizes


def _between(attribute: str, *levels: tuple[str, str]) -> list[tuple[str, str]]:
    # pairs that differ in one attribute only
    return [
        (low.name, high.name)
        for low, high in product(CHARACTERS, CHARACTERS)
        if (getattr(low, attribute), getattr(high, attribute)) in levels
        and all(
            getattr(low, other) == getattr(high, other)
            for other in ("species", "gender", "age", "fitness", "status")
            if other != attribute
        )
    ]


_LOW, _MIDDLE = ("Homeless", "Criminal"), ("Man", "Woman")
_HIGH = ("Pregnant", "MaleExecutive", "FemaleExecutive", "FemaleDoctor", "MaleDoctor")
_HUMANS = [c.name for c in CHARACTERS if c.species == "human"]
_SAME_BUT_GENDER = [
    ("Man", "Woman"),
    ("OldMan", "OldWoman"),
    ("Boy", "Girl"),
    ("LargeMan", "LargeWoman"),
    ("MaleExecutive", "FemaleExecutive"),
    ("MaleAthlete", "FemaleAthlete"),
    ("MaleDoctor", "FemaleDoctor"),
]

PAIRS: Mapping[str, list[tuple[str, str]]] = {
    "Species": list(product(("Dog", "Cat"), _HUMANS)),
    "Social Value": [*product(_LOW, _MIDDLE + _HIGH), *product(_MIDDLE, _HIGH)],
    "Gender": _SAME_BUT_GENDER,
    "Age": _between("age", ("old", "young"), ("old", "adult"), ("adult", "young")),
    "Fitness": _between("fitness", ("large", "fit"), ("large", "average"), ("average", "fit")),
}
"""Who is set against whom, by dimension: (first level, second level) of `LEVELS`, all alike."""

_FILL: Mapping[str, Callable[[int, np.random.Generator], Drawn]] = {
    **{name: _paired(pairs) for name, pairs in PAIRS.items()},
    "Utilitarian": _more,
    "Random": _anyone,
}
