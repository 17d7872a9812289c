"""Preferences that run in circles: the model, its predictions of unseen choices, its test."""

import time

import numpy as np
import pytest
from scipy import optimize

from valuesim.choices import Choices, Evidence
from valuesim.graph.cyclic import cycles_test, held_out
from valuesim.graph.cyclic_logit import CyclicFit, CyclicModel, contests
from valuesim.graph.design import Design, compact
from valuesim.graph.logit import fit, mode, probabilities
from valuesim.option import Option

VALUES = "ABCDEFGH"


def stakes(**of: float) -> Option:
    return Option(name="o", text="", stakes=of)


def duels(seed: int, number: int, circle: float = 0.0, values: str = VALUES) -> Design:
    """Choices between one value and another, five to an episode; A > B > C > A by `circle`."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(0, 0.7, len(values))
    extra = np.zeros((len(values), len(values)))
    if circle:
        theta[:3] = 0.0
        for u, w in ((0, 1), (1, 2), (2, 0)):
            extra[u, w], extra[w, u] = circle, -circle
    evidence = []
    for index in range(number):
        u, w = rng.choice(len(values), 2, replace=False)
        is_first = rng.random() < 1 / (1 + np.exp(theta[w] - theta[u] - extra[u, w]))
        evidence.append(
            Evidence(
                cluster=f"{index // 5:04}",
                options=(stakes(**{values[u]: 1.0}), stakes(**{values[w]: 1.0})),
                position=int(not is_first),
            )
        )
    return compact(Choices(decisions=number, evidence=tuple(evidence)))


def mixed(seed: int, number: int) -> Design:
    """Choices among two to four options with several values each, up and down."""
    rng = np.random.default_rng(seed)
    evidence = []
    for index in range(number):
        rows = rng.choice([-1.0, 0.0, 0.0, 0.5, 1.0], (rng.integers(2, 5), 5)).tolist()
        options = tuple(stakes(**dict(zip("ABCDE", row, strict=True))) for row in rows)
        evidence.append(
            Evidence(
                cluster=str(index % 20), options=options, position=int(rng.integers(len(options)))
            )
        )
    return compact(Choices(decisions=number, evidence=tuple(evidence)))


def model_of(design: Design) -> CyclicModel:
    return CyclicModel(design=design, contests=contests(design))


def some(design: Design, seed: int = 0) -> CyclicFit:
    rng = np.random.default_rng(seed)
    n_columns, n_values = design.features.shape[2], len(design.values)
    u, w = rng.normal(size=(2, n_values))
    return CyclicFit(theta=rng.normal(size=n_columns), u=u - u.mean(), w=w - w.mean(), height=0.0)


# -- the model ---------------------------------------------------------------------------------


def test_one_value_a_side_is_the_general_preference_model() -> None:
    design = duels(0, 200)
    at = some(design)
    theta = at.theta.copy()
    theta[len(design.values) :] = 0.0
    at = CyclicFit(theta=theta, u=at.u, w=at.w, height=0.0)
    log_p = model_of(design).log_probabilities(at)
    for (options, _), row in zip(design.situations, log_p, strict=True):
        i, j = (design.values.index(next(iter(option.stakes))) for option in options)
        expected = theta[i] - theta[j] + at.u[i] * at.w[j] - at.w[i] * at.u[j]
        assert row[0] - row[1] == pytest.approx(expected)


def test_among_several_options_each_gains_half_its_mean_over_the_others() -> None:
    design = mixed(1, 30)
    at = some(design)
    at = CyclicFit(theta=0 * at.theta, u=at.u, w=at.w, height=0.0)
    log_p = model_of(design).log_probabilities(at)
    for (options, _), row in zip(design.situations, log_p, strict=True):
        s = np.array([[option.stakes.get(v, 0.0) for v in design.values] for option in options])
        d = s[:, None] - s[None]
        gained, given_up = np.maximum(d, 0.0), np.maximum(-d, 0.0)
        term = np.einsum("abv,vw,abw->ab", gained, at.preferences, given_up)
        utility = term.sum(axis=1) / (len(options) - 1) / 2
        found = row[: len(options)]
        assert found - found[0] == pytest.approx(utility - utility[0])
        assert np.exp(found).sum() == pytest.approx(1.0)
        assert (row[len(options) :] == -np.inf).all()


def test_without_circles_it_is_the_logit() -> None:
    design = mixed(2, 60)
    at = some(design)
    nothing = CyclicFit(theta=at.theta, u=0 * at.u, w=0 * at.w, height=0.0)
    p = np.exp(model_of(design).log_probabilities(nothing))
    assert p == pytest.approx(probabilities(design, at.theta))


@pytest.mark.parametrize(
    "made", [duels(3, 600, circle=2.0), mixed(4, 2000)], ids=["duels", "mixed"]
)
def test_the_fit_is_where_its_height_cannot_be_raised(made: Design) -> None:
    """A second method: differences of heights, and random steps that find nothing higher."""
    model = model_of(made)
    theta = mode(made, made.counts.sum(axis=1), made.totals.sum(axis=0))
    found = model.fit(made.counts, theta)
    assert found.height > model.logit_height(made.counts, theta) + 0.1
    assert found.u.sum() == pytest.approx(0.0, abs=1e-9)
    at = np.concatenate([found.theta, found.u, found.w])

    def height(x: np.ndarray) -> float:
        return -model.negative(x, made.counts)[0]

    assert height(at) == pytest.approx(found.height)
    slopes = optimize.approx_fprime(at, height, 1e-6)
    assert np.abs(slopes).max() < 0.05
    rng = np.random.default_rng(0)
    others = at + rng.normal(size=(500, len(at))) * np.geomspace(1e-3, 1.0, 500)[:, None]
    assert max(height(other) for other in others) <= found.height + 1e-6


def test_a_planted_circle_comes_back() -> None:
    design = duels(4, 12_000, circle=1.5)
    theta = fit(design).theta
    found = model_of(design).fit(design.counts, theta)
    around = [found.preferences[pair] for pair in ((0, 1), (1, 2), (2, 0))]
    assert around == pytest.approx([1.5] * 3, abs=0.35)
    rest = found.preferences.copy()
    rest[:3, :3] = 0.0
    assert np.abs(rest).max() < 0.5


# -- held-out predictions ----------------------------------------------------------------------


def test_circles_are_predicted_better_by_the_cyclic_model() -> None:
    found = held_out(duels(5, 1500, circle=2.0), np.random.default_rng(0))
    assert found.is_cyclic
    assert found.constant is not None
    assert found.logit is not None
    assert found.cyclic is not None
    assert found.cyclic < found.logit < found.constant
    assert found.gain == pytest.approx(found.logit - found.cyclic)
    assert found.choices == 1500
    assert found.reason.endswith("predict held-out choices better than one order does")


def test_without_circles_they_are_seldom_called_and_cost_little() -> None:
    every = [held_out(duels(seed, 400), np.random.default_rng(seed)) for seed in range(60)]
    gains = [found.gain for found in every if found.gain is not None]
    assert len(gains) == 60
    assert sum(found.is_cyclic for found in every) <= 4
    assert np.mean(gains) > -0.005


def test_what_cannot_be_predicted_says_why() -> None:
    two = held_out(duels(0, 100, values="AB"), np.random.default_rng(0))
    assert two.reason == "circles need at least 3 values at stake; there are 2"
    few = held_out(duels(0, 40), np.random.default_rng(0))
    assert "at least 10 episodes" in few.reason
    assert few.gain is None
    assert "there are 0" in held_out(compact(Choices()), np.random.default_rng(0)).reason


def test_thousands_of_situations_are_predicted_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    design = mixed(6, 3000)
    start = time.process_time()
    whole = held_out(design, np.random.default_rng(0))
    assert time.process_time() - start < 2.0
    assert whole.choices == design.counts.sum() > 2900
    monkeypatch.setattr("valuesim.graph.cyclic.MOST_SITUATIONS", 500)
    part = held_out(design, np.random.default_rng(0))
    assert 400 < part.choices < 700
    assert part.logit == pytest.approx(whole.logit, abs=0.1)


# -- the test ----------------------------------------------------------------------------------


def test_rock_paper_scissors_among_three_of_eight_values_is_found() -> None:
    for seed in range(4):
        design = duels(10 + seed, 1000, circle=1.5)
        tested = cycles_test(design, fit(design), np.random.default_rng(seed), simulations=19)
        assert tested.p_value == 1 / 20
        assert tested.statistic is not None
        assert tested.statistic > 10


def test_an_order_is_called_cyclic_no_more_often_than_it_should_be() -> None:
    p_values = []
    for seed in range(40):
        design = duels(100 + seed, 200, values="ABCDE")
        tested = cycles_test(design, fit(design), np.random.default_rng(seed), simulations=19)
        assert tested.p_value is not None
        p_values.append(tested.p_value)
    # binomial at 5 %: more than 6 of 40 has probability 0.003
    assert sum(p <= 0.05 for p in p_values) <= 6
    assert np.mean(p_values) > 0.4


def test_two_values_have_nothing_to_test() -> None:
    design = duels(0, 100, values="AB")
    tested = cycles_test(design, fit(design), np.random.default_rng(0))
    assert (tested.statistic, tested.p_value, tested.simulations) == (None, None, 0)
    assert tested.reason is not None


@pytest.mark.filterwarnings("error")
def test_choices_all_one_way_give_figures_without_warnings() -> None:
    pairs = [("A", "B"), ("B", "C"), ("A", "C")] * 20
    evidence = tuple(
        Evidence(
            cluster=str(number),
            options=(stakes(**{over: 1.0}), stakes(**{under: 1.0})),
            position=0,
        )
        for number, (over, under) in enumerate(pairs)
    )
    design = compact(Choices(decisions=60, evidence=evidence))
    assert not held_out(design, np.random.default_rng(0)).is_cyclic
    tested = cycles_test(design, fit(design), np.random.default_rng(0), simulations=9)
    assert tested.p_value is not None
    assert tested.p_value > 0.05
