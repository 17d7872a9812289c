"""Battles in and out: ties, clusters, and an order of rows that says nothing of places shown."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from valuesim.choices import choices
from valuesim.cli import main
from valuesim.errors import InputError
from valuesim.formats.battles import read_battles
from valuesim.formats.imported import Importing
from valuesim.graph import rank_values
from valuesim.log import DecisionRecord

Row = dict[str, Any]
Table = Callable[..., Path]


def battle(one: str, two: str, winner: str, **more: Any) -> Row:
    return {"value_1": one, "value_2": two, "winner": winner} | more


def drawn(count: int, *, ties: float = 0.0) -> list[Row]:
    """Battles of three values, the first by letter the strongest, the order of sides by lot."""
    rng = np.random.default_rng(5)
    strength = {"Ash": 1.0, "Birch": 0.0, "Cedar": -1.0}
    rows = []
    for _ in range(count):
        one, two = rng.permutation(list(strength))[:2]
        chance = 1 / (1 + np.exp(strength[two] - strength[one]))
        winner = "tie" if rng.random() < ties else "value_1" if rng.random() < chance else "value_2"
        rows.append(battle(str(one), str(two), winner))
    return rows


def winner_first(row: Row) -> Row:
    if row["winner"] != "value_2":
        return row
    return row | {"value_1": row["value_2"], "value_2": row["value_1"], "winner": "value_1"}


@pytest.fixture
def table(tmp_path: Path) -> Table:
    def written(rows: Sequence[Mapping[str, Any]], name: str = "battles.csv") -> Path:
        path = tmp_path / name
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return path

    return written


def read(path: Path, **given: Any) -> tuple[list[DecisionRecord], Importing]:
    importing = read_battles(path, source="mine", **given)
    return list(importing.records), importing


def test_a_battle_is_a_choice_between_two_values(table: Table) -> None:
    (record,), _ = read(table([battle("Birch", "Ash", "value_1")]))
    assert [dict(option.stakes) for option in record.options] == [{"Ash": 1.0}, {"Birch": 1.0}]
    assert choices([record]).evidence[0].votes() == {("Birch", "Ash"): 1.0}


def test_the_order_of_sides_says_nothing(table: Table) -> None:
    rows = drawn(120)
    one = rank_values(choices(read(table(rows))[0]), draws=50)
    other = rank_values(choices(read(table([winner_first(row) for row in rows]))[0]), draws=50)
    assert one.values == other.values
    assert [value.value for value in one.values] == ["Ash", "Birch", "Cedar"]
    assert (
        one.terms["first"].reason == one.terms["position"].reason == "the order shown is not known"
    )


def test_ties_take_nothing_from_the_order_of_the_values(table: Table) -> None:
    records, _ = read(table(drawn(400, ties=0.4)))
    assert {len(record.options) for record in records} == {3}
    tie = records[0].options[2]
    assert (tie.name, tie.is_omission, set(tie.stakes.values())) == ("TIE", True, {0.5})
    ranking = rank_values(choices(records), draws=50)
    assert [value.value for value in ranking.values] == ["Ash", "Birch", "Cedar"]
    assert ranking.terms["omission"].value is not None


def test_a_winner_that_is_none_is_a_fault(table: Table) -> None:
    rows = [battle("Ash", "Birch", told) for told in ("value_2", "", "NA", "Birch", "bothbad")]
    records, _ = read(table(rows))
    assert [record.chosen for record in records] == ["Birch", None, None, None, None]
    assert choices(records).faults == {"unparsed": 4}


def test_what_is_no_battle_of_two_values_is_dropped_and_told(table: Table) -> None:
    sides = [("Ash", "Ash"), ("", "Ash"), ("A", "x" * 101)]
    rows = [battle(one, two, "value_1") for one, two in sides]
    records, importing = read(table([*rows, battle("Ash", "Birch", "value_1")]))
    assert [len(record.options) for record in records] == [2]
    assert [each.line for each in importing.dropped] == [2, 3, 4]
    assert importing.dropped[1].reason == "value_1: empty"
    assert list(importing.unmapped) == ["x" * 101]


def test_without_a_dilemma_battles_are_independent_and_that_is_told(table: Table) -> None:
    records, importing = read(table(drawn(30)))
    assert len({each.cluster for each in choices(records).evidence}) == 30
    assert "intervals are too narrow" in importing.notes[0]


@pytest.mark.parametrize("column", ["dilemma", "idx"])
def test_battles_of_one_dilemma_are_one_cluster(table: Table, column: str) -> None:
    """Trap 2: one choice split into many battles must not count as many."""
    rows = [row | {column: f"d{at // 10}"} for at, row in enumerate(drawn(300))]
    split = [row | {column: f"d{at}"} for at, row in enumerate(rows) for _ in range(10)]
    own = rank_values(choices(read(table(rows))[0]), draws=50)
    told, importing = read(table(split))
    assert importing.notes == []
    clustered = rank_values(choices(told), draws=50)
    naive_rows = [{k: v for k, v in row.items() if k != column} for row in split]
    naive = rank_values(choices(read(table(naive_rows))[0]), draws=50)
    assert own.clusters == 30
    assert clustered.clusters == 300
    widths = [r.values[0].high - r.values[0].low for r in (clustered, naive)]  # type: ignore[operator]
    assert widths[0] > 2.5 * widths[1]


def test_names_of_values_are_taken_as_they_are_unless_a_vocabulary_is_named(table: Table) -> None:
    rows = [battle("honesty", "Care", "value_1"), battle("Ash", "Care", "value_1")]
    (first, _), _ = read(table(rows))
    assert first.chosen == "honesty"
    (mapped,), importing = read(table(rows), taxonomy="valuesim")
    assert mapped.chosen == "Truthfulness"
    assert importing.unmapped == {"Ash": 1}


def test_models_are_told_apart(table: Table) -> None:
    rows = [battle("Ash", "Birch", "value_1", model=name) for name in ("a", "b")]
    assert [r.player.model_name for r in read(table(rows))[0]] == ["a", "b"]
    with pytest.raises(InputError, match="has a column 'model'"):
        read(table(rows), model="c")


def test_battles_go_out_and_come_back_as_the_same_evidence(
    table: Table, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row | {"dilemma": f"d{at % 40}"} for at, row in enumerate(drawn(120, ties=0.2))]
    one, two, out = tmp_path / "one", tmp_path / "two", tmp_path / "again.csv"
    assert main(["import", "battles", str(table(rows)), "--out", str(one), "--model", "m"]) == 0
    assert main(["export", "battles", str(one), "--out", str(out)]) == 0
    assert main(["import", "battles", str(out), "--out", str(two)]) == 0
    found = []
    for run in (one, two):
        capsys.readouterr()
        assert main(["graph", str(run), "--json", "-"]) == 0
        (group,) = json.loads(capsys.readouterr().out)["groups"]
        strengths = {each["value"]: each["strength"] for each in group["values"]}
        found.append(strengths | {"clusters": group["clusters"]})
    assert found[0] == pytest.approx(found[1])


def test_a_choice_of_many_values_is_not_made_many_battles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    given = ["env=dilemmas", "agents=random", "episodes=1", "env.scenes=10", "run.name=./own"]
    assert main(["run", *given]) == 0
    assert main(["export", "battles", "own", "--out", "b.csv"]) == 2
    assert "a battle holds two" in capsys.readouterr().err
    assert not Path("b.csv").exists()
