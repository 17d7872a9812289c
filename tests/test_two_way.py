"""Rates over people and scenes: by hand, and by how often they hold what was planted."""

from __future__ import annotations

import numpy as np
import pytest

from valuesim.measures.two_way import CrossedRate, crossed_rate


def test_nothing_said_is_no_rate_and_one_person_or_scene_no_interval() -> None:
    assert crossed_rate([], [], []) == CrossedRate()
    one = crossed_rate([True, False, True], ["p", "p", "p"], ["a", "b", "c"])
    assert (one.n, one.people, one.scenes) == (3, 1, 3)
    assert (one.value, one.low, one.high) == (pytest.approx(2 / 3), None, None)
    scene = crossed_rate([True, False], ["p", "q"], ["a", "a"])
    assert (scene.value, scene.low, scene.people, scene.scenes) == (0.5, None, 2, 1)


def test_the_variance_by_hand() -> None:
    """Two people, two scenes, each said once: 1 1 / 1 0, of which 3/4 hold.

    Apart from the mean, over n = 4: 1/16 1/16 / 1/16 -3/16. People and scenes alike sum to 1/8 and
    -1/8, 2/1 * (1/64 + 1/64) = 1/16 each; the pairs to 4/3 * (3 + 9) / 256 = 1/16. In all 1/16:
    0.75 * 0.25 / (1/16) = 3 chances, shrunk by the squared quotient of 1.95996 and of Student's t
    with one degree of freedom, 12.7062, to 0.0713817: the exact interval of 0.0535363 hits of that.
    """
    found = crossed_rate([True, True, True, False], list("ppqq"), list("abab"))
    assert found.value == 0.75
    assert found.low is not None
    assert found.high is not None
    # 0.025 and 0.975 of the beta distributions (hits, misses + 1) and (hits + 1, misses)
    from scipy.stats import beta

    hits, misses = 0.0535363, 0.0178454
    assert found.low == pytest.approx(beta.ppf(0.025, hits, misses + 1), abs=1e-6)
    assert found.high == pytest.approx(beta.ppf(0.975, hits + 1, misses), abs=1e-6)


def test_who_says_all_alike_counts_once() -> None:
    """Ten people who each say one thing of all scenes tell no more than ten flips of a coin."""
    people = [f"p{k}" for k in range(10) for _ in range(30)]
    scenes = [f"s{k}" for _ in range(10) for k in range(30)]
    alike = crossed_rate([int(who[1:]) % 2 == 0 for who in people], people, scenes)
    assert alike.low is not None
    assert alike.high is not None
    # the exact interval of 5 of 10 is from .187 to .813
    assert alike.low < 0.19
    assert alike.high > 0.81


@pytest.mark.parametrize(
    ("people", "scenes", "by_person", "by_scene"),
    [(12, 15, 0.8, 0.8), (8, 40, 1.2, 0.0), (40, 8, 0.0, 1.2), (10, 10, 0.0, 0.0)],
)
def test_intervals_hold_what_was_planted(
    people: int, scenes: int, by_person: float, by_scene: float
) -> None:
    """Crossed effects on the logit: the share over all people and scenes lies in 95 of 100."""
    rng = np.random.default_rng([people, scenes])
    many = 200_000
    spread = by_person * rng.standard_normal(many) + by_scene * rng.standard_normal(many)
    truth = float((1 / (1 + np.exp(-(0.4 + spread)))).mean())
    who = np.repeat([f"p{k}" for k in range(people)], scenes).tolist()
    where = np.tile([f"s{k}" for k in range(scenes)], people).tolist()
    held = []
    for _ in range(400):
        person = by_person * rng.standard_normal((people, 1))
        scene = by_scene * rng.standard_normal((1, scenes))
        chance = 1 / (1 + np.exp(-(0.4 + person + scene)))
        found = crossed_rate((rng.random((people, scenes)) < chance).ravel().tolist(), who, where)
        assert found.low is not None
        assert found.high is not None
        held.append(found.low <= truth <= found.high)
    # 400 repeats: 95 % +- 2 standard errors, and no more than conservative
    assert 0.925 <= np.mean(held) <= 0.998
