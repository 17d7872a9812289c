"""The value graph from a log: who is grouped how, and which decisions are behind an edge."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

from valuesim.choices import Choices, Evidence, choices
from valuesim.decision import Fault
from valuesim.episode import Player
from valuesim.errors import InputError
from valuesim.graph import (
    ValueRanking,
    behind,
    grouped,
    layers,
    rank_values,
    to_json,
    value_graph,
)
from valuesim.graph.behind import behind_each
from valuesim.log.reader import DecisionRecord, EpisodeRecord
from valuesim.option import Option


def option(name: str = "o", **stakes: float) -> Option:
    return Option(name=name, text="", stakes=stakes)


# -- groups ------------------------------------------------------------------------------------


def record(
    agent: str, *, model: str | None = None, fault: Fault | None = None, **condition: Any
) -> DecisionRecord:
    episode = EpisodeRecord(
        id=f"{agent}-{condition}",
        env="toy-v0",
        condition=condition,
        population={"a": Player(agent=agent, model={"name": model} if model else None)},
        seed=0,
        steps=1,
        decisions=1,
    )
    return DecisionRecord(
        episode=episode,
        step=0,
        role="a",
        options=(option("X", A=1.0), option("Y", B=1.0)),
        chosen=None if fault else "X",
        fault=fault,
    )


def test_records_are_grouped_in_order_of_appearance() -> None:
    records = [
        record("r", scarcity="low"),
        record("e", scarcity="low"),
        record("r", scarcity="high"),
    ]
    groups = grouped(records, ["agent"])
    assert [dict(group) for group in groups] == [{"agent": "r"}, {"agent": "e"}]
    assert [len(members) for members in groups.values()] == [2, 1]


def test_groups_may_be_made_by_any_factor_and_by_the_model() -> None:
    records = [record("llm", model="m1", scarcity="low"), record("r", scarcity={"personal": 5})]
    assert [dict(group) for group in grouped(records, ["model", "scarcity"])] == [
        {"model": "m1", "scarcity": "low"},
        {"model": None, "scarcity": '{"personal": 5}'},
    ]


def test_the_condition_is_all_its_factors() -> None:
    (group,) = grouped([record("r", scarcity="low", horizon=13)], ["condition"])
    assert dict(group.items()) == {"horizon": 13, "scarcity": "low"}
    assert str(group) == "horizon=13, scarcity=low"


def test_without_keys_there_is_one_group_and_without_records_none() -> None:
    (group,) = grouped([record("r")], [])
    assert (len(group), str(group)) == (0, "all")
    assert grouped([], ["agent"]) == {}


def test_an_unknown_key_is_refused_with_those_that_are_allowed() -> None:
    with pytest.raises(InputError, match=r"unknown grouping 'scarsity'.*did you mean 'scarcity'"):
        grouped([record("r", scarcity="low")], ["scarsity"])


def test_a_group_can_be_ranked() -> None:
    records = [record("r", seed=seed) for seed in range(3)] + [record("r", fault=Fault.REFUSED)]
    (members,) = grouped(records, ["agent"]).values()
    ranking: ValueRanking = rank_values(choices(members))
    assert (ranking.decisions, ranking.choices, ranking.faults) == (4, 3, {"refused": 1})


def test_who_else_played_is_a_key() -> None:
    grim, mute = Player(agent="grim"), Player(agent="mute")
    model = Player(agent="llm", model={"name": "m"})
    played = replace(record("r").episode, population={"a": grim, "b": mute, "c": model, "d": mute})
    records = [replace(record("r"), episode=played, role=role) for role in "abd"]
    assert [group["others"] for group in grouped(records, ["others"])] == [
        "m and 2 mute",
        "grim and m and mute",
    ]
    (alone,) = grouped([record("r")], ["others"])
    assert alone["others"] is None


# -- decisions behind an edge ------------------------------------------------------------------


def decided(
    chosen: Mapping[str, float], *others: Mapping[str, float], episode: str = "e", step: int = 0
) -> DecisionRecord:
    made = record("r")
    made = replace(made, episode=replace(made.episode, id=episode))
    options = tuple(
        Option(name=name, text="", stakes=stakes)
        for name, stakes in zip("XYZ", (chosen, *others), strict=False)
    )
    return replace(made, options=options, step=step)


def test_decisions_behind_an_edge_stand_most_telling_first_in_any_order_of_the_log() -> None:
    whole_vote = decided({"A": 1.0}, {"B": 1.0}, step=3)
    half_vote = decided({"A": 1.0}, {"B": 1.0, "C": 1.0}, step=1)
    small_margin = decided({"A": 0.5}, {"B": 0.5}, step=2)
    other_way = decided({"B": 1.0}, {"A": 1.0}, step=4)
    fault = record("r", fault=Fault.REFUSED)
    records = [fault, half_vote, small_margin, other_way, whole_vote]
    found = behind(records, "A", "B")
    assert [each.record.step for each in found] == [3, 2, 1]
    assert [each.share for each in found] == [1.0, 1.0, 0.5]
    assert [each.margin for each in found] == [2.0, 1.0, 2.0]
    assert behind(records[::-1], "A", "B") == found
    assert [each.record.step for each in behind(records, "B", "A")] == [4]
    assert behind(records, "A", "Z") == ()


@pytest.mark.parametrize("seed", range(3))
def test_decisions_behind_edges_add_up_to_their_weights(seed: int) -> None:
    rng = np.random.default_rng(seed)
    records = []
    for step in range(40):
        stakes = rng.choice([-1.0, 0.0, 0.5], (3, 4)).tolist()
        offered = [dict(zip("ABCD", row, strict=True)) for row in stakes]
        records.append(decided(*offered, step=step))
    each = behind_each(records)
    ranking = rank_values(choices(records))
    assert set(each) == {(edge.over, edge.under) for edge in ranking.edges}
    for edge in ranking.edges:
        pair = (edge.over, edge.under)
        assert each[pair] == behind(records, *pair)
        assert len(each[pair]) == edge.decisions
        assert sum(one.share for one in each[pair]) == pytest.approx(edge.weight)


def test_edges_of_the_graph_name_their_decisions() -> None:
    records = [decided({"A": 1.0}, {"B": 1.0}, step=step) for step in range(30)]
    graph = value_graph(rank_values(choices(records)), records=records)
    named = graph.edges["A", "B"]["behind"].split(" e:")
    assert len(named) == 20
    assert named[:2] == ["e:0:a", "1:a"]


def test_json_edges_carry_the_decisions_that_were_asked_for() -> None:
    records = [decided({"A": 1.0}, {"B": 1.0}), decided({"B": 1.0}, {"A": 1.0}, step=1)]
    pair = ("A", "B")
    told = to_json({}, rank_values(choices(records)), {pair: behind(records, *pair)})
    edges = {(edge["over"], edge["under"]): edge for edge in told["edges"]}
    (one,) = edges["A", "B"]["decisions_behind"]
    assert (one["step"], one["role"], one["agent"], one["chosen"]) == (0, "a", "r", "X")
    assert one["options"][0] == {"name": "X", "text": "", "stakes": {"A": 1.0}}
    assert "decisions_behind" not in edges["B", "A"]
    json.dumps(told, allow_nan=False)


def test_an_unidentified_value_is_in_the_graph_without_figures(tmp_path: Path) -> None:
    made = Choices(
        decisions=4,
        evidence=tuple(
            Evidence(cluster=str(n), options=(option(A=1.0, B=0.5), option()), position=n % 2)
            for n in range(4)
        ),
    )
    ranking = rank_values(made)
    graph = value_graph(ranking)
    assert "strength" not in graph.nodes["A"]
    assert layers(ranking).unplaced == ("A", "B")
    nx.write_graphml(graph, tmp_path / "values.graphml")
