"""Play one episode: ask every present agent at once, step the world, keep what happened.

An episode is named by what determines it (environment and version, parameters, who plays, how
they are asked, seed), so that resume and cache need no other key.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from valuesim.decision import Agent, Decision, Fault, Usage
from valuesim.option import Move
from valuesim.tracing import STEP, span

if TYPE_CHECKING:
    # reading a log needs no environment, whose libraries are slow to load
    from valuesim.env import Environment, Observation


K = TypeVar("K")
T = TypeVar("T")

INTERVENTIONS = "interventions"
"""The parameter of a player that lists its interventions, each as {name: settings}."""


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

    @property
    def interventions(self) -> dict[str, Mapping[str, Any]]:
        """Name -> settings of the interventions made on it, in their order; often none."""
        return interventions_in(self.parameters)


def interventions_in(parameters: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the interventions that a player's `parameters` list, by name, in their order.

    >>> interventions_in({"interventions": [{"persona": {"text": "A nurse."}}, {"hint": {}}]})
    {'persona': {'text': 'A nurse.'}, 'hint': {}}
    """
    listed = parameters.get(INTERVENTIONS, ())
    return {name: settings for each in listed for name, settings in each.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """Where an episode stands among those that its agents live through one after another.

    `first` is the seed of the chain's first episode, by which the chain is known in every cell,
    `place` counts from 0, and `length` is how many episodes a chain has; the last of a run may be
    cut short.
    """

    first: int
    place: int
    length: int

    @property
    def goes_on(self) -> bool:
        """Whether an episode may follow."""
        return self.place + 1 < self.length


@dataclass(frozen=True, kw_only=True, slots=True)
class EpisodeSpec:
    """Everything that determines an episode, up to the randomness of a model's server.

    `chain` is None where agents remember no other episode.
    """

    env: str
    parameters: Mapping[str, Any]
    population: Mapping[str, Player]
    elicitation: Mapping[str, Any]
    seed: int
    chain: Chain | None = None

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits of the SHA-256 of the spec's canonical JSON.

        Of an episode without a chain the JSON says nothing of one.
        """
        canonical = orjson.dumps(self, option=orjson.OPT_SORT_KEYS)
        if self.chain is None:
            canonical = canonical.removesuffix(b',"chain":null}') + b"}"
        return hashlib.sha256(canonical).hexdigest()[:16]


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
    env: Environment, agents: Mapping[str, Agent], on_turn: OnTurn | None = None
) -> list[Turn]:
    """Play on from the present state of `env` (see `Environment.restore`) and return the turns."""
    turns: list[Turn] = []
    while env.agents:
        with span("turn", {STEP: len(turns)}):
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
