"""Runs that are told to stop: gently at first, at once when told again; and their resumes."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from valuesim.cli import main
from valuesim.log import read_run

RUN = [sys.executable, "-m", "valuesim.cli", "run"]
SLOW = ["env=toy-v0", "agents=slow", "episodes=40", "env.steps=4", "engine.concurrency=8"]
Content = dict[str, list[str]]


def model(url: str, *more: str) -> list[str]:
    """Return the settings of a run that asks the server at `url`."""
    served = ["agents=llm", "model=vllm", "model.name=tiny", f"model.base_url={url}"]
    return [*served, "env.horizon=4", "episodes=8", "engine.concurrency=4", *more]


def start(*overrides: str) -> subprocess.Popen[str]:
    command = [*RUN, *overrides]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    output, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors
    return process.returncode, output, errors


def wait_for_lines(path: Path, count: int) -> None:
    """Wait until a file holds `count` lines: the run is then in its midst."""
    deadline = time.monotonic() + 30
    while not path.exists() or path.read_bytes().count(b"\n") < count:
        assert time.monotonic() < deadline, f"{path} never had {count} lines"
        time.sleep(0.002)


def content(folder: Path) -> Content:
    """Return the sorted lines of a run without what differs between two equal ones."""
    found: Content = {}
    for name in ("decisions.jsonl", "episodes.jsonl", "texts.jsonl"):
        lines = [json.loads(line) for line in (folder / name).read_text().splitlines()]
        kept = [{key: v for key, v in line.items() if key != "time"} for line in lines]
        found[name] = sorted(json.dumps(line, sort_keys=True) for line in kept)
    return found


def stopped(command: list[str], folder: Path, lines: int, *numbers: int) -> tuple[int, str, str]:
    """Run `command`, send it signals once its log has `lines`, and return how it ended."""
    process = start(*command)
    wait_for_lines(folder / "decisions.jsonl", lines)
    for number in numbers:
        process.send_signal(number)
        time.sleep(0.05)
    return finish(process)


async def test_the_first_stop_plays_what_is_under_way_to_its_end_and_a_resume_the_rest(
    toy: Path, serve: Callable[..., Any]
) -> None:
    command = model((await serve(latency_s=0.05)).url)
    assert await asyncio.to_thread(main, ["run", *command, "run.name=whole"]) == 0
    folder = toy / "runs/cut"
    cut = [*command, "run.name=cut"]
    code, output, errors = await asyncio.to_thread(stopped, cut, folder, 8, signal.SIGINT)
    assert code == 130
    assert output.startswith("4 of 8 episodes finished in runs/cut; ")
    told = "stopping: 4 episodes under way are played to the end; press Ctrl-C again to stop now\n"
    assert told in errors
    assert "to go on: valuesim run agents=llm" in errors
    assert not read_run(folder).interrupted
    assert await asyncio.to_thread(main, ["run", *cut]) == 0
    assert content(folder) == content(toy / "runs/whole")


def test_the_second_stop_lists_what_is_under_way_and_loses_nothing(toy: Path) -> None:
    slow = ["env=toy-v0", "agents=slow", "episodes=40", "env.steps=20", "engine.concurrency=8"]
    folder = toy / "runs/cut"
    command = [*slow, "run.name=cut"]
    code, output, errors = stopped(command, folder, 40, signal.SIGINT, signal.SIGTERM)
    assert code == 130
    assert "8 interrupted: 8 x the run was stopped" in output
    assert "to go on: valuesim run env=toy-v0" in errors
    assert len(read_run(folder).interrupted) == 8
    assert main(["run", *command, "engine.concurrency=40"]) == 0
    assert len(read_run(folder).episodes) == 40


async def test_a_stop_does_not_wait_for_a_server_that_is_away(
    toy: Path, serve: Callable[..., Any]
) -> None:
    url = (await serve(faults={"500": 1.0})).url
    away = ["model.down_after=1", "model.retries=0", "model.pause_s=600"]

    def waited_for() -> tuple[int, str, str]:
        process = start(*model(url, *away, "run.name=away"))
        assert process.stderr is not None
        while "the run waits for it" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        return finish(process)

    code, output, errors = await asyncio.to_thread(waited_for)
    assert code == 130
    assert "0 of 8 episodes finished in runs/away; 4 interrupted: 4 x the run was st" in output
    assert "stopping: no episode is under way\n" in errors


def test_a_stop_ends_a_sweep_with_the_job_under_way(toy: Path) -> None:
    swept = ["-m", *SLOW, "env.level=low,high", "run.name=swept"]
    assert main(["run", *swept, "episodes=1"]) == 0
    first, second = sorted(path.parent for path in (toy / "runs/swept").glob("*/run.yaml"))[::-1]
    code, output, errors = stopped(swept, first, 40, signal.SIGTERM)
    assert code == 130
    assert "0 of 2 runs finished in runs/swept" in output
    assert "stopping: 8 episodes under way are played to the end" in errors
    assert "to go on: valuesim run -m env=toy-v0" in errors
    assert not read_run(first).interrupted
    assert len(read_run(second).episodes) == 1
    assert main(["run", *swept]) == 0
    assert [len(read_run(job).episodes) for job in (first, second)] == [40, 40]


async def test_a_stop_that_leaves_nothing_to_play_does_not_say_how_to_go_on(
    toy: Path, serve: Callable[..., Any]
) -> None:
    command = model((await serve(latency_s=0.05)).url, "episodes=2", "run.name=whole")
    folder = toy / "runs/whole"
    code, output, errors = await asyncio.to_thread(stopped, command, folder, 4, signal.SIGINT)
    assert code == 130
    assert output.startswith("2 of 2 episodes finished in runs/whole; ")
    assert "stopped, when nothing was left to begin: the run is finished" in output
    assert "to go on" not in errors
