"""`valuesim run asking=adaptive`: what it says, what it refuses, and that it can be cut off."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from valuesim.cli import main
from valuesim.log import read_run
from valuesim.log.chosen import CHOSEN

QUICK = ["env=moral_machine", "asking=adaptive", "asking.batch=16", "asking.pool=120"]
PATIENT = [*QUICK, "agents=patient", "asking.budget=120", "engine.progress=none"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*overrides: str) -> int:
    return main(["run", *overrides])


def content(folder: Path) -> dict[str, Any]:
    """Return what a run's log says, whatever the order in which it was written."""
    read = read_run(folder)
    return {
        "episodes": sorted((folder / "episodes.jsonl").read_text().splitlines()),
        "decisions": {
            (d.episode.id, d.step, d.role): (d.chosen, d.options, d.annotations)
            for d in read.decisions()
        },
    }


def last_lines(printed: str, folder: str) -> list[str]:
    """Return how the cells ended."""
    first, *cells = printed.strip().splitlines()
    assert f"finished in {folder}" in first
    return cells


def test_a_run_that_is_killed_and_stopped_asks_what_it_would_have_asked(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*PATIENT, "run.name=whole") == 0
    told = last_lines(capsys.readouterr().out, "runs/whole")
    cut = toy / "runs/cut"
    for number, decisions, code in ((signal.SIGKILL, 20, -9), (signal.SIGINT, 50, 130)):
        command = [sys.executable, "-m", "valuesim.cli", "run", *PATIENT, "run.name=cut"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 30
        log = cut / "decisions.jsonl"
        while not log.exists() or log.read_bytes().count(b"\n") < decisions:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)
        assert process.returncode == code
    assert b"moral_machine-v0: cut off after" in output
    assert b"to go on: valuesim run env=moral_machine asking=adaptive" in errors
    assert 0 < len(read_run(cut).episodes) < 120
    assert run(*PATIENT, "run.name=cut") == 0
    assert last_lines(capsys.readouterr().out, "runs/cut") == told
    assert content(cut) == content(toy / "runs/whole")


def test_each_cell_tells_how_it_ended_and_what_is_open(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    agents = "agents=[valued:utilitarian,random]"
    given = [*QUICK, agents, "asking.budget=48", "run.name=a", "--json", "end.json"]
    assert run(*given) == 0
    first, second = last_lines(capsys.readouterr().out, "runs/a")
    assert first.startswith("valued:utilitarian, moral_machine-v0: the budget is spent after 48 ")
    assert "(120 questions to choose from); 0 of 8 neighbouring pairs of values told" in first
    assert second.startswith("random, moral_machine-v0: the budget is spent after 48 decisions")
    ended = json.loads(Path("end.json").read_text())
    assert ended["planned"] == ended["decisions"] == 96
    for cell in ended["asked"]:
        assert cell["why"] == "the budget is spent"
        assert len(cell["open"]) == cell["pairs"] == 8


def test_whoever_reads_the_run_is_told_that_its_scenes_are_no_random_sample(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*QUICK, "agents=random", "asking.budget=32", "run.name=a") == 0
    described = yaml.safe_load(Path("runs/a/run.yaml").read_text())
    assert described["config"]["asking"]["id"] == "adaptive"
    assert described["sessions"][0]["notes"] == [CHOSEN]
    capsys.readouterr()
    assert main(["graph", "runs/a"]) == 0
    assert f"note: {CHOSEN}" in " ".join(capsys.readouterr().out.split())
    assert main(["graph", "runs/a", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["groups"][0]["notes"] == [CHOSEN]
    assert main(["report", "runs/a"]) == 0
    assert CHOSEN[1:] in Path("runs/a/report.html").read_text()


def test_a_run_of_all_episodes_says_nothing_of_the_kind(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("env=moral_machine", "agents=random", "episodes=2", "run.name=a") == 0
    capsys.readouterr()
    assert main(["graph", "runs/a", "--json", "-"]) == 0
    assert CHOSEN not in json.loads(capsys.readouterr().out)["groups"][0]["notes"]


@pytest.mark.parametrize(
    "env",
    [
        ["env=dilemmas", "env.pack=unfolding"],
        ["env=dilemmas", "env.pack=[ai_risk,daily]"],
        ["env=questionnaire", "env.instrument=best_worst"],
        ["env=questionnaire", "env.instrument=bundles"],
    ],
)
def test_dilemmas_and_questionnaires_are_asked_too(
    folder: Path, env: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["agents=valued:protector", "asking=adaptive", "asking.budget=40", "asking.pool=10"]
    assert run(*env, *given, "run.name=a") == 0
    assert "neighbouring pairs of values told apart; open: " in capsys.readouterr().out
    assert 0 < sum(1 for _ in read_run(Path("runs/a")).decisions()) <= 40


def test_who_asks_among_questions_that_tell_alike_is_told_so_before_they_are_asked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["agents=random", "asking=adaptive", "asking.budget=4", "asking.batch=2"]
    assert run("env=daily", *given, "asking.pool=100", "run.name=a") == 0
    assert "note: dilemmas-v0 has little room to choose" in capsys.readouterr().err
    packs = ["env=dilemmas", "env.pack=[daily,generated]", "env.per_pair=1"]
    assert run(*packs, *given, "asking.pool=100", "run.name=b") == 0
    assert "little room" not in capsys.readouterr().err


def test_a_larger_budget_goes_on_with_a_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [*QUICK, "agents=random"]
    assert run(*given, "asking.budget=64", "run.name=whole") == 0
    assert run(*given, "asking.budget=32", "run.name=more") == 0
    assert run(*given, "asking.budget=64", "run.name=more") == 0
    assert "64 of 64 episodes finished in runs/more (32 of them now)" in capsys.readouterr().out
    assert content(Path("runs/more")) == content(Path("runs/whole"))
    assert run(*given, "asking.budget=16", "run.name=more") == 2
    assert run(*given, "asking.budget=64", "asking.batch=8", "run.name=more") == 2
    assert "holds a run with asking.batch=16, not 8" in capsys.readouterr().err


def test_a_sweep_asks_in_each_job(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [*QUICK, "agents=random", "asking.budget=16", "seed=1,2", "run.name=a"]
    assert run("-m", *given) == 0
    printed = capsys.readouterr()
    assert "2 of 2 runs finished in runs/a" in printed.out
    assert printed.err.count("the budget is spent after 16 decisions") == 2
    one, other = sorted(path.parent for path in Path("runs/a").glob("*/run.yaml"))
    assert content(one) != content(other)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["env=survival"], "the scenes of survival-v0 cannot be asked one by one"),
        (["env=stag_hunt"], "the scenes of stag_hunt-v0 cannot be asked one by one"),
        (["env=moral_machine", "env.panel=2"], "the scenes of moral_machine-v0 cannot be asked"),
        (["env=questionnaire", "env.instrument=rating"], "no question of questionnaire-v0 sets"),
        (["env=daily", "env.part=3"], "env.part=3 does not go with asking=adaptive"),
        (["env=daily", "episodes=3"], "episodes does not go with asking=adaptive"),
        (["env=daily", "asking.budget=0"], "asking.budget=0 is not allowed: 1 to 1000000"),
        (["env=daily", "asking.batch=1"], "asking.batch=1 is not allowed: 2 to 10000"),
        (["env=daily", "asking.sure=0.5"], "asking.sure=0.5 is not allowed: above 0.5"),
        (["env=daily", "asking.sure=nan"], "asking.sure=nan is not allowed: above 0.5"),
        (["env=daily", "asking.pool=0"], "asking.pool=0 is not allowed: 1 to 100000"),
        (["env=daily", "asking.budgets=9"], "unknown setting 'budgets' (in asking)"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_sentence(
    folder: Path, given: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*given, "agents=random", "asking=adaptive", "run.name=a") == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not Path("runs").exists()


def test_a_setting_of_adaptive_asking_alone_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("env=daily", "agents=random", "asking.budget=9") == 2
    assert "asking.budget needs asking=adaptive: add it" in capsys.readouterr().err
