"""Stated against revealed: who does as it says has no gap, and who does not is found out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from valuesim import registry
from valuesim.agents.scripted.valued import Valued, profile
from valuesim.choices import Choices, choices
from valuesim.episode import EpisodeSpec, Player, play
from valuesim.graph.compared import Comparison
from valuesim.graph.grouping import family_of, grouped
from valuesim.graph.joint import estimate_jointly
from valuesim.graph.levels import compare_levels, levels, mixed, roll_ups
from valuesim.graph.say_do import TOGETHER
from valuesim.log import DecisionRecord, RunWriter, read_run

SAID = ("questionnaire-v0", {"instrument": "best_worst"}, 13)
DONE = (
    ("dilemmas-v0", {"pack": "generated", "scenes": 20}, 15),
    ("dilemmas-v0", {"pack": "daily", "scenes": 20}, 15),
)
SCENES = ("moral_machine-v0", {"scenes": 20}, 15)
STATED = "questionnaire best_worst"


def played(
    folder: Path, *parts: tuple[tuple[str, Mapping[str, Any], int], str]
) -> list[DecisionRecord]:
    """Return the decisions of an agent called "two_faced" in each environment by a profile."""
    with RunWriter(folder) as writer:
        writer.describe({})
        for (id, parameters, episodes), name in parts:
            env = registry.make(id, **parameters)
            for seed in range(episodes):
                spec = EpisodeSpec(
                    env=env.id,
                    parameters=parameters,
                    population={role: Player(agent="two_faced") for role in env.possible_agents},
                    elicitation={},
                    seed=seed,
                )
                seats = {
                    role: Valued(role=role, seed=int(spec.id, 16) >> 1, weights=profile(name))
                    for role in env.possible_agents
                }
                turns = asyncio.run(
                    play(env, seats, seed, lambda turn, spec=spec: writer.turn(spec.id, turn))
                )
                writer.finish(spec, env, turns)
    return list(read_run(folder).decisions())


def compared(folder: Path, said: str, done: str) -> Comparison:
    """Return the comparison of families of an agent that says one profile and does another."""
    records = played(folder, (SAID, said), *((each, done) for each in DONE))
    return compare_levels(levels(records, "family"), "family")


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """The comparison of an agent that does what it says."""
    return compared(tmp_path_factory.mktemp("honest"), "climber", "climber")


@pytest.fixture(scope="module")
def liar(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """The comparison of one that says a protector's values and does a climber's."""
    return compared(tmp_path_factory.mktemp("liar"), "protector", "climber")


def correlation(found: Comparison, level: str) -> Any:
    """Return the rank correlation of `level` with what is stated."""
    return next(
        each.found for each in found.correlations if (each.against, each.level) == (STATED, level)
    )


def test_forms_and_packs_are_levels_of_their_own_and_the_questionnaire_stands_first(
    honest: Comparison,
) -> None:
    assert honest.levels == (STATED, "dilemmas daily", "dilemmas generated", TOGETHER)


def test_who_does_as_it_says_has_no_sure_gap_and_like_rankings(honest: Comparison) -> None:
    assert not any(gap.is_gap for gap in honest.gaps)
    assert not honest.flips
    found = correlation(honest, TOGETHER)
    assert found.spearman > 0.85
    assert found.high == pytest.approx(1)


def test_who_does_otherwise_than_it_says_is_found_out(liar: Comparison) -> None:
    sure = {gap.value: gap.gap for gap in liar.gaps if gap.is_gap and gap.revealed == TOGETHER}
    assert {"Protection", "Care"} <= {value for value, gap in sure.items() if gap > 0}
    assert {"Power", "Achievement"} <= {value for value, gap in sure.items() if gap < 0}
    found = correlation(liar, TOGETHER)
    assert found.high < 0
    flips = {(flip.over, flip.under) for flip in liar.flips if flip.level == TOGETHER}
    assert ("Protection", "Power") in flips


def test_a_gap_is_found_in_each_kind_of_behaviour_too(liar: Comparison) -> None:
    for level in ("dilemmas daily", "dilemmas generated"):
        own = {gap.value: gap for gap in liar.gaps if gap.revealed == level}
        assert own["Protection"].gap > 1
        assert own["Protection"].n_stated > 20
        assert own["Protection"].n_revealed > 20


def test_scenes_are_rolled_up_to_the_values_they_share(tmp_path: Path) -> None:
    records = played(tmp_path, (SAID, "climber"), (SCENES, "utilitarian"))
    found = compare_levels(levels(records, "family"), "family")
    assert {gap.value for gap in found.gaps} == {"Protection", "Justice", "Care", "Respect"}
    assert correlation(found, "moral_machine").values == 4


def test_a_rolled_up_strength_is_the_mean_of_its_parts(tmp_path: Path) -> None:
    records = played(tmp_path, (SAID, "climber"), (SCENES, "utilitarian"))
    each = {name: choices(own) for name, own in levels(records, "family").items()}
    plain = estimate_jointly(each, draws=10).levels["moral_machine"]
    rolled = estimate_jointly(each, draws=10, roll_ups=roll_ups(each)).levels["moral_machine"]
    parts = [plain.rows[v] @ plain.fitted.theta for v in ("Sparing More", "Sparing Pedestrians")]
    assert rolled.rows["Protection"] @ rolled.fitted.theta == pytest.approx(np.mean(parts))
    assert "Inaction" not in rolled.rows


def test_without_a_common_vocabulary_there_is_nothing_in_common() -> None:
    assert roll_ups({"a": Choices(), "b": Choices()}) == {}


def test_a_questionnaire_alone_has_nothing_to_be_set_against(tmp_path: Path) -> None:
    found = compare_levels(levels(played(tmp_path, (SAID, "climber")), "family"), "family")
    assert found.why == f"a comparison needs two levels; there is 1: {STATED}"
    assert not found.gaps


def test_faults_are_counted_at_each_level(tmp_path: Path) -> None:
    records = played(tmp_path, (SAID, "climber"), (SCENES, "utilitarian"))
    spoilt = [
        replace(each, chosen=None, fault="refused") if place % 2 else each  # type: ignore[arg-type]
        for place, each in enumerate(records)
    ]
    found = compare_levels(levels(spoilt, "family"), "family")
    assert all(0.4 < each.fault_rate < 0.6 for each in found.counts if each.fault_rate)


@pytest.mark.parametrize(
    ("env", "family"),
    [
        ("survival-v0", "survival"),
        ("trust-v0", "games"),
        ("questionnaire-v0", "questionnaire"),
        ("litmus/model_eval", "litmus"),
        ("battles-v3", "battles"),
        ("plain", "plain"),
    ],
)
def test_a_family_is_where_the_environment_lives(env: str, family: str) -> None:
    assert family_of(env) == family


def test_decisions_are_grouped_by_family(tmp_path: Path) -> None:
    records = played(tmp_path, (SAID, "climber"), (SCENES, "utilitarian"))
    assert [str(group) for group in grouped(records, ["family"])] == [
        "family=questionnaire",
        "family=moral_machine",
    ]


def test_what_is_pooled_within_levels_is_told_apart_from_what_differs_between(
    tmp_path: Path,
) -> None:
    part = ("dilemmas-v0", {"pack": "daily", "scenes": 5}, 1)
    other = ("dilemmas-v0", {"pack": "generated", "scenes": 5}, 1)
    records = played(tmp_path, (part, "climber"), (other, "climber"))
    within, between = mixed({"one": records[:5], "two": records[5:]}, "agent")
    assert within == {}
    assert "pack" in between
    assert "pack" in mixed({"both": records}, "agent")[0]
