"""The order that contradicts the fewest votes, against every order there is."""

from itertools import permutations

import numpy as np
import pytest

from valuesim.graph.kemeny import LARGEST_EXACT, disagreement, kemeny

NAMES = tuple("ABCDEFG")


def votes_of(n_values: int, *rows: tuple[str, str, float]) -> np.ndarray:
    votes = np.zeros((n_values, n_values))
    for over, under, number in rows:
        votes[NAMES.index(over), NAMES.index(under)] = number
    return votes


def test_a_chain_is_its_own_order_and_contradicts_what_was_against_it() -> None:
    found = kemeny(votes_of(3, ("A", "B", 6), ("B", "A", 2), ("B", "C", 6), ("A", "C", 9)), "ABC")
    assert found.order == ("A", "B", "C")
    assert (found.disagreement, found.votes) == (2, 23)
    assert found.is_exact
    assert found.is_unique


def test_a_condorcet_cycle_is_cut_where_it_is_weakest() -> None:
    # A > B by 4, B > C by 6, C > A by 2: giving up C > A costs 5 + 3 + 2 votes
    cycle = votes_of(
        *(3, ("A", "B", 6), ("B", "A", 2), ("B", "C", 9), ("C", "B", 3), ("C", "A", 5)),
        ("A", "C", 3),
    )
    found = kemeny(cycle, "ABC")
    assert found.order == ("A", "B", "C")
    assert found.disagreement == 2 + 3 + 5
    assert found.is_unique


def test_an_even_cycle_has_three_orders_and_says_so() -> None:
    found = kemeny(votes_of(3, ("A", "B", 2), ("B", "C", 2), ("C", "A", 2)), "ABC")
    assert found.disagreement == 2
    assert found.is_exact
    assert not found.is_unique


@pytest.mark.parametrize("seed", range(150))
def test_no_order_contradicts_fewer_votes(seed: int) -> None:
    """Fractional votes, ties, values that no vote joins: against every permutation."""
    rng = np.random.default_rng(seed)
    n_values = int(rng.integers(1, 7))
    votes = rng.integers(0, rng.integers(2, 8), (n_values, n_values)) / rng.integers(1, 4)
    votes *= rng.random((n_values, n_values)) < rng.random()
    np.fill_diagonal(votes, 0.0)
    every = [disagreement(votes, order) for order in permutations(range(n_values))]
    found = kemeny(votes, NAMES[:n_values])
    assert found.is_exact
    assert found.disagreement == pytest.approx(min(every))
    assert found.is_unique == (sum(abs(each - min(every)) < 1e-9 for each in every) == 1)
    assert sorted(found.order) == list(NAMES[:n_values])


def test_values_that_no_vote_joins_stand_by_the_share_of_votes_they_won() -> None:
    apart = votes_of(4, ("A", "B", 2), ("B", "A", 1), ("C", "D", 5))
    found = kemeny(apart, NAMES[:4])
    assert found.order == ("C", "A", "B", "D")
    assert found.is_exact
    assert not found.is_unique


@pytest.mark.parametrize("n_values", [0, 1, 2])
def test_without_votes_the_order_is_that_of_the_values(n_values: int) -> None:
    found = kemeny(np.zeros((n_values, n_values)), NAMES[:n_values])
    assert found.order == NAMES[:n_values]
    assert (found.disagreement, found.votes) == (0, 0)
    assert found.is_unique == (n_values < 2)


def test_thirty_values_in_small_cycles_are_ordered_exactly() -> None:
    """Ten cycles of three, each wholly before the next: the components keep it exact."""
    votes = np.triu(np.full((30, 30), 3.0), 1)
    for first in range(0, 30, 3):
        votes[first, first + 2], votes[first + 2, first] = 0.0, 1.0
    found = kemeny(votes, [f"{number:02}" for number in range(30)])
    assert found.is_exact
    assert found.is_unique
    assert found.order == tuple(f"{number:02}" for number in range(30))
    assert found.disagreement == 10


def test_one_cycle_of_too_many_values_is_searched_and_not_called_exact() -> None:
    n_values = LARGEST_EXACT + 4
    rng = np.random.default_rng(0)
    truth = rng.permutation(n_values)
    place = np.argsort(truth)
    votes = np.where(place[:, None] < place, 3.0, 0.0)
    votes[truth[-1], truth[0]], votes[truth[0], truth[-1]] = 1.0, 0.0
    found = kemeny(votes, [str(value) for value in range(n_values)])
    assert not found.is_exact
    assert not found.is_unique
    assert found.order == tuple(str(value) for value in truth)
