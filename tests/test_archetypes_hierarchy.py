"""Rates from few episodes: drawn to the middle, which withholds names and gives no wrong ones."""

from collections.abc import Sequence

import numpy as np
import pytest

from valuesim.archetypes.catalogue import load_catalogue
from valuesim.archetypes.hierarchy import Pairs, posterior_rates
from valuesim.graph.design import FloatArray


def drawn(rates: Sequence[float], episodes: int, rng: np.random.Generator) -> FloatArray:
    """Return posterior draws from cells of these true rates, tries in an episode correlated 0.3."""
    size = 0.7 / 0.3
    cells: list[Pairs] = []
    for rate in rates:
        own = rng.beta(rate * size, (1 - rate) * size, episodes)
        tries = rng.integers(4, 9, episodes)
        cells.append([(int(rng.binomial(n, p)), int(n)) for n, p in zip(tries, own, strict=True)])
    return posterior_rates(cells, 400, rng)


def test_with_few_episodes_rates_are_drawn_to_the_middle() -> None:
    rng = np.random.default_rng(1)
    few, many = (
        np.mean([drawn((0.1, 0.5, 0.9), episodes, rng).mean(axis=0) for _ in range(60)], axis=0)
        for episodes in (3, 15)
    )
    assert 0.1 < many[0] < few[0] < 0.35
    assert 0.65 < few[2] < many[2] < 0.9
    assert few[1] == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("rates", [(0.7, 0.7), (0.3, 0.3), (0.8, 0.4)])
def test_three_episodes_seldom_name_a_conduct_that_the_true_rates_do_not_meet(
    rates: tuple[float, float],
) -> None:
    assert load_catalogue().game_rule.least_clusters == 3
    rng = np.random.default_rng(2)
    named, repeats = 0, 60
    for _ in range(repeats):
        kind, unkind = drawn(rates, 3, rng).T
        rules = (
            (kind >= 0.8) & (unkind >= 0.8),
            (kind <= 0.2) & (unkind <= 0.2),
            (kind >= 0.6) & (kind - unkind >= 0.5),
        )
        named += any(rule.mean() >= 0.8 for rule in rules)
    assert named <= 0.1 * repeats


def test_three_episodes_seldom_name_an_archetype_that_the_true_rates_do_not_meet() -> None:
    rng = np.random.default_rng(3)
    named, repeats = 0, 60
    for _ in range(repeats):
        draws = drawn((0.15, 0.15, 0.3, 0.3), 3, rng)
        is_exploitative = draws.min(axis=1) > 0.25
        depends = (np.ptp(draws, axis=1) > 0.25) & ~is_exploitative
        named += (
            max(is_exploitative.mean(), depends.mean(), (draws < 0.05).all(axis=1).mean()) >= 0.8
        )
    assert named <= 0.1 * repeats
