"""What every registered environment promises, checked on each of them in several settings."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from pettingzoo.test import parallel_api_test, parallel_seed_test

from valuesim import registry
from valuesim.agents.scripted import Random
from valuesim.decision import Decision, Fault
from valuesim.env import Environment, Observation
from valuesim.episode import EpisodeSpec, Player, Turn, play, play_on
from valuesim.errors import InputError
from valuesim.log import RunWriter, read_run
from valuesim.log.lines import decision_lines, encode
from valuesim.option import Amount, Argument, Move, Name, Option, Text
from valuesim.replay.branching.retrace import retraced
from valuesim.values import load_taxonomy

SETTINGS: Mapping[str, list[dict[str, Any]]] = {
    "survival-v0": [
        {},
        {"scarcity": "low", "surveillance": "private", "talk_rounds": 2},
        {"scarcity": {"personal": 4, "shared": 9}, "regrowth": 0.2, "surveillance": "none"},
        {"scarcity": "tight", "agents": 8, "joins_at": 3, "voice": "third", "horizon": 6},
        {"scarcity": 2.5, "agents": 2, "framing": "property", "shuffle_options": False},
    ],
    "prisoners_dilemma-v0": [
        {},
        {"delta": 0.9, "noise": 0.1, "talk": True, "wording": "named", "most_rounds": 6},
        {"price_list": [1, 10, 100], "currency": "dollars", "framing": "loss"},
        {"price_list": [1, 5, 9, 20], "perspective": "predict", "wording": "privacy"},
        {"horizon": 4, "memory": 1, "T": 50, "R": 40, "P": 25, "S": 12, "shuffle_options": False},
    ],
    "stag_hunt-v0": [{}, {"wording": "business", "paraphrase": 1, "talk": True, "horizon": 3}],
    "chicken-v0": [{}, {"wording": "neighbours", "paraphrase": 2, "labels": "XY", "horizon": 4}],
    "battle_of_the_sexes-v0": [{}, {"wording": "privacy", "stake": 10, "talk": True, "horizon": 3}],
    "matching_pennies-v0": [{}, {"wording": "named", "noise": 0.2, "horizon": 5}],
    "matrix_game-v0": [{}, {"wording": "named", "memory": 0, "horizon": 3}],
    "travelers_dilemma-v0": [
        {"horizon": 4},
        {"price_list": [5, 50, 180], "sweeps": "penalty", "wording": "named"},
        {"horizon": 3, "talk": True, "low": 80, "high": 200, "step": 60, "shuffle_options": False},
    ],
    "public_goods-v0": [
        {},
        {"punishment": 2, "horizon": 3, "agents": 3, "marginal_return": 0.5, "wording": "named"},
        {"talk": True, "horizon": 3, "agents": 2, "marginal_return": 0.75, "step": 20},
    ],
    "trust-v0": [{"horizon": 3}, {"price_list": [1, 100, 1000], "wording": "business"}],
    "ultimatum-v0": [{"horizon": 3}, {"price_list": [0.1, 1, 10], "wording": "named"}],
    "dictator-v0": [{"horizon": 3}, {"price_list": [0.1, 1, 10], "perspective": "predict"}],
    "moral_machine-v0": [
        {},
        {"scenes": 3, "panel": 3, "arguments": True, "rule": "supermajority"},
        {"scenes": 4, "both_orders": True, "detail": "picture", "paraphrase": 1},
        {"scenes": 3, "panel": 2, "both_orders": True, "rule": "borda", "labels": "named"},
        {"scenes": 5, "dimension": "random", "perspective": "predict", "shuffle_options": False},
        {"scenes": 2, "both_orders": True, "shuffle_options": False},
    ],
    "dilemmas-v0": [
        {},
        {"pack": "ai_risk", "paraphrase": 1, "labels": "numbers"},
        {"pack": "unfolding", "scenes": None},
        {"pack": "generated", "scenes": 4, "part": 3, "perspective": "predict"},
        {"pack": "generated", "pairs": ["Care/Justice"], "per_pair": 8, "shuffle_options": False},
        {"pack": ["daily", "unfolding", "generated"], "scenes": 6, "per_pair": 1},
    ],
    "questionnaire-v0": [
        {},
        {"instrument": "best_worst", "definitions": False, "perspective": "predict"},
        {"reversed": True, "items": 30, "part": 2, "template": 1, "shuffle_options": False},
        {"instrument": "rating", "reversed": True},
        {"instrument": "bundles", "reversed": True},
        {"instrument": "moral_foundations"},
        {"instrument": "oxford_utilitarianism", "items": 5, "shuffle_options": False},
        {"instrument": "basic_values", "template": 2, "perspective": "predict"},
        {"instrument": "risk_taking", "items": 10, "part": 1},
    ],
}
CASES = [(id, given) for id in registry.environments() for given in SETTINGS.get(id, [{}])]
every_environment = pytest.mark.parametrize(
    ("id", "given"), CASES, ids=[f"{id}-{index}" for index, (id, _) in enumerate(CASES)]
)


def cast(env: Environment, seed: int) -> dict[str, Random]:
    return {role: Random(role=role, seed=seed) for role in env.possible_agents}


def written(turns: list[Turn]) -> bytes:
    options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    return orjson.dumps(turns, default=sorted, option=options)


def extremes(argument: Argument) -> list[Any]:
    match argument:
        case Amount(low=low, high=high):
            return [low, high]
        case Name(names=names):
            return [names[0], names[-1]]
        case Text(longest=longest):
            return ["", "x" * longest]


def ways(option: Option) -> list[Move]:
    """Return `option` with its defaults, with each argument's least and with each one's most."""
    each = {name: extremes(argument) for name, argument in option.arguments.items()}
    ends = [{name: pair[side] for name, pair in each.items()} for side in (0, 1)]
    return [Move(option=option.name, arguments=given) for given in (option.complete({}), *ends)]


def visited(env: Environment, seed: int, every: int = 1) -> Iterator[None]:
    """Play random moves from `seed`, pausing before every `every`-th step."""
    agents = cast(env, seed)
    env.reset(seed=seed)
    while env.agents:
        if env.turn % every == 0:
            yield
        moves = {name: agents[name].choose(env.observe(name)) for name in env.agents}
        env.step(dict(moves))


@every_environment
def test_it_passes_the_checks_of_pettingzoo(id: str, given: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # an agent that all others leave behind before it joins is no error
        warnings.filterwarnings("ignore", "No agents present but not all")
        parallel_api_test(registry.make(id, **given), num_cycles=100)
        parallel_seed_test(lambda: registry.make(id, **given), num_cycles=100)


@every_environment
def test_what_agents_see_lies_in_their_space(id: str, given: dict[str, Any]) -> None:
    env = registry.make(id, **given)
    agents = cast(env, 3)
    states, _ = env.reset(seed=3)
    while env.agents:
        for agent, state in states.items():
            assert env.observation_space(agent).contains(state), (agent, state)
        for agent in env.agents:
            assert env.observation_space(agent).contains(env.observe(agent).state)
        moves = {name: agents[name].choose(env.observe(name)) for name in env.agents}
        states, *_ = env.step(dict(moves))


@every_environment
def test_a_present_agent_always_has_options_with_different_names(
    id: str, given: dict[str, Any]
) -> None:
    env = registry.make(id, **given)
    for _ in visited(env, 5):
        for agent in env.agents:
            names = [option.name for option in env.observe(agent).options]
            assert names
            assert len(set(names)) == len(names)


@every_environment
def test_every_offered_option_can_be_taken(id: str, given: dict[str, Any]) -> None:
    env = registry.make(id, **given)
    for _ in visited(env, 7, every=3):
        before = env.snapshot()
        for agent in env.agents[:3]:
            for option in env.observe(agent).options:
                for move in ways(option):
                    env.step({agent: move})
                    assert agent not in env.notices, (move, env.notices)
                    env.restore(before)


@every_environment
def test_what_is_not_offered_abstains_and_is_told(id: str, given: dict[str, Any]) -> None:
    env = registry.make(id, **given)
    names = {move.option for move in env.catalogue} | {"NO_SUCH_OPTION"}
    for _ in visited(env, 11, every=4):
        before = env.snapshot()
        env.step({})
        abstained = env.world
        env.restore(before)
        for agent in env.agents[:2]:
            offered = {option.name for option in env.observe(agent).options}
            for name in sorted(names - offered):
                env.step({agent: Move(option=name)})
                assert env.world == abstained, name
                assert name in env.notices[agent]
                if agent in env.agents:
                    assert env.observe(agent).text.startswith(env.notices[agent])
                env.restore(before)


@every_environment
def test_a_catalogue_index_is_masked_exactly_when_it_would_abstain(
    id: str, given: dict[str, Any]
) -> None:
    env = registry.make(id, **given)
    for _ in visited(env, 13, every=5):
        before = env.snapshot()
        agent = env.agents[-1]
        mask = env.observe(agent).state["action_mask"]
        assert mask.any()
        for action, allowed in enumerate(mask):
            env.step({agent: action})
            assert (agent not in env.notices) == bool(allowed), env.catalogue[action]
            env.restore(before)


@every_environment
async def test_the_same_seed_gives_the_same_bytes(id: str, given: dict[str, Any]) -> None:
    first, second = (registry.make(id, **given) for _ in range(2))
    turns = await play(first, cast(first, 1), 17)
    assert written(turns) == written(await play(second, cast(second, 1), 17))
    assert written(turns) == written(await play(first, cast(first, 1), 17)), "no trace of a past"


@every_environment
async def test_a_restored_snapshot_goes_on_to_the_same_bytes(
    id: str, given: dict[str, Any]
) -> None:
    env = registry.make(id, **given)
    steps = visited(env, 19)
    for _ in range(3):
        next(steps)
    middle = env.snapshot()
    once = written(await play_on(env, cast(env, 2)))
    env.restore(middle)
    assert once == written(await play_on(env, cast(env, 2)))
    other = registry.make(id, **given)
    other.restore(middle)
    assert once == written(await play_on(other, cast(other, 2))), "in a new instance as well"


@every_environment
async def test_random_play_ends_and_can_be_measured(id: str, given: dict[str, Any]) -> None:
    env = registry.make(id, **given)
    for seed in range(15):
        turns = await play(env, cast(env, seed), seed)
        assert turns
        orjson.dumps(env.measure(turns))
        for turn in turns:
            assert set(turn.effects) >= set(turn.decisions)
            assert not any(decision.fault for decision in turn.decisions.values())


@every_environment
def test_rules_never_change_and_name_nobody_in_particular(id: str, given: dict[str, Any]) -> None:
    env = registry.make(id, **given)
    rules = {env.observe(agent).rules for _ in visited(env, 23) for agent in env.agents}
    assert rules == {env.rules}
    assert not [agent for agent in env.possible_agents if agent in env.rules]


@every_environment
def test_the_condition_is_flat_json(id: str, given: dict[str, Any]) -> None:
    condition = registry.make(id, **given).condition
    assert orjson.loads(orjson.dumps(condition)) == condition
    assert all(isinstance(level, str | int | float | bool | None) for level in condition.values())


@every_environment
def test_the_order_of_options_is_drawn_unless_told_not_to(id: str, given: dict[str, Any]) -> None:
    env = registry.make(id, **given)
    orders = set()
    for seed in range(20):
        env.reset(seed=seed)
        orders.add(tuple(option.name for option in env.observe(env.agents[0]).options))
    assert (len(orders) > 1) == env.shuffle_options
    assert len({tuple(sorted(order)) for order in orders}) == 1


@pytest.mark.parametrize("id", registry.environments())
def test_the_environment_is_a_page(id: str) -> None:
    kind = registry.environments()[id].load()
    page = sys.modules[registry.environments()[id].target.partition(":")[0]].__doc__ or ""
    assert kind.id == id
    assert "| option |" in page
    assert "**Source.**" in page
    assert "**Versions.**" in page


@pytest.mark.parametrize("id", registry.environments())
def test_bad_parameters_are_refused_by_name(id: str) -> None:
    with pytest.raises(InputError, match="no_such_parameter"):
        registry.make(id, no_such_parameter=1)
    with pytest.raises(InputError, match="render_mode"):
        registry.make(id, render_mode="hologram")


@every_environment
def test_stakes_are_values_of_the_taxonomy(id: str, given: dict[str, Any]) -> None:
    env = registry.make(id, **given)
    known = set(load_taxonomy(env.taxonomy).names)
    seen = {
        (value, stake)
        for _ in visited(env, 29)
        for agent in env.agents
        for option in env.observe(agent).options
        for value, stake in option.stakes.items()
    }
    assert {value for value, _ in seen} <= known
    assert seen or env.is_scale, "points of a scale put no value at stake; they are scored apart"
    assert all(np.isfinite(stake) and -1 <= stake <= 1 for _, stake in seen)


class Stumbling(Random):
    """Chooses at random, and now and then makes each kind of fault, or what cannot be done."""

    async def decide(self, observation: Observation) -> Decision:
        made = await super().decide(observation)
        slip = int(self.rng.integers(12))
        if slip < len(Fault):
            fault = list(Fault)[slip]
            return replace(made, option=None, arguments={}, fault=fault, fault_detail="slipped")
        return replace(made, option="FLY", arguments={"to": 3}) if slip == len(Fault) else made


def logged(turns: list[Turn], episode: str = "e") -> list[bytes]:
    """Return the lines of `turns` as the log holds them, less what stands under "time"."""
    lines = [line for turn in turns for line in decision_lines(episode, 0, turn, "")]
    return [encode({**line, "time": None}) for line in lines]


@every_environment
@pytest.mark.parametrize("agent", [Random, Stumbling])
async def test_it_is_played_again_from_its_log_turn_for_turn(
    id: str, given: dict[str, Any], agent: type[Random], tmp_path: Path
) -> None:
    env = registry.make(id, **given)
    players = {role: Player(agent="random") for role in env.possible_agents}
    spec = EpisodeSpec(env=id, parameters=given, population=players, elicitation={}, seed=7)
    agents = {role: agent(role=role, seed=3) for role in players}
    with RunWriter(tmp_path) as writer:
        writer.describe({})
        turns = await play(env, agents, spec.seed, lambda turn: writer.turn(spec.id, turn))
        writer.finish(spec, env, turns)
    run = read_run(tmp_path)
    told = run.episodes[spec.id].spec
    assert told.id == spec.id
    assert logged(await retraced(told, list(run.decisions()))) == logged(turns)
