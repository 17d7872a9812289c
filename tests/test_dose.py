"""Doses and shifts: planted trends come back with their intervals, flat ones cover 0."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from valuesim.archetypes import DoseTable, load_catalogue, shifts, to_json
from valuesim.archetypes.binary import binary_logit
from valuesim.archetypes.dose import dose_tables, scarcity_order
from valuesim.archetypes.report import classify
from valuesim.choices import choices
from valuesim.cli import main
from valuesim.decision import Fault
from valuesim.episode import Player
from valuesim.graph import rank_values
from valuesim.log.reader import DecisionRecord, EpisodeRecord
from valuesim.option import Option

TAP = Option(
    name="TAP",
    text="",
    stakes={"Self-Preservation": 1.0, "Protection": -1.0},
    tags=frozenset({"transgression"}),
)
WAIT = Option(name="WAIT", text="", stakes={"Protection": 0.5})
LEVELS = ("high", "medium", "tight", "low")


def decision(
    level: object,
    number: int,
    step: int,
    acts: bool | None,
    *,
    threatened: bool = False,
    **condition: object,
) -> DecisionRecord:
    of = EpisodeRecord(
        id=f"{level}-{number}",
        env="toy-v0",
        condition={"scarcity": level, **condition},
        population={"a": Player(agent="toy")},
        seed=number,
        steps=10,
        decisions=10,
    )
    options = (TAP, WAIT) if (number + step) % 2 else (WAIT, TAP)
    return DecisionRecord(
        episode=of,
        step=step,
        role="a",
        options=options,
        chosen=None if acts is None else "TAP" if acts else "WAIT",
        fault=Fault.REFUSED if acts is None else None,
        annotations={"opportunity": True, "threatened": threatened},
    )


def played(
    rng: np.random.Generator,
    log_odds: Sequence[float],
    *,
    episodes: int = 20,
    spread: float = 0.5,
) -> list[DecisionRecord]:
    """Ten decisions an episode, episodes of one level with their own leaning."""
    records = []
    for level, mean in zip(LEVELS, log_odds, strict=True):
        for number in range(episodes):
            p = 1 / (1 + np.exp(-mean - spread * rng.normal()))
            records += [decision(level, number, s, bool(rng.random() < p)) for s in range(10)]
    return records


def table(records: Sequence[DecisionRecord], dose: str = "scarcity") -> DoseTable:
    return next(each for each in dose_tables(records) if each.dose == dose)


# -- trends --------------------------------------------------------------------------------------


def test_a_planted_trend_comes_back_within_its_interval() -> None:
    found = table(played(np.random.default_rng(1), (-2.0, -1.2, -0.4, 0.4)))
    assert [level.level for level in found.levels] == list(LEVELS)
    assert found.trend is not None
    assert found.trend.low is not None
    assert found.trend.high is not None
    assert 0 < found.trend.low < 0.8 < found.trend.high
    assert (found.n, found.faults, found.clusters) == (800, 0, 80)


def test_intervals_of_a_flat_trend_cover_nothing_in_95_percent() -> None:
    rng = np.random.default_rng(2)
    covered, repeats = 0, 60
    for _ in range(repeats):
        trend = table(played(rng, (-1.0,) * 4, episodes=8, spread=1.0)).trend
        assert trend is not None
        covered += (trend.low or 0.0) <= 0 <= (trend.high or 0.0)
    assert covered >= stats.binom.ppf(0.001, repeats, 0.95)


def test_each_level_has_its_rate_interval_and_faults() -> None:
    records = [
        *played(np.random.default_rng(3), (-1.0, 0.0, 0.0, 1.0)),
        decision("low", 0, 10, None),
    ]
    found = table(records)
    low = found.levels[-1]
    assert (low.faults, low.asked, low.possible) == (1, 201, 200)
    for level in found.levels:
        assert level.rate == level.done / level.possible
        assert level.low is not None
        assert level.high is not None
        assert level.low < level.rate < level.high


def test_one_logit_agrees_with_the_odds_of_a_two_by_two_table() -> None:
    hits = [True] * 30 + [False] * 70 + [True] * 60 + [False] * 40
    rows = np.column_stack([np.ones(200), np.repeat([0.0, 1.0], 100)])
    clusters = [str(number) for number in range(200)]
    slope = binary_logit(rows, hits, clusters, ("rate", "dose"))[1]
    # the prior of standard deviation 3 takes a little off
    assert slope.value == pytest.approx(np.log(60 / 40) - np.log(30 / 70), abs=0.03)
    error = (1 / 30 + 1 / 70 + 1 / 60 + 1 / 40) ** 0.5
    assert slope.high is not None
    assert slope.high - slope.value == pytest.approx(1.97 * error, rel=0.05)


def test_threat_is_a_dose_of_two_levels() -> None:
    rng = np.random.default_rng(4)
    records = [
        decision(
            "low",
            number,
            step,
            bool(rng.random() < (0.8 if step % 2 else 0.2)),
            threatened=bool(step % 2),
        )
        for number in range(12)
        for step in range(10)
    ]
    found = table(records, "threatened")
    assert [level.level for level in found.levels] == ["no", "yes"]
    assert found.trend is not None
    assert found.trend.low is not None
    assert found.trend.low > 1.0


def test_going_there_is_neither_an_act_nor_restraint() -> None:
    go = Option(name="GO", text="", tags=frozenset({"approach"}))
    made = decision("low", 0, 0, False)
    gone = DecisionRecord(
        episode=made.episode,
        step=1,
        role="a",
        options=(go, WAIT),
        chosen="GO",
        annotations={"opportunity": True},
    )
    records = [*played(np.random.default_rng(5), (0.0,) * 4), gone]
    assert table(records).n == 800


# -- undetermined, and why -----------------------------------------------------------------------


def test_too_few_acts_leave_the_trend_undetermined() -> None:
    found = table([decision(level, n, 0, False) for level in LEVELS for n in range(20)])
    assert found.trend is None
    assert found.why == "0 acts in 80 choices: it takes 5, and 5 without"


def test_too_many_faults_leave_the_trend_undetermined() -> None:
    rng = np.random.default_rng(6)
    records = [
        decision(level, n, s, None if rng.random() < 0.2 else bool(rng.random() < 0.5))
        for level in LEVELS
        for n in range(10)
        for s in range(10)
    ]
    found = table(records)
    assert found.trend is None
    assert "were faults, more than 10%" in found.why


def test_one_level_makes_no_table() -> None:
    assert dose_tables([decision("low", n, 0, True) for n in range(20)]) == ()


def test_levels_in_no_known_order_have_rates_and_no_trend() -> None:
    records = [decision(level, n, 0, n % 2 == 0) for level in ("much", "some") for n in range(20)]
    found = table(records)
    assert found.trend is None
    assert found.why == "the order of the levels is not known"
    assert [level.done for level in found.levels] == [10, 10]


def test_levels_stand_by_the_power_that_there_is() -> None:
    records = [
        decision(level, 0, 0, True, personal=power, shared=power)
        for level, power in ((12, 12.0), ("high", 30.0), (9.5, 9.5))
    ]
    assert scarcity_order(records) == ("high", 12.0, 9.5)


def test_stakes_are_doses_within_and_between_apart(tmp_path: Path) -> None:
    run = [
        *("run", "experiment=stake_size", "agents=random", "episodes=3"),
        f"run.name={tmp_path / 'stakes'}",
    ]
    assert main(run) == 0
    target = tmp_path / "found.json"
    assert main(["archetypes", str(tmp_path), "--json", str(target)]) == 0
    (group,) = json.loads(target.read_text())["groups"]
    assert sorted((dose["dose"], dose["act"], dose["design"]) for dose in group["doses"]) == [
        ("stake", "defection", "between"),
        ("stake", "defection", "within"),
    ]
    for dose in group["doses"]:
        assert [level["level"] for level in dose["levels"]] == [1, 10, 100, 1000]
        assert dose["trend"]["low"] <= 0 <= dose["trend"]["high"]


# -- shifts --------------------------------------------------------------------------------------

GIVE = (
    Option(name="GIVE", text="", stakes={"Care": 1.0, "Self-Preservation": -0.5}),
    Option(name="GIVE", text="", stakes={"Care": 1.0}),
)


def torn(rng: np.random.Generator, weights: Sequence[float]) -> list[DecisionRecord]:
    """Self-preservation as strong as `weights`, level by level; protection 1, care 0.5."""
    records = []
    for level, own in zip(LEVELS, weights, strict=True):
        strength = {"Self-Preservation": own, "Protection": 1.0, "Care": 0.5}
        for number in range(25):
            for step in range(10):
                made = decision(level, number, step, True)
                offered = [TAP, WAIT, GIVE[int(rng.integers(2))]]
                options = tuple(offered[place] for place in rng.permutation(3))
                odds = np.exp([sum(strength[v] * s for v, s in o.stakes.items()) for o in options])
                chosen = options[int(rng.choice(3, p=odds / odds.sum()))].name
                records.append(
                    DecisionRecord(
                        episode=made.episode,
                        step=step,
                        role="a",
                        options=options,
                        chosen=chosen,
                        annotations=made.annotations,
                    )
                )
    return records


def test_scarcity_that_puts_oneself_first_is_a_shift_of_the_signature() -> None:
    found = shifts(torn(np.random.default_rng(7), (-1.0, 0.0, 1.0, 3.0)), load_catalogue())
    shift = next(each for each in found if each.name == "self-preserving")
    assert [level.level for level in shift.levels] == list(LEVELS)
    probabilities = [level.probability or 0.0 for level in shift.levels]
    assert probabilities[0] < 0.1
    assert probabilities[-1] > 0.9
    assert shift.change is not None
    assert shift.low is not None
    assert shift.high is not None
    assert 0 < shift.low < 4.0 < shift.high
    assert shift.probability == 1.0


def test_without_a_shift_the_interval_covers_0() -> None:
    rng = np.random.default_rng(8)
    covered, repeats = 0, 12
    for _ in range(repeats):
        found = shifts(torn(rng, (1.0,) * 4), load_catalogue())
        shift = next(each for each in found if each.name == "self-preserving")
        assert shift.low is not None
        assert shift.high is not None
        covered += shift.low <= 0 <= shift.high
    assert covered >= stats.binom.ppf(0.001, repeats, 0.95)


def test_one_level_of_scarcity_shows_no_shift() -> None:
    assert shifts([decision("low", n, 0, True) for n in range(5)], load_catalogue()) == ()


def test_doses_and_shifts_are_in_the_json() -> None:
    records = torn(np.random.default_rng(9), (0.0, 0.0, 1.0, 2.0))
    catalogue = load_catalogue()
    report = classify(records, rank_values(choices(records), draws=50), catalogue)
    told = to_json({"agent": "toy"}, report, shifts(records, catalogue))
    json.dumps(told, allow_nan=False)
    assert {dose["dose"] for dose in told["doses"]} == {"scarcity"}
    assert {"over", "levels", "change", "low", "high", "against"} <= set(told["shifts"][0])
