"""The validity suite on sizes too small to measure anything, so that it cannot rot."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, special

from benchmarks.elo import Battles, battles_of, elo_by_name, permuted_elo, sequential_elo
from benchmarks.validity import coverage, degenerate, design, error, page
from benchmarks.validity.design import Plan
from benchmarks.validity.measured import Measured, gathered
from benchmarks.validity.running import EXPERIMENTS, Block, played


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_repeat_depends_on_its_seed_cell_and_number_alone(name: str) -> None:
    cell = EXPERIMENTS[name].cells[0]
    both = played(1, Block(experiment=name, cell=cell, repeats=(0, 1)))
    (second,) = played(1, Block(experiment=name, cell=cell, repeats=(1,)))
    assert both[1].keys() == second.keys()
    for key in second:
        assert np.array_equal(both[1][key], second[key], equal_nan=True)
    assert any(not np.array_equal(both[0][key], second[key], equal_nan=True) for key in second)


def small() -> dict[str, dict[str, Measured]]:
    """Two repeats of the first cell of each experiment, told as if they were of every cell."""
    measured: dict[str, dict[str, Measured]] = {}
    for name, experiment in EXPERIMENTS.items():
        of = gathered(played(1, Block(experiment=name, cell=experiment.cells[0], repeats=(0, 1))))
        measured[name] = dict.fromkeys(experiment.cells, of)
    return measured


def test_the_page_holds_every_table_and_is_the_same_again(tmp_path: Path) -> None:
    measured = small()
    texts = []
    for folder in ("one", "two"):
        page.write(tmp_path / folder, measured, seed=1, quick=True)
        files = sorted(f for f in (tmp_path / folder).rglob("*") if f.is_file())
        texts.append([f.read_bytes() for f in files])
    assert texts[0] == texts[1]
    written = (tmp_path / "one" / "validity.md").read_text(encoding="utf-8")
    for experiment in EXPERIMENTS.values():
        for cell in experiment.cells:
            assert cell.rsplit(", ", 1)[-1 if experiment.name == "error" else 0] in written
    assert "{{" not in written
    assert not re.search(r"\bnan\b", written)
    assert len(list((tmp_path / "one" / page.FOLDER).glob("*.svg"))) == 4


def test_every_case_of_little_to_say_is_told_without_a_traceback_or_a_nan() -> None:
    rows = degenerate.table().rows
    assert [row[0] for row in rows] == list(degenerate.CASES)
    assert not [row for row in rows if re.search(r"\bnan\b|None", " ".join(row))]


def test_planted_choices_follow_the_logit() -> None:
    strengths = np.array([0.9, 0.2, -1.1])
    made = design.made(Plan(scenes=40_000, values=3, first=0.5), strengths, rng())
    first, second = (made.stakes[:, place].argmax(axis=1) for place in (0, 1))
    for u, w in ((0, 1), (2, 0)):
        met = (first == u) & (second == w)
        expected = special.expit(strengths[u] - strengths[w] + 0.5)
        assert (made.taken[met] == 0).mean() == pytest.approx(expected, abs=0.02)


def test_scenes_asked_again_are_answered_alike_in_any_order() -> None:
    made = design.made(Plan(scenes=50, alike=4), np.zeros(8), rng())
    taken = made.stakes[np.arange(200), made.taken].argmax(axis=1)
    for scene in range(50):
        assert len(set(taken[made.cluster == scene])) == 1
    assert 0 < made.taken.mean() < 1
    assert len(design.coded(Plan(alike=4), made).clusters) == 50


def test_clusters_are_even_and_faults_are_left_out_and_counted() -> None:
    plan = Plan(scenes=60, clusters=6)
    made = design.made(plan, np.zeros(8), rng())
    assert np.bincount(made.cluster).tolist() == [10] * 6
    faults = np.arange(60) % 4 == 0
    coded = design.coded(plan, made, faults)
    assert (len(coded), coded.decisions, coded.faults) == (45, 60, {"unparsed": 15})


def test_a_fixed_order_shows_the_value_listed_first_in_front() -> None:
    made = design.made(Plan(scenes=30, order="by value"), np.zeros(8), rng())
    first, second = (made.stakes[:, place].argmax(axis=1) for place in (0, 1))
    assert (first < second).all()


def test_what_a_population_gives_is_the_fit_of_very_many_clusters() -> None:
    strengths = np.array([1.2, 0.1, -1.3])
    found = design.population(strengths, 0.8)
    draws = strengths + 0.8 * rng().standard_normal((400_000, 3))
    pairs = [(0, 1), (0, 2), (1, 2)]
    shares = [float(special.expit(draws[:, u] - draws[:, w]).mean()) for u, w in pairs]

    def loss(theta: np.ndarray) -> float:
        gaps = np.array([theta[u] - theta[w] for u, w in pairs])
        own = special.expit(gaps)
        return float(-(shares * np.log(own) + (1 - np.array(shares)) * np.log(1 - own)).sum())

    other = optimize.minimize(loss, strengths).x
    assert found == pytest.approx(other - other.mean(), abs=0.01)
    assert np.ptp(found) < np.ptp(strengths), "the average choice is less decided"


def test_one_decision_between_two_and_two_values_is_four_battles() -> None:
    stakes = np.zeros((2, 2, 4))
    stakes[0, 0, [0, 1]], stakes[0, 1, [2, 3]] = 1.0, 1.0
    stakes[1, 0, 0], stakes[1, 1, 1] = 1.0, 1.0
    battles = battles_of(stakes, np.array([1, 0]))
    told = zip(battles.winner, battles.loser, battles.decision, strict=True)
    assert sorted(tuple(map(int, each)) for each in told) == [
        *((0, 1, 1), (2, 0, 0), (2, 1, 0), (3, 0, 0), (3, 1, 0)),
    ]


def test_sequential_elo_moves_by_hand_and_side_by_side_alike() -> None:
    ratings = sequential_elo([0, 0], [1, 1], 2)
    second = 4 / (1 + 10 ** (4 / 400))
    assert ratings == pytest.approx([1002 + second, 998 - second])
    winner, loser = rng(1).integers(5, size=(2, 400))
    battles = Battles(winner=winner, loser=loser, decision=np.arange(400))
    told = ((str(w), str(v), "value_1") for w, v in zip(winner, loser, strict=True) if w != v)
    named = elo_by_name([*told, ("0", "0", "tie")])
    moving = winner != loser
    indexed = sequential_elo(winner[moving], loser[moving], 5)
    assert [named[str(v)] for v in range(5)] == pytest.approx(indexed)
    many = permuted_elo(battles, 5, 3, rng(2))
    orders = rng(2).permuted(np.tile(np.arange(400), (3, 1)), axis=1)
    for order, row in zip(orders, many, strict=True):
        assert row == pytest.approx(sequential_elo(winner[order], loser[order], 5))


def test_disorder_and_distance_by_hand() -> None:
    truth = np.array([2.0, 1.0, 0.0])
    assert error.disorder(truth + 5, truth) == 0
    assert error.disorder(-truth, truth) == 1
    assert error.disorder(np.zeros(3), truth) == 0.5
    assert error.distance(truth + 5, truth) == 0
    assert error.distance(np.zeros(3), truth) == pytest.approx((2 / 3) ** 0.5)


def test_a_share_of_sums_and_its_error_agree_with_a_bootstrap() -> None:
    wholes = rng(3).integers(1, 9, 300).astype(float)
    parts = rng(4).binomial(wholes.astype(int), 0.7).astype(float)
    ratio, own = Measured(of={"part": parts, "whole": wholes}).share("part", "whole")
    drawn = rng(5).integers(300, size=(2000, 300))
    ratios = parts[drawn].sum(axis=1) / wholes[drawn].sum(axis=1)
    assert float(ratio) == pytest.approx(parts.sum() / wholes.sum())
    assert float(own) == pytest.approx(ratios.std(), rel=0.1)


def test_what_is_outside_the_band_is_marked_and_listed() -> None:
    bins = len(coverage.BINS) - 1

    def cell(strengths: float) -> Measured:
        of: Mapping[str, np.ndarray] = {
            "strengths": np.array([strengths - 0.01, strengths + 0.01]),
            "differences": np.array([0.95, 0.95]),
            "ranks": np.array([0.99, 0.99]),
            "sure": np.array([9.0, 11.0]),
            "wrongly": np.array([0.0, 0.0]),
            "width": np.array([2.0, 2.0]),
            "made": np.full((2, bins), 20.0),
            "right": np.full((2, bins), 19.0),
        }
        return Measured(of=of)

    cells = {"good": cell(0.95), "bad": cell(0.90), "near": cell(0.925)}
    assert coverage.outside(cells) == [
        "strengths, bad: 90.0 ± 1.0 %",
        "strengths, near: 92.5 ± 1.0 %, by no more than twice its error",
    ]
    assert "**90.0 ± 1.0**" in coverage.table(cells).markdown()
