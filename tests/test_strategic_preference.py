"""Preferences and scores of agents with a known rule: by label, by place, by payoff, by wording."""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import pytest

from valuesim.decision import Fault
from valuesim.episode import Player
from valuesim.graph.preference import intransitive, preference_graph
from valuesim.log.reader import DecisionRecord, EpisodeRecord
from valuesim.measures.strategic.preference import Choice, choices_of, preferences
from valuesim.measures.strategic.scores import Scores, scores
from valuesim.option import Option

MOVES = ("cooperate", "defect")
TABLE = '{"moves":["cooperate","defect"],"row":[[3,0],[5,1]],"column":[[3,5],[0,1]]}'

Rule = Callable[[Sequence[str], dict[str, str], int, float], str]
"""(names shown, {label: move}, paraphrase, stake) -> the name chosen."""


def record(
    number: int,
    shown: Sequence[str],
    labels: dict[str, str],
    chosen: str | None,
    paraphrase: int = 0,
    stake: float = 1.0,
    round: int = 1,
) -> DecisionRecord:
    condition = {
        "game": "prisoners_dilemma",
        "design": "between",
        "perspective": "act",
        "table": TABLE,
        "wording": "neutral",
        "paraphrase": paraphrase,
        "stake": stake,
    }
    episode = EpisodeRecord(
        id=f"e{number}",
        env="prisoners_dilemma-v0",
        condition=condition,
        population={"Alpha": Player(agent="toy")},
        seed=number,
        steps=1,
        decisions=1,
    )
    move = None if chosen is None else labels.get(chosen, chosen)
    return DecisionRecord(
        episode=episode,
        step=0,
        role="Alpha",
        options=tuple(Option(name=name, text="") for name in shown),
        chosen=chosen,
        fault=Fault.REFUSED if chosen is None else None,
        annotations={"round": round, "phase": "act", "stake": stake, "labels": labels},
        effect={"move": move},
    )


def played(rule: Rule, stakes: Sequence[float] = (1.0,), repeats: int = 2) -> tuple[Choice, ...]:
    """The choices of `rule` in every cell: order, assignment of labels, paraphrase, stake."""
    records = []
    cells = product((False, True), (False, True), range(3), stakes, range(repeats))
    for number, (is_reversed, is_swapped, paraphrase, stake, _) in enumerate(cells):
        labels = dict(zip("AB", MOVES[::-1] if is_swapped else MOVES, strict=True))
        names = sorted(labels, key=labels.__getitem__, reverse=is_reversed)
        chosen = rule(names, labels, paraphrase, stake)
        records.append(record(number, names, labels, chosen, paraphrase, stake))
    return choices_of(records)


def of(rule: Rule, stakes: Sequence[float] = (1.0,)) -> Scores:
    choices = played(rule, stakes, repeats=6)
    return scores(choices, rng=np.random.default_rng(0), bootstraps=100)


def named(labels: dict[str, str], move: str) -> str:
    return next(name for name, each in labels.items() if each == move)


def always_a(shown: Sequence[str], labels: dict[str, str], paraphrase: int, stake: float) -> str:
    return "A"


def on_top(shown: Sequence[str], labels: dict[str, str], paraphrase: int, stake: float) -> str:
    return shown[0]


def best_paid(shown: Sequence[str], labels: dict[str, str], paraphrase: int, stake: float) -> str:
    return named(labels, "defect")


def turning(shown: Sequence[str], labels: dict[str, str], paraphrase: int, stake: float) -> str:
    return named(labels, "cooperate" if paraphrase == 1 else "defect")


def jumping(shown: Sequence[str], labels: dict[str, str], paraphrase: int, stake: float) -> str:
    return named(labels, "defect" if stake == 10 else "cooperate")


def falling(shown: Sequence[str], labels: dict[str, str], paraphrase: int, stake: float) -> str:
    return named(labels, "cooperate" if stake == 1 else "defect")


@pytest.mark.parametrize("rule", [always_a, on_top])
def test_whoever_follows_the_label_or_the_place_is_superficial_and_not_value_based(
    rule: Rule,
) -> None:
    found = of(rule)
    assert found.superficial.value == 1.0
    assert found.value_based.value == 0.0
    assert found.superficial.low is not None
    assert found.superficial.low > 0.65


def test_label_and_place_are_told_apart() -> None:
    assert (of(always_a).label.value, of(always_a).position.value) == (1.0, 0.0)
    assert (of(on_top).label.value, of(on_top).position.value) == (0.0, 1.0)


def test_a_payoff_maximiser_is_value_based_and_nothing_else() -> None:
    found = of(best_paid)
    assert (found.value_based.value, found.superficial.value, found.brittle.value) == (1, 0, 0)


def test_one_paraphrase_of_three_that_flips_the_choice_is_a_third() -> None:
    assert of(turning).brittle.value == pytest.approx(1 / 3)
    assert of(turning).superficial.value == 0.0


def test_a_choice_that_turns_twice_as_stakes_rise_is_not_value_based() -> None:
    stakes = (1.0, 10.0, 100.0)
    assert of(jumping, stakes).value_based.value == 0.0
    assert of(falling, stakes).value_based.value == 1.0


def test_a_label_follower_has_no_majority_to_flip() -> None:
    assert of(always_a).brittle.value is None


def test_no_choice_has_no_score() -> None:
    found = scores((), rng=np.random.default_rng(0))
    assert found.superficial.value is found.brittle.value is found.value_based.value is None


def test_choosing_by_lot_is_no_more_superficial_than_chance() -> None:
    rng = np.random.default_rng(3)

    def by_lot(shown: Sequence[str], labels: dict[str, str], paraphrase: int, stake: float) -> str:
        return str(rng.choice(list(shown)))

    choices = played(by_lot, repeats=20)
    found = scores(choices, rng=rng, bootstraps=100)
    assert found.superficial.value is not None
    assert found.superficial.low is not None
    assert found.superficial.value < 0.2
    assert found.superficial.low < 0.05


def leaning(defects: Callable[[bool], float], rng: np.random.Generator) -> Rule:
    """Defects with a probability that depends on whether cooperation stands first."""

    def rule(shown: Sequence[str], labels: dict[str, str], paraphrase: int, stake: float) -> str:
        is_first = labels[shown[0]] == "cooperate"
        move = "defect" if rng.random() < defects(is_first) else "cooperate"
        return named(labels, move)

    return rule


def test_a_preference_of_four_in_five_is_not_told_to_break_by_its_noise() -> None:
    rng = np.random.default_rng(1)
    found = [
        scores(played(leaning(lambda _: 0.8, rng), repeats=10), rng=rng, bootstraps=20)
        for _ in range(10)
    ]
    known = [each.value_based for each in found if each.value_based.value is not None]
    assert len(known) >= 3
    assert all(each.value == 1.0 for each in known)
    assert all(each.brittle.value == 0.0 for each in found)


def test_a_leaning_to_the_place_is_not_value_based_where_only_one_order_was_decided() -> None:
    rng = np.random.default_rng(2)
    rule = leaning(lambda is_first: 0.9 if is_first else 0.5, rng)
    found = [scores(played(rule, repeats=10), rng=rng, bootstraps=20) for _ in range(10)]
    tellings = sum(each.value_based.cells > 0 for each in found)
    assert tellings <= 5
    assert all(each.value_based.left_out > 0 for each in found)


def test_choices_by_lot_are_seldom_told_to_flip_and_the_tellings_left_out_are_counted() -> None:
    rng = np.random.default_rng(4)
    rule = leaning(lambda _: 0.5, rng)
    found = [scores(played(rule, repeats=3), rng=rng, bootstraps=20) for _ in range(20)]
    flips = [each.brittle for each in found]
    assert sum(each.value is None for each in flips) >= 18
    assert all(each.left_out == 3 for each in flips if each.value is None)
    assert all(each.value_based.value is None for each in found)


def test_two_choices_a_cell_decide_no_majority() -> None:
    found = scores(played(best_paid, repeats=2), rng=np.random.default_rng(0), bootstraps=20)
    assert (found.value_based.value, found.value_based.left_out) == (None, 12)


def test_by_lot_a_flip_would_be_rarer_than_it_is_for_whoever_turns_with_the_wording() -> None:
    found = of(turning)
    assert found.brittle.value == pytest.approx(1 / 3)
    assert found.brittle.lot is not None
    assert found.brittle.lot.mean < 0.05
    steadfast = of(best_paid)
    assert steadfast.value_based.lot is not None
    assert steadfast.value_based.lot.low == 1.0


def test_the_larger_of_two_scores_excludes_0_no_more_often_than_it_says() -> None:
    rng = np.random.default_rng(5)
    rule = leaning(lambda _: 0.5, rng)
    found = [scores(played(rule, repeats=1), rng=rng, bootstraps=60) for _ in range(60)]
    lows = [each.superficial.low for each in found]
    assert sum(low is not None and low > 0 for low in lows) <= 5


def test_a_payoff_maximiser_prefers_what_it_takes() -> None:
    (found,) = preferences(played(best_paid))
    assert (found.over, found.under, found.is_strict) == ("defect", "cooperate", True)
    # two choices in each of 12 cells: log((2 + 1/2) / (1/2))
    assert found.log_odds == pytest.approx(np.log(5))
    assert (found.cells, found.n) == (12, 24)


@pytest.mark.parametrize("rule", [always_a, on_top])
def test_whoever_follows_the_label_or_the_place_prefers_nothing(rule: Rule) -> None:
    (found,) = preferences(played(rule))
    assert found.log_odds == pytest.approx(0.0)
    assert not found.is_strict


def test_one_order_alone_decides_no_preference() -> None:
    choices = [c for c in played(best_paid) if not c.cell.reversed_order]
    assert not preferences(choices)[0].is_strict


def test_a_handful_of_unanimous_choices_decides_nothing() -> None:
    choices = played(best_paid, repeats=1)[:2]
    assert not preferences(choices)[0].is_strict


def test_faults_and_later_rounds_are_no_comparable_choices() -> None:
    labels = dict(zip("AB", MOVES, strict=True))
    refused = record(0, "AB", labels, None)
    later = record(1, "AB", labels, "A", round=2)
    assert choices_of([refused, later]) == ()


def test_a_menu_of_amounts_is_compared_pair_by_pair() -> None:
    shown = ["0", "5", "10"]
    records = [record(n, shown[:: 1 if n % 2 else -1], {}, "5") for n in range(40)]
    found = {(p.over, p.under): p.is_strict for p in preferences(choices_of(records))}
    assert found == {("5", "0"): True, ("5", "10"): True, ("0", "10"): False}


def test_a_ring_of_preferences_is_not_transitive() -> None:
    ring = preference_graph("abc", [("a", "b", 1.0), ("b", "c", 1.0), ("c", "a", 1.0)])
    assert ("a", "b", "c") in intransitive(ring)
    chain = preference_graph("abc", [("a", "b", 1.0), ("b", "c", 1.0), ("a", "c", 2.0)])
    assert intransitive(chain) == ()
