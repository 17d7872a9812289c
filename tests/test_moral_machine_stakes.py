"""What is at stake in a scene, by hand; and that nine weights can be told apart by choices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from valuesim.agents.scripted.valued import profiles
from valuesim.envs.moral_machine import generate, read
from valuesim.envs.moral_machine.scene import LEVELS, Scene
from valuesim.envs.moral_machine.stakes import leans, stakes
from valuesim.values import load_taxonomy

VALUES = load_taxonomy("moral_machine").names


def scene(
    dimension: str,
    ahead: dict[str, int],
    aside: dict[str, int],
    *,
    passengers: str = "",
    signals: tuple[int, int] = (0, 0),
) -> Scene:
    """Return a scene whose group `ahead` dies if the car stays; levels follow `leans` only."""
    groups: list[dict[str, Any]] = [
        {
            "characters": characters,
            "barrier": int(passengers == place),
            "signal": signal,
            "level": level,
        }
        for place, characters, signal, level in zip(
            ("ahead", "aside"), (ahead, aside), signals, LEVELS[dimension], strict=True
        )
    ]
    return read({"dimension": dimension, "probability": 0.1, "groups": groups})


STAY = {"Inaction": 0.5}
CASES = [
    (scene("Gender", {"Man": 2}, {"Woman": 2}), STAY | {"Sparing Females": 1.0}, {}),
    (scene("Gender", {"Girl": 1}, {"Boy": 1}), STAY, {"Sparing Females": 1.0}),
    (scene("Species", {"Criminal": 1}, {"Cat": 1}), STAY, {"Sparing Humans": 1.0}),
    (scene("Age", {"Man": 1}, {"OldMan": 1}), STAY, {"Sparing the Young": 1.0}),
    (scene("Fitness", {"LargeMan": 1}, {"Man": 1}), STAY | {"Sparing the Fit": 1.0}, {}),
    (
        scene("Social Value", {"Homeless": 1}, {"FemaleDoctor": 1}),
        STAY | {"Sparing Higher Status": 1.0},
        {},
    ),
    (
        scene("Utilitarian", {"Man": 1, "Cat": 3}, {"Man": 1}),
        STAY,
        {"Sparing More": 0.75},
    ),
    (
        scene("Utilitarian", {"Boy": 1}, {"Boy": 1, "OldWoman": 1}),
        STAY | {"Sparing More": 0.25},
        {},
    ),
    (
        scene("Gender", {"Man": 1}, {"Woman": 1}, passengers="aside"),
        STAY | {"Sparing Females": 1.0},
        {"Sparing Pedestrians": 1.0},
    ),
    (
        scene("Gender", {"Man": 1}, {"Woman": 1}, passengers="ahead", signals=(0, 2)),
        STAY | {"Sparing Pedestrians": 1.0, "Sparing Females": 1.0},
        {"Sparing the Lawful": 0.5},
    ),
    (
        scene("Gender", {"Man": 1}, {"Woman": 1}, passengers="aside", signals=(1, 0)),
        STAY | {"Sparing Females": 1.0},
        {"Sparing Pedestrians": 1.0, "Sparing the Lawful": 0.5},
    ),
    (
        scene("Gender", {"Woman": 1}, {"Man": 1}, signals=(2, 1)),
        STAY | {"Sparing the Lawful": 1.0},
        {"Sparing Females": 1.0},
    ),
    (
        # means of -1/2, 0 and 1/2: humans 0 and 1/2, females -1/4 and 1/2, young 1/4 and -1/2
        scene("Random", {"Boy": 1, "Dog": 1}, {"OldWoman": 1}),
        STAY | {"Sparing Humans": 0.5, "Sparing Females": 0.75},
        {"Sparing More": 0.25, "Sparing the Young": 0.75},
    ),
    (scene("Random", {"Man": 1}, {"Man": 1}), STAY, {}),
]


@pytest.mark.parametrize(("given", "stay", "swerve"), CASES, ids=range(len(CASES)))
def test_stakes_are_those_of_the_table(
    given: Scene, stay: dict[str, float], swerve: dict[str, float]
) -> None:
    assert stakes(given) == {"stay": stay, "swerve": swerve}


def test_mirroring_a_scene_mirrors_all_but_inaction() -> None:
    drawn = generate(300, np.random.default_rng(2))
    for index in range(300):
        one = drawn.scene(index)
        other = read(one.annotation() | {"groups": one.annotation()["groups"][::-1]})
        assert leans(other) == pytest.approx({value: -lean for value, lean in leans(one).items()})


def test_every_dimension_puts_its_own_value_on_the_side_that_spares_the_second_level() -> None:
    drawn = generate(2000, np.random.default_rng(3))
    for index in range(2000):
        one = drawn.scene(index)
        if one.dimension == "Random":
            continue
        spared = {side: one.spared(side).level for side in ("stay", "swerve")}
        side = next(s for s, level in spared.items() if level == LEVELS[one.dimension][1])
        own = {
            "Species": "Sparing Humans",
            "Social Value": "Sparing Higher Status",
            "Gender": "Sparing Females",
            "Age": "Sparing the Young",
            "Fitness": "Sparing the Fit",
            "Utilitarian": "Sparing More",
        }[one.dimension]
        assert stakes(one)[side][own] > 0, one


def differences(number: int, seed: int) -> np.ndarray:
    """Return, by scene and value, what swerving upholds less what staying does."""
    drawn = generate(number, np.random.default_rng(seed))
    rows = np.zeros((number, len(VALUES)))
    for index in range(number):
        upheld = stakes(drawn.scene(index))
        for place, value in enumerate(VALUES):
            rows[index, place] = upheld["swerve"].get(value, 0) - upheld["stay"].get(value, 0)
    return rows


def test_choices_identify_all_nine_weights() -> None:
    planted = np.array([2.0, -1.0, 1.5, 0.5, -0.5, 1.0, 2.5, 6.0, 3.0])
    rows = differences(8000, 5)
    assert np.linalg.matrix_rank(rows) == len(VALUES) == 9
    swerves = np.random.default_rng(6).random(len(rows)) < 1 / (1 + np.exp(-rows @ planted))
    weights = np.zeros(9)
    for _ in range(30):
        chance = 1 / (1 + np.exp(-rows @ weights))
        curvature = rows.T @ (rows * (chance * (1 - chance))[:, None])
        weights += np.linalg.solve(curvature, rows.T @ (swerves - chance))
    errors = np.sqrt(np.diag(np.linalg.inv(curvature)))
    assert (np.abs(weights - planted) < 4 * errors).all(), (weights, errors)
    assert (errors < 0.5).all()


def test_the_vocabulary_rolls_up_what_a_value_upholds_and_leaves_out_what_violates_one() -> None:
    vocabulary, coarser = load_taxonomy("moral_machine"), load_taxonomy("valuesim")
    placed = {value: vocabulary.roll_up("valuesim", value) for value in VALUES}
    assert placed["Sparing More"] == "Protection"
    assert placed["Sparing the Lawful"] == "Justice"
    assert {value for value, label in placed.items() if label is None} == {
        *("Inaction", "Sparing Females", "Sparing the Fit", "Sparing Higher Status")
    }
    coarser.check([label for label in placed.values() if label], "roll-up of moral_machine")


def test_profiles_of_this_vocabulary_use_its_values_only() -> None:
    own = {n: p for n, p in profiles().items() if p["taxonomy"] == "moral_machine"}
    assert set(own) >= {"utilitarian", "rule_keeper"}
    for name, profile in own.items():
        load_taxonomy("moral_machine").check(profile["weights"], f"profile {name}")
