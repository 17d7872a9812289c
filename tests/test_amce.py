"""Effects in moral machine scenes: by hand, against least squares, and from planted truths."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from valuesim.measures.moral_machine.amce import (
    ATTRIBUTES,
    amce,
    amce_rows,
    by_difference,
    plus_group,
)
from valuesim.measures.moral_machine.comparability import website_probability
from valuesim.measures.moral_machine.contrast import Effect, Rows, weighted_contrast
from valuesim.measures.moral_machine.distance import distance
from valuesim.measures.moral_machine.judgements import Judgements
from valuesim.measures.moral_machine.people import people
from valuesim.measures.moral_machine.scene import DIMENSIONS

SPECIES, GENDER, UTILITARIAN = (DIMENSIONS.index(n) for n in ("Species", "Gender", "Utilitarian"))
PLANTED = {
    "Intervention": 0.08,
    "Relation to AV": 0.12,
    "Law": 0.35,
    "Gender": -0.15,
    "Fitness": 0.16,
    "Social Status": 0.3,
    "Age": 0.4,
    "No. Characters": 0.5,
    "Species": 0.45,
}
DESIGN = [2 / 13] * 6 + [1 / 13]


def asked(*decisions: Mapping[str, Any]) -> Judgements:
    """Judgements of decisions that say what is not as in a random scene of pedestrians."""
    usual: dict[str, Any] = {
        "dimension": 6,
        "pedped": 1,
        "barrier": (0, 0),
        "signal": (0, 0),
        "level": (-1, -1),
        "size": (1, 1),
        "stays": True,
        "probability": 0.1,
        "cluster": 0,
    }
    full = [usual | {"cluster": i} | dict(own) for i, own in enumerate(decisions)]
    return Judgements(**{name: np.array([each[name] for each in full]) for name in usual})


def species(stays: bool, plus: int = 1, **other: Any) -> dict[str, Any]:
    """A decision on species, the humans in group `plus`."""
    return {"dimension": SPECIES, "level": (1 - plus, plus), "stays": stays, **other}


def drawn(n: int, rng: np.random.Generator, humans_aside: float = 0.5) -> Judgements:
    """A balanced design with everything drawn apart; `humans_aside` unbalances the sides.

    Nobody has answered yet: the car always stays.
    """
    dimension = rng.choice(7, size=n, p=DESIGN)
    structure = rng.integers(3, size=n)
    law = rng.integers(3, size=n)
    side = (rng.random(n) < humans_aside).astype(int)
    is_random = dimension == 6
    of_side = np.where(side == 1, humans_aside, 1 - humans_aside)
    barrier = np.stack([structure == 0, structure == 1], axis=1).astype(int)
    signals = np.stack([law, np.where(structure == 2, np.array([0, 2, 1])[law], law)], axis=1)
    fewer = rng.integers(1, 5, size=n)
    more = fewer + rng.integers(1, 6 - fewer)
    more = np.where(dimension == UTILITARIAN, more, fewer)
    return Judgements(
        dimension=dimension,
        pedped=(structure == 2).astype(int),
        barrier=barrier,
        signal=np.where(barrier == 1, 0, signals),
        level=np.where(is_random[:, None], -1, np.stack([1 - side, side], axis=1)),
        size=np.where(side[:, None] == 1, np.stack([fewer, more], 1), np.stack([more, fewer], 1)),
        stays=np.ones(n, dtype=bool),
        probability=np.array(DESIGN)[dimension] / 9 * of_side,
        cluster=np.arange(n),
    )


def leaning(judgements: Judgements, truth: Mapping[str, float]) -> np.ndarray[Any, Any]:
    """The probability of staying of an agent with the effects `truth`, in each decision."""
    lean = np.full(len(judgements), 0.5)
    for name, effect in truth.items():
        plus = plus_group(judgements, name)
        lean += effect / 2 * ((plus == 1).astype(int) - (plus == 0))
    return lean


def answered(
    judgements: Judgements, truth: Mapping[str, float], rng: np.random.Generator
) -> Judgements:
    return replace(judgements, stays=rng.random(len(judgements)) < leaning(judgements, truth))


def test_four_scenes_by_hand() -> None:
    # humans spared in three of four scenes: 3/4 - 1/4
    effect = amce(asked(species(True), species(True), species(False, plus=0), species(False)))[
        "Species"
    ]
    assert effect.value == pytest.approx(0.5)
    assert (effect.n, effect.clusters) == (4, 4)
    # rows +: residuals 1/4 (3 times), -3/4; influence of a decision: twice its residual over 4
    by_hand = 4 / 3 * 7 / 6 * (3 * (2 / 4 * 0.25) ** 2 + (2 / 4 * 0.75) ** 2)
    assert effect.se == pytest.approx(np.sqrt(by_hand))


def test_weights_undo_an_unequal_design_by_hand() -> None:
    # the scene answered for pets is drawn three times as often as the other: weights 10/3 and 10
    rare, common = species(True, probability=0.1), species(False, probability=0.3)
    assert amce(asked(rare, common))["Species"].value == pytest.approx((10 - 10 / 3) / (40 / 3))
    even = np.ones(2)
    assert amce(asked(rare, common), weight=even)["Species"].value == pytest.approx(0.0)


def test_the_six_of_the_characters_count_in_their_own_dimension_only() -> None:
    effects = amce(asked(species(True), {"dimension": GENDER, "level": (0, 1), "stays": False}))
    assert effects["Species"].value == 1.0
    assert effects["Gender"].value == -1.0
    assert effects["Age"] == Effect()
    assert effects["Intervention"].value == pytest.approx(0.0), "one stays, one swerves"


def test_law_counts_between_pedestrians_and_the_vehicle_without_a_signal() -> None:
    crossing = {"signal": (2, 1), "stays": True}
    aboard = {"pedped": 0, "barrier": (0, 1)}
    effects = amce(
        asked(
            crossing,
            aboard | {"stays": False},
            aboard | {"signal": (1, 0), "stays": False},
            {"stays": True},
        )
    )
    assert (effects["Law"].value, effects["Law"].n) == (1.0, 1)
    assert (effects["Relation to AV"].value, effects["Relation to AV"].n) == (1.0, 1)
    assert effects["Intervention"].n == 4


def test_what_nobody_was_asked_is_unknown_and_not_zero() -> None:
    nothing = amce(asked({"stays": True})) | amce(Judgements(**_empty()))
    assert all(effect.value is None and effect.n == 0 for effect in nothing.values())
    assert by_difference(Judgements(**_empty()))[3].value is None


def _empty() -> dict[str, Any]:
    one, two = np.zeros(0), np.zeros((0, 2))
    wide = ("barrier", "signal", "level", "size")
    names = ("dimension", "pedped", *wide, "stays", "probability", "cluster")
    return {name: two if name in wide else one for name in names}


def test_one_cluster_gives_no_interval() -> None:
    effect = amce(asked(*[species(i > 2, cluster=7) for i in range(9)]))["Species"]
    assert effect.value == pytest.approx(1 / 3)
    assert effect.se is effect.low is effect.high is None


def test_where_all_agree_the_interval_says_what_few_clusters_prove() -> None:
    few = amce(asked(*[species(True) for _ in range(10)]))["Species"]
    many = amce(asked(*[species(True) for _ in range(1000)]))["Species"]
    together = amce(asked(*[species(True, cluster=i % 10) for i in range(1000)]))["Species"]
    # ten in ten: Wilson's lower bound is 10 / (10 + t^2), t with nine degrees of freedom
    assert few.low == pytest.approx(2 * 10 / (10 + 2.2622**2) - 1, abs=1e-4)
    assert few.high == many.high == 1.0
    assert many.low == pytest.approx(0.992, abs=0.001)
    assert together.low == pytest.approx(few.low)


def test_it_is_weighted_least_squares_with_a_clustered_sandwich() -> None:
    rng = np.random.default_rng(1)
    n = 60
    x, saved = rng.random(n) < 0.4, rng.random(n) < 0.6
    weight, cluster = rng.uniform(0.5, 3.0, n), rng.integers(9, size=n) * 7
    fitted = weighted_contrast(
        Rows(saved=saved, is_plus=x, weight=weight, cluster=cluster, decisions=n)
    )
    matrix, root = np.column_stack([np.ones(n), x]), np.sqrt(weight)
    coefficients = np.linalg.lstsq(matrix * root[:, None], saved * root, rcond=None)[0]
    bread = np.linalg.inv(matrix.T @ (matrix * weight[:, None]))
    residual = saved - matrix @ coefficients
    meat = np.zeros((2, 2))
    for one in np.unique(cluster):
        own = cluster == one
        score = matrix[own].T @ (weight[own] * residual[own])
        meat += np.outer(score, score)
    robust = 9 / 8 * (n - 1) / (n - 2) * bread @ meat @ bread
    plain = bread * (weight @ residual**2) / (n - 2)
    assert fitted.value == pytest.approx(coefficients[1])
    assert fitted.se == pytest.approx(np.sqrt(robust[1, 1]))
    assert fitted.classical_se == pytest.approx(np.sqrt(plain[1, 1]))


def test_planted_effects_of_fifty_thousand_scenes_are_recovered() -> None:
    rng = np.random.default_rng(2)
    effects = amce(answered(drawn(50_000, rng), PLANTED, rng))
    for name in ATTRIBUTES:
        value, se = effects[name].value, effects[name].se
        assert value is not None
        assert se is not None
        assert abs(value - PLANTED[name]) < 3 * se, name
        assert se < 0.025


def test_weights_recover_them_from_an_unbalanced_design_too() -> None:
    rng = np.random.default_rng(3)
    truth = {"Intervention": 0.4, "Species": 0.2}
    unbalanced = answered(drawn(50_000, rng, humans_aside=0.8), truth, rng)
    weighted, plain = amce(unbalanced), amce(unbalanced, weight=np.ones(len(unbalanced)))
    for name in ATTRIBUTES:
        effect = weighted[name]
        assert effect.value is not None
        assert effect.se is not None
        assert abs(effect.value - truth.get(name, 0.0)) < 3.5 * effect.se, name
    # staying is preferred, and humans mostly live by it: sides that are not drawn evenly mislead
    assert plain["Gender"].value is not None
    assert plain["Gender"].value > 0.2


def test_the_effect_of_number_is_told_by_difference() -> None:
    rng = np.random.default_rng(4)
    scenes = drawn(40_000, rng)
    chance = 0.5 + 0.1 * scenes.difference
    sides = plus_group(scenes, "No. Characters")
    stays = np.where(sides == 1, rng.random(len(scenes)) < chance, rng.random(len(scenes)) > chance)
    by = by_difference(replace(scenes, stays=stays))
    for difference, effect in by.items():
        assert effect.value == pytest.approx(0.2 * difference, abs=0.08)
    assert sum(effect.n for effect in by.values()) == (scenes.dimension == UTILITARIAN).sum()


def test_an_agent_that_says_case_1_with_70_percent_has_nine_effects_about_0() -> None:
    rng = np.random.default_rng(5)
    scenes = drawn(20_000, rng)
    says_first = rng.random(len(scenes)) < 0.7
    staying_is_first = rng.random(len(scenes)) < 0.5
    effects = amce(replace(scenes, stays=says_first == staying_is_first))
    for effect in effects.values():
        assert effect.low is not None
        assert effect.high is not None
        assert effect.low < 0 < effect.high
        assert abs(effect.value or 0.0) < 0.06


@pytest.mark.parametrize("is_clustered", [False, True])
def test_intervals_cover_the_truth_19_times_in_20(is_clustered: bool) -> None:
    rng = np.random.default_rng(6)
    repeats, truth = 300, {"Intervention": 0.1, "Species": 0.5}
    covered, known = 0, 0
    for _ in range(repeats):
        scenes = drawn(600, rng)
        lean = leaning(scenes, truth)
        if is_clustered:
            # forty agents, each with its own strength for species and its own readiness to act
            scenes = replace(scenes, cluster=np.arange(600) % 40)
            own = rng.uniform(-0.2, 0.2, (2, 40))[:, scenes.cluster]
            side = plus_group(scenes, "Species")
            lean = lean + own[0] * ((side == 1).astype(int) - (side == 0)) + own[1]
        effects = amce(replace(scenes, stays=rng.random(600) < lean))
        for name in ATTRIBUTES:
            effect = effects[name]
            assert effect.low is not None
            assert effect.high is not None
            covered += effect.low <= truth.get(name, 0.0) <= effect.high
            known += 1
    assert 0.93 <= covered / known <= 0.97


def test_the_websites_probabilities_sum_to_one_within_each_kind_of_row() -> None:
    signals = np.array([0, 1, 2])
    for swerves in (0, 1):
        zero, own = np.zeros(3, dtype=int), np.full(3, swerves)
        walking = website_probability(own, zero, zero + 1, signals)
        crossing = website_probability(own, zero, zero, signals)
        aboard = website_probability(own[:1], zero[:1] + 1, zero[:1], zero[:1])
        # pedestrians both, pedestrians before passengers, passengers
        assert walking.sum() + crossing.sum() + aboard[0] == pytest.approx(1.0)
        assert aboard[0] == (0.32 if swerves else 0.2)
    assert list(website_probability(own, zero, zero + 1, signals) / 0.48) == [0.48, 0.32, 0.2]


def euclidean(effects: Mapping[str, float], reference: Mapping[str, float]) -> float:
    """Return the distance of known effects, by another way than `distance` takes."""
    return math.dist(*([each[name] for name in ATTRIBUTES] for each in (effects, reference)))


def test_the_distance_is_euclidean_over_all_nine() -> None:
    rng = np.random.default_rng(3)
    answers = answered(drawn(400, rng), PLANTED, rng)
    measured = distance(amce_rows(answers), people().amce, rng=rng, draws=2)
    effects = {name: effect.value or 0.0 for name, effect in amce(answers).items()}
    assert measured.value == pytest.approx(euclidean(effects, people().amce))


def test_without_scenes_of_one_dimension_there_is_no_distance() -> None:
    rng = np.random.default_rng(3)
    rows = amce_rows(answered(drawn(400, rng), PLANTED, rng))
    none = np.zeros(len(rows["Age"].saved), dtype=bool)
    lacking = rows | {"Age": replace(rows["Age"], weight=rows["Age"].weight * none)}
    assert distance(lacking, people().amce, rng=rng, draws=2).value is None


PUBLISHED = {
    "GPT-3.5, January 2024": (
        (0.09314312, 0.53948965, 0.02963824, 0.14759122, 0.0738379),
        (0.20126849, 0.01688285, 0.6050904, 0.3180365),
        0.796356,
    ),
    "nearest of 75": (
        (0.121399117, 0.252185242, 0.459616934, 0.197561952, -0.004654325),
        (0.235120255, 0.219324233, 0.90554, 0.818097235),
        0.529795,
    ),
    "farthest of 75": (
        (-0.123786745, -1.0, -0.004276948, 0.418988557, -0.44903774),
        (-0.430832397, 0.424536634, -0.4647271, 0.409332946),
        1.925875,
    ),
}
"""Effects in the order of ATTRIBUTES, and the distance that the supplement prints beside them."""


@pytest.mark.parametrize("model", PUBLISHED)
def test_published_effects_have_their_published_distance(model: str) -> None:
    first, second, expected = PUBLISHED[model]
    effects = dict(zip(ATTRIBUTES, first + second, strict=True))
    assert euclidean(effects, people().amce) == pytest.approx(expected, abs=1e-6)
    assert people().models.lowest - 0.001 <= expected <= people().models.highest + 0.001


def test_people_are_never_named_without_who_they_were() -> None:
    assert people().population == "Moral Machine website visitors, 2016-2018 (Awad et al. 2018)"
    assert tuple(people().amce) == ATTRIBUTES


def test_the_distance_of_few_decisions_is_freed_of_what_noise_adds() -> None:
    rng = np.random.default_rng(7)
    repeats = 80
    truth = euclidean(PLANTED, people().amce)
    covered, plain, corrected = 0, 0.0, 0.0
    for _ in range(repeats):
        answers = answered(drawn(600, rng), PLANTED, rng)
        measured = distance(amce_rows(answers), people().amce, rng=rng, draws=300)
        assert measured.value is not None
        assert measured.corrected is not None
        assert measured.low is not None
        assert measured.high is not None
        covered += measured.low <= truth <= measured.high
        plain += measured.value / repeats
        corrected += measured.corrected / repeats
    assert plain > truth + 0.03
    assert abs(corrected - truth) < abs(plain - truth) / 2
    assert covered >= 0.88 * repeats


def test_the_distance_is_the_same_for_the_same_seed_and_unknown_without_an_attribute() -> None:
    answers = answered(drawn(500, np.random.default_rng(8)), PLANTED, np.random.default_rng(9))
    twice = [
        distance(amce_rows(answers), people().amce, rng=np.random.default_rng(1)) for _ in range(2)
    ]
    assert twice[0] == twice[1]
    alone = asked(species(True), species(False))
    assert distance(amce_rows(alone), people().amce, rng=np.random.default_rng(1)).value is None
    together = replace(answers, cluster=np.zeros(500, dtype=int))
    unsure = distance(amce_rows(together), people().amce, rng=np.random.default_rng(1))
    assert unsure.value == pytest.approx(twice[0].value)
    assert unsure.low is None


def test_arrays_of_another_shape_are_named() -> None:
    good = asked(species(True), species(False))
    with pytest.raises(ValueError, match=r"signal has shape \(3, 2\).* must be \(2, 2\)"):
        replace(good, signal=np.zeros((3, 2), dtype=int))
    with pytest.raises(ValueError, match="probability holds a number outside"):
        replace(good, probability=np.array([0.1, 0.0]))
