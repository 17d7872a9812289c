"""The viewer's server: what it lists, how it is filtered, and what an episode holds."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("duckdb")

from fastapi.testclient import TestClient

from valuesim.choices import choices
from valuesim.cli import main
from valuesim.errors import InputError
from valuesim.log import find_runs, read_run
from valuesim.log.reader import DecisionRecord
from valuesim.replay.finding.listing import asked
from valuesim.replay.indexing.archetyping import Archetypes
from valuesim.replay.indexing.index import FOLDER, index_of
from valuesim.replay.indexing.naming import place_of
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.security import Access
from valuesim.replay.server import create_app

Serve = Callable[..., Any]
HERE = "http://127.0.0.1:8765"


def played(folder: Path, *given: str) -> Path:
    assert main(["run", *given, f"run.name={folder}"]) == 0
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    played(
        folder / "scarce", "env=survival", "env.scarcity=low", "agents=exploitative", "episodes=2"
    )
    played(folder / "mixed", "env=survival", "agents=[ethical,mute]", "env.horizon=2", "episodes=2")
    played(folder / "deep" / "er", "env=dictator", "agents=random", "episodes=6")
    played(folder / "scenes", "env=moral_machine", "agents=random", "episodes=2", "env.scenes=3")
    return folder


@pytest.fixture(scope="module")
def shelf(runs: Path) -> Shelf:
    return Shelf(runs)


@pytest.fixture(scope="module")
def client(shelf: Shelf) -> TestClient:
    return TestClient(create_app(shelf, Access()), base_url=HERE, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def records(runs: Path) -> list[DecisionRecord]:
    return [each for run in find_runs([runs]) for each in read_run(run).decisions()]


def get(client: TestClient, path: str, **query: Any) -> Any:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def rows(client: TestClient, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(client, "/api/episodes", **query)["rows"]
    return found


def test_what_is_shown_is_told(client: TestClient, runs: Path) -> None:
    told = get(client, "/api/about")
    assert (told["schema"], told["path"], told["runs"]) == (1, runs.name, 4)
    assert told["episodes"] == sum(len(read_run(run).episodes) for run in find_runs([runs]))


def test_every_episode_is_listed_once_page_by_page(
    client: TestClient, records: list[DecisionRecord]
) -> None:
    total = get(client, "/api/episodes")["total"]
    pages = [rows(client, offset=offset, limit=3) for offset in range(0, total, 3)]
    listed = [row["episode"] for page in pages for row in page]
    assert len(listed) == total
    assert Counter(listed) == Counter({r.episode.id: 1 for r in records})


def test_a_row_tells_what_the_log_holds(client: TestClient, records: list[DecisionRecord]) -> None:
    by_id = {record.episode.id: record.episode for record in records}
    for row in rows(client, limit=200):
        episode = by_id[row["episode"]]
        assert row["condition"] == episode.condition
        assert (row["seed"], row["steps"]) == (episode.seed, episode.steps)
        assert (row["decisions"], row["faults"]) == (episode.decisions, episode.faults)
        assert row["agents"] == sorted({p.agent for p in episode.population.values()})


def test_the_value_put_first_is_that_of_most_votes(
    client: TestClient, records: list[DecisionRecord]
) -> None:
    votes: dict[str, Counter[str]] = {}
    for record in records:
        own = votes.setdefault(record.episode.id, Counter())
        for evidence in choices([record]).evidence:
            for (over, _), share in evidence.votes().items():
                own[over] += share  # type: ignore[assignment]
    for row in rows(client, limit=200):
        most = max(votes[row["episode"]].values(), default=0)
        ahead = [v for v, share in votes[row["episode"]].items() if share > most - 1e-9]
        assert row["first"] == (ahead[0] if len(ahead) == 1 else None)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"agent": "random"}, 8),
        ({"agent": ["random", "exploitative"]}, 10),
        ({"env": "survival-v0"}, 6),
        ({"fault": "unparsed"}, 2),
        ({"fault": "refused"}, 0),
        ({"condition.scarcity": "low"}, 2),
        ({"condition.scarcity": "low", "agent": "random"}, 0),
        ({"text": "DEEP random"}, 6),
        ({"text": "nowhere"}, 0),
        ({"run": ""}, 14),
    ],
)
def test_filters_keep_what_they_name(client: TestClient, query: dict[str, Any], count: int) -> None:
    assert get(client, "/api/episodes", **query)["total"] == count


def test_rows_are_sorted_by_a_column_either_way(client: TestClient) -> None:
    up = [row["decisions"] for row in rows(client, sort="decisions", limit=200)]
    down = [row["decisions"] for row in rows(client, sort="-decisions", limit=200)]
    assert up == sorted(up)
    assert down == up[::-1]


@pytest.mark.parametrize(
    "query", [{"sort": "seed; DROP"}, {"limit": "201"}, {"offset": "-1"}, {"nothing": "x"}]
)
def test_what_cannot_be_asked_is_told_in_a_sentence(
    client: TestClient, query: dict[str, str]
) -> None:
    answer = client.get("/api/episodes", params=query)
    assert answer.status_code == 400
    assert next(iter(query.values()))[:4] in answer.json()["error"] or "nothing" in answer.text


def test_facets_name_what_filters_find(client: TestClient) -> None:
    found = get(client, "/api/facets")
    assert {run["name"] for run in found["runs"]} == {"scarce", "mixed", "deep/er", "scenes"}
    for name in ("env", "agent", "model", "fault", "value"):
        for each in found[name]:
            assert get(client, "/api/episodes", **{name: each})["total"] > 0
    for factor, levels in found["condition"].items():
        for level in levels:
            assert get(client, "/api/episodes", **{f"condition.{factor}": level})["total"] > 0
    for run in found["runs"]:
        assert get(client, "/api/episodes", run=run["run"])["total"] == run["episodes"]


def test_archetypes_are_told_where_one_player_plays(shelf: Shelf, client: TestClient) -> None:
    assert all(row["archetype"] is None or row for row in rows(client))
    Archetypes(shelf).settle()
    told = {row["run_name"]: row["archetype"] for row in rows(client, limit=200)}
    assert told["mixed"] is None
    kept = json.loads((shelf.root / "scarce" / FOLDER / "archetypes.json").read_text())
    assert kept["schema"] == 1


def test_an_episode_holds_every_decision_of_the_log(
    client: TestClient, records: list[DecisionRecord]
) -> None:
    for row in rows(client, limit=200):
        found = get(client, f"/api/episodes/{row['run']}/{row['episode']}")
        own = {(r.step, r.role): r for r in records if r.episode.id == row["episode"]}
        shown = {(s["step"], m["role"]): m for s in found["steps"] for m in s["moments"]}
        assert shown.keys() == own.keys()
        for key, moment in shown.items():
            record = own[key]
            assert moment["text"] == record.text
            assert moment["chosen"] == record.chosen
            assert [o["stakes"] for o in moment["options"]] == [
                dict(o.stakes) for o in record.options
            ]
            assert [o["text"] for o in moment["options"]] == [o.text for o in record.options]
            assert sum(put["share"] for put in moment["puts"]) == pytest.approx(
                float(bool(moment["puts"]))
            )
            assert moment["prompt"] is None, "no model was asked"


def test_an_episode_is_opened_by_its_own_lines_alone(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "deep", tmp_path / "deep")
    shelf = Shelf(tmp_path)
    client = TestClient(create_app(shelf, Access()), base_url=HERE)
    first, *others = rows(client)
    path = tmp_path / "deep" / "er" / "decisions.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    # the lines of all others become as long as they were, and are none
    spoilt = [
        line if first["episode"].encode() in line else b"x" * (len(line) - 1) + b"\n"
        for line in lines
    ]
    path.write_bytes(b"".join(spoilt))
    assert get(client, f"/api/episodes/{first['run']}/{first['episode']}")["steps"]
    answer = client.get(f"/api/episodes/{first['run']}/{others[0]['episode']}")
    assert answer.status_code == 500
    assert "is not JSON" in answer.json()["error"]


def test_the_index_is_kept_and_made_anew_when_the_log_has_changed(
    runs: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(runs / "deep" / "er", tmp_path / "er")
    made = index_of(run).table
    kept = run / FOLDER / "episodes.parquet"
    written = kept.stat().st_mtime_ns
    assert index_of(run).table.equals(made)
    assert kept.stat().st_mtime_ns == written
    episodes = run / "episodes.jsonl"
    lines = episodes.read_bytes().splitlines(keepends=True)
    episodes.write_bytes(b"".join(lines[:-1]))
    assert len(index_of(run).table) == len(made) - 1


def test_runs_that_appear_change_or_go_are_kept_up_with(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "deep", tmp_path / "deep")
    shelf = Shelf(tmp_path)
    client = TestClient(create_app(shelf, Access()), base_url=HERE)
    assert get(client, "/api/episodes")["total"] == 6
    shutil.copytree(runs / "mixed", tmp_path / "mixed")
    played(tmp_path / "deep" / "er", "env=dictator", "agents=random", "episodes=8")
    shelf.refresh()
    assert get(client, "/api/episodes")["total"] == 8 + 4
    (tmp_path / "deep").rename(tmp_path / ".deep")
    shelf.refresh()
    assert get(client, "/api/episodes")["total"] == 4


def test_a_corrupt_run_is_listed_with_its_error_and_hides_no_other(
    runs: Path, tmp_path: Path
) -> None:
    for name in ("scenes", "mixed"):
        shutil.copytree(runs / name, tmp_path / name)
    with (tmp_path / "mixed" / "decisions.jsonl").open("a") as file:
        file.write('{"schema": 2}\n')
    (tmp_path / "no").mkdir()
    (tmp_path / "no" / "run.yaml").write_text("[")
    client = TestClient(create_app(Shelf(tmp_path), Access()), base_url=HERE)
    told = {run["name"]: run for run in get(client, "/api/facets")["runs"]}
    assert "has schema 2" in told["mixed"]["error"]
    assert "is not YAML" in told["no"]["error"]
    assert "error" not in told["scenes"]
    assert get(client, "/api/episodes")["total"] == 2
    answer = client.get(f"/api/episodes/{told['mixed']['run']}/x")
    assert answer.status_code == 404
    assert "has schema 2" in answer.json()["error"]


def test_what_is_not_there_is_told(client: TestClient) -> None:
    for path in ("/api/episodes/0123456789ab/x", "/api/nothing", "/nothing.js", "/api/episodes/a"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert set(answer.json()) == {"error"}


def test_a_scene_is_drawn_where_the_environment_draws(client: TestClient) -> None:
    row = rows(client, env="moral_machine-v0")[0]
    step = get(client, f"/api/episodes/{row['run']}/{row['episode']}")["steps"][0]
    role = step["moments"][0]["role"]
    place = f"{row['run']}/{row['episode']}/{step['step']}"
    answer = client.get(f"/api/depiction/{place}/{role}")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.text.startswith("<svg")
    assert client.get(f"/api/depiction/{place}/Nobody").status_code == 404
    other = rows(client, agent="exploitative")[0]
    answer = client.get(f"/api/depiction/{other['run']}/{other['episode']}/0/Alpha")
    assert answer.status_code == 404


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no run folder"):
        Shelf(tmp_path)


def test_a_run_is_named_by_its_place_below_the_path(runs: Path) -> None:
    place = place_of(runs / "deep" / "er", runs)
    assert (place.name, len(place.id), place.is_branch) == ("deep/er", 12, False)
    assert place_of(runs, runs).name == runs.name
    assert place_of(runs / "branches" / "x", runs).is_branch


def branched(run: Path) -> Path:
    """Let a run tell that it leaves another."""
    with (run / "run.yaml").open("a") as file:
        file.write("\nparent: {run: er, episode: abc, step: 1, changes: {seed: 3}}\n")
    return run


def test_an_episode_of_a_branch_begins_with_what_it_inherited(runs: Path, tmp_path: Path) -> None:
    run = branched(shutil.copytree(runs / "mixed", tmp_path / "branches" / "one"))
    log = run / "decisions.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for name, own in (("decisions.jsonl", [1]), ("inherited.jsonl", [0])):
        kept = [json.dumps(line) + "\n" for line in lines if line["step"] in own]
        (run / name).write_text("".join(kept))
    ended = [json.loads(line) for line in (run / "episodes.jsonl").read_text().splitlines()]
    for line in ended:
        line["decisions"] = sum(
            each["step"] == 1 and each["episode"] == line["episode"] for each in lines
        )
    (run / "episodes.jsonl").write_text("".join(json.dumps(line) + "\n" for line in ended))
    client = TestClient(create_app(Shelf(tmp_path / "branches"), Access()), base_url=HERE)
    for row in rows(client):
        found = get(client, f"/api/episodes/{row['run']}/{row['episode']}")
        told = [(s["step"], m["inherited"]) for s in found["steps"] for m in s["moments"]]
        assert set(told) == {(0, True), (1, False)}
        assert found["rules"].keys() == found["population"].keys()
        assert found["parent"]["run"] == place_of(tmp_path / "er", tmp_path).id
        assert found["parent"]["run_name"] == "er"


def test_branches_are_listed_where_they_are_asked_for(runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs / "deep" / "er", tmp_path / "er")
    branched(shutil.copytree(runs / "deep" / "er", tmp_path / "branches" / "one"))
    client = TestClient(create_app(Shelf(tmp_path), Access()), base_url=HERE)
    assert get(client, "/api/episodes")["total"] == get(client, "/api/about")["episodes"] == 6
    (branch,) = [run for run in get(client, "/api/facets")["runs"] if run.get("branch")]
    assert get(client, "/api/episodes", run=branch["run"])["total"] == 6
    inside = TestClient(create_app(Shelf(tmp_path / "branches"), Access()), base_url=HERE)
    assert get(inside, "/api/episodes")["total"] == 6


def test_empty_filters_ask_for_nothing(shelf: Shelf) -> None:
    selection, page = asked([("agent", ""), ("text", ""), ("sort", "")])
    assert selection.names == {}
    assert selection.where(shelf) == ("NOT is_branch", [])
    assert (page.offset, page.limit) == (0, 50)


@pytest.mark.parametrize(
    "given",
    [
        ["elicitation.format=json_schema"],
        ["elicitation.format=name", "elicitation.ask_rationale=false"],
        [
            "elicitation.format=logprobs",
            "elicitation.ask_rationale=false",
            "elicitation.max_tokens=8",
        ],
        ["intervention=persona", "intervention.persona.name=parent", "elicitation.format=json"],
    ],
)
async def test_the_prompt_is_what_the_model_was_sent(
    serve: Serve, tmp_path: Path, given: list[str]
) -> None:
    server = await serve()
    await _play(server.url, tmp_path / "run", given)
    client = TestClient(create_app(Shelf(tmp_path), Access()), base_url=HERE)
    shown = [
        json.dumps(moment["prompt"], sort_keys=True)
        for row in rows(client)
        for step in get(client, f"/api/episodes/{row['run']}/{row['episode']}")["steps"]
        for moment in step["moments"]
    ]
    sent = [json.dumps(body["messages"], sort_keys=True) for body in server.requests]
    assert len(shown) >= 4
    assert sorted(shown) == sorted(each for each in sent if each in set(shown))
    assert len(sent) >= len(shown)


async def test_a_question_that_was_asked_again_is_shown_with_both(
    serve: Serve, tmp_path: Path
) -> None:
    server = await serve(script=["I wonder."])
    await _play(server.url, tmp_path / "run", ["elicitation.format=json"])
    client = TestClient(create_app(Shelf(tmp_path), Access()), base_url=HERE)
    (row, *_) = rows(client)
    found = get(client, f"/api/episodes/{row['run']}/{row['episode']}")
    sent = [body["messages"] for body in server.requests]
    for step in found["steps"]:
        for moment in step["moments"]:
            assert moment["prompt"] in sent
            assert moment["prompt"] + moment["tries"][0]["again"] in sent


async def _play(url: str, folder: Path, given: list[str]) -> None:
    import asyncio

    settings = ["env=dictator", "agents=llm", "model=vllm", "model.name=m", f"model.base_url={url}"]
    command = ["run", *settings, "episodes=4", *given, f"run.name={folder}"]
    # the server answers in this thread's loop
    assert await asyncio.to_thread(main, command) == 0
