"""The state of a game between steps, and what a player remembers of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from valuesim.envs.games.form import Form, Made

T = TypeVar("T")

TALK = "talk"


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What a player said before a round; `promise` is the move it announced, or None."""

    place: int
    text: str
    promise: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """One phase that was played: moves that took effect and those intended, by place."""

    round: int
    phase: str
    took: tuple[str | None, ...]
    intended: tuple[str | None, ...]
    payoffs: tuple[float, ...]

    @classmethod
    def of(
        cls, world: World, took: tuple[str | None, ...], intended: tuple[str | None, ...]
    ) -> Stage:
        """Return the present phase of `world` with these moves, before anything is earned."""
        payoffs = (0.0,) * len(took)
        return cls(
            round=world.round, phase=world.phase, took=took, intended=intended, payoffs=payoffs
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """A finished round, by place: the one move each made, what it had intended, what it earned.

    Moves are as they took effect (None: no decision, or none to make), `phases` those played.
    `fines` is what the stage of punishment cost each, given and taken; the payoffs contain it.
    """

    number: int
    phases: tuple[str, ...]
    moves: tuple[str | None, ...]
    intended: tuple[str | None, ...]
    payoffs: tuple[float, ...]
    fines: tuple[float, ...]

    @classmethod
    def of(cls, stages: Sequence[Stage]) -> Round:
        """Return the round that `stages` make up."""
        moves = [stage for stage in stages if stage.phase != "punish"]
        fines = [stage.payoffs for stage in stages if stage.phase == "punish"]
        places = range(len(stages[0].took))
        return cls(
            number=stages[0].round,
            phases=tuple(stage.phase for stage in stages),
            moves=tuple(_first([stage.took[p] for stage in moves]) for p in places),
            intended=tuple(_first([stage.intended[p] for stage in moves]) for p in places),
            payoffs=tuple(sum(stage.payoffs[p] for stage in stages) for p in places),
            fines=tuple(-sum(each[p] for each in fines) for p in places),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """A moment of a game; `round` counts from 1, `rounds` + 1 when all are played.

    `labels` are the shown names of the moves of each phase that has such, in the order in which
    texts list them. `levels` is the order of a price list, empty without one. `stages` are those
    of the present round, `past` the rounds before it and `totals` what they paid, by place.
    """

    rounds: int
    is_cut: bool
    labels: Mapping[str, Mapping[str, str]]
    totals: tuple[float, ...]
    levels: tuple[float, ...] = ()
    round: int = 1
    phase: str = "act"
    messages: tuple[Message, ...] = ()
    stages: tuple[Stage, ...] = ()
    past: tuple[Round, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether all rounds are played."""
        return self.round > self.rounds

    @property
    def made(self) -> Made:
        """The moves of this round so far."""
        return {stage.phase: stage.took for stage in self.stages}

    def promise(self, place: int) -> str | None:
        """Return the move that the player at `place` announced before this round, or None."""
        return next((m.promise for m in self.messages if m.place == place), None)


def after(world: World, stage: Stage, form: Form, first: str) -> World:
    """Return the world after `stage`: the next phase with a move in it, or the next round.

    A stage in which somebody who was asked made no decision ends its round.
    """
    stages = (*world.stages, stage)
    made = {each.phase: each.took for each in stages}
    if not is_void(stage, world.made, form):
        for phase in form.phases[form.phases.index(stage.phase) + 1 :]:
            if any(form.offered(place, phase, made) for place in range(len(form.roles))):
                return replace(world, phase=phase, stages=stages)
    played = Round.of(stages)
    return replace(
        world,
        round=world.round + 1,
        phase=first,
        messages=(),
        stages=(),
        past=(*world.past, played),
        totals=tuple(a + b for a, b in zip(world.totals, played.payoffs, strict=True)),
    )


def is_void(stage: Stage, before: Made, form: Form) -> bool:
    """Return whether somebody who had a move in `stage` made none; `before`: the round so far."""
    return any(
        move is None and form.offered(place, stage.phase, before)
        for place, move in enumerate(stage.took)
    )


def others(place: int, each: Sequence[T]) -> tuple[T, ...]:
    """Return what `each` holds of all players but the one at `place`."""
    return (*each[:place], *each[place + 1 :])


def _first(moves: Sequence[str | None]) -> str | None:
    return next((move for move in moves if move is not None), None)
