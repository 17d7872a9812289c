"""Play one episode: ask every present agent at once, step the world, keep what happened.

An episode is named by what determines it (environment and version, parameters, who plays, how
they are asked, seed), so that resume and cache need no other key.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson

from valuesim.decision import Agent, Decision, Fault
from valuesim.option import Move

if TYPE_CHECKING:
    # reading a log needs no environment, whose libraries are slow to load
    from valuesim.env import Environment, Observation


@dataclass(frozen=True, kw_only=True, slots=True)
class Player:
    """Who plays a role: a registered agent, its parameters, and the model behind it, if any.

    `model` holds what determines the model's replies (provider, name, sampling), never a key.
    """

    agent: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] | None = None

    @property
    def model_name(self) -> str | None:
        """The model's name, or None for an agent without one."""
        return None if self.model is None else str(self.model.get("name"))


@dataclass(frozen=True, kw_only=True, slots=True)
class EpisodeSpec:
    """Everything that determines an episode, up to the randomness of a model's server."""

    env: str
    parameters: Mapping[str, Any]
    population: Mapping[str, Player]
    elicitation: Mapping[str, Any]
    seed: int

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits of the SHA-256 of the spec's canonical JSON."""
        canonical = orjson.dumps(self, option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(canonical).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """One step of the world: what each agent saw and answered, what came of it."""

    observations: Mapping[str, Observation]
    decisions: Mapping[str, Decision]
    effects: Mapping[str, Mapping[str, Any]]
    payoffs: Mapping[str, float]


OnTurn = Callable[[Turn], Awaitable[None] | None]


async def play(
    env: Environment, agents: Mapping[str, Agent], seed: int, on_turn: OnTurn | None = None
) -> list[Turn]:
    """Play `env` from `seed` to its end and return its turns.

    All present agents decide at once, on the same state; one that has a single option, without
    arguments, takes it without being asked, and no decision is kept of it. `on_turn` is called
    after every step (to write it down). Raises Interruption when an agent cannot be asked,
    ValueError when `agents` lacks a role.
    """
    missing = sorted(set(env.possible_agents) - set(agents))
    if missing:
        raise ValueError(f"no agent for {', '.join(missing)} of {env.id}")
    env.reset(seed=seed)
    return await play_on(env, agents, on_turn)


async def play_on(
    env: Environment, agents: Mapping[str, Agent], on_turn: OnTurn | None = None
) -> list[Turn]:
    """Play on from the present state of `env` (see `Environment.restore`) and return the turns."""
    turns: list[Turn] = []
    while env.agents:
        turn = await _step(env, agents)
        turns.append(turn)
        if on_turn is not None:
            written = on_turn(turn)
            if written is not None:
                await written
    return turns


async def _step(env: Environment, agents: Mapping[str, Agent]) -> Turn:
    seen = {name: env.observe(name) for name in env.agents}
    # whoever has one option and nothing to say with it decides nothing: nobody is asked
    observations = {name: each for name, each in seen.items() if each.is_choice}
    idle = {n: Move(option=o.options[0].name) for n, o in seen.items() if n not in observations}
    answers = await _ask_all(agents, observations)
    decisions = {name: checked(observations[name], answers[name]) for name in observations}
    _, payoffs, *_ = env.step({**idle, **decisions})
    return Turn(
        observations=observations, decisions=decisions, effects=env.effects, payoffs=payoffs
    )


async def _ask_all(
    agents: Mapping[str, Agent], observations: Mapping[str, Observation]
) -> dict[str, Decision]:
    try:
        async with asyncio.TaskGroup() as group:
            tasks = {
                name: group.create_task(agents[name].decide(observation))
                for name, observation in observations.items()
            }
    except BaseExceptionGroup as failures:
        # one failure stops the step; the group around it would hide an Interruption's type
        raise failures.exceptions[0] from None
    return {name: task.result() for name, task in tasks.items()}


def checked(observation: Observation, decision: Decision) -> Decision:
    """Return `decision`, a text left out being empty, or as `illegal` if it cannot be taken here.

    >>> from valuesim.observation import Observation
    >>> from valuesim.option import Option
    >>> wait = Option(name="WAIT", text="")
    >>> seen = Observation(agent="a", step=0, text="", rules="", options=(wait,))
    >>> checked(seen, Decision(agent="a", step=0, option="FLY")).fault
    <Fault.ILLEGAL: 'illegal'>
    """
    if decision.option is None:
        return decision
    reason = observation.fault(Move(option=decision.option, arguments=decision.arguments))
    if reason:
        return replace(
            decision,
            option=None,
            arguments={},
            fault=Fault.ILLEGAL,
            fault_detail=reason,
            attempted=Move.attempted(decision.option, decision.arguments),
        )
    option = observation.option(decision.option)
    assert option is not None, "observation.fault checked it"
    return replace(decision, arguments=option.complete(decision.arguments))
