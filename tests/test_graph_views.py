"""The views of a ranking: votes, consistency, coherence, layers, groups, JSON."""

import json
import re
from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from valuesim.choices import Choices, Evidence
from valuesim.graph import (
    Group,
    decisions_behind,
    layers,
    rank_values,
    to_json,
    value_graph,
)
from valuesim.graph.design import compact
from valuesim.graph.files import write_graph
from valuesim.graph.pairwise import tally
from valuesim.option import Option


def option(name: str = "o", **stakes: float) -> Option:
    return Option(name=name, text="", stakes=stakes)


def at_stake(stakes: Mapping[str, float]) -> Option:
    return Option(name="o", text="", stakes=stakes)


def duels(results: Mapping[tuple[str, str], int], n_clusters: int = 40) -> Choices:
    """{(chosen value, other value): decisions}, spread over episodes and both orders shown."""
    items: list[Evidence] = []
    for (chosen, other), number in results.items():
        for _ in range(number):
            index = len(items)
            shown = (at_stake({chosen: 1.0}), at_stake({other: 1.0}))[:: (-1) ** index]
            position = index % 2
            cluster = str(index // 2 % n_clusters)
            items.append(Evidence(cluster=cluster, options=shown, position=position))
    return Choices(decisions=len(items), evidence=tuple(items))


def random_choices(seed: int, number: int = 60) -> Choices:
    rng = np.random.default_rng(seed)
    items = []
    for index in range(number):
        stakes = rng.choice([-1.0, 0.0, 0.5], (rng.integers(1, 5), 4)).tolist()
        offered = tuple(at_stake(dict(zip("ABCD", row, strict=True))) for row in stakes)
        items.append(
            Evidence(
                cluster=str(index % 7), options=offered, position=int(rng.integers(len(offered)))
            )
        )
    return Choices(decisions=number, evidence=tuple(items))


CHAIN = {
    ("A", "B"): 60,
    ("B", "A"): 20,
    ("B", "C"): 60,
    ("C", "B"): 20,
    ("A", "C"): 72,
    ("C", "A"): 8,
}
RING = {
    ("A", "B"): 60,
    ("B", "A"): 20,
    ("B", "C"): 60,
    ("C", "B"): 20,
    ("C", "A"): 60,
    ("A", "C"): 20,
}
SQUARE = {
    pair: number
    for u, w in (*pairwise("ABCD"), ("D", "A"))
    for pair, number in (((u, w), 60), ((w, u), 20))
}


# -- votes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_votes_by_arrays_are_the_votes_of_each_decision(seed: int) -> None:
    made = random_choices(seed)
    counted = tally(compact(made))
    votes, decisions = counted.votes, counted.decisions
    expected: dict[tuple[str, str], list[float]] = {}
    for evidence in made.evidence:
        for pair, share in evidence.votes().items():
            expected.setdefault(pair, []).append(share)
    for u, over in enumerate(counted.values):
        for w, under in enumerate(counted.values):
            shares = expected.get((over, under), [])
            assert votes[u, w] == pytest.approx(sum(shares))
            assert decisions[u, w] == len(shares)
            assert len(decisions_behind(made, over, under)) == len(shares)


def test_one_decision_is_one_vote_in_all() -> None:
    made = random_choices(6)
    voters = sum(bool(evidence.votes()) for evidence in made.evidence)
    assert tally(compact(made)).votes.sum() == pytest.approx(voters)


def test_an_edge_lists_the_decisions_behind_it() -> None:
    made = duels({("A", "B"): 2, ("B", "A"): 1, ("A", "C"): 1})
    assert decisions_behind(made, "A", "B") == [0, 1]
    assert decisions_behind(made, "B", "A") == [2]
    assert decisions_behind(made, "B", "C") == []


def test_contests_count_a_decision_once_however_many_values_it_sets_against() -> None:
    shown = (option(A=1.0), option(B=1.0, C=1.0))
    items = tuple(Evidence(cluster=str(n), options=shown, position=n % 2) for n in range(6))
    counted = tally(compact(Choices(decisions=6, evidence=items)))
    assert counted.contests("A", ["B", "C"]) == 6
    assert counted.contests("B", ["C"]) == 0
    assert counted.contests("Z", ["A"]) == 0


# -- consistency -------------------------------------------------------------------------------


def test_a_chain_is_all_gradient_and_has_no_cycle() -> None:
    found = rank_values(duels(CHAIN)).consistency
    assert found.gradient_share == pytest.approx(1.0, abs=0.01)
    assert found.cycles == ()


def test_a_ring_of_three_is_all_curl_and_one_cycle() -> None:
    ranking = rank_values(duels(RING))
    found = ranking.consistency
    assert found.curl_share == pytest.approx(1.0)
    assert found.gradient_share == pytest.approx(0.0, abs=1e-9)
    assert found.null_curl_high is not None
    assert found.curl_share is not None
    (cycle,) = found.cycles
    assert "".join(cycle.values) in "ABCABC"
    assert {(step.votes, step.against) for step in cycle.evidence} == {(60, 20)}
    # an episode gives the same answer twice: two of its decisions count as one
    assert cycle.weakest == pytest.approx(20 / 40**0.5)
    assert all(value.rank_low == 1 and value.rank_high == 3 for value in ranking.values)


def test_a_ring_of_four_is_harmonic_and_one_cycle() -> None:
    found = rank_values(duels(SQUARE)).consistency
    assert found.harmonic_share == pytest.approx(1.0)
    assert found.curl_share == pytest.approx(0.0, abs=1e-9)
    (cycle,) = found.cycles
    assert "".join(cycle.values) in "ABCDABCD"


def test_a_hand_worked_triangle_splits_as_it_should() -> None:
    # flows y with equal weights: curl = (y_ab + y_bc - y_ac) / 3 on each side, the rest gradient
    results = {("A", "B"): 70, ("B", "A"): 30, ("B", "C"): 50, ("C", "B"): 50} | {
        ("A", "C"): 50,
        ("C", "A"): 50,
    }
    y = np.log(70.5 / 30.5)
    found = rank_values(duels(results)).consistency
    assert found.curl_share == pytest.approx(3 * (y / 3) ** 2 / y**2)


def test_chance_alone_gives_curl_and_the_null_knows_it() -> None:
    rng = np.random.default_rng(0)
    noisy = {}
    for u, w in combinations("ABCD", 2):
        noisy[u, w] = int(rng.binomial(20, 0.5))
        noisy[w, u] = 20 - noisy[u, w]
    found = rank_values(duels(noisy)).consistency
    assert found.null_curl_share is not None
    assert found.null_curl_share > 0.2
    assert found.curl_share is not None
    assert found.null_curl_high is not None
    assert found.curl_share < found.null_curl_high
    assert found.cycles == ()


def test_consistency_without_votes_says_why_there_is_none() -> None:
    found = rank_values(
        Choices(
            decisions=4,
            evidence=tuple(
                Evidence(cluster=str(n), options=(option(A=1.0, B=0.5), option()), position=n % 2)
                for n in range(4)
            ),
        )
    ).consistency
    assert (found.gradient_share, found.curl_share) == (None, None)
    assert found.reason == "no choice puts one value before another"


# -- coherence ---------------------------------------------------------------------------------


def test_a_clear_ranking_is_coherent_and_gains_in_prediction() -> None:
    found = rank_values(duels(CHAIN)).coherence
    assert found.is_coherent
    assert found.low is not None
    assert found.gain is not None
    assert 0 < found.low < found.gain


def test_nine_episodes_are_too_few_to_call_a_ranking_coherent() -> None:
    found = rank_values(duels(CHAIN, n_clusters=9)).coherence
    assert not found.is_coherent
    assert found.gain is None
    assert "at least 10 episodes" in found.reason
    assert "there are 9" in found.reason


def test_even_choices_are_not_coherent() -> None:
    assert not rank_values(duels({("A", "B"): 40, ("B", "A"): 40})).coherence.is_coherent


# -- layers and graph --------------------------------------------------------------------------


def test_layers_stand_in_order_and_only_direct_pairs_are_drawn() -> None:
    drawn = layers(rank_values(duels(CHAIN)))
    assert drawn.layers == (("A",), ("B",), ("C",))
    assert set(drawn.pairs) == {("A", "B"), ("B", "C")}


def test_values_that_are_not_separated_share_a_layer() -> None:
    drawn = layers(rank_values(duels({("A", "B"): 40, ("B", "A"): 40})))
    assert [set(layer) for layer in drawn.layers] == [{"A", "B"}]
    assert drawn.pairs == ()


def test_the_value_graph_carries_votes_and_survives_graphml(tmp_path: Path) -> None:
    graph = value_graph(rank_values(duels(CHAIN)))
    assert graph.edges["A", "B"]["weight"] == 60
    assert graph.edges["A", "C"]["decisions"] == 72
    assert graph.size(weight="weight") == 240
    assert [graph.nodes[v]["rank"] for v in "ABC"] == [1, 2, 3]
    nx.write_graphml(graph, tmp_path / "values.graphml")
    assert set(nx.read_graphml(tmp_path / "values.graphml").nodes) == set("ABC")


GROUP = Group((("agent", "x"), ("model", None), ("scarcity", "low")))


@pytest.mark.parametrize("suffix", [".graphml", ".json"])
def test_the_value_graph_comes_back_from_its_file_as_it_was(tmp_path: Path, suffix: str) -> None:
    graph = value_graph(rank_values(duels(CHAIN)), group=GROUP)
    path = tmp_path / f"values{suffix}"
    write_graph(graph, path)
    if suffix == ".json":
        back = nx.node_link_graph(json.loads(path.read_text()), edges="edges")
    else:
        back = nx.read_graphml(path)
    assert isinstance(back, nx.DiGraph)
    assert list(back.nodes(data=True)) == list(graph.nodes(data=True))
    assert {(u, v): a for u, v, a in back.edges(data=True)} == {
        (u, v): a for u, v, a in graph.edges(data=True)
    }
    # GraphML readers add defaults of their own
    kept = {name: back.graph[name] for name in graph.graph}
    assert kept == graph.graph


def test_the_value_graph_says_whose_it_is_on_what_it_rests_and_what_limits_it() -> None:
    made = plain([option(A=1.0), option(B=1.0)], n_clusters=1)
    graph = value_graph(rank_values(made), group=GROUP).graph
    assert graph["group"] == "agent=x, scarcity=low"
    assert (graph["group_agent"], graph["group_scarcity"]) == ("x", "low")
    assert "group_model" not in graph
    assert (graph["decisions"], graph["clusters"], graph["faults"]) == (4, 1, 0)
    assert graph["coherent"] is False
    assert "come from one episode" in graph["statement"]


def test_edges_say_whether_they_are_sure_and_values_in_which_layer_they_stand() -> None:
    graph = value_graph(rank_values(duels(CHAIN)))
    assert [graph.nodes[value]["layer"] for value in "ABC"] == [0, 1, 2]
    assert graph.edges["A", "C"]["is_sure"]
    assert not graph.edges["C", "A"]["is_sure"]


def test_names_that_xml_cannot_hold_are_spelt_out_in_graphml(tmp_path: Path) -> None:
    hostile = {("A\x00<b>&", "B\x1b"): 3, ("B\x1b", "A\x00<b>&"): 3}
    write_graph(value_graph(rank_values(duels(hostile))), tmp_path / "g.graphml")
    back = nx.read_graphml(tmp_path / "g.graphml")
    assert set(back.nodes) == {"A\\u0000<b>&", "B\\u001b"}
    write_graph(value_graph(rank_values(duels(hostile))), tmp_path / "g.json")
    content = json.loads((tmp_path / "g.json").read_text())
    assert {node["id"] for node in content["nodes"]} == {"A\x00<b>&", "B\x1b"}


# -- degenerate input and JSON -----------------------------------------------------------------

KEYS = {
    *("group", "decisions", "choices", "faults", "coherent", "values", "edges", "consistency"),
    *("statement", "components", "fault_rate"),
}
VALUE_KEYS = {
    *("value", "rank", "rank_low", "rank_high", "strength", "se", "low", "high", "elo"),
    "identified",
}


def plain(options: Sequence[Option], number: int = 4, n_clusters: int = 4) -> Choices:
    items = tuple(
        Evidence(cluster=str(n % n_clusters), options=tuple(options), position=n % len(options))
        for n in range(number)
    )
    return Choices(decisions=number, evidence=items)


DEGENERATE = [
    pytest.param(Choices(), "There are no decisions", id="no decisions"),
    pytest.param(
        Choices(decisions=400, faults={"unparsed": 390, "refused": 10}),
        r"All 400 decisions were faults \(unparsed 390, refused 10\)",
        id="all faults",
    ),
    pytest.param(plain([option(A=1.0)]), "No value is at stake in any of the 4", id="one option"),
    pytest.param(plain([option(), option()]), "No value is at stake", id="nothing at stake"),
    pytest.param(plain([option(A=1.0), option()]), "Only A is at stake", id="one value"),
    pytest.param(
        plain([option(A=1.0), option(B=1.0)], n_clusters=1), "come from one episode", id="episode"
    ),
    pytest.param(plain([option(A=1.0), option(B=1.0)], number=1), "one episode", id="one decision"),
    pytest.param(
        plain([option(A=1.0, B=0.5), option()]), "do not determine A, B", id="never apart"
    ),
]


@pytest.mark.parametrize(("made", "said"), DEGENERATE)
def test_degenerate_input_is_said_in_a_sentence_and_is_valid_json(made: Choices, said: str) -> None:
    ranking = rank_values(made)
    assert ranking.statement is not None
    assert re.search(said, ranking.statement)
    content = to_json({"agent": "x"}, ranking)
    assert set(content) >= KEYS
    assert content["coherent"] is False
    json.dumps(content, allow_nan=False)


@pytest.mark.parametrize("results", [CHAIN, RING, {("A", "B"): 9}], ids=["chain", "ring", "one"])
def test_json_follows_the_schema(results: Mapping[tuple[str, str], int]) -> None:
    ranking = rank_values(duels(results))
    content = json.loads(json.dumps(to_json({"agent": "x"}, ranking), allow_nan=False))
    assert set(content) >= KEYS
    for value in content["values"]:
        assert set(value) >= VALUE_KEYS
        assert value["low"] <= value["strength"] <= value["high"]
        assert value["rank_low"] <= value["rank"] <= value["rank_high"]
        assert value["elo"] == pytest.approx(1000 + value["strength"] * 400 / np.log(10))
    assert sum(value["strength"] for value in content["values"]) == pytest.approx(0, abs=1e-9)
    weights = {(e["over"], e["under"]): e["weight"] for e in content["edges"]}
    assert weights == {pair: pytest.approx(n) for pair, n in results.items()}
