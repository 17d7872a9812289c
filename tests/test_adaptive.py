"""Adaptive asking: what is asked depends on answers alone, never on when they come in."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from benchmarks.adaptive.orders import ORDERS, answered_to
from benchmarks.adaptive.planted import Kind, contested, draw, even, scenes
from benchmarks.adaptive.stopping import CASES, ask, is_wrong
from valuesim.agents.endpoint import Counters
from valuesim.decision import Decision
from valuesim.engine.adaptive import Cell, cells, run_adaptively
from valuesim.engine.asking import CUT, EXHAUSTED, SETTLED, SPENT, Asking
from valuesim.engine.pool import Said, read, said
from valuesim.engine.progress import Progress
from valuesim.engine.schedule import Summary
from valuesim.episode import EpisodeSpec, Player, play
from valuesim.errors import InputError, Interruption
from valuesim.graph.information import belief
from valuesim.log import RunWriter, read_run
from valuesim.observation import Observation
from valuesim.registry import make, make_agent

SCENES = ("moral_machine-v0", {})
ASKING = Asking(budget=96, batch=16, sure=0.95, pool=150)


@dataclass
class Server:
    """A model that puts more at stake first; `pace` is the seed of how long its replies take.

    Every reply to an episode of `down` is an interruption.
    """

    pace: int
    down: frozenset[int] = frozenset()
    counters: Counters = field(default_factory=Counters)

    def agent(self, role: str, seed: int, *_: object) -> Replying:
        return Replying(self, role, seed)

    async def close(self) -> None:
        return None

    async def reply(self, seed: int) -> None:
        await asyncio.sleep(0.02 * np.random.default_rng([self.pace, seed]).random())


@dataclass
class Waiting(Server):
    """Answers a half-batch only when the next one has come, or all has; at `most` so many wait."""

    came: int = 0
    open: int = 0
    most: int = 0
    more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def reply(self, seed: int) -> None:
        half = ASKING.batch // 2
        async with self.more:
            enough = min((self.came // half + 2) * half, ASKING.budget)
            self.came, self.open = self.came + 1, self.open + 1
            self.most = max(self.most, self.open)
            self.more.notify_all()
            await self.more.wait_for(lambda: self.came >= enough)
            self.open -= 1


@dataclass
class Replying:
    server: Server
    role: str
    seed: int

    async def decide(self, observation: Observation) -> Decision:
        if self.seed in self.server.down:
            raise Interruption("the server is away")
        await self.server.reply(self.seed)
        gumbel = np.random.default_rng(self.seed).gumbel(size=len(observation.options))
        gains = [sum(option.stakes.values()) for option in observation.options]
        taken = observation.options[int(np.argmax(np.array(gains) + gumbel))]
        return Decision(agent=self.role, step=observation.step, option=taken.name)


def spec(env: str, parameters: dict[str, Any], *, agent: str = "llm") -> EpisodeSpec:
    model = {"name": "fake"} if agent == "llm" else None
    (role,) = make(env, **parameters).possible_agents
    players = {role: Player(agent=agent, model=model)}
    return EpisodeSpec(env=env, parameters=parameters, population=players, elicitation={}, seed=0)


async def asked(
    folder: Path, server: Server, *, asking: Asking = ASKING, env: Any = SCENES, agent: str = "llm"
) -> tuple[list[Cell], Summary]:
    planned = cells([spec(*env, agent=agent)], asking, seed=3)
    with RunWriter(folder) as writer:
        writer.describe({})
        summary = await run_adaptively(
            planned,
            writer,
            dict.fromkeys(planned[0].pool.specs[0].population, server),
            concurrency=64,
            progress=Progress(sys.stderr, "none"),
        )
    return planned, summary


def answered(folder: Path) -> dict[tuple[str, int], str | None]:
    return {(d.episode.id, d.step): d.chosen for d in read_run(folder).decisions()}


async def test_answers_that_come_in_another_order_lead_to_the_same_questions(
    tmp_path: Path,
) -> None:
    (one,), _ = await asked(tmp_path / "one", Server(pace=1))
    (two,), _ = await asked(tmp_path / "two", Server(pace=2))
    finished = [(tmp_path / name / "episodes.jsonl").read_text() for name in ("one", "two")]
    assert finished[0] != finished[1], "the replies came in the same order: nothing was tried"
    assert one.batches == two.batches
    assert answered(tmp_path / "one") == answered(tmp_path / "two")


async def test_the_next_half_batch_goes_out_while_the_last_is_in_flight(tmp_path: Path) -> None:
    server = Waiting(pace=1)
    async with asyncio.timeout(60):
        (cell,), _ = await asked(tmp_path, server)
    assert {len(batch) for batch in cell.batches} == {ASKING.batch // 2}
    assert server.most == ASKING.batch


def test_answers_in_flight_are_not_looked_at() -> None:
    (cell,) = cells([spec(*SCENES)], ASKING, seed=3)
    first = cell.choose_next([])
    cell.batches.append(first)
    before = cell.choose_next(first)
    for question in first:
        cell.answers[question] = Said(decisions=1, evidence=(cell.pool.questions[question],))
    assert cell.choose_next(first) == before
    assert cell.choose_next([]) != before


async def test_the_questions_are_other_ones_for_other_answers(tmp_path: Path) -> None:
    (one,), _ = await asked(tmp_path / "a", Server(pace=1))
    (two,), _ = await asked(tmp_path / "b", Server(pace=1), agent="first:0.7")
    assert one.batches[:2] != two.batches[:2]
    assert one.batches[3:] != two.batches[3:]


async def test_an_interrupted_question_ends_the_cell_and_a_resume_goes_on_as_if_it_never_was(
    tmp_path: Path,
) -> None:
    (whole,), _ = await asked(tmp_path / "whole", Server(pace=1))
    missing = int(whole.pool.specs[whole.batches[3][2]].id, 16) >> 1
    server = Server(pace=1, down=frozenset({missing}))
    (cut,), summary = await asked(tmp_path / "cut", server)
    assert summary.asked[0].why == CUT
    assert summary.interrupted == {"the server is away": 1}
    assert cut.batches == whole.batches[:5]
    (resumed,), summary = await asked(tmp_path / "cut", Server(pace=2))
    assert summary.asked[0].why == SPENT
    assert resumed.batches == whole.batches
    assert answered(tmp_path / "cut") == answered(tmp_path / "whole")


async def test_a_cell_that_is_cut_off_in_its_last_half_batch_says_so(tmp_path: Path) -> None:
    (whole,), _ = await asked(tmp_path / "whole", Server(pace=1))
    missing = int(whole.pool.specs[whole.batches[-1][0]].id, 16) >> 1
    _, summary = await asked(tmp_path / "cut", Server(pace=1, down=frozenset({missing})))
    assert (summary.asked[0].why, summary.asked[0].decisions) == (CUT, 95)


def test_a_question_without_its_answer_is_one_cut_off() -> None:
    (cell,) = cells([spec(*SCENES)], ASKING, seed=3)
    cell.batches.append(cell.choose_next([]))
    cell.why = SPENT
    assert cell.ended().why == CUT


async def test_the_budget_is_kept_where_an_answer_leads_to_more_questions(tmp_path: Path) -> None:
    asking = replace(ASKING, budget=50)
    env = ("dilemmas-v0", {"pack": "unfolding"})
    (cell,), summary = await asked(tmp_path, Server(pace=1), asking=asking, env=env)
    assert len(set(cell.pool.lengths)) > 1 or cell.pool.lengths[0] > 1
    assert cell.decisions == len(answered(tmp_path)) <= 50
    assert cell.decisions > 40
    assert summary.asked[0].why == SPENT


async def test_a_pool_that_is_asked_through_says_so(tmp_path: Path) -> None:
    asking = replace(ASKING, budget=1000, pool=20)
    (cell,), summary = await asked(tmp_path, Server(pace=1), asking=asking)
    assert summary.asked[0].why == EXHAUSTED
    assert sorted(q for batch in cell.batches for q in batch) == list(range(20))


async def test_faults_alone_leave_every_pair_open(tmp_path: Path) -> None:
    asking = replace(ASKING, budget=32)
    _, summary = await asked(tmp_path, Server(pace=1), asking=asking, agent="mute")
    (ended,) = summary.asked
    assert (ended.why, ended.decisions) == (SPENT, 32)
    assert len(ended.open) == ended.pairs == 8


async def test_what_was_played_and_what_is_read_back_say_the_same(tmp_path: Path) -> None:
    played = spec("dilemmas-v0", {"pack": "unfolding", "scenes": 1}, agent="random")
    env = make(played.env, **played.parameters)
    agents = {role: make_agent("random", role=role, seed=1) for role in played.population}
    with RunWriter(tmp_path) as writer:
        writer.describe({})
        turns = await play(env, agents, played.seed, lambda turn: writer.turn(played.id, turn))
        writer.finish(played, env, turns)
    assert read(read_run(tmp_path).decisions()) == {played.id: said(turns, played)}


@pytest.mark.parametrize("env", ["survival-v0", "prisoners_dilemma-v0"])
def test_worlds_that_are_no_scenes_are_refused(env: str) -> None:
    roles = make(env).possible_agents
    players = dict.fromkeys(roles, Player(agent="random"))
    played = EpisodeSpec(env=env, parameters={}, population=players, elicitation={}, seed=0)
    with pytest.raises(InputError, match=f"the scenes of {env} cannot be asked one by one"):
        cells([played], ASKING, seed=0)


def test_clear_values_are_told_apart_in_their_order_and_asking_stops() -> None:
    known = contested(scenes(4, 2, 400))
    agent = draw(Kind(strengths=even(3.0)), known, np.random.default_rng(0))
    cell = ask(known, agent, Asking(budget=400, batch=32, sure=0.95, pool=400), (1,))
    assert cell.why == SETTLED
    assert cell.decisions < 300
    planted = [known.design.values[place] for place in np.argsort(-agent.strengths)]
    assert list(cell.order.values) == planted


def test_a_pair_that_the_half_in_flight_opens_again_is_asked_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All are told apart at a look, the answers still to come deny it: no end, and none told."""
    looks: list[tuple[bool, bool, str | None]] = []
    choose_next = Cell.choose_next

    def watched(cell: Cell, in_flight: Sequence[int]) -> list[int]:
        picked = choose_next(cell, in_flight)
        looks.append((bool(in_flight), cell.order.is_settled, cell.why))
        return picked

    monkeypatch.setattr(Cell, "choose_next", watched)
    known = contested(scenes(5, 2, 400, 1))
    asking = Asking(budget=400, batch=32, sure=0.95, pool=400)
    shown = 0
    for number in (0, 14, 46, 49):
        looks.clear()
        agent = draw(Kind(strengths=even(2.0)), known, np.random.default_rng(number))
        ended = ask(known, agent, asking, (number,)).ended()
        settled = [place for place, look in enumerate(looks) if look[:2] == (True, True)]
        assert all(why is None for is_awaited, _, why in looks if is_awaited)
        if settled and not looks[settled[0] + 1][1]:
            shown += 1
            assert settled[0] + 1 < len(looks) - 1
            assert (ended.why, ended.open) == (SETTLED, ())
    assert shown


def test_runs_seldom_stop_with_a_wrong_order() -> None:
    known = contested(scenes(2, 1, 160))
    asking = Asking(budget=160, batch=32, sure=0.9, pool=160)
    wrong = 0
    for number in range(20):
        agent = draw(CASES["2 values, 0.05 apart"].kind, known, np.random.default_rng(number))
        cell = ask(known, agent, asking, (number,))
        truth = dict(zip(known.design.values, agent.strengths, strict=True))
        wrong += cell.why == SETTLED and is_wrong(cell.order.pairs[0], truth)
    assert wrong <= 0.1 * 20


def test_adaptive_asking_knows_the_order_sooner_than_asking_by_lot() -> None:
    known = contested(scenes(20, 4, 1500))
    reached: dict[str, list[float]] = {order: [] for order in ("adaptive", "random")}
    for number in range(6):
        agent = draw(Kind(strengths=even(2.0)), known, np.random.default_rng(number))
        for order, found in reached.items():
            questions: Sequence[int] = ORDERS[order](known, agent, 240, np.random.default_rng(1))
            theta = belief(answered_to(known, agent, list(questions))).theta
            found.append(float(stats.kendalltau(theta[:20], agent.strengths).statistic))
    assert np.mean(reached["adaptive"]) > np.mean(reached["random"]) + 0.04
