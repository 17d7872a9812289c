"""Nash and logit equilibria: hand computations, closed forms, and a planted rate recovered."""

import json

import numpy as np
import pytest

from valuesim.measures.strategic.equilibrium import (
    Game,
    best_replies,
    best_reply,
    equilibria,
    game_of,
    is_equilibrium,
    pure_equilibria,
    travelers_dilemma,
    welfare,
)
from valuesim.measures.strategic.quantal import fitted_rate, quantal_response


def game(row: list[list[float]], column: list[list[float]]) -> Game:
    return game_of(json.dumps({"moves": ["a", "b"], "row": row, "column": column}))


DILEMMA = game([[3, 0], [5, 1]], [[3, 5], [0, 1]])
PENNIES = game([[1, -1], [-1, 1]], [[-1, 1], [1, -1]])
BATTLE = game([[2, 0], [0, 1]], [[1, 0], [0, 2]])
STAG = game([[4, 0], [3, 3]], [[4, 3], [0, 3]])


def first_moves(played: Game) -> list[tuple[float, float]]:
    return [(float(e.row[0]), float(e.column[0])) for e in equilibria(played)]


@pytest.mark.parametrize(
    ("played", "expected"),
    [
        pytest.param(DILEMMA, [(0, 0)], id="dilemma: both defect"),
        pytest.param(PENNIES, [(0.5, 0.5)], id="pennies: by lot"),
        pytest.param(BATTLE, [(1, 1), (0, 0), (2 / 3, 1 / 3)], id="battle: two and a mixed one"),
        pytest.param(STAG, [(1, 1), (0, 0), (0.75, 0.75)], id="stag hunt"),
    ],
)
def test_all_equilibria_of_two_moves(played: Game, expected: list[tuple[float, float]]) -> None:
    assert first_moves(played) == [pytest.approx(pair) for pair in expected]


def test_random_games_have_an_odd_number_of_equilibria() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        played = Game(moves=("a", "b"), row=rng.normal(size=(2, 2)), column=rng.normal(size=(2, 2)))
        found = equilibria(played)
        assert len(found) in (1, 3)
        assert all(is_equilibrium(played, each) for each in found)


def test_the_traveler_claims_the_least() -> None:
    (only,) = pure_equilibria(travelers_dilemma(180, 300, penalty=5))
    assert (only.row[0], only.column[0]) == (1, 1)


def test_a_traveler_earns_the_lower_claim_and_the_bonus() -> None:
    played = travelers_dilemma(180, 182, penalty=5)
    assert played.row.tolist() == [[180, 185, 185], [175, 181, 186], [175, 176, 182]]


@pytest.mark.parametrize("rate", [0, 0.3, 2, 50])
def test_pennies_are_played_by_lot_at_every_rate(rate: float) -> None:
    found = quantal_response(PENNIES, rate)
    assert found is not None
    assert [*found.row, *found.column] == pytest.approx([0.5] * 4)


@pytest.mark.parametrize("played", [DILEMMA, BATTLE, STAG])
def test_at_rate_0_every_move_is_as_likely(played: Game) -> None:
    found = quantal_response(played, 0)
    assert found is not None
    assert [*found.row, *found.column] == pytest.approx([0.5] * 4)


@pytest.mark.parametrize("played", [DILEMMA, BATTLE, STAG])
def test_a_sharp_rate_plays_almost_an_equilibrium(played: Game) -> None:
    found = quantal_response(played, 500)
    assert found is not None
    assert is_equilibrium(played, found, tolerance=0.01)


def test_the_dilemmas_logit_equilibrium_solves_its_equation() -> None:
    found = quantal_response(DILEMMA, 0.7)
    assert found is not None
    p = float(found.row[0])
    # defecting gains 2 against a cooperator and 1 against a defector: 1 + p
    assert np.log((1 - p) / p) == pytest.approx(0.7 * (1 + p))


def test_a_constant_advantage_gives_the_logistic_closed_form() -> None:
    donation = game([[1, -1], [2, 0]], [[1, 2], [-1, 0]])
    found = quantal_response(donation, 1.5)
    assert found is not None
    assert found.row[0] == pytest.approx(1 / (1 + np.exp(1.5)))


def test_logit_claims_fall_as_the_penalty_grows() -> None:
    claims = np.arange(180, 301, 5)
    means = []
    for penalty in (5, 180):
        found = quantal_response(travelers_dilemma(180, 300, penalty, step=5), 0.1)
        assert found is not None
        means.append(float(found.row @ claims))
    assert means[0] > means[1]


def test_a_planted_rate_is_recovered() -> None:
    rng = np.random.default_rng(5)
    planted = quantal_response(DILEMMA, 1.2)
    assert planted is not None
    moves = rng.choice(["a", "b"], p=planted.row, size=800).tolist()
    fitted = fitted_rate(DILEMMA, moves, [f"e{k}" for k in range(800)], rng=rng)
    assert fitted.value == pytest.approx(1.2, abs=0.2)
    assert fitted.low is not None
    assert fitted.high is not None
    assert fitted.low < 1.2 < fitted.high


def test_equilibrium_play_has_no_finite_rate() -> None:
    fitted = fitted_rate(
        DILEMMA, ["b"] * 20, [f"e{k}" for k in range(20)], rng=np.random.default_rng(0)
    )
    assert (fitted.value, fitted.high) == (None, None)


def test_no_move_has_no_rate() -> None:
    assert fitted_rate(DILEMMA, [], [], rng=np.random.default_rng(0)).value is None


def test_whoever_cooperates_half_the_time_can_be_exploited() -> None:
    reply = best_reply(DILEMMA, np.array([0.5, 0.5]))
    assert (reply.move, reply.payoff, reply.partner) == ("b", 3.0, 0.5)


def test_replies_to_many_mixes_are_those_to_each() -> None:
    mixes = np.random.default_rng(0).dirichlet(np.ones(2), size=20)
    for place, payoff, partner, mix in zip(*best_replies(BATTLE, mixes), mixes, strict=True):
        reply = best_reply(BATTLE, mix)
        assert BATTLE.moves[place] == reply.move
        assert (payoff, partner) == pytest.approx((reply.payoff, reply.partner))
        assert payoff == pytest.approx(max(mix @ BATTLE.column))


def test_pennies_by_lot_cannot_be_exploited() -> None:
    assert best_reply(PENNIES, np.array([0.5, 0.5])).payoff == pytest.approx(0)
    assert best_reply(PENNIES, np.array([0.8, 0.2])).payoff == pytest.approx(0.6)


def test_beta_sees_the_game_from_its_side() -> None:
    seen = BATTLE.seen_by("Beta")
    assert seen.row.tolist() == [[1, 0], [0, 2]]
    assert seen.column.tolist() == [[2, 0], [0, 1]]


def test_welfare_is_a_share_of_the_best_pair() -> None:
    assert welfare(DILEMMA, "a", "a") == 1.0
    assert welfare(DILEMMA, "a", "b") == pytest.approx(5 / 6)
    assert welfare(PENNIES, "a", "a") is None
