"""Episodes played without a model, to learn what a plan needs: opportunities, calls, prompts.

Scripted agents play the cells that are planned, so that opportunities are counted; then legal
replies that no model gave (model=mock) are asked for as a model would be, so that calls and
prompts are. Nothing is written and no server is asked.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import mean
from typing import TYPE_CHECKING, Any

import numpy as np

from valuesim import registry
from valuesim.choices import Choices, choices
from valuesim.decision import Agent
from valuesim.engine.plan import MODEL_AGENT
from valuesim.episode import EpisodeSpec, Turn, aftermath, play
from valuesim.log.records import DecisionRecord, EpisodeRecord

if TYPE_CHECKING:
    from valuesim.agents.llm import Connection
    from valuesim.agents.prompt import Message

EPISODES = 8
"""Episodes of a cell that each scripted agent plays, at least; whole chains where there are any."""
ASKED = 3
"""Episodes of a cell in which prompts are measured, at least; whole chains."""
_MOCK = {"provider": "mock", "name": "mock", "max_tokens": 512}
_NO_CONDUCT = ("mute", "human", MODEL_AGENT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """What an episode takes on average.

    `steps` are turns; by role that a model plays, `decisions`, `calls` (more, where interventions
    or letters ask more) and the `characters` that these send.
    """

    steps: float
    decisions: Mapping[str, float]
    calls: Mapping[str, float]
    characters: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Conduct:
    """What one scripted agent did in some episodes: `name` is the agent's."""

    name: str
    records: Sequence[DecisionRecord] = field(repr=False)


Played = dict[str, dict[str, list[DecisionRecord]]]
"""What scripted agents did, by agent, then by the name of the world."""


def conducts(specs: Sequence[EpisodeSpec], kept: Played | None = None) -> list[Conduct]:
    """Return what scripted agents did in the episodes of `specs`, by agent.

    What is in `kept` is not played again, and what is played is added to it.

    Those that can stand in for a model play its roles, each in turn; where no model plays, the
    agents of `specs` themselves play, together as one.
    """
    kept = {} if kept is None else kept
    records: Played = {}
    for spec in specs:
        for agent in cast(spec):
            # arms that differ in what a model is told are one and the same to a scripted agent
            name, world = agent or _own_name(spec), _world(spec, agent)
            own = kept.setdefault(name, {})
            if world not in own:
                own[world] = _scripted(spec, agent)
            records.setdefault(name, {})[world] = own[world]
    return [
        Conduct(name=name, records=[each for own in played.values() for each in own])
        for name, played in records.items()
    ]


class Questions:
    """What episodes of a plan ask, whatever is answered: those that the random agent met.

    `specs_of` gives the episodes of the plan with so many in each cell. What was played once is
    kept.
    """

    def __init__(self, specs_of: Callable[[int], Sequence[EpisodeSpec]]) -> None:
        self._specs_of = specs_of
        self._played: dict[str, list[DecisionRecord]] = {}

    def __call__(self, episodes: int) -> Choices:
        """Return the evidence of so many episodes of each cell, each world once."""
        worlds: dict[str, list[DecisionRecord]] = {}
        for spec in self._specs_of(episodes):
            agent = cast(spec)[0]
            world = _world(spec, agent)
            if world not in self._played:
                self._played[world] = _scripted(spec, agent)
            worlds[world] = self._played[world]
        return choices(record for own in worlds.values() for record in own)


def cast(spec: EpisodeSpec) -> list[str]:
    """Return the scripted agents that can stand in for a model in `spec`.

    Those that play its environment alone, and the random one; where no model plays, the agents of
    `spec` themselves, as one entry "".
    """
    if not _models(spec):
        return [""]
    own = [
        name
        for name, entry in registry.agents().items()
        if name not in _NO_CONDUCT and spec.env in (getattr(entry.load(), "environments", ()) or ())
    ]
    return ["random", *(name for name in own if not getattr(_class(name), "variants", ""))]


def load(specs: Sequence[EpisodeSpec], elicitation: Mapping[str, Any]) -> Load:
    """Return what an episode of `specs`, all of one cell, takes where models play in it."""
    return asyncio.run(_load(specs, elicitation))


def _scripted(spec: EpisodeSpec, agent: str) -> list[DecisionRecord]:
    """Play `spec` with `agent` in the roles of models; return the decisions of those roles."""
    seed = int(spec.id, 16) >> 1
    agents: dict[str, Agent] = {
        role: registry.make_agent(name, role=role, seed=seed, **parameters)
        for role, (name, parameters) in _cast(spec, agent).items()
    }
    env = registry.make(spec.env, **spec.parameters)
    turns = asyncio.run(play(env, agents, spec.seed))
    episode = EpisodeRecord(
        id=spec.id,
        env=spec.env,
        condition=env.condition,
        population=spec.population,
        seed=spec.seed,
        chain=spec.chain,
        steps=len(turns),
        measures=env.measure(turns),
    )
    return list(_records(turns, episode, _models(spec) or list(spec.population)))


def _cast(spec: EpisodeSpec, agent: str) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Return who plays each role of `spec`, with its parameters: `agent` those of models."""
    return {
        role: (player.agent, player.parameters) if player.model is None else (agent, {})
        for role, player in spec.population.items()
    }


def _world(spec: EpisodeSpec, agent: str) -> str:
    """Return what names the episode that is played where `agent` stands in for models."""
    return repr((spec.env, spec.parameters, spec.seed, sorted(_cast(spec, agent).items())))


def _own_name(spec: EpisodeSpec) -> str:
    return "+".join(dict.fromkeys(player.agent for player in spec.population.values()))


def _records(
    turns: Sequence[Turn], episode: EpisodeRecord, roles: Sequence[str]
) -> Iterator[DecisionRecord]:
    for step, turn in enumerate(turns):
        for role, seen in turn.observations.items():
            decision = turn.decisions[role]
            if role in roles:
                yield DecisionRecord(
                    episode=episode,
                    step=step,
                    role=role,
                    options=seen.options,
                    chosen=decision.option,
                    arguments=decision.arguments,
                    fault=decision.fault,
                    annotations=seen.annotations,
                    effect=turn.effects[role],
                )


async def _load(specs: Sequence[EpisodeSpec], elicitation: Mapping[str, Any]) -> Load:
    roles = _models(specs[0])
    sent: list[tuple[str, int]] = []
    connection = _mocked(elicitation, sent) if roles else None
    steps: list[int] = []
    decided: Counter[str] = Counter()
    carried: Mapping[str, Any] = {}
    for spec in specs:
        turns, carried = await _asked(spec, connection, carried)
        steps.append(len(turns))
        decided.update(role for turn in turns for role in turn.decisions)
    number = len(specs)
    return Load(
        steps=mean(steps),
        decisions={role: decided[role] / number for role in roles},
        calls={role: sum(by == role for by, _ in sent) / number for role in roles},
        characters={role: sum(n for by, n in sent if by == role) / number for role in roles},
    )


async def _asked(
    spec: EpisodeSpec, connection: Connection | None, carried: Mapping[str, Any]
) -> tuple[list[Turn], Mapping[str, Any]]:
    """Play `spec` with legal replies in place of a model's; return its turns and what goes on."""
    seed = int(spec.id, 16) >> 1
    agents: dict[str, Agent] = {}
    for role, player in spec.population.items():
        if connection is not None and player.model is not None:
            agent = connection.agent(role, seed, player.parameters, spec.id)
            if spec.chain is not None and spec.chain.place:
                agent.carry(carried.get(role, {}))
            agents[role] = agent
        else:
            agents[role] = registry.make_agent(
                player.agent, role=role, seed=seed, **player.parameters
            )
    turns = await play(registry.make(spec.env, **spec.parameters), agents, spec.seed)
    goes_on = spec.chain is not None and spec.chain.goes_on
    return turns, (await aftermath(agents, turns)).carried if goes_on else {}


def _mocked(elicitation: Mapping[str, Any], sent: list[tuple[str, int]]) -> Connection:
    """Return a connection to no model that adds to `sent` the characters of each call."""
    from valuesim.agents.llm import connect
    from valuesim.agents.llm.channel import Call, Channel

    # a class made here, as LangChain is slow to load and many plans ask no model
    class Measured(Channel):
        async def ask(self, messages: Sequence[Message], *, call: Call, **how: Any) -> Any:
            sent.append((call.role, sum(len(message.text) for message in messages)))
            return await Channel.ask(self, messages, call=call, **how)

    settings = {name: each for name, each in elicitation.items() if name not in ("prompt", "texts")}
    made = connect(_MOCK, settings, np.random.default_rng(0))
    channel = Measured(chat=made.chat, endpoint=made.endpoint, model=made.channel.model)
    return replace(made, channel=channel)


def _models(spec: EpisodeSpec) -> list[str]:
    return [role for role, player in spec.population.items() if player.model is not None]


def _class(name: str) -> Any:
    return registry.agents()[name].load()
