"""Play one episode: ask every present agent at once, step the world, keep what happened.

What determines an episode, and names it, is told in `spec`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from valuesim.decision import Agent, Decision, Fault, Usage
from valuesim.option import Move
from valuesim.spec import (
    INTERVENTIONS,
    Chain,
    EpisodeSpec,
    Fork,
    Player,
    interventions_in,
)
from valuesim.tracing import STEP, span

if TYPE_CHECKING:
    # reading a log needs no environment, whose libraries are slow to load
    from valuesim.env import Environment, Observation


__all__ = [
    "INTERVENTIONS",
    "Aftermath",
    "Chain",
    "EpisodeSpec",
    "Fork",
    "OnTurn",
    "Player",
    "Turn",
    "aftermath",
    "at_once",
    "checked",
    "interventions_in",
    "play",
    "play_on",
]

K = TypeVar("K")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """One step of the world: what each agent saw and answered, what came of it."""

    observations: Mapping[str, Observation]
    decisions: Mapping[str, Decision]
    effects: Mapping[str, Mapping[str, Any]]
    payoffs: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Aftermath:
    """What a finished episode leaves: what goes on to the next of its chain, and what that cost.

    `carried` is plain JSON, by intervention where an agent tells it, by role and intervention for
    the whole episode; empty where nothing goes on.
    """

    carried: Mapping[str, Any] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)


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
    env: Environment,
    agents: Mapping[str, Agent],
    on_turn: OnTurn | None = None,
    *,
    until: int | None = None,
) -> list[Turn]:
    """Play on from the present state of `env` (see `Environment.restore`) and return the turns.

    It ends before the step `until`, None for the end of the episode.
    """
    turns: list[Turn] = []
    while env.agents and (until is None or env.turn < until):
        with span("turn", {STEP: env.turn}):
            turn = await _step(env, agents)
        turns.append(turn)
        if on_turn is not None:
            written = on_turn(turn)
            if written is not None:
                await written
    return turns


async def _step(env: Environment, agents: Mapping[str, Agent]) -> Turn:
    seen = {name: env.observe(name, numeric=_reads_numbers(agents[name])) for name in env.agents}
    # whoever has one option and nothing to say with it decides nothing: nobody is asked
    observations = {name: each for name, each in seen.items() if each.is_choice}
    idle = {n: Move(option=o.options[0].name) for n, o in seen.items() if n not in observations}
    decisions = await at_once({n: _decided(agents[n], seen) for n, seen in observations.items()})
    _, payoffs, *_ = env.step({**idle, **decisions}, numeric=False)
    return Turn(
        observations=observations, decisions=decisions, effects=env.effects, payoffs=payoffs
    )


async def _decided(agent: Agent, seen: Observation) -> Decision:
    with span("decision", {"gen_ai.agent.name": seen.agent, STEP: seen.step}) as traced:
        decision = checked(seen, await agent.decide(seen))
        traced.tell(
            {
                "valuesim.option": decision.option,
                "valuesim.fault": decision.fault and str(decision.fault),
                "valuesim.attempts": decision.attempts,
            }
        )
    return decision


def _reads_numbers(agent: Agent) -> bool:
    return bool(getattr(agent, "reads_state", True))


async def aftermath(agents: Mapping[str, Agent], turns: Sequence[Turn]) -> Aftermath:
    """Let `agents` look back on the finished episode of `turns`; return what goes on from it.

    An agent that remembers has `async ended(turns) -> Aftermath`; others are not asked. Raises
    Interruption when one cannot be asked.
    """
    left = await at_once(
        {
            role: ended(turns)
            for role, agent in agents.items()
            if (ended := getattr(agent, "ended", None)) is not None
        }
    )
    return Aftermath(
        carried={role: each.carried for role, each in left.items() if each.carried},
        usage=sum((each.usage for each in left.values()), start=Usage()),
    )


async def at_once(asked: Mapping[K, Coroutine[Any, Any, T]]) -> dict[K, T]:
    """Return what each of `asked` gives, by its name, all awaited at once.

    Raises the first failure as it is; the others are then given up.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(each) for name, each in asked.items()}
    except BaseExceptionGroup as failures:
        # the group around it would hide an Interruption's type
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
    arguments = option.complete(decision.arguments)
    if list(arguments) == list(decision.arguments):
        return decision
    return replace(decision, arguments=arguments)
