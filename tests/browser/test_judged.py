"""What all people judged, in a real browser: by whom they judged, with intervals over people."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.blind_judge import Judge, judged_through
from tests.browser.conftest import HOSTILE, LIGHT, PHONE
from valuesim.replay.judging.judged import JUDGEMENTS

Opened = Callable[..., Any]


@pytest.fixture(scope="module")
def judged(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of which three people judged two episodes; a fourth session is spoilt, one hostile."""
    folder = tmp_path_factory.mktemp("judged") / "shown"
    shutil.copytree(runs / "survival", folder / "mixed")
    for code in ("P1", "P2", None, "P4", "P5"):
        judge = Judge(folder)
        judge.begin(participant=code)
        for row in judge.client.get("/api/episodes", params={"limit": 2}).json()["rows"]:
            judge.run, judge.episode = row["run"], row["episode"]
            judged_through(judge)
        judge.end()
    *_, hostile, spoilt = sorted((folder / "people").iterdir())
    (spoilt / JUDGEMENTS).write_text("no judgement\n")
    lines = [orjson.loads(each) for each in (hostile / JUDGEMENTS).read_bytes().splitlines()]
    named = [line | {"env": HOSTILE, "agent": HOSTILE, "model": HOSTILE} for line in lines]
    (hostile / JUDGEMENTS).write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in named))
    return folder


@pytest.fixture(scope="module")
def site(judged: Path, view: Callable[[Path], str]) -> str:
    return view(judged)


@pytest.mark.parametrize(
    ("size", "colours"), [(LIGHT, "light"), (LIGHT, "dark"), (PHONE, "light"), (PHONE, "dark")]
)
def test_all_people_are_told_by_whom_they_judged(
    opened: Opened, serious: Any, size: dict[str, int], colours: str
) -> None:
    page = opened("#/part", size, colours)
    page.get_by_role("link", name="what people judged").click()
    page.get_by_role("heading", name="What people judged").wait_for()
    own = page.locator("section section", has_text="exploitative in survival")
    row = own.get_by_role("row", name="as it chose, before seeing it")
    assert " % to " in row.inner_text()
    assert "Who draws an option by lot would agree in" in own.inner_text()
    assert "4 people judged" in page.locator("main").inner_text()
    assert "Not counted: people/judged-" in page.locator("main").inner_text()
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_who_ends_a_session_is_led_there(opened: Opened, judged: Path) -> None:
    judge = Judge(judged)
    page = opened(f"#/blind/{judge.run}/{judge.episode}")
    page.get_by_role("button", name="I take part").click()
    page.get_by_role("button", name="What did it do?").click()
    page.locator(".choosing").wait_for()
    page.get_by_role("button", name="Decline").click()
    page.locator(".verdict").wait_for()
    page.get_by_role("button", name="Stop, and see the summary").click()
    page.get_by_role("link", name="What all people judged").click()
    page.get_by_role("heading", name="What people judged").wait_for()
