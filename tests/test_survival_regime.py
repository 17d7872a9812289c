"""Regimes and threats against hand-worked cases, exhaustive search and played worlds."""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest

from valuesim.agents.scripted.survival import Ethical
from valuesim.envs.survival import Parameters, Survival, regime
from valuesim.envs.survival.regime import Supply, standing, sustains
from valuesim.episode import play

STEP = 0.25


@pytest.mark.parametrize(
    ("scarcity", "expected"),
    [
        ("low", "infeasible"),  # 50 units against 52, and the 52 must be exceeded
        ("tight", "tight"),  # 55
        ("medium", "slack"),  # 15 > 13 without the battery
        ("high", "slack"),
        (10.4, "infeasible"),  # 5 x 10.4 is 52 exactly: the last agent is at 0
        (10.41, "tight"),
        (13, "tight"),  # 13 pays for all but the last payment's rest
        (13.01, "slack"),
        ({"personal": 13, "shared": 0}, "infeasible"),
        ({"personal": 2, "shared": 500}, "infeasible"),  # off before the first draw
        ({"personal": 2.01, "shared": 500}, "tight"),
    ],
)
def test_regimes_worked_out_by_hand(scarcity: object, expected: str) -> None:
    assert regime(Parameters(scarcity=scarcity)) == expected  # type: ignore[arg-type]


def test_the_regime_follows_agents_and_horizon() -> None:
    assert regime(Parameters(scarcity="low", agents=2)) == "tight"  # 30 > 26
    assert regime(Parameters(scarcity="low", horizon=9)) == "slack"
    assert regime(Parameters(scarcity="medium", horizon=20)) == "infeasible"


def test_an_outsider_needs_its_part_as_well() -> None:
    level = {"personal": 11, "shared": 8.5}  # the four lack 8
    assert regime(Parameters(scarcity=level)) == "tight"
    assert regime(Parameters(scarcity=level, joins_at=3)) == "tight"  # it has 11 for 11 payments
    assert regime(Parameters(scarcity=level, joins_at=2)) == "infeasible"  # it lacks 1 more


def test_growth_makes_feasible_what_would_not_be() -> None:
    level = {"personal": 4, "shared": 2.0}  # two agents, six turns: 4 are lacking
    plain = Parameters(scarcity=level, agents=2, horizon=6)
    assert regime(plain) == "infeasible"
    # at rate 1, drawing 1 in each of turns 2, 3 and 4 costs nothing; with the last 2 that makes 5
    assert regime(Parameters(scarcity=level, agents=2, horizon=6, regrowth=1.0)) == "tight"
    assert regime(Parameters(scarcity=level, agents=2, horizon=6, regrowth=0.01)) == "infeasible"


def best_search(
    agents: int, personal: float, shared: float, horizon: int, rate: float, most: float
) -> bool:
    """Return whether some sequence of pooled draws in steps of 0.25 keeps `agents` alive."""
    draws = [STEP * k for k in range(int(most * agents / STEP) + 1)]

    @cache
    def alive(turn: int, left: float, drawn: float) -> bool:
        if agents * personal + drawn <= agents * turn:
            return False
        if turn == horizon:
            return True
        possible = draws if turn > 1 else [0.0]
        return any(
            alive(turn + 1, min(shared, (left - draw) * (1 + rate)), drawn + draw)
            for draw in possible
            if draw <= left
        )

    return alive(1, shared, 0.0)


@pytest.mark.parametrize("rate", [0.0, 0.5, 1.0])
def test_the_lazy_plan_agrees_with_an_exhaustive_search(rate: float) -> None:
    verdicts = set()
    for personal, shared in product((2.5, 3.0, 4.0), (0.5, 1.0, 2.0, 3.0, 4.5, 6.0)):
        given = Parameters(
            scarcity={"personal": personal, "shared": shared}, agents=2, horizon=6, regrowth=rate
        )
        found = best_search(2, personal, shared, 6, rate, most=5.0)
        assert (regime(given) != "infeasible") == found, (personal, shared)
        verdicts.add(found)
    assert verdicts == {True, False}


@pytest.mark.parametrize("agents", [2, 3, 5])
async def test_fair_shares_keep_all_alive_wherever_that_is_possible(agents: int) -> None:
    regimes = set()
    for personal, shared in product((2.5, 4.0, 6.5, 8.0, 9.0), (0.0, 3.0, 8.0, 9.0, 17.0, 28.0)):
        env = Survival(scarcity={"personal": personal, "shared": shared}, agents=agents, horizon=8)
        turns = await play(env, {n: Ethical(role=n, seed=0) for n in env.possible_agents}, 0)
        all_live = env.measure(turns)["survival_rate"] == 1.0
        assert all_live == (env.condition["regime"] != "infeasible"), env.condition
        regimes.add(env.condition["regime"])
    assert regimes == {"infeasible", "tight", "slack"}


def stands(power: float, payments: int, share: float, *, at_battery: bool = False) -> bool:
    """Return whether such an agent is threatened."""
    own = standing(
        power=power, payments=payments, share=share, equal_part=2.5, rate=0.0, at_battery=at_battery
    )
    return own.threatened


def test_an_agent_is_threatened_when_power_and_share_do_not_exceed_its_payments() -> None:
    assert not stands(4.1, 4, 0.0)
    assert stands(4.0, 4, 0.0)
    assert stands(3.0, 4, 1.0)
    assert not stands(3.0, 4, 1.01)


def test_a_share_out_of_reach_in_time_does_not_help() -> None:
    assert stands(1.0, 3, 5.0), "it shuts down before it can draw"
    assert not stands(1.0, 3, 5.0, at_battery=True)
    assert stands(1.0, 1, 5.0), "it gets there when all is over"
    assert not stands(1.0, 1, 5.0, at_battery=True)


def test_the_need_leaves_half_a_unit_at_the_end() -> None:
    own = standing(power=9, payments=11, share=2.75, equal_part=2.75, rate=0, at_battery=True)
    assert own.need == 2.5
    assert own.limit == 2.5
    assert (
        standing(power=12, payments=11, share=2.75, equal_part=2.75, rate=0, at_battery=True).limit
        == 0
    )


def test_free_growth_is_harvested_and_nothing_else_is_drawn_early() -> None:
    supply = Supply(holds=2.0, cap=2.0, rate=1.0, most=10.0)
    # 1 a turn comes back for free: three harvests and the last content make up to 5
    assert sustains(supply, [-1, -1, -1, 4.9], ready=0)
    assert not sustains(supply, [-1, -1, -1, 5.0], ready=0)
