"""A person who judges blind at the page, as a test asks it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from fastapi.testclient import TestClient

from valuesim.log import read_run
from valuesim.log.records import DecisionRecord
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.judging.judged import JUDGEMENTS
from valuesim.replay.playing.plays import Plays
from valuesim.replay.security import Access
from valuesim.replay.server import create_app

HERE = "http://127.0.0.1:8765"
TOKEN = "the-token"
POSTED = {"x-valuesim-token": TOKEN}


class Judge:
    """A person at the page: their session, and the moments of one episode."""

    def __init__(self, root: Path, plays: Plays | None = None) -> None:
        self.root = root
        self.shelf = plays.shelf if plays else Shelf(root)
        app = create_app(self.shelf, Access(token=TOKEN), plays)
        self.client = TestClient(app, base_url=HERE, raise_server_exceptions=False)
        rows = self.client.get("/api/episodes", params={"text": "mixed"}).json()["rows"]
        self.run, self.episode = rows[0]["run"], rows[0]["episode"]
        self.session = ""

    def begin(self, **given: Any) -> Any:
        consent = self.client.get("/api/judgements/consent").json()["consent"]
        asked = {"consent": consent["id"], "agreed": True} | given
        answer = self.client.post("/api/judgements/sessions", json=asked, headers=POSTED)
        if answer.status_code == 201:
            self.session = answer.json()["session"]
        return answer

    @property
    def folder(self) -> Path:
        (found,) = (self.root / "people").glob("judged-*")
        return found

    def next(self, **given: Any) -> Any:
        place = f"/api/blind/{self.run}/{self.episode}"
        return self.client.get(place, params={"session": self.session} | given).json()

    def show(self, step: int, role: str, session: str | None = None) -> Any:
        place = f"/api/blind/{self.run}/{self.episode}/{step}/{quote(role, safe='')}"
        own = self.session if session is None else session
        return self.client.get(place, params={"session": own} if own else {})

    def say(self, step: int, role: str, **given: Any) -> Any:
        told = {"session": self.session, "run": self.run, "episode": self.episode}
        told |= {"step": step, "role": role, "task": "decide", "phase": "before"} | given
        return self.client.post("/api/judgements", json=told, headers=POSTED)

    def end(self) -> Any:
        place = f"/api/judgements/{self.session}/end"
        return self.client.post(place, json={}, headers=POSTED).json()

    def lines(self) -> list[Any]:
        lines = (self.folder / JUDGEMENTS).read_bytes().splitlines()
        return [each for each in map(orjson.loads, lines) if "phase" in each]

    def parent(self) -> dict[tuple[int, str], DecisionRecord]:
        run = read_run(self.root / "mixed")
        own = [each for each in run.decisions() if each.episode.id == self.episode]
        return {(each.step, each.role): each for each in own}


def move(option: Any) -> dict[str, Any]:
    """Return the answer that takes an offered option, with what it asks for."""
    given = {}
    for name, bounds in option["arguments"].items():
        given[name] = "" if isinstance(bounds, int) else bounds[0]
    return {"option": option["name"], "arguments": given}


def judged_through(judge: Judge, **given: Any) -> int:
    """Judge all of an episode, the first option before and the last after; return how many."""
    count = 0
    while place := judge.next()["next"]:
        seen = judge.show(**place).json()
        before = judge.say(**place, answer=move(seen["options"][0]), **given)
        assert before.status_code == 200, before.text
        after = judge.say(**place, phase="after", answer=move(seen["options"][-1]), **given)
        assert after.status_code == 200, after.text
        count += 1
    return count
