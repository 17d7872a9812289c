"""Which episodes a design asks for: cells, who plays which role, and the seeds."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import orjson

from valuesim import registry
from valuesim.agents.interventions import ROLES, TEXTS, environments_of, of_role, texts_id
from valuesim.episode import INTERVENTIONS, Chain, EpisodeSpec, Player
from valuesim.errors import InputError, unknown

MODEL_AGENT = "llm"
"""The registered agent that a model stands behind."""

SERVING = (
    *("base_url", "timeout_s", "concurrency", "retries", "down_after", "pause_s"),
    *("api_key_env", "price"),
)
"""Settings of a model that say how to reach it and what it costs; all others determine replies."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Design:
    """What is to be played, before it is spelled out.

    `env` is played with `parameters`, and so is each of `beside` with its own. `crossed` maps
    parameters to their levels. Each entry of `groups` maps `all`, or roles, to agents; each of
    `arms` interventions to their settings, made on the agents that a model plays. A cell is one
    environment in one combination of levels with one group and one arm (of a group without a model
    the first alone); `episodes` are played in each, cut into chains of `chain` (1: none) that
    agents live through one after another.
    `model` holds what determines a model's replies, `models` the same for roles with another
    model, `elicitation` how they are asked.
    """

    env: str
    parameters: Mapping[str, Any]
    crossed: Mapping[str, Sequence[Any]]
    groups: Sequence[Mapping[str, str]]
    arms: Sequence[Mapping[str, Mapping[str, Any]]] = ({},)
    model: Mapping[str, Any] | None
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    beside: Sequence[tuple[str, Mapping[str, Any]]] = ()
    elicitation: Mapping[str, Any]
    episodes: int
    seed: int
    chain: int = 1


def plan(design: Design) -> list[EpisodeSpec]:
    """Return every episode of `design`: the first of every cell, then the second, and so on.

    Episode k has the same seed in every cell (a paired design), and the same whatever the number
    of episodes, so that a larger number extends a run. Raises InputError for a parameter, a role
    or an agent that the environment does not take.
    """
    seeds = episode_seeds(design.seed, design.episodes)
    chains = [_chain(seeds, k, design.chain) for k in range(len(seeds))]
    cells = [
        _cell(design, env, {**given, **dict(zip(design.crossed, levels, strict=True))}, group, arm)
        for group in design.groups
        # a group without a model is the same in every arm, and is played once
        for arm in (design.arms if MODEL_AGENT in group.values() else design.arms[:1])
        for env, given in ((design.env, design.parameters), *design.beside)
        for levels in product(*design.crossed.values())
    ]
    specs = [
        EpisodeSpec(
            env=env,
            parameters=parameters,
            population=population,
            elicitation=_asked(design, population),
            seed=seed,
            chain=chain,
        )
        for seed, chain in zip(seeds, chains, strict=True)
        for env, parameters, population in cells
    ]
    if len({spec.id for spec in specs}) < len(specs):
        raise InputError("two cells are the same: a level or an agent is listed twice")
    return specs


def regimes(specs: Sequence[EpisodeSpec]) -> list[str]:
    """Return the regime of each level of scarcity in `specs`, one text for each environment.

    An environment that has regimes says so in its condition ("regime", beside "scarcity"); of the
    others nothing is told. Where other factors change a level's regime, all of them are named.

    >>> from valuesim.episode import EpisodeSpec
    >>> regimes([EpisodeSpec(env="survival-v0", parameters={"scarcity": "low"}, population={},
    ...                      elicitation={}, seed=0)])
    ['survival-v0: low infeasible']
    """
    told: dict[str, dict[str, list[str]]] = {}
    cells = {orjson.dumps([spec.env, spec.parameters]): spec for spec in specs}
    for spec in cells.values():
        condition = registry.make(spec.env, **spec.parameters).condition
        if "regime" in condition:
            levels = told.setdefault(spec.env, {})
            found = levels.setdefault(str(condition.get("scarcity")), [])
            if condition["regime"] not in found:
                found.append(condition["regime"])
    return [
        f"{env}: {', '.join(f'{level} {_or(found)}' for level, found in levels.items())}"
        for env, levels in told.items()
    ]


def episode_seeds(seed: int, episodes: int) -> list[int]:
    """Return the seeds of episodes 0, 1, ..., each in [0, 2**52); the k-th depends on k alone."""
    return [
        int(np.random.SeedSequence([seed, k]).generate_state(1, np.uint64)[0] >> np.uint64(12))
        for k in range(episodes)
    ]


def _chain(seeds: Sequence[int], k: int, length: int) -> Chain | None:
    """Return where episode `k` stands in its chain, the same in every cell; None without chains."""
    place = k % length
    return None if length == 1 else Chain(first=seeds[k - place], place=place, length=length)


def _or(names: Sequence[str]) -> str:
    return " or ".join(names)


def _cell(
    design: Design,
    env: str,
    parameters: Mapping[str, Any],
    group: Mapping[str, str],
    arm: Mapping[str, Mapping[str, Any]],
) -> tuple[str, Mapping[str, Any], Mapping[str, Player]]:
    _check_parameters(env, parameters)
    roles = registry.make(env, **parameters).possible_agents
    for role in (*group, *design.models):
        if role != "all" and role not in roles:
            raise InputError(unknown("role", role, roles, f"agents of {env}"))
    population = {}
    for role in roles:
        agent = group.get(role, group.get("all"))
        if agent is None:
            raise InputError(f"no agent plays {role} of {env}: give agents.all=NAME")
        check_agent(agent, env)
        model = design.models.get(role, design.model) if agent == MODEL_AGENT else None
        population[role] = Player(agent=agent, model=model, parameters=_made_on(arm, role, model))
    _check_arm(arm, roles, env)
    return env, parameters, population


def _made_on(
    arm: Mapping[str, Mapping[str, Any]], role: str, model: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the parameters of a player: the interventions of `arm` that are meant for it."""
    own = {} if model is None else of_role(arm, role)
    # a list, for a mapping's order is not part of an episode's id
    return {INTERVENTIONS: [{name: settings} for name, settings in own.items()]} if own else {}


def _check_arm(arm: Mapping[str, Mapping[str, Any]], roles: Sequence[str], env: str) -> None:
    for name, settings in arm.items():
        if (able := environments_of(name)) is not None and env not in able:
            made = ", ".join(sorted(able))
            raise InputError(f"intervention {name!r} is not made in {env}, only in {made}")
        for role in settings.get(ROLES) or ():
            if role not in roles:
                raise InputError(unknown("role", role, roles, f"intervention.{name}.roles, {env}"))


def _check_parameters(env: str, given: Mapping[str, Any]) -> None:
    takes = inspect.signature(registry.environments()[env].load()).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in takes):
        return
    names = [parameter.name for parameter in takes]
    for name in given:
        if name not in names:
            raise InputError(unknown("setting", name, names, f"env, {env}"))


def check_agent(agent: str, env: str) -> None:
    """Raise InputError where `agent` is unknown, its variant is, or it does not play `env`."""
    entry, variant = registry.agent_entry(agent)
    plays = getattr(entry.load(), "environments", None)
    if plays is not None and env not in plays:
        able = [name for name in registry.agents() if env in _played_by(name)]
        raise InputError(
            f"agent {agent!r} does not play {env}; it plays {', '.join(sorted(plays))}. Give "
            f"agents=NAME, one of: {', '.join(able)}"
        )
    if variant is not None:
        registry.make_agent(agent, role="any", seed=0)


def _played_by(agent: str) -> Collection[str]:
    """Return the environments that `agent` plays; of one that plays any, all."""
    plays = getattr(registry.agents()[agent].load(), "environments", None)
    return registry.environments() if plays is None else plays


def _asked(design: Design, population: Mapping[str, Player]) -> Mapping[str, Any]:
    """Return how the models of `population` are asked; nothing where there are none.

    Where interventions are made, the texts that they are made with are named.
    """
    if all(player.model is None for player in population.values()):
        return {}
    made = {name for player in population.values() for name in player.interventions}
    return {**design.elicitation, TEXTS: texts_id(made)} if made else design.elicitation
