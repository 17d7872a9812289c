"""How much choosing could save: by hand, by a search on a grid, and in what is shipped."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

from benchmarks.adaptive.planted import shipped
from valuesim.choices import Evidence
from valuesim.engine.adaptive import LITTLE_ROOM
from valuesim.graph.information import Prospects, prospects
from valuesim.graph.logit import PRIOR_SD
from valuesim.graph.room import TAU, best_share, room
from valuesim.option import Option


def question(scene: str, one: dict[str, float], other: dict[str, float]) -> Evidence:
    options = tuple(
        Option(name=name, text="", stakes=stakes)
        for name, stakes in zip("AB", (one, other), strict=True)
    )
    return Evidence(cluster=scene, options=options, position=0, unit="scene")


def pairs(names: str, width: float = 1.0) -> list[Evidence]:
    """Return a question for each ordered pair of values; how far apart it sets them is `width`."""
    return [
        question(f"{u}{w} {width}", {u: width}, {w: width})
        for one, other in combinations(names, 2)
        for u, w in ((one, other), (other, one))
    ]


def truth(known: Prospects, strengths: Sequence[float]) -> np.ndarray:
    theta = np.zeros(known.design.features.shape[2])
    theta[: len(strengths)] = strengths
    return theta


def needed(strengths: np.ndarray, shares: Sequence[float]) -> float:
    """Return the decisions for TAU of shares of the pairs ab, ac and bc, worked out by itself."""
    rows = np.array([[1.0, -1.0, 0.0], [1.0, 0.0, -1.0], [0.0, 1.0, -1.0]])
    gaps = rows @ strengths
    p = 1 / (1 + np.exp(-gaps))
    each = (rows.T * (np.array(shares) * p * (1 - p))) @ rows

    def tau(n: float) -> float:
        covariance = np.linalg.inv(n * each + np.eye(3) * PRIOR_SD**-2)
        errors = np.sqrt(np.einsum("cp,pq,cq->c", rows, covariance, rows))
        return float(np.mean(1 - 2 * stats.norm.sf(np.abs(gaps) / errors)))

    return float(brentq(lambda n: tau(n) - TAU, 1.0, 1e7))


def test_the_best_design_is_the_best_of_a_grid_of_designs() -> None:
    known = prospects(pairs("abc"), ())
    strengths = np.array([1.2, 0.3, -0.2])
    grid = [
        (i / 20, j / 20, 1 - (i + j) / 20) for i, j in product(range(1, 19), repeat=2) if i + j < 20
    ]
    best = min(needed(strengths, shares) for shares in grid)
    expected = best / needed(strengths, (1 / 3, 1 / 3, 1 / 3))
    assert expected < 0.93
    # the grid is coarse: what is found may be a little better, never worse
    assert best_share(known, truth(known, strengths), TAU) == pytest.approx(expected, rel=0.02)


def test_where_every_second_question_tells_nothing_half_can_be_saved_of_what_was_needed() -> None:
    strengths = [1.0, 0.2, -0.4, -0.9]
    telling = prospects(pairs("abcd"), ())
    mixed = prospects([*pairs("abcd"), *pairs("abcd", 1e-4)], ())
    alone = best_share(telling, truth(telling, strengths), TAU)
    assert best_share(mixed, truth(mixed, strengths), TAU) == pytest.approx(alone / 2, rel=0.01)


def test_questions_that_tell_as_much_of_an_even_order_leave_nothing_to_save() -> None:
    known = prospects(pairs("abcd"), ())
    # every pair of four is asked: what one question more of a pair brings, others bring as well
    near = truth(known, [0.03, 0.01, -0.01, -0.03])
    assert best_share(known, near, TAU) > 0.75


def test_questions_with_more_options_than_two_are_measured_too() -> None:
    options = tuple(
        Option(name=n, text="", stakes={v: 1.0}) for n, v in zip("ABC", "abc", strict=True)
    )
    three = Evidence(cluster="three", options=options, position=0, unit="scene")
    share = room(prospects([*pairs("abc"), three], ()))
    assert share is not None
    assert 0.3 < share <= 1.0


def test_two_values_have_no_room_to_speak_of() -> None:
    assert room(prospects(pairs("ab"), ())) is None


@pytest.mark.parametrize(
    ("env", "parameters", "is_little"),
    [
        ("dilemmas-v0", {"pack": "daily"}, True),
        ("dilemmas-v0", {"pack": "ai_risk"}, True),
        ("questionnaire-v0", {"instrument": "pairwise"}, True),
        ("dilemmas-v0", {"pack": ["daily", "generated"]}, False),
        ("questionnaire-v0", {"instrument": "bundles"}, False),
    ],
)
def test_what_is_shipped_has_room_where_many_questions_differ(
    env: str, parameters: dict[str, object], is_little: bool
) -> None:
    known = prospects(shipped(env, parameters, 800), ())
    found = room(known)
    assert found is not None
    assert (found > LITTLE_ROOM) is is_little
