"""What a question is worth, by hand and by simulation; when two values are told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from valuesim.choices import Evidence
from valuesim.graph.information import (
    Prospects,
    belief,
    choose,
    order_information,
    prospects,
)
from valuesim.graph.order import error_of_a_look, order
from valuesim.option import Option

RNG = np.random.default_rng
BOTH = ((["u"], ["w"]), (["w"], ["u"]))
"""One pair of values, shown in both orders: otherwise a habit of place would explain as much."""


def question(scene: str, *sides: Sequence[str], position: int = 0) -> Evidence:
    options = tuple(
        Option(name="ABC"[place], text="", stakes=dict.fromkeys(side, 1.0))
        for place, side in enumerate(sides)
    )
    return Evidence(cluster=scene, options=options, position=position, unit="scene")


def answers(over: int, under: int) -> list[Evidence]:
    """Return answers to one scene each, so many for u and so many for w, in both orders."""
    found = []
    for number in range(over + under):
        sides = (["u"], ["w"]) if number % 2 else (["w"], ["u"])
        place = (1 - number % 2) if number < over else number % 2
        found.append(question(f"scene {number}", *sides, position=place))
    return found


def entropy(p: np.ndarray) -> np.ndarray:
    return np.asarray(stats.entropy(np.stack([p, 1 - p])))


def simulated(known: Prospects, asked: int, rng: np.random.Generator) -> float:
    """Return the expected fall of the entropy of all pairs' order, by draws from the posterior.

    Each draw counts with the probability that it gives to the answer (importance sampling).
    """
    believed = belief(known)
    covariance = np.linalg.inv(believed.hessian)
    theta = rng.multivariate_normal(believed.theta, covariance, 40_000)
    features = known.design.features[known.asked[asked]]
    odds = np.exp(theta @ features.T)
    likely = odds / odds.sum(axis=1, keepdims=True)
    over = known.contrasts @ theta.T > 0
    after = sum(
        weight.mean() * entropy((over * weight).mean(axis=1) / weight.mean()).sum()
        for weight in likely.T
    )
    return float(entropy(over.mean(axis=1)).sum() - after)


@pytest.mark.parametrize("z", [0.0, 0.5, -1.0, 2.0])
def test_the_information_on_an_order_is_the_fall_of_its_entropy(z: float) -> None:
    share = 0.01
    # an answer moves the mean by as much variance as it takes away: half of the draws, mirrored
    moved = np.sqrt(share) * np.concatenate([(d := RNG(0).standard_normal(400_000)), -d])
    after = entropy(stats.norm.cdf((z + moved) / np.sqrt(1 - share))).mean()
    before = float(entropy(stats.norm.cdf(np.array(z))))
    assert order_information(np.array(z)) == pytest.approx((before - after) / share, rel=0.03)


def test_an_even_pair_is_worth_most_and_a_sure_one_nothing() -> None:
    worth = order_information(np.array([0.0, 1.0, 3.0, 40.0, np.inf]))
    assert worth[0] == pytest.approx(1 / np.pi)
    assert (np.diff(worth) < 0).sum() == 3
    assert worth[-1] == 0.0


def test_what_is_chosen_brings_about_as_much_as_any_question_by_simulation() -> None:
    rng = RNG(3)
    names = ["a", "b", "c", "d", "e"]
    pairs = [question(f"{u}{w}", [u], [w]) for u, w in combinations(names, 2)]
    wide = [question(f"{u}{w} more", [u, "c"], [w, "d"]) for u, w in (("a", "b"), ("e", "b"))]
    three = [question("three", ["a"], ["b"], ["e"])]
    pool = [*pairs, *wide, *three]
    truth = {"a": 1.5, "b": 0.7, "c": 0.5, "d": -0.3, "e": -2.0}
    said = []
    for number in range(60):
        asked = pool[number % len(pool)]
        utility = [sum(truth[v] for v in option.stakes) for option in asked.options]
        place = int(np.argmax(np.array(utility) + rng.gumbel(size=len(utility))))
        said.append(replace(asked, cluster=f"scene {number}", position=place))
    known = prospects(pool, said)
    fall = [simulated(known, each, RNG(0)) for each in range(len(pool))]
    (first,) = choose(known, asked=(), in_flight=(), size=1, rng=RNG(0))
    assert fall[first] == max(fall)
    assert fall[first] > 2 * np.mean(fall)


def test_of_a_pair_known_and_one_unknown_the_unknown_is_asked() -> None:
    pool = [*(question("known", *sides) for sides in BOTH), question("unknown", ["x"], ["w"])]
    known = prospects(pool, answers(20, 20))
    assert choose(known, asked=(), in_flight=(), size=1, rng=RNG(0)) == [2]


def test_a_question_in_flight_counts_before_it_is_answered() -> None:
    pool = [question(f"{n}", [v], ["w"]) for v in "ux" for n in range(4)]
    known = prospects(pool, [])
    in_flight = [0, 1, 2]
    assert choose(known, asked=in_flight, in_flight=in_flight, size=1, rng=RNG(0))[0] >= 4


def test_a_scene_that_was_asked_waits_for_others_that_bring_as_much() -> None:
    pool = [question(scene, *sides) for scene in ("first", "second") for sides in BOTH * 2]
    known = prospects(pool, [])
    chosen = choose(known, asked=(), in_flight=(), size=2, rng=RNG(0))
    assert {pool[place].cluster for place in chosen} == {"first", "second"}


def test_each_question_is_asked_once_and_what_sets_nothing_apart_never() -> None:
    pool = [question("a", ["u"], ["w"]), question("b", ["u"], ["u"]), question("c", ["w"], ["u"])]
    chosen = choose(prospects(pool, []), asked=(), in_flight=(), size=9, rng=RNG(0))
    assert sorted(chosen) == [0, 2]


def test_answers_in_another_order_of_coming_in_mean_the_same() -> None:
    pool = [question(f"{u}{w}", [u], [w]) for u, w in combinations("uwxyz", 2)]
    said = [replace(each, position=n % 2) for n, each in enumerate(pool * 4)]
    there, back = (
        choose(prospects(pool, each), asked=(), in_flight=(), size=5, rng=RNG(1))
        for each in (said, said[::-1])
    )
    assert there == back


def test_two_values_are_told_apart_where_a_one_sided_test_says_so() -> None:
    # 60 of 100 are 2.0 standard errors from even, 57 are 1.4; one look at one pair takes 1.64
    pool = [question("scene", *sides) for sides in BOTH]
    for over, is_settled in ((60, True), (57, False)):
        said = answers(over, 100 - over)
        found = order(prospects(pool, said), said, sure=0.95)
        assert found.pairs == (("u", "w"),)
        assert found.is_settled is is_settled


def test_looking_again_and_again_takes_more_to_be_sure() -> None:
    pool = [question("scene", *sides) for sides in BOTH]
    # looks at 16 to 320 answers take about 2.7 standard errors; 65 of 100 are 3.0
    for over, is_settled in ((60, False), (65, True)):
        said = answers(over, 100 - over)
        assert order(prospects(pool, said), said, sure=0.95, span=20).is_settled is is_settled


@pytest.mark.parametrize("span", [4, 20, 100])
def test_the_error_of_all_looks_is_what_it_was_to_be(span: int) -> None:
    # sums of answers to an even question: at the look after k parts they are k^-1/2 standardised
    walks = RNG(0).standard_normal((20_000, span)).cumsum(axis=1) / np.sqrt(1 + np.arange(span))
    highest = walks.max(axis=1)
    plain, held = (stats.norm.isf(each) for each in (0.05, error_of_a_look(0.05, 1, span)))
    assert (highest > plain).mean() > 0.1
    assert 0.02 < (highest > held).mean() < 0.05


def test_many_pairs_share_the_error() -> None:
    assert error_of_a_look(0.05, 1, 1.0) == pytest.approx(0.05, abs=1e-3)
    assert error_of_a_look(0.05, 19, 1.0) == pytest.approx(0.05 / 19, rel=0.01)


def test_without_answers_or_from_one_scene_every_pair_is_open() -> None:
    pool = [question(f"{u}{w}", [u], [w]) for u, w in combinations("uwx", 2)]
    for said in ([], [replace(pool[0], cluster="one") for _ in range(50)]):
        found = order(prospects(pool, said), said, sure=0.95)
        assert len(found.pairs) == 2
        assert found.open == found.pairs


def test_values_that_no_question_compares_are_no_pair() -> None:
    sides = (*BOTH, (["x"], ["y"]), (["y"], ["x"]))
    pool = [question(f"{number}", *each) for number, each in enumerate(sides)]
    found = order(prospects(pool, []), [], sure=0.95)
    assert {frozenset(pair) for pair in found.pairs} == {frozenset("uw"), frozenset("xy")}
