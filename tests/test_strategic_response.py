"""Dose-response: slopes and trends by hand, with planted signs, and none where there is none."""

import numpy as np
import pytest
from scipy import stats

from valuesim.measures.strategic.response import linear_slope, logistic_slope, trend


def test_a_straight_line_has_its_slope() -> None:
    slope = linear_slope([1, 2, 3, 4], [8, 6, 4, 2], ["a", "b", "c", "d"])
    assert slope.value == pytest.approx(-2)


def test_the_linear_slope_is_least_squares() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=30), rng.normal(size=30)
    slope = linear_slope(x.tolist(), y.tolist(), [str(k) for k in range(30)])
    assert slope.value == pytest.approx(stats.linregress(x, y).slope)


def planted(
    slope: float, rng: np.random.Generator, clusters: int = 120
) -> tuple[list[float], list[float], list[str]]:
    """Yes or no at five doses in each cluster, whose own leaning differs."""
    doses: list[float] = []
    hits: list[float] = []
    own: list[str] = []
    for cluster in range(clusters):
        leaning = rng.normal(scale=0.7)
        for dose in range(5):
            doses.append(float(dose))
            hits.append(float(rng.random() < 1 / (1 + np.exp(-(leaning + slope * (dose - 2))))))
            own.append(f"e{cluster}")
    return doses, hits, own


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_planted_slope_is_found_with_its_sign(sign: int) -> None:
    slope = logistic_slope(*planted(0.6 * sign, np.random.default_rng(3)))
    assert slope.value == pytest.approx(0.6 * sign, abs=0.2)
    assert slope.low is not None
    assert slope.high is not None
    assert slope.low * sign > 0
    assert slope.high * sign > 0


def test_without_an_effect_the_interval_holds_0_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(8)
    slopes = [logistic_slope(*planted(0.0, rng, clusters=40)) for _ in range(60)]
    inside = [s.low < 0 < s.high for s in slopes if s.low is not None and s.high is not None]
    assert len(inside) == 60
    assert sum(inside) >= 53


def test_a_sharp_threshold_has_a_finite_slope_that_is_not_overstated() -> None:
    doses = [0.0, 1.0, 2.0, 3.0] * 5
    hits = [1.0, 1.0, 0.0, 0.0] * 5
    slope = logistic_slope(doses, hits, [f"e{k // 4}" for k in range(20)])
    assert slope.value is not None
    assert slope.low is not None
    assert slope.value < 0
    assert np.isfinite(slope.low)
    assert slope.low < slope.value - 1


@pytest.mark.parametrize(
    ("doses", "answers", "why"),
    [
        ([], [], "no valid decision"),
        ([1, 1], [0, 1], "same dose"),
        ([1, 2], [1, 1], "every decision is the same"),
    ],
)
def test_no_variation_is_no_slope(doses: list[float], answers: list[float], why: str) -> None:
    clusters = ["a", "b"][: len(doses)]
    for slope in (linear_slope, logistic_slope):
        found = slope(doses, answers, clusters)
        assert found.value is None
        assert why in found.why


def test_the_trend_between_clusters_is_somers_d() -> None:
    doses, answers = [1, 1, 2, 2, 3, 3], [3, 2, 2, 1, 2, 0]
    found = trend(doses, answers, [str(k) for k in range(6)], within=False)
    assert found.value == pytest.approx(stats.somersd(doses, answers).statistic)


def test_the_trend_within_clusters_never_compares_two_of_them() -> None:
    # each cluster rises, the second from far below: compared across, the trend would be weaker
    doses, answers = [1, 2, 3, 4, 5, 6], [10, 11, 12, 0, 1, 2]
    clusters = ["a"] * 3 + ["b"] * 3
    assert trend(doses, answers, clusters, within=True).value == 1.0
    across = trend(doses, answers, clusters, within=False).value
    assert across == -1.0


def test_a_perfect_trend_in_few_clusters_is_not_certain() -> None:
    doses, answers = [1, 2, 3] * 5, [9, 5, 1] * 5
    found = trend(doses, answers, [f"e{k // 3}" for k in range(15)], within=True)
    assert found.value == -1.0
    assert found.high is not None
    assert -1.0 < found.high < 0.1


def test_one_dose_has_no_trend() -> None:
    assert trend([1, 1], [0, 1], ["a", "b"], within=False).value is None


def test_trend_intervals_hold_no_trend_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(6)
    inside = 0
    for _ in range(60):
        doses, answers, clusters = planted(0.0, rng, clusters=30)
        found = trend(doses, answers, clusters, within=True)
        assert found.low is not None
        assert found.high is not None
        inside += found.low < 0 < found.high
    assert inside >= 53


def test_a_rare_answer_in_few_clusters_has_no_slope_more_often_than_it_says() -> None:
    rng = np.random.default_rng(10)
    excluded = known = 0
    for _ in range(150):
        hits = (rng.random(80) < 0.05).astype(float)
        found = logistic_slope([0, 1, 2, 3] * 20, hits.tolist(), [str(k // 4) for k in range(80)])
        if found.low is not None and found.high is not None:
            known += 1
            excluded += not found.low <= 0 <= found.high
    assert known >= 120
    assert excluded / known <= 0.06


def test_the_jackknife_of_the_linear_slope_is_that_of_fits_without_each_cluster() -> None:
    rng = np.random.default_rng(12)
    x, y = rng.normal(size=24), rng.normal(size=24)
    own = np.arange(24) // 4
    found = linear_slope(x.tolist(), y.tolist(), own.astype(str).tolist())
    left = [stats.linregress(x[own != k], y[own != k]).slope for k in range(6)]
    variance = 5 / 6 * sum((each - stats.linregress(x, y).slope) ** 2 for each in left)
    assert found.value is not None
    assert found.high is not None
    assert found.high - found.value == pytest.approx(stats.t.ppf(0.975, 5) * variance**0.5)


def test_a_slope_that_rests_on_one_cluster_has_no_interval() -> None:
    clusters = ["a", "b", "c", "d"]
    for slope in (linear_slope, logistic_slope):
        found = slope([1, 1, 1, 2], [0, 1, 0, 1], clusters)
        assert found.value is not None
        assert found.low is None


def test_a_trend_in_a_dozen_clusters_of_small_spread_is_detected() -> None:
    rng = np.random.default_rng(13)
    detected = 0
    for _ in range(30):
        doses = np.tile([0.0, 1, 2, 3], 12)
        answers = (rng.random(48) < 1 / (1 + np.exp(1.5 * (doses - 1.5)))).astype(float)
        clusters = [str(k // 4) for k in range(48)]
        found = trend(doses.tolist(), answers.tolist(), clusters, within=True)
        detected += found.high is not None and found.high < 0
    assert detected >= 24
