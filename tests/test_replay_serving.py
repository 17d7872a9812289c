"""The viewer as a process: plays that are followed, and what becomes of them when it ends."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("duckdb")

from valuesim.cli import main
from valuesim.log import read_run


class Started:
    """A viewer in a process of its own."""

    def __init__(self, root: Path, *given: str, code: str | None = None) -> None:
        program = ["-m", "valuesim.cli"] if code is None else ["-c", code]
        command = [sys.executable, *program, "replay", str(root), "--no-browser"]
        self.process = subprocess.Popen(
            [*command, *given], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        found = re.search(r":(\d+)/\?token=([\w-]+)", self.process.stdout.readline())
        assert found, self.process.communicate()
        self.port, self.token = int(found[1]), found[2]

    def ask(self, method: str, path: str, content: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"x-valuesim-token": self.token, "content-type": "application/json"}
        body = None if content is None else json.dumps(content)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        assert answer.status < 300, told
        return told

    def asking(self, id: str) -> Any:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            play = self.ask("GET", f"/api/plays/{id}")["play"]
            if play["asking"]:
                return play
            time.sleep(0.02)
        raise AssertionError("nobody is asked")

    def followed(self, id: str) -> http.client.HTTPResponse:
        return self.stream(f"/api/plays/{id}/events")

    def stream(self, path: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", f"{path}?token={self.token}")
        return connection.getresponse()


def events(stream: http.client.HTTPResponse, count: int) -> list[dict[str, Any]]:
    """Return the next `count` plays that are told; fewer at the end."""
    found: list[dict[str, Any]] = []
    while len(found) < count and (line := stream.readline()):
        if line.startswith(b"data: "):
            found.append(json.loads(line.removeprefix(b"data: ")))
    return found


@pytest.fixture
def viewer(tmp_path: Path) -> Iterator[Started]:
    given = ["env=dictator", "agents=random", "episodes=1", f"run.name={tmp_path / 'one'}"]
    assert main(["run", *given]) == 0
    started = Started(tmp_path, "model=mock")
    yield started
    started.process.kill()
    started.process.communicate()


GAME = {"game": "survival", "role": "Alpha", "partner": "ethical", "level": "low"}


def test_a_play_is_followed_and_ends_with_the_viewer(viewer: Started, tmp_path: Path) -> None:
    play = viewer.ask("POST", "/api/games", GAME)["play"]
    gone = viewer.followed(play["id"])
    assert gone.getheader("content-type", "").startswith("text/event-stream")
    events(gone, 1)
    gone.close()
    stream = viewer.followed(play["id"])
    first = events(stream, 1)[0]
    assert first["id"] == play["id"]
    now = viewer.asking(play["id"])
    viewer.ask(
        "POST",
        f"/api/plays/{play['id']}/answer",
        {"number": now["asking"]["number"], "text": "yes"},
    )
    seen = events(stream, 1)
    while not (seen[-1]["asking"] and seen[-1]["asking"]["about"] == "option"):
        seen += events(stream, 1)
    began = time.monotonic()
    viewer.process.send_signal(signal.SIGINT)
    _, err = viewer.process.communicate(timeout=20)
    assert time.monotonic() - began < 15
    assert viewer.process.returncode in (0, 130)
    assert "Traceback" not in err
    run = read_run(tmp_path / now["run_name"])
    assert [each.reason for each in run.interrupted] == ["the run was stopped"]


def test_events_end_with_the_play(viewer: Started) -> None:
    play = viewer.ask("POST", "/api/games", {"game": "daily"})["play"]
    stream = viewer.followed(play["id"])
    viewer.asking(play["id"])
    viewer.ask("POST", f"/api/plays/{play['id']}/stop", {})
    told = events(stream, 100)
    assert told[-1]["state"] == "stopped"
    assert stream.read() == b""
    again = events(viewer.followed(play["id"]), 100)
    assert [each["state"] for each in again] == ["stopped"]


def test_a_kill_loses_no_step_that_was_played(viewer: Started, tmp_path: Path) -> None:
    play = viewer.ask("POST", "/api/games", GAME)["play"]
    while (now := viewer.asking(play["id"]))["step"] is None or now["step"] < 1:
        asking = now["asking"]
        text = "yes" if asking["about"] == "consent" else "WAIT" if asking["choices"] else ""
        answer = {"number": asking["number"], "text": text}
        viewer.ask("POST", f"/api/plays/{play['id']}/answer", answer)
    os.kill(viewer.process.pid, signal.SIGKILL)
    viewer.process.wait()
    log = (tmp_path / now["run_name"] / "decisions.jsonl").read_text().splitlines()
    steps = {json.loads(line)["step"] for line in log}
    assert steps >= {0, 1}
    assert not read_run(tmp_path / now["run_name"]).episodes
    # the next viewer shows what there is, and plays on elsewhere
    shutil.rmtree(tmp_path / "one" / "derived", ignore_errors=True)
    assert main(["graph", str(tmp_path / "one")]) == 0


NEVER_READ = """
import sys, time
from valuesim.cli import main
from valuesim.replay.indexing import shelf
def reads(run):
    while True:
        sum(range(10_000))
        time.sleep(0.001)
shelf.index_of = reads
sys.exit(main())
"""


def test_it_ends_at_once_while_streams_are_open_and_a_run_is_read(tmp_path: Path) -> None:
    given = ["env=dictator", "agents=random", "episodes=1", f"run.name={tmp_path / 'one'}"]
    assert main(["run", *given]) == 0
    viewer = Started(tmp_path, code=NEVER_READ)
    (run,) = viewer.ask("GET", "/api/facets")["runs"]
    streams = [viewer.stream(f"/api/live/{run['run']}/events") for _ in range(3)]
    for each in streams:
        while not each.readline().startswith(b"event: state"):
            pass
    began = time.monotonic()
    viewer.process.send_signal(signal.SIGINT)
    _, err = viewer.process.communicate(timeout=20)
    # 3 s, and a machine that does other things as well; a stream would go on without end
    assert time.monotonic() - began < 15
    assert viewer.process.returncode == 0
    assert err.splitlines() == ["1 run; Ctrl-C ends it"]


def test_what_is_being_read_is_not_said_to_be_missing(tmp_path: Path) -> None:
    given = ["env=dictator", "agents=random", "episodes=1", f"run.name={tmp_path / 'one'}"]
    assert main(["run", *given]) == 0
    (episode,) = read_run(tmp_path / "one").episodes
    viewer = Started(tmp_path, code=NEVER_READ)
    (run,) = viewer.ask("GET", "/api/facets")["runs"]
    with pytest.raises(AssertionError, match="one is being read: it will be there in a moment"):
        viewer.ask("GET", f"/api/episodes/{run['run']}/{episode}")
    with pytest.raises(AssertionError, match="no run below"):
        viewer.ask("GET", f"/api/episodes/elsewhere/{episode}")
    viewer.process.kill()
    viewer.process.communicate()


NEVER_ANSWERED = """
import sys, time
from valuesim.cli import main
from valuesim.replay.understanding import questions
questions.worked_out = lambda *_: time.sleep(1000)
ask = questions.Questions.ask
def asked(*given):
    print("asked", flush=True)
    return ask(*given)
questions.Questions.ask = asked
sys.exit(main())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_without_a_crash_while_somebody_waits_for_an_answer(
    tmp_path: Path, number: signal.Signals
) -> None:
    given = ["env=dictator", "agents=random", "episodes=1", f"run.name={tmp_path / 'one'}"]
    assert main(["run", *given]) == 0
    viewer = Started(tmp_path, code=NEVER_ANSWERED)
    assert viewer.ask("GET", "/api/graph")["pending"]
    connection = http.client.HTTPConnection("127.0.0.1", viewer.port, timeout=30)
    connection.request("GET", "/api/graph", headers={"x-valuesim-token": viewer.token})
    for _ in range(2):
        while (line := viewer.process.stdout.readline()) != "asked\n":
            assert line, "it ended"
    viewer.process.send_signal(number)
    assert json.loads(connection.getresponse().read())["pending"]
    _, err = viewer.process.communicate(timeout=20)
    assert "Traceback" not in err
