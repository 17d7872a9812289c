"""What the analysing commands share: groups, interrupted episodes, pooled factors, files, JSON."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from valuesim.cli import evidence, main
from valuesim.episode import EpisodeSpec, Player
from valuesim.graph import Group
from valuesim.log import RunWriter

AGENTS = ("ethical", "exploitative", "context_dependent", "random", "mute")


def analysed(capsys: pytest.CaptureFixture[str], command: str, *arguments: str) -> Any:
    """Return what a command says as JSON, which must hold no number that is none."""

    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is not JSON")

    capsys.readouterr()
    assert main([command, *arguments, "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out, parse_constant=refuse)


def shown(capsys: pytest.CaptureFixture[str], command: str, *arguments: str) -> str:
    capsys.readouterr()
    assert main([command, *arguments]) == 0
    return capsys.readouterr().out


# -- interrupted episodes ------------------------------------------------------------------------


@pytest.fixture
def half(toy: Path) -> Path:
    """A run in which `kind` finished its two episodes and `hostile` none of its two."""
    command = ["env=toy-v0", "agents=[kind,hostile]", "env.steps=20", "episodes=2"]
    assert main(["run", *command, "run.name=half"]) == 1
    return toy / "runs/half"


KEYS = (
    *("agent,model", "agent", "role,agent", "agent,env", "agent,condition", "agent,level"),
    *("agent,elicitation", "agent,format"),
)


@pytest.mark.parametrize("command", ["graph", "archetypes"])
@pytest.mark.parametrize("by", KEYS)
def test_a_group_of_which_nothing_was_finished_is_there_beside_the_others(
    half: Path, capsys: pytest.CaptureFixture[str], command: str, by: str
) -> None:
    told = analysed(capsys, command, "runs", "--by", by)
    interrupted: dict[str, list[tuple[bool, int]]] = {}
    for group in told["groups"]:
        interrupted.setdefault(group["group"]["agent"], []).append(
            (group["decisions"] > 0, sum(group["interrupted"].values()))
        )
    roles = 2 if by == "role,agent" else 1
    # a survival archetype is judged on no decision of the toy family
    decided = command == "graph"
    assert interrupted == {"kind": [(decided, 0)] * roles, "hostile": [(False, 2)] * roles}
    assert told["unplaced"] == {}
    assert told["why"] is None


@pytest.mark.parametrize("command", ["graph", "archetypes"])
def test_how_many_episodes_were_interrupted_and_why_is_printed(
    half: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    told = shown(capsys, command, "runs")
    assert "agent=hostile" in told
    assert "  note: interrupted, and counted nowhere: 2 episodes: " in told
    assert "[red]gone" in told


def test_groups_by_all_labels_count_an_interrupted_episode_once(
    half: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (group,) = analysed(capsys, "graph", "runs", "--by", "env")["groups"]
    assert sum(group["interrupted"].values()) == 2


@pytest.mark.parametrize("command", ["graph", "archetypes"])
def test_a_play_of_which_nothing_is_known_stands_apart(
    half: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    line = {"schema": 1, "episode": "0" * 16, "play": 0, "reason": "killed", "time": {}}
    with (half / "interrupted.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")
    told = analysed(capsys, command, "runs")
    assert told["unplaced"] == {"killed": 1}
    assert len(told["groups"]) == 2
    printed = shown(capsys, command, "runs")
    assert (
        "interrupted, and not known of which group (by agent,model): 1 episode: killed" in printed
    )


def test_a_play_without_its_condition_is_placed_where_none_is_asked_for(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    players = {"Alpha": Player(agent="kind")}
    spec = EpisodeSpec(env="toy-v0", parameters={}, population=players, elicitation={}, seed=1)
    with RunWriter(toy / "runs/a") as writer:
        writer.describe({})
        writer.interrupt(spec, "server down")
    (group,) = analysed(capsys, "graph", "runs")["groups"]
    assert group["interrupted"] == {"server down": 1}
    told = analysed(capsys, "graph", "runs", "--by", "agent,level")
    assert (told["groups"], told["unplaced"]) == ([], {"server down": 1})


def test_a_grouping_that_is_none_is_refused_also_where_nothing_was_finished(toy: Path) -> None:
    command = ["env=toy-v0", "agents=hostile", "env.steps=20", "episodes=1", "run.name=lost"]
    assert main(["run", *command]) == 1
    assert main(["graph", "runs", "--by", "agnet"]) == 2
    assert main(["graph", "runs", "--by", "agent,level"]) == 0


# -- pooled factors ------------------------------------------------------------------------------


def _play_kind(toy: Path) -> None:
    crossed = ["cross.env.level=[low,high]", "cross.env.steps=[1,2,3]", "episodes=1"]
    assert main(["run", "env=toy-v0", "agents=kind", *crossed, "run.name=a"]) == 0


@pytest.mark.parametrize("command", ["graph", "archetypes"])
def test_each_factor_that_is_pooled_is_noted_with_what_separates_it(
    toy: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    _play_kind(toy)
    (group,) = analysed(capsys, command, "runs")["groups"]
    assert group["notes"] == [
        "pooled over level (2 settings); --by agent,model,level separates them",
        "pooled over steps (3 settings); --by agent,model,steps separates them",
    ]
    assert f"  note: {group['notes'][1]}\n" in shown(capsys, command, "runs")
    separated = analysed(capsys, command, "runs", "--by", "agent,level,steps")["groups"]
    assert [each["notes"] for each in separated] == [[]] * 6


@pytest.mark.parametrize(("by", "groups"), [("agent", 1), ("format", 2), ("elicitation", 2)])
def test_runs_are_grouped_by_how_models_were_asked(
    toy: Path, capsys: pytest.CaptureFixture[str], by: str, groups: int
) -> None:
    for seed, form in enumerate(("json", "name", "name")):
        command = ["env=toy-v0", "agents=kind", "episodes=1", f"seed={seed}"]
        assert main(["run", *command, f"run.name={seed}"]) == 0
        path = toy / f"runs/{seed}/episodes.jsonl"
        asked = json.dumps({"format": form, "reask": 1})
        path.write_text(path.read_text().replace('"elicitation":{}', f'"elicitation":{asked}'))
    told = analysed(capsys, "graph", "runs", "--by", by)["groups"]
    assert len(told) == groups
    notes = [note for group in told for note in group["notes"]]
    assert any("pooled over format (2 settings)" in note for note in notes) == (by == "agent")


# -- files ---------------------------------------------------------------------------------------


def test_groups_with_like_names_have_files_of_their_own() -> None:
    groups = [Group((("agent", name),)) for name in ("a/b", "a b", "A_B", "c", None)]
    files = evidence.files_for(Path("x/g.png"), groups)
    assert [path.name for path in files.values()] == [
        *("g-a_b.png", "g-a_b-2.png", "g-A_B-3.png", "g-c.png", "g-all.png")
    ]
    assert evidence.files_for(Path("g.png"), groups[:1]) == {groups[0]: Path("g.png")}


@contextmanager
def _no_room() -> Iterator[None]:
    """Let no file grow beyond 300 bytes, as on a full disk."""
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, kept[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["report", "runs/a", "--out", "page.html"], "page.html"),
        (["graph", "runs", "--png", "g.png"], "g.png"),
        (["graph", "runs", "--png", "g.svg"], "g.svg"),
        (["graph", "runs", "--graphml", "g.graphml"], "g.graphml"),
        (["archetypes", "runs", "--json", "a.json"], "a.json"),
    ],
)
def test_a_full_disk_is_told_in_a_sentence_and_leaves_nothing_behind(
    toy: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], name: str
) -> None:
    _play_kind(toy)
    capsys.readouterr()
    with _no_room():
        code = main(arguments)
    assert code == 1
    assert capsys.readouterr().err == (
        f"valuesim: error: {name} cannot be written: File too large\n"
    )
    assert {path.name for path in toy.iterdir()} == {"runs"}


def test_a_drawing_that_is_none_is_refused_before_anything_is_estimated(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["graph", "nowhere", "--png", "g.gif"]) == 2
    assert "g.gif cannot be drawn" in capsys.readouterr().err


# -- JSON of thin evidence -----------------------------------------------------------------------

THIN = {
    "one decision each": ["env=toy-v0", "agents=kind", "env.steps=1", "episodes=1"],
    "faults only": ["agents=mute", "env.horizon=2", "episodes=2"],
    "one episode of survival": ["agents=random", "env.horizon=1", "episodes=1"],
    "one level": ["agents=exploitative", "env.scarcity=low", "episodes=1"],
    "faults beside choices": ["agents=[mute,ethical]", "env.horizon=2", "episodes=1"],
    "nothing": ["env=toy-v0", "agents=hostile", "env.steps=20", "episodes=1"],
}


@pytest.mark.parametrize("played", THIN.values(), ids=list(THIN))
def test_results_on_thin_evidence_hold_no_nan(
    toy: Path, capsys: pytest.CaptureFixture[str], played: list[str]
) -> None:
    main(["run", *played, "run.name=a"])
    for command in ("graph", "archetypes"):
        for by in ("agent,model", "role"):
            told = analysed(capsys, command, "runs", "--by", by)
            assert told["groups"]
    for group in analysed(capsys, "archetypes", "runs")["groups"]:
        assert group["archetype"] == "undetermined"
        assert group["why"]


# -- planted archetypes, end to end --------------------------------------------------------------


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `valuesim archetypes` says of twenty episodes per level of scarcity of each agent."""
    place = tmp_path_factory.mktemp("planted")
    crossed = "cross.env.scarcity=[low,tight,medium,high]"
    command = [f"agents=[{','.join(AGENTS)}]", crossed, "episodes=20", "engine.progress=none"]
    assert main(["run", *command, f"run.name={place / 'run'}"]) == 0
    assert main(["archetypes", str(place), "--json", str(place / "told.json")]) == 0
    told = json.loads((place / "told.json").read_text())
    return {group["group"]["agent"]: group for group in told["groups"]}


@pytest.mark.parametrize(
    ("agent", "archetype"),
    [
        ("ethical", "Ethical"),
        ("exploitative", "Exploitative"),
        ("context_dependent", "Context-Dependent"),
        ("random", "undetermined"),
        ("mute", "undetermined"),
    ],
)
def test_a_planted_archetype_is_found_again(
    planted: dict[str, Any], agent: str, archetype: str
) -> None:
    assert planted[agent]["archetype"] == archetype


def test_where_no_archetype_was_planted_the_reason_is_told(planted: dict[str, Any]) -> None:
    assert "content-blind" in planted["random"]["why"]
    assert "were faults" in planted["mute"]["why"]
