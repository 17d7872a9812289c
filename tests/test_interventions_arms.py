"""Arms of an experiment are told apart, checked, compared, resumed, and never pooled in silence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from valuesim.cli import main
from valuesim.config import compose
from valuesim.decision import Addition
from valuesim.engine.plan import plan
from valuesim.episode import EpisodeSpec, Player
from valuesim.errors import InputError
from valuesim.formats.transcript import transcript
from valuesim.graph.arms import arm_of
from valuesim.graph.grouping import kept_apart
from valuesim.log import DecisionRecord, read_run
from valuesim.log.reader import EpisodeRecord
from valuesim.measures.interventions import checks, effects
from valuesim.option import Option

MOCK = ("agents=llm", "model=mock", "engine.progress=none", "env.horizon=2", "env.agents=2")
TAP = Option(name="TAP", text="", tags=frozenset({"transgression"}))
WAIT = Option(name="WAIT", text="", is_omission=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


def run(*overrides: str, name: str = "a") -> Path:
    assert main(["run", *MOCK, *overrides, f"run.name=runs/{name}"]) == 0
    return Path("runs") / name


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


def planned(*overrides: str) -> list[EpisodeSpec]:
    return plan(compose([*MOCK, *overrides]).design())


def player(*made: Mapping[str, Mapping[str, Any]], model: bool = True) -> Player:
    return Player(
        agent="llm" if model else "random",
        model={"name": "m"} if model else None,
        parameters={"interventions": list(made)} if made else {},
    )


def record(
    arm: Player, *, seed: int = 0, chosen: str = "WAIT", step: int = 0, **of: Any
) -> DecisionRecord:
    condition, population = {"scarcity": "low"}, {"A": arm}
    episode = EpisodeRecord(
        id=f"{arm_of(arm)}{seed}{arm.parameters}",
        env="survival-v0",
        condition=condition,
        population=population,
        seed=seed,
    )
    return DecisionRecord(
        episode=episode, step=step, role="A", options=(TAP, WAIT), chosen=chosen, **of
    )


def test_an_arm_is_labelled_by_its_interventions_and_their_settings() -> None:
    both = player(
        {"persona": {"text": "T", "name": None}}, {"memory": {"kind": "guilt", "last": 3}}
    )
    assert arm_of(both) == "persona+memory"
    assert arm_of(both, "persona") == "T"
    assert arm_of(both, "intervention.memory.last") == 3
    assert arm_of(both, "memory") == '{"kind": "guilt", "last": 3}'
    weights = player({"weights": {"values": {"Care": 0.5}}})
    assert arm_of(weights, "intervention.weights.values.Care") == 0.5
    assert arm_of(weights, "intervention.weights.values.Power") is None
    assert (arm_of(player()), arm_of(player(model=False))) == ("none", None)


def test_arms_are_kept_apart_by_name_and_by_the_settings_that_differ() -> None:
    mild, strong = ({"pressure": {"level": n, "place": "user"}} for n in (1, 4))
    some = [record(player(each)).episode for each in (mild, strong)]
    plain = record(player()).episode
    level = "intervention.pressure.level"
    assert kept_apart(("model",), [plain]) == ("model",)
    assert kept_apart(("model",), [plain, some[0]]) == ("model", "intervention")
    assert kept_apart(("model",), [plain, *some]) == ("model", "intervention", level)
    assert kept_apart((level,), some) == (level, "intervention")
    assert kept_apart(("pressure",), some) == ("pressure", "intervention")


def test_arms_of_one_run_are_planned_in_their_order_and_only_on_models() -> None:
    arms = "[none,hint,[persona,hint],[hint,persona],{id: pressure, level: 1},pressure]"
    specs = planned(
        f"cross.intervention={arms}",
        "intervention.persona.name=trader",
        "agents.Beta=random",
        "episodes=1",
    )
    made = [spec.population["Alpha"].interventions for spec in specs]
    assert [list(each) for each in made] == [
        [],
        ["hint"],
        ["persona", "hint"],
        ["hint", "persona"],
        ["pressure"],
        ["pressure"],
    ]
    assert [each["pressure"]["level"] for each in made[4:]] == [1, 2]
    assert made[2]["persona"] == {"text": None, "name": "trader"}
    assert len({spec.id for spec in specs}) == len({spec.seed for spec in specs}) * 6
    assert {json.dumps(spec.population["Beta"].parameters) for spec in specs} == {"{}"}


def test_a_group_of_scripted_agents_is_played_once_whatever_the_arms() -> None:
    specs = planned("agents=[ethical,llm,random]", "cross.intervention=[none,hint]", "episodes=2")
    who = [(spec.population["Alpha"].agent, arm_of(spec.population["Alpha"])) for spec in specs]
    assert who[:4] == [("ethical", None), ("llm", "none"), ("llm", "hint"), ("random", None)]
    assert who[4:] == who[:4]


def test_roles_restrict_an_intervention() -> None:
    (spec,) = planned("intervention=hint", "intervention.hint.roles=[Beta]", "episodes=1")
    assert arm_of(spec.population["Alpha"]) == "none"
    assert arm_of(spec.population["Beta"]) == "hint"


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (["cross.intervention=[none,pesona]"], "did you mean 'persona'?"),
        (["cross.intervention=[{id: hint, form: x}]"], "intervention.hint.form"),
        (["cross.intervention=[{id: hint, fom: x}]"], "did you mean 'form'?"),
        (["cross.intervention=[[hint,hint]]"], "lists hint twice in one arm"),
        (["cross.intervention=[hint,hint]"], "lists an arm twice"),
        (["cross.intervention=[none,weights]"], "intervention.weights.values is not set"),
        (["intervention=esrs", "env=dictator"], "only in survival-v0"),
        (["cross.intervention=[[none,hint]]"], "none stands alone in an arm"),
        (["cross.intervention=[{id: none, level: 2}]"], "none stands alone in an arm"),
        (["cross.intervention=[{level: 3}]"], "{'level': 3} is no intervention"),
        (["cross.intervention=[[[hint]]]"], "['hint'] is no intervention"),
        (["intervention=[hint,hint]"], "name each once"),
        (["intervention=hint", "intervention.hint.roles=[]"], "null, or a list of roles"),
    ],
)
def test_an_arm_that_cannot_be_made_is_refused(overrides: Sequence[str], says: str) -> None:
    with pytest.raises(InputError) as error:
        plan(compose([*MOCK[:3], *overrides]).design())
    assert says in str(error.value)


def test_the_shipped_experiment_plays_six_arms_on_the_same_seeds() -> None:
    specs = plan(compose(["experiment=esrs", "model=mock", "episodes=2"]).design())
    arms = {arm_of(spec.population["Alpha"], "esrs") for spec in specs}
    assert arms == {
        *("baseline", "full", "full_memory"),
        *("no_guilt", "no_satisfaction", "prompt_only"),
    }
    assert len(specs) == 6 * 4 * 2
    assert len({spec.seed for spec in specs}) == 2


def test_what_was_added_and_told_is_read_back_and_resumed_to_the_same_bytes() -> None:
    arms = (
        "cross.intervention=[none,[{id: memory, kind: summary},esrs],{id: persona, name: soldier}]"
    )
    whole = run(arms, "episodes=3", name="whole")
    part = run(arms, "episodes=1", name="part")
    run(arms, "episodes=3", name="part")
    lines = []
    for place in (whole, part):
        own = [json.loads(line) for line in (place / "decisions.jsonl").read_text().splitlines()]
        kept = [{k: v for k, v in line.items() if k not in ("time", "play")} for line in own]
        lines.append(sorted(json.dumps(line, sort_keys=True) for line in kept))
    assert lines[0] == lines[1]
    made = {}
    for each in read_run(whole).decisions():
        made.setdefault(arm_of(each.player), []).append(each)
    assert all(not each.added and not each.interventions for each in made["none"])
    told = made["memory+esrs"]
    assert {each.by for one in told for each in one.added} == {"memory", "esrs"}
    assert {each.place for one in told for each in one.added} == {"system", "before"}
    assert all({"guilt", "satisfaction"} <= set(one.interventions["esrs"]) for one in told)
    assert [one.interventions["memory"]["notes"] for one in told if one.step] == ["OK"] * 6


def test_measures_checks_every_arm_and_says_what_moved(capsys: pytest.CaptureFixture[str]) -> None:
    run("cross.intervention=[none,hint,{id: pressure, level: 0}]", "episodes=2")
    told = said(capsys, "measures", "runs/a")
    assert "model=mock: what mock was sent in survival-v0" in told
    assert "pressure added nothing to any decision of arm pressure" in told
    assert "effect of interventions on transgressions" in told
    found = json.loads(said(capsys, "measures", "runs/a", "--json", "-"))
    by_arm = {each["arm"]: each for each in found["interventions"]}
    assert [by_arm[arm]["share"] for arm in ("none", "hint", "pressure")] == [0.0, 1.0, 0.0]
    assert by_arm["hint"]["texts"] == 1
    assert {group["group"]["intervention"] for group in found["groups"]} == set(by_arm)


def test_another_order_is_another_run(capsys: pytest.CaptureFixture[str]) -> None:
    persona = "intervention.persona.name=trader"
    run("intervention=[persona,hint]", persona, "episodes=1")
    run("intervention=[persona,hint]", persona, "episodes=2")
    given = [*MOCK, "intervention=[hint,persona]", persona, "episodes=2", "run.name=runs/a"]
    assert main(["run", *given]) == 2
    assert "intervention=['persona', 'hint'], not ['hint', 'persona']" in capsys.readouterr().err


def tempted(body: Mapping[str, Any], *_: Any, **__: Any) -> tuple[str, None]:
    """Go to the grid and tap it, unless the rules speak of guilt."""
    system, user = (each["content"] for each in body["messages"][:2])
    option = "TAP_GRID" if "- TAP_GRID" in user else "MOVE_GRID"
    chosen = "WAIT" if "guilt" in system or body["seed"] % 5 == 0 else option
    return json.dumps({"rationale": "", "action": {"option": chosen, "arguments": {}}}), None


def test_an_effect_that_was_planted_is_found_in_the_worlds_that_arms_share(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("valuesim.agents.llm.mock_chat.completion_of", tempted)
    arms = "[{id: esrs, arm: baseline},{id: esrs, arm: full},{id: esrs, arm: no_guilt}]"
    run(f"cross.intervention={arms}", "episodes=8", "env.horizon=6")
    found = json.loads(said(capsys, "measures", "runs/a", "--json", "-"))
    (taps,) = (each for each in found["effects"] if each["id"] == "effect_transgression")
    full, without = taps["estimates"]
    assert (full["label"], without["label"]) == ("esrs full", "esrs no_guilt")
    assert full["n"] == 8
    assert -1 <= full["low"] < full["value"] < full["high"] < -0.4
    assert without["low"] < 0 < without["high"]
    compared = json.loads(
        said(capsys, "compare", "runs/a", "--between", "intervention", "--json", "-")
    )
    assert {each["clusters"] for each in compared["groups"][0]["levels"]} == {8}


def test_measures_of_a_run_without_interventions_are_as_they_were(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("episodes=1")
    found = json.loads(said(capsys, "measures", "runs/a", "--json", "-"))
    assert set(found) == {"schema", "groups", "why"}
    assert set(found["groups"][0]["group"]) == {"env", "agent", "model"}


def test_arms_are_levels_of_a_comparison_on_the_same_seeds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(
        "cross.intervention=[{id: pressure, level: 4},none,{id: pressure, level: 1}]",
        "episodes=3",
        "env.horizon=4",
    )
    told = json.loads(said(capsys, "compare", "runs/a", "--between", "intervention", "--json", "-"))
    (group,) = told["groups"]
    assert [each["level"] for each in group["levels"]] == ["none", "pressure 1", "pressure 4"]
    assert group["notes"] == []
    assert {each["clusters"] for each in group["levels"]} == {3}
    key = "intervention.pressure.level"
    told = json.loads(said(capsys, "compare", "runs/a", "--between", key, "--json", "-"))
    levels = {each["group"]["intervention"]: each["levels"] for each in told["groups"]}
    assert [each["level"] for each in levels["pressure"]] == ["1", "4"]
    assert levels["none"] == []


def test_groups_of_a_ranking_are_arms_whatever_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("cross.intervention=[none,{id: persona, name: trader}]", "episodes=1", "agents.Beta=random")

    def groups(by: str) -> list[dict[str, Any]]:
        told = json.loads(said(capsys, "graph", "runs/a", "--by", by, "--json", "-"))
        return [each["group"] for each in told["groups"]]

    assert groups("agent") == [
        {"agent": "llm", "intervention": "none"},
        {"agent": "random", "intervention": None},
        {"agent": "llm", "intervention": "persona"},
    ]
    assert {each["persona"] for each in groups("persona")} == {None, "trader"}
    assert {each["intervention.persona.name"] for each in groups("intervention.persona.name")} == {
        None,
        "trader",
    }


def test_the_report_shows_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    run("cross.intervention=[none,{id: persona, text: '<b>You</b>'}]", "episodes=1")
    said(capsys, "report", "runs/a", "--out", "r.html")
    page = Path("r.html").read_text(encoding="utf-8")
    assert '<h2 id="interventions">' in page
    assert "<b>You" not in page
    assert "by intervention" in page


def test_interventions_are_listed_with_their_settings(capsys: pytest.CaptureFixture[str]) -> None:
    listed = json.loads(said(capsys, "list", "interventions", "--json", "-"))
    found = {each["id"]: each for each in listed}
    assert found["pressure"]["settings"] == {
        "level": 2,
        "place": "user",
        "toward": "gain",
        "roles": None,
    }
    assert all(each["kind"] == "interventions" and each["description"] for each in listed)


def hint(*texts: str) -> dict[str, Any]:
    return {"added": tuple(Addition(by="hint", place="after", text=text) for text in texts)}


def test_a_check_counts_what_was_added_and_means_what_was_told() -> None:
    arm = player({"hint": {"form": "question"}})
    records = [
        record(
            arm, interventions={"hint": {"level": 2, "is_new": True, "said": "x"}}, **hint("ab")
        ),
        record(arm, step=1, interventions={"hint": {"level": 4}}, **hint("abcd")),
        record(arm, step=2),
        record(player(model=False)),
    ]
    (found,) = checks(records)
    assert (found.arm, found.by, found.decisions, found.changed) == ("hint", "hint", 3, 2)
    assert (found.share, found.characters, found.texts) == (2 / 3, 3.0, 2)
    assert found.told == {"level": 3.0}
    assert found.warning is None


def test_arms_that_were_sent_the_same_are_warned_of() -> None:
    arms = [player({"hint": {"form": form}}) for form in ("question", "statement")]
    found = checks([record(arms[0], **hint("a")), record(arms[1], **hint("a")), record(player())])
    assert [each.warning for each in found] == [
        None,
        "arm hint question was sent the same additions as hint statement",
        "arm hint statement was sent the same additions as hint question",
    ]
    apart = checks([record(arms[0], **hint("a")), record(arms[1], **hint("a", "b"))])
    assert [each.warning for each in apart] == [None, None]


def test_an_effect_is_the_mean_difference_over_shared_worlds() -> None:
    arm, plain = player({"hint": {}}), player()
    taps = {0: (1, 0), 1: (2, 1), 2: (2, 0)}
    records = []
    for seed, (without, with_it) in taps.items():
        for who, count in ((plain, without), (arm, with_it)):
            records += [
                record(who, seed=seed, step=step, chosen="TAP" if step < count else "WAIT")
                for step in range(2)
            ]
    records.append(record(arm, seed=9, chosen="TAP"))
    records[0] = record(plain, seed=0, chosen="TAP")
    (panel,) = effects(records)
    (found,) = panel.estimates
    # by world -1/2, -1/2, -1: the mean is -2/3, the standard error 1/6, t(2) 4.3027
    assert found.label == "hint"
    assert found.n == 3
    assert found.value == pytest.approx(-2 / 3)
    assert found.high == pytest.approx(-2 / 3 + 4.3027 / 6, abs=1e-4)
    assert found.low == -1.0


def test_effects_need_a_control_and_two_worlds_that_differ() -> None:
    arms = [player({"hint": {"form": form}}) for form in ("question", "statement")]
    assert effects([record(each, **hint("a")) for each in arms]) == ()
    (panel,) = effects([record(arms[0], **hint("a")), record(arms[1], chosen="TAP")])
    assert panel.unit.startswith("difference to arm hint statement")
    (found,) = panel.estimates
    assert (found.value, found.low, found.high, found.n) == (-1.0, None, None, 1)


def test_a_table_of_choices_keeps_arms_apart(capsys: pytest.CaptureFixture[str]) -> None:
    run("cross.intervention=[none,hint,{id: pressure, level: 4}]", "episodes=1")

    def groups(path: str) -> dict[str, int]:
        told = json.loads(said(capsys, "graph", path, "--json", "-"))
        return {each["group"].get("intervention", ""): each["decisions"] for each in told["groups"]}

    own = groups("runs/a")
    assert set(own) == {"none", "hint", "pressure"}
    assert "arms" not in said(capsys, "export", "choices", "runs/a", "--out", "c.csv")
    said(capsys, "import", "choices", "c.csv", "--out", "runs/back")
    assert groups("c.csv") == own
    assert groups("runs/back") == own


def test_a_chat_of_an_episode_tells_what_was_added_where_it_stood() -> None:
    place = run("intervention=[persona,hint]", "intervention.persona.text=P", "episodes=1")
    records = sorted(read_run(place).decisions(), key=lambda each: each.step)
    alpha = [each for each in records if each.role == "Alpha"]
    lines = transcript(alpha, "rules")
    assert [line.text for line in lines if line.speaker == "system"] == ["rules", "P"]
    asked = [line.text for line in lines if line.speaker == "user"]
    assert all(text.endswith("in your place did that?") for text in asked)
