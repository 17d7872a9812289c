"""Whole games that a person plays in the browser, through the routes of the viewer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("duckdb")

from fastapi.testclient import TestClient

from valuesim.cli import main
from valuesim.cli.replay_models import models_of
from valuesim.log import read_run
from valuesim.overrides import shipped
from valuesim.replay.branching.retrace import retraced
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.playing.plays import Plays
from valuesim.replay.security import Access
from valuesim.replay.server import create_app

HERE = "http://127.0.0.1:8765"
TOKEN = {"x-valuesim-token": "the-token", "origin": HERE}
ACCESS = Access(token="the-token")
GAMES = sorted(shipped("env"))
Answer = Callable[[dict[str, Any]], str]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shown")
    given = ["env=dictator", "agents=random", "episodes=1", f"run.name={folder / 'one'}"]
    assert main(["run", *given]) == 0
    return folder


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


def first(asking: dict[str, Any]) -> str:
    """Answer as simply as can be: yes, the first choice, the least number, no reason."""
    if asking["about"] in ("consent", "sure"):
        return "yes"
    if asking["choices"]:
        return str(asking["choices"][0])
    if "number from" in asking["prompt"]:
        return str(asking["prompt"].rpartition("from ")[2].partition(" ")[0])
    return ""


def to_the_end(client: TestClient, id: str, answer: Answer = first) -> dict[str, Any]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        play: dict[str, Any] = client.get(f"/api/plays/{id}").json()["play"]
        if play["state"] in ("finished", "stopped", "failed"):
            return play
        if (asking := play["asking"]) is not None:
            given = {"number": asking["number"], "text": answer(asking)}
            post(client, f"/api/plays/{id}/answer", given, 200)
        else:
            time.sleep(0.005)
    raise AssertionError(f"it did not end: {play}")


def test_every_game_is_listed_with_who_can_play_it(client: TestClient) -> None:
    told = client.get("/api/games").json()
    assert [each["id"] for each in told["games"]] == GAMES
    for each in told["games"]:
        assert each["title"]
        assert each["description"]
        assert each["roles"]
        assert bool(each["partners"]) is (len(each["roles"]) > 1)
        assert bool(each["levels"]) is (each["id"] == "survival")
    assert told["consent"]["text"].startswith("You are asked")


@pytest.mark.parametrize("game", GAMES)
async def test_every_game_is_played_to_its_end(
    game: str, client: TestClient, plays: Plays, shown: Path
) -> None:
    about = next(e for e in client.get("/api/games").json()["games"] if e["id"] == game)
    partner = next(iter(about["partners"]), None)
    wanted = {"game": game, "role": about["roles"][0], "partner": partner, "seed": 3}
    started = post(client, "/api/games", wanted)["play"]
    assert (started["kind"], started["total"], started["parent"]) == ("game", 1, None)
    play = to_the_end(client, started["id"])
    assert (play["state"], play["episodes"], play["error"]) == ("finished", 1, None)
    opened = client.get(f"/api/episodes/{play['run']}/{play['episode']}").json()
    assert opened["population"][about["roles"][0]]["agent"] == "human"
    run = read_run(shown / play["run_name"])
    (episode,) = run.episodes.values()
    records = list(run.decisions())
    assert len(await retraced(episode.spec, records)) == episode.steps
    own = [each for each in records if each.role == about["roles"][0]]
    assert own
    assert all(each.fault is None and each.latency is not None for each in own)
    assert main(["graph", str(shown / play["run_name"])]) == 0
