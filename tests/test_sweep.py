"""Sweeps in one process: what a job is, where it is found again, what is refused, what is told."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from valuesim.cli import launching, main, sweep_folder
from valuesim.cli import sweep as sweeping
from valuesim.cli.job import JobRecord, job_of, key_of, short_names
from valuesim.cli.job_row import JobRow
from valuesim.cli.sweep_folder import SweepFolder
from valuesim.cli.sweep_table import print_rows, write_csv
from valuesim.config import RunConfig, compose
from valuesim.log import read_run
from valuesim.secrets import MARK

TOY = ["run", "-m", "env=toy-v0", "run.name=swept"]
TWO = [*TOY, "agents=kind", "env.level=low,high", "episodes=2"]


def told(command: list[str], capsys: pytest.CaptureFixture[str], code: int = 0) -> dict[str, Any]:
    """Return the JSON that a sweep ends with."""
    capsys.readouterr()
    assert main([*command, "--json", "-"]) == code
    return dict(json.loads(capsys.readouterr().out))


def refused(command: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return the sentence of a sweep that is refused before anything is played."""
    assert main(command) == 2
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    return errors


def job(*overrides: str, swept: tuple[str, ...] = ("env.scarcity", "agents")) -> str:
    """Return the name of a job's folder."""
    return job_of(compose(overrides), overrides, swept).name


# -- what is played ----------------------------------------------------------------------------


def test_a_sweep_makes_a_run_of_each_combination(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    swept = ["env.level=low,high", "agents=kind,slow", "episodes=2"]
    jobs = told([*TOY, *swept], capsys)["jobs"]
    assert [each["finished"] for each in jobs] == [2] * 4
    assert {path.name for path in toy.iterdir()} == {"runs"}
    configs = [yaml.safe_load((toy / each["run"] / "run.yaml").read_text()) for each in jobs]
    played = [(c["config"]["env"]["level"], c["config"]["agents"]["all"]) for c in configs]
    assert played == [("low", "kind"), ("low", "slow"), ("high", "kind"), ("high", "slow")]
    assert not list(toy.rglob(".hydra"))
    assert not list(toy.rglob("multirun.yaml"))


@pytest.mark.parametrize(
    ("swept", "levels"),
    {
        "choice": ("env.steps=1,3", [1, 3]),
        "range": ("env.steps=range(1,4)", [1, 2, 3]),
        "sorted": ("env.steps=sort(3,1)", [1, 3]),
    }.values(),
)
def test_each_syntax_of_a_list_is_a_sweep(
    toy: Path, capsys: pytest.CaptureFixture[str], swept: str, levels: list[int]
) -> None:
    command = [*TOY, "agents=kind", "episodes=1", swept]
    jobs = told(command, capsys)["jobs"]
    assert [each["settings"] for each in jobs] == [{"env.steps": str(n)} for n in levels]


def test_a_glob_sweeps_over_what_there_is(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = told([*TOY, "agents=glob([kind*,slow*],exclude=kindl*)", "episodes=1"], capsys)["jobs"]
    assert {each["settings"]["agents"] for each in jobs} == {"kind", "slow"}


def test_lists_are_values_of_a_sweep(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = told([*TOY, "agents=[kind,slow],kind", "episodes=1"], capsys)["jobs"]
    assert [each["finished"] for each in jobs] == [2, 1]
    assert [each["settings"] for each in jobs] == [
        {"agents.all": "[kind,slow]"},
        {"agents.all": "kind"},
    ]


# -- where a job is found again ----------------------------------------------------------------


def test_a_longer_sweep_keeps_the_jobs_that_are_finished(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = told(TWO, capsys)["jobs"]
    longer = [*TOY, "agents=slow,kind", "env.level=high,low", "seed=0,1", "episodes=2"]
    jobs = told(longer, capsys)["jobs"]
    again = {each["run"] for each in jobs if each["played"] == 0}
    assert again == {each["run"] for each in first}
    assert len({each["run"] for each in jobs}) == len(jobs) == 8
    assert sum(each["played"] for each in jobs) == 12


def test_a_sweep_with_more_episodes_plays_those_it_lacks(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(TWO, capsys)
    more = told([*TWO[:-1], "episodes=3", "engine.concurrency=1"], capsys)
    assert [each["played"] for each in more["jobs"]] == [1, 1]


def test_jobs_that_an_earlier_version_numbered_are_found(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, each in enumerate(told(TWO, capsys)["jobs"]):
        (toy / each["run"]).rename(toy / f"runs/swept/{number}")
    shutil.rmtree(toy / "runs/swept/.jobs")
    jobs = told(TWO, capsys)["jobs"]
    assert [(each["run"], each["played"]) for each in jobs] == [
        ("runs/swept/0", 0),
        ("runs/swept/1", 0),
    ]


def test_a_sweep_that_is_whole_hands_no_job_to_its_launcher(
    toy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = told(TWO, capsys)
    logs = {path: path.read_bytes() for path in toy.rglob("*.jsonl")}
    monkeypatch.setattr(sweeping, "launcher_of", lambda *_: pytest.fail("a launcher was asked for"))
    after = told(TWO, capsys)
    assert [each["status"] for each in after["jobs"]] == ["finished"] * 2
    assert [each["total"] for each in after["jobs"]] == [each["total"] for each in before["jobs"]]
    assert logs == {path: path.read_bytes() for path in toy.rglob("*.jsonl")}


def test_a_job_whose_disk_lost_decisions_is_not_whole(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = toy / told(TWO, capsys)["jobs"][1]["run"]
    log = folder / "decisions.jsonl"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    assert [each["played"] for each in told(TWO, capsys)["jobs"]] == [0, 1]
    assert len(list(read_run(folder).decisions())) == 12


def test_a_job_is_named_by_what_is_swept_and_what_it_plays() -> None:
    name = job("env.scarcity=low", "agents=ethical")
    assert re.fullmatch(r"scarcity-low_agents-ethical_[0-9a-f]{10}", name)
    assert job("agents=ethical", "env.scarcity=low").rpartition("_")[2] == name.rpartition("_")[2]
    free = ["episodes=7", "engine.concurrency=3", "run.name=other"]
    assert job("env.scarcity=low", "agents=ethical", *free) == name
    for other in ("seed=1", "env.horizon=5", "agents.Alpha=random"):
        assert job("env.scarcity=low", "agents=ethical", other) != name
    assert job(*free, swept=("episodes",)) != job("episodes=8", swept=("episodes",))


@pytest.mark.parametrize(
    "level", ["../../up", "a/b", "\x1b[2J", "x" * 4000, "a b\nc", "..", "-rf", "="]
)
def test_a_folder_has_a_harmless_name_whatever_is_swept(level: str) -> None:
    config = compose(["env=dilemmas"])
    name = job_of(config, [f"++env.pack={level}"], ("env.pack",)).name
    assert re.fullmatch(r"[\w][\w.-]*_[0-9a-f]{10}", name)
    assert len(name) < 100


def test_a_setting_that_a_later_version_adds_renames_no_job() -> None:
    now = compose(["env.scarcity=low"]).resolved()
    before = {key: given for key, given in now.items() if key not in ("chain", "asking")}
    assert key_of(before, ()) == key_of(now, ())
    assert key_of(RunConfig(chain=3).resolved(), ()) != key_of(RunConfig().resolved(), ())


@pytest.mark.parametrize("name", ["++run.name=it", "+run.name=it", "run.name='it\\'s'"])
def test_the_name_of_a_sweep_is_read_as_that_of_a_run(
    toy: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    command = ["run", "-m", "env=toy-v0", "agents=kind", "env.level=low", "episodes=1", name]
    assert told(command, capsys)["sweep"] == ("runs/it's" if "s" in name[9:] else "runs/it")
    assert len(list(toy.glob("runs/it*/*/run.yaml"))) == 1
    assert len(list(toy.glob("runs/*"))) == 1


def test_a_folder_may_have_any_characters(
    toy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = toy / "it's ${seed}\\"
    odd.mkdir()
    monkeypatch.chdir(odd)
    assert main([*TWO[:-1], "episodes=1"]) == 0
    assert [path.name for path in toy.iterdir()] == [odd.name]
    assert len(list((odd / "runs/swept").glob("*/run.yaml"))) == 2


def test_lost_decisions_are_missed_also_beside_those_of_a_play_that_did_not_finish(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = toy / told(TWO, capsys)["jobs"][0]["run"]
    log = folder / "decisions.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    again = json.loads(lines[0]) | {"play": 7}
    log.write_bytes(b"".join([*[json.dumps(again).encode() + b"\n"] * 3, *lines[:-1]]))
    episode = again["episode"]
    cut = {"schema": 1, "episode": episode, "play": 7, "reason": "a server was away"}
    (folder / "interrupted.jsonl").write_bytes(json.dumps(cut).encode() + b"\n")
    assert [each["played"] for each in told(TWO, capsys)["jobs"]] == [1, 0]
    assert len(list(read_run(folder).decisions())) == 12
    assert [each["played"] for each in told(TWO, capsys)["jobs"]] == [0, 0]


# -- what is refused before anything is played -------------------------------------------------


@pytest.mark.parametrize(
    ("given", "sentence"),
    {
        "twice": (["env.level=low,low"], "two jobs of the sweep are the same run"),
        "interval": (["env.steps=interval(1,3)"], "add hydra/sweeper=optuna"),
        "launcher": (["hydra/launcher=jobli"], "did you mean 'joblib'?"),
        "sweeper": (["hydra/sweeper=optun"], "did you mean 'optuna'?"),
        "objective": (["sweep.objective=cooperation"], "add hydra/sweeper=optuna"),
        "no objective": (["hydra/sweeper=optuna"], "add sweep.objective=NAME (transgression,"),
        "no such": (["hydra/sweeper=optuna", "sweep.objective=tran"], "unknown sweep.objective"),
        "glob": (["agents=glob(zz*)"], "agents=glob(zz*) names nothing"),
        "late": (["env.steps=3,0"], "steps=0 is too small"),
        "person": (["agents=human,kind", "hydra/launcher=joblib"], "agents=human does not go with"),
        "launchers": (["hydra/launcher=basic,joblib"], "hydra/launcher=basic,joblib names several"),
        "batch": (["hydra.sweeper.max_batch_size=-1"], "max_batch_size=-1 is not allowed: a whole"),
        "no batch": (["hydra.sweeper.max_batch_size=0"], "max_batch_size=0 is not allowed"),
        "workers": (
            ["hydra/launcher=joblib", "hydra.launcher.n_jobs=0"],
            "hydra.launcher.n_jobs=0 is not allowed: a whole number from 1, or -1 for one on each",
        ),
        "trials": (
            ["hydra/sweeper=optuna", "sweep.objective=decisions", "hydra.sweeper.n_trials=0"],
            "hydra.sweeper.n_trials=0 is not allowed: a whole number from 1",
        ),
        "added": (["+sweep.objective=gifts"], "add hydra/sweeper=optuna"),
        "name of each": (["run.name=a${seed}"], "run.name=a${seed} would differ from job to job"),
        "key": (
            ["hydra/launcher=submitit_local", "model=mock", "model.extra_body={api_key: sk-0123}"],
            "model.extra_body holds a key, which hydra/launcher=submitit_local would write",
        ),
    }.values(),
)
def test_what_is_wrong_with_a_sweep_is_told_before_it_begins(
    toy: Path, capsys: pytest.CaptureFixture[str], given: list[str], sentence: str
) -> None:
    assert sentence in refused([*TOY, "agents=kind", *given], capsys)
    assert not list(toy.iterdir())


@pytest.mark.parametrize(
    ("given", "extra"),
    [
        (["hydra/launcher=joblib"], "valuesim[sweeps]"),
        (["hydra/launcher=submitit_slurm"], "valuesim[sweeps]"),
        (["hydra/launcher=ray"], "valuesim[ray]"),
        (["hydra/sweeper=optuna", "sweep.objective=decisions"], "valuesim[optuna]"),
    ],
)
def test_what_is_not_installed_is_named_with_what_installs_it(
    toy: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    given: list[str],
    extra: str,
) -> None:
    monkeypatch.setattr(launching, "find_spec", lambda _: None)
    assert f"is not installed: pip install '{extra}'" in refused([*TWO, *given], capsys)


def test_two_sweeps_do_not_write_one_folder(
    toy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_folder, "_GRACE_S", 0.0)
    with SweepFolder(toy / "runs/swept").held():
        assert "is being written by another sweep" in refused(TWO, capsys)
    assert main(TWO) == 0


# -- what is told ------------------------------------------------------------------------------


def test_a_failing_job_is_told_and_the_others_are_played(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*TOY, "agents=kind,buggy,slow", "episodes=2"]
    assert main(command) == 1
    said = capsys.readouterr()
    assert re.search(
        r"2 of 3 jobs: runs/swept/agents-buggy_\w+ failed: episode .*KeyError", said.err
    )
    assert said.out.endswith("\n2 of 3 runs finished in runs/swept\n")
    assert "to go on: valuesim run -m env=toy-v0" in said.err
    jobs = told(command, capsys, 1)["jobs"]
    assert [each["status"] for each in jobs] == ["finished", "failed", "finished"]
    assert jobs[1]["exit_code"] == 1
    assert "KeyError" in jobs[1]["error"]


def test_a_server_that_is_away_interrupts_its_job_alone(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*TOY, "agents=cut,kind", "episodes=8"]
    (toy / "down").touch()
    cut, kind = told(command, capsys, 1)["jobs"]
    assert (cut["status"], kind["status"]) == ("interrupted", "finished")
    assert cut["why"] == "server 127.0.0.1 is down"
    assert 0 < cut["total"]["finished"] < cut["total"]["planned"] == 8
    (toy / "down").unlink()
    assert [each["status"] for each in told(command, capsys)["jobs"]] == ["finished"] * 2


def test_the_table_is_a_function_of_what_is_on_the_disk(
    toy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = told(TWO, capsys)["jobs"]
    episodes = toy / jobs[0]["run"] / "episodes.jsonl"
    episodes.write_bytes(episodes.read_bytes().splitlines(keepends=True)[0])
    shutil.rmtree(toy / jobs[1]["run"])
    monkeypatch.setattr(sweeping, "launch_all", lambda *_: None)
    one, none = told(TWO, capsys, 1)["jobs"]
    assert (one["status"], one["total"]["finished"]) == ("interrupted", 1)
    assert (none["status"], none["total"]["finished"]) == ("not begun", 0)
    assert [each["total"]["planned"] for each in (one, none)] == [2, 2]


def test_the_csv_has_every_figure_of_every_job(
    toy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    command = ["run", "-m", "env.scarcity=low,high", "agents=exploitative", "episodes=2"]
    assert main([*command, "run.name=swept"]) == 0
    said = capsys.readouterr().out
    assert "  transgression: transgressions per opportunity\n" in said
    assert re.search(r"^  in sweep\.csv alone: .*survival$", said, re.MULTILINE)
    assert max(map(len, said.splitlines())) <= 100
    low, high = csv.DictReader((toy / "runs/swept/sweep.csv").open(encoding="utf-8"))
    assert (low["env.scarcity"], high["env.scarcity"]) == ("low", "high")
    assert (low["status"], low["finished"], low["transgression"]) == ("finished", "2", "1.0")
    assert float(low["survival_low"]) <= float(low["survival"]) <= float(low["survival_high"])


def row(number: int, **settings: str) -> JobRow:
    record = JobRecord(name=f"job{number}", settings=settings, number=number)
    return JobRow(record=record, status="failed", why="=cmd|' /C calc'!A1", planned=1)


def test_settings_that_end_alike_have_a_column_each(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "150")
    keys = ["models.Alpha.top_p", "models.Beta.top_p", "episodes", "env.seed", "seed"]
    assert list(short_names(keys).values()) == ["Alpha.top_p", "Beta.top_p", *keys[2:]]
    print_rows([row(n, **{key: f"{n}.{at}" for at, key in enumerate(keys)}) for n in (1, 2)])
    said = capsys.readouterr().out
    for expected in ("Alpha.top_p", "Beta.top_p", *(f"2.{at}" for at in range(5)), "0 of 1"):
        assert expected in said


def test_no_cell_of_the_csv_is_run_by_a_spreadsheet(tmp_path: Path) -> None:
    settings = {"model.name": "-1+cmd,@x", "env.offset": "-1", "env.rate": "+.5e-3"}
    write_csv([row(1, **settings)], tmp_path / "sweep.csv")
    (read,) = csv.DictReader((tmp_path / "sweep.csv").open(encoding="utf-8"))
    assert read["model.name"] == "'-1+cmd,@x"
    assert read["why"].startswith("'=cmd")
    assert (read["env.offset"], read["env.rate"]) == ("-1", "+.5e-3")


def test_no_key_reaches_a_file_or_the_terminal(
    toy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_API_KEY", "sk-verysecretindeed")
    model = ["agents=kind", "model=mock", "++model.extra_body={api_key:sk-verysecretindeed}"]
    assert main([*TOY, *model, "env.level=low,high", "episodes=1"]) == 0
    said = capsys.readouterr()
    assert "verysecret" not in said.out + said.err
    written = [path for path in toy.rglob("*") if path.is_file()]
    assert not [path for path in written if b"verysecret" in path.read_bytes()]
    assert not [path for path in toy.rglob("*") if "verysecret" in path.name]
    assert any(MARK.encode() in path.read_bytes() for path in written)


# -- a search ----------------------------------------------------------------------------------


def search(*given: str) -> list[str]:
    """Return a search in survival that needs no model."""
    trials = ["hydra/sweeper=optuna", "hydra.sweeper.n_trials=4", "episodes=1", "run.name=found"]
    return ["run", "-m", *trials, "agents=ethical,exploitative", "env.horizon=4", *given]


def test_a_search_tells_the_settings_with_most_of_its_objective(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("optuna")
    most = search("sweep.objective=transgression", "hydra.sweeper.direction=maximize")
    assert main(most) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == "most transgression: 1.00 with agents=exploitative"
    best = told(most, capsys)["best"]
    assert best["settings"] == {"agents": "exploitative"}
    assert best["played"] == 0


def test_an_objective_that_is_undetermined_is_no_zero(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("optuna")
    jobs = told(search("sweep.objective=risk"), capsys, 1)
    assert jobs["best"] is None
    assert {each["why"] for each in jobs["jobs"]} == {
        "risk is undetermined: the environment has no such figure"
    }


def test_a_number_is_searched_for_in_an_interval(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("optuna")
    trials = ["hydra/sweeper=optuna", "hydra.sweeper.n_trials=6", "sweep.objective=decisions"]
    command = [*TOY, "agents=kind", "episodes=1", *trials, "env.steps=int(interval(1,9))"]
    found = told(command, capsys)
    steps = [int(each["settings"]["env.steps"]) for each in found["jobs"]]
    assert len(set(steps)) == len(steps) > 1
    assert found["best"]["settings"] == {"env.steps": str(min(steps))}
