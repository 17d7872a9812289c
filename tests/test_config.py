"""Configuration: what composes, and what is refused in one sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from valuesim.cli.run import run_folder
from valuesim.config import compose, prepare
from valuesim.engine import plan
from valuesim.errors import InputError
from valuesim.overrides import options


def test_nothing_given_is_a_whole_run() -> None:
    config = compose([])
    assert config.env["id"] == "survival-v0"
    assert config.agents == {"all": "ethical"}
    assert config.model == {}
    assert config.engine.concurrency >= 1


def test_a_role_is_overridden_without_a_plus() -> None:
    config = compose(["agents=ethical", "agents.Alpha=exploitative", "episodes=1"])
    (spec,) = plan(config.design())
    played = {role: player.agent for role, player in spec.population.items()}
    assert played == {"Alpha": "exploitative"} | dict.fromkeys(
        ["Beta", "Gamma", "Delta"], "ethical"
    )


def test_a_list_of_agents_is_one_group_of_episodes_each() -> None:
    specs = plan(compose(["agents=[ethical,random]", "episodes=2"]).design())
    assert [spec.population["Beta"].agent for spec in specs] == ["ethical", "random"] * 2


def test_the_command_line_replaces_the_agents_of_an_experiment() -> None:
    reference = compose(["experiment=scarcity_benchmark"])
    assert len(reference.agents["all"]) == 7
    assert reference.cross == {"env.scarcity": ["low", "tight", "medium", "high"]}
    model = ["agents=llm", "model=vllm", "model.name=X"]
    played = compose(["experiment=scarcity_benchmark", *model])
    assert played.agents == {"all": "llm"}
    assert len(plan(played.design())) == 4 * 20


def test_an_experiment_settles_what_the_root_leaves_open() -> None:
    benchmark = "experiment=scarcity_benchmark"
    assert compose([benchmark]).agents["all"] != compose([]).agents["all"]
    assert compose([benchmark, "episodes=3"]).episodes == 3


@pytest.mark.parametrize(
    "written",
    [
        "model.extra_body={chat_template_kwargs: {enable_thinking: false}}",
        "model.extra_body.chat_template_kwargs.enable_thinking=false",
    ],
)
def test_further_fields_of_a_request_need_no_plus(written: str) -> None:
    model = ["agents=llm", "model=vllm", "model.name=X"]
    body = compose([*model, written]).model["extra_body"]
    assert body == {"chat_template_kwargs": {"enable_thinking": False}}


@pytest.mark.parametrize("override", ["hydra.run.dir=x", "hydra.verbose=true", "hydra/output=x"])
@pytest.mark.parametrize("sweeping", [False, True])
def test_a_setting_of_hydra_that_nothing_heeds_is_refused(override: str, sweeping: bool) -> None:
    with pytest.raises(InputError, match="only hydra/launcher and hydra/sweeper are taken"):
        prepare([override], sweeping=sweeping)


@pytest.mark.parametrize("override", ["hydra/launcher=basic", "hydra.sweeper.max_batch_size=2"])
def test_how_a_sweep_is_run_is_set_for_sweeps_only(override: str) -> None:
    assert prepare([override], sweeping=True) == [override]
    with pytest.raises(InputError, match="is for a sweep: add -m"):
        prepare([override])


def test_models_meet_in_one_world_and_scripted_agents_too() -> None:
    (spec,) = plan(
        compose(
            [
                *("agents=llm", "agents.Delta=exploitative", "model=vllm", "model.name=X"),
                *("models.Beta.name=Y", "models.Beta.base_url=http://127.0.0.1:1/v1", "episodes=1"),
            ]
        ).design()
    )
    names = {role: player.model_name for role, player in spec.population.items()}
    assert names == {"Alpha": "X", "Beta": "Y", "Gamma": "X", "Delta": None}


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("models.Zed.name=Y", "'Zed'"),
        ("models.Beta.nam=Y", "'nam'"),
        ("models.Beta=3", "models.Beta"),
    ],
)
def test_a_model_of_no_role_or_with_no_such_setting_is_refused(override: str, named: str) -> None:
    model = ["agents=llm", "model=vllm", "model.name=X"]
    with pytest.raises(InputError, match=named):
        plan(compose([*model, override]).design())


@pytest.mark.parametrize("written", ["cross={env.scarcity:[low,9]}", "cross.env.scarcity=[low,9]"])
def test_crossed_levels_make_cells(written: str) -> None:
    specs = plan(compose([written, "episodes=3"]).design())
    assert [spec.parameters["scarcity"] for spec in specs] == ["low", 9] * 3


def test_levels_may_be_mappings() -> None:
    specs = plan(compose(["env.scarcity={personal:5,shared:20}", "episodes=1"]).design())
    assert specs[0].parameters["scarcity"] == {"personal": 5, "shared": 20}


def test_a_registered_id_without_a_file_can_be_chosen(toy: Path) -> None:
    specs = plan(compose(["env=toy-v0", "agents=kind", "env.steps=5", "episodes=1"]).design())
    assert specs[0].parameters == {"steps": 5}
    assert "toy-v0" in options("env")


def test_what_reaches_a_model_does_not_name_its_episodes() -> None:
    model = ["agents=llm", "model=vllm", "model.name=X", "episodes=1"]
    here = plan(compose(model).design())
    there = plan(compose([*model, "model.base_url=http://10.0.0.1/v1", "model.retries=9"]).design())
    warm = plan(compose([*model, "model.temperature=0.3"]).design())
    assert here == there
    assert here[0].id != warm[0].id
    assert "base_url" not in (here[0].population["Alpha"].model or {})


def test_how_models_are_asked_does_not_name_episodes_without_one() -> None:
    native = plan(compose(["episodes=1", "elicitation=json_schema"]).design())
    assert native == plan(compose(["episodes=1", "elicitation=name"]).design())


def test_the_prompts_name_the_episodes_of_models_and_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = ["agents=[llm,ethical]", "model=vllm", "model.name=X", "episodes=1"]
    before = plan(compose(model).design())
    monkeypatch.setattr("valuesim.agents.prompt.templates_id", lambda: "other wording")
    after = plan(compose(model).design())
    assert after[0].elicitation["prompt"] == "other wording"
    assert before[0].id != after[0].id
    assert before[1] == after[1]


REFUSED = {
    "env=survivl": "unknown env 'survivl': did you mean 'survival'?",
    "epsodes=3": "unknown setting 'epsodes': did you mean 'episodes'?",
    "engine.concurency=3": "'concurency' (in engine): did you mean 'concurrency'?",
    "env.scarcty=low": "'scarcty' (in env, survival-v0): did you mean 'scarcity'?",
    "env.scarcity=-3": "=-3 is not allowed",
    "env.agents=0": "agents=0 is not allowed",
    "agents=0": "unknown agents 0",
    "agents=etical": "did you mean 'ethical'?",
    "agents=[]": "unknown agents []",
    "agents.Alhpa=ethical": "role 'Alhpa' (in agents of survival-v0): did you mean 'Alpha'?",
    "agents.Alpha=etical": "unknown agent 'etical'",
    "agents.all=[]": "empty list",
    "agents.all=[ethical,ethical]": "listed twice",
    "agents=llm": "model=vllm model.name=NAME",
    "model=vllm": "model.name is not set",
    "model=vlm": "did you mean 'vllm'?",
    "model.name=X": "model.name needs a model: add model=NAME (chat, mock, vllm, vllm_offline)",
    "model=null": "unknown model None",
    "elicitation.frmat=3": "did you mean 'format'?",
    "experiment=scarcity": "unknown experiment 'scarcity': did you mean 'scarcity_benchmark'?",
    "episodes=0": "episodes=0 is not allowed: 1 to 1000000",
    "episodes=99999999999": "episodes=99999999999 is not allowed",
    "agents.Alpha=[]": "agents.Alpha is an empty list",
    "agents.Alpha=[ethical,3]": "unknown agent 3",
    "agents=ethical:2": "agent 'ethical' has no variants: 'ethical:2' is not known",
    "agents=first:2": "'2' is not a share",
    "cross.env=survival": "cross.env is 'survival': give a list",
    "cross.env=[survivl]": "did you mean 'survival'?",
    f"seed={'9' * 5000}": "cannot be read",
    "episodes=many": "'many' of type 'str' could not be converted to Integer",
    "episodes=1e9": "a whole number from 1 to 1000000",
    "elicitation.reask=-1": "reask is -1: a whole number from 0",
    "elicitation.max_tokens=0": "max_tokens is 0",
    "episodes=2.5": "could not be converted to Integer",
    "episodes=null": "episodes",
    "seed=-1": "seed=-1 is not allowed: 0 to",
    "engine.concurrency=0": "engine.concurrency=0 is not allowed",
    "engine.progress=loud": "allowed: auto, bar, lines, none",
    "engine=3": "unknown engine 3",
    "cross={scarcity:[low]}": "name env.<parameter>",
    "cross={env.scarcity:low}": "give a list of levels",
    "cross={env.scarcity:[]}": "give a list of levels",
    "cross={env.scarcty:[low]}": "did you mean 'scarcity'?",
    "cross={env.scarcity:[low,low]}": "listed twice",
    "episodes=1,2": "episodes=1,2 is a sweep: add -m for a run of each",
    "env.agents=2,3": "or write cross.env.agents=[2,3] for all in one run",
    "episodes": "write KEY=VALUE",
    "env.scarcity=[": "cannot be read",
    "episodes=${nothing}": "nothing",
    "run.nmae=x": "did you mean 'name'?",
    "": "write KEY=VALUE",
}


@pytest.mark.parametrize(("override", "told"), REFUSED.items(), ids=[key[:40] for key in REFUSED])
def test_what_cannot_be_used_is_refused_in_one_sentence(override: str, told: str) -> None:
    with pytest.raises(InputError) as refused:
        plan(compose([override]).design())
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "hydra" not in str(refused.value).lower()


def test_lists_of_two_roles_meet_in_every_pair() -> None:
    pairs = compose(["agents.Alpha=[ethical,random]", "agents.Beta=[mute,random]"]).design().groups
    met = {(group["Alpha"], group["Beta"]) for group in pairs}
    assert met == {(a, b) for a in ("ethical", "random") for b in ("mute", "random")}


def test_an_agent_is_named_with_its_variant() -> None:
    assert compose(["agents=first:0.9"]).design().groups == [{"all": "first:0.9"}]
    both = compose(["agents=[first:0.9,valued:climber]"]).design().groups
    assert both == [{"all": "first:0.9"}, {"all": "valued:climber"}]


def test_environments_are_crossed_each_with_its_own_parameters(toy: Path) -> None:
    design = compose(
        ["cross.env=[survival,{id:survival,scarcity:low},toy-v0]", "agents=random"]
    ).design()
    specs = plan(replace(design, episodes=1))
    assert [(spec.env, spec.parameters) for spec in specs] == [
        ("survival-v0", {"scarcity": "medium"}),
        ("survival-v0", {"scarcity": "low"}),
        ("toy-v0", {}),
    ]


def test_an_agent_that_does_not_play_the_environment_is_refused(toy: Path) -> None:
    with pytest.raises(InputError, match="'elsewhere' does not play toy-v0; it plays survival-v0"):
        plan(compose(["env=toy-v0", "agents=elsewhere"]).design())


def test_a_swept_list_of_agents_stays_a_list() -> None:
    swept = prepare(["agents=[ethical,random],mute"], sweeping=True)
    assert swept == ["++agents.all=[ethical,random],mute"]


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("demo", "runs/demo"),
        ("out/demo", "out/demo"),
        ("/tmp/demo", "/tmp/demo"),
        ("é ☃", "runs/é ☃"),
        ("~/demo", str(Path.home() / "demo")),
        (None, "runs/2026-01-02/03-04-05-678"),
    ],
)
def test_a_run_name_is_a_path_or_stands_under_runs(name: str | None, folder: str) -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, 678000)
    assert run_folder(name, now) == Path(folder)


def test_an_empty_run_name_is_refused() -> None:
    with pytest.raises(InputError, match=r"run\.name is empty"):
        run_folder(" ", datetime(2026, 1, 2))


@pytest.mark.parametrize("name", ["a\tb", "a\nb", "\x1b[31m", "a\0", "\udc80"])
def test_a_run_name_that_a_terminal_would_obey_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="holds control characters") as refused:
        run_folder(name, datetime(2026, 1, 2))
    assert str(refused.value).isprintable()
