"""Scores, counts and consistency against cases worked by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pytest
from scipy import stats

from valuesim.envs.questionnaire import instrument
from valuesim.measures.questionnaire import habits, preference
from valuesim.measures.questionnaire.answers import Answer
from valuesim.measures.questionnaire.scoring import mean_score, scores, scorings

ANSWER = Answer(
    administration="e",
    cluster="c",
    instrument="",
    vocabulary=None,
    form="items",
    item="",
    kind="agreement",
    template=0,
    named=(),
    labels={},
    scale=None,
    keyed=1,
    scores={},
    is_reversed=False,
    shown=("A", "B"),
    chosen=None,
)


def filled(name: str, given: Mapping[str, int | None], other: int | None = None) -> list[Answer]:
    """Return an administration of `name`: `given` scores by item, `other` for the rest."""
    own, found = instrument(name), []
    for item in own.items:
        scale = own.responses[item.response]
        score = given.get(item.id, other)
        found.append(
            replace(
                ANSWER,
                instrument=name,
                item=item.id,
                scale=item.scale,
                keyed=item.keyed,
                scores={point: scale.score(point, reversed=False) for point in scale.names},
                shown=scale.names,
                chosen=None if score is None else str(score),
            )
        )
    return found


def items_of(name: str, scale: str) -> list[str]:
    return [item.id for item in instrument(name).items if item.scale == scale]


def scored(name: str, given: Mapping[str, int | None], other: int | None = None) -> Any:
    return scores(filled(name, given, other), scorings()[name])


def test_beneficence_is_the_mean_of_five_and_harm_of_four() -> None:
    beneficence = dict(
        zip(
            items_of("oxford_utilitarianism", "Impartial Beneficence"), (7, 6, 5, 4, 1), strict=True
        )
    )
    harm = dict(
        zip(items_of("oxford_utilitarianism", "Instrumental Harm"), (1, 2, 2, 4), strict=True)
    )
    found = scored("oxford_utilitarianism", beneficence | harm)
    assert found.scales == {"Impartial Beneficence": 4.6, "Instrumental Harm": 2.25}
    assert found.answered == {"Impartial Beneficence": 5, "Instrumental Harm": 4}


def test_a_scale_with_an_unanswered_item_has_no_score_where_no_rule_says_how() -> None:
    found = scored("oxford_utilitarianism", {"marrow": None}, 4)
    assert found.scales == {"Impartial Beneficence": None, "Instrumental Harm": 4.0}
    assert found.refusal is None


def test_a_foundation_is_the_mean_of_its_six_answers_from_0_to_5() -> None:
    care = dict(zip(items_of("moral_foundations", "Care"), (5, 5, 4, 4, 3, 0), strict=True))
    found = scored("moral_foundations", care | {"left-handed": 0, "help-not-hurt": 5}, 2)
    assert found.scales["Care"] == 3.5
    assert found.scales["Purity"] == 2.0


def test_a_foundation_with_unanswered_items_is_the_mean_of_the_others() -> None:
    care = dict(zip(items_of("moral_foundations", "Care"), (5, None, 4, None, 3, 0), strict=True))
    found = scored("moral_foundations", care | {"left-handed": 0, "help-not-hurt": 5}, 2)
    assert (found.scales["Care"], found.answered["Care"]) == (3.0, 4)


def test_a_foundation_with_fewer_than_half_of_its_items_has_no_score() -> None:
    passed: dict[str, int | None] = {"left-handed": 0, "help-not-hurt": 5}
    items = items_of("moral_foundations", "Care")
    half = scored("moral_foundations", passed | dict.fromkeys(items[:3]), 2)
    fewer = scored("moral_foundations", passed | dict.fromkeys(items[:4]), 2)
    assert (half.scales["Care"], half.answered["Care"]) == (2.0, 3)
    assert (fewer.scales["Care"], fewer.answered["Care"]) == (None, 2)
    assert fewer.scales["Purity"] == 2.0


@pytest.mark.parametrize(
    ("irrelevant", "good", "refusal"),
    [
        (0, 5, None),
        (2, 3, None),
        (3, 5, "catch"),
        (0, 2, "catch"),
        (5, 0, "catch"),
        (None, None, "uncaught"),
        (0, None, "uncaught"),
        (None, 5, "uncaught"),
        (None, 0, "catch"),
    ],
)
def test_a_failed_catch_item_leaves_nothing_scored(
    irrelevant: int | None, good: int | None, refusal: str | None
) -> None:
    found = scored("moral_foundations", {"left-handed": irrelevant, "help-not-hurt": good}, 4)
    assert found.refusal == refusal
    assert set(found.scales.values()) == ({None} if refusal else {4.0})


def test_catch_items_are_in_no_score() -> None:
    one, other = (
        scored("moral_foundations", {"left-handed": 2, "help-not-hurt": 3}, 3),
        scored("moral_foundations", {"left-handed": 0, "help-not-hurt": 5}, 3),
    )
    assert one == other
    assert sum(one.answered.values()) == 30


def test_basic_values_are_centred_on_the_respondents_own_mean() -> None:
    # 21 answers: power 6 and 6, universalism 1, 1, 1, sixteen times 4: sum 79, MRAT 79/21
    given = dict.fromkeys(items_of("basic_values", "Power"), 6)
    given |= dict.fromkeys(items_of("basic_values", "Universalism"), 1)
    found = scored("basic_values", given, 4)
    assert found.scales["Power"] == pytest.approx(6 - 79 / 21)
    assert found.scales["Universalism"] == pytest.approx(1 - 79 / 21)
    assert found.scales["Security"] == pytest.approx(4 - 79 / 21)


def test_centring_weighs_items_not_values() -> None:
    given = {item.id: 1 + n % 6 for n, item in enumerate(instrument("basic_values").items)}
    found = scored("basic_values", given)
    weights = scorings()["basic_values"].scales
    assert sum(weights[name] * score for name, score in found.scales.items()) == pytest.approx(0)


def test_basic_values_need_sixteen_answers_and_not_more_than_sixteen_alike() -> None:
    items = [item.id for item in instrument("basic_values").items]
    varied: dict[str, int | None] = {item: 1 + n % 6 for n, item in enumerate(items)}
    assert scored("basic_values", varied | dict.fromkeys(items[:5])).refusal is None
    assert scored("basic_values", varied | dict.fromkeys(items[:6])).refusal == "missing"
    alike: dict[str, int | None] = dict.fromkeys(items, 6)
    assert scored("basic_values", alike | dict.fromkeys(items[:5], 2)).refusal is None
    assert scored("basic_values", alike | dict.fromkeys(items[:4], 2)).refusal == "alike"


def test_a_domain_of_risk_is_the_mean_of_its_six_answers() -> None:
    social = dict(zip(items_of("risk_taking", "Social"), (7, 7, 6, 6, 5, 5), strict=True))
    found = scored("risk_taking", social, 1)
    assert found.scales == {
        "Ethical": 1.0,
        "Financial": 1.0,
        "Health": 1.0,
        "Recreational": 1.0,
        "Social": 6.0,
    }


def test_a_reverse_keyed_answer_is_turned_round() -> None:
    answer = replace(ANSWER, scores={str(n): n for n in range(6)}, chosen="1", keyed=-1)
    assert answer.score == 4.0
    assert replace(answer, keyed=1).score == 1.0
    assert replace(answer, chosen=None).score is None


def test_published_means_lie_on_their_scales() -> None:
    found = {name: scoring for name, scoring in scorings().items() if scoring.references}
    assert set(found) == {"moral_foundations", "risk_taking"}
    for scoring in found.values():
        for reference in scoring.references:
            assert reference.source
            assert reference.population
            for point in reference.points:
                assert scoring.points[0] <= (point.value or 0) <= scoring.points[1]
    moderate = found["moral_foundations"].references[0].points
    # the form gives sums of six answers
    assert [round(6 * (p.value or 0), 1) for p in moderate] == [20.2, 20.5, 16.0, 16.5, 12.6]


def test_the_interval_of_a_score_is_students_within_the_scale() -> None:
    found = mean_score("x", [4.0, 5.0, 6.5], (1, 7), n=15)
    low, high = stats.t.interval(0.95, 2, loc=np.mean([4, 5, 6.5]), scale=stats.sem([4, 5, 6.5]))
    assert found.value == pytest.approx(31 / 6)
    assert found.low == pytest.approx(max(1, low))
    assert found.high == min(7, high) == 7


def test_one_administration_or_equal_ones_give_no_interval() -> None:
    for found in ([4.0], [4.0, 4.0]):
        estimate = mean_score("x", found, (1, 7), n=2)
        assert (estimate.value, estimate.low, estimate.high) == (4.0, None, None)
    assert mean_score("x", [], (1, 7), n=0).value is None


def chosen(value: str, named: Sequence[str], kind: str, number: int = 0) -> Answer:
    """Return the choice of `value` from `named`, labelled A, B, ... in that order."""
    labels = dict(zip("ABCD", named, strict=False))
    return replace(
        ANSWER,
        administration=str(number),
        cluster="+".join(sorted(named)),
        item="+".join(named),
        form="pairwise" if len(named) == 2 else "best_worst",
        kind=kind,
        named=tuple(named),
        labels=labels,
        shown=tuple(labels),
        chosen=next(label for label, own in labels.items() if own == value),
    )


def block(best: str, worst: str, named: str, number: int = 0) -> list[Answer]:
    return [chosen(best, named, "best", number), chosen(worst, named, "worst", number)]


def test_best_minus_worst_counts_each_block_once() -> None:
    answers = block("a", "d", "abcd") + block("a", "e", "abce") + block("b", "e", "bcde")
    found = {e.label: (e.value, e.n) for e in preference.best_minus_worst(answers)}
    assert found == {
        "a": (1.0, 2),
        "b": (pytest.approx(1 / 3), 3),
        "c": (0.0, 3),
        "d": (-0.5, 2),
        "e": (-1.0, 2),
    }


def test_a_block_half_answered_counts_for_nothing() -> None:
    answers = [*block("a", "d", "abcd"), chosen("b", "abce", "best")]
    found = {e.label: e.n for e in preference.best_minus_worst(answers)}
    assert found == {"a": 1, "b": 1, "c": 1, "d": 1, "e": 0}


def test_which_matters_less_prefers_the_other() -> None:
    assert preference.preferred(chosen("u", "uw", "forward")) == "u"
    assert preference.preferred(chosen("u", "uw", "reversed")) == "w"


def test_a_flip_is_another_preference_in_the_other_order() -> None:
    steady = [chosen("u", "uw", "forward"), chosen("u", "wu", "forward")]
    turned = [chosen("u", "ux", "forward"), chosen("x", "xu", "forward")]
    alone = [chosen("w", "wx", "forward")]
    found = preference.order_flips([*steady, *turned, *alone])
    assert (found.value, found.n) == (0.5, 2)


def test_a_flip_rate_compares_every_answer_with_every_other() -> None:
    # u in 2 of 3 named first, u in 1 of 2 named second: they differ in 3 of 6 comparisons
    answers = [chosen(v, "uw", "forward", n) for n, v in enumerate("uuw")]
    answers += [chosen(v, "wu", "forward", n) for n, v in enumerate("uw")]
    assert preference.order_flips(answers).value == pytest.approx(0.5)


def tournament(wins: Sequence[str]) -> list[Answer]:
    return [chosen(win[0], win, "forward") for win in wins]


def test_a_chain_has_no_cycle_and_a_ring_is_one() -> None:
    chain, _ = preference.cyclic_triads(tournament(["ab", "bc", "ac"]), seed=0)
    ring, _ = preference.cyclic_triads(tournament(["ab", "bc", "ca"]), seed=0)
    assert (chain.value, chain.n) == (0.0, 1)
    assert (ring.value, ring.n) == (1.0, 1)


def test_undecided_pairs_are_in_no_triad() -> None:
    answers = tournament(["ab", "bc", "ac", "ca"])
    found, by_chance = preference.cyclic_triads(answers, seed=0)
    assert found.value is None
    assert by_chance.value == 0.25


def test_cyclic_triads_agree_with_kendalls_formula() -> None:
    rng, names = np.random.default_rng(3), "abcdefghij"
    wins = [pair if rng.random() < 0.5 else pair[::-1] for pair in combinations(names, 2)]
    found, by_chance = preference.cyclic_triads(tournament(["".join(win) for win in wins]), seed=1)
    scored_by = [sum(win[0] == name for win in wins) for name in names]
    cyclic = comb(10, 3) - sum(comb(score, 2) for score in scored_by)
    assert found.value == pytest.approx(cyclic / comb(10, 3))
    assert found.n == comb(10, 3)
    assert by_chance.low is not None
    assert by_chance.high is not None
    assert by_chance.low < 0.25 < by_chance.high


def test_the_jackknifes_interval_of_cyclic_triads_is_wide_enough() -> None:
    rng, names = np.random.default_rng(0), "abcdefghijkl"
    covered, repeats = 0, 120
    for _ in range(repeats):
        wins = [pair if rng.random() < 0.5 else pair[::-1] for pair in combinations(names, 2)]
        found, _ = preference.cyclic_triads(tournament(["".join(win) for win in wins]), seed=1)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 0.25 <= found.high
    assert covered / repeats >= 0.92


def test_habits_are_counted_against_chance() -> None:
    answers = [chosen("u", "uw", "forward"), chosen("w", "wx", "forward")]
    answers.append(chosen("x", "ux", "forward"))
    found = {share.label: (share.value, chance.value) for share, chance in habits.shares(answers)}
    assert found == {
        "option shown first": (pytest.approx(2 / 3), 0.5),
        "label A": (pytest.approx(2 / 3), 0.5),
        "value named first": (pytest.approx(2 / 3), 0.5),
    }


def test_chance_knows_how_many_options_there_were() -> None:
    answers = [
        chosen("a", "abcd", "best"),
        replace(chosen("c", "bcd", "worst"), shown=("B", "A", "C")),
    ]
    (first, *_) = habits.shares(answers)
    assert first[1].value == pytest.approx((1 / 4 + 1 / 3) / 2)


@pytest.mark.parametrize(("point", "share"), [("0", 1.0), ("2", 0.5), ("4", 0.0)])
def test_the_middle_of_a_scale_counts_one_half(point: str, share: float) -> None:
    points = {str(n): n for n in range(5)}
    answer = replace(ANSWER, scores=points, shown=tuple(points), chosen=point, scale="x")
    ((found, chance),) = habits.shares([answer])
    assert (found.value, chance.value) == (share, 0.5)


def test_turning_the_numbers_moves_whoever_follows_them() -> None:
    plain = replace(ANSWER, scores={str(n): n for n in range(1, 8)}, scale="x", chosen="7")
    turned = replace(
        plain, scores={str(n): 8 - n for n in range(1, 8)}, is_reversed=True, administration="f"
    )
    effect = habits.direction_effect([plain, turned])
    assert effect is not None
    assert (effect.value, effect.low) == (-6.0, None)
    assert habits.direction_effect([plain]) is None
