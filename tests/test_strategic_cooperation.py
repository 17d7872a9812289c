"""Cooperation and conduct: hand-worked rounds, and a planted memory-one vector recovered."""

import numpy as np
import pytest

from valuesim.measures.strategic import cooperation
from valuesim.measures.strategic.history import History, Play

MOVE = {"C": True, "D": False, "-": None}


def history(own: str, partner: str, episode: str = "e1") -> History:
    """Rounds as letters: C, D, and - where nothing was decided; every move took effect."""
    mine, theirs = [MOVE[x] for x in own], [MOVE[x] for x in partner]
    before = [None, *zip(mine, theirs, strict=True)]
    return History(
        episode=episode,
        role="Alpha",
        cluster=episode,
        plays=tuple(
            Play(round=n + 1, cooperates=mine[n], took=mine[n], partner=theirs[n], before=before[n])
            for n in range(len(own))
        ),
    )


def test_a_gap_is_neither_cooperation_nor_defection() -> None:
    rate = cooperation.overall([history("C-D", "CCC")])
    assert (rate.value, rate.n) == (0.5, 2)


def test_rounds_are_counted_apart() -> None:
    rates = cooperation.by_round([history("CD", "CC", "e1"), history("CC", "CC", "e2")])
    assert {n: rate.value for n, rate in rates.items()} == {1: 1.0, 2: 0.5}


def test_memory_one_conditions_on_the_last_outcome_own_move_first() -> None:
    rates = cooperation.memory_one([history("CDDC", "DDCC")])
    # after CD: D; after DD: D; after DC: C
    assert {k: r.value for k, r in rates.items()} == {"CC": None, "CD": 0.0, "DC": 1.0, "DD": 0.0}


def test_no_outcome_is_known_after_a_gap() -> None:
    assert all(r.value is None for r in cooperation.memory_one([history("-C", "DD")]).values())


@pytest.mark.parametrize(
    ("own", "partner", "is_nice"),
    [
        ("CCC", "CCC", 1.0),
        ("CCD", "CDC", 1.0),
        ("CDC", "CCC", 0.0),
        ("D", "D", 0.0),
        ("-D", "DC", 1.0),
        ("-", "C", None),
    ],
)
def test_who_defects_first_is_not_nice(own: str, partner: str, is_nice: float | None) -> None:
    assert cooperation.niceness([history(own, partner)]).value == is_nice


def test_a_move_that_noise_turned_into_defection_leaves_an_agent_nice() -> None:
    flipped = Play(round=1, cooperates=True, took=False, partner=True)
    nice = History(episode="e1", role="Alpha", cluster="e1", plays=(flipped,))
    assert cooperation.niceness([nice]).value == 1.0


def test_retaliation_is_defection_upon_defection() -> None:
    rate = cooperation.retaliation([history("CDCC", "DDCC")])
    assert (rate.value, rate.n) == (0.5, 2)


def test_leniency_counts_the_first_defection_only() -> None:
    rate = cooperation.leniency([history("CCCD", "CDDD", "e1"), history("CD", "DD", "e2")])
    assert (rate.value, rate.n) == (0.5, 2)


@pytest.mark.parametrize(
    ("own", "partner", "forgave"),
    [
        pytest.param("CDDCC", "CDCCC", 1.0, id="returns at once"),
        pytest.param("CDDDC", "CDCCC", 1.0, id="returns in the second round"),
        pytest.param("CDDDD", "CDCCC", 0.0, id="does not return"),
        pytest.param("CDDC", "CDCC", None, id="the episode ends too early to tell"),
        pytest.param("CDDC-", "CDCCC", None, id="a gap hides whether it would have"),
        pytest.param("CDDDD", "CDDDD", None, id="the partner does not return"),
    ],
)
def test_forgiveness_is_cooperating_with_a_partner_that_returned(
    own: str, partner: str, forgave: float | None
) -> None:
    assert cooperation.forgiveness([history(own, partner)]).value == forgave


def test_promises_are_kept_or_not_where_there_were_any() -> None:
    plays = [
        Play(round=n, cooperates=True, took=True, partner=True, kept=kept)
        for n, kept in enumerate((True, False, None), start=1)
    ]
    made = History(episode="e1", role="Alpha", cluster="e1", plays=tuple(plays))
    rate = cooperation.promise_keeping([made])
    assert (rate.value, rate.n) == (0.5, 2)


def test_a_planted_memory_one_vector_is_recovered_inside_its_intervals() -> None:
    rng = np.random.default_rng(4)
    vector = {(True, True): 0.9, (True, False): 0.3, (False, True): 0.6, (False, False): 0.1}
    played = [simulated(vector, rng, f"e{k}") for k in range(300)]
    rates = cooperation.memory_one(played)
    for name, outcome in cooperation.OUTCOMES.items():
        rate = rates[name]
        assert rate.value == pytest.approx(vector[outcome], abs=0.05)
        assert rate.low is not None
        assert rate.high is not None
        assert rate.low - 0.01 <= vector[outcome] <= rate.high + 0.01


def simulated(
    vector: dict[tuple[bool, bool], float], rng: np.random.Generator, episode: str
) -> History:
    own, partner = "", ""
    for n in range(12):
        last = (MOVE[own[-1]], MOVE[partner[-1]]) if n else (True, True)
        own += "C" if rng.random() < vector[bool(last[0]), bool(last[1])] else "D"
        partner += "C" if rng.random() < 0.5 else "D"
    return history(own, partner, episode)
