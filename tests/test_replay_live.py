"""A run that is watched while it is played: what is told of it, and when; torn and hostile logs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

pytest.importorskip("fastapi")
pytest.importorskip("duckdb")

import uvicorn

import valuesim.replay.live.sources
from tests import paced_runs
from tests.paced_runs import Gate, wait_for
from valuesim.cli import main
from valuesim.errors import LogError
from valuesim.log import read_run
from valuesim.replay.indexing.naming import NotYetError
from valuesim.replay.indexing.news import News
from valuesim.replay.indexing.progress import Progress
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.indexing.tailing import LONGEST, Tail
from valuesim.replay.live.now import Lives
from valuesim.replay.live.sources import Sources
from valuesim.replay.security import Access
from valuesim.replay.server import create_app
from valuesim.replay.server.feed import Feed

GAME = ("env=public_goods", "env.horizon=30", "engine.concurrency=1")


@dataclass
class Site:
    """A viewer that answers in a thread of this process."""

    address: str
    server: uvicorn.Server
    thread: threading.Thread
    endings: list[Callable[[], None]]

    def end(self) -> None:
        for each in self.endings:
            each()
        self.server.should_exit = True
        self.thread.join(10)

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.address + path, timeout=30) as answer:
            return json.load(answer)


@dataclass
class Heard:
    """Server-sent events that were heard, with the time of each."""

    events: list[tuple[float, str, Any, str]] = field(default_factory=list)
    is_over: bool = False

    def named(self, name: str) -> list[Any]:
        return [told for _, each, told, _ in self.events if each == name]


def hear(site: Site, path: str, last_id: str = "") -> Heard:
    """Listen beside the test, to the end of the stream."""
    heard = Heard()

    def listen() -> None:
        request = urllib.request.Request(site.address + path)
        if last_id:
            request.add_header("Last-Event-ID", last_id)
        told: dict[str, str] = {}
        with urllib.request.urlopen(request, timeout=60) as stream:
            for raw in stream:
                name, _, content = raw.decode().rstrip("\n").partition(": ")
                if name:
                    told[name] = content
                elif "event" in told:
                    event = (time.time(), told["event"], json.loads(told["data"]))
                    heard.events.append((*event, told.get("id", "")))
                    told = {}
        heard.is_over = True

    threading.Thread(target=listen, daemon=True).start()
    return heard


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    return paced_runs.installed(tmp_path / "plugins")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def started(plugins: Path) -> Iterator[Any]:
    """What starts a run and waits until it is being written; it is killed in the end."""
    begun = []

    def start(run: Path, *settings: str, gate: Gate | None = None) -> Any:
        path = run / "decisions.jsonl"
        before = path.stat().st_size if path.exists() else 0
        process = paced_runs.started(plugins, run, *settings, pace_s=0.15, gate=gate)
        begun.append(process)
        wait_for(lambda: path.exists() and path.stat().st_size > before, "the run begins", 180)
        return process

    yield start
    for process in begun:
        process.kill()
        process.wait()


@pytest.fixture
def watched() -> Iterator[Any]:
    """What starts a viewer on a folder."""
    sites = []

    def watch(folder: Path) -> Site:
        app = create_app(Shelf(folder), Access())
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        wait_for(lambda: server.started, "the viewer answers")
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        sites.append(Site(address, server, thread, app.state.endings))
        return sites[-1]

    yield watch
    for site in sites:
        site.end()


def open_episode(site: Site) -> tuple[str, str]:
    wait_for(lambda: site.get("/api/live")["runs"], "a run is being played")
    (row,) = site.get("/api/live")["runs"]
    return row["run"], row["episodes_open"][0]["episode"]


def decided(answer: Any) -> list[tuple[int, str]]:
    return [(step["step"], each["role"]) for step in answer["steps"] for each in step["moments"]]


def test_each_step_is_told_within_two_seconds_and_then_the_end(
    folder: Path, started: Any, watched: Any
) -> None:
    gate = Gate(folder.parent / "gate", 3)
    process = started(folder / "slow", *GAME, "episodes=1", gate=gate)
    site = watched(folder)
    run, episode = open_episode(site)
    answer = site.get(f"/api/episodes/{run}/{episode}")
    assert answer["live"] is True
    assert answer["env"] == "public_goods-v0"
    place = f"play={answer['play']}&after={answer['decisions']}"
    own = hear(site, f"/api/live/{run}/{episode}/events?{place}")
    every = hear(site, f"/api/live/{run}/events")
    wait_for(lambda: every.events, "the state is told")
    gate.open(30)
    wait_for(lambda: own.is_over, "the episode ends", 60)
    process.wait(30)
    whole = site.get(f"/api/episodes/{run}/{episode}")
    assert "live" not in whole
    later = [(s["step"], m["role"]) for s in own.named("step") for m in s["moments"]]
    assert decided(answer) + later == decided(whole)
    assert own.named("finished") == [{"episode": episode, "reason": None}]
    moments = {(s["step"], m["role"]): m for s in whole["steps"] for m in s["moments"]}
    for step in own.named("step"):
        assert all(moments[step["step"], m["role"]]["view"] == m["view"] for m in step["moments"])
    lines = (folder / "slow" / "decisions.jsonl").read_bytes().splitlines()
    written = {
        (line["step"], line["agent"]): line["time"]["at"] for line in map(orjson.loads, lines)
    }
    assert _latest(every, written) < 2


def _latest(heard: Heard, written: dict[tuple[int, str], str]) -> float:
    from datetime import datetime

    late = [
        at - datetime.fromisoformat(written[told["step"], told["role"]]).timestamp()
        for at, name, told, _ in heard.events
        if name == "step"
    ]
    assert late, "no step was told"
    return max(late)


def test_who_comes_back_misses_nothing_and_gets_nothing_twice(
    folder: Path, started: Any, watched: Any
) -> None:
    gate = Gate(folder.parent / "gate", 1)
    started(folder / "slow", *GAME, "episodes=1", gate=gate)
    site = watched(folder)
    run, episode = open_episode(site)
    first = hear(site, f"/api/live/{run}/events")
    wait_for(lambda: first.events, "the state is told")
    gate.open(4)
    wait_for(lambda: len(first.named("step")) >= 8, "eight decisions")
    *_, last_id = first.events[4]
    again = hear(site, f"/api/live/{run}/events", last_id)
    wait_for(lambda: len(again.named("step")) >= 8, "eight decisions again")
    # the first event is the state: of the steps four were heard
    assert again.named("step")[:4] == first.named("step")[4:8]
    assert again.named("state") == []
    own = hear(site, f"/api/live/{run}/{episode}/events", "0.4")
    wait_for(lambda: own.named("step"), "a step of the episode")
    assert own.named("step")[0]["step"] == 1


def test_a_killed_run_that_is_resumed_is_played_anew(
    folder: Path, started: Any, watched: Any
) -> None:
    game = (*GAME, "episodes=1")
    gate = Gate(folder.parent / "gate", 4)
    process = started(folder / "slow", *game, gate=gate)
    site = watched(folder)
    run, episode = open_episode(site)
    own = hear(site, f"/api/live/{run}/{episode}/events?play=0&after=0")
    wait_for(lambda: len(own.named("step")) >= 3, "three steps")
    process.send_signal(signal.SIGKILL)
    process.wait()
    with (folder / "slow" / "decisions.jsonl").open("ab") as file:
        file.write(b'{"agent":"Alpha","decision":{"torn')
    time.sleep(1)
    assert len({step["step"] for step in own.named("step")}) == len(own.named("step"))
    process = started(folder / "slow", *game, gate=gate)
    wait_for(lambda: own.is_over, "the old play ends")
    assert own.events[-1][1] in ("interrupted", "reload")
    wait_for(lambda: site.get(f"/api/episodes/{run}/{episode}")["play"] == 1, "the next play")
    answer = site.get(f"/api/episodes/{run}/{episode}")
    assert (answer["live"], answer["steps"][0]["step"]) == (True, 0)
    assert len(decided(answer)) == len(set(decided(answer))) == answer["decisions"]


def test_a_run_that_falls_silent_is_no_longer_told_as_live(
    folder: Path, watched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("valuesim.replay.server.following._HEARTBEAT_S", 0.2)
    run = folder / "cut"
    assert main(["run", "env=dictator", "agents=random", "episodes=1", f"run.name={run}"]) == 0
    (run / "episodes.jsonl").write_bytes(b"")
    site = watched(folder)
    place, episode = open_episode(site)
    own = hear(site, f"/api/live/{place}/{episode}/events?play=0&after=0")
    wait_for(lambda: len(own.named("state")) > 3, "it is there")
    monkeypatch.setattr("valuesim.replay.live.now.RECENT_S", -1.0)
    wait_for(lambda: own.is_over, "it is told")
    assert own.events[-1][1] == "reload"
    answer = site.get(f"/api/episodes/{place}/{episode}")
    assert answer["live"] is False
    assert "nothing was written" in answer["interrupted"]


async def _waits(feed: Feed, then: Callable[[], object]) -> None:
    """Return once one who listens to a feed is woken by what happens `then`."""
    looking = asyncio.create_task(feed.run())
    waiting = asyncio.create_task(feed.beyond(feed.news.end))
    await asyncio.sleep(0.1)
    then()
    await asyncio.wait_for(waiting, 30)
    looking.cancel()


class Read:
    """A run whose log somebody else has read already."""

    def progress(self, run: str) -> None:
        """Find nothing new."""


async def test_news_that_another_question_met_first_is_told_at_once(tmp_path: Path) -> None:
    progress = Progress(tmp_path)
    feed = Feed(cast(Lives, Read()), "run", progress, lambda: False)
    await _waits(feed, lambda: progress.news.add([News(name="step", told={})]))


async def test_who_listens_is_let_go_when_the_viewer_ends(tmp_path: Path) -> None:
    ended = threading.Event()
    feed = Feed(cast(Lives, Read()), "run", Progress(tmp_path), ended.is_set)
    await _waits(feed, ended.set)
    assert not feed.goes_on


def test_what_is_not_planned_yet_is_waited_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = folder / "one"
    assert main(["run", "env=dictator", "agents=random", "episodes=1", f"run.name={run}"]) == 0
    (episode,) = read_run(run).episodes
    begun, shelf, sources = threading.Event(), Shelf(folder), Sources(run)

    def slowly(*given: Any) -> Any:
        begun.set()
        time.sleep(0.5)
        return planned(*given)

    planned = valuesim.replay.live.sources._planned
    monkeypatch.setattr("valuesim.replay.live.sources._planned", slowly)
    first = threading.Thread(target=sources.of, args=(shelf, episode))
    first.start()
    assert begun.wait(10)
    assert sources.of(shelf, episode).population["Alpha"].agent == "random"
    first.join()


def test_many_listeners_share_one_look(folder: Path, started: Any, watched: Any) -> None:
    started(folder / "slow", *GAME, "episodes=1", gate=Gate(folder.parent / "gate", 7))
    site = watched(folder)
    run, episode = open_episode(site)
    crowd = [hear(site, f"/api/live/{run}/{episode}/events?play=0&after=0") for _ in range(40)]
    threads = threading.active_count()
    wait_for(lambda: all(len(each.named("step")) > 5 for each in crowd), "all hear", 60)
    # their own threads are those of the test; the server takes none for each
    assert threading.active_count() <= threads + 25
    assert len({json.dumps(each.named("step")[:5]) for each in crowd}) == 1


def test_an_episode_that_was_cut_off_is_shown_with_the_reason(folder: Path, watched: Any) -> None:
    run = folder / "cut"
    assert main(["run", "env=dictator", "agents=random", "episodes=3", f"run.name={run}"]) == 0
    lines = (run / "episodes.jsonl").read_bytes().splitlines(keepends=True)
    lost = orjson.loads(lines[-1])["episode"]
    (run / "episodes.jsonl").write_bytes(b"".join(lines[:-1]))
    line = {"schema": 1, "episode": lost, "play": 0, "reason": "the server is down"}
    (run / "interrupted.jsonl").write_bytes(orjson.dumps(line | {"time": {}}) + b"\n")
    site = watched(folder)
    (place,) = site.get("/api/facets")["runs"]
    answer = site.get(f"/api/episodes/{place['run']}/{lost}")
    assert (answer["live"], answer["interrupted"]) == (False, "the server is down")
    assert answer["population"]["Alpha"]["agent"] == "random"
    assert isinstance(answer["seed"], int)
    assert answer["condition"]
    assert len(decided(answer)) == 1
    assert site.get("/api/live")["runs"] == []


def test_a_torn_line_waits_for_its_rest(tmp_path: Path) -> None:
    path = tmp_path / "log"
    tail = Tail(path)
    assert tail.look().lines == []
    path.write_bytes(b"one\ntw")
    assert [line.raw for line in tail.look().lines] == [b"one"]
    with path.open("ab") as file:
        file.write(b"o\nthree\n")
    assert [(line.begins, line.raw) for line in tail.look().lines] == [(4, b"two"), (8, b"three")]


def test_a_mended_end_is_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    tail = Tail(path)
    path.write_bytes(b"one\ntorn")
    tail.look()
    path.write_bytes(b"one\n")
    assert not tail.look().is_anew
    path.write_bytes(b"one\ntwo\n")
    read = tail.look()
    assert (read.is_anew, [line.raw for line in read.lines]) == (False, [b"two"])


@pytest.mark.parametrize("now", [b"two\n", b"", b"two\nthree\nfour\n"])
def test_a_replaced_file_is_read_anew(tmp_path: Path, now: bytes) -> None:
    path = tmp_path / "log"
    tail = Tail(path)
    path.write_bytes(b"one\none\n")
    tail.look()
    path.write_bytes(now)
    read = tail.look()
    assert read.is_anew
    assert [line.raw for line in read.lines] == now.splitlines()


def test_a_line_without_end_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "log"
    tail = Tail(path)
    with path.open("wb") as file:
        for _ in range(3):
            file.write(b"x" * LONGEST)
            file.flush()
            while not (read := tail.look()).is_whole:
                assert read.lines == []
        file.write(b"\nshort\n")
    assert [line.raw for line in tail.look().lines] == [b"short"]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "decisions.jsonl")
    with pytest.raises(LogError, match="not a regular file"):
        Progress(tmp_path).look()


def test_what_is_no_line_of_a_log_is_passed_over(tmp_path: Path) -> None:
    rubbish = [b"\x00\xff\xfe", b"[]", b'{"schema":1}', b'{"schema":1,"episode":[],"play":0}', b"{"]
    line = {"schema": 1, "episode": "a", "play": 0, "step": 1, "agent": "A"}
    line |= {"decision": {"option": "X", "fault": None}}
    for name in ("decisions", "episodes", "interrupted", "texts"):
        (tmp_path / f"{name}.jsonl").write_bytes(b"\n".join([*rubbish, orjson.dumps(line)]) + b"\n")
    (tmp_path / "episodes.jsonl").unlink()
    progress = Progress(tmp_path)
    progress.look()
    assert list(progress.open) == ["a"]


def test_a_link_that_leads_out_is_refused(folder: Path, tmp_path: Path, watched: Any) -> None:
    run = folder / "one"
    assert main(["run", "env=dictator", "agents=random", "episodes=1", f"run.name={run}"]) == 0
    shelf = Shelf(folder)
    (tmp_path / "elsewhere").write_bytes((run / "decisions.jsonl").read_bytes())
    (run / "decisions.jsonl").unlink()
    (run / "decisions.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LogError, match="leads out"):
        Lives(shelf).progress(next(iter(shelf.runs)))


def test_nobody_waits_for_a_long_log_that_is_being_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = folder / "one"
    assert main(["run", "env=dictator", "agents=random", "episodes=1", f"run.name={run}"]) == 0
    (episode,) = read_run(run).episodes
    shelf = Shelf(folder)
    shelf.rows.ask("DELETE FROM own")
    shelf.runs = {id: replace(each, is_read=False) for id, each in shelf.runs.items()}
    looked: list[threading.Thread] = []
    monkeypatch.setattr(Progress, "look", lambda _: looked.append(threading.current_thread()))
    monkeypatch.setattr("valuesim.replay.live.now._SMALL", 0)
    with pytest.raises(NotYetError, match="one is being read"):
        Lives(shelf).told(next(iter(shelf.runs)), episode)
    wait_for(lambda: looked, "the log is read beside it")
    assert threading.current_thread() not in looked


def test_parts_of_a_log_are_followed_together(tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert main(["run", "env=dictator", "agents=random", "episodes=4", f"run.name={run}"]) == 0
    lines = (run / "decisions.jsonl").read_bytes().splitlines(keepends=True)
    ended = (run / "episodes.jsonl").read_bytes().splitlines(keepends=True)
    progress = Progress(run)
    (run / "decisions.jsonl").write_bytes(lines[0])
    (run / "episodes.jsonl").write_bytes(ended[0])
    progress.look()
    for number in (1, 2):
        part = run / "segments" / f"{number}"
        part.mkdir(parents=True)
        (part / "decisions.jsonl").write_bytes(lines[number])
        progress.look()
        (part / "episodes.jsonl").write_bytes(ended[number])
    progress.look()
    assert (len(progress.open), len(progress.finished)) == (0, 3)
    names = [news.name for news in progress.news.since(0, 100)]
    assert names == ["step", "step", "finished", "finished"]
    assert set(read_run(run).episodes) == progress.finished


def test_a_very_long_episode_is_sent_light_and_each_of_its_steps_whole(
    folder: Path, watched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    game = ["env=public_goods", "env.horizon=60", "agents=random", "episodes=1"]
    assert main(["run", *game, f"run.name={folder / 'long'}"]) == 0
    site = watched(folder)
    (row,) = site.get("/api/episodes")["rows"]
    path = f"{row['run']}/{row['episode']}"
    whole = site.get(f"/api/episodes/{path}")
    monkeypatch.setattr("valuesim.replay.watching.moments.BUDGET", 1_000_000)
    light = site.get(f"/api/episodes/{path}")
    assert decided(light) == decided(whole)
    cut = [m for step in light["steps"] for m in step["moments"] if m.get("partial")]
    assert 0 < len(cut) < len(decided(whole))
    assert all(not m["text"] and "past" not in m["view"] and m["options"] for m in cut)
    for step in (whole["steps"][0], whole["steps"][30], whole["steps"][-1]):
        told = site.get(f"/api/moments/{path}/{step['step']}")
        assert told == {"schema": 1, **step}


def test_a_short_episode_is_sent_whole(folder: Path, watched: Any) -> None:
    run = folder / "short"
    assert main(["run", "env=dictator", "agents=random", "episodes=1", f"run.name={run}"]) == 0
    site = watched(folder)
    (row,) = site.get("/api/episodes")["rows"]
    answer = site.get(f"/api/episodes/{row['run']}/{row['episode']}")
    assert not any("partial" in each for step in answer["steps"] for each in step["moments"])
