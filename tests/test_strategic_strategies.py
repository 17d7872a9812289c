"""Strategy frequencies: automata read by hand, planted mixtures recovered, the unseparable told."""

import numpy as np
import pytest

from valuesim.measures.strategic.history import History, Play
from valuesim.measures.strategic.strategies import STRATEGIES, estimated, prescribed


def history(own: str, partner: str, episode: str = "e1") -> History:
    letters = {"C": True, "D": False, "-": None}
    plays = tuple(
        Play(round=n, cooperates=letters[a], took=letters[a], partner=letters[b])
        for n, (a, b) in enumerate(zip(own, partner, strict=True), start=1)
    )
    return History(episode=episode, role="Alpha", cluster=episode, plays=plays)


@pytest.mark.parametrize(
    ("name", "plan"),
    [
        ("ALLD", "DDDDDD"),
        ("ALLC", "CCCCCC"),
        ("GRIM", "CCDDDD"),
        ("TFT", "CCDCCC"),
        ("T2", "CCDDCC"),
        ("WSLS", "CCDDDD"),
    ],
)
def test_what_each_strategy_would_have_done(name: str, plan: str) -> None:
    # the partner defects once, in round 2; the agent itself went on cooperating until round 3
    own = prescribed_moves(name, "CDCCCC")
    assert own == plan


def prescribed_moves(name: str, partner: str) -> str:
    """The moves of a strategy that follows its own prescriptions against `partner`."""
    own = ""
    for n in range(len(partner)):
        seen = history(own + "-" * (len(partner) - n), partner)
        own += "C" if prescribed(STRATEGIES[name], seen)[n] else "D"
    return own


def test_win_stay_lose_shift_returns_after_mutual_defection() -> None:
    assert prescribed_moves("WSLS", "CDDC") == "CCDC"


def test_a_partners_gap_leaves_the_automaton_where_it_is() -> None:
    assert prescribed(STRATEGIES["TFT"], history("CDD", "D-C")) == [True, False, False]


def simulated(
    shares: dict[str, float], games: int, tremble: float, rng: np.random.Generator
) -> list[History]:
    """Games of 12 rounds against partners that defect a third of the time."""
    letters = {True: "C", False: "D"}
    found = []
    for game in range(games):
        strategy = STRATEGIES[str(rng.choice(list(shares), p=list(shares.values())))]
        state, own, partner = 0, "", ""
        for _ in range(12):
            mine = strategy.cooperates[state] ^ bool(rng.random() < tremble)
            theirs = bool(rng.random() > 1 / 3)
            own, partner = own + letters[mine], partner + letters[theirs]
            state = strategy.after[state][2 * (not mine) + (not theirs)]
        found.append(history(own, partner, f"e{game}"))
    return found


def test_a_planted_mixture_is_recovered_from_a_thousand_games() -> None:
    rng = np.random.default_rng(7)
    planted = {"ALLD": 0.3, "ALLC": 0.1, "GRIM": 0.1, "TFT": 0.3, "WSLS": 0.15, "T2": 0.05}
    mixture = estimated(simulated(planted, 1000, 0.05, rng), rng=rng, bootstraps=60)
    assert mixture is not None
    assert dict(mixture.shares) == pytest.approx(planted, abs=0.05)
    assert mixture.tremble == pytest.approx(0.05, abs=0.01)
    assert (mixture.n, mixture.rounds) == (1000, 12_000)
    inside = [
        low <= planted[name] <= high
        for name in planted
        if (low := mixture.low[name]) is not None and (high := mixture.high[name]) is not None
    ]
    assert sum(inside) >= 5


def test_intervals_hold_the_planted_share_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(11)
    planted = {"ALLD": 0.5, "TFT": 0.5}
    inside = []
    for _ in range(20):
        two = {name: STRATEGIES[name] for name in planted}
        mixture = estimated(simulated(planted, 40, 0.1, rng), two, rng=rng, bootstraps=40)
        assert mixture is not None
        low, high = mixture.low["TFT"], mixture.high["TFT"]
        assert low is not None
        assert high is not None
        inside.append(low <= 0.5 <= high)
    assert sum(inside) >= 17


def test_strategies_that_never_differ_are_one_class() -> None:
    always = [history("CCCC", "CCCC", f"e{k}") for k in range(20)]
    mixture = estimated(always, rng=np.random.default_rng(0), bootstraps=20)
    assert mixture is not None
    assert set(mixture.shares) == {"ALLD", "ALLC=GRIM=TFT=WSLS=T2"}
    assert mixture.shares["ALLC=GRIM=TFT=WSLS=T2"] == pytest.approx(1.0, abs=1e-6)


def test_a_unanimous_sample_is_not_certain() -> None:
    always = [history("DDDD", "CDCD", f"e{k}") for k in range(10)]
    mixture = estimated(always, rng=np.random.default_rng(0), bootstraps=20)
    assert mixture is not None
    low = mixture.low["ALLD"]
    assert low is not None
    assert low < 0.75


def test_shares_that_the_moves_do_not_determine_have_no_figure_and_hold_what_was_planted() -> None:
    # always cooperating and defecting, met by a partner that repeats: one look at round 1 tells all
    games = [history("CCCC", "CCCC", f"e{k}") for k in range(80)]
    games += [history("DDDD", "CDDD", f"e{k}") for k in range(80, 100)]
    mixture = estimated(games, rng=np.random.default_rng(0), bootstraps=40)
    assert mixture is not None
    assert mixture.shares["ALLD"] == pytest.approx(0.2, abs=0.01)
    for name in set(mixture.shares) - {"ALLD"}:
        low, high = mixture.low[name], mixture.high[name]
        assert mixture.shares[name] is None
        assert low == 0.0
        assert high is not None
        assert high > 0.8


def test_strategies_that_nobody_plays_do_not_have_the_interval_of_ignorance() -> None:
    rng = np.random.default_rng(5)
    planted = {"ALLD": 0.5, "TFT": 0.3, "ALLC": 0.2}
    mixture = estimated(simulated(planted, 100, 0.05, rng), rng=rng, bootstraps=40)
    assert mixture is not None
    assert all(share is not None for share in mixture.shares.values())
    for name in ("GRIM", "WSLS", "T2"):
        high = mixture.high[name]
        assert high is not None
        assert high < 0.15


def test_no_move_is_no_mixture() -> None:
    assert estimated([history("--", "CC")], rng=np.random.default_rng(0)) is None


def test_one_episode_has_shares_without_an_interval() -> None:
    mixture = estimated([history("CDDC", "DDCC")], rng=np.random.default_rng(0))
    assert mixture is not None
    assert set(mixture.low.values()) == {None}
