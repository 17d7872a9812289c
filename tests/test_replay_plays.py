"""What the viewer plays itself: branches by HTTP, persons in them, models, and what is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("duckdb")

from fastapi.testclient import TestClient

from valuesim.cli import main
from valuesim.cli.replay_models import models_of
from valuesim.log import DecisionRecord
from valuesim.replay.branch import parent_of
from valuesim.replay.plays import Plays
from valuesim.replay.security import Access
from valuesim.replay.server import create_app
from valuesim.replay.shelf import Shelf

HERE = "http://127.0.0.1:8765"
TOKEN = {"x-valuesim-token": "the-token", "origin": HERE}
ACCESS = Access(token="the-token")
DIFFERING = ("episode", "latency")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shown")
    for name, given in RUNS.items():
        assert main(["run", *given, "episodes=1", f"run.name={folder / name}"]) == 0
    return folder


RUNS = {
    "scripted": ["env=survival", "env.scarcity=low", "env.horizon=6", "agents=ethical"],
    "asked": ["env=survival", "env.horizon=3", "env.talk_rounds=1", "agents=llm", "model=mock"],
}


@pytest.fixture(scope="module")
def plays(shown: Path) -> Iterator[Plays]:
    plays = Plays(shelf=Shelf(shown), models=models_of(["model=mock"]))
    yield plays
    plays.close()


@pytest.fixture(scope="module")
def client(plays: Plays) -> TestClient:
    app = create_app(plays.shelf, ACCESS, plays)
    return TestClient(app, base_url=HERE, raise_server_exceptions=False)


def post(client: TestClient, path: str, content: Any, status: int = 202) -> Any:
    answer = client.post(path, json=content, headers=TOKEN)
    assert answer.status_code == status, answer.text
    return answer.json()


def episode_of(client: TestClient, run: str) -> dict[str, Any]:
    rows = client.get("/api/episodes", params={"limit": 200}).json()["rows"]
    return next(dict(row) for row in rows if row["run_name"] == run)


def ended(client: TestClient, id: str) -> dict[str, Any]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        play: dict[str, Any] = client.get(f"/api/plays/{id}").json()["play"]
        if play["state"] in ("finished", "stopped", "failed"):
            return play
        time.sleep(0.01)
    raise AssertionError(f"it did not end: {play}")


def told(records: Any) -> list[tuple[Any, ...]]:
    fields = [each for each in DecisionRecord.__dataclass_fields__ if each not in DIFFERING]
    return sorted(
        (tuple(getattr(record, name) for name in fields) for record in records),
        key=lambda each: each[:2],
    )


@pytest.mark.parametrize("run", RUNS)
def test_a_branch_without_a_change_is_its_parent_turn_for_turn(
    run: str, client: TestClient, shown: Path
) -> None:
    row = episode_of(client, run)
    asked = {"run": row["run"], "episode": row["episode"], "step": 2, "changes": {}}
    play = ended(client, post(client, "/api/branches", asked)["play"]["id"])
    assert (play["state"], play["error"]) == ("finished", None)
    assert play["parent"] == {"run": row["run"], "episode": row["episode"], "step": 2}
    left = parent_of(shown / play["run_name"], play["episode"])
    was = parent_of(shown / run, row["episode"])
    assert told(left.records) == told(was.records)
    opened = client.get(f"/api/episodes/{play['run']}/{play['episode']}").json()
    assert opened["parent"]["episode"] == row["episode"]


def answered(client: TestClient, id: str, *extra: str) -> dict[str, Any]:
    """Answer `extra` to the first questions, then as simply as can be, to the end."""
    from tests.test_replay_games import first

    given, until = list(extra), time.monotonic() + 60
    while time.monotonic() < until:
        play: dict[str, Any] = client.get(f"/api/plays/{id}").json()["play"]
        if play["state"] in ("finished", "stopped", "failed"):
            return play
        if (asking := play["asking"]) is not None:
            text = given.pop(0) if given else first(asking)
            answer = {"number": asking["number"], "text": text}
            post(client, f"/api/plays/{id}/answer", answer, 200)
        else:
            time.sleep(0.005)
    raise AssertionError(f"it did not end: {play}")
