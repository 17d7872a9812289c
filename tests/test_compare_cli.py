"""`valuesim compare`: the levels of a key side by side, and one sentence for what cannot be."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from valuesim.cli import main

FIGURE = b"\x89PNG"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")
    return tmp_path


def run(name: str, *overrides: str) -> None:
    given = ["run", *overrides, f"run.name=runs/{name}", "engine.progress=none"]
    assert main(given) == 0


def pairwise(name: str = "a", agents: str = "[valued:climber,valued:protector]") -> None:
    """Play questionnaires that two agents answer."""
    run(name, "env=questionnaire", f"agents.all={agents}", "episodes=12")


def compare(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(["compare", *arguments]) == 0
    return capsys.readouterr().out


def compare_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(compare(capsys, *arguments, "--json", "-"))
    return found


def test_two_agents_are_set_side_by_side_and_what_moved_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = ("env=questionnaire", "env.instrument=best_worst")
    run("a", *asked, "agents.all=[valued:climber,valued:protector]", "episodes=8")
    told = compare(capsys, "runs/a", "--between", "agent", "--pair", "Protection,Power")
    assert "strengths in log-odds, valued:climber and valued:protector" in told
    assert "flips: Power before Protection at valued:climber" in told
    assert "Protection over Power: valued:climber -" in told
    assert "up" in told
    assert "down" in told


def test_the_json_holds_every_figure_and_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    pairwise()
    found = compare_json(capsys, "runs/a", "--between", "agent")
    assert found["schema"] == 1
    (group,) = found["groups"]
    assert group["between"] == "agent"
    assert group["group"] == {"model": None, "form": "pairwise"}
    assert [each["level"] for each in group["levels"]] == ["valued:climber", "valued:protector"]
    assert {each["fault_rate"] for each in group["levels"]} == {0.0}
    value = group["values"][0]
    assert set(value["strengths"]) == {"valued:climber", "valued:protector"}
    assert set(value["strengths"]["valued:climber"]) == {"strength", "se", "low", "high", "n"}
    (difference,) = value["differences"]
    keys = {"level", "against", "difference", "se", "low", "high", "p", "moved", "bounded"}
    assert set(difference) == keys
    (correlation,) = group["correlations"]
    assert correlation["values"] == 20
    assert correlation["high"] < 0
    assert not any(math.isnan(x) for each in group["values"] for x in numbers(each))


def numbers(content: Any) -> list[float]:
    if isinstance(content, dict):
        return [x for each in content.values() for x in numbers(each)]
    if isinstance(content, list):
        return [x for each in content for x in numbers(each)]
    return [content] if isinstance(content, float) else []


def test_a_level_can_be_put_first(capsys: pytest.CaptureFixture[str]) -> None:
    pairwise()
    told = compare(capsys, "runs/a", "--between", "agent", "--against", "valued:protector")
    assert "strengths in log-odds, valued:protector and valued:climber" in told


def test_levels_of_scarcity_stand_by_their_resources(capsys: pytest.CaptureFixture[str]) -> None:
    levels = "cross.env.scarcity=[high,low,tight]"
    run("a", "env=survival", levels, "agents=valued:protector", "episodes=3")
    found = compare_json(capsys, "runs/a", "--between", "scarcity")
    (group,) = found["groups"]
    assert [each["level"] for each in group["levels"]] == ["high", "tight", "low"]


def test_a_group_without_the_key_says_so_beside_those_that_have_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    levels = "cross.env.scarcity=[low,high]"
    run("a", "env=survival", levels, "agents=valued:protector", "episodes=2")
    run("b", "env=stag_hunt", "agents=always_defect", "episodes=1")
    told = compare(capsys, "runs", "--between", "scarcity")
    assert "low: " in told
    assert "without scarcity: agent=always_defect" in told
    assert main(["report", "runs", "--out", "page.html"]) == 0


def test_numbers_stand_by_size(capsys: pytest.CaptureFixture[str]) -> None:
    run("a", "env=survival", "cross.env.horizon=[10,9]", "agents=valued:protector", "episodes=2")
    found = compare_json(capsys, "runs/a", "--between", "horizon")
    assert [each["level"] for each in found["groups"][0]["levels"]] == ["9", "10"]


def test_runs_are_levels_by_the_names_of_their_paths(capsys: pytest.CaptureFixture[str]) -> None:
    pairwise("a", "[valued:climber]")
    pairwise("b", "[valued:climber]")
    found = compare_json(capsys, "runs/a", "runs/b", "--between", "run")
    (group,) = found["groups"]
    assert [each["level"] for each in group["levels"]] == ["a", "b"]
    # the same episodes in both: whatever they share is no difference
    assert {d["difference"] for v in group["values"] for d in v["differences"]} == {0.0}


def test_what_is_said_and_done_is_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    envs = "[{id:questionnaire,instrument:best_worst},daily,generated]"
    run("a", f"cross.env={envs}", "agents=valued:climber", "episodes=8")
    told = compare(capsys, "runs/a", "--between", "family")
    assert "questionnaire best_worst less all behaviour" in told
    assert "rank correlations, freed of noise" in told
    assert "says more" not in told
    (group,) = compare_json(capsys, "runs/a", "--between", "family")["groups"]
    assert {gap["revealed"] for gap in group["gaps"]} == {
        "dilemmas daily",
        "dilemmas generated",
        "all behaviour",
    }


def test_what_is_pooled_and_what_else_differs_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    wordings = "cross.env.wording=[neutral,normative]"
    run("a", "env=survival", wordings, "agents=[valued:protector,valued:climber]", "episodes=2")
    told = compare(capsys, "runs/a", "--between", "agent")
    assert "pooled over wording (2 settings); --by model,wording separates them" in told
    run("b", "env=survival", "env.wording=neutral", "agents=valued:protector", "episodes=2")
    run("c", "env=survival", "env.wording=normative", "agents=valued:protector", "episodes=2")
    told = compare(capsys, "runs/b", "runs/c", "--between", "run")
    assert "wording differs between the levels as well" in told


def test_a_drawing_is_written_for_each_group(capsys: pytest.CaptureFixture[str]) -> None:
    pairwise()
    compare(capsys, "runs/a", "--between", "agent", "--png", "moved.png")
    assert Path("moved.png").read_bytes().startswith(FIGURE)
    compare(capsys, "runs/a", "--between", "agent", "--png", "moved.svg")
    assert "Protection" in Path("moved.svg").read_text(encoding="utf-8")
    assert main(["compare", "runs/a", "--between", "agent", "--png", "moved.gif"]) == 2


def test_nothing_played_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    run("a", "env=questionnaire", "agents=random", "episodes=1")
    Path("runs/a/episodes.jsonl").write_text("")
    Path("runs/a/decisions.jsonl").write_text("")
    assert compare(capsys, "runs/a", "--between", "agent") == (
        "nothing to compare: no episode has been played\n"
    )


def test_all_faults_are_no_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    run("a", "env=questionnaire", "agents.all=[mute,valued:climber]", "episodes=2")
    told = compare(capsys, "runs/a", "--between", "agent")
    assert "mute: 40 decisions, 100.0 % faults; left out: all decisions were faults" in told
    assert "no pair of values" not in told
    assert "nothing to compare: fewer than two levels can be ranked" in told


def test_values_left_out_are_told_by_reason_and_no_line_is_too_long(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(
        "a", "env=survival", "agents=ethical", "cross.env.scarcity=[low,tight,medium]", "episodes=3"
    )
    monkeypatch.setenv("COLUMNS", "80")
    lines = compare(capsys, "runs", "--between", "scarcity").splitlines()
    assert max(map(len, lines)) <= 80
    reasons = [line.split(":")[2] for line in lines if line.startswith("  note: left out:")]
    assert len(reasons) == len(set(reasons)) > 1


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--between", "agents_"], "unknown grouping 'agents_'"),
        (["--between", "env"], "env is questionnaire-v0 everywhere; a comparison needs two levels"),
        (["--between", "condition"], "--between condition is many factors: name one"),
        (["--between", "run"], "--between run compares paths with each other; given: runs/a"),
        (["--between", "agent", "--against", "valued:climbr"], "did you mean 'valued:climber'?"),
        (["--between", "agent", "--pair", "Power"], "--pair 'Power' does not name two values"),
        (["--between", "agent", "--pair", "Power,Power"], "does not name two values"),
        (["--between", "agent", "--pair", "Wisdm,Care"], "did you mean 'Wisdom'?"),
        (["--between", "agent", "--by", "model,,"], "--by 'model,,' has an empty key"),
        ([], "--between"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(
    capsys: pytest.CaptureFixture[str], given: list[str], told: str
) -> None:
    run("a", "env=questionnaire", "agents.all=[valued:climber,random]", "episodes=1")
    capsys.readouterr()
    assert main(["compare", "runs/a", *given]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_the_page_says_what_the_command_says(capsys: pytest.CaptureFixture[str]) -> None:
    envs = "[{id:questionnaire,instrument:best_worst},generated]"
    run("a", f"cross.env={envs}", "agents=valued:climber", "episodes=4")
    (group,) = compare_json(capsys, "runs/a", "--between", "family")["groups"]
    assert main(["report", "runs/a", "--out", "page.html"]) == 0
    page = Path("page.html").read_text(encoding="utf-8")
    assert "Does it do what it says?" in page
    (found,) = group["correlations"]
    low, high = (f"{found[end]:.2f}".replace("-", "\N{MINUS SIGN}") for end in ("low", "high"))
    assert f"[{low} to {high}]" in page
    assert "What the condition moves" not in page
