"""The commands about families: measures, export, import, packs, and what is pooled is told."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from valuesim.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*overrides: str) -> None:
    given = ["run", *overrides, "run.name=runs/a", "engine.progress=none"]
    assert main(given) == 0


def test_environments_and_settings_that_are_pooled_are_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("cross.env=[stag_hunt,{id:survival,horizon:2}]", "agents=random", "episodes=1")
    assert main(["graph", "runs/a"]) == 0
    assert "pooled over env (2 settings); --by agent,model,env" in capsys.readouterr().out


def test_what_is_said_and_each_pack_stand_apart(capsys: pytest.CaptureFixture[str]) -> None:
    envs = "cross.env=[{id:questionnaire,items:3},{id:daily,scenes:3},{id:ai_risk,scenes:3}]"
    run(envs, "agents=random", "episodes=1")
    capsys.readouterr()
    assert main(["graph", "runs/a", "--json", "-"]) == 0
    groups = [g["group"] for g in json.loads(capsys.readouterr().out)["groups"]]
    assert [(g["form"], g["pack"]) for g in groups] == [
        ("pairwise", None),
        (None, "daily"),
        (None, "ai_risk"),
    ]


def test_predictions_are_never_pooled_with_choices(capsys: pytest.CaptureFixture[str]) -> None:
    given = "cross.env.perspective=[act,predict]"
    run("env=stag_hunt", "env.horizon=1", given, "agents=random", "episodes=2")
    capsys.readouterr()
    assert main(["measures", "runs/a", "--json", "-"]) == 0
    groups = [g["group"] for g in json.loads(capsys.readouterr().out)["groups"]]
    assert [group["perspective"] for group in groups] == ["act", "predict"]


def test_scenes_are_exported_as_the_scripts_read_them(capsys: pytest.CaptureFixture[str]) -> None:
    run("env=moral_machine", "env.scenes=20", "agents=random", "episodes=12")
    assert main(["export", "moral-machine", "runs/a", "--out", "scenes.csv"]) == 0
    assert "wrote 240 decisions to scenes.csv" in capsys.readouterr().out
    with Path("scenes.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows[0]) == 41
    assert len(rows) == 1 + 2 * 240


def test_without_scenes_there_is_nothing_to_export(capsys: pytest.CaptureFixture[str]) -> None:
    run("env=dictator", "agents=random", "episodes=1")
    assert main(["export", "moral-machine", "runs/a", "--out", "scenes.csv"]) == 2
    assert "there is no moral-machine decision in runs/a" in capsys.readouterr().err
    assert not Path("scenes.csv").exists()
    assert main(["export", "moral-machin", "runs/a", "--out", "scenes.csv"]) == 2
    assert "did you mean 'moral-machine'" in capsys.readouterr().err


def test_an_agent_of_another_family_is_refused_with_those_that_play_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["run", "env=trust", "agents=ethical"]) == 2
    told = capsys.readouterr().err
    assert "'ethical' does not play trust-v0" in told
    assert "random" in told
    assert "fair_splitter" in told
    assert "tit_for_tat" not in told.partition("one of:")[2]


def test_a_table_becomes_a_pack_that_can_be_played(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.csv").write_text(
        "dilemma,option_1,option_2,values_1,values_2\n"
        "A friend asks.,Tell her the truth.,Keep the peace.,"
        "\"['Truthfulness']\",\"['Care', 'Zeal']\"\n"
    )
    assert main(["import", "dilemmas", "mine.csv", "--out", "mine.yaml"]) == 0
    told = capsys.readouterr().out
    assert "wrote 1 dilemma to mine.yaml" in told
    assert "Zeal (1)" in told
    assert main(["doctor", "pack", "mine.yaml"]) == 0
    run("env=dilemmas", "env.pack=mine.yaml", "agents=random", "episodes=1")
    assert main(["import", "dilemmas", "mine.csv", "--out", "mine.yaml"]) == 2


def test_a_bad_pack_is_told_with_file_and_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.yaml").write_text("schema: 1\npack: bad\nversion: one\n")
    assert main(["doctor", "pack", "bad.yaml"]) == 1
    assert "bad.yaml:3: version" in capsys.readouterr().out
    assert main(["doctor", "pack", "bad.yaml", "--json", "-"]) == 1
    assert {row["file"] for row in json.loads(capsys.readouterr().out)} == {"bad.yaml"}
    assert main(["doctor", "pack"]) == 2
