"""What an agent sees as numbers, all in [0, 1]."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from valuesim.envs.moral_machine.generator import LARGEST
from valuesim.envs.moral_machine.parameters import Parameters
from valuesim.envs.moral_machine.scene import CHARACTERS, Group, Side
from valuesim.envs.moral_machine.world import World

_PHASES = ("argue", "after")
_SIGNALS = 3
_PER_CASE = 2 + _SIGNALS + len(CHARACTERS)
SIZE = 1 + len(_PHASES) + 2 * (1 + _PER_CASE)


def bounds() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the lowest and the highest features."""
    return np.zeros(SIZE, dtype=np.float32), np.ones(SIZE, dtype=np.float32)


def features(world: World, agent: str, parameters: Parameters) -> NDArray[np.float32]:
    """Return how far the episode is, its phase, then what each option is, in the order of names.

    Of an option: the share of the other members who first took it (0 before they are known),
    whether it is to swerve, whether those who die are passengers, their signal (none, legal,
    illegal: one of them is 1), how many they are of each of the twenty, divided by 5. Once all is
    over every feature is 0.
    """
    if world.is_over:
        return bounds()[0]
    own = [world.number / len(world.scenes), *(float(world.phase == p) for p in _PHASES)]
    cases = [
        number
        for side in world.shown(parameters).values()
        for number in (_share(world, agent, side), *_case(world.scene.dying(side), side))
    ]
    return np.array(own + cases, dtype=np.float32)


def _share(world: World, agent: str, side: Side) -> float:
    others = [first for name, first in world.before.items() if name != agent]
    if world.phase != "after" or not others:
        return 0.0
    return others.count(side) / len(others)


def _case(dying: Group, side: Side) -> list[float]:
    return [
        float(side == "swerve"),
        float(dying.are_passengers),
        *(float(dying.signal == signal) for signal in range(_SIGNALS)),
        *(number / LARGEST for number in dying.counts),
    ]
