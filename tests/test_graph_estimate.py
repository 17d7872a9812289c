"""The conditional logit, its uncertainty, and what the choices determine at all."""

from collections.abc import Callable, Mapping, Sequence
from math import log

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import linalg, optimize

from valuesim.choices import Choices, Evidence
from valuesim.graph import rank_values
from valuesim.graph.bootstrap import ClusterWeights, bootstrap, cluster_weights, refits
from valuesim.graph.design import Design, compact
from valuesim.graph.identification import identify
from valuesim.graph.logit import PRIOR_SD, fit, information, losses, probabilities
from valuesim.graph.sandwich import plain_influences, scores
from valuesim.option import Option

VALUES = ("Care", "Justice", "Power", "Privacy")
Picker = Callable[[NDArray[np.float64]], int]


def option(name: str = "o", *, omission: bool = False, **stakes: float) -> Option:
    return Option(name=name, text="", stakes=stakes, is_omission=omission)


def at_stake(stakes: Mapping[str, float], name: str = "o") -> Option:
    return Option(name=name, text="", stakes=stakes)


def evidence(cluster: object, options: Sequence[Option], position: int) -> Evidence:
    return Evidence(cluster=str(cluster), options=tuple(options), position=position)


def gathered(items: Sequence[Evidence]) -> Choices:
    return Choices(decisions=len(items), evidence=tuple(items))


def two_sided(wins: int, losses: int, a: str = "Care", b: str = "Power") -> list[Evidence]:
    """`wins` choices of `a` against `b`, `losses` the other way; the order shown is balanced."""
    items = []
    for number in range(wins + losses):
        first = at_stake({a: 1.0}), at_stake({b: 1.0})
        is_swapped = number % 2 == 1
        shown = first[::-1] if is_swapped else first
        items.append(evidence(number, shown, int((number >= wins) != is_swapped)))
    return items


def situations(rng: np.random.Generator, number: int, width: int) -> list[list[Option]]:
    stakes = rng.choice([-1.0, -0.5, 0.0, 0.5, 1.0], (number, width, len(VALUES)))
    return [
        [at_stake(dict(zip(VALUES, row, strict=True)), str(k)) for k, row in enumerate(block)]
        for block in stakes.tolist()
    ]


def simulated(
    rng: np.random.Generator,
    theta: NDArray[np.float64],
    *,
    n_clusters: int,
    n_each: int,
    repeats: int = 1,
    width: int = 3,
) -> Choices:
    """Choices of an agent with strengths `theta`; each is made `repeats` times in its cluster."""
    items = []
    offered = situations(rng, 20, width)
    for cluster in range(n_clusters):
        for place in rng.integers(len(offered), size=n_each):
            options = [offered[place][k] for k in rng.permutation(width)]
            stakes = np.array([[o.stakes[v] for v in VALUES] for o in options])
            chosen = int(np.argmax(stakes @ theta + rng.gumbel(size=width)))
            items += [evidence(cluster, options, chosen)] * repeats
    return gathered(items)


def strengths(design: Design) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The centred strengths and half their 95 % intervals."""
    fitted, centring = fit(design), identify(design).centring
    errors = np.sqrt(np.diag(centring @ fitted.covariance @ centring.T))
    return centring @ fitted.theta, fitted.quantile(fitted.n_clusters) * errors


def test_one_pair_has_the_log_odds_of_its_counts() -> None:
    ranking = rank_values(gathered(two_sided(300, 100)))
    care, power = ranking.values
    assert (care.value, care.rank, power.rank) == ("Care", 1, 2)
    assert care.strength is not None
    assert power.strength == pytest.approx(-care.strength)
    # the prior takes 0.3 %; each of the two strengths is half the log-odds
    assert 2 * care.strength == pytest.approx(log(3), rel=0.01)
    assert care.elo == pytest.approx(1000 + care.strength * 400 / log(10))


def test_the_standard_error_of_one_pair_is_that_of_independent_choices() -> None:
    care = rank_values(gathered(two_sided(300, 100))).values[0]
    assert care.se == pytest.approx(0.5 * (1 / 300 + 1 / 100) ** 0.5, rel=0.02)


def test_the_fit_is_the_maximum_found_by_another_optimiser() -> None:
    design = compact(
        simulated(np.random.default_rng(1), np.array([1, 0, -0.5, 0.2]), n_clusters=9, n_each=12)
    )

    def loss(theta: NDArray[np.float64]) -> float:
        return float(losses(design, theta).sum() + theta @ theta / (2 * PRIOR_SD**2))

    other = optimize.minimize(loss, np.zeros(design.features.shape[2]), method="BFGS")
    assert fit(design).theta == pytest.approx(other.x, abs=1e-4)


def test_the_information_is_the_curvature_of_the_loss() -> None:
    design = compact(simulated(np.random.default_rng(2), np.zeros(4), n_clusters=5, n_each=6))
    theta = np.linspace(-0.5, 0.5, design.features.shape[2])
    step = np.eye(len(theta)) * 1e-4
    numeric = np.array(
        [
            [
                (
                    losses(design, theta + a + b)
                    - losses(design, theta + a)
                    - losses(design, theta + b)
                    + losses(design, theta)
                ).sum()
                / 1e-8
                for a in step
            ]
            for b in step
        ]
    )
    asked = np.asarray(design.asked.sum(axis=0), dtype=float)
    assert information(design, asked, theta) == pytest.approx(numeric, abs=0.02)


def test_equal_situations_are_one_however_many_decisions_there_were() -> None:
    few, many = two_sided(3, 1), two_sided(3, 1) * 50
    assert len(compact(gathered(few)).situations) == len(compact(gathered(many)).situations) == 2
    assert compact(gathered(many)).counts.sum() == 200


def test_a_value_whose_stake_never_differs_is_not_at_stake() -> None:
    options = [option(Care=1.0, Wisdom=0.5), option(Power=1.0, Wisdom=0.5)]
    items = [evidence(n, options, n % 2) for n in range(8)]
    assert compact(gathered(items)).values == ("Care", "Power")


@pytest.mark.parametrize("repeats", [1, 3], ids=["independent choices", "echoed three times"])
def test_95_percent_intervals_cover_the_truth_in_95_percent(repeats: int) -> None:
    rng = np.random.default_rng(3)
    theta = np.array([0.6, 0.2, -0.3, -0.5])
    n_repeats, hits = 200, 0
    for _ in range(n_repeats):
        centre, half = strengths(
            compact(simulated(rng, theta, n_clusters=40, n_each=4, repeats=repeats))
        )
        hits += int((np.abs(centre - theta) <= half).sum())
    # the four strengths of a repeat are correlated; the error is taken as if they were one
    assert hits / (4 * n_repeats) == pytest.approx(0.95, abs=2 * (0.95 * 0.05 / n_repeats) ** 0.5)


def test_echoed_choices_do_not_narrow_the_interval() -> None:
    theta = np.array([0.6, 0.2, -0.3, -0.5])
    once, echoed = (
        strengths(
            compact(
                simulated(np.random.default_rng(4), theta, n_clusters=40, n_each=4, repeats=repeats)
            )
        )[1]
        for repeats in (1, 25)
    )
    assert echoed == pytest.approx(once, rel=0.05)


def blind_choices(rng: np.random.Generator, pick: Picker) -> Choices:
    offered = situations(rng, 30, 4)
    items = []
    for cluster in range(30):
        for place in rng.integers(len(offered), size=10):
            shown = [offered[place][k] for k in rng.permutation(4)]
            items.append(evidence(cluster, shown, pick(rng.random(3))))
    return gathered(items)


@pytest.mark.parametrize(
    "pick",
    [
        pytest.param(lambda u: int(u[0] * 4), id="random"),
        pytest.param(lambda _: 0, id="always first"),
        pytest.param(lambda u: 0 if u[0] < 0.8 else int(u[1] * 4), id="mostly first"),
        pytest.param(lambda _: 3, id="always last"),
    ],
)
def test_a_content_blind_agent_gets_no_strengths_and_no_coherent_ranking(pick: Picker) -> None:
    ranking = rank_values(blind_choices(np.random.default_rng(5), pick), draws=200)
    assert not ranking.coherence.is_coherent
    assert ranking.statement is not None
    assert ranking.statement.startswith("No coherent ranking")
    for value in ranking.values:
        assert value.low is not None
        assert value.high is not None
        assert value.low <= 0 <= value.high


def test_an_agent_that_lets_things_be_is_not_read_as_putting_their_values_first() -> None:
    rng = np.random.default_rng(6)
    act, wait = option("ACT", Care=1.0), option("WAIT", omission=True, Justice=1.0)
    act_too, wait_too = option("ACT", Justice=1.0), option("WAIT", omission=True, Care=1.0)
    items = []
    for cluster in range(40):
        shown = [(act, wait), (act_too, wait_too)][cluster % 2]
        for number in range(6):
            waits = rng.random() < 0.9
            items.append(
                evidence(cluster, shown[:: (-1) ** number], int(waits == (number % 2 == 0)))
            )
    ranking = rank_values(gathered(items))
    care = ranking.value("Care")
    assert care is not None
    assert care.low is not None
    assert care.high is not None
    assert care.low < 0 < care.high
    assert ranking.terms["omission"].low > 1


def test_separated_choices_stay_finite_flagged_and_wide() -> None:
    ranking = rank_values(gathered(two_sided(6, 0)))
    care = ranking.value("Care")
    assert care is not None
    assert ranking.is_separated
    assert care.is_separated
    assert care.se is not None
    assert care.se > 0.5
    assert 0.8 < (ranking.probability("Care", "Power") or 0) < 1.0
    assert "never contradict" in (ranking.statement or "")


def test_contradicted_choices_are_not_called_separated() -> None:
    # one in each order shown: position alone could otherwise explain the contradiction
    assert not rank_values(gathered(two_sided(398, 2))).is_separated


def test_only_the_value_that_is_never_contradicted_is_named() -> None:
    items = [
        *two_sided(20, 0, "Care", "Power"),
        *two_sided(20, 0, "Care", "Privacy"),
        *two_sided(10, 10, "Power", "Privacy"),
    ]
    ranking = rank_values(gathered(items))
    assert {each.value for each in ranking.values if each.is_separated} == {"Care"}
    assert "never contradict each other on Care:" in (ranking.statement or "")


def test_where_two_sets_never_meet_contradiction_all_are_named() -> None:
    items = [
        *two_sided(20, 0, "Care", "Power"),
        *two_sided(10, 10, "Care", "Justice"),
        *two_sided(10, 10, "Power", "Privacy"),
    ]
    ranking = rank_values(gathered(items))
    assert {each.value for each in ranking.values if each.is_separated} == set(VALUES)


def test_more_unanimous_choices_are_surer() -> None:
    few, many = (
        rank_values(gathered(two_sided(n, 0))).probability("Care", "Power") for n in (3, 30)
    )
    assert few is not None
    assert many is not None
    assert few < many


def test_values_that_are_never_apart_are_not_told_apart() -> None:
    pair = [option(Care=1.0, Justice=0.5), option(Power=1.0)]
    other = [option(Power=1.0), option(Privacy=1.0)]
    items = [
        evidence(n, (pair if n % 3 else other)[:: (-1) ** n], int(n % 7 < 3)) for n in range(84)
    ]
    ranking = rank_values(gathered(items))
    care, justice = ranking.value("Care"), ranking.value("Justice")
    assert care is not None
    assert justice is not None
    assert (care.is_identified, care.strength, care.rank) == (False, None, None)
    assert care.reason == "never at stake apart from Justice"
    assert justice.reason == "never at stake apart from Care"
    assert ranking.components[0] == ("Power", "Privacy")
    assert ranking.probability("Care", "Power") is None


def test_values_that_never_meet_are_ranked_apart() -> None:
    items = two_sided(20, 10) + two_sided(6, 24, "Justice", "Privacy")
    ranking = rank_values(gathered(items))
    assert set(ranking.components) == {("Care", "Power"), ("Justice", "Privacy")}
    assert [v.rank for v in ranking.values] == [1, 2, 1, 2]
    assert ranking.probability("Care", "Justice") is None
    assert "only within 2 separate sets" in (ranking.statement or "")


def test_a_value_met_in_one_episode_only_has_no_known_uncertainty() -> None:
    items = two_sided(20, 10)
    items += [evidence(0, [option(Care=1.0), option(Justice=1.0)], n % 2) for n in range(6)]
    justice = rank_values(gathered(items)).value("Justice")
    assert justice is not None
    assert justice.strength is not None
    assert (justice.se, justice.rank, justice.is_identified) == (None, None, False)
    assert justice.reason == "at stake in fewer than two episodes"
    known = [v.strength for v in rank_values(gathered(items)).values if v.is_identified]
    assert sum(strength or 0 for strength in known) == pytest.approx(0, abs=1e-9)


def test_a_value_compared_only_with_seldom_ones_is_not_identified() -> None:
    items = [evidence(0, [option(Care=1.0), option(Justice=1.0)], n % 2) for n in range(8)]
    items += [evidence(n, [option(Care=1.0), option()][:: (-1) ** n], n % 2) for n in range(8)]
    care = rank_values(gathered(items)).value("Care")
    assert care is not None
    assert not care.is_identified
    assert care.reason == "compared only with values at stake in fewer than two episodes"


def test_a_fixed_order_hides_the_value_that_always_stands_first() -> None:
    items = [evidence(n, [option(Care=1.0), option(Power=1.0)], int(n % 3 == 0)) for n in range(30)]
    care = rank_values(gathered(items)).value("Care")
    assert care is not None
    assert not care.is_identified
    assert "being shown first" in (care.reason or "")


def test_one_newton_step_is_close_to_the_full_refit() -> None:
    rng = np.random.default_rng(7)
    design = compact(simulated(rng, np.array([1, 0.3, -0.4, -0.9]), n_clusters=60, n_each=8))
    fitted = fit(design)
    weights = cluster_weights(design.clusters, 300, rng)
    one, full = (refits(design, fitted.theta, weights, is_full=each) for each in (False, True))
    spread = full.std(axis=0)
    values = slice(0, 4)
    assert (np.abs(one - full)[:, values].mean(axis=0) < 0.15 * spread[values]).all()
    assert one.std(axis=0)[values] == pytest.approx(spread[values], rel=0.1)


def test_a_full_refit_is_the_fit_of_the_drawn_clusters() -> None:
    choices = simulated(np.random.default_rng(8), np.array([1, 0, 0, -1]), n_clusters=8, n_each=9)
    design = compact(choices)
    counts = np.array([[2, 0, 1, 1, 0, 3, 1, 0]], dtype=float)
    weights = ClusterWeights(clusters=design.clusters, block=np.arange(8), counts=counts)
    places = {cluster: index for index, cluster in enumerate(design.clusters)}
    drawn = [item for item in choices.evidence for _ in range(int(counts[0, places[item.cluster]]))]
    refitted = refits(design, fit(design).theta, weights)[0]
    assert refitted == pytest.approx(fit(compact(gathered(drawn))).theta, abs=1e-4)


@pytest.mark.parametrize("n_clusters", [8, 60])
def test_draws_spread_as_the_intervals_say(n_clusters: int) -> None:
    rng = np.random.default_rng(9)
    design = compact(
        simulated(rng, np.array([0.8, 0.2, -0.3, -0.7]), n_clusters=n_clusters, n_each=20)
    )
    centring = identify(design).centring
    weights = cluster_weights(design.clusters, 2000, rng)
    draws = bootstrap(design, fit(design), weights, rng) @ centring.T
    width = np.diff(np.quantile(draws, [0.025, 0.975], axis=0), axis=0)[0] / 2
    assert width == pytest.approx(strengths(design)[1], rel=0.25)


def test_rank_ranges_hold_the_true_rank_and_narrow_with_evidence() -> None:
    theta = np.array([0.5, 0.2, -0.2, -0.5])
    widths = []
    for n_clusters in (10, 200):
        choices = simulated(np.random.default_rng(10), theta, n_clusters=n_clusters, n_each=10)
        ranking = rank_values(choices, draws=500)
        for rank, name in enumerate(VALUES, start=1):
            value = ranking.value(name)
            assert value is not None
            assert value.rank_low is not None
            assert value.rank_high is not None
            assert value.rank_low <= rank <= value.rank_high
        widths.append(sum((v.rank_high or 0) - (v.rank_low or 0) for v in ranking.values))
    assert widths[1] < widths[0]


def test_the_same_seed_gives_the_same_ranking_and_another_one_almost() -> None:
    choices = simulated(np.random.default_rng(11), np.array([1, 0, 0, -1]), n_clusters=20, n_each=9)
    first, again, other = (rank_values(choices, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.values[0].strength == other.values[0].strength
    assert first.probability("Justice", "Power") != other.probability("Justice", "Power")


def test_two_options_and_ten_give_the_same_strengths() -> None:
    theta = np.array([0.8, 0.2, -0.3, -0.7])
    for width in (2, 10):
        choices = simulated(
            np.random.default_rng(12), theta, n_clusters=150, n_each=20, width=width
        )
        centre, half = strengths(compact(choices))
        assert (np.abs(centre - theta) <= 1.5 * half).all()


def test_the_covariance_frees_each_score_of_its_own_pull() -> None:
    theta = np.array([1.0, 0.0, -1.0, 0.5])
    design = compact(simulated(np.random.default_rng(3), theta, n_clusters=30, n_each=6))
    fitted = fit(design)
    bread = np.linalg.inv(fitted.hessian)
    p = probabilities(design, fitted.theta)
    meat = np.zeros_like(bread)
    for g in range(len(design.clusters)):
        own, score = np.zeros_like(bread), np.zeros(len(bread))
        met = np.asarray(design.asked.todense())[g]
        taken = np.asarray(design.chosen.todense())[g].reshape(design.offered.shape)
        for s, times in enumerate(met):
            x = design.features[s]
            mean = p[s] @ x
            own += times * (x - mean).T @ np.diag(p[s]) @ (x - mean)
            score += taken[s] @ x - times * mean
        freed = np.real(linalg.inv(linalg.sqrtm(np.eye(len(bread)) - own @ bread))) @ score
        meat += np.outer(freed, freed)
    # no option here is an omission: that column rests on the floor
    seen = slice(0, 6)
    expected = (bread @ meat @ bread)[seen, seen]
    assert fitted.covariance[seen, seen] == pytest.approx(expected, rel=1e-6, abs=1e-9)
    plain = plain_influences(scores(design, p), fitted.hessian)
    assert (np.diag(fitted.covariance) > 0.8 * (plain**2).sum(axis=0)).all()


def test_heavy_values_on_few_scenes_are_covered() -> None:
    rng = np.random.default_rng(11)
    truth = rng.normal(0, 1, 12)
    names = [f"v{k}" for k in range(12)]
    held = []
    for _ in range(60):
        items = []
        for scene in range(60):
            u, w, x, y = rng.permutation(12)[:4]
            options = [
                at_stake({names[u]: 0.9, names[w]: -0.5}),
                at_stake({names[x]: 0.7, names[y]: -0.3}, "other"),
            ]
            gap = 0.9 * truth[u] - 0.5 * truth[w] - 0.7 * truth[x] + 0.3 * truth[y]
            chosen = int(rng.random() > 1 / (1 + np.exp(-gap)))
            items += [evidence(scene, options, chosen)]
        design = compact(gathered(items))
        centre, half = strengths(design)
        own = np.array([truth[int(name[1:])] for name in design.values])
        held.append(np.abs(centre[: len(own)] - own + own.mean()) <= half[: len(own)])
    assert 0.92 <= np.concatenate(held).mean() <= 0.985
