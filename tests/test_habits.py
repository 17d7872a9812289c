"""Habits: what choices follow beside values, each with its interval or with why it has none."""

import json

import numpy as np
import pytest

from benchmarks.validity.design import Plan, planted, simulated
from valuesim.choices import Choices, Evidence
from valuesim.cli.ranking import print_ranking
from valuesim.graph import rank_values, to_json
from valuesim.graph.coded import CodedChoices
from valuesim.graph.design import TERMS, compact
from valuesim.graph.habits import Habit, habits
from valuesim.graph.identification import identify
from valuesim.graph.logit import fit
from valuesim.option import Option

INSEPARABLE = "cannot be told apart from being shown first"
NO_OMISSION = "the options of no choice differ in it"


def found_in(choices: Choices | CodedChoices) -> dict[str, Habit]:
    design = compact(choices)
    return habits(design, fit(design), identify(design))


def drawn(plan: Plan, seed: int) -> CodedChoices:
    rng = np.random.default_rng(seed)
    return simulated(plan, planted(plan.values, rng, 0.6), rng)


def choice(
    cluster: int, position: int, *shown: tuple[str, bool], is_ordered: bool = True
) -> Evidence:
    """Return a choice between options that serve one value each, and let things be or not."""
    options = tuple(
        Option(name=f"{place}", text="", stakes={value: 1.0}, is_omission=is_omission)
        for place, (value, is_omission) in enumerate(shown)
    )
    return Evidence(
        cluster=f"{cluster:03}", options=options, position=position, is_ordered=is_ordered
    )


def gathered(evidence: list[Evidence]) -> Choices:
    return Choices(decisions=len(evidence), evidence=tuple(evidence))


def two_values(number: int = 60, *, turned: bool, is_ordered: bool = True) -> Choices:
    """Return choices between A and B, mostly of the first shown; A is shown first or by turns."""
    pairs = [(("A", False), ("B", False))[:: (-1) ** (turned * n)] for n in range(number)]
    return gathered(
        [choice(n, int(n % 5 == 0), *pair, is_ordered=is_ordered) for n, pair in enumerate(pairs)]
    )


# -- what the choices determine ----------------------------------------------------------------


def test_in_sets_of_two_the_whole_habit_is_that_of_being_shown_first() -> None:
    """A reader of the coefficient alone would find half of it."""
    found = found_in(drawn(Plan(scenes=2000, values=4, first=1.386), 1))
    first = found["first"]
    assert first.value == pytest.approx(1.386, abs=0.2)
    assert first.low is not None
    assert first.high is not None
    assert first.low < 1.386 < first.high
    assert (first.choices, first.reason) == (2000, None)
    assert found["position"] == Habit(term="position", choices=2000, reason=INSEPARABLE)
    assert found["omission"] == Habit(term="omission", choices=0, reason=NO_OMISSION)


def test_in_sets_of_three_place_is_told_apart_from_being_shown_first() -> None:
    found = found_in(drawn(Plan(scenes=1500, values=4, options=3, first=1.0), 2))
    for term, truth in (("first", 1.0), ("position", 0.0)):
        habit = found[term]
        assert habit.low is not None
        assert habit.high is not None
        assert habit.low < truth < habit.high
        assert habit.reason is None


def test_the_intervals_hold_the_planted_habits() -> None:
    plans = {
        Plan(scenes=100, values=3, first=1.386): {"first": 1.386},
        Plan(scenes=100, values=3, first=0.5, omission=-1.0): {"first": 0.5, "omission": -1.0},
        Plan(scenes=150, clusters=30, values=3, options=3, first=1.0, omission=0.7): {
            "first": 1.0,
            "position": 0.0,
            "omission": 0.7,
        },
    }
    held = []
    for plan, truths in plans.items():
        for seed in range(100):
            found = found_in(drawn(plan, seed))
            for term, truth in truths.items():
                low, high = found[term].low, found[term].high
                assert low is not None
                assert high is not None
                held.append(low <= truth <= high)
    assert 0.93 <= np.mean(held) <= 0.98


# -- what they do not --------------------------------------------------------------------------


def test_an_order_that_is_not_known_gives_no_habit_of_place() -> None:
    found = found_in(two_values(turned=True, is_ordered=False))
    for term in ("first", "position"):
        assert found[term] == Habit(term=term, choices=0, reason="the order shown is not known")


def test_a_value_that_is_always_shown_first_hides_the_habit() -> None:
    first = found_in(two_values(turned=False))["first"]
    assert first == Habit(
        term="first", choices=60, reason="cannot be told apart from what is at stake"
    )
    assert found_in(two_values(turned=True))["first"].value is not None


def test_letting_things_be_that_is_always_shown_first_cannot_be_told_from_it() -> None:
    pairs = ((("A", True), ("B", False)), (("B", True), ("A", False)))
    found = found_in(gathered([choice(n, int(n % 5 == 0), *pairs[n % 2]) for n in range(60)]))
    assert found["omission"] == Habit(term="omission", choices=60, reason=INSEPARABLE)
    assert found["first"].reason == f"cannot be told apart from {TERMS['omission']}"


def test_one_cluster_gives_a_habit_without_an_interval() -> None:
    evidence = [
        choice(0, int(n % 5 == 0), *(("A", False), ("B", False))[:: (-1) ** n]) for n in range(40)
    ]
    first = found_in(gathered(evidence))["first"]
    assert first.value is not None
    assert (first.se, first.low, first.high) == (None, None, None)
    assert first.reason == "met in fewer than two episodes"


def test_an_agent_that_always_takes_the_first_has_a_habit_that_only_the_prior_bounds() -> None:
    pairs = [(("A", False), ("B", False))[:: (-1) ** n] for n in range(40)]
    first = found_in(gathered([choice(n, 0, *pair) for n, pair in enumerate(pairs)]))["first"]
    assert first.value is not None
    assert first.low is not None
    assert first.value > 2
    assert first.reason == "never contradicted, so that only the prior bounds it"


# -- where they are told -----------------------------------------------------------------------


def test_the_json_holds_each_habit_with_its_interval_or_its_reason() -> None:
    ranking = rank_values(two_values(turned=True), draws=20)
    terms = json.loads(json.dumps(to_json({}, ranking)))["terms"]
    assert list(terms) == list(TERMS)
    for term in terms.values():
        assert set(term) == {"value", "se", "low", "high", "choices", "reason"}
        assert (term["value"] is None) == (term["reason"] is not None)
    assert terms["first"]["low"] < terms["first"]["value"] < terms["first"]["high"]


def test_a_ranking_in_words_has_a_line_on_habits(capsys: pytest.CaptureFixture[str]) -> None:
    ranking = rank_values(two_values(turned=True), draws=20)
    first = ranking.terms["first"]
    print_ranking("all", ranking)
    told = " ".join(capsys.readouterr().out.split())
    assert (
        f"being shown first {first.value:.2f} ({first.low:.2f} to {first.high:.2f}, n = 60)" in told
    )
    assert f"its place in the order shown undetermined, {INSEPARABLE}" in told
    assert "letting things" not in told
