"""Episodes played again from their log: identical turn for turn, or told where they are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from valuesim import registry
from valuesim.agents.interventions import build
from valuesim.agents.prompt import Elicitation, prompt_of
from valuesim.agents.scripted import Random
from valuesim.decision import Agent, Decision
from valuesim.episode import EpisodeSpec, Player, Turn, play
from valuesim.errors import Departed, InputError, LogError
from valuesim.log import DecisionRecord, RunFolder, RunWriter, read_run
from valuesim.observation import Observation
from valuesim.option import Amount, Name, Option
from valuesim.replay.branching.restore import restored
from valuesim.replay.branching.retrace import retraced


def spec_of(env: str, given: Mapping[str, Any], agent: str, seed: int = 7) -> EpisodeSpec:
    roles = registry.make(env, **given).possible_agents
    players = {role: Player(agent=agent) for role in roles}
    return EpisodeSpec(env=env, parameters=given, population=players, elicitation={}, seed=seed)


async def play_into(folder: Path, spec: EpisodeSpec, agents: Mapping[str, Agent]) -> list[Turn]:
    env = registry.make(spec.env, **spec.parameters)
    with RunWriter(folder) as writer:
        writer.describe({"config": {}})
        turns = await play(env, agents, spec.seed, lambda turn: writer.turn(spec.id, turn))
        writer.finish(spec, env, turns)
    return turns


def read(folder: Path) -> tuple[EpisodeSpec, list[DecisionRecord], RunFolder]:
    run = read_run(folder)
    (episode,) = run.episodes.values()
    return episode.spec, list(run.decisions()), run


@pytest.fixture
async def survival(tmp_path: Path) -> Path:
    spec = spec_of("survival-v0", {"joins_at": 3, "talk_rounds": 1, "horizon": 5}, "random")
    agents = {role: Random(role=role, seed=spec.agent_seed) for role in spec.population}
    await play_into(tmp_path / "run", spec, agents)
    return tmp_path / "run"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"text": "Another."}, "in its text"),
        ({"rules_id": "0" * 12}, "in its rules"),
        ({"view": {}}, "in its view"),
        ({"annotations": {"x": 1}}, "in its annotations"),
        ({"options": ()}, "in its options"),
        ({"effect": {"payoff": 3.0}}, "the effect now"),
        ({"payoff": 9.0}, "the payoff now"),
    ],
)
async def test_what_was_changed_in_a_log_is_told_with_its_place(
    survival: Path, changed: dict[str, Any], told: str
) -> None:
    spec, records, _ = read(survival)
    records[7] = replace(records[7], **changed)
    with pytest.raises(Departed, match=told) as raised:
        await retraced(spec, records)
    assert (raised.value.step, raised.value.role) == (records[7].step, records[7].role)


async def test_options_in_another_order_are_told(survival: Path) -> None:
    spec, records, _ = read(survival)
    records[5] = replace(records[5], options=records[5].options[::-1])
    with pytest.raises(Departed, match="in its options"):
        await retraced(spec, records)


async def test_a_decision_that_is_missing_or_too_many_is_told(survival: Path) -> None:
    spec, records, _ = read(survival)
    with pytest.raises(Departed, match="the log holds no decision of it"):
        await retraced(spec, records[:6] + records[7:])
    with pytest.raises(Departed, match="nobody is asked now"):
        await retraced(spec, [*records, replace(records[0], step=99)])


async def test_another_decision_is_told_at_what_it_changes(survival: Path) -> None:
    spec, records, _ = read(survival)
    tried = 0
    for place, record in enumerate(records):
        others = [o for o in record.options if o.name != record.chosen and not o.arguments]
        for other in others[:1]:
            changed = replace(record, chosen=other.name, arguments={})
            with pytest.raises(Departed):
                await retraced(spec, [*records[:place], changed, *records[place + 1 :]])
            tried += 1
    assert tried > 20


def test_a_line_of_an_earlier_version_is_shown_and_not_played_again(survival: Path) -> None:
    path = survival / "episodes.jsonl"
    line = path.read_bytes()
    start = line.index(b'"parameters":{"horizon"')
    end = line.index(b'"population"')
    path.write_bytes(line[:start] + line[end:])
    (episode,) = read_run(survival).episodes.values()
    with pytest.raises(InputError, match="is shown, and not played again"):
        _ = episode.spec


def test_a_line_that_was_changed_is_told(survival: Path) -> None:
    path = survival / "episodes.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"horizon":5', b'"horizon":6'))
    (episode,) = read_run(survival).episodes.values()
    with pytest.raises(LogError, match="was changed"):
        _ = episode.spec


async def test_no_file_is_read_outside_of_what_is_shown(tmp_path: Path) -> None:
    (tmp_path / "shown").mkdir()
    secret = tmp_path / "secret.yaml"
    secret.write_text("password: x")
    inside = [tmp_path / "shown"]
    for env, given in (
        ("dilemmas-v0", {"pack": str(secret)}),
        ("dilemmas-v0", {"pack": ["daily", str(tmp_path / "shown" / ".." / "secret.yaml")]}),
        ("matrix_game-v0", {"table": str(secret)}),
    ):
        player = {"Alpha": Player(agent="random")}
        spec = EpisodeSpec(env=env, parameters=given, population=player, elicitation={}, seed=1)
        with pytest.raises(InputError, match="lies outside") as raised:
            await retraced(spec, [], within=inside)
        assert "password" not in str(raised.value)


async def test_shipped_packs_are_read_whatever_is_shown(tmp_path: Path) -> None:
    spec = spec_of("dilemmas-v0", {"pack": ["daily", "generated"]}, "random")
    agents = {role: Random(role=role, seed=1) for role in spec.population}
    await play_into(tmp_path / "run", spec, agents)
    told, records, _ = read(tmp_path / "run")
    assert await retraced(told, records, within=[tmp_path])


async def test_a_scripted_agent_is_restored_with_the_lots_it_drew(survival: Path) -> None:
    spec, records, _ = read(survival)
    for step in {record.step for record in records}:
        agents = {role: Random(role=role, seed=spec.agent_seed) for role in spec.population}
        start = await restored(spec, records, step, agents)
        assert start.env.turn == step
        here = [record for record in records if record.step == step]
        for record in here:
            seen = start.env.observe(record.role)
            made = await agents[record.role].decide(seen)
            assert (made.option, made.arguments) == (record.chosen, record.arguments)


async def test_a_memory_is_the_same_in_whichever_order_a_reply_named_arguments() -> None:
    gift = Option(
        name="GIVE",
        text="Give.",
        arguments={"to": Name(names=("Beta",)), "amount": Amount(low=0, high=9)},
    )
    seen = Observation(agent="Alpha", step=0, text="Now.", rules="", options=(gift,))
    added = []
    for names in (("to", "amount"), ("amount", "to")):
        given = {name: {"to": "Beta", "amount": 2}[name] for name in names}
        (memory,) = build({"memory": {"kind": "recent"}}, role="Alpha", seed=0)
        memory.saw(seen, Decision(agent="Alpha", step=0, option="GIVE", arguments=given))
        prompt = await memory.recall(prompt_of(seen, Elicitation()), seen, {"remembered": 1})
        added.append(prompt.added)
    assert added[0] == added[1]
    assert "to Beta, amount 2" in added[0][0].text


async def test_an_agent_that_decides_otherwise_is_told(survival: Path) -> None:
    spec, records, _ = read(survival)
    agents = {role: Random(role=role, seed=1) for role in spec.population}
    with pytest.raises(Departed, match="the agent decides otherwise"):
        await restored(spec, records, 4, agents)


async def test_an_agent_that_takes_in_no_log_is_named(survival: Path) -> None:
    class Plain:
        async def decide(self, observation: Observation) -> Decision:
            return Decision(agent=observation.agent, step=observation.step, option="WAIT")

    spec, records, _ = read(survival)
    agents = {role: Plain() for role in spec.population}
    with pytest.raises(InputError, match="agent 'random', which plays Alpha, cannot be brought"):
        await restored(spec, records, 4, agents)


async def test_the_numbers_an_agent_reads_are_there_when_it_takes_in_a_log(survival: Path) -> None:
    class Numerate(Random):
        reads_state = True

        def choose(self, observation: Observation) -> Any:
            assert observation.state["observation"].dtype == np.float32
            return super().choose(observation)

    spec, records, _ = read(survival)
    agents = {role: Numerate(role=role, seed=spec.agent_seed) for role in spec.population}
    await restored(spec, records, 3, agents)
