"""The exported tables, and the published script's formulas run on them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from valuesim.decision import Fault
from valuesim.episode import Player
from valuesim.errors import InputError
from valuesim.log.reader import DecisionRecord, EpisodeRecord
from valuesim.measures.moral_machine.comparability import comparable, comparable_by_difference
from valuesim.measures.moral_machine.export import (
    COLUMNS,
    moral_machine_rows,
    write_moral_machine,
    write_moral_machine_awad,
)
from valuesim.measures.moral_machine.judgements import judgements
from valuesim.measures.moral_machine.scene import CHARACTERS, DIMENSIONS, LEVELS
from valuesim.option import Option

HEADER = (
    "ResponseID,ExtendedSessionID,UserID,ScenarioOrder,Intervention,PedPed,Barrier,CrossingSignal,"
    "AttributeLevel,ScenarioTypeStrict,ScenarioType,DefaultChoice,NonDefaultChoice,"
    "DefaultChoiceIsOmission,NumberOfCharacters,DiffNumberOFCharacters,Saved,Template,"
    "DescriptionShown,LeftHand,UserCountry3,Man,Woman,Pregnant,Stroller,OldMan,OldWoman,Boy,Girl,"
    "Homeless,LargeWoman,LargeMan,Criminal,MaleExecutive,FemaleExecutive,FemaleAthlete,MaleAthlete,"
    "FemaleDoctor,MaleDoctor,Dog,Cat"
)
TEXTS = {"ResponseID", "ExtendedSessionID", "UserID", "AttributeLevel", "Template", "UserCountry3"}
TEXTS |= {"ScenarioType", "ScenarioTypeStrict"}
EMPTY = {"DefaultChoice", "NonDefaultChoice", "DefaultChoiceIsOmission"}
OPTIONS = (Option(name="CASE_2", text=""), Option(name="CASE_1", text=""))


def record(
    told: dict[str, Any], side: str | None, first: str = "stay", number: int = 0
) -> DecisionRecord:
    """A decision of a model; case 1 is to do `first`."""
    other = "swerve" if first == "stay" else "stay"
    labels = {"CASE_1": first, "CASE_2": other}
    episode = EpisodeRecord(
        id=f"e{number // 13}",
        env="moral_machine-v0",
        condition={},
        population={"Alpha": Player(agent="llm", model={"name": "some/model"})},
        seed=number // 13,
        steps=13,
        decisions=13,
    )
    return DecisionRecord(
        episode=episode,
        step=number % 13,
        role="Alpha",
        options=OPTIONS,
        chosen=None if side is None else next(n for n, means in labels.items() if means == side),
        fault=Fault.UNPARSED if side is None else None,
        annotations={
            "moral_scene": told,
            "labels": labels,
            "number": number % 13,
            "phase": "decide",
        },
    )


def drawn_scene(rng: np.random.Generator, dimension: str) -> dict[str, Any]:
    """A scene with everything drawn apart."""
    structure, law, side = rng.integers(3), int(rng.integers(3)), rng.integers(2)
    signals = (law, [0, 2, 1][law] if structure == 2 else law)
    levels = LEVELS.get(dimension, ("Rand", "Rand"))
    more = int(rng.integers(1, 5)) if dimension == "Utilitarian" else 0
    groups = [
        {
            "characters": {str(rng.choice(CHARACTERS)): 1 + more * place},
            "barrier": int(structure == place),
            "signal": 0 if structure == place else signals[place],
            "level": levels[place],
        }
        for place in (0, 1)
    ]
    if side:
        groups.reverse()
        for group, place in zip(groups, (0, 1), strict=True):
            group["barrier"] = int(structure == place)
            group["signal"] = 0 if structure == place else signals[place]
    return {
        "dimension": dimension,
        "pedped": int(structure == 2),
        "probability": 0.01,
        "groups": groups,
    }


def played(n: int, seed: int, dimensions: tuple[str, ...] = DIMENSIONS) -> list[DecisionRecord]:
    """Decisions of an agent that stays the more readily the fewer it kills."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(n):
        told = drawn_scene(rng, dimensions[number % len(dimensions)])
        ahead, aside = (sum(group["characters"].values()) for group in told["groups"])
        stays = rng.random() < 0.6 - 0.1 * (ahead - aside)
        first = "stay" if rng.random() < 0.5 else "swerve"
        found.append(record(told, "stay" if stays else "swerve", first, number))
    return found


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_columns_are_the_41_in_order(tmp_path: Path) -> None:
    assert write_moral_machine(played(400, seed=0), tmp_path / "out.csv") == 400
    first, second = (tmp_path / "out.csv").read_text(encoding="utf-8").split("\n")[:2]
    assert first == HEADER
    assert len(COLUMNS) == second.count(",") + 1 == 41
    assert len(read(tmp_path / "out.csv")) == 800


def test_one_decision_is_two_rows_by_hand() -> None:
    told = {
        "dimension": "Species",
        "pedped": 0,
        "probability": 0.01,
        "groups": [
            {"characters": {"Dog": 3}, "barrier": 1, "signal": 0, "level": "Pets"},
            {"characters": {"Man": 1, "Girl": 1}, "barrier": 0, "signal": 2, "level": "Hoomans"},
        ],
    }
    # case 1 is to swerve; the choice is to stay, which kills the dogs
    one, two = moral_machine_rows([record(told, "stay", first="swerve", number=15)])
    assert one | {"ResponseID": ""} == {
        **dict.fromkeys(COLUMNS, 0),
        "ResponseID": "",
        "ExtendedSessionID": "e1_Alpha",
        "UserID": "llm/some/model",
        "ScenarioOrder": 2,
        "Intervention": 1,
        "CrossingSignal": 2,
        "AttributeLevel": "Hoomans",
        "ScenarioTypeStrict": "Species",
        "ScenarioType": "Species",
        **dict.fromkeys(EMPTY, ""),
        "NumberOfCharacters": 2,
        "DiffNumberOFCharacters": 1,
        "Saved": 1,
        "Template": "desktop",
        "DescriptionShown": 1,
        "LeftHand": 1,
        "UserCountry3": "XXX",
        "Man": 1,
        "Girl": 1,
    }
    changed = {name for name in COLUMNS if one[name] != two[name]}
    assert {name: two[name] for name in changed} == {
        "Intervention": 0,
        "Barrier": 1,
        "CrossingSignal": 0,
        "AttributeLevel": "Pets",
        "NumberOfCharacters": 3,
        "Saved": 0,
        "Man": 0,
        "Girl": 0,
        "Dog": 3,
    }


def test_the_first_row_is_of_case_1_whatever_is_shown_first() -> None:
    told = drawn_scene(np.random.default_rng(0), "Age")
    for first, dies in (("stay", 0), ("swerve", 1)):
        rows = moral_machine_rows([record(told, "stay", first=first)])
        assert [row["Intervention"] for row in rows] == [dies, 1 - dies]


def test_whatever_is_not_text_is_a_whole_number_and_never_a_truth_value(tmp_path: Path) -> None:
    told = played(200, seed=1)
    for each in told[::3]:
        each.annotations["moral_scene"]["pedped"] = bool(each.annotations["moral_scene"]["pedped"])
        for group in each.annotations["moral_scene"]["groups"]:
            group["barrier"] = bool(group["barrier"])
    for row in moral_machine_rows(told):
        kinds = {name: type(value) for name, value in row.items()}
        assert kinds == {n: str if n in TEXTS | EMPTY else int for n in COLUMNS}
    write_moral_machine(told, tmp_path / "out.csv")
    for line in read(tmp_path / "out.csv"):
        assert all(line[name].isdigit() for name in set(COLUMNS) - TEXTS - EMPTY)


def test_the_two_rows_of_a_decision_are_complementary_and_decisions_have_their_own_name() -> None:
    rows = moral_machine_rows(played(200, seed=2))
    for one, two in zip(rows[::2], rows[1::2], strict=True):
        assert one["Saved"] != two["Saved"]
        assert one["Intervention"] != two["Intervention"]
        assert one["ResponseID"] == two["ResponseID"]
    assert len({row["ResponseID"] for row in rows}) == 200


def test_a_fault_has_no_rows() -> None:
    told = drawn_scene(np.random.default_rng(0), "Age")
    assert moral_machine_rows([record(told, None)]) == []


@pytest.mark.parametrize("lacking", LEVELS)
def test_a_missing_dimension_is_named(lacking: str, tmp_path: Path) -> None:
    told = played(300, seed=3, dimensions=tuple(d for d in DIMENSIONS if d != lacking))
    levels = ", ".join(f"{lacking} {level}" for level in LEVELS[lacking])
    with pytest.raises(InputError, match=f"these 300 valid decisions: none of them has {levels};"):
        write_moral_machine(told, tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_structure_is_named(tmp_path: Path) -> None:
    walking = [r for r in played(400, seed=4) if r.annotations["moral_scene"]["pedped"]]
    with pytest.raises(InputError, match="has passengers, pedestrians without a signal before"):
        write_moral_machine(walking, tmp_path / "out.csv")
    with pytest.raises(InputError, match="0 valid decisions"):
        write_moral_machine([], tmp_path / "out.csv")


def test_differences_without_a_decision_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told = played(400, seed=5)
    few = [
        each
        for each, row in zip(told, moral_machine_rows(told)[::2], strict=True)
        if row["ScenarioType"] != "Utilitarian" or row["DiffNumberOFCharacters"] != 3
    ]
    assert write_moral_machine(few, tmp_path / "out.csv") == len(few)
    assert [each.getMessage()[:58] for each in caplog.records] == [
        "no Utilitarian decision has a difference of 3: the script'"
    ]


def test_the_awad_table_says_social_status_and_needs_random_scenes(tmp_path: Path) -> None:
    write_moral_machine_awad(played(400, seed=6), tmp_path / "out.csv")
    kinds = {row["ScenarioType"] for row in read(tmp_path / "out.csv")}
    assert kinds == {*DIMENSIONS, "Social Status"} - {"Social Value"}
    without = played(400, seed=6, dimensions=tuple(LEVELS))
    write_moral_machine(without, tmp_path / "other.csv")
    with pytest.raises(InputError, match="has Random Rand;"):
        write_moral_machine_awad(without, tmp_path / "out.csv")
    lacking = played(300, seed=6, dimensions=tuple(d for d in DIMENSIONS if d != "Social Value"))
    with pytest.raises(InputError, match="has Social Status Low, Social Status High;"):
        write_moral_machine_awad(lacking, tmp_path / "out.csv")


# The published script, in its own words: a data frame of strings, row by row, then `lm`.


def cell(row: dict[str, str]) -> float:
    if row["Intervention"] == "0":
        if row["Barrier"] == "1":
            return 0.2
        p = 0.48 if row["PedPed"] == "1" else 0.32
        return p * {"0": 0.48, "1": 0.2, "2": 0.32}[row["CrossingSignal"]]
    if row["Barrier"] == "1":
        return 0.32
    if row["PedPed"] == "1":
        return 0.48 * {"0": 0.48, "1": 0.32, "2": 0.2}[row["CrossingSignal"]]
    return 0.2 * {"0": 0.48, "1": 0.2, "2": 0.32}[row["CrossingSignal"]]


def lm(rows: list[dict[str, str]], column: str, second: str) -> tuple[float, float]:
    """Coefficient of the second level and its standard error, weights 1/p."""
    y = np.array([float(row["Saved"]) for row in rows])
    x = np.array([[1.0, float(row[column] == second)] for row in rows])
    w = np.array([1 / cell(row) for row in rows])
    root = np.sqrt(w)
    beta, squares, _, _ = np.linalg.lstsq(x * root[:, None], y * root, rcond=None)
    covariance = np.linalg.inv(x.T @ np.diag(w) @ x) * squares[0] / (len(y) - 2)
    return float(beta[1]), float(np.sqrt(covariance[1, 1]))


def script(rows: list[dict[str, str]]) -> dict[str, tuple[float, float]]:
    def where(test: Callable[[dict[str, str]], bool]) -> list[dict[str, str]]:
        return [row for row in rows if test(row)]

    plain = where(lambda r: r["CrossingSignal"] == "0" and r["PedPed"] == "0")
    signalled = where(lambda r: r["CrossingSignal"] != "0" and r["PedPed"] == "1")
    found = {
        "Intervention": lm(rows, "Intervention", "1"),
        "Relation to AV": lm(plain, "Barrier", "0"),
        "Law": lm(signalled, "CrossingSignal", "1"),
    }
    for name, kind, second in (
        ("Gender", "Gender", "Female"),
        ("Fitness", "Fitness", "Fit"),
        ("Social Status", "Social Value", "High"),
        ("Age", "Age", "Young"),
        ("No. Characters", "Utilitarian", "More"),
        ("Species", "Species", "Hoomans"),
    ):
        own = [row for row in rows if row["ScenarioType"] == kind == row["ScenarioTypeStrict"]]
        found[name] = lm(own, "AttributeLevel", second)
    for difference in "1234":
        own = [
            row
            for row in rows
            if row["ScenarioType"] == "Utilitarian" and row["DiffNumberOFCharacters"] == difference
        ]
        found[difference] = lm(own, "AttributeLevel", "More")
    return found


@pytest.mark.parametrize("seed", range(3))
def test_the_scripts_formulas_on_the_table_agree_with_our_comparable_mode(
    seed: int, tmp_path: Path
) -> None:
    records = played(800, seed=10 + seed)
    write_moral_machine(records, tmp_path / "out.csv")
    expected = script(read(tmp_path / "out.csv"))
    valid = judgements(records)
    ours = {**comparable(valid)} | {str(k): v for k, v in comparable_by_difference(valid).items()}
    assert set(ours) == set(expected)
    for name, (value, se) in expected.items():
        assert ours[name].value == pytest.approx(value, abs=1e-6), name
        assert ours[name].classical_se == pytest.approx(se, abs=1e-6), name
