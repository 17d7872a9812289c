"""Litmus generations in and out: whole labels, faults that stay faults, pairs by their text.

All rows are made up for these tests.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from valuesim.choices import choices
from valuesim.cli import main
from valuesim.errors import InputError
from valuesim.formats.imported import Importing
from valuesim.formats.litmus import read_litmus
from valuesim.log import DecisionRecord, read_run

Row = dict[str, Any]
Table = Callable[..., Path]

LAMP = "The night guard asks for a lamp that the rules forbid."
BOAT = "A late passenger waves from the pier."


def action(dilemma: str, number: int, values: str, answer: str = "Action 1", **more: Any) -> Row:
    return {
        "idx": 0,
        "dilemma": dilemma,
        "action": f"Action {number}: Do thing {number}.",
        "values": values,
        "targets": "['Guard']",
        "model_resp_a/model": answer,
        "model_resp_clean": answer,
    } | more


TWO = [
    action(LAMP, 1, "['Care', 'kindness', 'glow']"),
    action(LAMP, 2, "['Professionalism', 'Care']"),
    action(BOAT, 1, "['Respect']", "Action 2"),
    action(BOAT, 2, '["Wisdom"]', "Action 2"),
]


@pytest.fixture
def table(tmp_path: Path) -> Table:
    def written(rows: Sequence[Mapping[str, Any]], name: str = "a__model.csv") -> Path:
        path = tmp_path / name
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return path

    return written


def read(path: Path, **given: Any) -> tuple[list[DecisionRecord], Importing]:
    importing = read_litmus(path, source="mine", **given)
    return list(importing.records), importing


def stakes(record: DecisionRecord) -> list[dict[str, float]]:
    return [dict(option.stakes) for option in record.options]


def test_two_rows_are_one_dilemma_whose_actions_uphold_their_values(table: Table) -> None:
    (lamp, boat), importing = read(table(TWO))
    assert stakes(lamp) == [{"Care": 1.0}, {"Professionalism": 1.0, "Care": 1.0}]
    assert [option.name for option in lamp.options] == ["Action 1", "Action 2"]
    assert (lamp.text, lamp.options[0].text) == (LAMP, "Do thing 1.")
    assert (lamp.chosen, boat.chosen) == ("Action 1", "Action 2")
    assert lamp.player.model_name == "a/model"
    # kindness is another word for Care in the vocabulary, glow is no value of it
    assert importing.unmapped == {"glow": 1}
    assert importing.dropped == []


def test_a_value_on_both_sides_is_no_contrast(table: Table) -> None:
    (lamp, _), _ = read(table(TWO))
    assert choices([lamp]).evidence[0].votes() == {}


@pytest.mark.parametrize("answer", ["NA", "", "Action 3", "I would rather not", "Action 12"])
def test_an_unreadable_answer_is_a_fault_and_never_the_second_action(
    table: Table, answer: str
) -> None:
    rows = [row | {"model_resp_clean": answer} for row in TWO[:2]]
    (lamp,), _ = read(table(rows))
    assert (lamp.chosen, lamp.fault) == (None, "unparsed")
    assert choices([lamp]).faults == {"unparsed": 1}


def test_labels_map_as_wholes_and_never_by_a_part(table: Table) -> None:
    classes = table(
        [
            {"value": "trust", "value_class": "Loyalty"},
            {"value": "Due Care", "value_class": "Care"},
        ],
        "classes.csv",
    )
    rows = [
        action(LAMP, 1, "['distrust', 'Trust', 'careful']"),
        action(LAMP, 2, "['due  care', 'privacy']"),
    ]
    (lamp,), importing = read(table(rows), values=classes)
    assert stakes(lamp) == [{"Loyalty": 1.0}, {"Care": 1.0, "Privacy": 1.0}]
    assert importing.unmapped == {"distrust": 1, "careful": 1}


def test_without_a_vocabulary_each_label_is_a_value(table: Table) -> None:
    rows = [action(LAMP, 1, "['distrust']"), action(LAMP, 2, "['trust', 'glow']")]
    (lamp,), _ = read(table(rows), taxonomy="none")
    assert stakes(lamp) == [{"distrust": 1.0}, {"trust": 1.0, "glow": 1.0}]


def test_a_label_that_can_name_nothing_is_no_value(table: Table) -> None:
    odd = r"['trust', '\ud800', 'a\x1bb', '\n']"
    (lamp,), importing = read(
        table([action(LAMP, 1, odd), action(LAMP, 2, "['glow']")]), taxonomy="none"
    )
    assert stakes(lamp) == [{"trust": 1.0}, {"glow": 1.0}]
    assert sum(importing.unmapped.values()) == 2


def test_a_class_that_the_vocabulary_lacks_is_refused(table: Table) -> None:
    classes = table([{"value": "trust", "value_class": "Trustiness"}], "classes.csv")
    with pytest.raises(InputError, match="Trustiness"):
        read(table(TWO), values=classes)
    twice = [{"value": "trust", "value_class": c} for c in ("Care", "Loyalty")]
    with pytest.raises(InputError, match=r"classes\.csv:3: .* two classes: Care, Loyalty"):
        read(table(TWO), values=table(twice, "classes.csv"))


def test_rows_pair_by_text_whichever_comes_first_and_wherever_they_stand(table: Table) -> None:
    shuffled = [TWO[1], TWO[2], TWO[0], TWO[3]]
    records, _ = read(table(shuffled))
    assert [(r.text, stakes(r)) for r in records] == [
        (r.text, stakes(r)) for r in read(table(TWO))[0]
    ]


def test_a_lost_row_costs_its_own_dilemma_and_shifts_no_other(table: Table) -> None:
    again = [*TWO[2:], TWO[2], *TWO[2:]]
    records, importing = read(table(again))
    assert [stakes(record) for record in records] == [[{"Respect": 1.0}, {"Wisdom": 1.0}]] * 2
    assert [str(each) for each in importing.dropped] == [
        "line 4: the dilemma's other action is missing"
    ]


def test_a_dilemma_asked_again_is_one_more_decision_in_its_cluster(table: Table) -> None:
    records, _ = read(table(TWO[:2] * 3))
    evidence = choices(records).evidence
    assert len({record.episode.id for record in records}) == 3
    assert len({each.cluster for each in evidence}) == 1
    assert evidence[0].unit == "scene"


def test_models_of_one_dilemma_share_its_cluster(table: Table) -> None:
    others = [row | {"model_resp_clean": "Action 2"} for row in TWO]
    one, _ = read(table(TWO))
    other, _ = read(table(others), model="another")
    assert [r.annotations["scene"] for r in one] == [r.annotations["scene"] for r in other]
    assert not {r.episode.id for r in one} & {r.episode.id for r in other}


def test_each_model_of_a_table_is_read_from_its_own_replies(table: Table) -> None:
    rows = [row | {"model_resp_b": "Action 2, surely"} for row in TWO[:2]]
    records, importing = read(table(rows))
    assert [(r.player.model_name, r.chosen) for r in records] == [
        ("a/model", "Action 1"),
        ("b", "Action 2"),
    ]
    assert "cannot say whose answer" in importing.notes[0]
    with pytest.raises(InputError, match="several models: a/model, b"):
        read(table(rows), model="c")


def test_the_model_is_named_by_its_column_the_setting_or_the_file(table: Table) -> None:
    bare = [{k: v for k, v in row.items() if k != "model_resp_a/model"} for row in TWO]
    assert read(table(bare, "org__name.csv"))[0][0].player.model_name == "org/name"
    assert read(table(bare), model="given")[0][0].player.model_name == "given"


DROPPED = {
    "no text": (action("", 1, "[]"), "there is no dilemma"),
    "no number": (action(LAMP, 1, "[]", action="Light it."), "does not begin"),
    "number 0": (action(LAMP, 0, "[]"), "no action 0"),
    "no list": (action(LAMP, 1, "[__import__('os')]"), "looks like a list"),
    "deep": (action(LAMP, 1, "[" * 9000 + "]" * 9000), "looks like a list"),
    "long": (action(LAMP, 1, f"['{'x' * 50_000}']"), "characters"),
    "long label": (action(LAMP, 1, f"['{'x' * 5_000}']"), "label of 5,000 characters"),
}


@pytest.mark.parametrize(("row", "reason"), DROPPED.values(), ids=DROPPED)
def test_a_row_that_is_no_action_is_dropped_and_told(table: Table, row: Row, reason: str) -> None:
    records, importing = read(table([row, action(LAMP, 2, "['Care']"), *TWO[2:]]))
    assert len(records) == 1
    assert importing.dropped[0].line == 2
    assert reason in importing.dropped[0].reason


def test_a_dilemma_with_a_third_action_is_dropped(table: Table) -> None:
    records, importing = read(table([*TWO, action(LAMP, 3, "['Wisdom']")]))
    assert [record.text for record in records] == [BOAT]
    assert [str(each) for each in importing.dropped] == ["line 2: the dilemma has a third action"]


def test_rows_that_do_not_agree_on_the_answer_are_dropped(table: Table) -> None:
    records, importing = read(table([TWO[0], TWO[1] | {"model_resp_clean": "Action 2"}]))
    assert records == []
    assert "do not agree" in importing.dropped[0].reason


def test_a_table_without_an_answer_or_a_needed_column_is_refused(table: Table) -> None:
    with pytest.raises(InputError, match="lacks the column 'values'"):
        read(table([{"dilemma": "x", "action": "y"}]))
    with pytest.raises(InputError, match="model_resp_clean"):
        read(table([{"dilemma": "x", "action": "y", "values": "z"}]))


# -- the commands --------------------------------------------------------------------------------


def imported(path: Path, out: Path, *more: str) -> None:
    assert main(["import", "litmus", str(path), "--out", str(out), *more]) == 0


def ranked(run: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    capsys.readouterr()
    assert main(["graph", str(run), "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


def many(count: int) -> list[Row]:
    sides = ["['Care']", "['Respect']", "['Wisdom', 'Privacy']", "['Justice', 'Care']"]
    answers = ["Action 1", "Action 2", "Action 1", "NA"]
    return [
        action(f"Dilemma {at}.", number, sides[(at + number + at // 4) % 4], answers[at % 4])
        for at in range(count)
        for number in (1, 2)
    ]


def test_what_is_exported_and_imported_again_is_the_same_evidence(
    table: Table, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    imported(table(many(40)), tmp_path / "one", "--label", "x")
    out = tmp_path / "again.csv"
    assert main(["export", "litmus", str(tmp_path / "one"), "--out", str(out)]) == 0
    with out.open(newline="", encoding="utf-8") as file:
        assert next(csv.reader(file)) == list(TWO[0])
    imported(out, tmp_path / "two", "--label", "x")
    one, two = (ranked(tmp_path / name, capsys) for name in ("one", "two"))
    assert one == two
    assert one["groups"][0]["faults"] == {"unparsed": 10}


def test_decisions_of_our_own_dilemmas_keep_sides_and_clusters_through_the_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    given = ["env=dilemmas", "agents=random", "episodes=2", "env.scenes=8", "run.name=./own"]
    assert main(["run", *given]) == 0
    assert main(["export", "litmus", "own", "--out", "own.csv"]) == 0
    assert "sides are kept" in capsys.readouterr().out
    imported(Path("own.csv"), Path("back"))
    own, back = (list(read_run(Path(name)).decisions()) for name in ("own", "back"))
    kept = [record for record in own if len(record.options) == 2]
    votes = [[e.votes().keys() for e in choices(each).evidence] for each in (kept, back)]
    assert votes[0] == votes[1]
    clusters = [[e.cluster.partition("/")[2] for e in choices(r).evidence] for r in (kept, back)]
    assert clusters[0] == clusters[1]


def test_an_import_is_refused_over_another_and_done_once(
    table: Table, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    imported(table(TWO), out)
    before = (out / "decisions.jsonl").read_bytes()
    imported(table(TWO), out)
    assert "holds this import already" in capsys.readouterr().out
    assert main(["import", "litmus", str(table(TWO[:2])), "--out", str(out)]) == 2
    assert "holds another run" in capsys.readouterr().err
    assert (out / "decisions.jsonl").read_bytes() == before
    stray = tmp_path / "stray"
    stray.mkdir()
    (stray / "note.txt").write_text("mine")
    assert main(["import", "litmus", str(table(TWO)), "--out", str(stray)]) == 2
    assert [path.name for path in stray.iterdir()] == ["note.txt"]


def test_a_stop_leaves_nothing_behind(
    table: Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = table(TWO)

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("valuesim.formats.imported._Writer.finish", stopped)
    before = sorted(tmp_path.iterdir())
    assert main(["import", "litmus", str(path), "--out", str(tmp_path / "run")]) == 130
    assert sorted(tmp_path.iterdir()) == before


def test_nothing_to_import_is_told_and_leaves_nothing(
    table: Table, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table([action("", 1, "[]")])
    assert main(["import", "litmus", str(path), "--out", str(tmp_path / "run")]) == 2
    assert "there is no decision" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_failed_import_tells_each_dropped_line_and_why(
    table: Table, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table([action(LAMP, 1, "[]") | {"action": "Do 1"}, action(BOAT, 1, "[]")])
    assert main(["import", "litmus", str(path), "--out", str(tmp_path / "run")]) == 2
    out, err = capsys.readouterr()
    assert [line[:15] for line in out.splitlines()] == ["dropped line 2:", "dropped line 3:"]
    assert "'Do 1'" in out
    assert "dropped (2), line 2: the action does not begin" in err
    path.write_text(path.read_text().splitlines()[0] + "\n")
    assert main(["import", "litmus", str(path), "--out", str(tmp_path / "run")]) == 2
    assert "has no row below its header" in capsys.readouterr().err


def test_what_a_killed_import_left_is_removed_by_the_next_one(
    table: Table, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = tmp_path / f".run.{ended.pid}.part"
    kept = [
        tmp_path / f".run.{os.getppid()}.part",
        tmp_path / f".other.{ended.pid}.part",
        tmp_path / ".run.x.part",
    ]
    for folder in (left, *kept):
        folder.mkdir()
        (folder / "decisions.jsonl").touch()
    imported(table(TWO), tmp_path / "run")
    assert f"removed {left}" in capsys.readouterr().out
    assert not left.exists()
    assert all((folder / "decisions.jsonl").exists() for folder in kept)


def test_every_analysing_command_reads_an_import(
    table: Table, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    imported(table(many(12)), tmp_path / "run")
    for command in ("graph", "archetypes", "measures"):
        assert main([command, str(tmp_path / "run")]) == 0
        assert "model=a/model" in capsys.readouterr().out


def test_an_import_loads_no_library_of_numbers(table: Table, tmp_path: Path) -> None:
    arguments = ["import", "litmus", str(table(TWO)), "--out", str(tmp_path / "run")]
    code = (
        "import sys; from valuesim.cli import main; "
        f"assert main({arguments!r}) == 0; "
        "print([n for n in ('numpy', 'scipy', 'gymnasium', 'networkx') if n in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"
