"""How far apart values must be to be told apart, and how many more decisions that takes."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from valuesim.choices import Choices, Evidence
from valuesim.graph import ValueRanking, rank_values
from valuesim.graph.coded import CodedChoices
from valuesim.graph.design import compact
from valuesim.graph.logit import effective_clusters, fit
from valuesim.graph.planning import MOST_NEEDED, separations
from valuesim.option import Option

VALUES = ("Care", "Justice", "Power")
THETA = np.array([0.25, 0.0, -0.25])


def option(**stakes: float) -> Option:
    return Option(name="o", text="", stakes=stakes)


PAIRS = [(u, w) for u in range(3) for w in range(3) if u != w]
SITUATIONS = tuple(
    ((option(**{VALUES[u]: 1.0}), option(**{VALUES[w]: 1.0})), True) for u, w in PAIRS
)


def study(rng: np.random.Generator, clusters: int, each: int, spread: float) -> CodedChoices:
    """Choices between two of three values; each cluster has strengths of its own around `THETA`."""
    cluster = np.repeat(np.arange(clusters), each)
    situation = rng.integers(len(PAIRS), size=len(cluster))
    own = (THETA + rng.normal(0, spread, (clusters, 3)))[cluster]
    rows, (u, w) = np.arange(len(cluster)), np.array(PAIRS)[situation].T
    return CodedChoices(
        situations=SITUATIONS,
        clusters=tuple(f"{number:06d}" for number in range(clusters)),
        situation=situation,
        cluster=cluster,
        position=(rng.logistic(size=len(rows)) > own[rows, u] - own[rows, w]).astype(np.int64),
        decisions=len(cluster),
    )


def interval(choices: CodedChoices) -> tuple[float, float]:
    """The difference of Care and Power, and half its interval, straight from the fit."""
    design = compact(choices)
    fitted, contrast = fit(design), np.array([[1.0, 0.0, -1.0, 0.0, 0.0, 0.0]])
    se = float(np.sqrt((contrast @ fitted.covariance @ contrast.T).item()))
    clusters = effective_clusters(design, fitted, contrast).item()
    return float((contrast @ fitted.theta).item()), fitted.quantile(clusters) * se


def as_planted(ranking: ValueRanking, difference: float) -> ValueRanking:
    """The ranking, had its estimate met the truth."""
    strength = {"Care": difference / 2, "Justice": 0.0, "Power": -difference / 2}
    values = tuple(replace(value, strength=strength[value.value]) for value in ranking.values)
    return replace(ranking, values=values)


@pytest.mark.parametrize(("each", "spread"), [(1, 0.0), (10, 0.5)], ids=["alone", "in clusters"])
def test_the_decisions_asked_for_separate_the_two_values_in_80_percent_of_studies(
    each: int, spread: float
) -> None:
    rng = np.random.default_rng(1)
    truth = interval(study(rng, 200_000 // each, each, spread))[0]
    total = []
    for _ in range(8):
        pilot = rank_values(study(rng, 300 // each, each, spread), draws=20)
        (found,) = separations(as_planted(pilot, truth), [("Care", "Power")])
        assert found.needed is not None
        total.append(pilot.contested + found.needed)
    clusters = round(float(np.mean(total)) / each)
    intervals = [interval(study(rng, clusters, each, spread)) for _ in range(400)]
    separated = np.mean([difference > half for difference, half in intervals])
    # 400 studies tell it to 4 points, and eight pilots the number of decisions to a few percent
    assert separated == pytest.approx(0.8, abs=0.07)


def test_the_detectable_difference_is_what_needs_no_more_decisions() -> None:
    pilot = rank_values(study(np.random.default_rng(2), 60, 5, 0.3), draws=20)
    (found,) = separations(pilot, [("Care", "Power")])
    assert found.detectable is not None
    for share, is_enough in ((1.001, True), (0.9, False)):
        (planted,) = separations(as_planted(pilot, share * found.detectable), [("Care", "Power")])
        assert planted.needed is not None
        assert (planted.needed == 0) == is_enough


def test_half_the_difference_needs_about_four_times_the_decisions() -> None:
    pilot = rank_values(study(np.random.default_rng(3), 400, 1, 0.0), draws=20)
    needed = []
    for difference in (0.1, 0.05):
        (found,) = separations(as_planted(pilot, difference), [("Care", "Power")])
        assert found.needed is not None
        needed.append(pilot.contested + found.needed)
    assert needed[1] / needed[0] == pytest.approx(4, rel=0.02)


def test_adjacent_values_are_planned_for_and_their_intervals_are_those_of_the_difference() -> None:
    choices = study(np.random.default_rng(4), 200, 2, 0.3)
    ranking = rank_values(choices, draws=4000)
    found = separations(ranking)
    names = [value.value for value in ranking.values]
    assert [(each.over, each.under) for each in found] == list(pairwise(names))
    for each in found:
        drawn = np.quantile(ranking.differences(each.over, each.under), [0.025, 0.975])
        assert each.low is not None
        assert each.high is not None
        assert (each.high - each.low) == pytest.approx(np.ptp(drawn), rel=0.08)


def test_where_nothing_is_contradicted_no_number_of_choices_is_named() -> None:
    items = [
        Evidence(
            cluster=str(n),
            options=(option(Care=1.0), option(Power=1.0))[:: (-1) ** n],
            position=n % 2,
        )
        for n in range(4)
    ]
    ranking = rank_values(Choices(decisions=4, evidence=tuple(items)), draws=20)
    (found,) = separations(ranking)
    assert found.low is not None
    assert found.low < 0
    assert found.needed is None
    assert "only the prior bounds" in (found.reason or "")


def test_what_cannot_be_planned_says_why() -> None:
    def choices(*, clusters: int) -> Choices:
        items = [
            Evidence(
                cluster=str(n % clusters),
                options=(option(**{a: 1.0}), option(**{b: 1.0}))[:: (-1) ** n],
                position=n // 2 % 2,
            )
            for a, b in (("Care", "Power"), ("Justice", "Truth"))
            for n in range(40)
        ]
        return Choices(decisions=len(items), evidence=tuple(items))

    ranking = rank_values(choices(clusters=20), draws=20)
    close, apart, absent, same = separations(
        ranking, [("Care", "Power"), ("Care", "Truth"), ("Care", "Wisdom"), ("Care", "Care")]
    )
    assert close.needed is None
    assert close.difference == pytest.approx(0, abs=1e-6)
    assert close.reason == f"too close to be told apart by {MOST_NEEDED:,} more choices"
    assert apart.difference is None
    assert apart.reason == "no choice, nor any chain of choices, compares the two"
    assert absent.reason == "Wisdom is at stake in no choice"
    assert same.reason == "a value is not compared with itself"
    single = rank_values(choices(clusters=1), draws=20)
    (one,) = separations(single, [("Care", "Power")])
    assert one.reason == "all choices come from one episode: no uncertainty is known"
    assert separations(single) == ()
    assert separations(rank_values(Choices())) == ()
