"""How far votes agree with one order: by hand, by networkx and numpy, against null agents."""

import json
import time
from collections.abc import Mapping
from itertools import combinations

import networkx as nx
import numpy as np
import pytest

from valuesim.choices import Choices, Evidence
from valuesim.cli.ranking import print_ranking
from valuesim.graph import rank_values, to_json
from valuesim.graph.coherence import coherence
from valuesim.graph.consistency import MOST_VALUES, Consistency, consistency
from valuesim.graph.cyclic import held_out
from valuesim.graph.design import Design, compact
from valuesim.graph.logit import fit
from valuesim.graph.null import independent, null_votes
from valuesim.graph.pairwise import tally
from valuesim.option import Option

Rows = list[tuple[str, str, str]]
"""(cluster, value put first, value put behind)."""


def choices_of(rows: Rows, *, is_turned: bool = True) -> Choices:
    """Return one choice between two values for each row, shown in both orders in turn."""
    evidence = []
    for number, (cluster, over, under) in enumerate(rows):
        shown = [Option(name=v, text="", stakes={v: 1.0}) for v in (over, under)]
        position = number % 2 if is_turned else int(over > under)
        shown = shown if position == 0 else shown[::-1]
        evidence.append(Evidence(cluster=cluster, options=tuple(shown), position=position))
    return Choices(decisions=len(rows), evidence=tuple(evidence))


def alone(results: Mapping[tuple[str, str], int]) -> Rows:
    """Return so many choices of each kind, each in a cluster of its own."""
    rows = [(over, under) for (over, under), number in results.items() for _ in range(number)]
    return [(f"{number:05}", *row) for number, row in enumerate(rows)]


def found_in(choices: Choices, seed: int = 0, simulations: int = 200) -> Consistency:
    design = compact(choices)
    rng = np.random.default_rng(seed)
    return consistency(design, tally(design), fit(design), rng, simulations)


# -- shares ------------------------------------------------------------------------------------


def by_projection(votes: np.ndarray) -> tuple[float, float, float]:
    """Return the three shares by least squares on every triangle and every cycle networkx knows."""
    graph = nx.Graph(
        (u, w) for u, w in combinations(range(len(votes)), 2) if votes[u, w] + votes[w, u]
    )
    sides = [tuple(sorted(side)) for side in graph.edges]
    forward = np.array([votes[side] for side in sides])
    backward = np.array([votes[side[::-1]] for side in sides])
    root = np.sqrt(forward + backward)
    flow = root * np.log((forward + 0.5) / (backward + 0.5))
    differences = nx.incidence_matrix(graph, edgelist=sides, oriented=True).toarray().T
    triangles = [clique for clique in nx.enumerate_all_cliques(graph) if len(clique) == 3]
    curls = np.zeros((len(triangles), len(sides)))
    for row, triangle in enumerate(triangles):
        u, v, w = sorted(triangle)
        for side, sign in (((u, v), 1), ((v, w), 1), ((u, w), -1)):
            curls[row, sides.index(side)] = sign
    lengths = []
    for columns in (differences * root[:, None], curls.T / root[:, None]):
        part = columns @ np.linalg.pinv(columns) @ flow
        lengths.append(float(part @ part) / float(flow @ flow))
    return lengths[0], lengths[1], 1 - sum(lengths)


@pytest.mark.parametrize("seed", range(12))
def test_the_shares_are_those_of_projections_on_gradients_and_triangles(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = "ABCDEFG"[: rng.integers(3, 8)]
    pairs = [pair for pair in combinations(values, 2) if rng.random() < 0.3 + seed / 15]
    pairs = pairs or [("A", "B")]
    results = {pair: int(rng.integers(1, 9)) for u, w in pairs for pair in ((u, w), (w, u))}
    design = compact(choices_of(alone(results)))
    found = found_in(choices_of(alone(results)), simulations=2)
    shares = (found.gradient_share, found.curl_share, found.harmonic_share)
    assert shares == pytest.approx(by_projection(tally(design).votes), abs=1e-9)


def test_the_null_has_harmonic_shares_only_where_there_are_holes() -> None:
    square = {("A", "B"): 9} | dict.fromkeys(
        (tuple(pair) for pair in ("BA", "BC", "CB", "CD", "DC", "AD", "DA")), 6
    )
    with_hole = found_in(choices_of(alone(square)))
    assert with_hole.null_harmonic_share is not None
    assert with_hole.null_harmonic_share > 0.1
    assert with_hole.null_curl_share == 0.0
    diagonals = {("A", "C"): 9, ("C", "A"): 3, ("B", "D"): 6, ("D", "B"): 6}
    whole = found_in(choices_of(alone(square | diagonals)))
    assert whole.null_harmonic_share == pytest.approx(0.0, abs=1e-9)


# -- cycles and their evidence -----------------------------------------------------------------

RING = {
    ("A", "B"): 60,
    ("B", "A"): 20,
    ("B", "C"): 50,
    ("C", "B"): 10,
    ("C", "A"): 70,
    ("A", "C"): 30,
    ("A", "D"): 20,
}


def test_a_cycle_gives_the_votes_for_and_against_every_step() -> None:
    (cycle,) = found_in(choices_of(alone(RING))).cycles
    assert [(step.over, step.under) for step in cycle.evidence] == list(
        zip(cycle.values, (*cycle.values[1:], cycle.values[0]), strict=True)
    )
    for step in cycle.evidence:
        assert step.votes == RING[step.over, step.under]
        assert step.against == RING[step.under, step.over]
        assert step.decisions == step.votes + step.against
        assert (step.independent_votes, step.independent_against) == (step.votes, step.against)
    assert cycle.weakest == pytest.approx(
        min((s.votes - s.against) / s.decisions**0.5 for s in cycle.evidence)
    )


def test_votes_that_decisions_share_are_counted_as_decisions_too() -> None:
    """Two values against one: half a vote for each pair, one decision behind it."""
    sides = [({"A": 1.0, "B": 1.0}, {"C": 1.0})] * 40 + [({"C": 1.0}, {"A": 1.0})] * 60
    sides += [({"A": 1.0}, {"B": 1.0})] * 60 + [({"B": 1.0}, {"C": 1.0})] * 60
    evidence = tuple(
        Evidence(
            cluster=f"{number:03}",
            options=tuple(Option(name="o", text="", stakes=stakes) for stakes in pair),
            position=0,
            is_ordered=False,
        )
        for number, pair in enumerate(sides)
    )
    (cycle,) = found_in(Choices(decisions=len(evidence), evidence=evidence)).cycles
    steps = {(step.over, step.under): step for step in cycle.evidence}
    assert (steps["C", "A"].votes, steps["C", "A"].against) == (60, 20)
    assert steps["C", "A"].decisions == 100
    assert (steps["B", "C"].votes, steps["B", "C"].decisions) == (80, 100)


def one_scene_repeated() -> Choices:
    """Return a ring in which one scene, answered 200 times alike, stands against 24 others."""
    results = {("A", "B"): 24, ("B", "A"): 4, ("B", "C"): 24, ("C", "A"): 24}
    return choices_of([*alone(results), *[("again", "B", "A")] * 200])


def test_a_cycle_stands_on_independent_decisions_beside_the_votes_cast(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ranking = rank_values(one_scene_repeated())
    (cycle,) = ranking.consistency.cycles
    steps = {(step.over, step.under): step for step in cycle.evidence}
    assert set(steps) == {("A", "B"), ("B", "C"), ("C", "A")}
    repeated = steps["A", "B"]
    assert (repeated.votes, repeated.against, repeated.decisions) == (24, 204, 228)
    assert repeated.independent_votes == pytest.approx(24)
    assert 5 <= repeated.independent_against < 6
    assert cycle.weakest == pytest.approx(
        min(
            (s.independent_votes - s.independent_against)
            / (s.independent_votes + s.independent_against) ** 0.5
            for s in cycle.evidence
        )
    )
    assert cycle.weakest > 1
    print_ranking("all", ranking)
    told = " ".join(capsys.readouterr().out.split())
    counted = ", ".join("24 : 5" if pair == ("A", "B") else "24 : 0" for pair in steps)
    cast = counted.replace("24 : 5", "24 : 204")
    assert f"in independent decisions: {counted}; as cast: {cast})" in told


def test_the_json_has_the_evidence_beside_the_list_of_cycles() -> None:
    content = json.loads(json.dumps(to_json({}, rank_values(choices_of(alone(RING))))))
    found = content["consistency"]
    assert [[step["over"] for step in steps] for steps in found["evidence"]] == found["cycles"]
    counted = {"independent_votes", "independent_against"}
    assert set(found["evidence"][0][0]) == counted | {
        "over",
        "under",
        "votes",
        "against",
        "decisions",
    }
    assert found["kemeny"]["order"][-1] == "D"
    assert found["kemeny"]["is_exact"] is True
    assert found["held_out"]["is_cyclic"] is True
    assert 0 <= found["null_harmonic_share"] <= 1


# -- repeats -----------------------------------------------------------------------------------


def asked_again(seed: int, *, repeats: int, is_same: bool, in_both_orders: bool = False) -> Choices:
    """150 clusters, each with one question asked again and again; no cycle is planted."""
    rng = np.random.default_rng(seed)
    theta = dict(zip("ABCDE", rng.normal(0, 0.7, 5), strict=True))
    evidence = []
    for cluster in range(150):
        pair = rng.choice(list("ABCDE"), 2, replace=False).tolist()
        p = 1 / (1 + np.exp(theta[pair[1]] - theta[pair[0]]))
        first = rng.random() < p
        for number in range(repeats):
            is_first = first if is_same else rng.random() < p
            shown = [Option(name=v, text="", stakes={v: 1.0}) for v in pair]
            is_turned = in_both_orders and number % 2 == 1
            evidence.append(
                Evidence(
                    cluster=f"{cluster:03}",
                    options=tuple(shown[::-1] if is_turned else shown),
                    position=int(is_first == is_turned),
                    unit="scene",
                )
            )
    return Choices(decisions=len(evidence), evidence=tuple(evidence))


@pytest.mark.parametrize(
    ("is_same", "in_both_orders", "worth"),
    [(True, False, 1.0), (True, True, 1.0), (False, False, 4.0), (False, True, 4.0)],
)
def test_repeats_are_worth_as_many_decisions_as_they_tell(
    is_same: bool, in_both_orders: bool, worth: float
) -> None:
    made = asked_again(0, repeats=4, is_same=is_same, in_both_orders=in_both_orders)
    design = compact(made)
    given = independent(design, fit(design), np.random.default_rng(0))
    assert given.counts.sum() == pytest.approx(150 * worth, rel=0.2)
    assert given.decisions @ given.weight == pytest.approx(given.counts.sum())
    assert given.sameness == pytest.approx(1.0 if is_same else 0.0, abs=0.1)


def test_single_decisions_are_simulated_as_they_were_made() -> None:
    design = compact(choices_of(alone(RING)))
    given = independent(design, fit(design), np.random.default_rng(0))
    assert given.sameness == 0.0
    assert (given.counts == design.counts).all()
    assert (given.decisions == design.counts.sum(axis=1)).all()


@pytest.mark.parametrize("in_both_orders", [False, True])
def test_an_agent_that_repeats_itself_runs_in_circles_no_more_often_than_chance(
    in_both_orders: bool,
) -> None:
    """Were repeats independent, the null would be half as wide and four in ten were beyond it."""
    beyond = []
    for seed in range(60):
        made = asked_again(seed, repeats=2, is_same=True, in_both_orders=in_both_orders)
        found = found_in(made, seed, simulations=60)
        assert found.curl_share is not None
        assert found.null_curl_high is not None
        beyond.append((found.curl_share > found.null_curl_high, len(found.cycles) > 0))
    assert np.mean(beyond, axis=0) == pytest.approx(0.05, abs=0.1)


# -- many situations ---------------------------------------------------------------------------


def mixed(number: int, n_values: int, seed: int) -> Design:
    """Choices between two sides of one to three values each: nearly as many situations."""
    rng = np.random.default_rng(seed)
    names = [f"v{value:02}" for value in range(n_values)]
    evidence = []
    for index in range(number):
        met = rng.choice(names, rng.integers(2, 7), replace=False).tolist()
        half = len(met) // 2
        options = tuple(
            Option(name="o", text="", stakes=dict.fromkeys(side, 1.0))
            for side in (met[:half], met[half:])
        )
        position = int(rng.random() < 0.4)
        evidence.append(Evidence(cluster=str(index % 300), options=options, position=position))
    return compact(Choices(decisions=number, evidence=tuple(evidence)))


def test_the_sums_of_many_situations_have_the_spread_of_the_choices_themselves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    design = mixed(3000, 6, 0)
    counted = tally(design)
    given = independent(design, fit(design), np.random.default_rng(0))
    singly = null_votes(given, counted, np.random.default_rng(1), 400)
    monkeypatch.setattr("valuesim.graph.null._MOST_DRAWN", 100)
    summed = null_votes(given, counted, np.random.default_rng(2), 400)
    error = singly.std(axis=0) / 20 + 1e-9
    assert (np.abs(singly.mean(axis=0) - summed.mean(axis=0)) / error).max() < 6
    off = ~np.eye(6, dtype=bool)
    assert summed.std(axis=0)[off] / singly.std(axis=0)[off] == pytest.approx(1.0, abs=0.2)


def test_twenty_values_in_thousands_of_situations_are_quick() -> None:
    design = mixed(6000, 20, 1)
    counted, fitted = tally(design), fit(design)
    start = time.process_time()
    found = consistency(design, counted, fitted, np.random.default_rng(0))
    assert time.process_time() - start < 2.0
    assert found.curl_share is not None
    assert found.held_out is not None
    assert found.held_out.gain is not None


def test_of_very_many_values_those_with_the_most_votes_are_looked_at() -> None:
    names = [f"v{number:03}" for number in range(MOST_VALUES + 5)]
    rows = {(names[0], name): 2 for name in names[1:]} | {(names[1], name): 3 for name in names[2:]}
    found = found_in(choices_of(alone(rows)), simulations=5)
    assert found.values_left_out == 5
    assert found.kemeny is not None
    assert len(found.kemeny.order) == MOST_VALUES + 5


# -- degenerate input --------------------------------------------------------------------------

DEGENERATE = {
    "one choice": {("A", "B"): 1},
    "one pair": {("A", "B"): 6, ("B", "A"): 6},
    "all one way": {("A", "B"): 30, ("B", "C"): 30, ("A", "C"): 30},
    "one triangle, one vote a side": {("A", "B"): 1, ("B", "C"): 1, ("C", "A"): 1},
    "two sets apart": {("A", "B"): 12, ("C", "D"): 5, ("D", "C"): 5},
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("results", DEGENERATE.values(), ids=DEGENERATE.keys())
@pytest.mark.parametrize("n_clusters", [1, 12, 1000])
def test_little_evidence_gives_figures_or_none_and_never_nan(
    results: Mapping[tuple[str, str], int], n_clusters: int
) -> None:
    rows = [(f"{int(cluster) % n_clusters:03}", *rest) for cluster, *rest in alone(results)]
    ranking = rank_values(choices_of(rows), draws=20)
    content = to_json({}, ranking)["consistency"]
    json.dumps(content, allow_nan=False)
    found = ranking.consistency
    assert found.gradient_share is not None
    assert found.held_out is not None
    assert found.held_out.reason
    assert (found.held_out.gain is None) == (len(ranking.tally.values) < 3 or ranking.clusters < 10)


# -- null agents -------------------------------------------------------------------------------


def dilemmas(seed: int, agent: str) -> Design:
    """Forty scenes of two actions with a few of eight values each, asked in both orders."""
    rng = np.random.default_rng(seed)
    values = list("ABCDEFGH")
    worth = dict(zip(values, rng.normal(0, 1.5, 8), strict=True))
    scenes = []
    for _ in range(40):
        met = rng.choice(values, rng.integers(2, 6), replace=False).tolist()
        half = rng.integers(1, len(met))
        scenes.append((met[:half], met[half:]))
    margins = [sum(worth[v] for v in a) - sum(worth[v] for v in b) for a, b in scenes]
    decided = rng.random(40) < 1 / (1 + np.exp(-np.array(margins)))
    evidence = []
    # the labels of one scene tell of the answers of another
    for scene, is_first in zip(rng.permutation(40), decided, strict=True):
        for is_turned in (False, True):
            sides = scenes[scene][::-1] if is_turned else scenes[scene]
            position = {
                "label-shuffled": int(is_first == is_turned),
                "random": int(rng.integers(2)),
                "first option": int(rng.random() < 0.1),
            }[agent]
            options = tuple(
                Option(name="o", text="", stakes=dict.fromkeys(side, 1.0)) for side in sides
            )
            evidence.append(
                Evidence(cluster=f"{scene:02}", options=options, position=position, unit="scene")
            )
    return compact(Choices(decisions=80, evidence=tuple(evidence)))


@pytest.mark.parametrize("agent", ["label-shuffled", "random", "first option"])
def test_a_null_agent_is_neither_coherent_nor_cyclic_beyond_chance(agent: str) -> None:
    called = []
    for seed in range(100):
        design = dilemmas(seed, agent)
        rng = np.random.default_rng(seed)
        called.append((coherence(design, rng).is_coherent, held_out(design, rng).is_cyclic))
    shares = np.mean(called, axis=0)
    assert (shares <= 0.08).all(), shares
