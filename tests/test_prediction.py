"""The predictive check: planted values that make agents risk more are found, and nothing else."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from valuesim.archetypes import between
from valuesim.archetypes.auc import weighted_auc
from valuesim.archetypes.between import _holm, _slopes
from valuesim.archetypes.prediction import Prediction, predict
from valuesim.archetypes.risk import HoldOut
from valuesim.archetypes.schema import prediction_to_json
from valuesim.cli import main
from valuesim.decision import Fault
from valuesim.episode import Player
from valuesim.errors import InputError
from valuesim.graph.grouping import Group, grouped
from valuesim.log.reader import DecisionRecord, EpisodeRecord
from valuesim.option import Option

VALUES = ("Care", "Justice", "Learning", "Power", "Respect", "Wisdom")
Weights = Mapping[str, float]


def episode(
    agent: str, number: int, env: str, decisions: int, **condition: object
) -> EpisodeRecord:
    return EpisodeRecord(
        id=f"{agent}-{env}-{number}",
        env=env,
        condition=condition,
        population={"a": Player(agent=agent)},
        seed=number,
        steps=decisions,
        decisions=decisions,
    )


def chosen(rng: np.random.Generator, options: Sequence[Option], weights: Weights) -> str:
    utility = [sum(weights.get(v, 0.0) * s for v, s in o.stakes.items()) for o in options]
    odds = np.exp(utility)
    return options[int(rng.choice(len(odds), p=odds / odds.sum()))].name


def asked(
    rng: np.random.Generator, of: EpisodeRecord, step: int, options: Sequence[Option], w: Weights
) -> DecisionRecord:
    shown = tuple(options[place] for place in rng.permutation(len(options)))
    return DecisionRecord(
        episode=of, step=step, role="a", options=shown, chosen=chosen(rng, shown, w)
    )


def played(agent: str, weights: Weights, seed: int, *, episodes: int = 15) -> list[DecisionRecord]:
    """Contests of two values in one environment; power against wisdom, at a risk, in another."""
    rng = np.random.default_rng(seed)
    records = []
    for number in range(episodes):
        of = episode(agent, number, "contests-v0", 12)
        for step in range(12):
            first, second = rng.choice(VALUES, 2, replace=False)
            options = [
                Option(name="x", text="", stakes={str(first): 1.0}),
                Option(name="y", text="", stakes={str(second): 1.0}),
            ]
            records.append(asked(rng, of, step, options, weights))
        of = episode(agent, number, "risks-v0", 4)
        for step in range(4):
            risk = Option(
                name="x",
                text="",
                stakes={"Power": float(rng.choice([0.5, 1.0]))},
                tags=frozenset({"risk"}),
            )
            records.append(
                asked(rng, of, step, [risk, Option(name="y", text="", stakes={})], weights)
            )
    return records


def population(
    rng: np.random.Generator, agents: int, power: float, others: float = 1.0
) -> dict[Group, list[DecisionRecord]]:
    records: list[DecisionRecord] = []
    for number in range(agents):
        weights = {value: others * float(rng.normal()) for value in VALUES}
        weights["Power"] = power * float(rng.normal()) - 0.5 * (power > 0)
        records += played(f"agent{number:02}", weights, int(rng.integers(2**31)))
    return grouped(records, ("agent",))


def checked(groups: Mapping[Group, Sequence[DecisionRecord]], text: str) -> Prediction:
    found = predict(groups, HoldOut.read(text), seed=1)
    json.dumps(prediction_to_json(found), allow_nan=False)
    return found


@pytest.fixture(scope="module")
def planted() -> Prediction:
    return checked(population(np.random.default_rng(1), 16, 1.5), "env=risks")


# -- between agents ------------------------------------------------------------------------------


def test_the_value_that_raises_risk_is_found_and_no_other(planted: Prediction) -> None:
    assert planted.agents == 16
    first, *others = planted.values
    assert first.value == "Power"
    assert first.p_corrected < 0.05
    assert 1.0 < first.low < first.ratio < first.high
    assert all(other.p_corrected > 0.05 for other in others)


def test_agents_predicted_to_risk_more_did(planted: Prediction) -> None:
    assert planted.concordance is not None
    assert planted.concordance.low > 0.5
    assert planted.concordance.p < 0.01


def test_values_without_effect_are_found_at_no_more_than_the_error_rate() -> None:
    rng = np.random.default_rng(2)
    found, missed = 0, 0
    for _ in range(12):
        values = checked(population(rng, 10, 0.0), "env=risks").values
        found += any(value.p_corrected < 0.05 for value in values)
        missed += sum(not value.low <= 1.0 <= value.high for value in values)
    assert found <= stats.binom.ppf(0.999, 12, 0.05)
    assert missed <= stats.binom.ppf(0.999, 72, 0.05)


def test_the_interval_of_a_ratio_covers_it_where_two_agents_have_most_of_the_decisions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(between, "PERMUTATIONS", 1)
    rng = np.random.default_rng(10)
    offered = np.array([400] * 2 + [30] * 10)
    covered, repeats, values = 0, 100, 3
    for _ in range(repeats):
        odds = np.exp(0.7 * rng.standard_normal(12) - 1.7)
        alike = between.Population(
            values=VALUES[:values],
            strengths=rng.standard_normal((12, 1, values)),
            risky=rng.binomial(offered, odds / (1 + odds))[:, None, None].astype(float),
            offered=offered[:, None, None].astype(float),
            predicted=np.zeros((12, 1)),
        )
        covered += sum(v.low <= 1.0 <= v.high for v in between.value_risks(alike, rng))
    assert covered >= 0.91 * repeats * values


def test_fewer_than_eight_agents_are_not_compared() -> None:
    found = checked(population(np.random.default_rng(3), 7, 1.5), "env=risks")
    assert found.values == ()
    assert found.why == ("7 agents can be compared; values are set against risk between at least 8")


def test_the_slope_is_that_of_a_poisson_regression() -> None:
    from scipy.optimize import minimize

    rng = np.random.default_rng(4)
    x, offered = rng.normal(size=12), rng.integers(5, 40, 12).astype(float)
    risky = rng.binomial(offered.astype(int), 0.2 * np.exp(0.4 * x).clip(max=4)).astype(float)

    def loss(theta: np.ndarray) -> float:
        rate = theta[0] + theta[1] * x
        return float((offered * np.exp(rate) - risky * rate).sum())

    best = minimize(loss, [0.0, 0.0], tol=1e-12).x[1]
    slope = _slopes(x[:, None, None], risky[:, None], offered[:, None])
    assert slope[0] == pytest.approx(best, abs=1e-5)


def test_holm_raises_the_smallest_p_value_most() -> None:
    assert _holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


# -- decisions -----------------------------------------------------------------------------------


def test_strengths_fitted_elsewhere_predict_who_risks_what(planted: Prediction) -> None:
    assert planted.parts == ("risks",)
    assert planted.overall.auc is not None
    assert planted.overall.n == 16 * 60


@pytest.mark.parametrize("key", ["scene", "env=risks"])
def test_content_blind_agents_are_predicted_no_better_than_by_chance(key: str) -> None:
    covered, repeats = 0, 20
    for seed in range(repeats):
        groups = grouped(played("blind", {}, seed, episodes=25), ("agent",))
        (forecast,) = checked(groups, key).groups.values()
        assert forecast.auc is not None
        assert forecast.gain is not None
        covered += forecast.auc.low <= 0.5 <= forecast.auc.high
    assert covered >= stats.binom.ppf(0.001, repeats, 0.95)


def test_an_agent_that_weighs_stakes_is_predicted_better_than_blind() -> None:
    rng = np.random.default_rng(5)
    records = []
    for number in range(40):
        of = episode("weighing", number, "risks-v0", 6)
        for step in range(6):
            first, second = rng.choice(VALUES, 2, replace=False)
            options = [
                Option(name="x", text="", stakes={str(first): 1.0}, tags=frozenset({"risk"})),
                Option(name="y", text="", stakes={str(second): 1.0}),
            ]
            weights = {"Power": 3.0, "Care": 1.0, "Wisdom": -2.0}
            records.append(asked(rng, of, step, options, weights))
    (forecast,) = checked(grouped(records, ("agent",)), "scene").groups.values()
    assert forecast.answer == "better than content-blind"
    assert forecast.auc is not None
    assert forecast.auc.low > 0.6


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    rng = np.random.default_rng(6)
    scores, hits = rng.integers(0, 5, 40).astype(float), rng.random(40) < 0.4
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[hits] for b in scores[~hits]]
    wins, count = weighted_auc(scores, hits, np.ones((1, 40)))
    assert count[0] == len(pairs)
    assert wins[0] == pytest.approx(sum(pairs))


def test_weights_count_decisions_as_often_as_they_are_drawn() -> None:
    scores, hits = np.array([0.1, 0.9, 0.4]), np.array([False, True, True])
    twice = weighted_auc(scores, hits, np.array([[1.0, 2.0, 1.0]]))
    repeated = weighted_auc(np.append(scores, 0.9), np.append(hits, True), np.ones((1, 4)))
    assert twice == pytest.approx(repeated)


# -- undetermined, and why -----------------------------------------------------------------------


def test_nothing_risky_in_what_is_held_out_is_undetermined() -> None:
    found = checked(grouped(played("a", {}, 1), ("agent",)), "env=contests")
    assert found.overall.answer == "undetermined"
    assert found.overall.why == "no held-out decision offers a risky option and another"


def test_faults_are_counted_and_too_many_are_undetermined() -> None:
    records = played("a", {}, 1, episodes=30)
    faulty = [
        DecisionRecord(
            episode=r.episode,
            step=r.step,
            role="a",
            options=r.options,
            chosen=None,
            fault=Fault.REFUSED,
        )
        if r.episode.env == "risks-v0" and r.episode.seed % 4 == 0
        else r
        for r in records
    ]
    forecast = checked(grouped(faulty, ("agent",)), "env=risks").overall
    assert forecast.answer == "undetermined"
    assert "27% of 120 held-out decisions were faults (refused 32)" in forecast.why
    assert forecast.fault_rate == pytest.approx(32 / 120)


def test_few_risky_choices_are_undetermined() -> None:
    forecast = checked(grouped(played("a", {"Power": -9.0}, 1), ("agent",)), "env=risks").overall
    assert forecast.answer == "undetermined"
    assert "it takes 10" in forecast.why


def test_nothing_left_to_learn_from_is_undetermined() -> None:
    records = [r for r in played("a", {}, 1) if r.episode.env == "risks-v0"]
    forecast = checked(grouped(records, ("agent",)), "env=risks").overall
    assert forecast.answer == "undetermined"
    assert "outside what is held out" in forecast.why


def test_what_it_says_others_would_do_is_not_its_own_choice() -> None:
    records = played("a", {}, 1, episodes=30)
    said = [
        DecisionRecord(
            episode=episode("a", 100 + r.episode.seed, "risks-v0", 4, perspective="predict"),
            step=r.step,
            role="a",
            options=r.options,
            chosen=r.chosen,
        )
        for r in records
        if r.episode.env == "risks-v0"
    ]
    alone = checked(grouped(records, ("agent",)), "env=risks")
    both = checked(grouped([*records, *said], ("agent",)), "env=risks")
    assert both.overall == alone.overall


def test_answers_to_a_questionnaire_are_not_pooled_with_behaviour() -> None:
    records = played("a", {}, 1, episodes=30)
    answers = [
        replace(r, episode=episode("a", r.episode.seed, "questionnaire-v0", 12))
        for r in played("a", {"Power": 5.0}, 2, episodes=30)
        if r.episode.env == "contests-v0"
    ]
    alone = checked(grouped(records, ("agent",)), "env=risks").overall
    assert checked(grouped([*records, *answers], ("agent",)), "env=risks").overall == alone
    risks = [r for r in records if r.episode.env == "risks-v0"]
    stated = checked(grouped([*risks, *answers], ("agent",)), "env=risks").overall
    assert stated.auc is not None


# -- what is held out ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "write KEY or KEY=LEVEL"),
        ("env=", "write KEY or KEY=LEVEL"),
        ("scene=1", "halved by the seed"),
        ("colour", "unknown key to hold out 'colour'"),
        ("env=risk", "unknown level of env 'risk'"),
    ],
)
def test_a_key_or_level_that_there_is_not_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        predict(grouped(played("a", {}, 1, episodes=3), ("agent",)), HoldOut.read(text))


def test_a_family_is_held_out_with_all_its_environments() -> None:
    records = [
        replace(r, episode=replace(r.episode, env="dilemmas-v0"))
        if r.episode.env == "risks-v0"
        else r
        for r in played("a", {}, 1, episodes=30)
    ]
    found = checked(grouped(records, ("agent",)), "family=dilemmas")
    assert found.parts == ("dilemmas",)
    assert found.overall.n == 120


def test_the_same_seed_gives_the_same_figures() -> None:
    groups = population(np.random.default_rng(7), 8, 1.0)
    assert prediction_to_json(checked(groups, "env=risks")) == prediction_to_json(
        checked(groups, "env=risks")
    )


def test_every_agent_has_the_same_scenes_held_out() -> None:
    groups = population(np.random.default_rng(8), 8, 1.0)
    assert checked(groups, "scene").parts == ("half 1", "half 2")


def test_the_command_predicts_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = [
        *("run", "env=ai_risk", "agents=[valued:climber,first:0.7]", "env.scenes=24"),
        *("episodes=3", f"run.name={tmp_path / 'risks'}"),
    ]
    assert main(run) == 0
    capsys.readouterr()
    assert main(["predict", str(tmp_path), "--hold-out", "scene", "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["schema"] == 1
    assert {each["group"]["agent"] for each in told["groups"]} == {"valued:climber", "first:0.7"}
    assert main(["predict", str(tmp_path), "--hold-out", "topic"]) == 0
    assert "held-out choices" in capsys.readouterr().out
