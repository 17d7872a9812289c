"""Sure pairs and ranks: all statements of a ranking at once, also where values are near ties."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from valuesim.graph.simultaneous import Compared, Scores

FloatArray = NDArray[np.float64]


def scores(
    estimate: FloatArray, covariance: FloatArray, clusters: float = 1e6, seed: int = 0
) -> Scores:
    known = Compared(estimate, covariance, np.full(len(estimate), clusters))
    return Scores(known, np.random.default_rng(seed))


def centred(n: int, variance: float) -> FloatArray:
    return variance * (np.eye(n) - 1 / n)


def test_two_values_are_apart_by_the_usual_test() -> None:
    for z in (1.9, 2.05):
        found = scores(np.array([z / 2, -z / 2]) * np.sqrt(2), np.eye(2)).apart()
        assert found.tolist() == [[False, z > 1.96], [False, False]]


def test_few_clusters_ask_for_more() -> None:
    estimate = np.array([2.5, 0.0])
    assert scores(estimate, np.eye(2) / 2).apart()[0, 1]
    assert stats.t.sf(2.5, 3) > 0.025
    assert not scores(estimate, np.eye(2) / 2, clusters=4).apart()[0, 1]


def test_the_bound_for_three_values_is_tukeys() -> None:
    # the largest difference of three alike values, in standard errors of a difference
    bound = stats.studentized_range.ppf(0.95, 3, np.inf) / np.sqrt(2)
    for share in (0.96, 1.04):
        gap = share * bound * np.sqrt(2)
        found = scores(np.array([gap, gap / 2, 0.0]), np.eye(3)).apart()
        assert found[0, 2] == (share > 1)


def test_what_is_apart_lets_the_rest_be_judged_more_easily() -> None:
    # alone, the near pair would need Tukey's bound for four; the far one is settled first
    estimate = np.array([40.0, 20.0, 3.2, 0.0])
    assert stats.studentized_range.ppf(0.95, 4, np.inf) > 3.2
    assert scores(estimate, np.eye(4)).apart()[2, 3]


def test_ranks_follow_from_the_pairs_a_value_is_in() -> None:
    low, high = scores(np.array([9.0, 0.1, 0.0, -9.0]), np.eye(4)).ranks()
    assert (low.tolist(), high.tolist()) == ([1, 2, 2, 4], [1, 3, 3, 4])


def test_one_value_and_none_have_nothing_to_compare() -> None:
    assert scores(np.array([1.0]), np.eye(1)).apart().tolist() == [[False]]
    low, high = scores(np.array([1.0]), np.eye(1)).ranks()
    assert (low.tolist(), high.tolist()) == ([1], [1])


def test_values_without_any_uncertainty_between_them_are_not_called_apart() -> None:
    same = np.ones((2, 2))
    assert not scores(np.array([1.0, 0.0]), same).apart().any()


@pytest.mark.parametrize("spread", [0.0, 0.3, 1.0])
def test_statements_hold_together_however_near_the_values_are(spread: float) -> None:
    rng = np.random.default_rng(5)
    n, repeats, wrong, missed = 10, 300, 0, 0
    covariance = centred(n, 0.2)
    root = np.linalg.cholesky(covariance + 1e-9 * np.eye(n))
    for repeat in range(repeats):
        truth = spread * rng.standard_normal(n)
        truth -= truth.mean()
        found = scores(truth + root @ rng.standard_normal(n), covariance, seed=repeat)
        apart = found.apart()
        wrong += any(
            (apart[u, w] and truth[u] <= truth[w]) or (apart[w, u] and truth[w] <= truth[u])
            for u, w in combinations(range(n), 2)
        )
        low, high = found.ranks()
        # of alike values every rank is true, so that a range must hold them all
        first = 1 + (truth[:, None] < truth).sum(axis=1)
        last = first if spread else np.full(n, n)
        missed += int(((low > first) | (high < last)).sum())
    assert wrong / repeats < 0.08
    assert missed / (repeats * n) < 0.06
