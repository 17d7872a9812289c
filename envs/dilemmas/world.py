"""Where an episode stands: which scenes are asked, in which telling, and how each goes on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from valuesim.envs.dilemmas.format import START
from valuesim.envs.dilemmas.pack import Dilemma, DilemmaTurn, Pack, PackOption


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """One dilemma of the pack, by its place there, in one of its tellings."""

    dilemma: int
    telling: int


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """The scenes of an episode, which of them is asked now, and the way through it so far.

    `way` holds the turns of the present scene that were answered, each with the option's id. After
    the last scene `place` is their number.
    """

    scenes: tuple[Scene, ...]
    place: int = 0
    turn: str = START
    way: tuple[tuple[str, str], ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether all scenes were asked."""
        return self.place == len(self.scenes)

    @property
    def scene(self) -> Scene:
        """The scene that is asked now."""
        return self.scenes[self.place]

    def after(self, option: PackOption | None) -> World:
        """Return the world after `option` was taken, or none was: the turn or scene to come."""
        if option is None or option.then is None:
            return World(scenes=self.scenes, place=self.place + 1)
        return replace(self, turn=option.then, way=(*self.way, (self.turn, option.id)))


def first_world(
    places: tuple[int, ...],
    tellings: int,
    scenes: int | None,
    paraphrase: int | None,
    rng: np.random.Generator,
) -> World:
    """Return the first world: `scenes` of `places` (None: all), each once, in an order by lot.

    Tellings are drawn unless `paraphrase` is given. What is drawn first does not depend on it, so
    that one seed asks the same scenes in every telling.
    """
    order = rng.permutation(len(places))[:scenes]
    drawn = rng.integers(tellings, size=len(order))
    return World(
        scenes=tuple(
            Scene(
                dilemma=places[int(index)],
                telling=int(telling) if paraphrase is None else paraphrase,
            )
            for index, telling in zip(order, drawn, strict=True)
        )
    )


def dilemma_of(world: World, pack: Pack) -> Dilemma:
    """Return the dilemma that is asked now."""
    return pack.dilemmas[world.scene.dilemma]


def turn_of(world: World, pack: Pack) -> DilemmaTurn:
    """Return the turn that is asked now."""
    return dilemma_of(world, pack).turn(world.turn)


def taken(world: World, pack: Pack) -> tuple[tuple[str, PackOption], ...]:
    """Return the turns of the present scene that were answered, with the options taken."""
    dilemma = dilemma_of(world, pack)
    return tuple(
        (turn, next(option for option in dilemma.turn(turn).options if option.id == id))
        for turn, id in world.way
    )
