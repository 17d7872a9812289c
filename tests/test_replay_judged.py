"""What all people judged: sessions read again, pooled over people, and none counted twice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("duckdb")

from tests.blind_judge import Judge, judged_through
from valuesim.cli import main
from valuesim.replay.judging.judged import JUDGEMENTS
from valuesim.replay.judging.tallying import Judged, pooled


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two agents played, and three people judged: one twice, one without a code."""
    root = tmp_path_factory.mktemp("runs")
    given = ["env=survival", "agents=[exploitative,mute]", "env.horizon=2", "episodes=2"]
    assert main(["run", *given, f"run.name={root / 'mixed'}"]) == 0
    for code in ("P1", "P2", "P1", None):
        judge = Judge(root)
        judge.begin(participant=code)
        for row in judge.client.get("/api/episodes", params={"text": "mixed"}).json()["rows"]:
            judge.run, judge.episode = row["run"], row["episode"]
            judged_through(judge)
        judge.end()
    return root


@pytest.fixture
def root(played: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(played, tmp_path / "runs"))


def over_all(root: Path) -> Any:
    return Judge(root).client.get("/api/judgements").json()


def groups(told: Any) -> dict[str, Any]:
    return {group["agent"]: group["tasks"] for group in told["groups"]}


def test_a_code_is_one_person_and_a_session_without_one_another(root: Path) -> None:
    told = over_all(root)
    assert (told["people"], told["repeated"], told["unread"]) == (3, 0, {})
    decided = groups(told)["exploitative"]["decide"]
    assert decided["agreed_before"]["people"] == 3
    assert decided["n"] == decided["agreed_before"]["n"]
    assert decided["n"] % 4 == 0, "each of four sessions judged the same moments"


def test_who_was_judged_is_told_apart_and_faults_are_no_agreement(root: Path) -> None:
    told = groups(over_all(root))
    assert set(told) == {"exploitative", "mute"}
    mute = told["mute"]["decide"]
    assert mute["faulty"] == mute["n"] > 0, "nobody agrees with what chose nothing"
    assert mute["agreed_before"]["value"] is None
    assert mute["by_lot"] is None
    assert 0 < told["exploitative"]["decide"]["by_lot"] <= 0.5


def test_a_copy_of_a_session_counts_once(root: Path) -> None:
    before = over_all(root)
    first = sorted((root / "people").glob("judged-*"))[0]
    shutil.copytree(first, root / "people" / "judged-copy")
    told = over_all(root)
    assert told["repeated"] == 1
    assert told["groups"] == before["groups"]


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        (b"{\n", "is not JSON"),
        (b'{"schema": 1, "phase": "before"}\n', "'run' is missing"),
        (b'{"schema": 1, "phase": 7, "run": [], "episode": {}, "step": 0, "role": 0}\n', "another"),
    ],
)
def test_a_session_that_cannot_be_read_is_named_and_the_others_count(
    root: Path, spoilt: bytes, why: str
) -> None:
    first = sorted((root / "people").glob("judged-*"))[0]
    (first / JUDGEMENTS).write_bytes(spoilt)
    told = over_all(root)
    ((name, wrong),) = told["unread"].items()
    assert name == f"people/{first.name}"
    assert why in wrong
    assert str(root) not in wrong
    assert told["people"] == 3
    assert groups(told)["exploitative"]["decide"]["n"] > 0


@pytest.mark.parametrize("offered", [0, "many", None, -3, [2]])
def test_what_was_offered_may_be_nonsense(root: Path, offered: Any) -> None:
    first = sorted((root / "people").glob("judged-*"))[0]
    lines = [json.loads(line) for line in (first / JUDGEMENTS).read_text().splitlines()]
    spoilt = [line | ({"offered": offered} if "phase" in line else {}) for line in lines]
    (first / JUDGEMENTS).write_text("".join(json.dumps(line) + "\n" for line in spoilt))
    answer = Judge(root).client.get("/api/judgements")
    assert answer.status_code == 200
    told = answer.json()
    if offered is None:
        assert groups(told)["exploitative"]["decide"]["by_lot"] is None
    elif offered != -3:
        assert list(told["unread"]) == [f"people/{first.name}"]


def test_a_link_that_leads_out_is_not_read(root: Path, tmp_path: Path) -> None:
    first = sorted((root / "people").glob("judged-*"))[0]
    elsewhere = tmp_path / "elsewhere.jsonl"
    shutil.move(first / JUDGEMENTS, elsewhere)
    (first / JUDGEMENTS).symlink_to(elsewhere)
    assert "leads out" in over_all(root)["unread"][f"people/{first.name}"]


def test_figures_by_hand() -> None:
    """Two people guess of two scenes, among two and four options: three of four are right."""

    def guess(person: str, scene: str, is_right: bool, offered: int) -> Judged:
        own = {"task": "guess", "cluster": scene, "offered": offered, "time": {"latency": 1.0}}
        option = "share" if is_right else "steal"
        chose = {"option": "share", "fault": None}
        return Judged(
            person,
            own | {"answer": {"option": option}},
            own | {"answer": {"surprise": 3}, "chose": chose},
        )

    told = pooled(
        [
            guess("P1", "a", True, 2),
            guess("P1", "b", True, 4),
            guess("P2", "a", True, 2),
            guess("P2", "b", False, 4),
        ]
    )["guess"]
    assert (told["n"], told["right"]["value"], told["by_lot"]) == (4, 0.75, 0.375)
    assert (told["right"]["people"], told["right"]["scenes"]) == (2, 2)
    assert told["right"]["low"] < 0.75 < told["right"]["high"]
    assert told["surprise"] == 3


def test_the_command_writes_the_same(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(root), "--judgements", "-"]) == 0
    assert json.loads(capsys.readouterr().out) == over_all(root)
    file = root / "judged.json"
    assert main(["replay", str(root), "--judgements", str(file)]) == 0
    assert json.loads(file.read_text()) == over_all(root)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["--judgements", "-", "--tui"], "--judgements goes with neither"),
        (["--judgements", "/nowhere/at/all.json"], "/nowhere/at"),
    ],
)
def test_what_does_not_go_together_is_refused(
    root: Path, given: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(root), *given]) == 2
    assert why in capsys.readouterr().err


def test_where_nobody_judged_it_says_how(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(root / "mixed"), "--judgements", "-"]) == 2
    assert "choose Judge blind" in capsys.readouterr().err
