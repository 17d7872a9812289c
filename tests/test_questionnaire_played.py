"""Questionnaires played, logged and measured: planted values come back, habits are seen through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import kendalltau

from valuesim.agents.scripted import First, Mute, Random, Scripted
from valuesim.agents.scripted.respondents import Acquiescent
from valuesim.agents.scripted.valued import Valued
from valuesim.archetypes import classify, load_catalogue
from valuesim.choices import choices, cluster_of
from valuesim.env import Observation
from valuesim.envs.questionnaire import Questionnaire
from valuesim.episode import EpisodeSpec, Player, play
from valuesim.graph import ValueRanking, rank_values
from valuesim.log import RunWriter, read_run
from valuesim.log.reader import DecisionRecord
from valuesim.measures.panel import Panel
from valuesim.measures.questionnaire import panels
from valuesim.option import Move
from valuesim.values import load_taxonomy

NAMES = load_taxonomy().names
PLANTED = dict(zip(NAMES, np.linspace(-6, 6, len(NAMES)).tolist(), strict=True))
Respondent = Callable[[int], Scripted]


def random(seed: int) -> Scripted:
    return Random(role="Alpha", seed=seed)


def mostly_first(seed: int) -> Scripted:
    return First(role="Alpha", seed=seed, variant="0.8")


def planted(seed: int) -> Scripted:
    return Valued(role="Alpha", seed=seed, weights=PLANTED)


def habit(variant: str) -> Respondent:
    return lambda seed: Acquiescent(role="Alpha", seed=seed, variant=variant)


def answered(
    folder: Path, respondent: Respondent, cells: Iterable[Mapping[str, Any]], seeds: Iterable[int]
) -> list[DecisionRecord]:
    """Play every cell with every seed and return the decisions as the log gives them back."""
    seeds = list(seeds)
    with RunWriter(folder) as writer:
        writer.describe({"versions": {"valuesim": "0"}, "time": {"started": "", "resumed": []}})
        for cell in cells:
            for seed in seeds:
                asyncio.run(_play(writer, respondent, cell, seed))
    return list(read_run(folder).decisions())


async def _play(
    writer: RunWriter, respondent: Respondent, cell: Mapping[str, Any], seed: int
) -> None:
    env = Questionnaire(**cell)
    spec = EpisodeSpec(
        env=env.id,
        parameters=cell,
        population={"Alpha": Player(agent="respondent")},
        elicitation={},
        seed=seed,
    )
    agents = {"Alpha": respondent(seed)}
    turns = await play(env, agents, seed, lambda turn: writer.turn(spec.id, turn))
    writer.finish(spec, env, turns)


def named(records: list[DecisionRecord], id: str) -> Panel:
    return next(panel for panel in panels(records, seed=0) if panel.id == id)


def values_of(panel: Panel) -> dict[str, float | None]:
    return {estimate.label: estimate.value for estimate in panel.estimates}


def agreement(ranking: ValueRanking) -> float:
    found = [(value.strength, PLANTED[value.value]) for value in ranking.values]
    return float(kendalltau(*zip(*found, strict=True)).statistic)


def share_covering_zero(ranking: ValueRanking) -> float:
    ends = [(v.low, v.high) for v in ranking.values if v.low is not None and v.high is not None]
    assert len(ends) == len(NAMES)
    return sum(low <= 0 <= high for low, high in ends) / len(ends)


@pytest.mark.parametrize("turned", [False, True])
def test_planted_values_come_back_from_500_pairs(tmp_path: Path, turned: bool) -> None:
    cells = [{"instrument": "pairwise", "reversed": turned}]
    records = answered(tmp_path / "run", planted, cells, range(25))
    ranking = rank_values(choices(records), draws=200)
    assert len(records) == 500
    assert ranking.coherence.is_coherent
    assert agreement(ranking) >= 0.9


def test_planted_values_come_back_from_best_and_worst(tmp_path: Path) -> None:
    records = answered(tmp_path / "run", planted, [{"instrument": "best_worst"}], range(12))
    assert agreement(rank_values(choices(records), draws=200)) >= 0.9
    counts = values_of(named(records, "best_worst"))
    tau = kendalltau([counts[name] for name in NAMES], [PLANTED[name] for name in NAMES]).statistic
    assert tau >= 0.9


@pytest.mark.parametrize("instrument", ["pairwise", "best_worst"])
@pytest.mark.parametrize("respondent", [random, mostly_first])
def test_a_content_blind_respondent_values_nothing(
    tmp_path: Path, respondent: Respondent, instrument: str
) -> None:
    cells = [{"instrument": instrument, "items": 20}]
    records = answered(tmp_path / "run", respondent, cells, range(25))
    ranking = rank_values(choices(records), draws=200)
    assert not ranking.coherence.is_coherent
    assert share_covering_zero(ranking) >= 0.9
    assert max(abs(value.strength or 0) for value in ranking.values) < 1.5


def test_a_content_blind_respondent_stands_at_zero_in_best_worst_counts(tmp_path: Path) -> None:
    records = answered(tmp_path / "run", mostly_first, [{"instrument": "best_worst"}], range(15))
    found = named(records, "best_worst").estimates
    assert sum((e.low or 0) <= 0 <= (e.high or 0) for e in found) >= 18
    assert sum(e.value or 0 for e in found) == pytest.approx(0)


@pytest.mark.parametrize(
    ("instrument", "middle"),
    [("oxford_utilitarianism", 4), ("risk_taking", 4), ("rating", 4), ("basic_values", 0)],
)
@pytest.mark.parametrize("respondent", [random, mostly_first])
def test_a_content_blind_respondent_scores_in_the_middle(
    tmp_path: Path, respondent: Respondent, instrument: str, middle: float
) -> None:
    records = answered(tmp_path / "run", respondent, [{"instrument": instrument}], range(30))
    panel = named(records, instrument)
    covering = [e.low <= middle <= e.high for e in panel.estimates if e.low is not None and e.high]
    assert len(covering) == len(panel.estimates)
    assert sum(covering) >= 0.8 * len(covering)
    assert np.mean([e.value for e in panel.estimates]) == pytest.approx(middle, abs=0.5)


def test_whoever_takes_what_stands_first_is_told_so(tmp_path: Path) -> None:
    cells = [{"instrument": "pairwise"}, {"instrument": "rating"}]
    records = answered(tmp_path / "run", mostly_first, cells, range(15))
    pairs = {e.label: e for e in named(records, "pairwise-habits").estimates}
    assert pairs["option shown first"].low is not None
    assert pairs["option shown first"].low > 0.6
    for unheld in ("label A", "value named first"):
        low, high = pairs[unheld].low, pairs[unheld].high
        assert low is not None
        assert high is not None
        assert low <= 0.5 <= high
    (scale,) = named(records, "rating-habits").estimates
    assert scale.low is not None
    assert scale.low > 0.5


def test_a_consistent_respondent_has_few_cycles_and_flips_and_a_random_one_as_chance(
    tmp_path: Path,
) -> None:
    cells = [{"instrument": "pairwise", "items": "all"}]
    wise = named(answered(tmp_path / "wise", planted, cells, [1]), "pairwise-consistency")
    blind = named(answered(tmp_path / "blind", random, cells, [1]), "pairwise-consistency")
    by_chance = {point.label: point for point in blind.references[0].points}
    few, many = values_of(wise), values_of(blind)
    assert (few["cyclic triads"] or 0) < 0.03 < (by_chance["cyclic triads"].low or 0)
    assert many["cyclic triads"] == pytest.approx(0.25, abs=0.05)
    assert (few["order flips"] or 0) < 0.15
    assert many["order flips"] == pytest.approx(0.5, abs=0.06)
    decided, in_both_orders = (e.n for e in wise.estimates)
    assert 900 < decided <= 1140, "a pair that is undecided after six answers is in no triad"
    assert in_both_orders == 570


def test_the_catch_items_leave_out_whoever_agrees_with_everything(tmp_path: Path) -> None:
    cells = [{"instrument": "moral_foundations", "reversed": turned} for turned in (False, True)]
    panel = named(answered(tmp_path / "run", habit("agree"), cells, range(3)), "moral_foundations")
    assert set(values_of(panel).values()) == {None}
    assert "0 of 6 administrations are scored" in panel.note
    assert "6 not at all because a catch item was failed" in panel.note


class Refuser(Random):
    """Answers by lot, but no item that shows attention."""

    def choose(self, observation: Observation) -> Move:
        if observation.annotations["item"] in ("left-handed", "help-not-hurt"):
            return Move(option="no option at all")
        return super().choose(observation)


def test_catch_items_that_were_refused_are_not_passed(tmp_path: Path) -> None:
    cells = [{"instrument": "moral_foundations"}]
    records = answered(
        tmp_path / "run", lambda seed: Refuser(role="Alpha", seed=seed), cells, range(3)
    )
    panel = named(records, "moral_foundations")
    assert sum(panel.faults.values()) == 6
    assert set(values_of(panel).values()) == {None}
    assert "3 not at all because a catch item was not answered" in panel.note


def test_a_scale_of_too_few_answers_is_told(tmp_path: Path) -> None:
    records = answered(tmp_path / "run", random, [{"instrument": "moral_foundations"}], [0, 1])
    passing = {"left-handed": "0", "help-not-hurt": "5"}
    care = [r for r in records if r.annotations["scale"] == "Care"]
    left = {(r.episode.id, r.step) for r in care if r.episode.seed == 0}
    kept = [
        replace(r, chosen=passing.get(r.annotations["item"], r.chosen))
        for r in records
        if (r.episode.id, r.step) not in left
    ]
    panel = named(kept, "moral_foundations")
    assert "1 without a scale of which fewer than half of the items were answered" in panel.note


def test_predictions_for_people_are_not_pooled_with_answers(tmp_path: Path) -> None:
    cells = [{"instrument": "risk_taking", "perspective": way} for way in ("act", "predict")]
    records = answered(tmp_path / "run", habit("7"), cells, [0, 1])
    found = {each.id: each for each in panels(records, seed=0)}
    assert {"risk_taking-act", "risk_taking-predict"} <= set(found)
    assert found["risk_taking-predict"].title.endswith(", predicted for people")
    assert {each.decisions for each in found.values()} == {60}


def test_answers_all_alike_are_not_scored_as_basic_values(tmp_path: Path) -> None:
    cells = [{"instrument": "basic_values"}]
    panel = named(answered(tmp_path / "run", habit("agree"), cells, range(2)), "basic_values")
    assert set(values_of(panel).values()) == {None}
    assert "too many answers were alike" in panel.note


def test_turning_the_scale_shows_whoever_always_takes_one_number(tmp_path: Path) -> None:
    cells = [{"instrument": "risk_taking", "reversed": turned} for turned in (False, True)]
    sevens = answered(tmp_path / "sevens", habit("7"), cells, range(3))
    (effect,) = named(sevens, "risk_taking-direction").estimates
    assert effect.value == -6.0
    assert set(values_of(named(sevens, "risk_taking")).values()) == {4.0}
    agreeing = answered(tmp_path / "agreeing", habit("agree"), cells, range(3))
    (none,) = named(agreeing, "risk_taking-direction").estimates
    assert none.value == 0.0


def test_without_both_directions_nothing_is_said_of_turning(tmp_path: Path) -> None:
    records = answered(tmp_path / "run", habit("7"), [{"instrument": "rating"}], [0])
    assert "rating-direction" not in {panel.id for panel in panels(records, seed=0)}


def test_faults_are_counted_and_score_nothing(tmp_path: Path) -> None:
    cells = [{"instrument": name} for name in ("moral_foundations", "best_worst", "pairwise")]
    records = answered(
        tmp_path / "run", lambda seed: Mute(role="Alpha", seed=seed), cells, range(2)
    )
    found = {panel.id: panel for panel in panels(records, seed=0)}
    assert set(found) == {"moral_foundations", "best_worst", "pairwise-consistency"}
    for panel in found.values():
        assert panel.fault_rate == 1.0
        assert {estimate.value for estimate in panel.estimates} == {None}
    assert found["moral_foundations"].decisions == 64


def test_the_parts_of_one_seed_are_one_administration(tmp_path: Path) -> None:
    parts = [{"instrument": "oxford_utilitarianism", "items": 4, "part": part} for part in range(3)]
    records = answered(tmp_path / "run", random, parts, [1, 2])
    panel = named(records, "oxford_utilitarianism")
    assert "2 of 2 administrations are scored" in panel.note
    assert {e.label: e.n for e in panel.estimates} == {
        "Impartial Beneficence": 10,
        "Instrumental Harm": 8,
    }


def test_a_drawn_part_of_a_scale_that_must_be_complete_has_no_score(tmp_path: Path) -> None:
    cells = [{"instrument": "risk_taking", "items": 5}]
    panel = named(answered(tmp_path / "run", random, cells, range(3)), "risk_taking")
    assert set(values_of(panel).values()) == {None}
    assert "3 without a scale that was not answered in full" in panel.note


def test_people_stand_beside_where_their_figures_were_verified(tmp_path: Path) -> None:
    cells = [{"instrument": "risk_taking"}, {"instrument": "oxford_utilitarianism"}]
    records = answered(tmp_path / "run", random, cells, [0])
    (people,) = named(records, "risk_taking").references
    assert "2016" in people.population
    assert named(records, "oxford_utilitarianism").references == ()


def test_vocabularies_are_not_pooled(tmp_path: Path) -> None:
    cells = [{"instrument": "rating", "vocabulary": name} for name in ("valuesim", "moral_machine")]
    found = {p.id: p for p in panels(answered(tmp_path / "run", random, cells, [0, 1]), seed=0)}
    assert {"rating-valuesim", "rating-moral_machine"} <= set(found)
    assert {e.label for e in found["rating-valuesim"].estimates} == set(NAMES)


def test_a_pair_is_one_cluster_in_whatever_order_template_and_episode(tmp_path: Path) -> None:
    records = answered(tmp_path / "run", random, [{"items": "all"}], [0])
    assert len({cluster_of(record) for record in records}) == 190


def test_equal_records_and_seed_give_equal_panels(tmp_path: Path) -> None:
    records = answered(tmp_path / "run", random, [{"items": 200}], [0])
    assert panels(records, seed=3) == panels(records, seed=3)


def test_a_questionnaire_yields_no_archetype_and_no_flag(tmp_path: Path) -> None:
    records = answered(tmp_path / "run", planted, [{}], range(10))
    found = classify(records, rank_values(choices(records), draws=100), load_catalogue())
    assert found.verdict.archetype == "undetermined"
    assert "questionnaires" in found.verdict.why
    assert found.flags == ()


def test_a_habit_that_is_no_point_is_refused() -> None:
    with pytest.raises(ValueError, match="'9'"):
        Acquiescent(role="Alpha", seed=0, variant="9")
