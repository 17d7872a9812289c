"""Margins and shifts under noise: near opponents and unequal evidence move neither."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from valuesim.archetypes.entries import Signature
from valuesim.archetypes.shift import _shift
from valuesim.archetypes.signatures import Flag, judge
from valuesim.choices import Choices, Evidence
from valuesim.graph import ValueRanking, rank_values
from valuesim.option import Option

VALUES = ("Care", "Freedom", "Justice", "Learning", "Power", "Privacy", "Respect")
FIRST = Signature(name="first", puts="Care", over=VALUES[1:], source="", note="")
REPEATS, DRAWS = 200, 200


@pytest.fixture(scope="module")
def ranking() -> ValueRanking:
    """One in which every value is compared with every other."""
    offered = [
        tuple(Option(name=v, text="", stakes={v: 1.0}) for v in pair)
        for pair in zip(VALUES, VALUES[1:] + VALUES[:1], strict=True)
    ]
    evidence = [
        Evidence(cluster=f"scene {n}", options=pair, position=(n + place) % 2)
        for n in range(6)
        for place, pair in enumerate(offered)
    ]
    return rank_values(Choices(decisions=len(evidence), evidence=tuple(evidence)), draws=20)


def estimated(
    ranking: ValueRanking, rng: np.random.Generator, strengths: Sequence[float], error: float
) -> ValueRanking:
    """`ranking` with these strengths as seen with such an error, and draws that know the error."""
    seen = np.array(strengths) + error * rng.standard_normal(len(VALUES))
    at = dict(zip(VALUES, seen.tolist(), strict=True))
    return replace(
        ranking,
        values=tuple(replace(each, strength=at[each.value]) for each in ranking.values),
        strengths=np.array([at[v] for v in ranking.tally.values])
        + error * rng.standard_normal((DRAWS, len(VALUES))),
    )


@pytest.mark.parametrize("strengths", [(0.0,) * 7, (1.0, 1.0, 0.0, -0.5, -1.0, -1.5, -2.0)])
def test_the_range_of_a_margin_covers_it_also_where_opponents_are_near(
    ranking: ValueRanking, strengths: Sequence[float]
) -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(REPEATS):
        flag = judge(FIRST, estimated(ranking, rng, strengths, 0.3))
        assert isinstance(flag, Flag)
        assert flag.low <= flag.margin <= flag.high
        covered += flag.low <= 0 <= flag.high
    assert covered >= 0.92 * REPEATS


def test_one_opponent_leaves_the_range_of_its_draws(ranking: ValueRanking) -> None:
    seen = estimated(ranking, np.random.default_rng(2), (0.5,) + (0.0,) * 6, 0.3)
    flag = judge(replace(FIRST, over=("Freedom",)), seen)
    assert isinstance(flag, Flag)
    ends = np.quantile(seen.differences("Care", "Freedom"), [0.025, 0.975])
    assert (flag.low, flag.high) == pytest.approx(tuple(ends))


def test_unequal_evidence_at_two_levels_is_no_shift(ranking: ValueRanking) -> None:
    rng = np.random.default_rng(3)
    changes, covered = [], 0
    for _ in range(REPEATS):
        levels = {
            "high": estimated(ranking, rng, (0.0,) * 7, 0.1),
            "low": estimated(ranking, rng, (0.0,) * 7, 0.6),
        }
        shift = _shift(FIRST, levels)
        assert shift.change is not None
        assert shift.low is not None
        assert shift.high is not None
        changes.append(shift.change)
        covered += shift.low <= 0 <= shift.high
    assert abs(np.mean(changes)) < 0.2
    assert covered >= 0.92 * REPEATS


def test_the_change_is_against_one_value_for_both_levels(ranking: ValueRanking) -> None:
    rng = np.random.default_rng(4)
    levels = {
        "high": estimated(ranking, rng, (0.0, -1.0, 1.0, -1.0, -1.0, -1.0, -1.0), 0.01),
        "low": estimated(ranking, rng, (0.0, 0.5, -1.0, -1.0, -1.0, -1.0, -1.0), 0.1),
    }
    shift = _shift(FIRST, levels)
    assert shift.against == "Justice", "the plentiful level is known better, and weighs more"
    assert shift.change == pytest.approx(2.0, abs=0.6)
    assert shift.low is not None
    assert shift.low > 0
