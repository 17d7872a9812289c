"""Runs that are killed, stopped or starved, and the same command given again."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from valuesim.cli import main
from valuesim.engine.plan import episode_seeds
from valuesim.log import RunWriter, read_run

RUN = [sys.executable, "-m", "valuesim.cli", "run"]
SLOW = ["env=toy-v0", "agents=slow", "episodes=40", "env.steps=4", "engine.concurrency=8"]
FILES = ("decisions.jsonl", "episodes.jsonl", "interrupted.jsonl", "texts.jsonl")


def start(*overrides: str, limit: int | None = None) -> subprocess.Popen[str]:
    """Start a run whose files may grow to `limit` bytes each."""

    def starve() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    return subprocess.Popen(
        [*RUN, *overrides],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=starve,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    output, errors = process.communicate(timeout=60)
    return process.returncode, output, errors


def here(*overrides: str) -> int:
    """Run in this process, which is quicker, where nothing is done to the process."""
    return main(["run", *overrides])


def wait_for_lines(path: Path, count: int) -> None:
    """Wait until a file holds `count` lines: the run is then in its midst."""
    deadline = time.monotonic() + 30
    while not path.exists() or path.read_bytes().count(b"\n") < count:
        assert time.monotonic() < deadline, f"{path} never had {count} lines"
        time.sleep(0.002)


def episodes(folder: Path) -> list[str]:
    return sorted((folder / "episodes.jsonl").read_text().splitlines())


def assert_counted_once(folder: Path, *, may_be_empty: bool = False) -> None:
    """Every finished episode has each of its decisions exactly once."""
    run = read_run(folder)
    counted = Counter((d.episode.id, d.step, d.role) for d in run.decisions())
    assert set(counted.values()) == {1} or (may_be_empty and not counted)
    told = {episode.id: episode.decisions for episode in run.episodes.values()}
    assert Counter(id for id, _, _ in counted) == told


def test_a_run_killed_again_and_again_ends_as_if_it_never_was(toy: Path) -> None:
    assert here(*SLOW, "run.name=whole") == 0
    killed = toy / "runs/killed"
    for decisions in (1, 60, 200):
        process = start(*SLOW, "run.name=killed")
        wait_for_lines(killed / "decisions.jsonl", decisions)
        process.kill()
        assert finish(process)[0] == -signal.SIGKILL
    for name in FILES:
        with (killed / name).open("ab") as file:
            file.write(b'{"schema":1,"epis')
    assert here(*SLOW, "run.name=killed") == 0
    assert episodes(killed) == episodes(toy / "runs/whole")
    assert_counted_once(killed)


def test_a_second_writer_is_refused(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with RunWriter(toy / "runs/shared"):
        assert here(*SLOW, "run.name=shared") == 2
    assert capsys.readouterr().err == (
        "valuesim: error: runs/shared is being written by another run; "
        "wait for it or choose another name\n"
    )


def test_a_full_disk_ends_in_one_sentence_and_the_run_resumes(toy: Path) -> None:
    assert here(*SLOW, "run.name=whole") == 0
    room = (toy / "runs/whole/decisions.jsonl").stat().st_size // 3
    code, _, errors = finish(start(*SLOW, "run.name=full", limit=room))
    assert code == 1
    assert errors.startswith("valuesim: error: runs/full/decisions.jsonl cannot be written: ")
    assert errors.count("\n") == 1
    assert (toy / "runs/full/decisions.jsonl").read_bytes().endswith(b"\n")
    assert here(*SLOW, "run.name=full") == 0
    assert episodes(toy / "runs/full") == episodes(toy / "runs/whole")
    assert_counted_once(toy / "runs/full")


def test_more_episodes_extend_a_finished_run(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = [override for override in SLOW if not override.startswith("episodes")]
    assert here(*few, "episodes=4", "run.name=grown") == 0
    capsys.readouterr()
    assert here(*few, "episodes=9", "run.name=grown") == 0
    assert capsys.readouterr().out == (
        "9 of 9 episodes finished in runs/grown (5 of them now); 40 decisions now, no faults\n"
    )


SURVIVAL = ["agents=[ethical,random]", "env.scarcity=low", "episodes=20"]


def _first_sight(folder: Path, name: str) -> Callable[[], bool]:
    """Return what tells whether a file that opening a run makes has been made or renewed."""
    before = (folder / name).stat().st_mtime_ns if (folder / name).exists() else None
    return lambda: (folder / name).exists() and (folder / name).stat().st_mtime_ns != before


def _forked(*overrides: str) -> int:
    """Begin a run in a copy of this process, which has imported everything; return its id."""
    child = os.fork()
    if child == 0:
        os._exit(here(*overrides, "engine.progress=none"))
    return child


def test_a_run_killed_at_any_moment_ends_as_if_it_never_was(toy: Path) -> None:
    assert here(*SURVIVAL, "run.name=whole") == 0
    killed = toy / "runs/killed"
    rng = np.random.default_rng(20)
    # while it opens (the first time and later ones), then at random moments of play
    moments = [(".lock", 0.0), ("run.yaml", 0.0), ("decisions.jsonl", 0.0), ("run.yaml", 0.001)]
    moments += [("run.yaml", delay) for delay in rng.uniform(0.0, 0.3, 6)]
    in_time = 0
    for name, delay in moments:
        is_there = _first_sight(killed, name)
        child = _forked(*SURVIVAL, "run.name=killed")
        deadline = time.monotonic() + 30
        while not is_there():
            assert time.monotonic() < deadline, f"the run never wrote {name}"
            time.sleep(0.0005)
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
        in_time += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        if (killed / "run.yaml").exists():
            assert_counted_once(killed, may_be_empty=True)
    assert in_time >= 5
    assert here(*SURVIVAL, "run.name=killed") == 0
    assert episodes(killed) == episodes(toy / "runs/whole")
    assert_counted_once(killed)


def test_two_runs_that_start_into_one_folder_do_not_mix(toy: Path) -> None:
    both = [start(*SLOW, f"seed={seed}", "run.name=shared") for seed in (1, 2)]
    ends = [finish(process) for process in both]
    assert sorted(code for code, _, _ in ends) == [0, 2]
    won = 1 if ends[0][0] == 0 else 2
    run = read_run(toy / "runs/shared")
    assert run.config["config"]["seed"] == won
    assert {episode.seed for episode in run.episodes.values()} == set(episode_seeds(won, 40))


def test_a_resume_under_another_version_is_noted_and_kept(
    toy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert here(*SLOW[:2], "episodes=1", "run.name=a") == 0
    monkeypatch.setattr("valuesim.__version__", "99.0")
    capsys.readouterr()
    assert here(*SLOW[:2], "episodes=2", "run.name=a") == 0
    assert "note: this run goes on with another set-up than before: valuesim 99.0 (was 0" in (
        capsys.readouterr().err
    )
    sessions = read_run(toy / "runs/a").config["sessions"]
    assert [session["versions"]["valuesim"] == "99.0" for session in sessions] == [False, True]


def test_decisions_that_a_disk_lost_are_told_and_played_again(
    toy: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    few = [*SLOW[:2], "episodes=3", "run.name=lost"]
    assert here(*few) == 0
    log = toy / "runs/lost/decisions.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    assert main(["graph", "runs"]) == 1
    assert "holds 5 decisions of finished episode" in capfd.readouterr().err
    assert here(*few) == 0
    assert_counted_once(toy / "runs/lost")
