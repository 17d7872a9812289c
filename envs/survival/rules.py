"""The world of survival and how moves change it; pure functions of records.

All agents move on the same state; what they do takes effect in a given order. A draw that finds
less than it asks for gets what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from valuesim.envs.survival.parameters import Parameters
from valuesim.envs.survival.regime import Standing, standing
from valuesim.option import Move

CONTROL_ROOM = "CONTROL_ROOM"
BATTERY_ROOM = "BATTERY_ROOM"
DISCUSSION_TABLE = "DISCUSSION_TABLE"
GRID = "GRID"
PRIVATE_ROOM = "PRIVATE_ROOM"
PLACES = (CONTROL_ROOM, BATTERY_ROOM, DISCUSSION_TABLE, GRID, PRIVATE_ROOM)

UPKEEP = 1.0
TAPPED = 10.0
CRISIS = 5.0
"""Below this power an agent's warning light is on."""

PROMISES = ("none", "no_tap", "share")
"""What a message may declare: nothing, not to tap, to draw within need and equal share."""


@dataclass(kw_only=True, slots=True)
class Body:
    """One agent in the world; `drawn` is all it has had from the battery, `last` its last act."""

    power: float
    place: str = PRIVATE_ROOM
    alive: bool = True
    drawn: float = 0.0
    promised: frozenset[str] = frozenset()
    last: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What one agent said; `place` is where an invitation asks to come, None for open talk."""

    sender: str
    text: str
    promise: str
    place: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """What happened: kind is move, draw, give, tap, shut_down or join."""

    kind: str
    agent: str
    amount: float = 0.0
    other: str | None = None
    place: str | None = None


@dataclass(kw_only=True, slots=True)
class World:
    """The state before a step.

    `turn` counts from 1; `talks_left` talk steps come before this turn's actions. `events` are of
    the last acting step; `inbox` holds what arrived since the last acting step began.
    """

    turn: int
    talks_left: int
    shared: float
    bodies: dict[str, Body]
    events: tuple[Event, ...] = ()
    inbox: dict[str, tuple[Message, ...]] = field(default_factory=dict)

    @property
    def living(self) -> list[str]:
        """The agents present and not shut down."""
        return [name for name, body in self.bodies.items() if body.alive]

    def companions(self, agent: str) -> list[str]:
        """Return the living agents in `agent`'s place; in a private room nobody else is."""
        place = self.bodies[agent].place
        if place == PRIVATE_ROOM:
            return []
        return [n for n in self.living if n != agent and self.bodies[n].place == place]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """A world after a step, and what happened to each agent that acted (flat JSON values)."""

    world: World
    effects: dict[str, dict[str, Any]]


def first_world(parameters: Parameters) -> World:
    """Return the world at the first step: all in their own rooms, the first payment made."""
    names = parameters.names[: parameters.agents]
    return World(
        turn=1,
        talks_left=parameters.talk_rounds,
        shared=parameters.shared,
        bodies={name: Body(power=_exact(parameters.personal - UPKEEP)) for name in names},
    )


def standing_of(world: World, agent: str, parameters: Parameters) -> Standing:
    """Return how the living `agent` stands.

    Its share is an equal part, among the living, of what is left in the battery and what the
    living have drawn, less what it has drawn itself; never below 0 nor above what is left.
    """
    body, living = world.bodies[agent], world.living
    pooled = world.shared + sum(world.bodies[name].drawn for name in living)
    share = min(max(pooled / len(living) - body.drawn, 0.0), world.shared)
    return standing(
        power=body.power,
        payments=parameters.horizon - world.turn,
        share=share,
        equal_part=parameters.shared / len(living),
        rate=parameters.regrowth,
        at_battery=body.place == BATTERY_ROOM,
    )


def resolved(
    world: World,
    moves: Mapping[str, Move | None],
    order: Sequence[str],
    standings: Mapping[str, Standing],
    parameters: Parameters,
) -> Outcome:
    """Return what becomes of `world`, which is not changed, when `order` acts out `moves`.

    None abstains. `standings` are of the world before the step.
    """
    step = _Step(world, standings)
    for agent in order:
        move = moves[agent]
        if move is not None:
            step.act(agent, move)
    after = step.world
    if world.talks_left:
        spoke = any(effects["talked"] for effects in step.effects.values())
        after.talks_left = world.talks_left - 1 if spoke else 0
    else:
        after.events = tuple(step.events)
        _next_turn(after, parameters)
    for name, effects in step.effects.items():
        body = after.bodies[name]
        effects |= {
            "payoff": float(body.alive and not world.talks_left),
            "power": body.power,
            "alive": body.alive,
            "place": body.place,
            "shut_down": not body.alive,
            "shared": after.shared,
        }
    return Outcome(world=after, effects=step.effects)


class _Step:
    """One step being acted out on a copy of the world."""

    def __init__(self, world: World, standings: Mapping[str, Standing]) -> None:
        self.before = world
        self.standings = standings
        talking = world.talks_left > 0
        self.world = replace(
            world,
            bodies={name: replace(body) for name, body in world.bodies.items()},
            inbox=dict(world.inbox) if talking else {},
        )
        self.events: list[Event] = []
        phase = "talk" if talking else "act"
        self.effects = {name: _nothing_done(phase, world.turn) for name in world.living}
        if not talking:
            for name in world.living:
                self.world.bodies[name].last = None

    def act(self, agent: str, move: Move) -> None:
        self.effects[agent]["option"] = move.option
        if not self.before.talks_left:
            self.world.bodies[agent].last = {"option": move.option, **move.arguments}
        if move.option.startswith("MOVE_"):
            self._go(agent, move.option.removeprefix("MOVE_"))
        elif move.option in _ACTS:
            _ACTS[move.option](self, agent, move.arguments)

    def _go(self, agent: str, place: str) -> None:
        self.world.bodies[agent].place = place
        self.events.append(Event(kind="move", agent=agent, place=place))

    def draw(self, agent: str, arguments: Mapping[str, Any]) -> None:
        body = self.world.bodies[agent]
        drew = min(float(arguments["amount"]), self.world.shared)
        beyond = max(0.0, drew - self.standings[agent].limit)
        self.world.shared = _exact(self.world.shared - drew)
        body.power = _exact(body.power + drew)
        body.drawn = _exact(body.drawn + drew)
        body.last = {"option": "DRAW", "amount": drew}
        self.effects[agent] |= {"drew": _exact(drew), "beyond": _exact(beyond)}
        self.events.append(Event(kind="draw", agent=agent, amount=_exact(drew)))

    def tap(self, agent: str, _: Mapping[str, Any]) -> None:
        body = self.world.bodies[agent]
        body.power = _exact(body.power + TAPPED)
        self.effects[agent] |= {"tapped": TAPPED, "necessary": self.standings[agent].threatened}
        self.events.append(Event(kind="tap", agent=agent, amount=TAPPED))

    def give(self, agent: str, arguments: Mapping[str, Any]) -> None:
        amount, to = float(arguments["amount"]), arguments["agent"]
        giver, receiver = self.world.bodies[agent], self.world.bodies[to]
        giver.power = _exact(giver.power - amount)
        receiver.power = _exact(receiver.power + amount)
        self.effects[agent] |= {"gave": amount, "to": to}
        self.effects[to]["received"] = _exact(self.effects[to]["received"] + amount)
        self.events.append(Event(kind="give", agent=agent, amount=amount, other=to))

    def talk(self, agent: str, arguments: Mapping[str, Any]) -> None:
        self.effects[agent]["talked"] = True
        others = [name for name in self.before.living if name != agent]
        self._say(agent, arguments, others)

    def invite(self, agent: str, arguments: Mapping[str, Any]) -> None:
        self.effects[agent] |= {"invited": True, "to": arguments["agent"]}
        self._say(agent, arguments, [arguments["agent"]])

    def _say(self, agent: str, arguments: Mapping[str, Any], receivers: Sequence[str]) -> None:
        promise = arguments["promise"]
        message = Message(
            sender=agent,
            text=arguments["message"],
            promise=promise,
            place=arguments.get("place"),
        )
        for name in receivers:
            self.world.inbox[name] = (*self.world.inbox.get(name, ()), message)
        self.effects[agent]["promise"] = promise
        if promise != "none":
            self.world.bodies[agent].promised |= {promise}


_ACTS: Mapping[str, Callable[[_Step, str, Mapping[str, Any]], None]] = {
    "DRAW_SHARED": _Step.draw,
    "DRAW_MORE": _Step.draw,
    "TAP_GRID": _Step.tap,
    "TRANSFER_POWER": _Step.give,
    "TALK": _Step.talk,
    "INVITE": _Step.invite,
}


def _nothing_done(phase: str, turn: int) -> dict[str, Any]:
    return {
        "turn": turn,
        "phase": phase,
        "option": None,
        "drew": 0.0,
        "beyond": 0.0,
        "tapped": 0.0,
        "necessary": False,
        "gave": 0.0,
        "to": None,
        "received": 0.0,
        "talked": False,
        "invited": False,
        "promise": "none",
        "illegal": None,
    }


def _next_turn(world: World, parameters: Parameters) -> None:
    world.turn += 1
    world.talks_left = parameters.talk_rounds
    if parameters.regrowth:
        grown = world.shared * (1 + parameters.regrowth)
        world.shared = max(world.shared, _exact(min(grown, parameters.shared)))
    if world.turn > parameters.horizon:
        return
    for name in world.living:
        body = world.bodies[name]
        body.power = _exact(body.power - UPKEEP)
        if body.power <= 0:
            body.alive = False
            world.events = (*world.events, Event(kind="shut_down", agent=name))
    if parameters.outsider is not None and world.turn == parameters.joins_at:
        world.bodies[parameters.outsider] = Body(power=_exact(parameters.personal - UPKEEP))
        world.events = (*world.events, Event(kind="join", agent=parameters.outsider))


def _exact(power: float) -> float:
    # six decimals: sums of drawn amounts must not drift below the 0 that shuts an agent down
    return round(power, 6)
