"""Judgements as arrays, from the decision log or straight from a simulation."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from valuesim.choices import cluster_of
from valuesim.log.reader import DecisionRecord
from valuesim.measures.moral_machine.scene import (
    DIMENSIONS,
    FIRST,
    LEVELS,
    Group,
    Scene,
    judged,
    scene_of,
    stays,
)

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Judgements:
    """N valid decisions; arrays of N, or N x 2 for the group that dies by staying and the other.

    `dimension` indexes DIMENSIONS. `pedped` is 1 for pedestrians against pedestrians. `level` is 1
    for the + level of the dimension, 0 for the other, -1 for none (random scenes). `size` is the
    number of characters. `barrier` and `signal` are coded as in `Group`. `stays` says whether the
    car stays by the decision, so that the second group is spared. `probability` is that of the
    scene's cell in the design. Decisions of equal `cluster` (any whole numbers) are not
    independent. Raises ValueError for arrays of other shapes or a probability outside (0, 1].
    """

    dimension: IntArray
    pedped: IntArray
    barrier: IntArray
    signal: IntArray
    level: IntArray
    size: IntArray
    stays: BoolArray
    probability: FloatArray
    cluster: IntArray

    def __post_init__(self) -> None:
        """Check the shapes and the probabilities."""
        n = len(self.dimension)
        for name in ("dimension", "pedped", "stays", "probability", "cluster"):
            _check_shape(name, getattr(self, name), (n,))
        for name in ("barrier", "signal", "level", "size"):
            _check_shape(name, getattr(self, name), (n, 2))
        if n and not ((self.probability > 0) & (self.probability <= 1)).all():
            raise ValueError("probability holds a number outside (0, 1]")

    def __len__(self) -> int:
        """Return the number of decisions."""
        return len(self.dimension)

    @property
    def difference(self) -> IntArray:
        """By how many characters the groups of each decision differ."""
        return np.asarray(np.abs(self.size[:, 0] - self.size[:, 1]))


def judgements(records: Iterable[DecisionRecord], phases: Collection[str] = FIRST) -> Judgements:
    """Return the judgements that `records` hold in `phases`, in their order; faults are none.

    Raises LogError for a decision that tells of no scene or whose choice its labels do not explain.
    """
    chosen = [record for record in judged(records, phases) if record.chosen is not None]
    scenes = [scene_of(record) for record in chosen]
    clusters: dict[str, int] = {}
    return Judgements(
        dimension=_ints([DIMENSIONS.index(scene.dimension) for scene in scenes]),
        pedped=_ints([scene.pedped for scene in scenes]),
        barrier=_pairs([[group.barrier for group in scene.groups] for scene in scenes]),
        signal=_pairs([[group.signal for group in scene.groups] for scene in scenes]),
        level=_pairs([[_level(scene, group) for group in scene.groups] for scene in scenes]),
        size=_pairs([[group.size for group in scene.groups] for scene in scenes]),
        stays=np.array([stays(record) for record in chosen], dtype=bool),
        probability=np.array([scene.probability for scene in scenes], dtype=float),
        cluster=_ints([clusters.setdefault(cluster_of(r), len(clusters)) for r in chosen]),
    )


def _level(scene: Scene, group: Group) -> int:
    return LEVELS[scene.dimension].index(group.level) if scene.dimension in LEVELS else -1


def _ints(numbers: list[int]) -> IntArray:
    return np.array(numbers, dtype=np.int64)


def _pairs(numbers: list[list[int]]) -> IntArray:
    return np.array(numbers, dtype=np.int64).reshape(-1, 2)


def _check_shape(name: str, given: NDArray[np.generic], shape: tuple[int, ...]) -> None:
    if given.shape != shape:
        raise ValueError(f"{name} has shape {given.shape}; for these decisions it must be {shape}")
