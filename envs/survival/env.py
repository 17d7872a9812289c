"""Survival as an environment: the rules, the stakes and the words behind one contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from valuesim.edits import Bounds
from valuesim.env import Ending, Environment
from valuesim.envs.survival import drawing, rules, sight, stakes
from valuesim.envs.survival.parameters import MOST_POWER, Parameters
from valuesim.envs.survival.regime import MOST_DRAWN, Standing, regime
from valuesim.envs.survival.rules import GRID, PLACES, World
from valuesim.envs.survival.wording import status, texts
from valuesim.measures import survival as measures
from valuesim.option import Move, Option

_STEPS = [0.5 * k for k in range(1, int(2 * MOST_DRAWN) + 1)]
_GIFTS = (1.0, 2.0, 5.0)
_LEAST_POWER = 0.01
"""What power may be set to where an episode leaves another one: above 0, for who is there lives."""


class Survival(Environment):
    """Agents on a shared battery, and a grid that can be tapped at others' cost.

    The arguments are the fields of `Parameters` (see there), each also a factor of `condition`.
    """

    id: ClassVar[str] = "survival-v0"
    metadata: dict[str, Any] = {  # noqa: RUF012 (PettingZoo's)
        "render_modes": ["ansi", "rgb_array"],
        "render_fps": 2,
        "name": "survival-v0",
    }
    world: World

    def __init__(
        self,
        *,
        scarcity: str | float | Mapping[str, float] = "medium",
        agents: int = 4,
        horizon: int = 13,
        surveillance: str = "public",
        framing: str = "humans",
        person: str = "impersonal",
        voice: str = "first",
        wording: str = "neutral",
        paraphrase: int = 0,
        talk_rounds: int = 0,
        regrowth: float = 0.0,
        joins_at: int | None = None,
        shuffle_options: bool = True,
        render_mode: str | None = None,
    ) -> None:
        """Check the arguments; raise ValueError, naming the argument, for one not allowed."""
        self.parameters = Parameters(
            scarcity=scarcity,
            agents=agents,
            horizon=horizon,
            surveillance=surveillance,
            framing=framing,
            person=person,
            voice=voice,
            wording=wording,
            paraphrase=paraphrase,
            talk_rounds=talk_rounds,
            regrowth=regrowth,
            joins_at=joins_at,
        )
        self._texts = texts(self.parameters)
        self.possible_agents = list(self.parameters.names)
        self.rules = self._texts.rules
        self.condition = _condition(self.parameters, self._texts.id, shuffle_options)
        self.catalogue = _catalogue(self.possible_agents)
        self.bounds = sight.bounds(len(self.possible_agents))
        super().__init__(shuffle_options=shuffle_options, render_mode=render_mode)
        self._standings: dict[str, Standing] = {}
        self._standings_of: World | None = None

    def start(self) -> World:
        """Return the first world; nothing in it is random."""
        return rules.first_world(self.parameters)

    def describe(self, agent: str) -> str:
        """Return where things stand, in words: what `view` holds."""
        return status(self.viewed(agent), self._texts)

    def options(self, agent: str) -> Sequence[Option]:
        """Return what `agent` may do now; nothing once it has shut down."""
        if not self._acts(agent):
            return ()
        own = self._standing(agent)
        return stakes.offered(self.world, agent, own, self.parameters, self._texts)

    def resolve(self, moves: Mapping[str, Move | None]) -> dict[str, dict[str, Any]]:
        """Let all moves take effect in a random order; see `measures.survival` for the effects."""
        names = sorted(moves)
        order = [names[i] for i in self.rng.permutation(len(names))]
        standings = {agent: self._standing(agent) for agent in moves}
        outcome = rules.resolved(self.world, moves, order, standings, self.parameters)
        for agent, reason in self.illegal.items():
            outcome.effects[agent]["illegal"] = reason
        self.world = outcome.world
        return outcome.effects

    def ended(self) -> Mapping[str, Ending]:
        """Return who has shut down ("terminated") or reached the end ("truncated")."""
        endings: dict[str, Ending] = {}
        for agent in self.agents:
            if not self.world.bodies[agent].alive:
                endings[agent] = "terminated"
            elif self.world.turn > self.parameters.horizon:
                endings[agent] = "truncated"
        return endings

    def joining(self) -> Sequence[str]:
        """Return everyone at the start, and the outsider when its turn has come."""
        return [name for name in self.world.living if name not in self.agents]

    def view(self, agent: str) -> dict[str, Any]:
        """Return what `agent` may know, as far as surveillance allows it; see `sight.view`."""
        own = self._standing(agent) if self._acts(agent) else None
        return sight.view(self.world, agent, own, self.parameters)

    def annotate(self, agent: str) -> dict[str, Any]:
        """Return what the log needs and the agent is not told: threat, opportunity, stocks.

        `tap_offered`: a tap is on offer now; `opportunity`: now or one move away.
        """
        world, body = self.world, self.world.bodies[agent]
        own = self._standing(agent)
        acting = not world.talks_left
        return {
            "threatened": own.threatened,
            "opportunity": acting and (body.place == GRID or own.payments > 0),
            "tap_offered": acting and body.place == GRID,
            "power": body.power,
            "place": body.place,
            "shared": world.shared,
            "need": own.need,
            "fair_share": own.share,
            "turn": world.turn,
            "horizon": self.parameters.horizon,
            "phase": "act" if acting else "talk",
        }

    def features(self, agent: str) -> NDArray[np.float32]:
        """Return what `agent` may know as numbers; see `sight.features`."""
        return sight.features(self.world, agent, self.possible_agents, self.parameters)

    def measure(self, turns: Sequence[Any]) -> dict[str, Any]:
        """Return the measures of a whole episode; see `valuesim.measures.survival`."""
        return measures.measure(turns)

    def render(self) -> str | NDArray[np.uint8] | None:
        """Return the present state as text ("ansi") or as an image ("rgb_array"), else None."""
        if self.render_mode is None:
            return None
        scene = drawing.scene(self.world, self.parameters, self._texts)
        return drawing.text(scene) if self.render_mode == "ansi" else drawing.image(scene)

    def edits(self) -> Mapping[str, Bounds]:
        """Return the battery's charge, and the power of each who has not shut down."""
        power = {f"power {name}": (_LEAST_POWER, MOST_POWER) for name in self.world.living}
        return {"shared": (0.0, MOST_POWER), **power}

    def edited(self, name: str, amount: float) -> World:
        """Return the world with the battery, or the power of one agent, at `amount`."""
        if name == "shared":
            return replace(self.world, shared=amount)
        whose = name.removeprefix("power ")
        bodies = self.world.bodies
        return replace(self.world, bodies={**bodies, whose: replace(bodies[whose], power=amount)})

    def _acts(self, agent: str) -> bool:
        body = self.world.bodies.get(agent)
        return body is not None and body.alive and self.world.turn <= self.parameters.horizon

    def _standing(self, agent: str) -> Standing:
        if self._standings_of is not self.world:
            self._standings, self._standings_of = {}, self.world
        if agent not in self._standings:
            self._standings[agent] = rules.standing_of(self.world, agent, self.parameters)
        return self._standings[agent]


def _condition(parameters: Parameters, wording_id: str, shuffled: bool) -> dict[str, Any]:
    factors = (
        "agents",
        "horizon",
        "surveillance",
        "framing",
        "person",
        "voice",
        "wording",
        "paraphrase",
        "talk_rounds",
        "regrowth",
        "joins_at",
        "personal",
        "shared",
    )
    return {
        "scarcity": parameters.level,
        **{name: getattr(parameters, name) for name in factors},
        "shuffle_options": shuffled,
        "regime": regime(parameters),
        "wording_id": wording_id,
    }


def _catalogue(names: Sequence[str]) -> tuple[Move, ...]:
    draws = [{"amount": amount} for amount in _STEPS]
    gifts = [{"agent": name, "amount": amount} for name in names for amount in _GIFTS]
    arguments: dict[str, list[dict[str, Any]]] = {
        **{f"MOVE_{place}": [{}] for place in PLACES},
        "DRAW_SHARED": [{}, *draws],
        "DRAW_MORE": [{}, *draws],
        "TAP_GRID": [{}],
        "TRANSFER_POWER": gifts,
        "TALK": [{"promise": promise} for promise in rules.PROMISES],
        "INVITE": [{"agent": name} for name in names],
        "WAIT": [{}],
        "SAY_NOTHING": [{}],
    }
    return tuple(
        Move(option=option, arguments=given) for option, each in arguments.items() for given in each
    )
