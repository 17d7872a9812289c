"""What play is worth: replies that are learnt on some episodes and paid by others."""

import numpy as np
import pytest

from valuesim.measures.interval import clustered_rate, share_interval
from valuesim.measures.strategic.amounts import bounded_mean
from valuesim.measures.strategic.equilibrium import Game
from valuesim.measures.strategic.worth import _taken

PENNIES = Game(
    moves=("heads", "tails"),
    row=np.array([[1.0, -1.0], [-1.0, 1.0]]),
    column=np.array([[-1.0, 1.0], [1.0, -1.0]]),
)


def taken(heads: float, rng: np.random.Generator, runs: int = 80) -> tuple[float, float]:
    """The mean of what a partner takes, and how often its interval holds what it could."""
    values, inside = [], 0
    for _ in range(runs):
        counts = np.eye(2)[(rng.random(30) > heads).astype(int)]
        partner, agent = _taken(PENNIES, counts, rng)
        assert partner.value is not None
        assert partner.low is not None
        assert partner.high is not None
        assert agent.value == pytest.approx(-partner.value)
        values.append(partner.value)
        inside += partner.low <= abs(2 * heads - 1) <= partner.high
    return float(np.mean(values)), inside / runs


def test_play_that_cannot_be_exploited_does_not_seem_to_be() -> None:
    mean, coverage = taken(0.5, np.random.default_rng(0))
    assert abs(mean) < 0.05
    assert coverage > 0.9


def test_play_that_can_be_exploited_is() -> None:
    mean, coverage = taken(0.8, np.random.default_rng(1))
    assert mean == pytest.approx(0.6, abs=0.05)
    assert coverage > 0.9


def test_one_episode_cannot_tell_a_reply_from_what_it_is_paid_by() -> None:
    for found in _taken(PENNIES, np.array([[9.0, 3.0]]), np.random.default_rng(0)):
        assert (found.value, found.low, found.n) == (None, None, 12)


def claims(rng: np.random.Generator) -> list[tuple[str, float]]:
    return [(str(k), float(rng.normal(240, 10))) for k in range(40)]


def test_the_mean_of_a_bounded_amount_is_as_sure_as_its_spread_says() -> None:
    rng = np.random.default_rng(3)
    found = [bounded_mean(claims(rng), 180, 300) for _ in range(100)]
    ends = [(low, high) for _, low, high, _ in found if low is not None and high is not None]
    assert len(ends) == 100
    # 2 x 1.96 x 10 / sqrt(40) = 6.2; as 40 chances of all or nothing it would be 38
    assert np.mean([high - low for low, high in ends]) == pytest.approx(6.4, abs=0.5)
    assert sum(low <= 240 <= high for low, high in ends) >= 90


def test_hits_and_misses_are_no_more_evidence_than_there_are_of_them() -> None:
    hits, chances = [5.0, 5.0, 5.0, 5.1], [10.0] * 4
    capped = clustered_rate(hits, chances)
    free = clustered_rate(hits, chances, is_binary=False)
    assert capped.low is not None
    assert free.low is not None
    assert capped.low < 0.4 < free.low


def test_means_that_agree_exactly_count_one_chance_a_cluster() -> None:
    assert bounded_mean([(str(k), 240.0) for k in range(10)], 180, 300) == pytest.approx(
        (240.0, *(180 + 120 * end for end in share_interval(0.5, 0, clusters=10, n=10)), 10)
    )


def test_a_share_near_0_counts_as_half_a_chance_away_for_its_evidence() -> None:
    bare = share_interval(1e-12, 1e-5, clusters=200, n=200)
    assert bare[1] > 0.9
    assert share_interval(1e-12, 1e-5, clusters=200, n=200, least=1 / 400)[1] < 0.05


def test_a_wider_level_is_a_wider_interval() -> None:
    narrow = share_interval(0.5, 0.01, clusters=20, n=20)
    wide = share_interval(0.5, 0.01, clusters=20, n=20, level=0.975)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
