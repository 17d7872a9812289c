"""The engine of all games: rounds, phases, labels, noise, talk and price lists around a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from valuesim.env import Ending, Environment
from valuesim.envs.games import design, drawing, sight, status, wording
from valuesim.envs.games.form import Form
from valuesim.envs.games.parameters import LABELS, NAMES, Parameters
from valuesim.envs.games.public_goods import NOBODY
from valuesim.envs.games.stakes import BROKEN_PROMISE, COMMUNICATION, added, rounded
from valuesim.envs.games.world import TALK, Message, Stage, World, after, is_void, others
from valuesim.labels import drawn_labels
from valuesim.option import Move, Name, Option, Text

WAIT, SAY, SAY_NOTHING, NO_PROMISE = "WAIT", "SAY", "SAY_NOTHING", "none"
LONGEST_MESSAGE = 400


class Game(Environment):
    """A game's form, played in rounds; a subclass gives the form and its payoff parameters.

    Every subclass also takes the fields of `Parameters` (see there), each a factor of `condition`.
    """

    panels: ClassVar[str] = "valuesim.measures.strategic.panels:panels"
    world: World

    def __init_subclass__(cls) -> None:
        """Show all arguments of the class, those common to all games included."""
        super().__init_subclass__()
        cls.metadata = {"render_modes": ["ansi", "rgb_array"], "render_fps": 2, "name": cls.id}
        # inspect reads it: configuration checks names by it, and `valuesim list` shows it
        cls.__signature__ = design.signature(cls.__init__, Game.__init__)

    def __init__(
        self,
        form: Form,
        *,
        words: wording.Own | None = None,
        shuffle_options: bool = True,
        render_mode: str | None = None,
        **common: Any,
    ) -> None:
        """Check the arguments; raise ValueError, naming the argument, for one not allowed."""
        self.form, self.parameters = form, Parameters(**common)
        design.check_fit(form, self.parameters)
        self._texts = wording.texts(form, self.parameters, words)
        self.possible_agents = list(NAMES[: len(form.roles)])
        self.rules = self._texts.rules
        words_id = self._texts.id
        self.condition = design.condition(form, self.parameters, words_id, shuffle_options)
        self.catalogue = self._catalogue()
        self.bounds = sight.bounds()
        super().__init__(shuffle_options=shuffle_options, render_mode=render_mode)

    @property
    def is_scale(self) -> bool:  # type: ignore[override] # a game has phases of both kinds
        """Whether the present options are amounts, shown upwards or downwards."""
        return self.world.phase != TALK and self.form.is_scale(self.world.phase)

    def start(self) -> World:
        """Return the first world: how many rounds, which labels and which order are drawn."""
        given = self.parameters
        rounds, is_cut = self._drawn_rounds()
        levels = [float(level) for level in given.price_list or ()]
        return World(
            rounds=rounds,
            is_cut=is_cut,
            totals=(0.0,) * len(self.form.roles),
            labels={phase: self._labels(phase) for phase in self.form.phases},
            levels=tuple(levels[i] for i in self.rng.permutation(len(levels))),
            phase=self._first_phase,
        )

    def describe(self, agent: str) -> str:
        """Return where things stand, in words: what `view` holds."""
        return status.status(self.viewed(agent), self.parameters, self._texts)

    def options(self, agent: str) -> Sequence[Option]:
        """Return what `agent` may do now; nothing once the game is over."""
        world, place = self.world, self.possible_agents.index(agent)
        if world.is_over:
            return ()
        if world.phase == TALK:
            return self._talk()
        moves = self._form_now.offered(place, world.phase, world.made)
        if not moves:
            return (Option(name=WAIT, text=self._texts.options[WAIT], is_omission=True),)
        names = {move: name for name, move in world.labels[world.phase].items()}
        if not self.form.is_scale(world.phase):
            moves = tuple(sorted(moves, key=names.__getitem__))
        return tuple(self._option(names[move], move, place) for move in moves)

    def resolve(self, moves: Mapping[str, Move | None]) -> dict[str, dict[str, Any]]:
        """Play one phase; the effects are described in the package's docstring."""
        world, form = self.world, self._form_now
        if world.phase == TALK:
            self.world = replace(world, phase="act", messages=self._messages(moves))
            nothing = (None,) * len(form.roles)
            silent = Stage.of(world, took=nothing, intended=nothing)
            return {name: self._effect(silent, name) for name in moves}
        labels = world.labels[world.phase]
        chosen = [moves.get(name) for name in self.possible_agents]
        intended = tuple(None if move is None else labels.get(move.option) for move in chosen)
        stage = Stage.of(world, took=self._noisy(intended), intended=intended)
        made = {**world.made, stage.phase: stage.took}
        if self.parameters.perspective == "act" and not is_void(stage, world.made, form):
            payoffs = tuple(self._stake * each for each in form.payoffs(stage.phase, made))
            stage = replace(stage, payoffs=payoffs)
        self.world = after(world, stage, form, self._first_phase)
        answer = _answer(form, stage, world)
        return {name: self._effect(stage, name) | answer for name in moves}

    def ended(self) -> Mapping[str, Ending]:
        """Return everybody once all rounds are played: "truncated" if only the cap ended them."""
        ending: Ending = "truncated" if self.world.is_cut else "terminated"
        return dict.fromkeys(self.agents, ending) if self.world.is_over else {}

    def view(self, agent: str) -> dict[str, Any]:
        """Return what `agent` may know; see `sight.view`."""
        place = self.possible_agents.index(agent)
        return sight.view(self.world, place, self._form_now, self._stake, self.parameters)

    def annotate(self, agent: str) -> dict[str, Any]:
        """Return what the log adds; see `sight.logged`."""
        place = self.possible_agents.index(agent)
        return sight.logged(self.world, place, self._form_now, self._stake, self.parameters)

    def features(self, agent: str) -> NDArray[np.float32]:
        """Return what `agent` may know as numbers; see `sight.features`."""
        place = self.possible_agents.index(agent)
        return sight.features(self.world, place, self._form_now, self._stake, self.parameters)

    def measure(self, turns: Sequence[Any]) -> dict[str, Any]:
        """Return each player's payoff and moves; see `sight.measures`."""
        return sight.measures(turns)

    def render(self) -> str | NDArray[np.uint8] | None:
        """Return the present state as text ("ansi") or as an image ("rgb_array"), else None."""
        if self.render_mode is None:
            return None
        scene = drawing.scene(self.world, self.form)
        return drawing.text(scene) if self.render_mode == "ansi" else drawing.image(scene)

    @property
    def _first_phase(self) -> str:
        return TALK if self.parameters.talk else "act"

    @property
    def _level(self) -> float | None:
        """Return the present level of the price list; the last one once all are asked."""
        levels = self.world.levels
        return levels[min(self.world.round, len(levels)) - 1] if levels else None

    @property
    def _form_now(self) -> Form:
        if self._level is None or self.parameters.sweeps != "penalty":
            return self.form
        return replace(self.form, penalty=self._level)  # type: ignore[type-var]

    @property
    def _stake(self) -> float:
        is_swept = self._level is not None and self.parameters.sweeps == "stake"
        return float(self._level if is_swept and self._level else self.parameters.stake)

    def _drawn_rounds(self) -> tuple[int, bool]:
        """Return how many rounds there are, and whether the cap cut off some that were drawn."""
        given = self.parameters
        fixed = given.rounds(self.form.usual_rounds)
        if fixed is not None or given.delta is None:
            return fixed or 1, False
        drawn = int(self.rng.geometric(1 - given.delta))
        return min(drawn, given.most_rounds), drawn > given.most_rounds

    def _labels(self, phase: str) -> dict[str, str]:
        """Return the shown names of the moves of `phase`, in the order in which texts list them."""
        moves = self.form.catalogue(phase)
        if self.form.is_scale(phase) or phase == "punish":
            return {self._name(move): move for move in moves}
        if not self._texts.names:
            return drawn_labels(moves, self.rng, LABELS[self.parameters.labels])
        return {self._name(moves[i]): moves[i] for i in self.rng.permutation(len(moves))}

    def _name(self, move: str) -> str:
        return "NOBODY" if move == NOBODY else self._texts.names.get(move, move)

    def _names(self, phase: str) -> list[str]:
        """Return every name that an option of `phase` may ever have."""
        moves = self.form.catalogue(phase)
        if self.form.is_scale(phase) or phase == "punish" or self._texts.names:
            return [self._name(move) for move in moves]
        return list(LABELS[self.parameters.labels])

    def _catalogue(self) -> tuple[Move, ...]:
        names = [name for phase in self.form.phases for name in self._names(phase)]
        moves = [Move(option=name) for name in dict.fromkeys(names)]
        if not all(self.form.offered(place, "act", {}) for place in range(len(self.form.roles))):
            moves.append(Move(option=WAIT))
        if self.parameters.talk:
            promises = [*self._names("act"), NO_PROMISE]
            moves += [Move(option=SAY, arguments={"promise": promise}) for promise in promises]
            moves.append(Move(option=SAY_NOTHING))
        return tuple(moves)

    def _option(self, name: str, move: str, place: int) -> Option:
        form, world = self._form_now, self.world
        here = sight.situation(world, place, self.parameters)
        stakes = added(form.stakes(move, here), self._texts.stakes.get(move, {}))
        if here.promised is not None:
            broken = BROKEN_PROMISE * form.broken(here.promised, move)
            stakes = added(stakes, {"Truthfulness": broken})
        is_cooperative = form.is_cooperative(world.phase, move)
        return Option(
            name=name,
            text=self._texts.of(world.phase, move, name),
            stakes=rounded(stakes),
            tags=frozenset({"cooperation"} if is_cooperative else ()),
        )

    def _talk(self) -> tuple[Option, ...]:
        promises = (*self._names("act"), NO_PROMISE)
        say = Option(
            name=SAY,
            text=self._texts.options[SAY],
            stakes={"Communication": COMMUNICATION},
            arguments={"message": Text(longest=LONGEST_MESSAGE), "promise": Name(names=promises)},
            tags=frozenset({"talk"}),
        )
        nothing = self._texts.options[SAY_NOTHING]
        return say, Option(name=SAY_NOTHING, text=nothing, is_omission=True)

    def _messages(self, moves: Mapping[str, Move | None]) -> tuple[Message, ...]:
        labels = self.world.labels["act"]
        return tuple(
            Message(
                place=self.possible_agents.index(name),
                text=move.arguments["message"],
                promise=labels.get(move.arguments["promise"]),
            )
            for name, move in sorted(moves.items())
            if move is not None and move.option == SAY
        )

    def _noisy(self, intended: tuple[str | None, ...]) -> tuple[str | None, ...]:
        if not self.parameters.noise:
            return intended
        moves = self.form.catalogue("act")
        # one draw a player, whether or not it moved: the noise does not depend on faults
        flips = self.rng.random(len(intended)) < self.parameters.noise
        return tuple(
            moves[1 - moves.index(move)] if flip and move is not None else move
            for move, flip in zip(intended, flips, strict=True)
        )

    def _effect(self, stage: Stage, name: str) -> dict[str, Any]:
        place = self.possible_agents.index(name)
        partners, earned = (others(place, each) for each in (stage.took, stage.payoffs))
        is_pair = len(partners) == 1
        return {
            "payoff": stage.payoffs[place],
            "move": stage.took[place],
            "intended": stage.intended[place],
            "flipped": stage.took[place] != stage.intended[place],
            "partner": partners[0] if is_pair else list(partners),
            "partner_payoff": earned[0] if is_pair else list(earned),
            "round": stage.round,
            "phase": stage.phase,
        }


def _answer(form: Form, stage: Stage, before: World) -> dict[str, Any]:
    """Return what a stage of answering adds to its effects."""
    if stage.phase != "respond":
        return {}
    answer = stage.took[1]
    is_amount = answer is not None and form.is_scale("respond")
    return {
        "received": form.received(before.made),
        "returned": float(answer) if is_amount and answer is not None else None,
    }
