"""The design is what it says: every factor drawn by itself, groups filled by the rules."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import chi2_contingency, chisquare

from valuesim.envs.moral_machine import CHARACTERS, Scene, generate, read
from valuesim.envs.moral_machine.generator import (
    DIMENSIONS,
    LAWS,
    PAIRS,
    SIDES,
    STRUCTURES,
    Scenes,
)
from valuesim.envs.moral_machine.scene import LEVELS, PLACE

NUMBER = 20_000
UNLIKELY = 1e-4
"""Below this a test's null is rejected; the seed is fixed, so that a pass is a pass for good."""

FACTORS = {
    "dimension": list(DIMENSIONS.values()),
    "structure": list(STRUCTURES.values()),
    "law": list(LAWS.values()),
    "side": list(SIDES),
}


@pytest.fixture(scope="module")
def scenes() -> Scenes:
    return generate(NUMBER, np.random.default_rng(1))


@pytest.fixture(scope="module")
def single(scenes: Scenes) -> list[Scene]:
    return [scenes.scene(index) for index in range(3000)]


@pytest.mark.parametrize("name", FACTORS)
def test_each_factor_has_its_stated_probabilities(scenes: Scenes, name: str) -> None:
    chances = FACTORS[name]
    assert sum(chances) == pytest.approx(1)
    seen = np.bincount(getattr(scenes, name), minlength=len(chances))
    assert chisquare(seen, NUMBER * np.array(chances)).pvalue > UNLIKELY


@pytest.mark.parametrize(("one", "other"), list(combinations(FACTORS, 2)))
def test_factors_are_independent(scenes: Scenes, one: str, other: str) -> None:
    table = np.zeros((len(FACTORS[one]), len(FACTORS[other])))
    np.add.at(table, (getattr(scenes, one), getattr(scenes, other)), 1)
    assert chi2_contingency(table).pvalue > UNLIKELY


def test_how_many_die_does_not_depend_on_structure_law_or_side(scenes: Scenes) -> None:
    sizes = scenes.counts.sum(axis=2)[:, 0]
    for name in ("structure", "law"):
        table = np.zeros((3, 5))
        np.add.at(table, (getattr(scenes, name), sizes - 1), 1)
        assert chi2_contingency(table).pvalue > UNLIKELY
    # the side decides which level it is, so only where levels do not differ in size
    equal = scenes.dimension != list(DIMENSIONS).index("Utilitarian")
    table = np.zeros((2, 5))
    np.add.at(table, (scenes.side[equal], sizes[equal] - 1), 1)
    assert chi2_contingency(table).pvalue > UNLIKELY


def test_a_cells_probability_is_the_product_and_comes_true(scenes: Scenes) -> None:
    cells: dict[tuple[int, ...], list[float]] = {}
    for place in range(NUMBER):
        key = tuple(int(getattr(scenes, name)[place]) for name in FACTORS)
        cells.setdefault(key, []).append(float(scenes.probability[place]))
    assert len(cells) == 7 * 3 * 3 * 2
    for key, stated in cells.items():
        product = np.prod([FACTORS[name][level] for name, level in zip(FACTORS, key, strict=True)])
        assert stated == pytest.approx([product] * len(stated))
    seen = [len(stated) for stated in cells.values()]
    expected = NUMBER * np.array([stated[0] for stated in cells.values()])
    assert expected.sum() == pytest.approx(NUMBER)
    assert chisquare(seen, expected).pvalue > UNLIKELY


def test_one_dimension_alone_has_probability_one() -> None:
    ages = generate(50, np.random.default_rng(0), "Age")
    assert {ages.scene(index).dimension for index in range(50)} == {"Age"}
    assert set(ages.probability) <= {a * b * 0.5 for a in (0.25, 0.5) for b in (0.25, 0.5)}


def test_the_same_generator_gives_the_same_scenes() -> None:
    first, again = (generate(100, np.random.default_rng(9)) for _ in range(2))
    assert (first.counts == again.counts).all()
    assert (first.law == again.law).all()


def test_all_twenty_characters_occur_on_both_sides(scenes: Scenes) -> None:
    assert (scenes.counts.sum(axis=0) > 0).all()
    assert scenes.counts.shape == (NUMBER, 2, 20)


def test_groups_hold_one_to_five(scenes: Scenes) -> None:
    sizes = scenes.counts.sum(axis=2)
    assert set(np.unique(sizes)) == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("dimension", PAIRS)
def test_paired_groups_are_equally_large_and_can_be_matched(
    single: list[Scene], dimension: str
) -> None:
    own = [scene for scene in single if scene.dimension == dimension]
    assert {scene.groups[0].size for scene in own} == {1, 2, 3, 4, 5}
    for scene in own:
        first, second = (_of_level(scene, level) for level in LEVELS[dimension])
        assert len(first) == len(second)
        assert _matches(first, second, set(PAIRS[dimension])), scene


def _of_level(scene: Scene, level: str) -> list[str]:
    group = next(group for group in scene.groups if group.level == level)
    return [character.name for character in group.members]


def _matches(first: list[str], second: list[str], pairs: set[tuple[str, str]]) -> bool:
    if not first:
        return True
    partners = {name for name in second if (first[0], name) in pairs}
    return any(
        _matches(first[1:], second[: (at := second.index(name))] + second[at + 1 :], pairs)
        for name in partners
    )


@pytest.mark.parametrize(
    ("dimension", "attribute", "shared"),
    [
        ("Gender", "gender", ("species", "age", "fitness", "status")),
        ("Age", "age", ("species", "gender", "fitness", "status")),
        ("Fitness", "fitness", ("species", "gender", "age", "status")),
    ],
)
def test_matched_characters_differ_in_one_attribute_only(
    dimension: str, attribute: str, shared: tuple[str, ...]
) -> None:
    for low, high in PAIRS[dimension]:
        one, other = CHARACTERS[PLACE[low]], CHARACTERS[PLACE[high]]
        assert getattr(one, attribute) != getattr(other, attribute)
        assert all(getattr(one, name) == getattr(other, name) for name in shared)


def test_the_pairs_are_those_of_the_literature() -> None:
    assert {name: len(pairs) for name, pairs in PAIRS.items()} == {
        "Species": 2 * 18,
        "Social Value": 2 * 2 + 2 * 5 + 2 * 5,
        "Gender": 7,
        "Age": 6,
        "Fitness": 6,
    }
    assert ("OldMan", "Boy") in PAIRS["Age"]
    assert ("LargeWoman", "Woman") in PAIRS["Fitness"]
    assert ("Cat", "Criminal") in PAIRS["Species"]


def test_the_larger_group_holds_the_smaller_and_one_to_four_more(scenes: Scenes) -> None:
    own = scenes.dimension == list(DIMENSIONS).index("Utilitarian")
    places = np.arange(own.sum())
    counts, side = scenes.counts[own], scenes.side[own]
    fewer, more = counts[places, side], counts[places, 1 - side]
    assert (more >= fewer).all()
    differences = (more - fewer).sum(axis=1)
    seen = np.bincount(differences, minlength=5)[1:]
    assert chisquare(seen, len(places) * np.array([25, 13, 7, 3]) / 48).pvalue > UNLIKELY


def test_random_groups_are_anyone(scenes: Scenes) -> None:
    counts = scenes.counts[scenes.dimension == list(DIMENSIONS).index("Random")]
    assert (counts.sum(axis=(0, 1)) > 0).all()
    table = np.zeros((5, 5))
    np.add.at(table, tuple(counts.sum(axis=2).T - 1), 1)
    assert chisquare(table.ravel()).pvalue > UNLIKELY, "sizes are independent and all alike"


def test_signals_are_opposite_between_pedestrians_and_none_for_passengers(
    single: list[Scene],
) -> None:
    seen = set()
    for scene in single:
        ahead, aside = scene.groups
        seen.add((ahead.are_passengers, aside.are_passengers, ahead.signal, aside.signal))
    assert seen == {
        *((True, False, 0, signal) for signal in (0, 1, 2)),
        *((False, True, signal, 0) for signal in (0, 1, 2)),
        (False, False, 0, 0),
        (False, False, 1, 2),
        (False, False, 2, 1),
    }


def test_a_scene_is_read_back_from_its_annotation(single: list[Scene]) -> None:
    assert all(read(scene.annotation()) == scene for scene in single[:200])


def test_the_annotation_is_what_measures_expect() -> None:
    noted = generate(1, np.random.default_rng(4), "Gender").scene(0).annotation()
    assert set(noted) == {"dimension", "pedped", "probability", "groups"}
    assert [set(group) for group in noted["groups"]] == [
        {"characters", "barrier", "signal", "level"}
    ] * 2
    assert {group["level"] for group in noted["groups"]} == {"Male", "Female"}
    assert all(number > 0 for group in noted["groups"] for number in group["characters"].values())


@pytest.mark.parametrize(
    "broken", [{}, {"groups": []}, {"dimension": "Age", "probability": 1, "groups": [{}, {}]}]
)
def test_what_is_no_scene_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no moral-machine scene"):
        read(broken)


def test_equal_scenes_have_equal_ids_and_others_do_not(single: list[Scene]) -> None:
    for scene in single[:50]:
        assert read(scene.annotation()).id == scene.id
    assert len({scene.id for scene in single}) == len({(s.dimension, s.groups) for s in single})
