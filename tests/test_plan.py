"""`valuesim plan`: what it says before anything is spent, and that it is right."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from valuesim.cli import main
from valuesim.log import read_run

SURVIVAL = ["env=survival", "env.scarcity=low", "agents=llm", "model=mock"]
COOPERATION = ["--of", "cooperation", "--effect", "0.5"]
Plan = Callable[..., Any]


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Plan:
    """Runs `valuesim plan ... --json -` in an empty folder and returns what it printed."""
    monkeypatch.chdir(tmp_path)

    def planned(*arguments: str, code: int = 0) -> Any:
        assert main(["plan", *arguments, "--json", "-"]) == code
        return json.loads(capsys.readouterr().out)

    return planned


def refused(capsys: Any, *arguments: str) -> str:
    assert main(["plan", *arguments]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    return str(told)


def test_a_plan_names_episodes_assumptions_and_cost_and_writes_nothing(
    plan: Plan, tmp_path: Path
) -> None:
    found = plan(*SURVIVAL, "--effect", "0.3", "--likeness", "0.1", "--calls-per-second", "2")
    assert [each["cell"]["threatened"] for each in found["rates"]] == [True, False]
    assert found["episodes"] == max(each["episodes"] for each in found["rates"])
    for rate in found["rates"]:
        assert rate["assumed"]["first"] == pytest.approx(0.35)
        assert rate["assumed"]["second"] == pytest.approx(0.65)
        assert rate["assumed"]["likeness"]["source"] == "given"
        assert rate["assumed"]["opportunities"] > 0
        assert rate["paired"]["found"]["power"] >= 0.8
        assert rate["paired"]["fewer"]["power"] < 0.85
        assert rate["low"] <= rate["units"] <= rate["high"]
    cost = found["cost"]
    assert cost["episodes"] == found["episodes"] * cost["cells"]
    assert cost["decisions"] == cost["calls"]
    assert cost["hours"] == pytest.approx(cost["calls"] / 2 / 3600)
    assert cost["cached_tokens"] is None
    assert list(tmp_path.iterdir()) == []


def test_the_same_command_plans_the_same(plan: Plan) -> None:
    command = [*SURVIVAL, "--effect", "0.5", "--of", "threatened"]
    assert plan(*command) == plan(*command)


def test_calls_and_prompts_are_those_that_the_run_then_makes(plan: Plan, capsys: Any) -> None:
    told = [*SURVIVAL, "intervention=reflection", "chain=2"]
    planned = plan(*told, "--effect", "0.5", "--of", "threatened")
    assert main(["run", *told, "episodes=4", "run.name=played", "--json", "-"]) == 0
    played = json.loads(capsys.readouterr().out)
    episodes = planned["cost"]["episodes"]
    assert planned["cost"]["decisions"] / episodes == pytest.approx(played["decisions"] / 4)
    # each of four agents looks back on the first episode of a chain
    more = planned["cost"]["calls"] - planned["cost"]["decisions"]
    assert more / episodes == pytest.approx(4 / 2, abs=0.01)


def test_a_pilot_sets_rate_likeness_pairing_and_what_calls_take(plan: Plan, capsys: Any) -> None:
    for name in ("one", "two"):
        model = f"model.name={name}"
        assert main(["run", *SURVIVAL, model, "episodes=12", f"run.name={name}"]) == 0
    capsys.readouterr()
    found = plan(*SURVIVAL, "--effect", "0.2", "--pilot", "runs/one", "--pilot", "runs/two")
    for rate in found["rates"]:
        assumed = rate["assumed"]
        assert assumed["source"] == "pilot"
        assert assumed["rate"]["source"] == "pilot"
        assert assumed["rate"]["low"] <= assumed["rate"]["value"] <= assumed["rate"]["high"]
        assert assumed["first"] == assumed["rate"]["value"]
        assert abs(assumed["second"] - assumed["first"]) == pytest.approx(0.2)
    assert found["cost"]["measured"]
    assert found["cost"]["cached_tokens"] is not None
    assert any("the pilot's arms" in note for note in found["notes"])
    assert any(why.startswith("no arm of the pilot is") for why in found["cost"]["why"])


def test_calls_take_what_the_arm_that_is_planned_took(plan: Plan, capsys: Any) -> None:
    for name, asked in (("short", "false"), ("long", "true")):
        overrides = (f"model.name={name}", f"elicitation.ask_rationale={asked}", "episodes=2")
        assert main(["run", *SURVIVAL, *overrides, f"run.name={name}", "engine.progress=none"]) == 0
    pilots = ("--pilot", "runs/short", "--pilot", "runs/long", "--likeness", "0.3")
    wanted = ("--effect", "0.4", "--rate", "0.3")
    capsys.readouterr()
    took = {}
    for name in ("short", "long"):
        cost = plan(*SURVIVAL, f"model.name={name}", *wanted, *pilots)["cost"]
        run = read_run(f"runs/{name}")
        tokens = sum(each.usage["completion_tokens"] for each in run.episodes.values())
        took[name] = cost["completion_tokens"] / cost["decisions"]
        assert took[name] == pytest.approx(tokens / len(list(run.decisions())))
        assert not [why for why in cost["why"] if "pilot" in why]
    assert took["long"] > took["short"]


def test_the_level_that_the_correction_asks_for_is_told(plan: Plan) -> None:
    found = plan(*SURVIVAL, "--effect", "0.3")
    (told,) = [note for note in found["notes"] if "Holm" in note]
    rates = int(re.findall(r"(\d+) rates", told)[0])
    (level,) = re.findall(r"--level ([\d.]+)", told)
    assert float(level) == round(1 - 0.05 / rates, 4)
    more = plan(*SURVIVAL, "--effect", "0.3", "--level", level)
    assert more["episodes"] > found["episodes"]
    assert not [note for note in more["notes"] if "Holm" in note]


def test_a_thin_pilot_is_called_thin(plan: Plan, capsys: Any) -> None:
    assert main(["run", *SURVIVAL, "episodes=2", "run.name=thin"]) == 0
    capsys.readouterr()
    found = plan(*SURVIVAL, "--effect", "0.3", "--pilot", "runs/thin")
    assert any("thin" in note for rate in found["rates"] for note in rate["notes"])
    other = plan("env=prisoners_dilemma", *SURVIVAL[2:], *COOPERATION, "--pilot", "runs/thin")
    assert any("the pilot has nothing of: cooperation" in note for note in other["notes"])


def test_dollars_follow_the_price_and_are_left_out_without_one(plan: Plan) -> None:
    vllm = ["env=survival", "env.scarcity=low", "agents=llm", "model=vllm", "model.name=X"]
    effect = ["--effect", "0.5", "--of", "threatened", "--completion-tokens", "100"]
    priced = plan(*vllm, "model.price.prompt=2", "model.price.completion=10", *effect)["cost"]
    expected = (priced["prompt_tokens"] * 2 + priced["completion_tokens"] * 10) / 1e6
    assert priced["dollars"] == pytest.approx(expected, rel=1e-3)
    assert priced["completion_tokens"] == pytest.approx(100 * priced["calls"])
    free = plan(*vllm, *effect)["cost"]
    assert free["dollars"] is None
    assert any("no price of 'X'" in why for why in free["why"])


def test_a_rate_that_cannot_occur_is_told_with_why_and_the_others_are_planned(plan: Plan) -> None:
    found = plan(
        *("env=survival", "cross.env.scarcity=[medium,low]", "agents=llm", "model=mock"),
        *("--effect", "0.4"),
    )
    met = [(each["cell"]["level"], each["cell"]["threatened"]) for each in found["rates"]]
    assert met == [
        ("medium (slack)", False),
        ("low (infeasible)", True),
        ("low (infeasible)", False),
    ]
    (unmet,) = [note for note in found["notes"] if "never open" in note]
    assert "medium" in unmet
    assert found["episodes"] is not None


def test_wordings_of_one_level_share_its_episodes(plan: Plan) -> None:
    both = plan(
        *("env=survival", "env.scarcity=low", "cross.env.wording=[neutral,normative]"),
        *("agents=llm", "model=mock", "--effect", "0.3", "--of", "unthreatened"),
    )
    (rate,) = both["rates"]
    assert rate["units"] in (2 * rate["episodes"], 2 * rate["episodes"] - 1)


def test_cooperation_in_games_and_widths_are_planned(plan: Plan) -> None:
    found = plan(
        *("env=prisoners_dilemma", "agents=llm", "model=mock", "--of", "cooperation"),
        *("--width", "0.2", "--rate", "0.5"),
    )
    (rate,) = found["rates"]
    assert rate["paired"] is None
    assert rate["narrow"]["found"]["narrow"] >= 0.8
    assert rate["narrow"]["found"]["rate_width"] < 0.2


def test_scripted_agents_alone_cost_nothing(plan: Plan) -> None:
    found = plan("env=survival", "env.scarcity=low", "agents=random", "--effect", "0.5")
    assert found["cost"]["calls"] == 0
    assert found["cost"]["dollars"] == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "nothing is asked for"),
        (["--effect", "0"], "--effect 0 is no difference"),
        (["--effect", "1.5"], "--effect 1.5 is not allowed: -0.99 to 0.99"),
        (["--effect", "nan"], "--effect nan is not allowed"),
        (["--width", "0"], "--width 0 is not allowed"),
        (["--effect", "0.1", "--of", "kindness"], "unknown rate 'kindness'"),
        (["--effect", "0.1", "--of", "risk"], "no episode of this plan offers a risk"),
        (["--effect", "0.1", "--power", "1"], "--power 1 is not allowed"),
        (["--effect", "0.6", "--rate", "0.5"], "a rate of 0.5 cannot differ by 0.6"),
        (["--effect", "0.1", "--of", "cooperation", "--rate", "2"], "--rate 2 is not allowed"),
        (["--strength", "1", "--pair", "Power"], "--pair 'Power' does not name two values"),
        (["--effect", "0.1", "--png", "power.pdf"], "the name must end in .png or .svg"),
        (["--effect", "0.1", "asking=adaptive"], "asking=adaptive decides by itself"),
    ],
)
def test_what_cannot_be_planned_is_refused_in_a_sentence(
    capsys: Any, arguments: list[str], told: str
) -> None:
    assert told in refused(capsys, *SURVIVAL, *arguments)


def test_the_tables_and_the_drawing_say_all_of_it(tmp_path: Path, capsys: Any) -> None:
    drawn = tmp_path / "power.svg"
    ask = ["--effect", "0.4", "--of", "unthreatened", "--png", str(drawn)]
    assert main(["plan", *SURVIVAL, *ask]) == 0
    assert "seeds of each arm" in drawn.read_text(encoding="utf-8")
    told = capsys.readouterr().out
    for part in ("worst", "0.30 default", "other sizes", "prompt tokens", "not measured"):
        assert part in told
    assert "valuesim run env=survival env.scarcity=low agents=llm model=mock episodes=" in told


def test_the_json_has_the_keys_that_the_page_promises(plan: Plan) -> None:
    page = (Path(__file__).parent.parent / "docs" / "planning.md").read_text(encoding="utf-8")
    (form,) = re.findall(r"`valuesim plan --json -`: `(\{.*?\})`", page, re.DOTALL)
    before, _, after = form.partition('"strengths":{')
    promised = set(re.findall(r'"(\w+)"', before + after.partition('"why"},')[2]))
    found = plan(*SURVIVAL, "--effect", "0.5", "--of", "threatened")

    def keys(given: Any) -> set[str]:
        if isinstance(given, dict):
            return set(given).union(*map(keys, given.values()))
        return set().union(*map(keys, given)) if isinstance(given, list) else set()

    assert len(promised) > 40
    assert promised - keys(found) == set()


def test_a_plan_counts_the_scenes_that_there_are(plan: Plan) -> None:
    words = ["env=ai_risk", "agents=llm", "model=mock", "--of", "risk"]
    found = plan(*words, "--effect", "0.2")
    (rate,) = found["rates"]
    assert rate["units"] <= 168
    assert found["episodes"] == rate["episodes"]
    (rate,) = plan(*words, "--effect", "0.05", code=1)["rates"]
    assert rate["episodes"] is None
    assert "there are 168 scenes only" in rate["why"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--effect", "0.1", "--pair", "Power,Care"], "--pair goes with --strength only"),
        (["--effect", "0.1", "--spread", "1"], "--spread goes with --strength only"),
        (["--strength", "1", "--of", "risk", "--rate", "0.5"], "--of, --rate goes with --effect"),
        (["--strength", "1", "--opportunities", "3"], "--opportunities goes with --effect"),
    ],
)
def test_an_option_of_another_question_is_refused(
    capsys: Any, arguments: list[str], told: str
) -> None:
    assert told in refused(capsys, *SURVIVAL, *arguments)
