"""Choices as columns, the design made of them, and its quick bootstrap."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from valuesim.choices import Choices, Evidence
from valuesim.errors import InputError
from valuesim.graph import rank_together, rank_values, to_json
from valuesim.graph.bootstrap import (
    MOST_BLOCKS,
    ClusterWeights,
    bootstrap,
    cluster_weights,
    refits,
)
from valuesim.graph.coded import CodedChoices, coded
from valuesim.graph.design import Design, compact
from valuesim.graph.logit import fit, information, mode, probabilities
from valuesim.graph.sandwich import information_of, roots, third_moments
from valuesim.option import Option

VALUES = tuple(f"v{number}" for number in range(8))


def drawn(
    rng: np.random.Generator,
    *,
    clusters: int,
    each: int,
    spread: float,
    scenes: int = 60,
    width: int = 2,
    alike: bool = False,
    n_values: int = 8,
) -> CodedChoices:
    """Choices over scenes of one to three stakes an option, by strengths of the given `spread`.

    With `alike` a cluster meets one scene again and again and always answers the same.
    """
    theta = rng.normal(0, spread, n_values)
    stakes = np.zeros((scenes, width, n_values))
    for scene in stakes:
        for option in scene:
            at_stake = rng.permutation(n_values)[: rng.integers(1, 4)]
            option[at_stake] = rng.choice([-0.5, 0.3, 0.7, 1.0], len(at_stake))
    cluster = np.repeat(np.arange(clusters), each)
    scene = cluster % scenes if alike else rng.integers(scenes, size=len(cluster))
    noise = rng.gumbel(size=(clusters, width))[cluster] if alike else 0
    if not alike:
        noise = rng.gumbel(size=(len(cluster), width))
    return CodedChoices(
        situations=tuple((tuple(map(option_of, scene)), True) for scene in stakes.tolist()),
        clusters=tuple(f"{number:06d}" for number in range(clusters)),
        situation=scene,
        cluster=cluster,
        position=np.argmax(stakes[scene] @ theta + noise, axis=1),
        decisions=len(cluster),
    )


def option_of(stakes: list[float]) -> Option:
    named = {f"v{place}": stake for place, stake in enumerate(stakes) if stake}
    return Option(name="o", text="", stakes=named)


def evidence(columns: CodedChoices) -> Choices:
    items = [
        Evidence(
            cluster=columns.clusters[cluster],
            options=columns.situations[situation][0],
            position=int(position),
            is_ordered=columns.situations[situation][1],
        )
        for situation, cluster, position in zip(
            columns.situation, columns.cluster, columns.position, strict=True
        )
    ]
    return Choices(decisions=columns.decisions, evidence=tuple(items), faults=columns.faults)


def test_columns_and_evidence_give_the_same_ranking() -> None:
    columns = drawn(np.random.default_rng(1), clusters=30, each=8, spread=1.0)
    columns = replace(columns, decisions=250, faults={"refused": 10})
    ranking = rank_values(columns, draws=50)
    assert to_json({}, ranking) == to_json({}, rank_values(evidence(columns), draws=50))
    assert ranking.decisions == 250
    assert ranking.fault_rate == pytest.approx(10 / 250)


def test_the_order_of_choices_clusters_and_situations_changes_no_figure() -> None:
    rng = np.random.default_rng(2)
    columns = drawn(rng, clusters=20, each=6, spread=1.0)
    rows = rng.permutation(len(columns))
    places, names = rng.permutation(60), rng.permutation(20)
    stirred = replace(
        columns,
        situations=tuple(columns.situations[place] for place in places),
        clusters=tuple(columns.clusters[name] for name in names),
        situation=np.argsort(places)[columns.situation][rows],
        cluster=np.argsort(names)[columns.cluster][rows],
        position=columns.position[rows],
    )
    assert to_json({}, rank_values(stirred, draws=50)) == to_json(
        {}, rank_values(columns, draws=50)
    )


def test_equal_situations_are_merged_and_uncontested_ones_left_out() -> None:
    here, there = option_of([1.0]), option_of([0.0, 1.0])
    columns = CodedChoices(
        situations=(((here, there), True), ((here, here), True), ((here, there), True)),
        clusters=("b", "a", "c"),
        situation=np.array([0, 1, 2, 2]),
        cluster=np.array([0, 2, 1, 0]),
        position=np.array([0, 0, 1, 0]),
        decisions=4,
    )
    design = compact(columns)
    assert (design.clusters, design.values) == (("a", "b"), ("v0", "v1"))
    assert design.counts.tolist() == [[2, 1]]
    assert np.asarray(design.chosen.todense()).tolist() == [[0, 1], [2, 0]]


def test_coding_what_is_coded_changes_nothing() -> None:
    columns = drawn(np.random.default_rng(3), clusters=4, each=3, spread=1.0)
    assert coded(columns) is columns
    again = coded(evidence(columns))
    assert [again.situations[s] for s in again.situation] == [
        columns.situations[s] for s in columns.situation
    ]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"position": np.array([0, 1])}, "one row a choice"),
        ({"position": np.array([0, 2, 0])}, "not that of an option offered"),
        ({"position": np.array([0, -1, 0])}, "not that of an option offered"),
        ({"cluster": np.array([0, 1, 5])}, "a cluster is numbered outside 0 to 1"),
        ({"situation": np.array([0, 0, 1])}, "a situation is numbered outside 0 to 0"),
        ({"clusters": ("a", "a")}, "named once"),
    ],
)
def test_columns_that_do_not_fit_are_refused(change: dict[str, object], complaint: str) -> None:
    columns = CodedChoices(
        situations=(((option_of([1.0]), option_of([0.0, 1.0])), True),),
        clusters=("a", "b"),
        situation=np.array([0, 0, 0]),
        cluster=np.array([0, 1, 1]),
        position=np.array([0, 1, 0]),
        decisions=3,
    )
    with pytest.raises(InputError, match=complaint):
        replace(columns, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [2, 5])
def test_the_roots_square_to_the_information_of_clusters_and_of_all(width: int) -> None:
    rng = np.random.default_rng(4)
    design = compact(drawn(rng, clusters=7, each=9, spread=1.0, width=width))
    theta = rng.normal(0, 2, design.features.shape[2])
    p = probabilities(design, theta)
    own = information_of(design, roots(design, p), np.arange(7), 7)
    mean = np.einsum("sk,skp->sp", p, design.features)
    each = np.einsum("sk,skp,skq->spq", p, design.features, design.features)
    each -= mean[:, :, None] * mean[:, None, :]
    asked = np.asarray(design.asked.todense())
    assert own == pytest.approx(np.einsum("gs,spq->gpq", asked, each), abs=1e-12)
    assert information(design, design.met, theta) == pytest.approx(own.sum(axis=0), abs=1e-10)


def test_the_third_moments_are_the_slope_of_the_information() -> None:
    rng = np.random.default_rng(5)
    design = compact(drawn(rng, clusters=7, each=9, spread=1.0, width=3))
    theta = rng.normal(0, 1, design.features.shape[2])
    step = rng.normal(0, 1, len(theta)) * 1e-4
    row, column = np.triu_indices(len(theta))
    third = third_moments(design, probabilities(design, theta))
    ahead, behind = (information(design, design.met, theta + s * step) for s in (1, -1))
    # entry (q, r) . step . step, summed over both orders of a pair, is the change along the step
    assert (step[row] * step[column]) @ third == pytest.approx(
        (ahead - behind) @ step / 2, rel=1e-4, abs=1e-14
    )


DESIGNS: dict[str, Callable[[np.random.Generator], CodedChoices]] = {
    "ordinary": lambda rng: drawn(rng, clusters=100, each=5, spread=0.7),
    "20 clusters": lambda rng: drawn(rng, clusters=20, each=15, spread=1.0),
    "strong and alike": lambda rng: drawn(
        rng, clusters=120, scenes=120, each=3, spread=3.0, alike=True, n_values=20
    ),
    "separated": lambda rng: drawn(rng, clusters=25, scenes=25, each=2, spread=30.0, alike=True),
    "five options": lambda rng: drawn(rng, clusters=60, each=4, spread=1.5, width=5),
}


def modes(design: Design, weights: ClusterWeights) -> NDArray[np.float64]:
    """The mode of each sample by itself."""
    rows = weights.counts[:, weights.of(design.clusters)]
    return np.array([mode(design, design.asked.T @ row, design.totals.T @ row) for row in rows])


@pytest.mark.parametrize("name", DESIGNS)
def test_the_quick_refits_have_the_ranges_of_whole_ones(name: str) -> None:
    rng = np.random.default_rng(6)
    design = compact(DESIGNS[name](rng))
    fitted, weights = fit(design), cluster_weights(design.clusters, 300, rng)
    assert fitted.separated.any() == (name == "separated")
    quick, whole = refits(design, fitted.theta, weights), modes(design, weights)
    ranges = [np.quantile(draws, [0.025, 0.975], axis=0) for draws in (quick, whole)]
    spread = np.ptp(ranges[1], axis=0)
    assert (np.abs(ranges[0] - ranges[1]) < 0.02 * spread + 1e-9).all()


def test_the_single_step_of_many_situations_has_the_ranges_of_whole_refits() -> None:
    rng = np.random.default_rng(7)
    design = compact(drawn(rng, clusters=3000, each=1, spread=0.8, scenes=2000))
    fitted, weights = fit(design), cluster_weights(design.clusters, 200, rng)
    step = refits(design, fitted.theta, weights, is_full=False)
    ranges = [
        np.quantile(draws, [0.025, 0.975], axis=0) for draws in (step, modes(design, weights))
    ]
    assert (np.abs(ranges[0] - ranges[1]) < 0.02 * np.ptp(ranges[1], axis=0) + 1e-9).all()


def test_clusters_in_blocks_spread_as_clusters_do() -> None:
    rng = np.random.default_rng(8)
    design = compact(drawn(rng, clusters=2 * MOST_BLOCKS + 1, each=2, spread=0.6))
    fitted = fit(design)
    weights = cluster_weights(design.clusters, 1000, rng)
    assert weights.counts.shape == (1000, MOST_BLOCKS)
    assert weights.counts.mean() == pytest.approx(1.0, abs=0.01)
    assert weights.counts.var() == pytest.approx(1.0, abs=0.02)
    assert (weights.counts > 0).all()
    sizes = np.bincount(weights.block)
    assert set(sizes) <= {2, 3}
    draws = bootstrap(design, fitted, weights, rng)
    values = slice(0, len(design.values))
    # a thousand draws tell the spread to 2 %, and two thousand blocks to 2 % again
    assert draws.std(axis=0)[values] == pytest.approx(
        np.sqrt(np.diag(fitted.covariance))[values], rel=0.1
    )


def test_a_value_met_in_few_of_many_clusters_keeps_its_spread_in_blocks() -> None:
    rng = np.random.default_rng(9)
    common = drawn(rng, clusters=5000, each=1, spread=0.5, n_values=4)
    rare = tuple(
        ((Option(name="o", text="", stakes={"rare": 1.0}), option_of([1.0]))[::turn], True)
        for turn in (1, -1)
    )
    situation = common.situation.copy()
    situation[:60] = 60 + np.arange(60) % 2
    position = np.where(np.arange(5000) < 60, rng.integers(2, size=5000), common.position)
    design = compact(
        replace(common, situations=common.situations + rare, situation=situation, position=position)
    )
    fitted, place = fit(design), design.values.index("rare")
    draws = bootstrap(design, fitted, cluster_weights(design.clusters, 1000, rng), rng)
    assert draws[:, place].std() == pytest.approx(np.sqrt(fitted.covariance[place, place]), rel=0.2)


def test_groups_that_share_clusters_are_drawn_alike() -> None:
    rng = np.random.default_rng(10)
    first = drawn(rng, clusters=80, each=3, spread=1.0)
    # the second group gives the first's answers, but for one in ten
    is_other = rng.random(len(first)) < 0.1
    second = replace(first, position=np.where(is_other, 1 - first.position, first.position))
    apart = replace(second, clusters=tuple(f"other {name}" for name in second.clusters))
    shared = rank_together({"a": first, "b": second}, draws=600)
    separate = rank_together({"a": first, "b": apart}, draws=600)

    def correlation(name: str) -> tuple[float, float]:
        pairs = [
            np.corrcoef(found["a"].strengths[:, at], found["b"].strengths[:, at])[0, 1]
            for found in (shared, separate)
            for at in [found["a"].tally.values.index(name)]
        ]
        return float(pairs[0]), float(pairs[1])

    together, alone = zip(*map(correlation, VALUES), strict=True)
    assert min(together) > 0.3
    assert max(map(abs, alone)) < 0.25


def test_a_group_has_the_same_estimate_alone_and_in_company() -> None:
    rng = np.random.default_rng(11)
    groups = {n: drawn(rng, clusters=30, each=3, spread=1.0) for n in range(2)}
    together = rank_together(groups, draws=50)
    for name, choices in groups.items():
        alone = rank_values(choices, draws=50)
        assert [(v.value, v.strength, v.se) for v in together[name].values] == [
            (v.value, v.strength, v.se) for v in alone.values
        ]


def test_the_covariance_is_that_of_the_standard_errors_and_of_the_draws() -> None:
    ranking = rank_values(
        drawn(np.random.default_rng(12), clusters=150, each=4, spread=0.7), draws=4000
    )
    place = ranking.tally.values.index
    for value in ranking.values:
        at = place(value.value)
        assert value.se == pytest.approx(np.sqrt(ranking.covariance[at, at]))
    over, under = ranking.values[0].value, ranking.values[1].value
    se = ranking.difference_se(over, under)
    assert ranking.differences(over, under).std() == pytest.approx(se, rel=0.08)
    assert ranking.difference_se(over, "absent") is None
