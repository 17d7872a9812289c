"""How many episodes a difference of two rates needs, and what is known of them beforehand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from benchmarks import planning
from benchmarks.validity.power import Truth, is_found
from valuesim.engine.plan import episode_seeds
from valuesim.errors import InputError
from valuesim.measures.paired import paired_difference
from valuesim.power import formula, pilot
from valuesim.power.achieved import achieved
from valuesim.power.grounds import Given, from_pilot
from valuesim.power.rates import Figure, Grounds, plan_rate
from valuesim.power.sampling import Assumed, Drawn, Studies
from valuesim.power.search import Aim, needed
from valuesim.power.spending import PerEpisode, Spending, hours, in_all

ALIKE = Assumed(first=0.2, second=0.45, opportunities=((8, 8), (3, 5)), likeness=0.3)


def counts(drawn: Drawn, row: int) -> tuple[dict[str, tuple[int, int]], ...]:
    """One study of many, as (done, possible) by unit, for each arm."""
    done_1, possible_1, done_2, possible_2 = (each[row].astype(int) for each in drawn.arrays)
    units = range(len(done_1))
    return (
        {f"{unit}": (int(done_1[unit]), int(possible_1[unit])) for unit in units},
        {f"{unit}": (int(done_2[unit]), int(possible_2[unit])) for unit in units},
    )


# -- studies that never took place ---------------------------------------------------------------


@pytest.mark.parametrize("likeness", [0.0, 0.2, 0.7, 1.0])
def test_drawn_counts_have_the_rates_and_the_likeness_that_were_assumed(likeness: float) -> None:
    assumed = replace(ALIKE, opportunities=((2, 2),), likeness=likeness)
    drawn = Studies(assumed, repeats=400, seed=1).of(200)
    assert drawn.done_first.mean() / 2 == pytest.approx(0.2, abs=0.006)
    assert drawn.done_second.mean() / 2 == pytest.approx(0.45, abs=0.006)
    # of two opportunities both are taken with probability p^2 + rho p q
    both = (drawn.done_second == 2).mean()
    assert both == pytest.approx(0.45**2 + likeness * 0.45 * 0.55, abs=0.008)


def test_pairing_makes_the_arms_of_one_seed_alike_and_nothing_else() -> None:
    assumed = replace(ALIKE, likeness=1.0, pairing=0.8, opportunities=((1, 1),))
    drawn = Studies(assumed, repeats=200, seed=1).of(300)
    # where propensities are 0 or 1, the pairing is the tetrachoric correlation
    z = stats.norm.ppf([0.2, 0.45])
    both = stats.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]]).cdf(z)
    assert (drawn.done_first * drawn.done_second).mean() == pytest.approx(both, abs=0.006)
    apart = Studies(replace(assumed, is_paired=False), repeats=200, seed=1).of(300)
    assert (apart.done_first * apart.done_second).mean() == pytest.approx(0.09, abs=0.006)


def test_a_larger_study_holds_the_smaller_one() -> None:
    grown, small = Studies(ALIKE, repeats=50, seed=3), Studies(ALIKE, repeats=50, seed=3).of(70)
    grown.of(10)
    for one, other in zip(grown.of(500).arrays, small.arrays, strict=True):
        assert np.array_equal(one[:, :70], other)


@pytest.mark.parametrize(
    "wrong",
    [{"first": 1.2}, {"likeness": -0.1}, {"pairing": 2.0}, {"opportunities": ((0, 4), (0, 2))}],
)
def test_what_cannot_be_drawn_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        replace(ALIKE, **wrong)


def test_the_power_is_the_share_of_studies_that_compare_would_call_apart() -> None:
    studies = Studies(ALIKE, repeats=60, seed=2)
    found = achieved(studies, 30, level=0.95, width=0.25)
    ones, widths = [], []
    for row in range(60):
        difference = paired_difference(*counts(studies.of(30), row))
        assert difference.low is not None
        assert difference.high is not None
        ones.append(difference.low > 0 or difference.high < 0)
        widths.append(difference.high - difference.low)
    assert found.power == np.mean(ones)
    assert found.width == pytest.approx(np.mean(widths))
    assert found.error == pytest.approx((found.power * (1 - found.power) / 60) ** 0.5)


def test_a_study_without_an_interval_shows_nothing() -> None:
    # one in fifty episodes offers anything, so that studies of two have no interval
    rare = replace(ALIKE, opportunities=((1, 1), *((0, 0),) * 49))
    assert achieved(Studies(rare, repeats=100, seed=0), 2, level=0.95).power == 0.0


# -- the formula ---------------------------------------------------------------------------------


def test_the_formula_is_the_textbook_one_where_decisions_are_independent() -> None:
    alone = Assumed(first=0.4, second=0.6, opportunities=((1, 1),), likeness=0.0)
    # Fleiss, Statistical Methods for Rates and Proportions: (1.96 + 0.8416)^2 (.24 + .24) / .04
    assert formula.variance(alone) == pytest.approx(0.48)
    assert formula.units_for(alone, power=0.8, level=0.95) == 95
    assert formula.power_at(alone, 95, level=0.95) == pytest.approx(0.8, abs=0.005)


def test_the_formula_gives_the_variance_that_drawn_studies_have() -> None:
    assumed = replace(ALIKE, pairing=0.6)
    drawn = Studies(assumed, repeats=3000, seed=4).of(200)
    rates = [drawn.arrays[at].sum(axis=1) / drawn.arrays[at + 1].sum(axis=1) for at in (0, 2)]
    # the normal copula's propensities correlate a little less than the normals behind them
    assert 200 * np.var(rates[1] - rates[0]) == pytest.approx(formula.variance(assumed), rel=0.08)


# -- the search ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("truth", "target"),
    [
        (Truth(first=0.1, second=0.3, opportunities=((10, 10), (3, 5)), likeness=0.1), 0.8),
        (Truth(first=0.2, second=0.5, opportunities=((8, 8),), likeness=0.6), 0.9),
        (Truth(first=0.02, second=0.12, opportunities=((20, 20), (44, 30)), likeness=0.0), 0.8),
    ],
    ids=["often", "alike", "rare"],
)
def test_studies_of_the_planned_size_have_the_power_planned_for(
    truth: Truth, target: float
) -> None:
    assumed = Assumed(
        first=truth.first,
        second=truth.second,
        opportunities=tuple(truth.opportunities),
        likeness=truth.likeness,
    )
    found = needed(assumed, Aim(power=target), seed=1)
    assert found.units is not None
    # their own generator and stream, and the real test (see benchmarks/validity/power.py)
    rng = np.random.default_rng(99)
    share = np.mean([is_found(truth, found.units, rng) for _ in range(500)])
    # 500 studies tell it to 1.8 points
    assert share == pytest.approx(target, abs=0.05 + 0.02)


def test_pairing_lets_fewer_seeds_do_and_the_same_seed_of_the_search_gives_the_same() -> None:
    paired = replace(ALIKE, pairing=0.9, first=0.4, likeness=0.8, second=0.5)
    few, many = (needed(each, Aim(), seed=0, repeats=800) for each in (paired, ALIKE))
    apart = needed(replace(paired, is_paired=False), Aim(), seed=0, repeats=800)
    assert few.units is not None
    assert apart.units is not None
    assert few.units < 0.5 * apart.units
    assert needed(ALIKE, Aim(), seed=0, repeats=800) == many


def test_the_size_named_is_the_first_that_is_enough() -> None:
    found = needed(ALIKE, Aim(power=0.9), seed=5)
    assert found.units is not None
    assert found.found is not None
    assert found.fewer is not None
    assert found.found.power >= 0.9
    assert found.fewer.power < found.found.power
    assert [each.units for each in found.table] == sorted({each.units for each in found.table})
    assert found.guess == pytest.approx(found.units, rel=0.35)


def test_where_one_episode_more_is_a_leap_that_is_said() -> None:
    rough = Assumed(first=0.1, second=0.5, opportunities=((20, 20),), likeness=0.05)
    found = needed(rough, Aim(), seed=0)
    assert found.jump is not None
    assert found.found is not None
    assert found.fewer is not None
    assert found.jump == found.found.power - found.fewer.power
    assert found.jump > 0.05
    assert needed(ALIKE, Aim(), seed=0).jump is None


def test_a_width_is_kept_in_the_share_of_studies_asked_for() -> None:
    found = needed(ALIKE, Aim(power=0.9, width=0.2), seed=0)
    assert found.found is not None
    assert found.found.narrow is not None
    assert found.found.narrow >= 0.9
    assert found.found.rate_width is not None
    assert found.found.rate_width < 0.2


def test_what_no_study_finds_has_no_size() -> None:
    tiny = Assumed(first=0.5, second=0.502, opportunities=((1, 1),), likeness=1.0)
    found = needed(tiny, Aim(), seed=0)
    assert found.units is None
    assert found.found is None
    assert found.guess is not None
    assert found.guess > 100_000


# -- the plan of one rate ------------------------------------------------------------------------


def known(value: float, low: float | None = None, high: float | None = None) -> Figure:
    ends = (value if low is None else low, value if high is None else high)
    return Figure(value=value, low=ends[0], high=ends[1], source="given")


GROUNDS = Grounds(
    opportunities=[(20, 20)],
    offering=1.0,
    source="random",
    likeness=known(0.2, 0.0, 1.0),
    pairing=known(0.0),
)


def test_without_a_rate_the_worst_is_planned_for_and_the_range_spans_what_is_assumed() -> None:
    plan = plan_rate(GROUNDS, effect=0.2, width=0.3, aim=Aim(), seed=0, repeats=500)
    assert (plan.first, plan.second) == (pytest.approx(0.4), pytest.approx(0.6))
    assert plan.paired is not None
    assert plan.narrow is not None
    assert plan.paired.units is not None
    assert plan.narrow.units is not None
    assert plan.units == max(plan.paired.units, plan.narrow.units)
    assert plan.unpaired == plan.paired
    assert plan.low is not None
    assert plan.high is not None
    # likeness 0 leaves 1/20 of a chance's variance, likeness 1 all of it, 0.2 has 0.24
    assert plan.units / plan.low == pytest.approx(0.24 / 0.05, rel=0.2)
    assert plan.high / plan.units == pytest.approx(1 / 0.24, rel=0.05)


def test_the_range_spans_what_is_assumed_of_pairing() -> None:
    paired = replace(GROUNDS, likeness=known(0.2), pairing=known(0.5, -0.2, 0.9))
    plan = plan_rate(paired, effect=0.2, width=None, aim=Aim(), seed=0, repeats=500)
    assert plan.units is not None
    assert plan.low is not None
    assert plan.high is not None
    # the arms' chances have 0.24 of a chance's variance each; 0.2 of it goes with the seed
    here = 0.24 - 0.5 * 0.2
    assert plan.low / plan.units == pytest.approx((0.24 - 0.9 * 0.2) / here, rel=0.1)
    assert plan.high / plan.units == pytest.approx((0.24 + 0.2 * 0.2) / here, rel=0.1)
    # one rate has no other arm
    alone = plan_rate(paired, effect=None, width=0.3, aim=Aim(), seed=0, repeats=500)
    assert alone.low == alone.high == alone.units


def test_a_known_rate_is_the_first_arms_and_the_difference_lies_where_there_is_room() -> None:
    high = replace(GROUNDS, rate=known(0.95))
    plan = plan_rate(high, effect=0.1, width=None, aim=Aim(), seed=0, repeats=200)
    assert (plan.first, plan.second) == (0.95, pytest.approx(0.85))
    with pytest.raises(InputError, match="cannot differ by"):
        plan_rate(replace(GROUNDS, rate=known(0.5)), effect=0.7, width=None, aim=Aim(), seed=0)


def test_a_rate_that_hardly_an_episode_offers_is_not_planned() -> None:
    plan = plan_rate(replace(GROUNDS, offering=0.02), effect=0.2, width=None, aim=Aim(), seed=0)
    assert plan.units is None
    assert plan.why == "an opportunity in 2 % of episodes only: no number of them is planned"


# -- pilots --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("likeness", "joint"), [(0.05, 0.5), (0.3, 0.7), (0.7, 0.0)])
def test_a_pilot_gives_back_what_was_planted(likeness: float, joint: float) -> None:
    assumed = Assumed(
        first=0.3,
        second=0.4,
        opportunities=((20, 18), (5, 9), (10, 0)),
        likeness=likeness,
        pairing=joint,
    )
    drawn = Studies(assumed, repeats=40, seed=6).of(80)
    found = []
    for row in range(40):
        first, second = counts(drawn, row)
        alike, pairing = pilot.likeness(first, seed=0), pilot.pairing(first, second, seed=0)
        assert alike is not None
        assert alike.low is not None
        assert alike.high is not None
        assert alike.low <= alike.value <= alike.high
        found.append((alike.value, 0.0 if pairing is None else pairing.value))
    means = np.mean(found, axis=0)
    assert means[0] == pytest.approx(likeness, abs=0.03)
    assert means[1] == pytest.approx(joint, abs=0.12)


def test_likeness_by_hand() -> None:
    # four units of two: rate 1/2, residuals 1, -1, 0, 0: spread 2 * 4/3; alone 1/4 * 8, together 2
    pairs = {"a": (2, 2), "b": (0, 2), "c": (1, 2), "d": (1, 2)}
    found = pilot.likeness(pairs, seed=0)
    assert found is not None
    assert found.value == pytest.approx((8 / 3 - 2) / 2)
    assert found.is_thin


def test_a_rough_pilot_asks_for_more_and_a_large_one_hardly() -> None:
    drawn = Studies(ALIKE, repeats=8, seed=2)
    means = []
    for units in (12, 60, 600):
        arms = [counts(drawn.of(units), row) for row in range(8)]
        more = [pilot.allowance(*each, power=0.8, level=0.95, seed=0) for each in arms]
        assert min(more) >= 1.0
        means.append(np.mean(more))
    assert means[0] > means[1] > means[2]
    assert means[0] > 1.08
    assert means[2] < 1.01
    (one, two) = counts(drawn.of(1), 0)
    assert pilot.allowance(one, two, power=0.8, level=0.95, seed=0) == 1.0


def test_a_pilot_that_tells_nothing_says_nothing() -> None:
    assert pilot.likeness({"a": (0, 4), "b": (0, 3)}, seed=0) is None
    assert pilot.likeness({"a": (1, 1), "b": (0, 1)}, seed=0) is None
    assert pilot.rate({}, seed=0) is None
    alone = pilot.rate({"a": (1, 4)}, seed=0)
    assert alone is not None
    assert (alone.value, alone.low, alone.high) == (0.25, None, None)
    assert pilot.pairing({"a": (1, 2)}, {"b": (1, 2)}, seed=0) is None


# -- what it costs -------------------------------------------------------------------------------


def test_spending_is_the_sum_over_cells_and_the_slowest_limit_sets_the_hours() -> None:
    one = PerEpisode(role="a", calls=50, prompt_tokens=10_000, completion_tokens=500)
    two = replace(one, calls=10, cached_tokens=4_000)
    spent = in_all([(10, one), (4, two)])
    assert (spent.calls, spent.prompt_tokens, spent.completion_tokens) == (540, 140_000, 7_000)
    assert spent.cached_tokens is None
    assert in_all([(4, two)]).cached_tokens == 16_000
    assert in_all([]) == Spending()
    assert hours(spent) is None
    assert hours(spent, calls_per_second=0.5) == pytest.approx(540 / 0.5 / 3600)
    assert hours(spent, calls_per_second=100, tokens_per_second=2) == pytest.approx(7000 / 2 / 3600)
    assert hours(spent, seconds_per_call=3.0, at_once=4) == pytest.approx(540 * 3 / 4 / 3600)


# -- end to end ----------------------------------------------------------------------------------


def test_a_plan_from_real_episodes_has_its_power_in_real_episodes() -> None:
    """Agents with a planted propensity play survival; benchmarks/planning.py has the heavy form."""
    arms = planning.Arms(first=0.3, second=0.6, size=6.0, shared=0.7)
    first, second = planning.tapped(arms, episode_seeds(3, 110))
    grounds, notes = from_pilot([first, second], Given(), Aim(), seed=0)
    # a pilot of a hundred seeds leaves little open
    assert 1.0 <= grounds.allowance < 1.06
    assert all("times as many" in note for note in notes)
    assert grounds.rate is not None
    effect = sum(done for done, _ in second.values()) / sum(n for _, n in second.values())
    effect -= grounds.rate.value
    plan = plan_rate(grounds, effect=effect, width=None, aim=Aim(), seed=0, repeats=1500)
    assert plan.units is not None
    rng = np.random.default_rng(8)
    found = [planning.is_found(first, second, list(first), plan.units, rng) for _ in range(400)]
    # 400 studies tell it to 2 points; they are drawn from the episodes that the plan rests on
    assert np.mean(found) == pytest.approx(0.8, abs=0.05 + 0.03)
