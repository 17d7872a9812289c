"""Branches: episodes that leave another one at a step, with something changed or with nothing."""

from __future__ import annotations

import asyncio
import io
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import orjson
import pytest
import yaml

from valuesim import registry
from valuesim.agents.human import Human
from valuesim.agents.llm import connect
from valuesim.agents.llm.mock_labels import completion_of
from valuesim.cli import main
from valuesim.decision import Decision
from valuesim.engine import Connection, run
from valuesim.engine.progress import Progress
from valuesim.episode import Chain, EpisodeSpec, Player, Turn
from valuesim.errors import STOPPED, Departed, InputError, Interruption, LogError
from valuesim.log import DecisionRecord, RunWriter, find_runs, read_run
from valuesim.observation import Observation
from valuesim.option import Move
from valuesim.replay.branching.branch import (
    Connect,
    Parent,
    branch,
    no_models,
    parent_of,
    parent_opened,
)
from valuesim.replay.branching.fork import Changes, forked
from valuesim.replay.branching.retrace import retraced
from valuesim.replay.branching.tree import branches_of
from valuesim.replay.indexing.naming import place_of
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.watching.moments import opened

NOW = datetime(2030, 1, 1, tzinfo=UTC)
MOCK = {"provider": "mock", "name": "mock"}
DIFFERING = ("episode", "latency")
SURVIVAL = {"scarcity": "low", "talk_rounds": 1, "joins_at": 3, "horizon": 6}
CAST: Mapping[str, tuple[Mapping[str, Any], Sequence[str]]] = {
    "survival-v0": (SURVIVAL, ["random", "altruist", "mute", "context_dependent", "first:0.5"]),
    "prisoners_dilemma-v0": (
        {"delta": 0.9, "noise": 0.2, "talk": True, "most_rounds": 8},
        ["memory_one:0.9,0.2,0.7,0.3", "generous_tit_for_tat"],
    ),
    "public_goods-v0": ({"punishment": 2, "horizon": 3}, ["random"]),
    "travelers_dilemma-v0": ({"horizon": 4}, ["logit:0.1", "level_k:0"]),
    "trust-v0": ({"horizon": 3}, ["fair_splitter", "random"]),
    "moral_machine-v0": ({"scenes": 4, "panel": 3, "arguments": True}, ["valued:utilitarian"]),
    "dilemmas-v0": ({"pack": "unfolding", "scenes": None}, ["valued:protector"]),
    "questionnaire-v0": ({"instrument": "best_worst", "items": 9}, ["random"]),
}


def spec_of(env: str, seed: int = 11, **more: Any) -> EpisodeSpec:
    given, agents = CAST[env]
    roles = registry.make(env, **given).possible_agents
    players = {r: Player(agent=agents[k % len(agents)]) for k, r in enumerate(roles)}
    base = {"population": players, "elicitation": {}}
    return EpisodeSpec(env=env, parameters=given, seed=seed, **(base | more))


def models(*made: Mapping[str, Any], **given: Any) -> EpisodeSpec:
    """Return an episode of survival in which the mock model plays all, with interventions."""
    roles = registry.make("survival-v0", **SURVIVAL).possible_agents
    parameters = {"interventions": list(made)} if made else {}
    player = Player(agent="llm", model=MOCK, parameters=parameters)
    elicitation = {"format": "json", "ask_rationale": True}
    players = dict.fromkeys(roles, player)
    return spec_of("survival-v0", population=players, elicitation=elicitation, **given)


@asynccontextmanager
async def mocked(spec: EpisodeSpec) -> AsyncIterator[Mapping[str, Connection]]:
    asked = [role for role, player in spec.population.items() if player.model is not None]
    elicitation = {k: v for k, v in spec.elicitation.items() if k != "intervention_texts"}
    connection = connect(MOCK, elicitation, np.random.default_rng(0)) if asked else None
    yield {role: connection for role in asked if connection is not None}
    if connection is not None:
        await connection.close()


async def played(
    folder: Path, *specs: EpisodeSpec, connections: Connect = mocked
) -> Callable[[EpisodeSpec], Parent]:
    """Play `specs` into `folder`; return what gives one of them to be left."""
    async with connections(specs[0]) as answering:
        with RunWriter(folder) as writer:
            writer.describe({"config": {}})
            progress = Progress(io.StringIO(), "none")
            await run(specs, writer, answering, concurrency=4, progress=progress)
    return lambda spec: parent_of(folder, spec.id)


def told(records: Sequence[DecisionRecord]) -> list[tuple[Any, ...]]:
    """Return all that records hold but their episode and latency, by step and role."""
    fields = [each for each in DecisionRecord.__dataclass_fields__ if each not in DIFFERING]
    lines = [tuple(getattr(record, name) for name in fields) for record in records]
    return sorted(lines, key=lambda each: each[:2])


def by(records: Sequence[DecisionRecord], step: int, role: str) -> DecisionRecord:
    return next(each for each in records if (each.step, each.role) == (step, role))


def when_it_may(parent: Parent, option: str) -> int:
    """Return the first step at which Alpha may take `option`."""
    own = (each for each in parent.records if each.role == "Alpha")
    return next(each.step for each in own if option in {o.name for o in each.options})


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


# -- with nothing changed ------------------------------------------------------------------------


@pytest.mark.parametrize("env", CAST)
async def test_a_fork_without_a_change_is_its_parent_turn_for_turn(
    env: str, tmp_path: Path
) -> None:
    spec = spec_of(env)
    parent = (await played(tmp_path / "run", spec))(spec)
    before = content(tmp_path / "run")
    for step in range(parent.episode.steps):
        folder = await branch(tmp_path, parent, step, Changes(), now=NOW)
        left = parent_of(folder, folder.name)
        assert told(left.records) == told(parent.records)
        assert left.episode.outcome == parent.episode.outcome
        assert left.episode.measures == parent.episode.measures
        own = [each for each in parent.records if each.step >= step]
        assert left.episode.decisions == len(own)
        assert len(await retraced(left.episode.spec, left.records)) == left.episode.steps
    assert content(tmp_path / "run") == before


INTERVENTIONS: Sequence[Mapping[str, Any]] = [
    {"persona": {"text": "A nurse."}},
    {"emotion": {"weight": 0.3}},
    {"assessment": {"kind": "both"}},
    {"council": {"perspectives": 2}},
    {"memory": {"kind": "recent", "last": 3}},
    {"memory": {"kind": "summary", "words": 10}},
    {"memory": {"kind": "guilt"}},
    {"esrs": {"arm": "full_memory"}},
    {"policy": {"framework": "utilitarian"}},
    {"weights": {"values": {"Care": 0.9}}},
    {"correction": {"mode": "reasoning"}},
    {"pressure": {"level": 3}},
    {"hint": {}},
    {"reflection": {}},
]


@pytest.mark.parametrize("made", INTERVENTIONS, ids=[str(each) for each in INTERVENTIONS])
async def test_a_model_remembers_in_a_fork_what_it_remembered(
    made: Mapping[str, Any], tmp_path: Path
) -> None:
    spec = models(made)
    parent = (await played(tmp_path / "run", spec))(spec)
    for step in (0, 4, parent.episode.steps - 1):
        folder = await branch(tmp_path, parent, step, Changes(), now=NOW, connect=mocked)
        assert told(parent_of(folder, folder.name).records) == told(parent.records)


@pytest.mark.parametrize("format", ["json_schema", "name", "logprobs"])
async def test_however_a_model_is_asked_it_answers_again(format: str, tmp_path: Path) -> None:
    letters = {"max_tokens": 8, "ask_rationale": False} if format == "logprobs" else {}
    asked = {"format": format, **letters}
    spec = replace(models({"memory": {"kind": "recent"}}), elicitation=asked)
    parent = (await played(tmp_path / "run", spec))(spec)
    folder = await branch(tmp_path, parent, 4, Changes(), now=NOW, connect=mocked)
    assert told(parent_of(folder, folder.name).records) == told(parent.records)


async def test_faults_and_second_tries_of_a_model_are_had_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumbling(body: Mapping[str, Any], seed: int) -> tuple[str, Any]:
        slip = crc32(orjson.dumps([body, seed], dict)) % 4
        said = ["I cannot help with that.", '{"action": {"option": "FLY"}}', "Hm.", None][slip]
        return completion_of(body, seed) if said is None else (said, None)

    monkeypatch.setattr("valuesim.agents.llm.mock_chat.completion_of", stumbling)
    spec = models({"memory": {"kind": "recent"}}, {"memory": {"kind": "recent"}})
    parent = (await played(tmp_path / "run", spec))(spec)
    assert len(parent.episode.faults) >= 2
    assert any(each.tries for each in parent.records)
    for step in (2, 5):
        folder = await branch(tmp_path, parent, step, Changes(), now=NOW, connect=mocked)
        assert told(parent_of(folder, folder.name).records) == told(parent.records)


async def test_all_interventions_together_are_restored(tmp_path: Path) -> None:
    names: dict[str, Mapping[str, Any]] = {}
    for each in INTERVENTIONS:
        names |= each
    spec = models(*({name: own} for name, own in names.items()))
    parent = (await played(tmp_path / "run", spec))(spec)
    folder = await branch(tmp_path, parent, 5, Changes(), now=NOW, connect=mocked)
    assert told(parent_of(folder, folder.name).records) == told(parent.records)


async def test_an_episode_of_a_chain_is_left_with_what_it_started_with(tmp_path: Path) -> None:
    made: list[Mapping[str, Any]] = [{"reflection": {}}, {"assessment": {"rules": True}}]
    specs = [
        models(*made, seed=seed, chain=Chain(first=1, place=place, length=3))
        for place, seed in enumerate((1, 2, 3))
    ]
    at = await played(tmp_path / "run", *specs)
    for spec in specs:
        parent = at(spec)
        assert bool(parent.brought) is (spec is not specs[0])
        folder = await branch(tmp_path, parent, 3, Changes(), now=NOW, connect=mocked)
        left = parent_of(folder, folder.name)
        assert told(left.records) == told(parent.records)
        assert left.episode.chain == spec.chain


async def test_a_chain_whose_earlier_episode_is_gone_is_refused(tmp_path: Path) -> None:
    specs = [
        models({"reflection": {}}, seed=seed, chain=Chain(first=1, place=place, length=2))
        for place, seed in enumerate((1, 2))
    ]
    await played(tmp_path / "run", *specs)
    path = tmp_path / "run" / "episodes.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line for line in lines if specs[0].id.encode() not in line))
    with pytest.raises(InputError, match="what its agents remember cannot be had"):
        parent_of(tmp_path / "run", specs[1].id)


async def test_answers_that_the_log_lost_are_told_not_made_up(tmp_path: Path) -> None:
    spec = models({"memory": {"kind": "summary", "words": 10}})
    await played(tmp_path / "run", spec)
    path = tmp_path / "run" / "decisions.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"notes":"', b'"note":"'))
    parent = parent_of(tmp_path / "run", spec.id)
    with pytest.raises(Departed, match="what memory was answered"):
        await branch(tmp_path, parent, 4, Changes(), now=NOW, connect=mocked)
    path.write_bytes(path.read_bytes().replace(b'"note":"', b'"notes":"More: '))
    parent = parent_of(tmp_path / "run", spec.id)
    with pytest.raises(Departed, match="memory adds something else"):
        await branch(tmp_path, parent, 4, Changes(), now=NOW, connect=mocked)
    assert not (tmp_path / "branches").exists()


# -- with something changed ----------------------------------------------------------------------


@pytest.fixture
async def scripted(tmp_path: Path) -> Parent:
    spec = spec_of("survival-v0")
    return (await played(tmp_path / "run", spec))(spec)


async def left_by(root: Path, parent: Parent, step: int, changes: Changes, **more: Any) -> Parent:
    folder = await branch(root, parent, step, changes, now=NOW, **more)
    left = parent_of(folder, folder.name)
    # whatever was changed, it can be played again from its log
    await retraced(left.episode.spec, left.records)
    return left


async def test_a_decision_is_given_and_is_nobodys_own(tmp_path: Path, scripted: Parent) -> None:
    step = next(
        r.step
        for r in scripted.records
        if r.role == "Alpha" and any(o.name == "MOVE_GRID" for o in r.options)
    )
    changes = Changes(moves={"Alpha": Move(option="MOVE_GRID")})
    left = await left_by(tmp_path, scripted, step, changes)
    given = by(left.records, step, "Alpha")
    assert (given.chosen, given.attempts, given.reply) == ("MOVE_GRID", 0, "")
    assert given.effect["place"] == "GRID"
    # what others decided at the same moment stays, and is no evidence a second time
    others = [r for r in scripted.records if r.step == step and r.role != "Alpha"]
    assert all(by(left.records, step, r.role).chosen == r.chosen for r in others)
    own = list(read_run(left.run).decisions())
    assert own
    assert all(record.step > step for record in own)
    assert left.episode.decisions == len(own)


async def test_another_message_is_heard(tmp_path: Path) -> None:
    spec = models()
    parent = (await played(tmp_path / "run", spec))(spec)
    said = next(r for r in parent.records if r.chosen == "TALK")
    changes = Changes(messages={said.role: "There is a dragon."})
    left = await left_by(tmp_path, parent, said.step, changes, connect=mocked)
    spoken = by(left.records, said.step, said.role)
    assert spoken.arguments == {**said.arguments, "message": "There is a dragon."}
    assert any(
        "dragon" in r.text for r in left.records if r.step == said.step + 1 and r.role != said.role
    )


async def test_another_agent_goes_on_from_there(tmp_path: Path, scripted: Parent) -> None:
    changes = Changes(players={"Alpha": Player(agent="exploitative")})
    left = await left_by(tmp_path, scripted, 4, changes)
    assert left.episode.population["Alpha"].agent == "exploitative"
    acts = [r for r in left.records if r.role == "Alpha" and r.step >= 4]
    assert "MOVE_GRID" in {r.chosen for r in acts}
    assert told([r for r in left.records if r.step < 4]) == told(
        [r for r in scripted.records if r.step < 4]
    )


async def test_a_persona_and_a_memory_are_added_to_a_model(tmp_path: Path) -> None:
    spec = models({"memory": {"kind": "summary", "words": 10}})
    parent = (await played(tmp_path / "run", spec))(spec)
    made = [
        {"persona": {"text": "A pirate."}},
        {"memory": {"kind": "summary", "words": 10}},
        {"esrs": {"arm": "full"}},
    ]
    player = Player(agent="llm", model=MOCK, parameters={"interventions": made})
    changes = Changes(players={"Beta": player})
    left = await left_by(tmp_path, parent, 4, changes, connect=mocked)
    added = by(left.records, 4, "Beta").added
    assert [each.by for each in added] == ["persona", "memory", "esrs", "esrs"]
    # the notes go on from those of the parent
    assert by(left.records, 4, "Beta").interventions["memory"]["new"]
    assert left.episode.elicitation["intervention_texts"]
    again = await left_by(tmp_path, left, 6, Changes(), connect=mocked)
    assert told(again.records) == told(left.records)


async def test_a_model_takes_over_from_a_script(tmp_path: Path, scripted: Parent) -> None:
    made = {"interventions": [{"memory": {"kind": "recent", "last": 2}}]}
    changes = Changes(players={"Beta": Player(agent="llm", model=MOCK, parameters=made)})
    with pytest.raises(InputError, match="say how one is to be"):
        await branch(tmp_path, scripted, 4, changes, now=NOW, connect=mocked)
    asked = {"format": "json", "ask_rationale": False}
    left = await left_by(tmp_path, scripted, 4, changes, connect=mocked, elicitation=asked)
    assert by(left.records, 4, "Beta").interventions == {"memory": {"remembered": 2}}
    assert by(left.records, 4, "Beta").reply


async def test_somebody_takes_over_a_role(tmp_path: Path, scripted: Parent) -> None:
    class Somebody(Human):
        async def decide(self, observation: Observation) -> Decision:
            return Decision(agent=observation.agent, step=observation.step, option="SAY_NOTHING")

    class Seat:
        counters = None

        def agent(self, role: str, seed: int, parameters: Any, episode: str) -> Somebody:
            return Somebody(role, seed)

        async def close(self) -> None:
            pass

    @asynccontextmanager
    async def seated(spec: EpisodeSpec) -> AsyncIterator[Mapping[str, Connection]]:
        yield {"agent:human": Seat()}

    changes = Changes(players={"Alpha": Player(agent="human")})
    left = await left_by(tmp_path, scripted, 4, changes, connect=seated)
    own = [each for each in left.records if each.role == "Alpha" and each.step >= 4]
    assert {each.chosen or str(each.fault) for each in own} <= {"SAY_NOTHING", "illegal"}
    again = await left_by(tmp_path, left, 6, Changes(), connect=seated)
    assert told(again.records) == told(left.records)


async def test_an_episode_of_a_large_run_is_left_without_reading_all_of_it(
    tmp_path: Path, scripted: Parent, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(tmp_path)
    found = opened(shelf, place_of(scripted.run, tmp_path).id, scripted.episode.id)
    monkeypatch.setattr("valuesim.replay.branching.branch.read_run", None)
    parent = parent_opened(found)
    assert parent == replace(scripted, records=list(parent.records))
    assert told(parent.records) == told(scripted.records)
    folder = await branch(tmp_path, parent, 4, Changes(), now=NOW)
    assert folder.is_dir()


async def test_a_number_of_a_stranger_that_is_large_is_no_trouble(
    tmp_path: Path, scripted: Parent
) -> None:
    with pytest.raises(InputError, match="has no step"):
        await branch(tmp_path, scripted, 10**15, Changes(), now=NOW)


async def test_another_seed_changes_lots_from_there_on(tmp_path: Path, scripted: Parent) -> None:
    left = await left_by(tmp_path, scripted, 4, Changes(seed=5))
    other = await left_by(tmp_path, scripted, 4, Changes(seed=6))
    assert told([r for r in left.records if r.step < 4]) == told(
        [r for r in scripted.records if r.step < 4]
    )
    later = [told([r for r in p.records if r.step >= 4]) for p in (scripted, left, other)]
    assert later[0] != later[1] != later[2] != later[0]


async def test_the_world_is_set(tmp_path: Path, scripted: Parent) -> None:
    changes = Changes(world={"shared": 77.0, "power Alpha": 3.5})
    left = await left_by(tmp_path, scripted, 4, changes)
    seen = by(left.records, 4, "Alpha").annotations
    assert (seen["shared"], seen["power"]) == (77.0, 3.5)


async def test_branches_leave_branches_at_later_and_at_the_same_step(
    tmp_path: Path, scripted: Parent
) -> None:
    first = await left_by(
        tmp_path, scripted, 3, Changes(seed=2, players={"Alpha": Player(agent="random")})
    )
    second = await left_by(tmp_path, first, 6, Changes(world={"shared": 50.0}))
    third = await left_by(tmp_path, second, 6, Changes(players={"Beta": Player(agent="random")}))
    for parent in (first, second, third):
        same = await left_by(tmp_path, parent, 7, Changes())
        assert told(same.records) == told(parent.records)
    early = await left_by(tmp_path, third, 6, Changes())
    assert told(early.records) == told(third.records)
    (top,) = branches_of(tmp_path)
    assert (top.parent_run, top.parent_episode, top.step) == ("run", scripted.episode.id, 3)
    assert {each.id for each in top.branches} > {second.episode.id}


async def test_what_was_given_stays_given_in_a_branch_at_the_same_step(
    tmp_path: Path, scripted: Parent
) -> None:
    step = next(
        r.step
        for r in scripted.records
        if r.role == "Alpha" and any(o.name == "MOVE_GRID" for o in r.options)
    )
    given = Changes(moves={"Alpha": Move(option="MOVE_GRID")})
    first = await left_by(tmp_path, scripted, step, given)
    assert told((await left_by(tmp_path, first, step, Changes())).records) == told(first.records)
    second = await left_by(tmp_path, first, step, Changes(moves={"Beta": Move(option="WAIT")}))
    assert by(second.records, step, "Alpha").chosen == "MOVE_GRID"
    assert by(second.records, step, "Beta").chosen == "WAIT"


REFUSED: Sequence[tuple[int, Changes, str]] = [
    (99, Changes(), "has no step 99"),
    (-1, Changes(), "a whole number from 0"),
    (2, Changes(moves={"Zeta": Move(option="WAIT")}), "unknown role 'Zeta'"),
    (2, Changes(moves={"Alpha": Move(option="FLY")}), "'FLY' was not on offer"),
    (2, Changes(messages={"Alpha": "Hi"}), "could be another message"),
    (2, Changes(players={"Alpha": Player(agent="tit_for_tat")}), "does not play survival"),
    (2, Changes(players={"Alpha": Player(agent="nobody")}), "unknown agent"),
    (2, Changes(players={"Alpha": Player(agent="llm")}), "a model is needed"),
    (2, Changes(players={"Alpha": Player(agent="random", model=MOCK)}), "no model is behind it"),
    (2, Changes(players={"Alpha": Player(agent="llm", model=MOCK)}), "say how one is to be"),
    (2, Changes(world={"weather": 1.0}), "unknown edit 'weather'"),
    (2, Changes(world={"shared": -1.0}), "a number from 0 to 1000"),
    (2, Changes(world={"power Alpha": float("nan")}), "a number from"),
]


@pytest.mark.parametrize(("step", "changes", "why"), REFUSED, ids=[each[2] for each in REFUSED])
async def test_what_cannot_be_changed_is_refused_before_anything_is_written(
    step: int, changes: Changes, why: str, tmp_path: Path, scripted: Parent
) -> None:
    with pytest.raises(InputError, match=why):
        await branch(tmp_path, scripted, step, changes, now=NOW)
    assert not (tmp_path / "branches").exists()


async def test_nothing_is_set_where_a_family_lets_nothing_be_set(tmp_path: Path) -> None:
    spec = spec_of("trust-v0")
    parent = (await played(tmp_path / "run", spec))(spec)
    with pytest.raises(InputError, match="nothing in the world of trust-v0 can be set"):
        await branch(tmp_path, parent, 1, Changes(world={"pie": 3.0}), now=NOW)


# -- as a run folder -----------------------------------------------------------------------------


async def test_a_branch_says_what_it_leaves(tmp_path: Path, scripted: Parent) -> None:
    changes = Changes(world={"shared": 77.0}, players={"Alpha": Player(agent="random")}, seed=4)
    folder = await branch(tmp_path, scripted, 4, changes, now=NOW)
    said = yaml.safe_load((folder / "run.yaml").read_text())
    assert folder.parent == tmp_path / "branches"
    # Alpha was played by chance before
    changes = replace(changes, players={})
    assert said["parent"] == {
        "run": "run",
        "episode": scripted.episode.id,
        "step": 4,
        "changes": changes.plain(),
    }
    (episode,) = read_run(folder).episodes.values()
    assert episode.fork is not None
    assert (episode.fork.parent, episode.fork.step) == (scripted.episode.id, 4)
    assert episode.id == folder.name != scripted.episode.id


async def test_branches_are_no_part_of_what_counts(
    tmp_path: Path, scripted: Parent, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["graph", str(tmp_path), "--json", "-"]) == 0
    alone = capsys.readouterr().out
    folder = await branch(tmp_path, scripted, 4, Changes(seed=3), now=NOW)
    assert find_runs([tmp_path]) == [tmp_path / "run"]
    assert find_runs([tmp_path / "branches"]) == [folder]
    assert find_runs([folder]) == [folder]
    assert find_runs([tmp_path, folder]) == [folder, tmp_path / "run"]
    assert main(["graph", str(tmp_path), "--json", "-"]) == 0
    assert capsys.readouterr().out == alone


async def test_a_run_in_a_folder_of_that_name_counts(tmp_path: Path) -> None:
    spec = spec_of("trust-v0")
    await played(tmp_path / "branches" / "mine", spec)
    assert find_runs([tmp_path]) == [tmp_path / "branches" / "mine"]
    assert branches_of(tmp_path) == []


async def test_what_changes_nothing_is_the_same_branch(tmp_path: Path, scripted: Parent) -> None:
    same = Changes(players={"Alpha": scripted.episode.population["Alpha"]})
    folder = await branch(tmp_path, scripted, 4, same, now=NOW)
    assert await branch(tmp_path, scripted, 4, Changes(), now=NOW) == folder


async def test_each_step_is_told_as_it_is_played(tmp_path: Path, scripted: Parent) -> None:
    heard: list[Turn] = []
    folder = await branch(tmp_path, scripted, 4, Changes(), now=NOW, on_turn=heard.append)
    assert len(heard) == scripted.episode.steps - 4
    before = content(folder)
    again = await branch(tmp_path, scripted, 4, Changes(), now=NOW, on_turn=heard.append)
    assert again == folder
    assert len(heard) == scripted.episode.steps - 4
    logs = {name: held for name, held in content(folder).items() if name != "run.yaml"}
    assert logs == {name: held for name, held in before.items() if name != "run.yaml"}


async def test_a_branch_that_was_cut_off_is_played_anew_from_the_fork(tmp_path: Path) -> None:
    spec = models({"memory": {"kind": "recent"}})
    parent = (await played(tmp_path / "run", spec))(spec)
    heard: list[Turn] = []

    def stop(turn: Turn) -> None:
        heard.append(turn)
        if len(heard) == 2:
            raise Interruption("the server is away")

    with pytest.raises(Interruption):
        await branch(tmp_path, parent, 3, Changes(), now=NOW, connect=mocked, on_turn=stop)
    (left,) = branches_of(tmp_path)
    assert (left.state, left.reason) == ("interrupted", "the server is away")
    folder = await branch(tmp_path, parent, 3, Changes(), now=NOW, connect=mocked)
    assert told(parent_of(folder, folder.name).records) == told(parent.records)
    assert branches_of(tmp_path)[0].state == "finished"


async def test_a_branch_that_is_stopped_is_listed(tmp_path: Path, scripted: Parent) -> None:
    def stop(turn: Turn) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(
            branch(tmp_path, scripted, 1, Changes(seed=1), now=NOW, on_turn=stop)
        )
    (left,) = branches_of(tmp_path)
    assert (left.state, left.reason) == ("interrupted", STOPPED)


async def test_no_branch_is_kept_elsewhere(tmp_path: Path, scripted: Parent) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    shown = tmp_path / "run"
    (shown / "branches").symlink_to(outside)
    with pytest.raises(InputError, match="leads out"):
        await branch(shown, scripted, 1, Changes(), now=NOW)
    with pytest.raises(InputError, match="does not lie below"):
        await branch(outside, scripted, 1, Changes(), now=NOW)
    assert not list(outside.iterdir())
    assert branches_of(shown) == []


async def test_nothing_is_written_through_a_link_that_a_stranger_left(
    tmp_path: Path, scripted: Parent
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("as it was")
    folder = tmp_path / "branches" / forked(scripted.episode.spec, 1, Changes()).id
    for name in (".lock", "decisions.jsonl", "inherited.jsonl", "run.yaml"):
        folder.mkdir(parents=True)
        (folder / name).symlink_to(secret)
        with pytest.raises(InputError, match="holds links"):
            await branch(tmp_path, scripted, 1, Changes(), now=NOW)
        assert secret.read_text() == "as it was"
        shutil.rmtree(folder)


async def test_a_model_without_a_connection_is_refused(tmp_path: Path) -> None:
    spec = models()
    parent = (await played(tmp_path / "run", spec))(spec)
    with pytest.raises(InputError, match="none is connected"):
        await branch(tmp_path, parent, 2, Changes(), now=NOW, connect=no_models)


async def test_keys_do_not_reach_a_branch(tmp_path: Path) -> None:
    spec = models()
    parent = (await played(tmp_path / "run", spec))(spec)
    model = {**MOCK, "api_key": "sk-very-secret", "base_url": "http://key@host", "retries": 3}
    changes = Changes(players={"Alpha": Player(agent="llm", model=model)})
    folder = await branch(tmp_path, parent, 2, changes, now=NOW, connect=mocked)
    held = b"".join(content(folder).values())
    assert b"sk-very-secret" not in held
    assert b"key@host" not in held


async def test_a_stranger_s_branch_that_says_nothing_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "branches" / "x"
    folder.mkdir(parents=True)
    (folder / "run.yaml").write_text("parent: [1]\n")
    with pytest.raises(LogError, match="does not say which episode it leaves"):
        branches_of(tmp_path)


async def test_inherited_lines_are_the_parent_s(tmp_path: Path, scripted: Parent) -> None:
    folder = await branch(tmp_path, scripted, 4, Changes(), now=NOW)
    kept = [orjson.loads(x) for x in (folder / "inherited.jsonl").read_bytes().splitlines()]
    was = (tmp_path / "run" / "decisions.jsonl").read_bytes().splitlines()
    lines = [orjson.loads(x) for x in was]
    plain = {"episode": None, "time": None}
    assert [each | plain for each in kept] == [each | plain for each in lines if each["step"] < 4]


async def test_an_agent_that_takes_in_no_log_is_refused_by_name(toy: Path) -> None:
    players = {role: Player(agent="kind") for role in ("Alpha", "Beta")}
    spec = EpisodeSpec(env="toy-v0", parameters={}, population=players, elicitation={}, seed=1)
    parent = (await played(toy / "run", spec))(spec)
    with pytest.raises(InputError, match="agent 'kind', which plays Alpha, cannot be brought"):
        await branch(toy, parent, 1, Changes(), now=NOW)
