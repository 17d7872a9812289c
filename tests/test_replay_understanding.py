"""What a selection puts first: the figures of the commands, the decisions behind, the evidence."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("duckdb")

import orjson
from fastapi.testclient import TestClient

from valuesim.cli import main
from valuesim.errors import InputError, LogError
from valuesim.graph import behind
from valuesim.log import find_runs, read_run
from valuesim.replay.branching.branch import branch, parent_of
from valuesim.replay.branching.fork import changes_of
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.security import Access
from valuesim.replay.server import create_app
from valuesim.replay.understanding.questions import Answer, Pending, Questions
from valuesim.replay.understanding.working import worked_out

HERE = "http://127.0.0.1:8765"
NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOSTILE = "<img src=x onerror=alert(1)>\u202e"
PLAYED = {
    "scarce": ["env=survival", "env.horizon=3", "agents=[exploitative,mute]", "episodes=3"],
    "plenty": ["env=survival", "env.horizon=3", "env.scarcity=high", "agents=exploitative"],
    "games": ["env=dictator", "agents=random", "episodes=8"],
    "scenes": ["env=moral_machine", "agents=random", "episodes=2", "env.scenes=4"],
    "asked": ["env=questionnaire", "agents=random", "episodes=2"],
    "cards": ["env=ai_risk", "agents=random", "episodes=2", "env.scenes=4"],
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for name, given in PLAYED.items():
        assert main(["run", *given, f"run.name={folder / name}"]) == 0
    return folder


@pytest.fixture(scope="module")
def client(runs: Path) -> TestClient:
    return serving(runs)


def serving(folder: Path) -> TestClient:
    app = create_app(Shelf(folder), Access())
    return TestClient(app, base_url=HERE, raise_server_exceptions=False)


def asked(client: TestClient, path: str, **query: Any) -> Any:
    """Return the answer, asked for again and again while it is worked out."""
    end = time.monotonic() + 240
    while (answer := client.get(path, params=query)).status_code == 202:
        assert answer.json()["pending"] is True
        assert time.monotonic() < end
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(client: TestClient, path: str, **query: Any) -> str:
    while (answer := client.get(path, params=query)).status_code == 202:
        pass
    assert answer.status_code == 400, answer.text
    sentence: str = answer.json()["error"]
    return sentence


def run_id(client: TestClient, name: str) -> str:
    listed = client.get("/api/facets").json()["runs"]
    return next(str(run["run"]) for run in listed if run["name"] == name)


def of_command(command: str, path: Path, by: str, capsys: pytest.CaptureFixture[str]) -> Any:
    capsys.readouterr()
    assert main([command, str(path), "--by", by, "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


def alike(told: Any, printed: Any) -> None:
    """Check that every figure of a command stands in the viewer's answer, to the last digit."""
    assert len(told["groups"]) == len(printed["groups"])
    for own, other in zip(told["groups"], printed["groups"], strict=True):
        for key, figures in other.items():
            if key == "edges":
                assert (
                    [{k: e[k] for k in figures[0]} for e in own[key]] == figures
                    if figures
                    else own[key] == []
                )
            else:
                assert own[key] == figures, key
    assert told["why"] == printed["why"]
    assert told["unplaced"] == printed["unplaced"]


def cut_to(runs: Path, folder: Path, name: str, keep: Callable[[Any], bool]) -> Path:
    """Return a copy of a run with those of its episodes whose line is to be kept."""
    shutil.copytree(runs / name, folder / name, ignore=shutil.ignore_patterns("derived"))
    path = folder / name / "episodes.jsonl"
    lines = [line for line in path.read_bytes().splitlines() if keep(orjson.loads(line))]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return folder / name


@pytest.mark.parametrize("name", PLAYED)
def test_the_figures_are_those_of_the_command(
    client: TestClient, runs: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    told = asked(client, "/api/graph", run=run_id(client, name), by="agent,model")
    alike(told, of_command("graph", runs / name, "agent,model", capsys))
    assert told["selection"]["is_whole"]


def test_several_runs_and_keys_are_those_of_the_command(
    client: TestClient, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = asked(client, "/api/graph", by="env")
    alike(told, of_command("graph", runs, "env", capsys))


@pytest.mark.parametrize(
    ("query", "keep"),
    [
        ({"agent": "mute"}, lambda line: _plays(line, "mute")),
        ({"fault": "unparsed"}, lambda line: line["faults"].get("unparsed", 0) > 0),
        ({"env": "survival-v0"}, lambda line: line["env"] == "survival-v0"),
        ({"condition.scarcity": "medium"}, lambda line: line["condition"]["scarcity"] == "medium"),
    ],
)
def test_a_filter_gives_what_the_command_says_of_these_episodes_alone(
    runs: Path,
    client: TestClient,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    query: dict[str, str],
    keep: Callable[[Any], bool],
) -> None:
    folder = cut_to(runs, tmp_path, "scarce", keep)
    run = run_id(client, "scarce")
    told = asked(client, "/api/graph", run=run, by="agent,role", **query)
    alike(told, of_command("graph", folder, "agent,role", capsys))
    listed = client.get("/api/episodes", params={"run": run, **query}).json()
    assert told["selection"]["episodes"] == listed["total"] > 0


def _plays(line: Any, agent: str) -> bool:
    return any(player["agent"] == agent for player in line["population"].values())


def test_archetypes_are_those_of_the_command(
    client: TestClient, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = asked(client, "/api/archetypes", by="agent")
    alike(told, of_command("archetypes", runs, "agent", capsys))


def test_a_group_of_faults_alone_is_undetermined_and_says_so(client: TestClient) -> None:
    told = asked(client, "/api/graph", agent="mute", by="agent")
    mute = next(group for group in told["groups"] if group["group"]["agent"] == "mute")
    assert mute["fault_rate"] == 1.0
    assert mute["coherent"] is False
    assert mute["values"] == mute["edges"] == []
    assert "faults" in mute["statement"]


def test_the_decisions_behind_are_those_of_the_command_and_sum_to_the_votes(
    client: TestClient, runs: Path
) -> None:
    run = run_id(client, "plenty")
    told = asked(client, "/api/graph", run=run)
    records = list(read_run(runs / "plenty").decisions())
    for edge in told["groups"][0]["edges"][:6]:
        pair = edge["over"], edge["under"]
        listed = asked(client, "/api/behind", run=run, over=pair[0], under=pair[1], limit=200)
        assert listed["votes"] == pytest.approx(edge["weight"])
        assert listed["total"] == edge["decisions"]
        expected = [
            (b.record.episode.id, b.record.step, b.record.role, b.share, b.margin, b.record.chosen)
            for b in behind(records, *pair)
        ]
        keys = ("episode", "step", "role", "share", "margin", "chosen")
        assert [tuple(d[key] for key in keys) for d in listed["decisions"]] == expected[:200]


def test_an_edge_tells_what_stands_against_it(client: TestClient) -> None:
    for group in asked(client, "/api/graph", by="env")["groups"]:
        weights = {(e["over"], e["under"]): e["weight"] for e in group["edges"]}
        for edge in group["edges"]:
            assert edge["against"] == weights.get((edge["under"], edge["over"]), 0.0)


def test_pages_of_the_decisions_behind_follow_one_another(client: TestClient) -> None:
    run = run_id(client, "plenty")
    edge = asked(client, "/api/graph", run=run)["groups"][0]["edges"][0]
    pair = {"run": run, "over": edge["over"], "under": edge["under"]}
    first = asked(client, "/api/behind", **pair, limit=2)["decisions"]
    second = asked(client, "/api/behind", **pair, limit=2, offset=2)["decisions"]
    assert first + second == asked(client, "/api/behind", **pair, limit=4)["decisions"]


def test_a_branch_is_not_mixed_in(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "plenty", tmp_path / "plenty")
    episode = next(iter(read_run(tmp_path / "plenty").episodes))
    before = asked(serving(tmp_path), "/api/graph")
    parent = parent_of(tmp_path / "plenty", episode)
    asyncio.run(branch(tmp_path, parent, 1, changes_of({"seed": 7}), now=NOW))
    client = serving(tmp_path)
    assert len(client.get("/api/facets").json()["runs"]) == 2
    assert asked(client, "/api/graph")["groups"] == before["groups"]


def test_an_episode_in_two_runs_counts_once_and_is_told(runs: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        shutil.copytree(runs / "games", tmp_path / name)
    told = asked(serving(tmp_path), "/api/graph")
    assert told["groups"][0]["decisions"] == 8
    assert told["notes"] == ["in more than one run folder, and counted once: 8 episodes"]


def test_what_each_condition_adds_sums_to_the_posterior_log_odds(client: TestClient) -> None:
    runs = [run_id(client, name) for name in ("scarce", "plenty")]
    judged = asked(client, "/api/archetypes", run=runs, by="agent")["groups"]
    place = next(n for n, g in enumerate(judged) if g["group"]["agent"] == "exploitative")
    told = asked(client, "/api/archetypes", run=runs, by="agent", group=place)
    assert told["archetype"] == judged[place]["archetype"]
    assert len(told["archetypes"]) == 3
    for each in told["archetypes"]:
        assert each["posterior"] == judged[place]["posterior"][each["name"]]
        added = sum(part["log_odds"] for part in each["contributions"])
        assert each["prior"] + added == pytest.approx(each["log_odds"])
        assert each["clauses"]
    weights = {each["name"]: each["weights"] for each in told["archetypes"]}
    done = [w for w in weights["Exploitative"] if w["is_done"]]
    assert done
    assert all(w["log_odds"] > 0 for w in done)
    assert all(w["log_odds"] < 0 for w in weights["Ethical"] if w["is_done"])


def test_an_act_that_is_named_is_there_to_be_opened(client: TestClient) -> None:
    run = run_id(client, "plenty")
    told = asked(client, "/api/archetypes", run=run, by="agent", group=0)
    weight = told["archetypes"][0]["weights"][0]
    place = weight["decisions"][0]
    episode = client.get(f"/api/episodes/{place['run']}/{place['episode']}").json()
    step = next(s for s in episode["steps"] if s["step"] == place["step"])
    moment = next(m for m in step["moments"] if m["role"] == place["role"])
    assert moment["chosen"] == place["chosen"]
    assert moment["annotations"]["opportunity"]


@pytest.mark.parametrize(
    ("path", "query", "named"),
    [
        ("graph", {"by": "nothing"}, "nothing"),
        ("graph", {"by": "agent,,model"}, "empty key"),
        ("graph", {"by": "a" * 600}, "500"),
        ("graph", {"frob": "1"}, "frob"),
        ("archetypes", {"by": HOSTILE}, "grouping"),
        ("archetypes", {"group": "99"}, "group=99"),
        ("archetypes", {"group": "-1"}, "group="),
        ("behind", {"group": "0"}, "over="),
        ("behind", {"group": "99", "over": "Power", "under": "Care"}, "group=99"),
        ("behind", {"over": HOSTILE, "under": "Care"}, "over="),
    ],
)
def test_a_bad_question_is_refused_with_a_sentence(
    client: TestClient, path: str, query: dict[str, str], named: str
) -> None:
    run = run_id(client, "plenty")
    assert named in refused(client, f"/api/{path}", run=run, **query)


def test_nothing_selected_is_nothing_and_no_error(client: TestClient) -> None:
    told = asked(client, "/api/graph", text="nowhere")
    assert told["groups"] == []
    assert told["why"] == "no episode has been played"


def test_hostile_names_come_back_as_they_are(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "plenty", tmp_path / "plenty", ignore=shutil.ignore_patterns("derived"))
    for name in ("decisions.jsonl", "texts.jsonl"):
        path = tmp_path / "plenty" / name
        told = path.read_text(encoding="utf-8").replace('"Power"', json.dumps(HOSTILE))
        path.write_text(told, encoding="utf-8")
    client = serving(tmp_path)
    group = asked(client, "/api/graph")["groups"][0]
    edge = next(edge for edge in group["edges"] if edge["over"] == HOSTILE)
    listed = asked(client, "/api/behind", over=HOSTILE, under=edge["under"])
    assert listed["total"] == edge["decisions"]


def test_an_index_that_tells_a_decision_twice_is_no_evidence(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "plenty", tmp_path / "plenty")
    shelf = Shelf(tmp_path)
    shelf.rows.ask("UPDATE own SET moments = list_transform(moments, lambda x: moments[1])")
    client = TestClient(create_app(shelf, Access()), base_url=HERE, raise_server_exceptions=False)
    while (answer := client.get("/api/graph")).status_code == 202:
        pass
    assert answer.status_code == 500
    assert "has changed since it was read" in answer.json()["error"]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Answers a question by itself, at once; what was asked is listed."""
    heard: list[Any] = []

    def answered(question: Any, tell: Any, is_wanted: Any) -> tuple[dict[str, Any], bytes]:
        heard.append(question)
        if question.get("fails"):
            return {"error": "it is broken", "is_input": question["fails"] == "input"}, b""
        tell("read", 3)
        while question.get("waits") and is_wanted():
            time.sleep(0.01)
        return {"answer": {"number": len(heard)}, "table": 0}, b""

    monkeypatch.setattr("valuesim.replay.understanding.questions.worked_out", answered)
    monkeypatch.setattr("valuesim.replay.understanding.questions.WAITS_S", 0.3)
    return heard


def test_a_question_is_worked_out_once(slow: list[Any]) -> None:
    questions = Questions()
    first = questions.ask("a", lambda: {"kind": "graph"})
    assert isinstance(first, Answer)
    assert questions.ask("a", lambda: {"kind": "graph"}) is first
    assert len(slow) == 1


def test_one_that_nobody_asks_any_more_makes_way_for_the_next(slow: list[Any]) -> None:
    now = [0.0]
    questions = Questions(lambda: now[0])
    waiting = questions.ask("a", lambda: {"waits": True})
    assert waiting == Pending(progress={"read": 3})
    assert questions.ask("b", lambda: {}) == Pending(progress={"waits": 1})
    now[0] = 20.0
    end = time.monotonic() + 60
    while isinstance(questions.ask("b", lambda: {}), Pending):
        assert time.monotonic() < end
    assert len(slow) == 2


def test_how_far_it_is_has_an_end(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, int]] = []

    def heard(question: Any, tell: Any, is_wanted: Any) -> Any:
        def both(what: str, count: int) -> None:
            told.append((what, count))
            tell(what, count)

        return worked_out(question, both, is_wanted)

    monkeypatch.setattr("valuesim.replay.understanding.questions.worked_out", heard)
    monkeypatch.setattr("valuesim.replay.understanding.questions.WAITS_S", 0.05)
    client = serving(runs)
    first = client.get("/api/graph", params={"by": "env"}).json()
    answer = asked(client, "/api/graph", by="env")
    decisions, groups = answer["selection"]["decisions"], len(answer["groups"])
    assert first["progress"]["of"] == decisions
    ends = {"read": decisions, "groups": groups, "ranked": groups}
    assert {name: sum(n for what, n in told if what == name) for name in ends} == ends


def test_archetypes_do_not_wait_for_what_they_do_not_need() -> None:
    code = "import sys, valuesim.replay.understanding.process; print('scipy.stats' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"


def test_what_failed_is_told_and_may_be_asked_again(slow: list[Any]) -> None:
    questions = Questions()
    for kind, error in (("input", InputError), ("log", LogError)):
        for _ in range(2):
            with pytest.raises(error, match="it is broken"):
                questions.ask(kind, partial(dict, fails=kind))
    assert len(slow) == 4


def test_too_many_decisions_are_left_to_the_command(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("valuesim.replay.understanding.understood.MOST", 5)
    assert "valuesim graph PATH --by agent,model" in refused(client, "/api/graph")


def test_the_runs_are_those_that_the_commands_find(client: TestClient, runs: Path) -> None:
    told = asked(client, "/api/graph", by="env")["selection"]["runs"]
    assert [run["name"] for run in told] == [path.name for path in find_runs([runs])]
