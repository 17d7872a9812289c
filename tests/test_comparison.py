"""Comparisons of rankings: differences, rank correlations and flips are right, and say when not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize, stats

from valuesim.choices import Choices, Evidence
from valuesim.graph import rank_values
from valuesim.graph.comparison import compare
from valuesim.graph.contrasts import holm
from valuesim.graph.correlation import kendall, rank_correlation, spearman
from valuesim.graph.design import FloatArray
from valuesim.graph.joint import estimate_jointly
from valuesim.graph.logit import PRIOR_SD
from valuesim.graph.say_do import say_do
from valuesim.option import Option

NAMES = tuple(f"v{place}" for place in range(20))


def scenes(rng: np.random.Generator, n_values: int, count: int) -> list[tuple[Option, Option]]:
    """Return scenes of two options that uphold different values, one of them sometimes a third."""
    found = []
    for _ in range(count):
        first, second, third = rng.choice(n_values, 3, replace=False)
        stakes = [{NAMES[first]: 1.0}, {NAMES[second]: 1.0}]
        if rng.random() < 0.5:
            stakes[int(rng.integers(2))][NAMES[third]] = 0.5
        found.append(
            tuple(Option(name=n, text=n, stakes=s) for n, s in zip("ab", stakes, strict=True))
        )
    return found


def chosen(
    weights: Sequence[float],
    asked: Sequence[tuple[Option, Option]],
    clusters: Sequence[str],
    rng: np.random.Generator,
    effects: Mapping[str, FloatArray] | None = None,
) -> Choices:
    """Return choices by a logit with `weights`, each scene once, in the cluster of its place."""
    evidence = []
    for options, cluster in zip(asked, clusters, strict=True):
        shown = options if rng.random() < 0.5 else options[::-1]
        moved = np.asarray(weights) + (effects[cluster] if effects else 0.0)
        utility = [
            sum(moved[NAMES.index(value)] * stake for value, stake in option.stakes.items())
            for option in shown
        ]
        takes_second = rng.random() < 1 / (1 + np.exp(utility[0] - utility[1]))
        evidence.append(Evidence(cluster=cluster, options=shown, position=int(takes_second)))
    return Choices(decisions=len(evidence), evidence=tuple(evidence))


def several(count: int, size: int, name: str) -> list[str]:
    """Return the clusters of `count` choices, `size` in each."""
    return [f"{name}{place // size}" for place in range(count)]


def two_levels(
    seed: int, first: Sequence[float], second: Sequence[float], *, shared: bool, count: int = 400
) -> dict[str, Choices]:
    """Return choices at levels A and B, of the same scenes in the same clusters if `shared`.

    Clusters then pull both levels alike.
    """
    rng = np.random.default_rng(seed)
    n_values = len(first)
    asked = scenes(rng, n_values, count)
    at = several(count, 5, "s")
    effects = {name: 0.7 * rng.standard_normal(n_values) for name in at} if shared else None
    again = asked if shared else scenes(rng, n_values, count)
    return {
        "A": chosen(first, asked, at, rng, effects),
        "B": chosen(second, again, at if shared else several(count, 5, "t"), rng, effects),
    }


WEIGHTS = (1.5, 0.7, 0.2, -0.4, -0.8, -1.2)
MOVED = (-0.5, 0.7, 0.4, -0.4, 0.6, -0.8)


def one_fit(choices: Mapping[str, Choices]) -> tuple[dict[str, float], FloatArray, list[str]]:
    """Return what moved by one logit of both levels with value x level columns, by scipy.

    Returns the moves by value, their cluster-robust covariance, and the values. Written apart from
    the package: features from the options themselves, derivatives by hand.
    """
    values = sorted(
        {v for c in choices.values() for e in c.evidence for o in e.options for v in o.stakes}
    )
    rows, clusters, picked = [], [], []
    for level, own in enumerate(choices.values()):
        for evidence in own.evidence:
            difference = np.array(
                [
                    [
                        evidence.options[1].stakes.get(v, 0.0)
                        - evidence.options[0].stakes.get(v, 0.0)
                    ]
                    for v in values
                ]
            )[:, 0]
            # shown second rather than first: one column, as "first" and "position" say the same
            x = np.append(difference, 1.0)
            rows.append(np.concatenate([x, x * level]))
            clusters.append(evidence.cluster)
            picked.append(evidence.position)
    features, taken = np.array(rows), np.array(picked, dtype=float)
    n = len(values) + 1
    # each level's own coefficients have the prior; "first" and "position" together have variance
    # 2 in a step from the first place to the second
    precision = np.append(np.full(len(values), PRIOR_SD**-2), PRIOR_SD**-2 / 2)
    both = np.hstack([np.eye(n), np.eye(n)])
    penalty = np.diag(np.concatenate([precision, np.zeros(n)])) + both.T * precision @ both

    def loss(beta: FloatArray) -> tuple[float, FloatArray]:
        utility = features @ beta
        gradient = features.T @ (1 / (1 + np.exp(-utility)) - taken) + penalty @ beta
        return float(
            np.logaddexp(0, utility).sum() - taken @ utility + beta @ penalty @ beta / 2
        ), gradient

    beta = optimize.minimize(
        loss, np.zeros(2 * n), jac=True, method="BFGS", options={"gtol": 1e-9}
    ).x
    p = 1 / (1 + np.exp(-features @ beta))
    hessian = features.T @ (features * (p * (1 - p))[:, None]) + penalty
    names = sorted(set(clusters))
    scores = np.zeros((len(names), 2 * n))
    np.add.at(scores, [names.index(c) for c in clusters], features * (taken - p)[:, None])
    bread = np.linalg.inv(hessian)
    covariance = bread @ (scores.T @ scores) @ bread * len(names) / (len(names) - 1)
    moves = slice(n, n + len(values))
    return dict(zip(values, beta[moves], strict=True)), covariance[moves, moves], values


@pytest.mark.parametrize("shared", [False, True])
def test_two_fits_agree_with_one_fit_that_has_value_by_level_columns(shared: bool) -> None:
    levels = two_levels(3, WEIGHTS, MOVED, shared=shared, count=800)
    moves, covariance, values = one_fit(levels)
    centring = np.eye(len(values)) - 1 / len(values)
    errors = np.sqrt(np.diag(centring @ covariance @ centring))
    mean = np.mean(list(moves.values()))
    for each in compare(levels, draws=20).differences:
        assert each.difference == pytest.approx(moves[each.value] - mean, abs=1e-4)
        # ours is freed of each cluster's own pull (CR2), so that it is a little larger
        assert 0.98 < each.se / errors[values.index(each.value)] < 1.12


def test_the_same_answers_in_the_same_clusters_are_surely_no_difference() -> None:
    own = two_levels(1, WEIGHTS, WEIGHTS, shared=True)["A"]
    elsewhere = Choices(
        decisions=own.decisions,
        evidence=tuple(replace(each, cluster=f"other {each.cluster}") for each in own.evidence),
    )
    paired = compare({"A": own, "B": own}, draws=20).differences
    apart = compare({"A": own, "B": elsewhere}, draws=20).differences
    for same, other in zip(paired, apart, strict=True):
        assert same.difference == pytest.approx(0)
        assert same.se < 0.4 * other.se


def test_the_draws_of_a_difference_spread_as_its_interval_says() -> None:
    joint = estimate_jointly(two_levels(5, WEIGHTS, MOVED, shared=True), draws=2000)
    values, _ = joint.common(["A", "B"])
    moved = joint.contrasts({"A": -joint.rows("A", values), "B": joint.rows("B", values)})
    low, high = np.quantile(moved.draws, [0.025, 0.975], axis=0)
    assert (high - low) / (2 * moved.half) == pytest.approx(np.ones(len(values)), abs=0.15)


@pytest.mark.parametrize("shared", [False, True])
def test_intervals_of_differences_cover_the_truth(shared: bool) -> None:
    truth = np.subtract(MOVED, WEIGHTS)
    # what clusters add to both levels draws the average choice nearer to 0
    truth = (truth - truth.mean()) * (0.85 if shared else 1.0)
    covered = [
        each.low <= truth[NAMES.index(each.value)] <= each.high
        for seed in range(60)
        for each in compare(two_levels(seed, WEIGHTS, MOVED, shared=shared), draws=2).differences
    ]
    assert 0.92 <= np.mean(covered) <= 0.98


def test_values_that_did_not_move_are_said_to_have_moved_once_in_twenty_comparisons() -> None:
    found = [
        compare(two_levels(seed, WEIGHTS, WEIGHTS, shared=False), draws=2) for seed in range(60)
    ]
    assert sum(bool(each.moved) for each in found) <= stats.binom.ppf(0.999, 60, 0.05)
    assert sum(bool(each.flips) for each in found) == 0


def test_what_moved_and_what_flipped_is_found() -> None:
    found = compare(two_levels(2, (2, 1, 0, -1, -2), (-2, 1, 0, -1, 2), shared=False), draws=200)
    assert found.moved == ("v0", "v4")
    assert ("v0", "v4") in {(flip.over, flip.under) for flip in found.flips}
    flip = next(each for each in found.flips if (each.over, each.under) == ("v0", "v4"))
    assert flip.p_over_against > 0.99
    assert flip.p_over_level < 0.01
    assert flip.p_differs > 0.99


def test_a_pair_is_a_difference_of_differences() -> None:
    levels = two_levels(4, WEIGHTS, MOVED, shared=False)
    found = compare(levels, pairs=[("v0", "v4"), ("v0", "never")], draws=500)
    (change,) = found.pairs
    each = {name: rank_values(own) for name, own in levels.items()}
    gaps = {n: r.value("v0").strength - r.value("v4").strength for n, r in each.items()}  # type: ignore[union-attr,operator]
    assert change.at_against == pytest.approx(gaps["A"])
    assert change.at_level == pytest.approx(gaps["B"])
    assert change.change == pytest.approx(gaps["B"] - gaps["A"])
    assert change.p_over_against == pytest.approx(each["A"].probability("v0", "v4"), abs=0.03)
    assert found.no_pairs == {"v0 over never (A, B)": "never: never at stake"}


def test_strengths_are_those_of_the_ranking_centred_on_what_all_levels_compare() -> None:
    levels = two_levels(6, WEIGHTS, MOVED, shared=False)
    levels["B"] = two_levels(6, WEIGHTS[:5], MOVED[:5], shared=False)["B"]
    found = compare(levels, draws=20)
    own = rank_values(levels["A"])
    strengths = {value: own.value(value).strength for value in found.values}  # type: ignore[union-attr]
    mean = np.mean(list(strengths.values()))  # type: ignore[arg-type]
    for value, strength in strengths.items():
        assert found.strengths["A"][value].strength == pytest.approx(strength - mean)
    assert found.left_out == {"v5": "never at stake (B)"}


def test_a_level_that_compares_few_values_does_not_take_the_strengths_of_others_away() -> None:
    levels = two_levels(6, WEIGHTS, MOVED, shared=False)
    rng = np.random.default_rng(0)
    few = chosen(WEIGHTS[:3], scenes(rng, 3, 200)[:200], several(200, 5, "u"), rng)
    only_two = tuple(e for e in few.evidence if all("v2" not in o.stakes for o in e.options))
    found = compare({**levels, "C": Choices(decisions=200, evidence=only_two)}, draws=20)
    assert set(found.values) == {"v0", "v1", "v2", "v3", "v4", "v5"}
    assert found.thin == {"C": "compares 2 of the 6 values that others do"}
    assert set(found.strengths) == {"A", "B"}
    assert found.levels == ("A", "B", "C")


def test_order_of_levels_is_kept_and_each_is_set_against_the_first() -> None:
    two = two_levels(7, WEIGHTS, MOVED, shared=False)
    found = compare({"z": two["A"], "y": two["B"], "x": two["A"]}, draws=20)
    assert found.levels == ("z", "y", "x")
    assert {(each.against, each.level) for each in found.differences} == {("z", "y"), ("z", "x")}
    assert [(e.against, e.level) for e in found.correlations] == [
        ("z", "y"),
        ("z", "x"),
        ("y", "x"),
    ]
    assert all(e.difference == 0 for e in found.differences if e.level == "x")


def sure(rng: np.random.Generator, count: int, name: str) -> Choices:
    """Return the choices of an agent that never contradicts itself."""
    order = 100.0 * np.arange(5, 0, -1)
    return chosen(order, scenes(rng, 5, count), several(count, 5, name), rng)


def test_an_agent_that_never_contradicts_itself_moves_nowhere_by_being_asked_more() -> None:
    rng = np.random.default_rng(0)
    found = compare({"few": sure(rng, 50, "s"), "many": sure(rng, 800, "t")}, draws=200)
    assert max(abs(each.difference) for each in found.differences) > 1
    assert all(each.bounded for each in found.differences)
    assert found.moved == ()
    assert found.flips == ()
    assert found.correlations[0].found.high == pytest.approx(1)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "a comparison needs two levels; there is none"),
        ({"A": Choices()}, "a comparison needs two levels; there is 1: A"),
        (
            {"A": Choices(), "B": Choices(decisions=3, faults={"refused": 3})},
            "fewer than two levels can be ranked (A: no decision; B: all decisions were faults)",
        ),
    ],
)
def test_what_cannot_be_compared_is_said(given: dict[str, Choices], why: str) -> None:
    assert compare(given).why == why


def test_a_level_of_one_cluster_or_one_value_is_left_out_with_the_reason() -> None:
    levels = two_levels(8, WEIGHTS, MOVED, shared=False)
    lone = chosen(
        (1, 0, -1), scenes(np.random.default_rng(0), 3, 20), ["s"] * 20, np.random.default_rng(0)
    )
    option = [Option(name=n, text=n, stakes={"v0": s}) for n, s in (("a", 1.0), ("b", 0.0))]
    one = Choices(decisions=1, evidence=(Evidence(cluster="c", options=tuple(option), position=0),))
    found = compare({**levels, "lone": lone, "one": one}, draws=20)
    assert found.levels == ("A", "B")
    assert {each.level: each.why for each in found.counts if each.why} == {
        "lone": "all contested choices come from one episode: no uncertainty is known",
        "one": "only v0 is at stake",
    }


def test_whoever_is_more_decided_in_deeds_than_in_words_has_no_gap() -> None:
    rng = np.random.default_rng(0)
    weights = np.linspace(-1, 1, 8)
    groups = {
        "said": chosen(weights, scenes(rng, 8, 600), several(600, 5, "s"), rng),
        "done": chosen(2 * weights, scenes(rng, 8, 600), several(600, 5, "t"), rng),
    }
    found = say_do(groups, ["said"], draws=50)
    assert not any(gap.is_gap for gap in found.gaps)
    scale = [gap.at_stated for gap in found.gaps]
    assert np.std(scale, ddof=1) == pytest.approx(1, abs=0.1)


def test_equal_input_gives_equal_figures() -> None:
    levels = two_levels(9, WEIGHTS, MOVED, shared=True)
    assert compare(levels, draws=50, seed=3) == compare(levels, draws=50, seed=3)


def test_coefficients_are_those_of_scipy() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((5, 18))
    for row, rho, tau in zip(rows, spearman(rows), kendall(rows), strict=True):
        assert rho == pytest.approx(stats.spearmanr(row[:9], row[9:]).statistic)
        assert tau == pytest.approx(stats.kendalltau(row[:9], row[9:]).statistic)


def noisy(
    rng: np.random.Generator, r: float, noise: float, n_values: int = 12
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return true strengths of two rankings, their noisy estimates, covariance and noise draws."""
    one, other = rng.standard_normal((2, n_values))
    truth = np.concatenate([one, r * one + np.sqrt(1 - r * r) * other])
    sizes = noise * np.exp(0.3 * rng.standard_normal(2 * n_values))
    centring = np.kron(np.eye(2), np.eye(n_values) - 1 / n_values)
    draws = (rng.standard_normal((400, 2 * n_values)) * sizes) @ centring
    estimate = centring @ (truth + sizes * rng.standard_normal(2 * n_values))
    return truth, estimate, centring * sizes**2 @ centring, draws


@pytest.mark.parametrize("r", [0.0, 0.8, 1.0])
def test_intervals_of_rank_correlations_cover_where_resampling_does_not(r: float) -> None:
    rng = np.random.default_rng(1)
    covered, resampled = [], []
    for _ in range(80):
        truth, estimate, covariance, draws = noisy(rng, r, 0.6)
        true = float(spearman(truth[None])[0])
        found = rank_correlation(estimate, covariance, draws, rng)
        assert found.low is not None
        assert found.high is not None
        covered.append(found.low - 1e-9 <= true <= found.high + 1e-9)
        low, high = np.quantile(spearman(estimate + draws), [0.025, 0.975])
        resampled.append(low <= true <= high)
    assert np.mean(covered) >= 0.9
    if r:
        assert np.mean(resampled) < 0.75


def test_a_rank_correlation_without_noise_is_the_coefficient_itself() -> None:
    rng = np.random.default_rng(2)
    truth, *_ = noisy(rng, 0.5, 1.0)
    covariance = np.eye(len(truth)) * 1e-8
    found = rank_correlation(truth, covariance, 1e-4 * rng.standard_normal((200, len(truth))), rng)
    assert found.observed == pytest.approx(found.spearman, abs=0.01)
    assert found.low == pytest.approx(found.high, abs=0.02)
    assert found.ceiling == pytest.approx(1, abs=0.01)


def test_rankings_of_nothing_but_noise_say_nothing_of_each_other() -> None:
    rng = np.random.default_rng(3)
    noise = rng.standard_normal((400, 24))
    found = rank_correlation(rng.standard_normal(24), np.eye(24), noise, rng)
    assert found.low is not None
    assert found.high is not None
    assert found.low < -0.5
    assert found.high > 0.5


def test_holm_rejects_step_by_step() -> None:
    assert holm(np.array([0.01, 0.04, 0.02])).tolist() == [True, True, True]
    assert holm(np.array([0.01, 0.06, 0.03])).tolist() == [True, False, False]
    assert holm(np.array([])).tolist() == []
