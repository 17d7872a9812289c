"""From decisions to evidence: one decision, one vote, and a fault is none."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from valuesim.choices import Choices, Evidence, choices, cluster_of
from valuesim.decision import Fault
from valuesim.episode import Player
from valuesim.errors import LogError
from valuesim.log.reader import DecisionRecord, EpisodeRecord
from valuesim.option import Option

EPISODE = EpisodeRecord(
    id="e1",
    env="toy-v0",
    condition={},
    population={"a": Player(agent="toy")},
    seed=0,
    steps=1,
    decisions=1,
)


def option(name: str, **stakes: float) -> Option:
    return Option(name=name, text="", stakes=stakes)


def evidence(*options: Option, chosen: int = 0) -> Evidence:
    return Evidence(cluster="e1", options=options, position=chosen)


def record(chosen: str | None, fault: Fault | None = None) -> DecisionRecord:
    offered = (option("TAKE", Power=1.0), option("LEAVE", Care=1.0))
    return DecisionRecord(
        episode=EPISODE, step=0, role="a", options=offered, chosen=chosen, fault=fault
    )


def test_choosing_one_value_over_another_is_one_vote() -> None:
    assert evidence(option("TAKE", Power=1.0), option("LEAVE", Care=1.0)).votes() == {
        ("Power", "Care"): 1.0
    }


def test_a_violated_value_is_put_behind_the_one_it_is_violated_for() -> None:
    assert evidence(option("TAKE", Power=0.5, Care=-1.0), option("WAIT")).votes() == {
        ("Power", "Care"): 1.0
    }


@pytest.mark.parametrize(
    ("offered", "votes"),
    [
        pytest.param(
            (option("A", Power=1, Achievement=1), option("B", Care=1, Justice=1)),
            {
                ("Power", "Care"): 0.25,
                ("Power", "Justice"): 0.25,
                ("Achievement", "Care"): 0.25,
                ("Achievement", "Justice"): 0.25,
            },
            id="two against two",
        ),
        pytest.param(
            (option("A", Power=1), option("B", Care=1), option("C", Care=1, Justice=1)),
            {("Power", "Care"): 0.5 + 0.25, ("Power", "Justice"): 0.25},
            id="two alternatives share the vote evenly, then their pairs",
        ),
        pytest.param(
            (option("A", Power=1), option("B", Care=1), option("WAIT")),
            {("Power", "Care"): 1.0},
            id="an alternative that speaks for nothing takes no share",
        ),
    ],
)
def test_the_vote_of_a_decision_is_spread(
    offered: tuple[Option, ...], votes: Mapping[tuple[str, str], float]
) -> None:
    cast = evidence(*offered).votes()
    assert cast == pytest.approx(votes)
    assert sum(cast.values()) == pytest.approx(1.0)


def test_a_choice_that_gives_nothing_up_is_no_vote() -> None:
    assert evidence(option("A", Power=1.0), option("B")).votes() == {}


def test_a_fault_is_counted_and_gives_no_evidence() -> None:
    seen = choices([record("TAKE"), record(None, Fault.REFUSED), record(None, Fault.REFUSED)])
    assert (seen.decisions, len(seen.evidence), seen.faults) == (3, 1, {"refused": 2})
    assert seen.fault_rate == pytest.approx(2 / 3)


def test_evidence_keeps_the_order_shown_and_its_world_as_cluster() -> None:
    (seen,) = choices([record("LEAVE")]).evidence
    world = record("LEAVE").episode.world
    assert (seen.position, seen.cluster, seen.chosen.name) == (1, world, "LEAVE")


def test_without_decisions_the_fault_rate_is_unknown() -> None:
    assert choices([]) == Choices()
    assert choices([]).fault_rate is None


def test_a_choice_that_was_not_offered_is_an_error_and_no_vote() -> None:
    with pytest.raises(LogError, match="'FLY', chosen by a at step 0 of episode e1"):
        choices([record("FLY")])


def test_a_world_that_several_populations_played_is_one_cluster() -> None:
    one = record("LEAVE")
    other = replace(one, episode=replace(one.episode, id="e2", population={}))
    elsewhere = replace(one, episode=replace(one.episode, id="e3", condition={"delta": 0.5}))
    later = replace(one, episode=replace(one.episode, id="e4", seed=one.episode.seed + 1))
    assert cluster_of(one) == cluster_of(other)
    assert len({cluster_of(each) for each in (one, elsewhere, later)}) == 3
    assert choices([one, elsewhere, later]).unit == "episode"
    assert choices([one, other]).unit == "seed", "two episodes, one piece of evidence"


def test_a_scene_is_a_cluster_in_whatever_episode_it_is_asked() -> None:
    one = replace(record("LEAVE"), annotations={"scene": "pack/one"})
    again = replace(one, episode=replace(one.episode, id="e2", seed=9))
    assert cluster_of(one) == cluster_of(again) == "toy-v0/pack/one"
    assert choices([one, again]).unit == "scene"
    assert choices([one, record("LEAVE")]).unit == "cluster"
