"""Episodes handed to workers in this process: none lost, none twice, whatever ends a worker."""

from __future__ import annotations

import asyncio
import io
import json
import os
import pickle
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from valuesim.cli import main
from valuesim.cli.crew import Share, opened
from valuesim.config import RunConfig, compose
from valuesim.engine import EpisodeFailed, Summary, plan
from valuesim.engine import worker as worker_module
from valuesim.engine.budget import Budget
from valuesim.engine.crew import CrewFailed, WorkerLost
from valuesim.engine.dispatch import run_on
from valuesim.engine.handout import MOST_LOSSES, cells_of
from valuesim.engine.parcels import Parcel, Report
from valuesim.engine.progress import Progress
from valuesim.engine.shutdown import Shutdown
from valuesim.engine.worker import SIGN, Setup, Worker
from valuesim.episode import EpisodeSpec
from valuesim.errors import STOPPED, InputError
from valuesim.log import RunWriter, read_run
from valuesim.log.lines import GONE
from valuesim.log.segments import SEGMENTS, log_folders

TOY = ["env=toy-v0", "agents=[kind,first]", "episodes=20"]
SESSION = "this one"
Doom = Callable[["Seat", int], bool]


def spared(_: Seat, __: int) -> bool:
    """Let every worker live."""
    return False


class Mortal(Worker):
    """A worker that can be ended as a kill ends one: nothing more is written, its lock is free."""

    async def die(self) -> None:
        DEAD.add(self._setup.folder)
        assert self._work is not None
        assert self._guard is not None
        self._work.cancel()
        self._guard.cancel()
        await asyncio.wait((self._work, self._guard))
        DEAD.discard(self._setup.folder)


DEAD: set[Path] = set()


class Seat:
    """A worker as a run sees it; `doom` says before each report whether it ends then."""

    def __init__(self, worker: Mortal, doom: Callable[[Seat], bool]) -> None:
        self.worker, self.doom = worker, doom
        self.given: list[Parcel] = []
        self.is_dead = False

    async def give(self, parcels: Sequence[Parcel]) -> None:
        self._check()
        self.given += parcels
        await self.worker.give(parcels)

    async def report(self) -> Report:
        self._check()
        if self.doom(self):
            self.is_dead = True
            await self.worker.die()
        self._check()
        return await self.worker.report()

    async def stop(self, *, now: bool) -> None:
        self._check()
        await self.worker.stop(now=now)

    def dismiss(self) -> None:
        self.is_dead = True

    def _check(self) -> None:
        if self.is_dead:
            raise WorkerLost("its process ended")


class Here:
    """A crew in this process; `doom(seat, hired)` says whether the hired-th worker ends."""

    def __init__(
        self,
        run: Path,
        config: RunConfig,
        specs: Sequence[EpisodeSpec],
        size: int = 2,
        doom: Doom = spared,
    ) -> None:
        self.size, self.run, self.doom = size, run, doom
        self.config, self.cells = config, cells_of(specs)
        self.seats: list[Seat] = []
        self.watch: asyncio.Task[None] | None = None
        self.finished_at_stop = 0
        (run / SEGMENTS).mkdir(parents=True, exist_ok=True)
        (run / SEGMENTS / SIGN).write_text(SESSION)

    def setup(self, index: int, segment: str) -> Setup:
        share = Share(index=index, size=self.size)

        @contextmanager
        def connected() -> Iterator[Mapping[str, Any]]:
            with opened(self.config, self.cells, self.run, share, debug=False) as found:
                yield found

        return Setup(
            run=self.run,
            home=Path.cwd(),
            segment=segment,
            session=SESSION,
            cells=self.cells,
            seats=self.config.engine.concurrency,
            opened=connected,
        )

    async def hire(self, index: int, segment: str) -> Seat:
        worker = Mortal(self.setup(index, segment))
        assert await worker.begin()
        hired = len(self.seats)
        self.seats.append(Seat(worker, lambda seat: self.doom(seat, hired)))
        return self.seats[-1]


@pytest.fixture(autouse=True)
def _kills(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is dead list nothing."""
    listed = worker_module._Telling.interrupt

    def interrupt(self: Any, *given: Any, **named: Any) -> None:
        if self.folder not in DEAD:
            listed(self, *given, **named)

    monkeypatch.setattr(worker_module._Telling, "interrupt", interrupt)
    # as many collectors are frozen here as workers begin
    monkeypatch.setattr("valuesim.cli.crew.spare_what_is_loaded", lambda: None)


def play(
    run: Path,
    *overrides: str,
    size: int = 2,
    doom: Doom = spared,
    stop: Callable[[Here], Shutdown] | None = None,
    budget: Budget | None = None,
    crew: list[Here] | None = None,
) -> Summary:
    """Play a run on workers in this process."""
    config = compose([*overrides, "engine.concurrency=4"])
    specs = plan(config.design())
    here = Here(run, config, specs, size, doom)
    if crew is not None:
        crew.append(here)

    async def all_of_it() -> Summary:
        share = Share(index=0, size=1)
        with (
            opened(config, here.cells, run, share, debug=False) as connections,
            RunWriter(run) as writer,
        ):
            writer.describe({"config": {}})
            return await run_on(
                here,
                specs,
                writer,
                connections,
                concurrency=4,
                progress=Progress(io.StringIO(), "lines"),
                stop=stop(here) if stop else None,
                budget=budget,
            )

    return asyncio.run(all_of_it())


def local(toy: Path, *overrides: str) -> Path:
    assert main(["run", *overrides, "run.name=local", "engine.progress=none"]) == 0
    return toy / "runs/local"


def episodes(run: Path) -> list[str]:
    """Return the lines of finished episodes, each once."""
    paths = [folder / "episodes.jsonl" for folder in log_folders(run)]
    return sorted({line for path in paths for line in path.read_text().splitlines()})


def decided(run: Path) -> list[tuple[Any, ...]]:
    """Return what counts, in the order in which it is read; times left out."""
    return [
        (d.episode.id, d.step, d.role, d.chosen, d.fault, d.reply, d.text, d.effect, d.payoff)
        for d in read_run(run).decisions()
    ]


def assert_as_local(run: Path, other: Path) -> None:
    assert episodes(run) == episodes(other)
    assert decided(run) == decided(other)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_any_number_of_workers_writes_what_one_process_writes(toy: Path, size: int) -> None:
    summary = play(toy / "run", *TOY, size=size)
    assert (summary.finished, summary.played, summary.decisions) == (40, 40, 240)
    assert_as_local(toy / "run", local(toy, *TOY))


def test_all_workers_are_given_something(toy: Path) -> None:
    crew: list[Here] = []
    play(toy / "run", *TOY, size=4, crew=crew)
    assert min(len(seat.given) for seat in crew[0].seats) >= 5


def test_a_worker_that_is_lost_loses_nothing_and_nothing_counts_twice(toy: Path) -> None:
    def doom(seat: Seat, hired: int) -> bool:
        return hired == 1 and len(seat.given) >= 8

    crew: list[Here] = []
    summary = play(toy / "run", *TOY[:1], "agents=slow", "episodes=30", doom=doom, crew=crew)
    assert len(crew[0].seats) == 3
    assert (summary.finished, summary.interrupted) == (30, {})
    whole = local(toy, *TOY[:1], "agents=slow", "episodes=30")
    assert_as_local(toy / "run", whole)
    assert play(toy / "run", *TOY[:1], "agents=slow", "episodes=30").played == 0


def test_what_a_lost_worker_had_begun_is_listed_as_that(toy: Path) -> None:
    def doom(seat: Seat, hired: int) -> bool:
        has_begun = (seat.worker._setup.folder / "decisions.jsonl").stat().st_size > 0
        return hired == 0 and has_begun

    play(toy / "run", *TOY[:1], "agents=slow", "episodes=8", size=1, doom=doom)
    listed = (toy / "run/interrupted.jsonl").read_text().splitlines()
    assert {json.loads(line)["reason"] for line in listed} == {GONE}
    assert 1 <= len(listed) <= 4
    assert {r.env for r in read_run(toy / "run").interrupted} == {"toy-v0"}


def test_what_a_lost_worker_finished_and_did_not_tell_is_not_played_again(toy: Path) -> None:
    def doom(seat: Seat, hired: int) -> bool:
        # its first report never comes, and by then it has finished all that it was given
        path = seat.worker._setup.folder / "episodes.jsonl"
        return hired == 0 and path.read_bytes().count(b"\n") == len(seat.given) > 0

    class Late(Here):
        async def hire(self, index: int, segment: str) -> Seat:
            seat = await super().hire(index, segment)
            give = seat.give

            async def given(parcels: Sequence[Parcel]) -> None:
                await give(parcels)
                await asyncio.sleep(0.3)

            seat.give = given  # type: ignore[method-assign]
            return seat

    config = compose([*TOY, "engine.concurrency=4"])
    specs = plan(config.design())
    crew = Late(toy / "run", config, specs, 1, doom)

    async def all_of_it() -> Summary:
        with RunWriter(toy / "run") as writer:
            writer.describe({"config": {}})
            progress = Progress(io.StringIO(), "none")
            return await run_on(crew, specs, writer, {}, concurrency=4, progress=progress)

    summary = asyncio.run(all_of_it())
    assert len(crew.seats) == 2
    assert (summary.finished, summary.played, summary.decisions) == (40, 40, 240)
    given = [parcel.place for seat in crew.seats for parcel in seat.given]
    assert len(given) == len(set(given)) == 40
    assert_as_local(toy / "run", local(toy, *TOY))


def test_an_episode_that_ends_each_of_its_workers_is_given_up_and_all_others_are_played(
    toy: Path,
) -> None:
    bad = 5
    doomed: list[Seat] = []

    def doom(seat: Seat, hired: int) -> bool:
        if bad not in {parcel.place for parcel in seat.given}:
            return False
        doomed.append(seat)
        return True

    summary = play(toy / "run", *TOY, doom=doom)
    assert summary.finished == 39
    assert summary.interrupted == {f"{GONE}, {MOST_LOSSES} times": 1}
    assert len(doomed) == MOST_LOSSES
    # twice beside others, then alone; whoever came first may be lost last
    assert all(len(seat.given) > 1 for seat in doomed[:2])
    assert [seat.given[-1].place for seat in doomed[2:]] == [bad]
    (listed,) = [r for r in read_run(toy / "run").interrupted if r.is_open]
    assert listed.reason == f"{GONE}, {MOST_LOSSES} times"
    assert play(toy / "run", *TOY).played == 1
    assert_as_local(toy / "run", local(toy, *TOY))


def test_workers_that_end_before_they_play_anything_end_the_run(toy: Path) -> None:
    class Useless(Here):
        async def hire(self, index: int, segment: str) -> Seat:
            self.seats.append(None)  # type: ignore[arg-type]
            raise WorkerLost("its process ended")

    config = compose(TOY)
    specs = plan(config.design())
    crew = Useless(toy / "run", config, specs)

    async def all_of_it() -> None:
        with RunWriter(toy / "run") as writer:
            progress = Progress(io.StringIO(), "none")
            await run_on(crew, specs, writer, {}, concurrency=4, progress=progress)

    with pytest.raises(CrewFailed, match="end before they play anything: its process ended"):
        asyncio.run(all_of_it())
    assert len(crew.seats) <= 2 * MOST_LOSSES


def test_a_worker_whose_part_cannot_be_looked_at_is_succeeded_under_another_name(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("valuesim.engine.dispatch._GRACE_S", 0.4)
    kept: list[Mortal] = []

    def doom(seat: Seat, hired: int) -> bool:
        if hired == 0 and len(seat.given) >= 4 and not kept:
            kept.append(seat.worker)
            # cut off from the run, but alive: it writes on
            seat.is_dead = True
        return False

    slow = [TOY[0], "agents=slow", "episodes=16"]
    summary = play(toy / "run", *slow, size=1, doom=doom)
    assert summary.finished == 16
    assert {path.name for path in log_folders(toy / "run")[1:]} == {"w000", "w001"}
    assert decided(toy / "run") == decided(local(toy, *slow))


CHAIN = [
    "env=prisoners_dilemma",
    "agents=llm",
    "model=mock",
    "intervention=memory",
    "env.horizon=2",
    "chain=3",
    "episodes=9",
]


def test_chains_go_on_with_what_went_before_also_where_a_worker_is_lost(toy: Path) -> None:
    def doom(seat: Seat, hired: int) -> bool:
        return hired == 0 and len(seat.given) >= 2

    summary = play(toy / "run", *CHAIN, doom=doom)
    assert (summary.finished, summary.held_up) == (9, 0)
    assert_as_local(toy / "run", local(toy, *CHAIN))


def test_a_chain_that_lost_its_beginning_is_played_again_from_there(toy: Path) -> None:
    play(toy / "run", *CHAIN)
    first = next(e for e in read_run(toy / "run").episodes.values() if e.chain.place == 0)
    for folder in log_folders(toy / "run"):
        log = folder / "decisions.jsonl"
        kept = [x for x in log.read_bytes().splitlines(True) if first.id.encode() not in x]
        log.write_bytes(b"".join(kept))
    summary = play(toy / "run", *CHAIN)
    assert (summary.finished, summary.played) == (9, 3)
    assert decided(toy / "run") == decided(local(toy, *CHAIN))


def test_what_models_used_is_what_one_process_counts(toy: Path) -> None:
    models = ["agents=llm", "model=mock", "episodes=6"]
    summary = play(toy / "run", *models)
    other = local(toy, *models)
    used = Counter[str]()
    for episode in read_run(other).episodes.values():
        used.update(episode.usage)
    assert summary.usage.prompt_tokens == used["prompt_tokens"]
    assert summary.usage.completion_tokens == used["completion_tokens"]


def test_a_budget_of_tokens_is_kept_by_all_workers_together(toy: Path) -> None:
    models = ["agents=llm", "model=mock", "episodes=12"]
    whole = play(toy / "whole", *models).usage
    most = (whole.prompt_tokens + whole.completion_tokens) // 2
    summary = play(toy / "run", *models, budget=Budget(tokens=most))
    used = summary.usage.prompt_tokens + summary.usage.completion_tokens
    assert 0.6 * most < used <= 1.1 * most
    assert summary.spent.startswith(f"engine.max_tokens={most} has no room")
    assert 0 < summary.finished < 12
    assert play(toy / "run", *models).finished == 12


def asked_after(episodes: int, times: int) -> Callable[[Here], Shutdown]:
    """Return what stops a run, `times` over, once so many are finished and others have begun.

    Episodes on one clock end nearly together: without the second wait a stop might come between
    the last end and the next beginning, where nothing is under way.
    """

    def stop(here: Here) -> Shutdown:
        shutdown = Shutdown()

        async def watch() -> None:
            while _finished(here.run) < episodes or not _just_begun(here.run):
                await asyncio.sleep(0.01)
            here.finished_at_stop = _finished(here.run)
            for _ in range(times):
                shutdown.ask()

        here.watch = asyncio.ensure_future(watch())
        return shutdown

    return stop


def _finished(run: Path) -> int:
    return len(_written(run, "episodes.jsonl"))


def _just_begun(run: Path) -> int:
    """Return how many unfinished episodes have most of their steps before them."""
    ended = {line["episode"] for line in _written(run, "episodes.jsonl")}
    steps = Counter(line["episode"] for line in _written(run, "decisions.jsonl"))
    return sum(number <= STEPS // 2 for id, number in steps.items() if id not in ended)


def _written(run: Path, name: str) -> list[dict[str, Any]]:
    """Return the whole lines of a file in all folders of a run."""
    paths = [folder / name for folder in log_folders(run)]
    texts = [path.read_text() for path in paths if path.exists()]
    return [json.loads(line) for text in texts for line in text.split("\n")[:-1]]


STEPS = 8
SLOW = [TOY[0], "agents=slow", f"env.steps={STEPS}", "episodes=40"]


def test_a_stop_lets_what_is_under_way_end_and_begins_nothing(toy: Path) -> None:
    crew: list[Here] = []
    summary = play(toy / "run", *SLOW, stop=asked_after(4, 1), crew=crew)
    assert summary.stopped
    assert (summary.interrupted, summary.finished) == ({}, summary.played)
    then = crew[0].finished_at_stop
    assert 4 <= then < summary.finished <= then + 2 * 4
    assert play(toy / "run", *SLOW).finished == 40
    assert_as_local(toy / "run", local(toy, *SLOW))


def test_a_second_stop_lists_what_is_under_way(toy: Path) -> None:
    summary = play(toy / "run", *SLOW, stop=asked_after(4, 2))
    assert set(summary.interrupted) == {STOPPED}
    assert 1 <= summary.interrupted[STOPPED] <= 8
    run = read_run(toy / "run")
    assert Counter(record.reason for record in run.interrupted) == summary.interrupted
    assert len(run.episodes) == summary.finished
    assert play(toy / "run", *SLOW).finished == 40
    assert_as_local(toy / "run", local(toy, *SLOW))


def test_a_server_that_is_down_interrupts_as_in_one_process(toy: Path) -> None:
    (toy / "down").touch()
    cut = [TOY[0], "agents=cut", "episodes=12"]
    summary = play(toy / "run", *cut)
    assert set(summary.interrupted) == {"server 127.0.0.1 is down"}
    assert main(["run", *cut, "run.name=other", "engine.progress=none"]) == 1
    there = read_run(toy / "runs/other")
    assert episodes(toy / "run") == episodes(toy / "runs/other")
    assert summary.interrupted["server 127.0.0.1 is down"] == len(there.interrupted)


def test_a_bug_in_an_agent_ends_the_run_and_names_the_episode(toy: Path) -> None:
    with pytest.raises(EpisodeFailed, match=r"failed: KeyError: 'mood'"):
        play(toy / "run", TOY[0], "agents=buggy", "episodes=4")
    assert not read_run(toy / "run").episodes


def test_a_worker_of_another_session_ends_before_it_writes(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = compose(TOY)
    crew = Here(toy / "run", config, plan(config.design()))
    (toy / "run" / SEGMENTS / SIGN).write_text("a later one")

    async def begun() -> bool:
        return await Worker(crew.setup(0, "w000")).begin()

    assert not asyncio.run(begun())
    assert not (toy / "run" / SEGMENTS / "w000").exists()


def test_a_worker_that_cannot_begin_shows_its_lock_and_says_why(toy: Path) -> None:
    config = compose(TOY)
    crew = Here(toy / "run", config, plan(config.design()))

    @contextmanager
    def closed() -> Iterator[Mapping[str, Any]]:
        assert (toy / "run" / SEGMENTS / "w000" / ".lock").exists()
        raise InputError("VALUESIM_API_KEY is not set")
        yield {}

    async def told() -> Report:
        worker = Worker(replace(crew.setup(0, "w000"), opened=closed))
        assert await worker.begin()
        report = await worker.report()
        assert worker._guard is not None
        worker._guard.cancel()
        return report

    failed = asyncio.run(told()).failed
    assert failed is not None
    assert (failed.kind, failed.told) == ("InputError", "VALUESIM_API_KEY is not set")


def test_a_worker_that_does_not_answer_keeps_no_other_from_hearing_the_end(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("valuesim.engine.dispatch._GRACE_S", 0.5)
    monkeypatch.setattr("valuesim.engine.dispatch._TOLD_S", 0.1)
    heard: list[tuple[int, bool]] = []
    stop = Seat.stop

    async def deaf(seat: Seat, *, now: bool) -> None:
        if seat.worker._setup.segment == "w000":
            await asyncio.Event().wait()
        heard.append((1, now))
        await stop(seat, now=now)

    monkeypatch.setattr(Seat, "stop", deaf)
    summary = play(toy / "run", *SLOW, stop=asked_after(4, 2))
    assert (1, False) in heard
    assert (1, True) in heard
    assert summary.stopped


def test_a_worker_ends_at_once_where_another_session_begins(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []
    monkeypatch.setattr(worker_module, "_LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(os, "_exit", ended.append)
    config = compose(TOY)
    crew = Here(toy / "run", config, plan(config.design()))

    async def watched() -> None:
        worker = Mortal(crew.setup(0, "w000"))
        assert await worker.begin()
        await asyncio.sleep(0.1)
        assert not ended
        (toy / "run" / SEGMENTS / SIGN).write_text("a later one")
        while not ended:
            await asyncio.sleep(0.01)
        await worker.die()

    asyncio.run(asyncio.wait_for(watched(), 60))
    assert set(ended) == {1}


def test_what_a_worker_is_sent_holds_no_key(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VALUESIM_API_KEY", "sk-not-to-be-sent-0123456789")
    config = compose(["agents=llm", "model=vllm", "model.name=tiny", "episodes=1"])
    specs = plan(config.design())
    setup = replace(Here(toy / "run", config, specs).setup(0, "w000"), opened=opened)  # type: ignore[arg-type]
    assert b"not-to-be-sent" not in pickle.dumps((setup, config))


@pytest.mark.parametrize(("most", "size"), [(64, 2), (10, 3), (3, 3), (7, 4)])
def test_the_parts_of_a_servers_limit_add_up_to_it(most: int, size: int) -> None:
    parts = [Share(index=k, size=size).of(most) for k in range(size)]
    assert sum(parts) == most
    assert max(parts) - min(parts) <= 1


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["engine.workers=2"], "engine.workers is for several processes: add engine=ray"),
        (["engine=ray", "engine.workers=0"], "engine.workers=0 is not allowed: 1 to 10,000"),
        (["engine=ray", "engine.cpus=0"], "engine.cpus and engine.gpus are both 0"),
        (["engine=rya"], "did you mean 'ray'?"),
        (["engine=ray", "asking=adaptive"], "does not go with asking=adaptive"),
        (["engine=ray", "agents.Alpha=human"], "does not go with a person"),
        (
            ["engine=ray", "engine.address=auto", "engine.cache=use", "agents=llm", "model=mock"],
            "which machines cannot share",
        ),
        (
            ["engine=ray", "agents=llm", "model=vllm_offline", "model.name=tiny"],
            "is loaded by each worker: give engine.gpus=1, or engine.workers=1",
        ),
    ],
)
def test_what_workers_cannot_do_is_refused_before_anything_is_played(
    toy: Path, given: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "episodes=1", "run.name=refused", *given]) == 2
    assert told in capsys.readouterr().err
    assert not (toy / "runs/refused").exists()


def test_more_workers_than_a_server_takes_requests_are_refused() -> None:
    from valuesim.cli.crew import _check_shares

    config = compose(["agents=llm", "model=mock", "model.concurrency=2"])
    with pytest.raises(InputError, match=r"model\.concurrency=2 is shared by engine\.workers=3"):
        _check_shares(config, cells_of(plan(config.design())), 3)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("ray://head:10001", "is not allowed: auto, HOST:PORT, or null"),
        ("head", "is not allowed: auto, HOST:PORT, or null"),
        ("127.0.0.1:1", "no Ray cluster listens there"),
        ("127.0.0.1:99999", "no Ray cluster listens there"),
    ],
)
def test_an_address_where_no_cluster_is_is_told_at_once(address: str, told: str) -> None:
    from valuesim.engine.ray_crew import Cluster, connected_to

    cluster = Cluster(size=1, address=address, cpus=1.0, gpus=0.0)
    with pytest.raises(InputError, match=re.escape(told)), connected_to(cluster):
        pass


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from valuesim.engine.ray_crew import Cluster, connected_to

    monkeypatch.setitem(sys.modules, "ray", None)
    cluster = Cluster(size=1, address=None, cpus=1.0, gpus=0.0)
    with (
        pytest.raises(InputError, match=re.escape("pip install 'valuesim[ray]'")),
        connected_to(cluster),
    ):
        pass


def test_cells_are_told_once_in_the_order_of_the_plan() -> None:
    config = compose(["env=survival", "agents=[random,first]", "episodes=3"])
    specs = plan(config.design())
    assert cells_of(specs) == specs[:2]
