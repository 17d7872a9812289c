"""Drift over checkpoints: planted changes are found at their time, and none where none is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.test_comparison import NAMES, WEIGHTS, chosen, scenes, several
from valuesim.choices import Choices
from valuesim.cli import main
from valuesim.cli.checkpoints import step_of
from valuesim.episode import Player
from valuesim.graph.drift import Drift, value_drift
from valuesim.graph.steps import EITHER, STEP, TREND, movement, timing
from valuesim.log.pool import Pool
from valuesim.log.reader import EpisodeRecord
from valuesim.measures.paired import paired_differences
from valuesim.measures.visible import visible_difference

EVERY = np.eye(6)


def noisy(line: np.ndarray, error: float, rng: np.random.Generator) -> np.ndarray:
    """Return figures at six checkpoints around `line`."""
    return np.asarray(line + error * rng.standard_normal(6))


STEPPED = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
TRENDING = np.linspace(0.0, 1.0, 6)


def test_the_size_of_a_step_is_the_mean_after_it_less_the_mean_before() -> None:
    found = timing(np.array([1.0, 2.0, 6.0, 8.0]), 0.01 * np.eye(4), range(4), 1e9)
    assert found.gap == 1
    assert found.size == pytest.approx(7 - 1.5)
    assert found.high - found.size == pytest.approx(1.96 * 0.1, rel=1e-3)


def test_the_probability_of_a_gap_is_the_likelihood_of_a_step_there() -> None:
    # with independent errors and flat priors: exp(-rest / 2) times sqrt(4 / (before * after))
    estimate, error = np.array([0.0, 0.4, 1.1, 0.9]), 0.5
    weights = []
    for gap in range(3):
        parts = [estimate[: gap + 1], estimate[gap + 1 :]]
        rest = sum(((part - part.mean()) ** 2).sum() for part in parts) / error**2
        weights.append(np.exp(-rest / 2) / np.sqrt(len(parts[0]) * len(parts[1])))
    found = timing(estimate, error**2 * np.eye(4), range(4), np.inf)
    assert found.probabilities == pytest.approx(np.array(weights) / sum(weights))


def test_a_step_is_told_from_a_trend_where_the_figures_can() -> None:
    known = timing(STEPPED, 0.0025 * EVERY, range(6), 1e9)
    assert (known.shape, known.gap, known.first, known.last) == (STEP, 2, 2, 3)
    assert timing(TRENDING, 0.0025 * EVERY, range(6), 1e9).shape == TREND
    thin = timing(STEPPED, 0.5 * EVERY, range(6), 1e9)
    assert (thin.shape, thin.first, thin.last) == (EITHER, 0, 5)


def test_a_trend_is_straight_over_the_positions_given() -> None:
    at = [0.0, 1.0, 2.0, 10.0, 11.0, 12.0]
    figures = np.array(at) / 12
    assert timing(figures, 1e-3 * EVERY, at, 1e9).step < 0.01
    assert timing(figures, 1e-3 * EVERY, range(6), 1e9).step > 0.9


@pytest.mark.parametrize("size", [2.0, 4.0])
def test_the_interval_of_the_time_holds_the_planted_gap(size: float) -> None:
    rng = np.random.default_rng(3)
    held = []
    for _ in range(400):
        gap = int(rng.integers(5))
        line = size * (np.arange(6) > gap)
        shared = 0.7 * rng.standard_normal()
        found = timing(noisy(line, 0.7, rng) + shared, 0.49 * (EVERY + 1), range(6), np.inf)
        held.append(found.first <= gap < found.last)
    # three standard errors below 95 %
    assert np.mean(held) > 0.917


def test_what_does_not_move_is_said_to_in_one_of_twenty() -> None:
    rng = np.random.default_rng(4)
    root = np.linalg.cholesky(EVERY + 0.8)
    p = [
        movement(root @ rng.standard_normal(6), EVERY + 0.8, np.inf, np.random.default_rng(0)).p
        for _ in range(300)
    ]
    assert 0.012 <= np.mean(np.array(p) <= 0.05) <= 0.09
    assert stats.kstest(p, "uniform").pvalue > 0.001


def test_the_smallest_visible_step_is_seen_in_four_of_five() -> None:
    rng = np.random.default_rng(5)
    visible = movement(np.zeros(6), EVERY, np.inf, np.random.default_rng(0)).visible
    # the first gap is the one in which a step is hardest to see
    line = visible * (np.arange(6) > 0)
    seen = [
        movement(noisy(line, 1.0, rng), EVERY, np.inf, np.random.default_rng(0)).p <= 0.05
        for _ in range(200)
    ]
    assert 0.75 < np.mean(seen) < 0.95


def test_the_smallest_visible_difference_of_rates_is_seen_in_four_of_five() -> None:
    rng = np.random.default_rng(7)
    # of rare acts a study tells its own noise roughly, and misses a little more
    for rate, least in ((0.02, 0.64), (0.2, 0.71)):
        # 60 seeds of 20 chances, correlated by 0.3 within; of five checkpoints the first is before
        possible = np.array([20.0, 80.0])
        alike = chances(rng, (rate, rate), possible)
        told = [
            visible_difference(*map(counts_of, each, possible), level=1 - 0.05 / 4)
            for each in zip(alike[0][:10], alike[1][:10], strict=True)
        ]
        step = np.mean([each for each in told if each is not None])
        one, two = chances(rng, (rate, rate + float(step)), possible)
        found = paired_differences(
            one,
            np.full_like(one, possible[0]),
            two,
            np.full_like(two, possible[1]),
            level=1 - 0.05 / 4,
        )
        assert least < np.mean((found.low > 0) | (found.high < 0)) < 0.89


def chances(
    rng: np.random.Generator, rates: tuple[float, float], possible: np.ndarray
) -> list[np.ndarray]:
    """Return what 60 units did in 400 studies of two arms: beta-binomial, correlated by 0.3."""
    return [
        rng.binomial(int(n), rng.beta(rate / 0.3 * 0.7, (1 - rate) / 0.3 * 0.7, (400, 60))) * 1.0
        for rate, n in zip(rates, possible, strict=True)
    ]


def counts_of(done: np.ndarray, possible: float) -> dict[int, tuple[float, float]]:
    return {unit: (float(each), possible) for unit, each in enumerate(done)}


@pytest.mark.parametrize(("done", "rate"), [(0.0, 0.0), (5.0, 1.0)])
def test_a_rate_that_never_varies_has_a_visible_difference_still(done: float, rate: float) -> None:
    arm = dict.fromkeys(range(30), (done, 5.0))
    # each seed counts as one chance: 11 of 30 are what leaves 0 out nearly always
    found = visible_difference(arm, arm, level=0.95)
    assert found is not None
    assert 0.2 < found < 0.4
    assert visible_difference({0: (1.0, 5.0)}, arm, level=0.95) is None


def checkpoints(
    seed: int, *, gap: int | None, jump: float = 1.2, count: int = 5
) -> dict[str, Choices]:
    """Return choices of softmax agents at checkpoints, on the same scenes, of which v0 falls.

    Behind the checkpoint `gap` v0 is weaker and v5 stronger by `jump`; nothing moves without it.
    """
    rng = np.random.default_rng(seed)
    asked, at = scenes(rng, 6, 200), several(200, 5, "s")
    effects = {name: 0.7 * rng.standard_normal(6) for name in at}
    found = {}
    for place in range(count):
        weights = np.array(WEIGHTS)
        if gap is not None and place > gap:
            weights[0] -= jump
            weights[5] += jump
        found[f"c{place}"] = chosen(list(weights), asked, at, rng, effects)
    return found


def drifts(choices: dict[str, Choices]) -> dict[str, Drift]:
    at = {name: float(place) for place, name in enumerate(choices)}
    return {each.name: each for each in value_drift(choices, at).drifts}


def test_softmax_agents_that_change_are_found_when_and_by_how_much() -> None:
    found, held, alarms = 0, 0, 0
    for seed in range(12):
        own = drifts(checkpoints(seed, gap=seed % 4))
        for name, size in (("v0", -1.2), ("v5", 1.2)):
            each = own[name]
            if each.timing is not None:
                found += 1
                held += each.timing.first <= seed % 4 < each.timing.last
                assert np.sign(each.timing.size) == np.sign(size)
        alarms += len({n for n, d in own.items() if d.moved} - {"v0", "v5"})
    # of 48 values that stayed, 5 % of the 12 tables, and what chance allows
    assert alarms <= 3
    assert found >= 18
    assert held >= found - 1


def test_softmax_agents_that_stay_as_they_are_have_not_moved() -> None:
    alarms = [
        any(d.moved for d in drifts(checkpoints(90 + s, gap=None)).values()) for s in range(25)
    ]
    # 5 % of 25, and what chance allows
    assert sum(alarms) <= 4


def test_a_value_that_is_not_at_stake_everywhere_is_left_out() -> None:
    choices = checkpoints(1, gap=None, count=2)
    lacking = tuple(
        each
        for each in choices["c1"].evidence
        if not any(NAMES[3] in option.stakes for option in each.options)
    )
    choices["c1"] = Choices(decisions=len(lacking), evidence=lacking)
    found = value_drift(choices, {"c0": 0.0, "c1": 1.0})
    assert found.left_out == {"v3": "never at stake (c1)"}


def test_checkpoints_without_evidence_say_why() -> None:
    found = value_drift({"c0": Choices(), "c1": Choices()}, {"c0": 0.0, "c1": 1.0})
    assert found.drifts == ()
    assert found.why == "fewer than two levels can be ranked (c0: no decision; c1: no decision)"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path


def run(name: str, *overrides: str) -> None:
    assert main(["run", *overrides, f"run.name=./{name}", "engine.progress=none"]) == 0


def drift(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(["drift", *arguments]) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(["drift", *arguments]) == 2
    return capsys.readouterr().err


def test_a_change_between_scripted_checkpoints_is_found_and_drawn(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scarce = ("env=survival", "env.scarcity=low", "episodes=8")
    for place in range(4):
        run(f"c{place}", *scarce, f"agents={'ethical' if place < 3 else 'exploitative'}")
    paths = [f"c{place}" for place in range(4)]
    found = drift(capsys, *paths, "--at", "0,10,20,30", "--png", "f.png", "--json", "f.json")
    words = " ".join(found.split())
    assert "transgression at low (infeasible), threatened moved (p < 0.001): a step" in words
    assert "between c2 and c3 (95 %: between c2 and c3)" in words
    assert (folder / "f.png").read_bytes().startswith(b"\x89PNG")
    content = json.loads((folder / "f.json").read_text(encoding="utf-8"))
    assert content["checkpoints"][3] == {"name": "c3", "at": 30}
    (group,) = content["groups"]
    acts: dict[str, Any] = {each["name"]: each for each in group["acts"]}
    moved = acts["transgression at low (infeasible), threatened"]
    assert (moved["timing"]["after"], moved["timing"]["before"]) == ("c2", "c3")
    assert acts["faults at low (infeasible)"]["moved"] is False
    assert [each["checkpoint"] for each in group["archetypes"]] == ["c1", "c2", "c3"]


def test_checkpoints_that_are_all_alike_have_not_moved(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in range(3):
        run(f"c{place}", "env=ai_risk", "agents=valued:protector", "episodes=2")
    words = " ".join(drift(capsys, "c0", "c1", "c2").split())
    assert words.count("nothing moved:") == 2
    assert "would have been seen with about 80 % probability" in words


def test_the_order_is_as_given_or_by_the_step(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in (200, 30):
        run(f"step{place}", "env=prisoners_dilemma", "agents=tit_for_tat", "episodes=2")
    paths = ("step200", "step30")
    given = json.loads(drift(capsys, *paths, "--json", "-"))["checkpoints"]
    assert given == [{"name": "step200", "at": 1}, {"name": "step30", "at": 2}]
    by_step = json.loads(drift(capsys, *paths, "--order", "step", "--json", "-"))["checkpoints"]
    assert by_step == [{"name": "step30", "at": 30}, {"name": "step200", "at": 200}]


@pytest.mark.parametrize(
    ("model", "path", "step"),
    [
        ("qwen2.5-7b-step1000", "runs/third", 1000),
        ("ckpt_20-instruct-v2", "runs/third", 20),
        ("mine-400", "runs/third", 400),
        ("mine", "runs/epoch-3", 3),
    ],
)
def test_a_step_is_read_from_the_model_else_from_the_path(
    model: str, path: str, step: float
) -> None:
    player = Player(agent="llm", model={"name": model})
    episode = EpisodeRecord(id="x", env="e-v0", condition={}, population={"a": player}, seed=1)
    pool = Pool(episodes={"x": episode}, decisions=(), interrupted=())
    assert step_of(path, pool) == step
    told = replace(episode, condition={"step": 7})
    assert step_of(path, replace(pool, episodes={"x": told})) == 7


def test_what_cannot_be_followed_is_refused_in_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        run(name, "env=prisoners_dilemma", "agents=tit_for_tat", "episodes=2")
    assert "one checkpoint was given" in refused(capsys, "a")
    assert "a was given twice" in refused(capsys, "a", "a")
    assert "has 3 positions for 2 checkpoints" in refused(capsys, "a", "b", "--at", "1,2,3")
    assert "does not ascend" in refused(capsys, "a", "b", "--at", "2,1")
    assert "does not ascend" in refused(capsys, "a", "b", "--at", "1,inf")
    assert "no list of numbers" in refused(capsys, "a", "b", "--at", "1,x")
    assert "give one" in refused(capsys, "a", "b", "--at", "1,2", "--order", "step")
    assert "no number in" in refused(capsys, "a", "b", "--order", "step")
    assert "must end in .png or .svg" in refused(capsys, "a", "b", "--png", "f.pdf")
