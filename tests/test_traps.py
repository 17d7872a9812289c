"""Traps that others fell into, each held shut; benchmarks/validity measures what they cost.

Two of the six have their test where the part is tested: content-blind agents in every family in
test_planted_truth.py (here are the games that it leaves out), whole numbers in the moral machine's
tables in test_moral_machine_export.py.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from benchmarks.elo import battles_of, permuted_elo
from benchmarks.validity import permutation
from benchmarks.validity.design import Plan, coded, made, planted, simulated
from benchmarks.validity.measured import gathered
from valuesim.choices import Evidence, choices
from valuesim.engine import Design, plan, run
from valuesim.engine.progress import Progress
from valuesim.formats.litmus import read_litmus
from valuesim.graph import ValueRanking, rank_values
from valuesim.graph.rank import ELO_PER_LOG_ODDS
from valuesim.log import RunWriter, read_run
from valuesim.option import Option
from valuesim.values import load_taxonomy


def option(**stakes: float) -> Option:
    return Option(name="+".join(stakes), text="", stakes=stakes)


def mean_error(ranking: ValueRanking) -> float:
    return float(np.mean([value.se for value in ranking.values if value.se is not None]))


def holding_zero(ranking: ValueRanking) -> list[bool]:
    """Whether the interval of each value that has one holds 0."""
    known = [(v.low, v.high) for v in ranking.values]
    return [low <= 0 <= high for low, high in known if low is not None and high is not None]


# 1. Permutations of battles are no bootstrap.


def test_permuting_battles_is_too_narrow_for_few_dilemmas_and_ours_holds_the_truth() -> None:
    repeats = [permutation.once("300", np.random.default_rng([1, n])) for n in range(8)]
    of = gathered(repeats)
    stated, true = permutation.widths(of, "permutations") or (0.0, 0.0)
    assert stated < 0.75 * true
    truth = 1000 + permutation.STRENGTHS * ELO_PER_LOG_ODDS
    ours = (of.of["valuesim low"] <= truth) & (truth <= of.of["valuesim high"])
    centre = of.mean("permutations centre")
    theirs = (of.of["permutations low"] <= centre) & (centre <= of.of["permutations high"])
    assert ours.mean() >= 0.9
    assert theirs.mean() <= 0.85


def test_permuting_battles_does_not_narrow_with_evidence_and_ours_does() -> None:
    theirs, ours = [], []
    for scenes in (300, 1200):
        asked, rng = Plan(scenes=scenes, values=16, a_side=4), np.random.default_rng(2)
        answered = made(asked, permutation.STRENGTHS, rng)
        battles = battles_of(answered.stakes, answered.taken)
        ratings = permuted_elo(battles, asked.values, 40, rng)
        theirs.append(float(np.diff(np.quantile(ratings, [0.025, 0.975], axis=0), axis=0).mean()))
        ours.append(mean_error(rank_values(coded(asked, answered), draws=2)))
    assert theirs[1] > theirs[0]
    assert ours[1] < 0.6 * ours[0]


# 2. A decision is one vote, however many values its options carry.


def test_a_decision_between_four_values_and_four_is_one_vote() -> None:
    one = option(Care=1, Justice=1, Respect=1, Wisdom=1)
    other = option(Power=1, Loyalty=1, Freedom=1, Privacy=1)
    votes = Evidence(cluster="c", options=(one, other), position=0).votes()
    assert len(votes) == 16
    assert sum(votes.values()) == pytest.approx(1)
    rng = np.random.default_rng(3)
    ranking = rank_values(simulated(Plan(scenes=200, a_side=4), np.zeros(8), rng), draws=2)
    assert ranking.tally.votes.sum() == pytest.approx(ranking.contested)
    assert sum(edge.weight for edge in ranking.edges) == pytest.approx(ranking.contested)


def test_taking_pairs_for_decisions_narrows_intervals_and_we_do_not() -> None:
    rng = np.random.default_rng(4)
    asked = Plan(scenes=400, values=16, a_side=4)
    answered = made(asked, permutation.STRENGTHS, rng)
    pairs = permutation.as_decisions(battles_of(answered.stakes, answered.taken))
    assert len(pairs) > 10 * asked.scenes, "one dilemma is about sixteen battles"
    naive = rank_values(pairs, draws=2)
    ours = rank_values(coded(asked, answered), draws=2)
    assert naive.clusters == len(pairs)
    assert ours.clusters == asked.scenes
    assert mean_error(naive) < 0.5 * mean_error(ours)


def test_the_same_answer_given_again_is_no_more_evidence() -> None:
    strengths = planted(8, np.random.default_rng(5))
    once, thrice = (
        rank_values(
            simulated(Plan(scenes=200, alike=n), strengths, np.random.default_rng(5)), draws=2
        )
        for n in (1, 3)
    )
    assert thrice.decisions == 3 * once.decisions
    for value in once.values:
        again = thrice.value(value.value)
        assert again is not None
        assert again.se == pytest.approx(value.se, rel=0.1)


# 3. What cannot be read is a fault, and no choice of the second action.

COLUMNS = "idx,dilemma,action,values,targets,model_resp_m,model_resp_clean"


def generations(folder: Path, answers: list[str], labels: tuple[str, str]) -> Path:
    """A table of one dilemma for each answer; `labels` are those of action 1 and 2."""
    lines = [COLUMNS]
    for number, answer in enumerate(answers):
        for place, label in enumerate(labels, start=1):
            row = f"Action {place}: do,\"['{label}']\",[],{answer},{answer}"
            lines.append(f"{number},dilemma {number},{row}")
    path = folder / "m.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_an_unreadable_answer_is_a_fault_and_moves_no_strength(tmp_path: Path) -> None:
    answers = ["Action 1"] * 30 + ["Action 2"] * 30
    table = generations(tmp_path, answers + ["NA"] * 40, ("Care", "Power"))
    told = choices(read_litmus(table, source="t").records)
    assert (told.decisions, len(told.evidence), told.faults) == (100, 60, {"unparsed": 40})
    for value in rank_values(told, draws=100).values:
        # counted as action 2, they would put Power first by a log-odds of 0.8
        assert value.strength is None or abs(value.strength) < 0.01


# 4. An agent without values has strengths of 0, in every environment.

GAMES: Mapping[str, Mapping[str, Any]] = {
    "stag_hunt-v0": {"horizon": 10},
    "chicken-v0": {"horizon": 10},
    "battle_of_the_sexes-v0": {"horizon": 10},
    "trust-v0": {"horizon": 10},
    "dictator-v0": {"horizon": 10},
}
"""The games with values to compare that test_planted_truth.py leaves out."""


@pytest.mark.parametrize("id", GAMES)
def test_a_content_blind_agent_puts_nothing_first(id: str, tmp_path: Path) -> None:
    design = Design(
        env=id,
        parameters=dict(GAMES[id]),
        crossed={},
        groups=[{"all": "first:0.7"}],
        model=None,
        elicitation={},
        episodes=40,
        seed=6,
    )
    with RunWriter(tmp_path / "run") as writer:
        writer.describe({})
        asyncio.run(
            run(plan(design), writer, {}, concurrency=4, progress=Progress(io.StringIO(), "none"))
        )
    ranking = rank_values(choices(read_run(tmp_path / "run").decisions()), draws=100)
    assert not ranking.coherence.is_coherent
    held = holding_zero(ranking)
    assert held
    assert len(held) - sum(held) <= stats.binom.ppf(0.999, len(held), 0.05)


def test_a_fixed_order_of_options_is_told_apart_from_values() -> None:
    habit = Plan(scenes=1000, first=1.4, order="by value")
    ranking = rank_values(simulated(habit, np.zeros(8), np.random.default_rng(7)), draws=2)
    assert not ranking.coherence.is_coherent
    held = holding_zero(ranking)
    assert len(held) == 8
    assert sum(held) >= 6
    assert ranking.terms["first"].value == pytest.approx(1.4, abs=0.4)


# 5. Labels match whole, never in part.

PARTS = ("injustice", "careless", "distrust", "disrespectful", "powerless")


def test_a_label_that_contains_a_value_is_not_that_value() -> None:
    mapped = load_taxonomy().map_labels([*PARTS, "Justice", "care"])
    assert mapped.values == ("Justice", "Care")
    assert mapped.unmapped == dict.fromkeys(PARTS, 1)


def test_a_table_of_classes_matches_whole_labels_only(tmp_path: Path) -> None:
    classes = tmp_path / "classes.csv"
    classes.write_text("value,value_class\ntrust,Loyalty\npower,Power\n", encoding="utf-8")
    table = generations(tmp_path, ["Action 1"] * 4, ("distrust", "power"))
    importing = read_litmus(table, source="t", values=classes)
    stakes = [option.stakes for record in importing.records for option in record.options]
    assert stakes == [{}, {"Power": 1.0}] * 4
    assert importing.unmapped == {"distrust": 4}
