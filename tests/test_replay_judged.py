"""What all people judged: sessions read again, pooled over people, and none counted twice."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("duckdb")

from tests.blind_judge import Judge, judged_through
from valuesim.cli import main
from valuesim.replay.judging.judged import JUDGEMENTS
from valuesim.replay.judging.pooling import over_people
from valuesim.replay.judging.tallying import Judged, pooled
from valuesim.replay.sending import as_json


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


def session_of_p1(root: Path) -> Path:
    """Return the folder of a session of P1, of which there is another."""
    found = sorted((root / "people").glob("judged-*/run.yaml"))
    return next(each.parent for each in found if "participant: P1" in each.read_text())


def over_all(root: Path) -> Any:
    return Judge(root).client.get("/api/judgements").json()


def told_below(root: Path) -> Any:
    """Return what the route answers, without a viewer that works out archetypes beside it."""
    return json.loads(as_json(over_people(root)))


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
    first = session_of_p1(root)
    shutil.copytree(first, root / "people" / "judged-copy")
    told = over_all(root)
    assert told["repeated"] == 1
    assert told["groups"] == before["groups"]


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        (b"{\n", "is not JSON"),
        (b'{"schema": 1, "phase": "before"}\n', "'run' is missing"),
        (b'{"schema": 1, "phase": 7, "run": [], "episode": {}, "role": 0}\n', "run is []"),
    ],
)
def test_a_session_that_cannot_be_read_is_named_and_the_others_count(
    root: Path, spoilt: bytes, why: str
) -> None:
    first = session_of_p1(root)
    (first / JUDGEMENTS).write_bytes(spoilt)
    told = over_all(root)
    ((name, wrong),) = told["unread"].items()
    assert name == f"people/{first.name}"
    assert why in wrong
    assert str(root) not in wrong
    assert told["people"] == 3
    assert groups(told)["exploitative"]["decide"]["n"] > 0


DEEP = "nested deeper than can be written"


def respell(file: Path, changed: Callable[[Any], Any]) -> None:
    """Write the judgements in a file anew, each with what `changed` returns of it."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    told = [json.dumps(line | changed(line) if "phase" in line else line) for line in lines]
    deep = "[" * 900 + "]" * 900
    file.write_text("".join(f"{line}\n" for line in told).replace(f'"{DEEP}"', deep))


def rated(rating: Any) -> Any:
    """Return what makes of each judgement one by ratings, of an option that was chosen."""
    answer = {"ratings": {"help": rating, "harm": 1}}
    return {"task": "rate", "answer": answer, "chose": {"option": "help", "fault": None}}


SPOILT: dict[str, list[Any]] = {
    "offered": [0, "many", "2", -3, 0.5, True, [2]],
    "time": [None, {}, {"latency": "1"}, {"latency": -1}],
    "interventions": [7, "abc", {"a": 1}, [[]]],
    "env": [7, [], {}],
    "model": [7, [], {}],
    "cluster": [None, DEEP],
    "condition": [DEEP],
    "phase": ["meanwhile"],
    "task": ["sing"],
    "answer": [{"option": ["share"]}],
    "chose": [{"option": None, "fault": None}],
}


@pytest.mark.parametrize(
    "spoilt",
    [
        *({name: each} for name, listed in SPOILT.items() for each in listed),
        *map(rated, (1e300, 0, 8, "7", None, [])),
        {"task": "guess", "answer": {"surprise": 3}},
    ],
)
def test_what_is_no_judgement_is_named_whatever_it_holds(
    root: Path, spoilt: dict[str, Any]
) -> None:
    first = session_of_p1(root)
    respell(first / JUDGEMENTS, lambda _: spoilt)
    told = told_below(root)
    assert list(told["unread"]) == [f"people/{first.name}"]
    assert str(root) not in json.dumps(told)
    assert groups(told)["exploitative"]["decide"]["n"] > 0


def test_what_is_told_of_one_group_alone_is_looked_at(root: Path) -> None:
    """None is told of the other: of the session as a whole no lot is drawn."""
    first = session_of_p1(root)
    other = {"env": "elsewhere", "offered": None}
    respell(first / JUDGEMENTS, lambda line: {"offered": "many"} if line["step"] else other)
    assert list(told_below(root)["unread"]) == [f"people/{first.name}"]


def test_where_nobody_told_how_many_were_offered_no_lot_is_drawn(root: Path) -> None:
    respell(session_of_p1(root) / JUDGEMENTS, lambda _: {"offered": None})
    told = told_below(root)
    assert told["unread"] == {}
    assert groups(told)["exploitative"]["decide"]["by_lot"] is None


@pytest.mark.parametrize(
    "more",
    ["2001-99-99", "!!int x", "!!bool x", "!!timestamp x", "9" * 5000, "[" * 3000, " " * 8_000_000],
    ids=["date", "int", "bool", "timestamp", "digits", "deep", "long"],
)
def test_a_session_whose_run_yaml_is_spoilt_is_named(root: Path, more: str) -> None:
    first = session_of_p1(root)
    with (first / "run.yaml").open("a") as file:
        file.write(f"more: {more}\n")
    assert list(told_below(root)["unread"]) == [f"people/{first.name}"]


@pytest.mark.parametrize("participant", ["7", "[P1]", "{P1: P1}", "null", '"\\ud800"'])
def test_a_code_may_be_anything(root: Path, participant: str) -> None:
    (session_of_p1(root) / "run.yaml").write_text(f"person: {{participant: {participant}}}\n")
    told = told_below(root)
    assert (told["people"], told["unread"]) == (4, {})


def test_a_copy_counts_where_the_first_cannot_be_read(root: Path) -> None:
    decided = groups(told_below(root))["exploitative"]["decide"]
    first = session_of_p1(root)
    shutil.copytree(first, root / "people" / "judged-then")
    (first / "run.yaml").write_text("[]\n")
    told = told_below(root)
    assert (told["repeated"], list(told["unread"])) == (0, [f"people/{first.name}"])
    assert groups(told)["exploitative"]["decide"]["n"] == decided["n"]


def test_a_moment_that_stands_twice_counts_once(root: Path) -> None:
    before = told_below(root)
    file = session_of_p1(root) / JUDGEMENTS
    after = [line for line in file.read_text().splitlines() if '"phase":"after"' in line]
    with file.open("a") as lines:
        lines.write("".join(f"{line}\n" for line in after))
    assert told_below(root) == before


def test_two_sessions_of_one_name_are_two_people(root: Path) -> None:
    """What is no UTF-8 in a file's name is shown as one and the same sign."""
    for number, folder in enumerate(sorted((root / "people").glob("judged-*"))):
        (folder / "run.yaml").write_text("person: {}\n")
        folder.rename(root / "people" / os.fsdecode(b"judged-" + bytes([0xF0 + number])))
    assert told_below(root)["people"] == 4


def test_a_link_that_leads_out_is_not_read(root: Path, tmp_path: Path) -> None:
    first = session_of_p1(root)
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


def test_the_command_tells_what_was_not_read_and_not_where_it_lies(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = session_of_p1(root)
    (first / JUDGEMENTS).write_text("{\n")
    monkeypatch.chdir(root / "people")
    assert main(["replay", "..", "--judgements", "-"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == over_all(root)
    assert f"not counted: people/{first.name}/judgements.jsonl, line 1 is not JSON" in err
    assert str(root) not in out + err


def test_the_command_names_a_session_that_is_all_that_is_shown(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = session_of_p1(root)
    (first / JUDGEMENTS).write_text("{\n")
    monkeypatch.chdir(first)
    assert main(["replay", ".", "--judgements", "-"]) == 2
    assert f"not counted: {first.name}: judgements.jsonl, line 1" in capsys.readouterr().err


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
