"""Chains: what is concluded from episodes that one agent lived through."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from valuesim.archetypes.behaviour import observe
from valuesim.choices import choices, cluster_of
from valuesim.engine import Design
from valuesim.episode import Chain, Player
from valuesim.formats.choice_columns import rows_of
from valuesim.formats.choice_records import Reading
from valuesim.graph import rank_values
from valuesim.log.reader import DecisionRecord, EpisodeRecord
from valuesim.measures.interval import rate_by_cluster
from valuesim.measures.questionnaire.scoring import mean_score
from valuesim.measures.telling import tellings_told
from valuesim.option import Option
from valuesim.report.faults import fault_rate

ROLES = ("Alpha", "Beta")
DESIGN = Design(
    env="toy-v0",
    parameters={},
    crossed={},
    groups=[{"all": "llm"}],
    model={"name": "fake"},
    elicitation={},
    episodes=9,
    seed=0,
    chain=3,
)

OFFERED = (
    Option(name="TAKE", text="", stakes={"Power": 1.0}, tags=frozenset({"transgression"})),
    Option(name="LEAVE", text="", stakes={"Care": 1.0}),
)


def chained(
    chain: int | None, place: int, chosen: str | None, length: int = 10, **notes: Any
) -> DecisionRecord:
    """Return the one decision of an episode in chain number `chain`, None for no chain."""
    number = (chain or 0) * length + place
    known = None if chain is None else Chain(first=chain * length, place=place, length=length)
    episode = EpisodeRecord(
        id=f"e{number}",
        env="toy-v0",
        condition={"scarcity": "low"},
        population={"a": Player(agent="x")},
        seed=number,
        chain=known,
    )
    fault: Any = "refused" if chosen is None else None
    return DecisionRecord(
        episode=episode,
        step=0,
        role="a",
        options=OFFERED,
        chosen=chosen,
        fault=fault,
        annotations={"opportunity": True, "threatened": False, **notes},
    )


def alone(record: DecisionRecord) -> DecisionRecord:
    return replace(record, episode=replace(record.episode, chain=None))


def test_the_chain_is_the_cluster_also_where_scenes_are_asked() -> None:
    first, second, other = chained(1, 0, "TAKE"), chained(1, 1, "TAKE"), chained(2, 0, "TAKE")
    assert cluster_of(first) == cluster_of(second) != cluster_of(other)
    asked = [replace(each, annotations={"scene": "s"}) for each in (first, second, other)]
    assert [cluster_of(each) for each in asked] == list(map(cluster_of, (first, second, other)))
    assert choices(asked).unit == choices([first]).unit == "chain"
    assert cluster_of(alone(asked[0])) == "toy-v0/s"
    other_length = Chain(first=10, place=0, length=5)
    longer = replace(first, episode=replace(first.episode, chain=other_length))
    assert cluster_of(longer) != cluster_of(first), "chains of another length are other worlds"


def test_tellings_of_a_scene_are_compared_across_chains() -> None:
    asked = [
        replace(
            chained(k, 0, "TAKE"),
            annotations={"scene": f"s{k % 2}", "turn": "start", "telling": k // 2},
        )
        for k in range(4)
    ]
    assert len(tellings_told(asked)) == 4


def planted(rng: np.random.Generator, n_chains: int = 20, length: int = 10) -> list[DecisionRecord]:
    """Return records of chains that each take at a rate of their own, one half on average."""
    rates = rng.choice([0.15, 0.85], n_chains)
    return [
        chained(chain, place, "TAKE" if rng.random() < rates[chain] else "LEAVE", length)
        for chain in range(n_chains)
        for place in range(length)
    ]


def test_intervals_cover_by_chain_and_do_not_by_episode() -> None:
    rng = np.random.default_rng(1)
    covered, times = {"chain": 0, "episode": 0}, 100
    for _ in range(times):
        records = planted(rng)
        for unit, own in (("chain", records), ("episode", [alone(each) for each in records])):
            rate = rate_by_cluster((cluster_of(each), each.chosen == "TAKE") for each in own)
            assert rate.low is not None
            assert rate.high is not None
            covered[unit] += rate.low <= 0.5 <= rate.high
    assert covered["chain"] / times >= 0.9
    assert covered["episode"] / times < 0.7


def test_the_ranking_is_as_uncertain_as_its_chains() -> None:
    rng = np.random.default_rng(2)
    records = [replace(each, options=each.options[:: rng.choice([-1, 1])]) for each in planted(rng)]
    by_chain = rank_values(choices(records), draws=50)
    by_episode = rank_values(choices([alone(each) for each in records]), draws=50)
    assert (by_chain.clusters, by_episode.clusters) == (20, 200)
    assert by_chain.unit == "chain"
    for own, other in zip(by_chain.values, by_episode.values, strict=True):
        assert own.strength == pytest.approx(other.strength)
        assert own.se is not None
        assert other.se is not None
        assert own.se > 1.5 * other.se


def test_counts_of_behaviour_and_faults_are_by_chain() -> None:
    records = planted(np.random.default_rng(3), n_chains=6, length=4)
    for given, units in ((records, 6), ([alone(each) for each in records], 24)):
        seen = observe(given)
        for tries in (*seen.cells.values(), *seen.players.values(), *seen.steps.values()):
            assert len(tries.pairs) == units
        (players,) = seen.players.values()
        assert players.possible.total() == 24
    taken = [(chain, place, "TAKE" if chain else None) for chain in (0, 1) for place in range(4)]
    faulty = [chained(*each, length=4) for each in taken]
    assert fault_rate(faulty).episodes == 2
    assert fault_rate([alone(each) for each in faulty]).episodes == 8


def test_scores_of_one_chain_count_together() -> None:
    scores, units = [1.0, 1.0, 5.0, 5.0], ["a", "a", "b", "b"]
    apart = mean_score("x", scores, (1, 7), n=4)
    together = mean_score("x", scores, (1, 7), n=4, units=units)
    assert (apart.value, together.value) == (3.0, 3.0)
    assert (apart.low, apart.high) != (1, 7)
    assert (together.low, together.high) == (1, 7)
    assert mean_score("x", scores, (1, 7), n=4, units=["a"] * 4).low is None


def test_a_table_of_choices_keeps_its_chains() -> None:
    records = planted(np.random.default_rng(4), n_chains=2, length=3)
    rows = list(rows_of(records, {}))
    assert {row["unit"] for row in rows} == {"chain"}
    reading = Reading([])
    again = [reading.record(row) for row in rows]
    assert [each.episode.chain for each in again] == [each.episode.chain for each in records]
    assert [cluster_of(each) for each in again] == [cluster_of(each) for each in records]
    with pytest.raises(ValueError, match="is no chain's name"):
        Reading([]).record(rows[0] | {"cluster": "toy-v0/0/3"})
