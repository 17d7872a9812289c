"""What the viewer plays itself: branches by HTTP, persons in them, models, and what is refused."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("fastapi")
pytest.importorskip("duckdb")

from fastapi.testclient import TestClient

from valuesim.agents.prompt import LONGEST_RATIONALE
from valuesim.cli import main
from valuesim.cli.replay_models import models_of
from valuesim.errors import InputError
from valuesim.log import DecisionRecord, find_runs, read_run
from valuesim.replay.branching.branch import Parent, parent_of
from valuesim.replay.branching.branched import asked_branch
from valuesim.replay.branching.retrace import retraced
from valuesim.replay.indexing.naming import id_of
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.playing import plays
from valuesim.replay.playing.consent import Consent, consent_in
from valuesim.replay.playing.models import Models
from valuesim.replay.playing.plays import Plays
from valuesim.replay.security import Access
from valuesim.replay.server import create_app

HERE = "http://127.0.0.1:8765"
TOKEN = {"x-valuesim-token": "the-token", "origin": HERE}
ACCESS = Access(token="the-token")
DIFFERING = ("episode", "latency")
FINAL = ("finished", "stopped", "failed")
SURVIVAL = ["env=survival", "env.scarcity=low", "env.horizon=5", "episodes=1"]
RUNS = {
    "scripted": [*SURVIVAL, "agents=altruist", "agents.Alpha=random"],
    "asked": [*SURVIVAL, "env.talk_rounds=1", "agents=llm", "model=mock"],
}
Answer = Callable[[Mapping[str, Any]], str]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for name, given in RUNS.items():
        assert main(["run", *given, f"run.name={folder / name}"]) == 0
    return folder


@pytest.fixture
def shown(runs: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(runs, tmp_path / "shown"))


@pytest.fixture
def viewer(shown: Path) -> Iterator[Viewer]:
    with_models = Viewer(shown, models_of(["model=mock"]))
    yield with_models
    with_models.plays.close()


class Viewer:
    """A viewer of a folder, asked as its page asks it."""

    def __init__(self, root: Path, models: Models, consent: Consent | None = None) -> None:
        self.root = root
        self.plays = Plays(shelf=Shelf(root), models=models, consent=consent or Consent())
        app = create_app(self.plays.shelf, ACCESS, self.plays)
        self.client = TestClient(app, base_url=HERE, raise_server_exceptions=False)

    def get(self, path: str, status: int = 200) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, path: str, content: Any, status: int = 202) -> Any:
        answer = self.client.post(path, json=content, headers=TOKEN)
        assert answer.status_code == status, answer.text
        return answer.json()

    def row(self, run: str) -> tuple[str, str]:
        """Return the ids of a run and of its one episode."""
        (episode,) = read_run(self.root / run).episodes
        return id_of(run), episode

    def asked(self, run: str, step: int, changes: Any, status: int = 202) -> Any:
        """Ask for a branch of a run's one episode; return the play, or why there is none."""
        id, episode = self.row(run)
        wanted = {"run": id, "episode": episode, "step": step, "changes": changes}
        told = self.post("/api/branches", wanted, status)
        return told["play"] if status == 202 else told["error"]

    def branched(self, run: str, step: int, changes: Any, answer: Answer | None = None) -> Parent:
        """Play a branch to its end; return it."""
        play = self.until(self.asked(run, step, changes)["id"], answer=answer)
        assert (play["state"], play["error"]) == ("finished", None)
        assert self.get(f"/api/episodes/{play['run']}/{play['episode']}")["parent"]
        return parent_of(self.root / play["run_name"], play["episode"])

    def until(self, id: str, *states: str, answer: Answer | None = None) -> dict[str, Any]:
        """Return a play once it is in one of `states`, or over; its questions are answered."""
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            play: dict[str, Any] = self.get(f"/api/plays/{id}")["play"]
            if play["state"] in (*states, *FINAL):
                return play
            if (asking := play["asking"]) is not None and answer is not None:
                self.answer(id, asking["number"], answer(asking))
            time.sleep(0.005)
        raise AssertionError(f"it did not end: {play}")

    def answer(self, id: str, number: int, text: str, status: int = 200) -> Any:
        return self.post(f"/api/plays/{id}/answer", {"number": number, "text": text}, status)


def simply(asking: Mapping[str, Any]) -> str:
    """Answer as simply as can be: yes, the first choice, the least number, no reason."""
    if asking["about"] in ("consent", "sure"):
        return "yes"
    if asking["choices"]:
        return str(asking["choices"][0])
    prompt = str(asking["prompt"])
    return prompt.rpartition("from ")[2].partition(" ")[0] if "number from" in prompt else ""


def told(records: Any) -> list[tuple[Any, ...]]:
    fields = [each for each in DecisionRecord.__dataclass_fields__ if each not in DIFFERING]
    lines = [tuple(getattr(record, name) for name in fields) for record in records]
    return sorted(lines, key=lambda each: each[:2])


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock" and "derived" not in path.parts
    }


def by(records: Any, step: int, role: str) -> DecisionRecord:
    return next(each for each in records if (each.step, each.role) == (step, role))


# -- branches --------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", RUNS)
def test_a_branch_without_a_change_is_its_parent_turn_for_turn(run: str, viewer: Viewer) -> None:
    was = parent_of(viewer.root / run, viewer.row(run)[1])
    for step in (0, 3):
        assert told(viewer.branched(run, step, {}).records) == told(was.records)


async def test_each_change_is_played_and_can_be_played_again(viewer: Viewer) -> None:
    before = {name: content(viewer.root / name) for name in RUNS}
    said = next(r for r in read_run(viewer.root / "asked").decisions() if r.message and r.step < 4)
    changes: list[tuple[str, int, dict[str, Any]]] = [
        ("scripted", 2, {"players": {"Alpha": {"agent": "exploitative"}}}),
        ("scripted", 2, {"players": {"Beta": {"agent": "first:0.5"}}}),
        ("scripted", 2, {"players": {"Beta": {"agent": "llm"}}}),
        ("scripted", 2, {"world": {"shared": 77, "power Alpha": 3}}),
        ("scripted", 2, {"moves": {"Beta": {"option": "WAIT"}}}),
        ("scripted", 2, {"seed": 4}),
        ("asked", said.step, {"messages": {said.role: "There is a dragon."}}),
        ("asked", 2, {"players": {"Beta": model({"persona": {"text": "A pirate."}})}}),
        ("asked", 2, {"players": {"Beta": model("memory", "hint")}}),
        ("asked", 2, {"players": {"Beta": {"agent": "llm", "model": {"name": "another"}}}}),
    ]
    for run, step, each in changes:
        left = viewer.branched(run, step, each)
        await retraced(left.episode.spec, left.records)
        assert left.episode.fork is not None
        assert left.episode.fork.step == step
        for role in each.get("players", ()):
            assert left.episode.population[role].agent == each["players"][role]["agent"]
    assert {name: content(viewer.root / name) for name in RUNS} == before


def model(*made: Any) -> dict[str, Any]:
    return {"agent": "llm", "model": "mock", "parameters": {"interventions": list(made)}}


def test_interventions_are_made_as_the_configuration_has_them(viewer: Viewer) -> None:
    left = viewer.branched(
        "asked", 2, {"players": {"Beta": model({"persona": {"name": "parent"}})}}
    )
    made = left.episode.population["Beta"].interventions
    assert made == {"persona": {"text": None, "name": "parent"}}
    assert any(each.by == "persona" for each in by(left.records, 2, "Beta").added)
    again = viewer.branched("asked", 3, {"players": {"Beta": model()}})
    assert again.episode.population["Beta"] == again.episode.population["Alpha"]


def test_what_the_models_of_a_branch_spent_is_kept(viewer: Viewer) -> None:
    left = viewer.branched("asked", 3, {"seed": 12})
    (session,) = yaml.safe_load((left.run / "run.yaml").read_text())["sessions"]
    own = [each.usage for each in read_run(left.run).decisions()]
    assert session["spent"]["prompt_tokens"] == sum(each["prompt_tokens"] for each in own) > 0
    assert session["spent"]["dollars"] == 0.0
    scripted = viewer.branched("scripted", 3, {"seed": 12})
    (session,) = yaml.safe_load((scripted.run / "run.yaml").read_text())["sessions"]
    assert "spent" not in session


def test_a_branch_is_looked_at_while_it_is_played(viewer: Viewer) -> None:
    answers = iter(["yes", "WAIT", ""])
    play = viewer.asked("scripted", 1, SEAT)
    while (now := viewer.until(play["id"], "asking"))["step"] is None:
        viewer.answer(play["id"], now["asking"]["number"], next(answers))
    here = f"/api/episodes/{now['run']}/{now['episode']}"
    ends = time.monotonic() + 30
    while (answer := viewer.client.get(here)).status_code != 200:
        assert time.monotonic() < ends, answer.text
        time.sleep(0.05)
    assert [each["step"] for each in answer.json()["steps"]][-1] == 1
    viewer.post(f"/api/plays/{play['id']}/stop", {}, 200)
    viewer.until(play["id"])


def test_figures_of_a_run_do_not_change_by_what_is_played_beside_it(
    viewer: Viewer, capsys: pytest.CaptureFixture[str]
) -> None:
    def figures() -> str:
        capsys.readouterr()
        assert main(["graph", str(viewer.root), "--json", "-"]) == 0
        return capsys.readouterr().out

    before = figures()
    viewer.branched("scripted", 2, {"seed": 4})
    game = viewer.post("/api/games", {"game": "dictator", "role": "Alpha", "partner": "random"})
    play = viewer.until(game["play"]["id"], answer=simply)
    assert play["state"] == "finished"
    assert figures() == before
    assert find_runs([viewer.root]) == [viewer.root / "asked", viewer.root / "scripted"]
    assert find_runs([viewer.root / "people"]) == [viewer.root / play["run_name"]]
    listed = viewer.get("/api/episodes")["rows"]
    assert {row["run_name"] for row in listed} == {"asked", "scripted"}
    assert viewer.get(f"/api/episodes?run={play['run']}")["total"] == 1


def test_a_branch_is_played_once(viewer: Viewer) -> None:
    asked = {"players": {"Alpha": {"agent": "human"}}, "seed": 4}
    first = viewer.branched("scripted", 2, {"seed": 4})
    again = viewer.branched("scripted", 2, {"seed": 4})
    assert first.run == again.run
    assert first.records == again.records
    # two persons are not one
    one, other = (viewer.branched("scripted", 2, asked, simply) for _ in range(2))
    assert one.run != other.run
    assert one.episode.population["Alpha"] != other.episode.population["Alpha"]


def test_a_step_that_a_branch_inherited_is_left_of_its_parent(viewer: Viewer) -> None:
    left = viewer.branched("scripted", 3, {"seed": 4})
    run, name = id_of(f"branches/{left.run.name}"), left.run.name
    parent, episode = viewer.row("scripted")
    here = viewer.get(f"/api/branching/{run}/{name}/3")
    assert here["refused"] is None
    assert "leave" not in here
    there = viewer.get(f"/api/branching/{run}/{name}/1")
    assert "leave that one" in there["refused"]
    assert there["leave"] == {"run": parent, "episode": episode, "step": 1}
    wanted = {"run": run, "episode": name, "step": 1, "changes": {"seed": 5}}
    play = viewer.post("/api/branches", wanted)["play"]
    assert play["parent"] == there["leave"]
    assert viewer.until(play["id"])["state"] == "finished"


def test_a_parent_that_is_being_read_is_not_said_to_be_elsewhere(viewer: Viewer) -> None:
    left = viewer.branched("scripted", 3, {"seed": 4})
    parent, _ = viewer.row("scripted")
    shelf = viewer.plays.shelf
    shelf.rows.ask("DELETE FROM own WHERE run = ?", [parent])
    shelf.runs = {**shelf.runs, parent: replace(shelf.runs[parent], is_read=False)}
    told = viewer.get(f"/api/branching/{id_of(f'branches/{left.run.name}')}/{left.run.name}/1")
    assert told["refused"] == "scripted is being read: it will be there in a moment"


def test_a_branch_of_a_run_that_is_shown_alone_stands_in_it(runs: Path, tmp_path: Path) -> None:
    alone = shutil.copytree(runs / "scripted", tmp_path / "alone")
    viewer = Viewer(alone, Models())
    (episode,) = read_run(alone).episodes
    wanted = {"run": id_of("."), "episode": episode, "step": 2, "changes": {"seed": 4}}
    play = viewer.until(viewer.post("/api/branches", wanted)["play"]["id"])
    assert (play["state"], play["run_name"]) == ("finished", f"branches/{play['episode']}")
    # and one of that branch, where it is shown alone, in it
    deeper = Viewer(alone / play["run_name"], Models())
    wanted = {"run": id_of("."), "episode": play["episode"], "step": 3, "changes": {"seed": 5}}
    last = deeper.until(deeper.post("/api/branches", wanted)["play"]["id"])
    assert last["state"] == "finished"
    assert (alone / play["run_name"] / last["run_name"] / "run.yaml").is_file()
    assert find_runs([alone]) == [alone]
    refused = deeper.get(f"/api/branching/{id_of('.')}/{play['episode']}/1")["refused"]
    assert "a folder above both" in refused


def test_what_can_be_changed_is_told(viewer: Viewer) -> None:
    run, episode = viewer.row("scripted")
    here = viewer.get(f"/api/branching/{run}/{episode}/2")
    alpha = here["roles"][0]
    records = parent_of(viewer.root / "scripted", episode).records
    assert alpha["player"] == {"agent": "random", "model": None, "interventions": {}}
    assert alpha["chosen"] == by(records, 2, "Alpha").chosen
    assert [each["name"] for each in alpha["options"]] == [
        each.name for each in by(records, 2, "Alpha").options
    ]
    assert "stakes" not in json.dumps(here)
    assert here["world"]["shared"] == [0, 1000]
    assert here["world"].keys() == {"shared", *(f"power {each['role']}" for each in here["roles"])}
    assert {"human", "llm", "altruist"} <= set(here["agents"])
    assert "tit_for_tat" not in here["agents"]
    assert "first" in here["variants"]
    assert "memory" in here["interventions"]
    settings = {name: [each["name"] for each in made] for name, made in here["settings"].items()}
    assert list(settings) == here["interventions"]
    assert settings["memory"] == ["kind", "last", "words"]
    assert here["models"] == {"connected": True, "name": "mock", "why": None}
    assert viewer.get(f"/api/branching/{run}/{episode}/99", 404)["error"]


def test_a_moment_that_cannot_be_had_again_is_refused_with_why(viewer: Viewer) -> None:
    path = viewer.root / "scripted" / "decisions.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"payoff":', b'"payoff":1', 1))
    viewer.plays.shelf.refresh()
    run, episode = viewer.row("scripted")
    here = viewer.get(f"/api/branching/{run}/{episode}/3")
    assert "the log is of another version, or was changed" in here["refused"]
    assert here["roles"][0]["options"]
    assert "was changed" in viewer.asked("scripted", 3, {}, 400)


def test_a_decision_is_not_given_to_another_option_that_has_its_label_now(runs: Path) -> None:
    folder = runs.parent / "labelled"
    name = f"run.name={folder / 'daily'}"
    assert main(["run", "env=daily", "agents=valued:protector", "episodes=1", name]) == 0
    viewer = Viewer(folder, Models())
    run, episode = viewer.row("daily")
    left = by(parent_of(folder / "daily", episode).records, 2, "Alpha")
    given = left.options[0].name
    meant = left.annotations["labels"][given]
    told = []
    for seed in range(8):
        changes = {"seed": seed, "moves": {"Alpha": {"option": given}}}
        wanted = {"run": run, "episode": episode, "step": 2, "changes": changes}
        try:
            asked_branch(viewer.plays, wanted)
        except InputError as error:
            told.append(str(error).partition(" and is")[0])
        else:
            told.append("given")
    refused = f"Alpha is given {given!r} at step 2, which was {meant!r}"
    assert {*told} == {refused, "given"}


@pytest.mark.parametrize("was", [b'"view":{', b'"effect":{'])
def test_a_log_that_nobody_can_have_written_is_refused_in_a_sentence(
    was: bytes, viewer: Viewer
) -> None:
    deep = was + b'"deep":' + b"[" * 900 + b"]" * 900 + b","
    path = viewer.root / "scripted" / "decisions.jsonl"
    path.write_bytes(path.read_bytes().replace(was, deep, 1))
    viewer.plays.shelf.refresh()
    run, episode = viewer.row("scripted")
    refused = viewer.get(f"/api/branching/{run}/{episode}/3")["refused"]
    assert refused == viewer.asked("scripted", 3, {}, 400)
    assert "cannot be played again to step 3" in refused
    assert "bug" not in refused


REFUSED: list[tuple[Any, str]] = [
    ({"players": {"Zeta": {"agent": "random"}}}, "unknown role 'Zeta'"),
    ({"players": {"Alpha": {"agent": "nobody"}}}, "unknown agent 'nobody'"),
    ({"players": {"Alpha": {"agent": "tit_for_tat"}}}, "does not play survival"),
    ({"players": {"Alpha": {"agent": "first:9"}}}, "first:9"),
    ({"players": {"Alpha": {"agent": "valued", "parameters": {"weights": {}}}}}, "alone"),
    ({"players": {"Alpha": "random"}}, "players.Alpha is 'random'"),
    ({"players": {"Alpha": {"agent": "llm", "parameters": {"api_key": 1}}}}, "alone"),
    ({"players": {"Alpha": model("nothing")}}, "unknown intervention 'nothing'"),
    ({"players": {"Alpha": model({"memory": {"kind": "x"}})}}, "memory"),
    ({"players": {"Alpha": model(7)}}, "interventions"),
    ({"players": {"Alpha": {"agent": "llm", "model": {"base_url": "http://x"}}}}, "base_url"),
    ({"players": {"Alpha": {"agent": "llm", "model": {"api_key_env": "HOME"}}}}, "api_key_env"),
    ({"players": {"Alpha": {"agent": "llm", "model": {"extra_body": {}}}}}, "extra_body"),
    ({"players": {"Alpha": {"agent": "llm", "model": {"provider": "vllm"}}}}, "provider"),
    ({"players": {"Alpha": {"agent": "llm", "model": 7}}}, "the name of a model"),
    ({"world": {"shared": 2000}}, "a number from 0 to 1000"),
    ({"world": {"shared": True}}, "a number"),
    ({"world": {"weather": 1}}, "unknown edit 'weather'"),
    ({"moves": {"Alpha": {"option": "FLY"}}}, "was not on offer"),
    ({"messages": {"Alpha": "Hello."}, "moves": {"Alpha": {"option": "WAIT"}}}, "one of the two"),
    ({"seed": -1}, "a whole number from 0"),
    ({"nothing": 1}, "unknown change"),
    ("all", "a mapping"),
]


def test_changes_that_cannot_be_made_are_refused_before_anything_is_written(
    viewer: Viewer,
) -> None:
    for changes, why in REFUSED:
        assert why in viewer.asked("scripted", 2, changes, 400), changes
    assert viewer.get("/api/plays")["plays"] == []
    assert not (viewer.root / "branches").exists()


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"run": "nothing", "episode": "x", "step": 0}, 404),
        ({"run": "../..", "episode": "../../etc", "step": 0}, 404),
        ({"run": 7, "episode": "x", "step": 0}, 400),
        ({"run": "x", "episode": "x", "step": -1}, 400),
        ({"run": "x", "episode": "x", "step": 1.0}, 400),
        ({"run": "x", "episode": "x", "step": 10**30}, 400),
        ({"run": "x", "episode": "x", "step": 0, "within": ["/"]}, 400),
        ([], 400),
        ("", 400),
    ],
)
def test_what_is_no_branch_is_told_in_a_sentence(wanted: Any, status: int, viewer: Viewer) -> None:
    assert viewer.post("/api/branches", wanted, status)["error"]
    raw = viewer.client.post(
        "/api/branches", content=b"{", headers=TOKEN | {"content-type": "application/json"}
    )
    assert raw.status_code == 400


# -- models ----------------------------------------------------------------------------------------


def test_without_a_model_what_needs_one_says_what_to_add(shown: Path) -> None:
    viewer = Viewer(shown, Models())
    why = viewer.asked("asked", 2, {}, 400)
    assert "valuesim replay PATH model=vllm model.name=NAME" in why
    assert "none is connected" in viewer.asked(
        "scripted", 2, {"players": {"Beta": {"agent": "llm"}}}, 400
    )
    run, episode = viewer.row("asked")
    assert viewer.get(f"/api/branching/{run}/{episode}/2")["models"]["connected"] is False
    # nobody has to be asked where a scripted agent plays on
    players = {role: {"agent": "random"} for role in ("Alpha", "Beta", "Gamma", "Delta")}
    assert viewer.branched("asked", 2, {"players": players})


def test_a_model_is_asked_as_the_viewer_was_told_alone(shown: Path) -> None:
    told = ["model=vllm", "model.name=mine", "model.base_url=http://127.0.0.1:9/v1"]
    quick = ["model.retries=0", "model.pause_s=0", "model.down_after=1"]
    viewer = Viewer(shown, models_of([*told, *quick]))
    assert "provider='mock'" in viewer.asked("asked", 2, {}, 400)
    play = viewer.asked("scripted", 2, {"players": {"Beta": {"agent": "llm"}}})
    ended = viewer.until(play["id"])
    assert ended["state"] == "failed"
    assert "the model server at the address that it was given" in ended["error"]
    held = b"".join(content(shown / ended["run_name"]).values())
    assert b"127.0.0.1" not in held
    assert "127.0.0.1" not in json.dumps(ended)
    assert viewer.get("/api/games")
    game = {"game": "dictator", "role": "Beta", "partner": "llm"}
    ended = viewer.until(viewer.post("/api/games", game)["play"]["id"], answer=simply)
    assert ended["state"] == "failed"
    assert b"127.0.0.1" not in b"".join(content(shown / ended["run_name"]).values())


def test_keys_reach_no_file_and_no_answer(shown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VALUESIM_API_KEY", "sk-very-secret-key")
    viewer = Viewer(shown, models_of(["model=mock", "model.api_key_env=VALUESIM_API_KEY"]))
    asked = {"players": {"Alpha": {"agent": "human"}, "Beta": {"agent": "llm"}}}
    play = viewer.until(
        viewer.asked("scripted", 3, asked)["id"],
        answer=lambda each: simply(each) or "sk-very-secret-key",
    )
    assert play["state"] == "finished"
    assert b"sk-very-secret-key" not in b"".join(content(shown).values())
    assert "sk-very-secret-key" not in json.dumps(viewer.get("/api/plays"))


@pytest.mark.parametrize("given", ["env=survival", "agents=random", "run.name=x", "engine=ray"])
def test_only_models_are_set_at_the_command_line(given: str) -> None:
    with pytest.raises(InputError, match="allowed: elicitation, model, models"):
        models_of([given])


# -- persons ---------------------------------------------------------------------------------------

SEAT = {"players": {"Alpha": {"agent": "human"}}}


async def test_a_person_takes_a_seat_from_the_middle(viewer: Viewer) -> None:
    play = viewer.asked("scripted", 3, SEAT)
    asked = viewer.until(play["id"], "asking")["asking"]
    assert (asked["about"], asked["scene"]) == ("consent", None)
    assert asked["texts"][0]["text"] == Consent().text
    viewer.answer(play["id"], asked["number"], "perhaps")
    again = viewer.until(play["id"], "asking")["asking"]
    assert "neither yes nor no" in again["mistake"]
    assert again["texts"] == asked["texts"], "what was read for it stays"
    viewer.answer(play["id"], again["number"], "yes")
    asked = viewer.until(play["id"], "asking")["asking"]
    assert asked["about"] == "option"
    assert (asked["texts"][0]["title"], asked["texts"][0]["kind"]) == ("The rules", "rules")
    assert asked["scene"]["role"] == "Alpha"
    assert asked["scene"]["step"] == 3
    assert [each["name"] for each in asked["scene"]["options"]] == asked["choices"]
    assert "stakes" not in json.dumps(asked)
    viewer.answer(play["id"], asked["number"], "?")
    help = viewer.until(play["id"], "asking")["asking"]
    assert [each["title"] for each in help["texts"]] == ["The rules", "What you may type"]
    assert [each["kind"] for each in help["texts"]] == ["rules", "help"]
    viewer.answer(play["id"], help["number"], "refuse")
    sure = viewer.until(play["id"], "asking")["asking"]
    assert sure["about"] == "sure"
    viewer.answer(play["id"], sure["number"], "yes")
    ended = viewer.until(play["id"], answer=simply)
    assert ended["state"] == "finished"
    left = parent_of(viewer.root / ended["run_name"], ended["episode"])
    assert by(left.records, 3, "Alpha").fault == "refused"
    own = [each for each in left.records if each.role == "Alpha" and each.step > 3]
    assert all(each.chosen and each.latency is not None for each in own)
    await retraced(left.episode.spec, left.records)


def test_a_question_says_what_its_answer_may_be(viewer: Viewer) -> None:
    play = viewer.asked("scripted", 3, SEAT)
    told = {}

    def keeping(asking: Mapping[str, Any]) -> str:
        told[asking["name"] or asking["about"]] = asking["argument"]
        wanted = [each for each in asking["choices"] if each in ("INVITE", "DRAW_MORE")]
        return wanted[0] if wanted else simply(asking)

    assert viewer.until(play["id"], answer=keeping)["state"] == "finished"
    assert told["option"] is told["consent"] is None
    nothing = dict.fromkeys(("low", "high", "names", "longest"))
    assert told["reason"] == {"kind": "text", **nothing, "longest": LONGEST_RATIONALE}
    assert told["message"] == {"kind": "text", **nothing, "longest": 400}
    assert told["agent"]["kind"] == "name"
    assert "Beta" in told["agent"]["names"]


def test_a_play_says_whether_a_person_sits_in_it(viewer: Viewer) -> None:
    # asked again after a reload, between two questions, it must not show what others decide
    seated = viewer.asked("scripted", 3, SEAT)
    assert seated["person"] is True
    moved = viewer.asked("scripted", 3, {"moves": {"Alpha": {"option": "WAIT"}}})
    assert moved["person"] is False


def test_what_a_person_agreed_to_is_kept(shown: Path) -> None:
    viewer = Viewer(shown, Models(), Consent(text="May we?"))
    run, episode = viewer.row("scripted")
    wanted = {"run": run, "episode": episode, "step": 3, "changes": SEAT, "participant": "P-07"}
    play = viewer.until(viewer.post("/api/branches", wanted)["play"]["id"], answer=simply)
    said = yaml.safe_load((shown / play["run_name"] / "run.yaml").read_text())
    assert said["person"] == {
        "participant": "P-07",
        "consent": {"id": Consent(text="May we?").id, "text": "May we?", "given": True},
    }
    assert Consent(text="May we?").id in said["sessions"][-1]["notes"][0]
    assert viewer.get("/api/games")["consent"]["text"] == "May we?"
    for participant in ("a b", "x" * 41, 7, "../x"):
        assert viewer.post("/api/branches", wanted | {"participant": participant}, 400)


def test_who_does_not_consent_plays_nothing(viewer: Viewer) -> None:
    play = viewer.until(viewer.asked("scripted", 3, SEAT)["id"], answer=lambda _: "no")
    assert (play["state"], play["error"]) == ("stopped", "the person who plays did not consent")
    run = read_run(viewer.root / play["run_name"])
    assert list(run.decisions()) == []
    assert not run.episodes
    assert run.config["person"]["consent"]["given"] is False


def test_who_leaves_is_not_counted(viewer: Viewer) -> None:
    answers = iter(["yes", "q", "yes"])
    play = viewer.until(viewer.asked("scripted", 2, SEAT)["id"], answer=lambda _: next(answers))
    assert (play["state"], play["error"]) == ("stopped", "the person who plays stopped the run")
    assert not read_run(viewer.root / play["run_name"]).episodes


def test_an_answer_is_to_the_question_that_waits(viewer: Viewer) -> None:
    play = viewer.asked("scripted", 3, SEAT)
    asked = viewer.until(play["id"], "asking")["asking"]
    number = asked["number"]
    for wrong in (0, number + 1, -1, 10**15):
        assert "does not wait" in viewer.answer(play["id"], wrong, "yes", 409)["error"]
    for given in ({"number": str(number), "text": "yes"}, {"number": number}, {"text": "yes"}):
        assert viewer.post(f"/api/plays/{play['id']}/answer", given, 400)
    viewer.answer(play["id"], number, "yes")
    viewer.answer(play["id"], number, "yes", 409)
    viewer.post(f"/api/plays/{play['id']}/stop", {}, 200)
    assert viewer.until(play["id"])["state"] == "stopped"
    viewer.answer(play["id"], number + 1, "yes", 409)


HOSTILE = (
    "<script>alert(1)</script>",
    "\x1b[2J\u202egnirts",
    "../../etc/passwd",
    "line\nbreak\r\nx",
    "9" * 5000,
    "x" * 10_000,
    "\x00",
    "'; DROP TABLE own; --",
    "{{7*7}}",
)


def test_no_answer_does_any_harm(viewer: Viewer) -> None:
    play = viewer.asked("scripted", 3, SEAT)
    for text in (*HOSTILE, "yes", *HOSTILE):
        asked = viewer.until(play["id"], "asking")["asking"]
        assert asked["number"]
        viewer.answer(play["id"], asked["number"], text)
        again = viewer.until(play["id"], "asking")["asking"]
        # a control character becomes a question mark, which asks for help
        assert text in ("yes", "\x00") or len(again["mistake"]) < 2000
    long = {"number": asked["number"] + 1, "text": "x" * 10_001}
    assert "at most 10,000" in viewer.post(f"/api/plays/{play['id']}/answer", long, 400)["error"]
    lone = b'{"number": 1, "text": "\\ud800"}'
    headers = TOKEN | {"content-type": "application/json"}
    raw = viewer.client.post(f"/api/plays/{play['id']}/answer", content=lone, headers=headers)
    assert raw.status_code == 400
    assert viewer.until(play["id"], answer=simply)["state"] == "finished"


# -- plays -----------------------------------------------------------------------------------------


def test_two_are_played_at_once_and_one_is_stopped(viewer: Viewer) -> None:
    one, other = viewer.asked("scripted", 2, SEAT), viewer.asked("scripted", 3, SEAT)
    for play in (one, other):
        assert viewer.until(play["id"], "asking")["state"] == "asking"
    assert [each["id"] for each in viewer.get("/api/plays")["plays"]] == [other["id"], one["id"]]
    viewer.post(f"/api/plays/{one['id']}/stop", {}, 200)
    ended = viewer.until(one["id"])
    assert (ended["state"], ended["error"]) == ("stopped", "it was stopped")
    assert viewer.until(other["id"], answer=simply)["state"] == "finished"
    (interrupted,) = read_run(viewer.root / ended["run_name"]).interrupted
    assert interrupted.reason == "the run was stopped"


def test_what_was_played_before_a_stop_stays(viewer: Viewer) -> None:
    answers = iter(["yes", "WAIT", ""])
    play = viewer.asked("scripted", 1, SEAT)
    while (now := viewer.until(play["id"], "asking"))["step"] is None:
        viewer.answer(play["id"], now["asking"]["number"], next(answers))
    viewer.post(f"/api/plays/{play['id']}/stop", {}, 200)
    ended = viewer.until(play["id"])
    run = read_run(viewer.root / ended["run_name"])
    assert run.interrupted
    log = (viewer.root / ended["run_name"] / "decisions.jsonl").read_text()
    assert '"WAIT"' in log


def test_only_so_many_are_played_at_once(viewer: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plays, "MOST_SEATED", 9)
    # twenty people of a lab take more seats than there are branches at once
    started = [viewer.asked("scripted", 2, SEAT) for _ in range(9)]
    assert "as many as there may be" in viewer.asked("scripted", 2, SEAT, 400)
    # and keep nobody from a branch without a person
    assert viewer.branched("scripted", 3, {"moves": {"Alpha": {"option": "WAIT"}}})
    monkeypatch.setattr(plays, "MOST_AT_ONCE", 0)
    assert "0 plays" in viewer.asked("scripted", 2, {"seed": 4}, 400)
    began = time.monotonic()
    viewer.plays.close()
    assert time.monotonic() - began < 20
    assert all(viewer.until(play["id"])["state"] == "stopped" for play in started)


def test_the_same_branch_is_not_played_twice_at_once(viewer: Viewer) -> None:
    # another play of the same branch would find its folder locked
    ids = {viewer.asked("asked", 0, {"seed": 9})["id"] for _ in range(3)}
    assert all(viewer.until(id)["state"] == "finished" for id in ids)


ROUTES = ("/api/branches", "/api/games", "/api/plays/x/answer", "/api/plays/x/stop")


@pytest.mark.parametrize("path", ROUTES)
def test_nothing_is_played_for_a_stranger(path: str, viewer: Viewer) -> None:
    post = viewer.client.post
    assert post(path, json={}).status_code == 401
    assert post(path, json={}, headers=TOKEN | {"origin": "http://evil"}).status_code == 403
    assert post(path, json={}, headers=TOKEN | {"sec-fetch-site": "none"}).status_code != 403
    assert post(path, json={}, headers={**TOKEN, "host": "evil.example"}).status_code == 421
    plain = post(path, content=b"{}", headers=TOKEN | {"content-type": "text/plain"})
    assert plain.status_code == 415
    assert not (viewer.root / "branches").exists()
    assert not (viewer.root / "people").exists()


@pytest.mark.parametrize(
    "path",
    [
        "/api/plays/x",
        "/api/plays/x/events",
        "/api/plays/..%2f..%2fetc%2fpasswd",
        "/api/branching/a/b/c",
        "/api/branching/..%2f..%2f/x/0",
        "/api/branching/a/b/-1",
    ],
)
def test_what_is_not_there_is_not_found(path: str, viewer: Viewer) -> None:
    assert viewer.get(path, 404)["error"]


@pytest.mark.parametrize("name", ["people", "branches"])
@pytest.mark.parametrize("kind", ["folder", "file"])
def test_nothing_is_written_where_a_link_leads(name: str, kind: str, viewer: Viewer) -> None:
    outside = viewer.root.parent / "outside"
    if kind == "folder":
        outside.mkdir()
    else:
        outside.write_text("as it was")
    (viewer.root / name).symlink_to(outside)
    if name == "branches":
        why = viewer.asked("scripted", 2, {"seed": 4}, 400)
    else:
        why = viewer.post("/api/games", {"game": "daily"}, 400)["error"]
    assert name in why
    assert str(viewer.root) not in why
    assert list(outside.iterdir()) == [] if kind == "folder" else outside.read_text() == "as it was"


def test_a_consent_is_a_text_of_a_bounded_length(tmp_path: Path) -> None:
    path = tmp_path / "consent.txt"
    path.write_text("May we?\n")
    assert consent_in(path) == Consent(text="May we?")
    for held, why in ((b"", "nothing"), (b"\xff\xfe", "UTF-8"), (b"x" * 20_001, "more than")):
        path.write_bytes(held)
        with pytest.raises(InputError, match=why):
            consent_in(path)
    for missing in (tmp_path, tmp_path / "none"):
        with pytest.raises(InputError, match="--consent"):
            consent_in(missing)
