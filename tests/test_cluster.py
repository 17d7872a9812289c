"""One run on Ray's workers: the lines of a local run, whatever is killed; three clusters in all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from valuesim.cli import main
from valuesim.log import read_run
from valuesim.log.segments import log_folders

pytest.importorskip("ray")

RUN = [sys.executable, "-m", "valuesim.cli", "run"]
SLOW = ["env=toy-v0", "agents=slow", "episodes=40", "env.steps=10", "engine.concurrency=2"]
RAY = ["engine=ray", "engine.workers=2"]
KEY = "sk-never-in-a-file-0123456789"


def start(*overrides: str) -> subprocess.Popen[str]:
    """Start a run in a process group of its own, as a shell does."""
    return subprocess.Popen(
        [*RUN, *overrides],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"VALUESIM_API_KEY": KEY},
        start_new_session=True,
    )


def until(is_so: Callable[[], Any], what: str, seconds: float = 150.0) -> Any:
    """Return what `is_so` gives as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)
    return found


def workers(driver: int) -> list[int]:
    """Return the processes of Ray's workers below a run's own process."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = status.read_text().rpartition(")")
        except OSError:
            continue
        id = int(status.parent.name)
        parents[id] = (int(rest.split()[1]), name.partition("(")[2])
    found = []
    for id, (above, name) in parents.items():
        while above in parents and above != driver:
            above = parents[above][0]
        if above == driver and name.startswith("ray::Worker"):
            found.append(id)
    return sorted(found)


def decisions(run: Path) -> int:
    paths = (folder / "decisions.jsonl" for folder in log_folders(run))
    return sum(path.read_bytes().count(b"\n") for path in paths if path.exists())


def episodes(run: Path) -> list[str]:
    """Return all lines of finished episodes, sorted."""
    paths = [folder / "episodes.jsonl" for folder in log_folders(run)]
    return sorted(line for path in paths for line in path.read_text().splitlines())


def counting(run: Path) -> list[dict[str, Any]]:
    """Return the lines of decisions that count, without their times and plays, sorted."""
    void = {(record.episode, record.play) for record in read_run(run).interrupted}
    found = []
    for folder in log_folders(run):
        for raw in (folder / "decisions.jsonl").read_bytes().splitlines():
            line = json.loads(raw)
            if (line["episode"], line.pop("play")) not in void:
                del line["time"]
                found.append(line)
    return sorted(found, key=lambda line: (line["episode"], line["step"], line["agent"]))


@pytest.fixture
def whole(toy: Path) -> Path:
    """What an undisturbed run in one process writes."""
    assert main(["run", *SLOW, "run.name=whole", "engine.progress=none"]) == 0
    return toy / "runs/whole"


def test_a_killed_worker_loses_nothing(
    toy: Path, whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = toy / "runs/killed"
    process = start(*SLOW, *RAY, "run.name=killed", "--json", "-")
    until(lambda: decisions(run) > 60, "the run is in its midst")
    os.kill(workers(process.pid)[0], signal.SIGKILL)
    output, errors = process.communicate(timeout=150)
    assert process.returncode == 0, errors
    told = json.loads(output)
    assert (told["finished"], told["played"], told["interrupted"]) == (40, 40, {})
    assert "is lost (its process ended)" in errors
    assert episodes(run) == episodes(whole)
    assert counting(run) == counting(whole)
    # nothing of Ray's own is shown, and no key is kept
    assert [line for line in errors.splitlines() if "raylet" in line or "WARNING" in line] == []
    assert not any(KEY.encode() in p.read_bytes() for p in run.rglob("*") if p.is_file())
    capsys.readouterr()
    assert main(["run", *SLOW, "run.name=killed", "engine.progress=none"]) == 0
    assert "40 of 40 episodes finished in runs/killed (0 of them now)" in capsys.readouterr().out


def test_a_killed_run_takes_its_workers_with_it_and_goes_on_in_one_process_at_once(
    toy: Path, whole: Path
) -> None:
    run = toy / "runs/driven"
    process = start(*SLOW, *RAY, "run.name=driven")
    until(lambda: decisions(run) > 60, "the run is in its midst")
    theirs = workers(process.pid)
    assert len(theirs) == 2
    process.kill()
    process.communicate(timeout=60)
    assert main(["run", *SLOW, "run.name=driven", "engine.progress=none"]) == 0
    assert [id for id in theirs if Path(f"/proc/{id}").exists()] == []
    assert episodes(run) == episodes(whole)
    assert counting(run) == counting(whole)


def test_a_stop_from_the_keyboard_ends_the_run_and_not_its_workers_first(
    toy: Path, whole: Path
) -> None:
    run = toy / "runs/stopped"
    process = start(*SLOW, *RAY, "run.name=stopped")
    until(lambda: decisions(run) > 20, "the run is in its midst")
    # a terminal sends it to all processes of the group
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "stopping: " in errors
    assert "is lost" not in errors
    found = read_run(run)
    assert not found.interrupted
    assert 0 < len(found.episodes) < 40
    assert f"{len(found.episodes)} of 40 episodes finished in runs/stopped" in output
    assert main(["run", *SLOW, "run.name=stopped", "engine.progress=none"]) == 0
    assert episodes(run) == episodes(whole)
    assert counting(run) == counting(whole)
