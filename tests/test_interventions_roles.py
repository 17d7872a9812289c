"""An intervention on some roles alone: nobody who met it is a control, each role is its own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from valuesim.cli import main
from valuesim.decision import Addition
from valuesim.episode import Player
from valuesim.graph.arms import arm_in, arms_apart
from valuesim.graph.grouping import Group, grouped, kept_apart, named
from valuesim.graph.levels import groups_beside, levels
from valuesim.log import DecisionRecord
from valuesim.log.reader import EpisodeRecord
from valuesim.measures.interventions import by_arm, effects, uncontrolled
from valuesim.option import Option

MOCK = ("agents=llm", "model=mock", "engine.progress=none", "env.horizon=2", "env.agents=2")
TAP = Option(name="TAP", text="", tags=frozenset({"transgression"}))
WAIT = Option(name="WAIT", text="", is_omission=True)
ROLES = ("Alpha", "Beta")
SENT = (Addition(by="hint", place="after", text="What if everybody did that?"),)

Made = Mapping[str, Mapping[str, Any]]


def player(made: Made, model: str | None = "m") -> Player:
    return Player(
        agent="llm",
        model=None if model is None else {"name": model},
        parameters={"interventions": [{n: s} for n, s in made.items()]} if made else {},
    )


def episode(*made: Made, seed: int = 0, models: Sequence[str | None] = ("m", "m")) -> EpisodeRecord:
    """An episode of Alpha and Beta, on whom `made` was made in turn."""
    population = dict(zip(ROLES, map(player, made, models), strict=True))
    return EpisodeRecord(
        id=f"{made}{seed}", env="survival-v0", condition={}, population=population, seed=seed
    )


def decided(
    played: EpisodeRecord, taps: Mapping[str, Sequence[bool]], **of: Any
) -> list[DecisionRecord]:
    return [
        DecisionRecord(
            episode=played,
            step=step,
            role=role,
            options=(TAP, WAIT),
            chosen="TAP" if tapped else "WAIT",
            **of,
        )
        for role, steps in taps.items()
        for step, tapped in enumerate(steps)
    ]


def labels(played: EpisodeRecord, key: str = "intervention") -> list[Any]:
    return [arm_in(played, role, key) for role in ROLES]


def test_whoever_meets_an_intervention_is_beside_it_and_never_without() -> None:
    assert labels(episode({}, {})) == ["none", "none"]
    assert labels(episode({"hint": {}}, {"hint": {}})) == ["hint", "hint"]
    some = episode({"hint": {"form": "question"}}, {})
    assert labels(some) == ["hint", "beside hint"]
    assert labels(some, "hint") == ["question", "question"]
    assert labels(some, "intervention.hint.form") == ["question", "question"]
    assert labels(some, "intervention.hint.roles") == ["Alpha", "Alpha"]
    two = episode({"hint": {}}, {"hint": {}, "persona": {"name": "trader"}})
    assert labels(two) == ["hint beside hint+persona", "hint+persona beside hint"]
    # a scripted agent is sent nothing, and is in no arm
    scripted = episode({"hint": {}}, {}, models=("m", None))
    assert labels(scripted) == ["hint", None]
    assert labels(scripted, "intervention.hint.roles") == [None, None]


def test_an_intervention_on_some_is_another_arm_than_on_all() -> None:
    played = [episode({"hint": {}}, {}), episode({"hint": {}}, {"hint": {}})]
    assert arms_apart((), played) == ("intervention", "intervention.hint.roles")
    assert arms_apart(("hint",), played[:1]) == ("intervention",)
    records = [each for e in played for each in decided(e, {role: [True] for role in ROLES})]
    (arms,) = by_arm(records).values()
    assert list(arms) == ["hint Alpha", "hint", "beside hint Alpha"]


def planted(seeds: int = 4) -> list[DecisionRecord]:
    """Alpha taps where it has the hint, else never; Beta always. A control of as many worlds."""
    records = []
    for seed in range(seeds):
        others = [True] * 2
        records += decided(episode({}, {}, seed=seed), {"Alpha": [False] * 2, "Beta": others})
        hinted = episode({"hint": {}}, {}, seed=seed)
        # what is planted differs a little between worlds, so that there is an interval
        records += decided(hinted, {"Alpha": [True, seed > 0]}, added=SENT)
        records += decided(hinted, {"Beta": others})
    return records


def test_an_effect_on_a_role_is_against_the_same_role_of_the_control() -> None:
    (panel,) = effects(planted())
    hint, beside = panel.estimates
    assert (hint.label, hint.n, hint.value) == ("hint", 4, pytest.approx(7 / 8))
    assert hint.low is not None
    assert hint.low > 0
    assert (beside.label, beside.n, beside.value, beside.low) == ("beside hint", 4, 0.0, None)
    assert panel.unit.startswith("difference to arm none")
    assert uncontrolled(planted()) == ()


def test_without_a_control_there_is_no_effect_but_a_sentence() -> None:
    treated = [r for r in planted() if r.episode.population["Alpha"].interventions]
    assert effects(treated) == ()
    (said,) = uncontrolled(treated)
    assert said.startswith("no effect of interventions on m in survival-v0: no control was played")


def test_a_control_that_was_sent_nothing_is_paired_by_role_as_well() -> None:
    off, on = episode({"pressure": {"level": 0}}, {}), episode({"pressure": {"level": 4}}, {})
    records = [
        *decided(off, {"Alpha": [False], "Beta": [True]}),
        *decided(on, {"Alpha": [True]}, added=SENT),
        *decided(on, {"Beta": [True]}),
    ]
    (panel,) = effects(records)
    assert panel.unit.startswith("difference to arm pressure 0 ")
    assert [(each.label, each.value) for each in panel.estimates] == [
        ("pressure 4", 1.0),
        ("beside pressure 4", 0.0),
    ]


def test_each_role_is_compared_with_itself_between_arms() -> None:
    records = planted()
    played = list({r.episode.id: r.episode for r in records}.values())
    by = groups_beside(("model",), "intervention", played)
    assert by == ("model", "role")
    assert groups_beside(("model",), "intervention", played[:1]) == ("model",)
    found = grouped(records, by)
    at = {group["role"]: list(levels(own, "intervention")) for group, own in found.items()}
    assert at == {"Alpha": ["none", "hint"], "Beta": ["none", "beside hint"]}
    assert list(levels(records, "intervention")) == ["none", "hint", "beside hint"]


def test_two_settings_with_one_value_are_two_arms() -> None:
    text = episode(*[{"persona": {"text": "trader", "name": None}}] * 2)
    name = episode(*[{"persona": {"text": None, "name": "trader"}}] * 2)
    records = [r for each in (text, name) for r in decided(each, {"Alpha": [True]})]
    # of one alone the value says it
    assert kept_apart(("persona",), [text]) == ("persona", "intervention")
    keys = kept_apart(("persona",), [text, name])
    assert keys == ("persona", "intervention", "intervention.persona")
    assert {group["intervention.persona"] for group in grouped(records, keys)} == {
        '{"text": "trader"}',
        '{"name": "trader"}',
    }
    assert list(levels(records, "persona")) == ['{"name": "trader"}', '{"text": "trader"}']
    (arms,) = by_arm(records).values()
    assert list(arms) == ['persona text="trader"', 'persona name="trader"']
    assert list(levels(records, "intervention")) == sorted(arms)


def test_a_setting_that_one_arm_lacks_keeps_it_apart() -> None:
    without, with_it = (episode(*[{"hint": own}] * 2) for own in ({}, {"form": "question"}))
    assert arms_apart((), [without, with_it]) == ("intervention", "intervention.hint.form")
    assert arms_apart(("hint",), [without, with_it]) == ("intervention", "intervention.hint")
    records = [r for each in (without, with_it) for r in decided(each, {"Alpha": [True]})]
    assert list(levels(records, "intervention")) == ["hint", "hint question"]


def test_groups_are_named_by_settings_only_where_values_would_not_do() -> None:
    one, other = (Group((("intervention", "a"), (f"intervention.a.{k}", 1))) for k in "xy")
    assert named([one]) == {one: "a 1"}
    assert named([one, other, one]) == {one: "a x=1", other: "a y=1"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


@pytest.mark.usefixtures("folder")
def test_a_run_with_roles_tells_its_arms_apart(capsys: pytest.CaptureFixture[str]) -> None:
    arms = "cross.intervention=[none,{id: hint, roles: [Alpha]}]"
    assert main(["run", *MOCK, "episodes=2", arms, "run.name=runs/a"]) == 0
    told = json.loads(said(capsys, "graph", "runs/a", "--json", "-"))
    decisions = {each["group"]["intervention"]: each["decisions"] for each in told["groups"]}
    assert decisions == {"none": 8, "hint": 4, "beside hint": 4}
    page = said(capsys, "measures", "runs/a")
    assert page.count("has no measures of its own") == 1
    assert "same worlds and roles" in page


@pytest.mark.usefixtures("folder")
def test_a_run_without_a_control_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    made = ("intervention=hint", "intervention.hint.roles=[Alpha]")
    assert main(["run", *MOCK, "episodes=2", *made, "run.name=runs/a"]) == 0
    told = json.loads(said(capsys, "measures", "runs/a", "--json", "-"))
    assert told["effects"] == []
    assert len(told["no_effects"]) == 1
    assert "no control was played" in said(capsys, "measures", "runs/a")
    said(capsys, "report", "runs/a", "--out", "r.html")
    assert "no control was played" in Path("r.html").read_text(encoding="utf-8")
