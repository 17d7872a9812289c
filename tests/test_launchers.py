"""Sweeps played by other processes: killed, stopped, failing, and the same command given again."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from valuesim.cli import heeding, main
from valuesim.cli.job import FAILED, FINISHED, RUNNING, WAITING, JobRecord
from valuesim.cli.launching import Launching, check_no_key
from valuesim.cli.rounds import LaunchError, launch_all
from valuesim.cli.sweep_folder import SweepFolder
from valuesim.errors import STOPPED, InputError
from valuesim.log import read_run

RUN = [sys.executable, "-m", "valuesim.cli", "run", "-m"]
LEVELS = ["env.level=low,high", "seed=0,1"]
SWEEP = ["env=toy-v0", "env.steps=3", "episodes=6", "engine.concurrency=2", "run.name=swept"]
ELSEWHERE = ["joblib", "submitit_local", "ray"]


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Sweeps that were started; whatever is left of them ends with the test."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def start(started: list[subprocess.Popen[str]], *given: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [*RUN, *SWEEP, *given],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    started.append(process)
    return process


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    output, errors = process.communicate(timeout=180)
    return process.returncode, output, errors


def wait_for(folder: Path, file: str, lines: int, jobs: int = 1) -> None:
    """Wait until the logs `file` of a sweep hold `lines` lines in all, and `jobs` of them any."""
    deadline = time.monotonic() + 120
    counts: list[int] = []
    while sum(counts) < lines or sum(map(bool, counts)) < jobs:
        assert time.monotonic() < deadline, f"{folder}: {counts}"
        time.sleep(0.01)
        counts = [log.read_bytes().count(b"\n") for log in folder.glob(f"*/{file}")]


def runs(toy: Path) -> list[Path]:
    return sorted(path.parent for path in (toy / "runs/swept").glob("*/run.yaml"))


def playing(toy: Path) -> list[str]:
    """Return the processes that were started with the marks of `toy`, this one left out."""
    mark = f"TOY_MARKS={toy}\0".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes() + b"\0" and process.name != str(
                os.getpid()
            ):
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return [command for command in found if command]


def logged(folder: Path) -> tuple[list[bytes], list[str]]:
    """Return the finished episodes of all jobs and their decisions, without times, sorted."""
    episodes: list[bytes] = []
    decisions: list[str] = []
    for run in sorted(path.parent for path in folder.glob("*/run.yaml")):
        episodes += (run / "episodes.jsonl").read_bytes().splitlines()
        void = {(each.episode, each.play) for each in read_run(run).interrupted}
        for line in (run / "decisions.jsonl").read_text().splitlines():
            decision = json.loads(line)
            play = decision.pop("play")
            if (decision["episode"], play) not in void:
                decisions.append(json.dumps(decision | {"time": None}, sort_keys=True))
    return sorted(episodes), sorted(decisions)


@pytest.mark.parametrize("launcher", ["basic", *ELSEWHERE])
def test_a_killed_sweep_goes_on_to_what_one_that_was_not_killed_has(
    toy: Path, started: list[subprocess.Popen[str]], launcher: str
) -> None:
    # a process for each job takes longest to begin, so that has two jobs, the others four
    swept = LEVELS[:1] if launcher == "submitit_local" else LEVELS
    assert main(["run", "-m", *SWEEP, "agents=kind", *swept, "run.name=base"]) == 0
    command = ["agents=kind", *swept, f"hydra/launcher={launcher}"]
    killed = start(started, *command)
    wait_for(toy / "runs/swept", "episodes.jsonl", 4)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    code, output, errors = finish(start(started, *command))
    assert code == 0, errors
    assert re.search(r"^(\d) of \1 runs finished in runs/swept$", output, re.MULTILINE)
    assert logged(toy / "runs/swept") == logged(toy / "runs/base")
    assert len(logged(toy / "runs/base")[0]) == 6 * 2 ** len(swept)


def test_jobs_of_a_sweep_that_is_killed_alone_end_by_themselves(
    toy: Path, started: list[subprocess.Popen[str]]
) -> None:
    slow = ["agents=slow", "env.level=low,high", "env.steps=200", "hydra/launcher=joblib"]
    killed = start(started, *slow)
    wait_for(toy / "runs/swept", "decisions.jsonl", 20, jobs=2)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    deadline = time.monotonic() + 60
    while not all(read_run(run).interrupted for run in runs(toy)) or playing(toy):
        assert time.monotonic() < deadline, playing(toy)
        time.sleep(0.1)
    reasons = [each.reason for run in runs(toy) for each in read_run(run).interrupted]
    assert set(reasons) == {STOPPED}


def test_a_stop_lets_jobs_elsewhere_finish_their_episodes(
    toy: Path, started: list[subprocess.Popen[str]]
) -> None:
    command = ["agents=slow", "env.level=low,high", "episodes=60", "hydra/launcher=joblib"]
    stopped = start(started, *command)
    wait_for(toy / "runs/swept", "episodes.jsonl", 2, jobs=2)
    # as a terminal does: to every process of the group
    os.killpg(stopped.pid, signal.SIGINT)
    code, output, errors = finish(stopped)
    assert code == 130, errors
    assert "stopping: no job begins any more" in errors
    assert "to go on: valuesim run -m env=toy-v0" in errors
    assert "Traceback" not in errors
    assert "interrupted: the run was stopped" in output
    assert not [each for run in runs(toy) for each in read_run(run).interrupted]
    assert not playing(toy)


def test_a_job_that_fails_or_whose_process_is_killed_does_not_end_the_others(
    toy: Path, started: list[subprocess.Popen[str]]
) -> None:
    command = ["agents=kind,deadly,buggy", "hydra/launcher=joblib", "--json", "-"]
    code, output, errors = finish(start(started, *command))
    assert code == 1, errors
    jobs = {each["settings"]["agents"]: each for each in json.loads(output)["jobs"]}
    assert {name: job["status"] for name, job in jobs.items()} == {
        "kind": "finished",
        "deadly": "failed",
        "buggy": "failed",
    }
    assert jobs["deadly"]["error"].startswith("its process ended: TerminatedWorkerError")
    assert "KeyError" in jobs["buggy"]["error"]
    assert "1 of 3 runs finished" in errors


def test_a_stop_in_the_last_job_that_leaves_nothing_to_play_does_not_say_how_to_go_on(
    toy: Path, started: list[subprocess.Popen[str]]
) -> None:
    stopped = start(started, "agents=kind,slow", "episodes=2", "env.steps=40")
    wait_for(toy / "runs/swept", "decisions.jsonl", 170)
    stopped.send_signal(signal.SIGINT)
    code, output, errors = finish(stopped)
    assert code == 130
    assert output.endswith("2 of 2 runs finished in runs/swept\n")
    assert "to go on" not in errors


WARNED = """
import os, signal, sys, time
from pathlib import Path
from valuesim.cli.heeding import hand_back, heeding, is_time_over
from valuesim.cli.sweep_folder import SweepFolder

signal.signal(signal.SIGUSR2, lambda *_: print("the launcher queues it again"))
sweep = SweepFolder(Path(sys.argv[1]))
with sweep.held():
    try:
        with heeding(sweep.path):
            os.kill(os.getpid(), signal.SIGUSR2)
            time.sleep(30)
    except KeyboardInterrupt:
        print("stopped,", "time is over" if is_time_over(sweep.path) else "for another reason")
    hand_back(sweep.path)
"""


def test_a_warning_that_time_is_over_stops_the_job_before_the_launcher_hears_of_it(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", WARNED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout == "stopped, time is over\nthe launcher queues it again\n", done.stderr


def test_a_launcher_that_does_not_queue_a_job_again_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def over() -> None:
        raise RuntimeError("timed out too many times\nmore of it")

    heed = heeding._heed_of(tmp_path)
    assert heeding.hand_back(tmp_path) == ""
    monkeypatch.setattr(heed, "over", over)
    assert heeding.hand_back(tmp_path) == "RuntimeError: timed out too many times"


# -- rounds ------------------------------------------------------------------------------------


class Pool:
    """A launcher of which a process is killed by each job in `deadly`, with all that have begun.

    It begins two jobs at once, and plays them in the order in which they are handed over.
    """

    def __init__(self, sweep: SweepFolder, *deadly: str) -> None:
        self.sweep, self.deadly = sweep, deadly
        self.batches: list[list[str]] = []

    def __call__(self, batch: Sequence[Sequence[str]], first: int) -> None:
        names = [name for (name,) in batch]
        self.batches.append(names)
        for at, name in enumerate(names):
            if name in self.deadly:
                for begun in names[at : at + 2]:
                    self.sweep.keep(record(begun, RUNNING))
                raise OSError("a worker was killed")
            self.sweep.keep(record(name, FINISHED))


def record(name: str, status: str = WAITING) -> JobRecord:
    return JobRecord(name=name, session="now", status=status)


def handed(folder: Path, names: str, *deadly: str, size: int | None = None) -> tuple[Pool, str]:
    """Return the pool that the jobs `names` were handed to, and the first letter of each status."""
    folder.mkdir(exist_ok=True)
    sweep = SweepFolder(folder)
    with sweep.held():
        pool = Pool(sweep, *deadly)
        launch_all([*map(record, names)], [[name] for name in names], pool, sweep, size)
        kept = sweep.records()
    return pool, "".join(kept[name].status[1] if name in kept else "-" for name in names)


def test_jobs_that_are_well_are_handed_over_once(tmp_path: Path) -> None:
    pool, stands = handed(tmp_path, "abc")
    assert pool.batches == [["a", "b", "c"]]
    assert stands == "iii"


def test_jobs_are_handed_over_in_batches(tmp_path: Path) -> None:
    assert handed(tmp_path, "abcde", size=2)[0].batches == [["a", "b"], ["c", "d"], ["e"]]


def test_only_the_job_that_kills_its_process_fails(tmp_path: Path) -> None:
    pool, stands = handed(tmp_path, "abcde", "b")
    assert pool.batches == [["a", "b", "c", "d", "e"], ["d", "e"], ["b"], ["c"]]
    assert stands == "iaiii"
    found = SweepFolder(tmp_path).record("b")
    assert found is not None
    assert (found.status, found.exit_code) == (FAILED, 1)
    assert found.why == "its process ended: OSError: a worker was killed"


def test_every_job_may_kill_its_process(tmp_path: Path) -> None:
    assert handed(tmp_path, "abcd", *"abcd")[1] == "aaaa"


def test_a_launcher_that_begins_nothing_is_an_error_at_once(tmp_path: Path) -> None:
    def launch(batch: Sequence[Sequence[str]], first: int) -> None:
        raise RuntimeError("could not find sbatch\nmore of it")

    sweep = SweepFolder(tmp_path)
    with sweep.held(), pytest.raises(LaunchError, match=r"RuntimeError: could not find sbatch$"):
        launch_all([record("a")], [["a"]], launch, sweep, None)


def test_nothing_is_handed_over_once_a_stop_is_asked_for(tmp_path: Path) -> None:
    sweep = SweepFolder(tmp_path)
    with sweep.held():
        sweep.ask_stop(1)
        pool = Pool(sweep)
        launch_all([record("a")], [["a"]], pool, sweep, None)
    assert pool.batches == []


@pytest.mark.parametrize(
    ("given", "is_refused"),
    [
        ("model.api_key_env=MY_KEY", False),
        ("model.max_tokens=100,200", False),
        ("model.extra_body={api_key: ${oc.env:MY_KEY}}", False),
        ("model.extra_body={api_key: ${oc.env:MY_KEY,sk-0123}}", True),
        ("++model.extra_body.token=abcdefgh", True),
        ("hydra.launcher.setup=[export API_KEY=abcdefgh]", True),
    ],
)
@pytest.mark.parametrize("launcher", ["submitit_local", "submitit_slurm", "joblib"])
def test_no_key_is_handed_to_a_launcher_that_writes_it_to_a_file(
    launcher: str, given: str, is_refused: bool
) -> None:
    launching = Launching(launcher=launcher, sweeper="basic", settings=())
    if is_refused and launcher != "joblib":
        with pytest.raises(InputError, match="holds a key"):
            check_no_key([given], launching)
    else:
        check_no_key([given], launching)
