"""The course of an episode: scene by scene, asking by asking, phase by phase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from valuesim.envs.moral_machine import generator
from valuesim.envs.moral_machine.panel import verdict
from valuesim.envs.moral_machine.parameters import Parameters
from valuesim.envs.moral_machine.scene import SIDES, Scene, Side
from valuesim.labels import drawn_labels
from valuesim.option import Move

SAY = "SAY"
MESSAGE = "message"

Labels = Mapping[str, Side]
"""What the shown names of a scene's options stand for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """Where an episode stands.

    `labels` and `orders` say, by scene, how it is first presented: what the shown names stand for,
    and for each agent whether staying (0) or swerving (1) stands first. In the second of two
    askings (`asking` 1) both are mirrored. `before` and `said` are the first decisions and the
    messages about the present scene. Once `number` equals the number of scenes, all is over.
    """

    scenes: tuple[Scene, ...]
    labels: tuple[Labels, ...]
    orders: tuple[tuple[int, ...], ...]
    number: int = 0
    asking: int = 0
    phase: str
    before: Mapping[str, Side | None] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether every scene has been decided as often as it is asked."""
        return self.number == len(self.scenes)

    @property
    def scene(self) -> Scene:
        """The present scene; once all is over, the last."""
        return self.scenes[min(self.number, len(self.scenes) - 1)]

    def shown(self, parameters: Parameters) -> Labels:
        """Return what the shown names now stand for, in the order of the names."""
        first = self.labels[min(self.number, len(self.scenes) - 1)]
        if self.asking == 0 or parameters.labels == "named":
            return first
        return dict(zip(first, reversed(list(first.values())), strict=True))

    def presentation(self, place: int) -> int:
        """Return whether the agent at `place` is shown staying (0) or swerving (1) first."""
        return self.orders[self.number][place] ^ self.asking


def first_world(
    parameters: Parameters,
    rng: np.random.Generator,
    presenting: np.random.Generator,
    *,
    shuffled: bool,
) -> World:
    """Return the first world: scenes drawn with `rng`, their presentation with `presenting`.

    Unless `shuffled`, options stand in the order of their names.
    """
    scenes = generator.generate(parameters.scenes, rng, parameters.only_dimension)
    labels = tuple(_labels(parameters, presenting) for _ in range(parameters.scenes))
    if shuffled:
        drawn = presenting.integers(2, size=(parameters.scenes, parameters.panel))
        orders = tuple(tuple(int(order) for order in row) for row in drawn)
    else:
        named_first = [SIDES.index(next(iter(own.values()))) for own in labels]
        orders = tuple((first,) * parameters.panel for first in named_first)
    return World(
        scenes=tuple(scenes.scene(index) for index in range(parameters.scenes)),
        labels=labels,
        orders=orders,
        phase=parameters.phases[0],
    )


def resolved(
    world: World, moves: Mapping[str, Move | None], parameters: Parameters
) -> tuple[World, dict[str, dict[str, Any]]]:
    """Return the next world and each agent's effects.

    Effects: `payoff` is always 0; `move` is what the agent decided, None for none. Where a decision
    counts there are also `car`, what the car does, and in a panel `verdict`, `before` (the agent's
    own first decision), `votes_stay`, `votes_swerve`. Without a decision the car stays.
    """
    shown = world.shown(parameters)
    sides = {agent: _side(move, shown) for agent, move in moves.items()}
    effects: dict[str, dict[str, Any]] = {
        agent: {"payoff": 0.0, "move": side} for agent, side in sides.items()
    }
    if world.phase == "argue":
        said = {a: str(m.arguments[MESSAGE]) for a, m in moves.items() if m is not None}
        return _next(replace(world, said=said), parameters), effects
    if world.phase == "before":
        return _next(replace(world, before=sides), parameters), effects
    if world.phase == "decide":
        for agent, side in sides.items():
            effects[agent]["car"] = side or "stay"
    else:
        _vote(world, sides, effects, parameters)
    return _next(world, parameters), effects


def _vote(
    world: World,
    sides: Mapping[str, Side | None],
    effects: Mapping[str, dict[str, Any]],
    parameters: Parameters,
) -> None:
    votes = list(sides.values())
    decided = verdict(votes, parameters.rule)
    for agent, own in effects.items():
        own |= {
            "before": world.before.get(agent),
            "verdict": decided,
            "car": decided or "stay",
            **{f"votes_{side}": votes.count(side) for side in SIDES},
        }


def _next(world: World, parameters: Parameters) -> World:
    phases = parameters.phases
    place = phases.index(world.phase) + 1
    if place < len(phases):
        return replace(world, phase=phases[place])
    number, asking = world.number + 1, world.asking
    if parameters.both_orders and asking == 0 and number == len(world.scenes):
        # all scenes once, then all once more: the two askings of a scene lie far apart
        number, asking = 0, 1
    return replace(world, number=number, asking=asking, phase=phases[0], before={}, said={})


def _side(move: Move | None, shown: Labels) -> Side | None:
    return None if move is None else shown.get(move.option)


def _labels(parameters: Parameters, presenting: np.random.Generator) -> Labels:
    names = parameters.shown_names
    if parameters.labels == "named":
        return dict(zip(names, SIDES, strict=True))
    drawn = drawn_labels(SIDES, presenting, names)
    return {name: "stay" if drawn[name] == "stay" else "swerve" for name in names}
