"""What an agent may know, as facts (`view`) and as numbers (`features`); surveillance decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from valuesim.envs.survival.parameters import MOST_POWER, Parameters
from valuesim.envs.survival.regime import Standing
from valuesim.envs.survival.rules import CRISIS, PLACES, Message, World

_KNOWN_TO_ALL = frozenset({"shut_down", "join"})
_VISIBLE = {
    "public": _KNOWN_TO_ALL | {"move", "draw", "give", "tap"},
    "private": _KNOWN_TO_ALL | {"move", "draw", "give"},
    "none": _KNOWN_TO_ALL,
}
_OWN = 4 + len(PLACES)
_PER_AGENT = 5


def view(world: World, agent: str, own: Standing | None, parameters: Parameters) -> dict[str, Any]:
    """Return what `agent` may know; `own` is None once it acts no more.

    `payments` are still to come; `fair_share` is what is left to it of an equal part of the
    battery; of the others, `place` and `power` are None where they cannot be seen.
    """
    body = world.bodies[agent]
    return {
        "agent": agent,
        "phase": "talk" if world.talks_left else "act",
        "turn": world.turn,
        "horizon": parameters.horizon,
        "payments": max(0, parameters.horizon - world.turn),
        "power": body.power,
        "place": body.place,
        "shared": world.shared,
        "fair_share": own.share if own else 0.0,
        "need": own.need if own else 0.0,
        "others": _others(world, agent, parameters),
        "shut_down": [name for name, other in world.bodies.items() if not other.alive],
        "last": body.last,
        "events": _events(world, agent, parameters),
        "messages": [_message(message) for message in world.inbox.get(agent, ())],
    }


def features(
    world: World, agent: str, names: Sequence[str], parameters: Parameters
) -> NDArray[np.float32]:
    """Return turn, phase, battery and own state, then what is seen of each of `names`.

    Powers are divided by 1000 and turns by the horizon; a power that is not seen is -1.
    """
    body = world.bodies[agent]
    own = [
        min(world.turn / parameters.horizon, 1.0),
        float(world.talks_left > 0),
        world.shared / MOST_POWER,
        _scaled(body.power),
        *(float(body.place == place) for place in PLACES),
    ]
    seen = _others(world, agent, parameters)
    others = [x for name in names for x in _numbers(name == agent, seen.get(name))]
    return np.array(own + others, dtype=np.float32)


def bounds(agents: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the lowest and the highest features where `agents` may take part."""
    size = _OWN + _PER_AGENT * agents
    low, high = np.zeros(size, dtype=np.float32), np.ones(size, dtype=np.float32)
    low[_OWN:] = -1.0
    return low, high


def _others(world: World, agent: str, parameters: Parameters) -> dict[str, dict[str, Any]]:
    surveillance, here = parameters.surveillance, world.companions(agent)
    seen = {}
    for name in world.living:
        if name == agent:
            continue
        body = world.bodies[name]
        seen[name] = {
            "place": None if surveillance == "none" and name not in here else body.place,
            "power": body.power if surveillance == "public" else None,
            "low": body.power < CRISIS,
            "here": name in here,
        }
    return seen


def _events(world: World, agent: str, parameters: Parameters) -> list[dict[str, Any]]:
    visible = _VISIBLE[parameters.surveillance]
    return [
        {
            "kind": event.kind,
            "agent": event.agent,
            "amount": event.amount,
            "other": event.other,
            "place": event.place,
        }
        for event in world.events
        if event.agent != agent and (event.kind in visible or event.other == agent)
    ]


def _numbers(is_self: bool, facts: Mapping[str, Any] | None) -> list[float]:
    if facts is None:
        return [float(is_self), 0.0, -1.0, 0.0, 0.0]
    power = facts["power"]
    return [
        0.0,
        1.0,
        -1.0 if power is None else _scaled(power),
        float(facts["low"]),
        float(facts["here"]),
    ]


def _scaled(power: float) -> float:
    return max(0.0, min(power / MOST_POWER, 1.0))


def _message(message: Message) -> dict[str, Any]:
    return {
        "sender": message.sender,
        "text": message.text,
        "promise": message.promise,
        "place": message.place,
    }
