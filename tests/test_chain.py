"""Chains: episodes that agents live through one after another, and what is concluded from them."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from valuesim.agents.endpoint import Counters
from valuesim.cli import main
from valuesim.cli.ending import sentence
from valuesim.config import compose
from valuesim.decision import Decision, Usage
from valuesim.engine import Design, Summary, plan, run
from valuesim.engine.budget import Budget
from valuesim.engine.experience import read_experience
from valuesim.engine.manifest import resumed
from valuesim.engine.prices import Price
from valuesim.engine.progress import Progress
from valuesim.episode import Aftermath, EpisodeSpec, Turn
from valuesim.errors import InputError, Interruption, LogError
from valuesim.formats.coded_table import read_coded
from valuesim.log import RunWriter, read_run
from valuesim.log.lines import AGAIN
from valuesim.observation import Observation

ROLES = ("Alpha", "Beta")
DESIGN = Design(
    env="toy-v0",
    parameters={},
    crossed={},
    groups=[{"all": "llm"}],
    model={"name": "fake"},
    elicitation={},
    episodes=9,
    seed=0,
    chain=3,
)


@dataclass(kw_only=True)
class Remembering:
    """A model's stand-in whose agents count the episodes that they remember.

    Of the episodes named in `cut` the first step is interrupted, of those in `cut_after` the end.
    """

    counters: Counters = field(default_factory=Counters)
    cut: frozenset[str] = frozenset()
    cut_after: frozenset[str] = frozenset()
    began: list[str] = field(default_factory=list)
    over: list[str] = field(default_factory=list)
    carried: dict[str, Any] = field(default_factory=dict)
    most_at_once: int = 0

    def agent(self, role: str, seed: int, parameters: Mapping[str, Any], episode: str) -> Any:
        return _Agent(role, episode, self)

    async def close(self) -> None:
        pass


class _Agent:
    def __init__(self, role: str, episode: str, model: Remembering) -> None:
        self.role, self.episode, self.model = role, episode, model
        self.remembered = 0

    def carry(self, carried: Mapping[str, Any]) -> None:
        assert self.episode not in self.model.began
        self.model.carried[self.episode] = carried
        self.remembered = carried["count"]["episodes"]

    async def decide(self, observation: Observation) -> Decision:
        if self.episode not in self.model.began:
            self.model.began.append(self.episode)
        under_way = len(self.model.began) - len(self.model.over)
        self.model.most_at_once = max(self.model.most_at_once, under_way)
        await asyncio.sleep(0.001)
        if self.episode in self.model.cut:
            raise Interruption("the server is down")
        option = "KEEP" if self.remembered else "SHARE"
        return Decision(agent=self.role, step=observation.step, option=option)

    async def ended(self, turns: Sequence[Turn]) -> Aftermath:
        if self.episode in self.model.cut_after:
            raise Interruption("the server is down")
        self.model.counters.usage += Usage(prompt_tokens=5)
        if self.role == "Alpha":
            self.model.over.append(self.episode)
        return Aftermath(
            carried={"count": {"episodes": self.remembered + 1, "of": self.episode}},
            usage=Usage(prompt_tokens=5),
        )


async def played(
    design: Design,
    folder: Path,
    model: Remembering,
    concurrency: int = 8,
    budget: Budget | None = None,
) -> Summary:
    progress = Progress(io.StringIO(), "none")
    connections: Any = dict.fromkeys(ROLES, model)
    with RunWriter(folder) as writer:
        writer.describe({"config": {}})
        summary = await run(
            plan(design),
            writer,
            connections,
            concurrency=concurrency,
            progress=progress,
            budget=budget,
        )
        # of each chain at most the state that its next episode starts with
        assert len(writer.carried) <= design.episodes / design.chain
        return summary


def chains(specs: Sequence[EpisodeSpec]) -> list[list[EpisodeSpec]]:
    found: dict[Any, list[EpisodeSpec]] = {}
    for spec in specs:
        assert spec.chain is not None
        found.setdefault(spec.chain.first, []).append(spec)
    return list(found.values())


def lines(folder: Path, name: str = "episodes") -> list[Any]:
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]


def by_id(folder: Path) -> dict[str, Any]:
    return {line["episode"]: line for line in lines(folder)}


# -- plan and settings -------------------------------------------------------------------------


def test_without_a_chain_an_episode_has_the_id_that_it_always_had(toy: Path) -> None:
    (spec, *_) = plan(replace(DESIGN, chain=1))
    said = {
        "env": "toy-v0",
        "parameters": {},
        "population": {
            role: {"agent": "llm", "parameters": {}, "model": {"name": "fake"}} for role in ROLES
        },
        "elicitation": {},
        "seed": spec.seed,
    }
    assert spec.chain is None
    assert spec.id == hashlib.sha256(orjson.dumps(said)).hexdigest()[:16]


def test_episodes_of_every_cell_are_cut_into_the_same_chains(toy: Path) -> None:
    crossed = replace(DESIGN, crossed={"level": ["low", "high"]}, episodes=7)
    specs = plan(crossed)
    plain = plan(replace(crossed, chain=1))
    assert [spec.seed for spec in specs] == [spec.seed for spec in plain]
    assert not {spec.id for spec in specs} & {spec.id for spec in plain}
    low = [spec for spec in specs if spec.parameters["level"] == "low"]
    high = [spec for spec in specs if spec.parameters["level"] == "high"]
    assert [spec.chain for spec in low] == [spec.chain for spec in high]
    places = [spec.chain.place for spec in low if spec.chain]
    assert places == [0, 1, 2, 0, 1, 2, 0]
    assert [len(chain) for chain in chains(low)] == [3, 3, 1]
    for chain in chains(low):
        assert {spec.chain.first for spec in chain if spec.chain} == {chain[0].seed}


def test_more_episodes_extend_a_chain_that_was_cut_short(toy: Path) -> None:
    assert plan(DESIGN)[:7] == plan(replace(DESIGN, episodes=7))


def test_another_length_is_another_episode(toy: Path) -> None:
    lengths = (1, 2, 3, 9)
    ids = [{spec.id for spec in plan(replace(DESIGN, chain=length))} for length in lengths]
    assert len(set.union(*ids)) == 9 * len(lengths)


ASKED = ["agents=llm", "model=mock", "env=prisoners_dilemma"]


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["chain=0"], "chain=0 is not allowed: 1 to 1000"),
        (["chain=two"], "a whole number from 1 to 1000"),
        (["intervention=[reflection]"], "intervention.reflection goes from one episode to the"),
        (["cross.intervention=[none,reflection]"], "add chain=2, or more"),
        (
            ["intervention=[assessment]", "intervention.assessment.rules=true"],
            "intervention.assessment.rules goes from one episode",
        ),
        (
            ["chain=2", "asking=adaptive", "env=ai_risk"],
            "chain=2 does not go with asking=adaptive",
        ),
    ],
)
def test_what_a_chain_does_not_go_with_is_refused(overrides: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        compose([*ASKED, *overrides]).design()


def test_an_assessment_without_rules_needs_no_chain() -> None:
    assert compose([*ASKED, "intervention=[assessment]"]).design().chain == 1


def test_a_run_from_before_there_were_chains_is_one_without() -> None:
    stored = {"config": {"episodes": 3}}
    assert resumed(stored, {"config": {"episodes": 3, "chain": 1}, "prompt": None, "sessions": []})
    with pytest.raises(InputError, match="holds a run with chain=1, not 2"):
        resumed(stored, {"config": {"episodes": 3, "chain": 2}, "prompt": None, "sessions": []})


# -- play --------------------------------------------------------------------------------------


async def test_a_chain_is_played_in_order_and_chains_side_by_side(toy: Path) -> None:
    model = Remembering()
    summary = await played(DESIGN, toy / "run", model)
    assert (summary.finished, summary.held_up) == (9, 0)
    found = chains(plan(DESIGN))
    for chain in found:
        began = [model.began.index(spec.id) for spec in chain]
        assert began == sorted(began)
        for before, after in pairwise(chain):
            assert model.carried[after.id]["count"]["of"] == before.id
    assert {chain[0].id for chain in found} == set(model.began[:3])
    assert model.most_at_once >= 3
    assert not {chain[0].id for chain in found} & set(model.carried)


async def test_what_is_carried_stands_in_the_line_but_for_the_last_of_a_chain(toy: Path) -> None:
    await played(DESIGN, toy / "run", Remembering())
    told = by_id(toy / "run")
    for chain in chains(plan(DESIGN)):
        for place, spec in enumerate(chain):
            line = told[spec.id]
            assert line["chain"] == {"first": chain[0].seed, "length": 3, "place": place}
            if place == 2:
                assert "carried" not in line
                assert line["usage"]["prompt_tokens"] == 0
            else:
                state = {"episodes": place + 1, "of": spec.id}
                assert line["carried"] == {role: {"count": state} for role in ROLES}
                assert line["usage"]["prompt_tokens"] == 2 * 5
    record = read_run(toy / "run").episodes[chain[0].id]
    assert record.chain == chain[0].chain
    assert record.carried["Alpha"]["count"]["episodes"] == 1


async def test_without_a_chain_nobody_is_asked_to_look_back(toy: Path) -> None:
    model = Remembering()
    await played(replace(DESIGN, chain=1), toy / "run", model)
    assert (model.over, model.carried) == ([], {})
    for line in lines(toy / "run"):
        assert not {"chain", "carried"} & set(line)


async def test_scripted_agents_remember_nothing_and_are_played_in_chains(toy: Path) -> None:
    await played(replace(DESIGN, groups=[{"all": "kind"}]), toy / "run", Remembering())
    assert len(lines(toy / "run")) == 9
    assert all("chain" in line and "carried" not in line for line in lines(toy / "run"))


async def test_an_interrupted_episode_holds_up_its_chain_until_a_resume(toy: Path) -> None:
    await played(DESIGN, toy / "whole", Remembering())
    first, second, third = chains(plan(DESIGN))
    model = Remembering(cut=frozenset({first[0].id, second[1].id}))
    summary = await played(DESIGN, toy / "cut", model)
    assert (summary.finished, summary.held_up) == (4, 3)
    assert summary.interrupted == {"the server is down": 2}
    assert not {first[1].id, first[2].id, second[2].id} & set(model.began)
    again = Remembering()
    summary = await played(DESIGN, toy / "cut", again)
    assert (summary.finished, summary.played, summary.held_up) == (9, 5, 0)
    state = {"episodes": 1, "of": second[0].id}
    assert again.carried[second[1].id] == {"count": state}
    assert by_id(toy / "cut") == by_id(toy / "whole")
    assert not {spec.id for spec in third} & set(again.began)


async def test_an_episode_that_cannot_be_looked_back_on_is_played_again(toy: Path) -> None:
    await played(DESIGN, toy / "whole", Remembering())
    chain = chains(plan(DESIGN))[1]
    summary = await played(DESIGN, toy / "cut", Remembering(cut_after=frozenset({chain[0].id})))
    assert (summary.finished, summary.held_up) == (6, 2)
    run_folder = read_run(toy / "cut")
    assert chain[0].id not in {decision.episode.id for decision in run_folder.decisions()}
    await played(DESIGN, toy / "cut", Remembering())
    assert by_id(toy / "cut") == by_id(toy / "whole")
    assert len(list(read_run(toy / "cut").decisions())) == 9 * 3 * 2


async def test_a_lost_episode_takes_those_behind_it_along(toy: Path) -> None:
    await played(DESIGN, toy / "run", Remembering())
    before = by_id(toy / "run")
    chain = chains(plan(DESIGN))[0]
    log = toy / "run" / "decisions.jsonl"
    kept = log.read_text().splitlines(keepends=True)
    lost = next(n for n, line in enumerate(kept) if json.loads(line)["episode"] == chain[1].id)
    log.write_text("".join(kept[:lost] + kept[lost + 1 :]))
    with pytest.raises(LogError, match="resume the run to play it again"):
        list(read_run(toy / "run").decisions())
    model = Remembering()
    summary = await played(DESIGN, toy / "run", model)
    assert (summary.finished, summary.played) == (9, 2)
    assert model.began == [chain[1].id, chain[2].id]
    assert model.carried[chain[1].id]["count"] == {"episodes": 1, "of": chain[0].id}
    assert AGAIN in [line["reason"] for line in lines(toy / "run", "interrupted")]
    assert by_id(toy / "run") == before
    assert len(list(read_run(toy / "run").decisions())) == 9 * 3 * 2


async def lost(folder: Path, design: Design = DESIGN) -> list[EpisodeSpec]:
    """Play `design`, take a line of the first episode of a chain, and return the chain."""
    await played(design, folder, Remembering())
    chain = chains(plan(design))[0]
    log = folder / "decisions.jsonl"
    kept = log.read_text().splitlines(keepends=True)
    line = next(n for n, line in enumerate(kept) if json.loads(line)["episode"] == chain[0].id)
    log.write_text("".join(kept[:line] + kept[line + 1 :]))
    return chain


async def test_a_lost_line_costs_one_episode_where_nothing_may_begin(toy: Path) -> None:
    first, *behind = await lost(toy / "run")
    summary = await played(DESIGN, toy / "run", Remembering(), budget=Budget(hours=1e-9))
    assert (summary.finished, summary.played) == (8, 0)
    folder = read_run(toy / "run")
    assert set(folder.episodes) == {spec.id for spec in plan(DESIGN)} - {first.id}
    assert {each.id for each in behind} <= {each.episode.id for each in folder.decisions()}
    assert [each.is_open for each in folder.interrupted] == [True]


async def test_an_episode_behind_one_played_again_is_void_once_that_is_finished(toy: Path) -> None:
    first, second, third = await lost(toy / "run")
    whole = by_id(toy / "run")
    cut = Remembering(cut=frozenset({first.id}))
    summary = await played(DESIGN, toy / "run", cut)
    assert (summary.finished, summary.played, summary.held_up) == (8, 0, 0)
    cut = Remembering(cut=frozenset({second.id}))
    summary = await played(DESIGN, toy / "run", cut)
    assert (summary.finished, summary.played, summary.held_up) == (8, 1, 0)
    folder = read_run(toy / "run")
    assert second.id not in folder.episodes
    assert len(list(folder.decisions())) == 8 * 3 * 2
    model = Remembering()
    assert (await played(DESIGN, toy / "run", model)).played == 2
    assert model.began == [second.id, third.id]
    assert by_id(toy / "run") == whole
    assert len(list(read_run(toy / "run").decisions())) == 9 * 3 * 2


async def test_a_budget_counts_what_looking_back_took(toy: Path) -> None:
    model = Remembering()
    summary = await played(DESIGN, toy / "run", model, 1, budget=Budget(tokens=24))
    assert "20 tokens spent in all, an episode takes 10 tokens" in summary.spent


async def test_where_prices_differ_looking_back_costs_the_dearest(toy: Path) -> None:
    await played(replace(DESIGN, episodes=2, chain=2), toy / "run", Remembering())
    prices = {"Alpha": Price(prompt=1, completion=1), "Beta": Price(prompt=4, completion=1)}
    total = read_experience(toy / "run", [], prices).total
    assert (total.tokens, total.dollars) == (10, pytest.approx(10 * 4 / 1e6))


async def test_more_episodes_go_on_with_the_last_chain(toy: Path) -> None:
    await played(replace(DESIGN, episodes=7), toy / "run", Remembering())
    model = Remembering()
    await played(DESIGN, toy / "run", model)
    last = chains(plan(DESIGN))[2]
    assert model.began == [last[1].id, last[2].id]
    assert model.carried[last[1].id]["count"] == {"episodes": 1, "of": last[0].id}


# -- the whole way, with the mock model --------------------------------------------------------

MOCK = [*ASKED, "env.horizon=2", "episodes=6", "chain=3", "engine.progress=none"]
ARMS = "cross.intervention=[none,reflection,assessment]"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_episode_starts_with_what_was_carried_and_arms_share_their_chains(here: Path) -> None:
    command = [*MOCK, ARMS, "intervention.assessment.rules=true", "run.name=./arms"]
    assert main(["run", *command]) == 0
    run_folder = read_run(here / "arms")
    worlds: dict[str, set[str]] = {}
    for decision in run_folder.decisions():
        made = decision.player.interventions
        arm = next(iter(made), "none")
        worlds.setdefault(arm, set()).add(decision.episode.world)
        assert decision.episode.chain is not None
        place = decision.episode.chain.place
        system = [each for each in decision.added if each.place == "system"]
        assert len(system) == (1 if place and arm != "none" else 0)
        if system and arm == "reflection":
            assert system[0].text.count("\nOK") == place
    assert worlds["none"] == worlds["reflection"] == worlds["assessment"]
    assert len(worlds["none"]) == 2
    assert main(["export", "choices", "./arms", "--out", "arms.csv"]) == 0
    coded = read_coded(here / "arms.csv", ["agent"])
    assert {(each.unit, len(each.clusters)) for each in coded.values()} == {("chain", 2)}
    for line in lines(here / "arms"):
        assert ("carried" in line) == (
            line["chain"]["place"] < 2 and any(p["parameters"] for p in line["population"].values())
        )


def test_a_run_of_chains_killed_at_any_moment_ends_as_if_it_never_was(here: Path) -> None:
    both = ["cross.intervention=[[reflection,assessment]]", "intervention.assessment.rules=true"]
    command = [*MOCK, *both, "intervention.assessment.kind=perspective", "episodes=15"]
    assert main(["run", *command, "run.name=./whole"]) == 0
    rng, in_time = np.random.default_rng(3), 0
    killed = here / "killed"
    for delay in rng.uniform(0.0, 0.3, 5):
        child = os.fork()
        if child == 0:
            os._exit(main(["run", *command, "run.name=./killed"]))
        log = killed / "run.yaml"
        before = log.stat().st_mtime_ns if log.exists() else None
        deadline = time.monotonic() + 30
        while not log.exists() or log.stat().st_mtime_ns == before:
            assert time.monotonic() < deadline, "the run never wrote run.yaml"
            time.sleep(0.0005)
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
        in_time += os.WIFSIGNALED(os.waitpid(child, 0)[1])
    assert in_time >= 2
    assert main(["run", *command, "run.name=./killed"]) == 0
    whole = (here / "whole" / "episodes.jsonl").read_bytes().splitlines()
    assert sorted((killed / "episodes.jsonl").read_bytes().splitlines()) == sorted(whole)
    assert decisions(killed) == decisions(here / "whole")


async def test_chains_on_a_server_with_faults_go_on_with_what_was_logged(
    here: Path, serve: Callable[..., Any], fault_server: Any
) -> None:
    rate = 0.3 / len(fault_server.MIXED)
    server = await serve(faults=dict.fromkeys(fault_server.MIXED, rate), seed=5)
    model = ["agents=llm", "model=vllm", "model.name=tiny", f"model.base_url={server.url}"]
    limits = ["model.retries=0", "model.timeout_s=0.5", "model.down_after=1000"]
    play = ["env=prisoners_dilemma", "env.horizon=2", "episodes=6", "chain=2"]
    command = [*model, *limits, *play, "intervention=reflection", "run.name=./faulty"]
    codes: list[int] = []
    while 0 not in codes:
        codes.append(await asyncio.to_thread(main, ["run", *command, "engine.progress=none"]))
        assert len(codes) < 40
    assert codes[0] == 1
    run_folder = read_run(here / "faulty")
    places = {episode.chain: episode for episode in run_folder.episodes.values()}
    seen = list(run_folder.decisions())
    assert len(run_folder.episodes) == 6
    for decision in seen:
        chain = decision.episode.chain
        assert chain is not None
        told = [each.text for each in decision.added]
        if chain.place == 0:
            assert told == []
        else:
            state = places[replace(chain, place=0)].carried[decision.role]["reflection"]
            (said,) = state["reflections"]
            assert told[0].endswith(said or "(no answer was given)")


def decisions(folder: Path) -> list[str]:
    """Return the lines of decisions that count, without time and play, sorted."""
    void = {(line["episode"], line["play"]) for line in lines(folder, "interrupted")}
    return sorted(
        json.dumps(line | {"time": None, "play": None}, sort_keys=True)
        for line in lines(folder, "decisions")
        if (line["episode"], line["play"]) not in void
    )


def test_the_last_line_says_what_waits() -> None:
    summary = Summary(planned=9, finished=4, played=4, interrupted={"down": 2}, held_up=3)
    assert sentence(summary, Path("r")).startswith(
        "4 of 9 episodes finished in r; 2 interrupted: 2 x down; "
        "3 wait for one of these, before them in their chain"
    )
