"""Bundles of values against each other: which are asked, in which words, with which stakes."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from benchmarks.adaptive.orders import answered_to
from benchmarks.adaptive.planted import Kind, contested, draw, even
from valuesim.agents.scripted import Random
from valuesim.choices import Evidence
from valuesim.engine.pool import Pools
from valuesim.env import Observation
from valuesim.envs.questionnaire import Questionnaire
from valuesim.envs.questionnaire.blocks import bundle_pairs
from valuesim.episode import EpisodeSpec, Player, play
from valuesim.graph.information import belief
from valuesim.log import RunWriter, read_run
from valuesim.measures.questionnaire import panels
from valuesim.option import Move
from valuesim.values import load_taxonomy

NAMES = load_taxonomy().names


def questions(seed: int = 1, **given: Any) -> list[Observation]:
    """Return every question of an episode, answered by the first option."""
    env = Questionnaire(**{"instrument": "bundles", **given})
    env.reset(seed=seed)
    found = []
    while env.agents:
        seen = env.observe("Alpha")
        found.append(seen)
        env.step({"Alpha": Move(option=seen.options[0].name)})
    return found


def test_few_bundles_are_all_asked_and_each_pair_of_them_once() -> None:
    found = bundle_pairs(6, 2, 1000)
    assert len(found) == len({frozenset(pair) for pair in found}) == 45
    assert all(not set(one) & set(other) for one, other in found)


@pytest.mark.parametrize("size", [2, 3])
def test_of_many_bundles_so_many_are_drawn_and_each_value_is_in_about_as_many(size: int) -> None:
    found = bundle_pairs(20, size, 1000)
    assert len(found) == len({frozenset(pair) for pair in found}) == 1000
    assert all(len(set(one) | set(other)) == 2 * size for one, other in found)
    times = Counter(value for pair in found for bundle in pair for value in bundle)
    assert max(times.values()) / min(times.values()) < 1.15
    first = Counter(value for one, _ in found for value in one)
    assert all(0.4 < first[value] / times[value] < 0.6 for value in range(20))


@pytest.mark.parametrize(("count", "size"), [(3, 2), (1, 1), (4, 0)])
def test_too_few_values_for_two_bundles_are_refused(count: int, size: int) -> None:
    with pytest.raises(ValueError, match="make no two bundles"):
        bundle_pairs(count, size, 10)


def test_every_pair_of_single_values_is_asked_and_of_larger_bundles_as_many_as_are_said() -> None:
    found = questions(items="all")
    sizes = Counter(len(seen.options[0].stakes) for seen in found)
    assert sizes == {1: 190, 2: 1000, 3: 1000}
    single = {frozenset(o.options[0].stakes | o.options[1].stakes) for o in found}
    assert {frozenset(pair) for pair in combinations(NAMES, 2)} <= single
    scenes = [seen.annotations["scene"] for seen in found]
    assert len(set(scenes)) == len(scenes)


def test_the_parts_ask_every_question_once() -> None:
    parts = [seen for part in range(4) for seen in questions(items=600, part=part)]
    scenes = Counter(seen.annotations["scene"] for seen in parts)
    assert len(scenes) == 2190
    assert set(scenes.values()) == {1}


def test_a_vocabulary_of_few_values_has_bundles_of_at_most_half_of_them() -> None:
    found = questions(items="all", vocabulary="moral_machine")
    names = load_taxonomy("moral_machine").names
    widest = max(len(seen.options[0].stakes) for seen in found)
    assert widest == min(3, len(names) // 2)


@pytest.mark.parametrize(("reversed", "stake"), [(False, 1.0), (True, -1.0)])
def test_each_value_that_an_option_names_is_at_stake_in_it_and_no_other(
    reversed: bool, stake: float
) -> None:
    for seen in questions(items=60, reversed=reversed):
        one, other = seen.options
        assert len(one.stakes) == len(other.stakes)
        assert not one.stakes.keys() & other.stakes.keys()
        for option in seen.options:
            assert set(option.stakes.values()) == {stake}
            named = {value for value in NAMES if f"{value} (" in option.text}
            assert named == set(option.stakes)


def test_without_definitions_a_bundle_is_a_list_of_its_values() -> None:
    for seen in questions(items=200, definitions=False):
        for option in seen.options:
            *before, last = option.text.split(" and ")
            named = [*", ".join(before).split(", "), last] if before else [last]
            assert named == list(option.stakes)


def test_a_question_names_no_value_so_that_only_the_options_have_an_order() -> None:
    for seen in questions(items=100):
        assert not [value for value in NAMES if value in seen.text]


def test_label_and_place_are_independent_of_the_bundle() -> None:
    counts: Counter[tuple[bool, bool]] = Counter()
    for seed in range(200):
        (seen,) = questions(seed, items=1, part=5)
        labels, first = seen.annotations["labels"], seen.annotations["named"][0]
        counts[labels["A"] == first, labels[seen.options[0].name] == first] += 1
    assert len(counts) == 4
    assert min(counts.values()) > 25


async def test_habits_are_measured_and_scores_are_none_of_its(tmp_path: Any) -> None:
    spec = EpisodeSpec(
        env="questionnaire-v0",
        parameters={"instrument": "bundles"},
        population={"Alpha": Player(agent="random")},
        elicitation={},
        seed=0,
    )
    env = Questionnaire(instrument="bundles")
    with RunWriter(tmp_path) as writer:
        writer.describe({})
        agents = {"Alpha": Random(role="Alpha", seed=0)}
        turns = await play(env, agents, 0, lambda turn: writer.turn(spec.id, turn))
        writer.finish(spec, env, turns)
    (habits,) = panels(list(read_run(tmp_path).decisions()), seed=0)
    assert habits.id == "bundles-habits"
    assert [e.label for e in habits.estimates] == ["option shown first", "label A"]
    assert all(e.n == 20 for e in habits.estimates)


def test_strengths_that_are_planted_are_found_again_from_bundles() -> None:
    """A second look at the additive stakes: what answers, and what estimates, are apart."""
    spec = EpisodeSpec(
        env="questionnaire-v0",
        parameters={"instrument": "bundles"},
        population={"Alpha": Player(agent="random")},
        elicitation={},
        seed=0,
    )
    asked: tuple[Evidence, ...] = Pools(size=2000, seed=0).pool(spec).questions
    known = contested(list(asked))
    agent = draw(Kind(strengths=even(1.0)), known, np.random.default_rng(0))
    rows = np.arange(len(known.questions))
    theta = belief(answered_to(known, agent, rows.tolist())).theta[: len(NAMES)]
    centred = theta - theta.mean()
    assert np.corrcoef(centred, agent.strengths)[0, 1] > 0.97
    assert float(np.abs(centred - agent.strengths).max()) < 0.35
