"""Two arms on the same seeds: intervals of their differences are right, and pairing counts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from valuesim.archetypes import load_catalogue
from valuesim.archetypes.change import archetype_change
from valuesim.cli import main
from valuesim.episode import Player
from valuesim.graph.differing import beside, differing
from valuesim.graph.units import choices_together, unit_names
from valuesim.log import read_run
from valuesim.log.reader import EpisodeRecord
from valuesim.measures.acts import Cell, counted
from valuesim.measures.interval import clustered_rate
from valuesim.measures.paired import (
    aligned,
    paired_difference,
    paired_differences,
    paired_p,
)
from valuesim.measures.paired_acts import paired_acts

Pair = tuple[float, float]


def drawn(
    rng: np.random.Generator,
    rates: tuple[float, float],
    correlation: float,
    *,
    repeats: int,
    units: int,
    size: int = 10,
    within: float = 0.2,
) -> list[np.ndarray]:
    """Return acts (repeats x units) in two arms: beta-binomial units, correlated by a copula."""
    shape = 1 / within - 1
    normal = rng.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], (repeats, units))
    grid = np.linspace(1e-6, 1 - 1e-6, 4001)
    found = []
    for arm, rate in enumerate(rates):
        quantiles = stats.beta.ppf(grid, rate * shape, (1 - rate) * shape)
        share = np.interp(stats.norm.cdf(normal[..., arm]), grid, quantiles)
        found.append(rng.binomial(size, share).astype(float))
    return found


def test_a_small_case_is_as_worked_by_hand() -> None:
    first = {"a": (1, 2), "b": (0, 2), "c": (2, 2)}
    second = {"a": (2, 2), "b": (1, 2), "c": (2, 2)}
    found = paired_difference(first, second)
    # residuals of the first: 0, -1, 1 over 6; variance 3/2 * 2/36 = 1/12; n = (1/4) / (1/12) = 3
    shrink = (stats.norm.ppf(0.975) / stats.t.ppf(0.975, 2)) ** 2
    n = 3 * shrink
    below, above = (
        0.5 - stats.beta.ppf(0.025, n / 2, n / 2 + 1),
        stats.beta.ppf(0.975, n / 2 + 1, n / 2) - 0.5,
    )
    # of the second: 1/3, -2/3, 1/3 over 6; variance 3/2 * (2/3)/36 = 1/36; n = (5/36) * 36 = 5
    m = 5 * shrink
    under = 5 / 6 - stats.beta.ppf(0.025, m * 5 / 6, m / 6 + 1)
    over = stats.beta.ppf(0.975, m * 5 / 6 + 1, m / 6) - 5 / 6
    # residuals correlate by (0 + 2/3 + 1/3) / sqrt(2 * 2/3); one chance takes
    # sqrt(1/12 * 1/36) / (2 * 1/4 * 5/36) of that
    r = max(0.0, 1 / np.sqrt(4 / 3) - np.sqrt(1 / 432) / (10 / 144))
    assert (found.first, found.second) == (0.5, pytest.approx(5 / 6))
    assert found.correlation == pytest.approx(r)
    low = np.sqrt(under**2 + above**2 - 2 * r * under * above)
    high = np.sqrt(over**2 + below**2 - 2 * r * over * below)
    assert found.low == pytest.approx(1 / 3 - low)
    assert found.high == pytest.approx(1 / 3 + high)
    assert (found.units, found.n_first, found.n_second, found.why) == (3, 6, 6, None)


def test_the_limits_of_each_rate_are_those_of_the_rate_alone() -> None:
    rng = np.random.default_rng(0)
    first = {u: (float(rng.integers(5)), 4.0) for u in range(12)}
    second = {u: (float(rng.integers(3)), 7.0) for u in range(4, 20)}
    found = paired_differences(*aligned(first, second))
    for own, limits in ((first, found.first_limits), (second, found.second_limits)):
        alone = clustered_rate([d for d, _ in own.values()], [n for _, n in own.values()])
        assert limits[0].tolist() == pytest.approx([alone.low, alone.high])


def test_one_chance_a_unit_correlates_as_newcombes_phi() -> None:
    cells = {(1, 1): 40, (1, 0): 14, (0, 1): 6, (0, 0): 40}
    pairs = [pair for pair, count in cells.items() for _ in range(count)]
    first = {u: (float(a), 1.0) for u, (a, _) in enumerate(pairs)}
    second = {u: (float(b), 1.0) for u, (_, b) in enumerate(pairs)}
    a, b, c, d = cells.values()
    phi = (a * d - b * c - (a + b + c + d) / 2) / np.sqrt((a + b) * (c + d) * (a + c) * (b + d))
    found = paired_difference(first, second)
    assert found.correlation == pytest.approx(phi, abs=2e-3)


def test_a_unit_of_one_arm_counts_in_that_arm_only() -> None:
    first: dict[str, Pair] = {"a": (1, 2), "b": (0, 2), "none": (0, 0)}
    second: dict[str, Pair] = {"b": (2, 2), "c": (1, 4), "d": (0, 2)}
    found = paired_difference(first, second)
    assert (found.units, found.units_first, found.units_second) == (1, 2, 3)
    assert (found.first, found.second) == (0.25, pytest.approx(3 / 8))


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ({}, {"a": (1, 2)}, "nothing was possible in the first arm"),
        ({"a": (1, 2), "b": (1, 2)}, {"a": (0, 0)}, "nothing was possible in the second arm"),
        ({"a": (1, 2)}, {"a": (1, 2), "b": (2, 2)}, "one unit only in the first arm"),
    ],
)
def test_too_little_has_a_reason_and_no_interval(
    first: dict[str, Pair], second: dict[str, Pair], why: str
) -> None:
    found = paired_difference(first, second)
    assert (found.low, found.high, found.correlation) == (None, None, None)
    assert found.why is not None
    assert found.why.startswith(why)
    assert paired_p(first, second) is None


def test_arms_that_never_differ_are_not_known_to_the_last_digit() -> None:
    same = {unit: (float(unit % 3), 2.0) for unit in range(20)}
    found = paired_difference(same, same)
    assert found.value == 0
    assert found.low is not None
    assert -0.2 < found.low < -0.02
    assert paired_p(same, same) == pytest.approx(1)


def test_the_p_value_is_where_the_interval_ends_at_nothing() -> None:
    rng = np.random.default_rng(1)
    one, two = drawn(rng, (0.2, 0.45), 0.5, repeats=1, units=20)
    first = {u: (float(d), 10.0) for u, d in enumerate(one[0])}
    second = {u: (float(d), 10.0) for u, d in enumerate(two[0])}
    p = paired_p(first, second)
    assert p is not None
    found = paired_difference(first, second, level=1 - p)
    assert min(abs(found.low or 0), abs(found.high or 0)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("rates", [(0.2, 0.2), (0.5, 0.5), (0.2, 0.5)])
@pytest.mark.parametrize("units", [10, 20, 60])
def test_intervals_cover_the_planted_difference(
    rates: tuple[float, float], units: int, correlation: float
) -> None:
    rng = np.random.default_rng([units, int(10 * correlation), int(10 * sum(rates))])
    one, two = drawn(rng, rates, correlation, repeats=2000, units=units)
    possible = np.full_like(one, 10.0)
    found = paired_differences(one, possible, two, possible)
    truth = rates[1] - rates[0]
    share = ((found.low <= truth) & (truth <= found.high)).mean()
    # three standard errors below 95 %; few units are too wide, never too narrow
    assert 0.935 <= share <= 0.995


def test_pairing_narrows_the_interval_where_units_go_together() -> None:
    rng = np.random.default_rng(5)
    widths = {}
    for correlation in (0.0, 0.9):
        one, two = drawn(rng, (0.4, 0.5), correlation, repeats=300, units=30, size=30)
        possible = np.full_like(one, 30.0)
        found = paired_differences(one, possible, two, possible)
        widths[correlation] = float((found.high - found.low).mean())
    assert widths[0.9] < 0.6 * widths[0.0]


def test_a_cluster_bootstrap_of_units_has_intervals_as_wide() -> None:
    rng = np.random.default_rng(2)
    one, two = drawn(rng, (0.3, 0.5), 0.6, repeats=20, units=80)
    possible = np.full_like(one, 10.0)
    found = paired_differences(one, possible, two, possible)
    ratios = []
    for repeat in range(20):
        picked = rng.integers(80, size=(2000, 80))
        shares = two[repeat][picked].mean(axis=1) - one[repeat][picked].mean(axis=1)
        low, high = np.quantile(shares / 10, [0.025, 0.975])
        ratios.append((found.high[repeat] - found.low[repeat]) / (high - low))
    assert 0.95 < np.mean(ratios) < 1.12


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path


def run(name: str, *overrides: str) -> None:
    given = ["run", *overrides, f"run.name=./{name}", "engine.progress=none"]
    assert main(given) == 0


SCARCE = ("env=survival", "cross.env.scarcity=[low,high]", "episodes=6")


def two_agents() -> None:
    run("a", *SCARCE, "agents=exploitative")
    run("b", *SCARCE, "agents=context_dependent")


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(["compare", *arguments]) == 0
    return " ".join(capsys.readouterr().out.split())


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(["compare", *arguments]) == 2
    return capsys.readouterr().err


def played(**model: Any) -> EpisodeRecord:
    player = Player(agent="llm", model=model)
    elicitation = {"format": "json"}
    return EpisodeRecord(
        id="x", env="e-v0", condition={}, population={"a": player}, seed=1, elicitation=elicitation
    )


def test_what_says_who_decided_is_no_reason_for_a_warning() -> None:
    found = differing({"a": [played(name="m", top_p=1)], "b": [played(name="n" * 100)]})
    assert {each.what for each in found} == {"model.name", "model.top_p"}
    assert beside(found) == ()
    told = {each.what: each.settings for each in found}
    assert told["model.name"] == {"a": "m", "b": "n" * 57 + "..."}
    assert told["model.top_p"] == {"a": "1", "b": "none"}


def test_what_differs_beside_who_decided_is_warned_of() -> None:
    other = replace(played(name="n"), elicitation={"format": "name"}, env="e-v1")
    found = differing({"a": [played(name="m")], "b": [other]})
    assert [each.what for each in found] == ["model.name", "elicitation.format", "environment"]
    assert beside(found) == ("elicitation.format", "environment")
    assert beside(found[1:2]) == ()


def test_two_runs_are_set_side_by_side(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two_agents()
    found = told(capsys, "a", "b", "--png", "f.png", "--json", "f.json")
    assert "differs: agent (a: exploitative | b: context_dependent)" in found
    assert "12 seeds of both a and b pair up" in found
    assert "change of archetype: another one with probability 1.00" in found
    assert (folder / "f.png").read_bytes().startswith(b"\x89PNG")
    content = json.loads((folder / "f.json").read_text(encoding="utf-8"))
    (group,) = content["groups"]
    (pair,) = group["paired"]
    assert pair["units"] == {"noun": "seed", "first": 12, "second": 12, "both": 12}
    acts = {(each["act"], each["level"], each["threatened"]): each for each in pair["rates"]}
    high = acts["transgression", "high (slack)", False]
    assert high["second"] == 0
    assert high["high"] < 0
    assert high["moved"] is True
    assert pair["archetype"]["has_changed"] is True
    assert content["paired"]["should_be_alike"] == []


def test_the_same_agent_twice_has_not_moved(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("a", *SCARCE, "agents=context_dependent")
    run("b", *SCARCE, "agents=context_dependent")
    found = json.loads(told(capsys, "a", "b", "--json", "-"))
    assert found["paired"]["differs"] == []
    (pair,) = found["groups"][0]["paired"]
    assert {each["moved"] for each in pair["rates"]} == {False}
    assert pair["archetype"]["probability"] < 0.05
    assert "two samples of one agent" in told(capsys, "a", "b")


def test_seeds_that_one_run_lacks_are_counted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("a", "env=survival", "env.scarcity=low", "agents=ethical", "episodes=6")
    run("b", "env=survival", "env.scarcity=low", "agents=exploitative", "episodes=4")
    assert "4 seeds of both a and b pair up; 2 seeds at a only" in told(capsys, "a", "b")


def test_another_wording_is_paired_by_seed_and_warned_of(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("a", "env=survival", "env.scarcity=low", "agents=ethical", "episodes=4")
    run(
        "b",
        "env=survival",
        "env.scarcity=low",
        "env.wording=normative",
        "agents=exploitative",
        "episodes=4",
    )
    found = told(capsys, "a", "b")
    assert "warning: wording should be alike" in found
    assert "4 seeds of both a and b pair up" in found


def test_strengths_share_the_clusters_of_both_runs(folder: Path) -> None:
    run("a", "env=ai_risk", "agents=valued:protector", "episodes=2")
    run("b", "env=ai_risk", "agents=valued:climber", "episodes=2")
    arms = {name: list(read_run(folder / name).decisions()) for name in "ab"}
    clusters = [{each.cluster for each in own.evidence} for own in choices_together(arms).values()]
    assert clusters[0] == clusters[1]


def test_a_partner_that_both_runs_have_is_compared_with_itself(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    game = ("env=prisoners_dilemma", "env.horizon=4", "episodes=6")
    run("a", *game, "agents.all=[always_cooperate,tit_for_tat]")
    run("b", *game, "agents.all=[always_defect,tit_for_tat]")
    found = json.loads(told(capsys, "a", "b", "--json", "-"))
    groups = {each["group"]["agent"]: each["paired"][0] for each in found["groups"]}
    assert set(groups) == {"tit_for_tat", None}
    rates = {each["act"]: each for each in groups[None]["rates"]}
    assert (rates["cooperation"]["first"], rates["cooperation"]["second"]) == (1, 0)


def test_between_levels_the_same_seeds_are_paired_too(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two_agents()
    found = json.loads(told(capsys, "a", "b", "--between", "agent", "--json", "-"))
    (pair,) = found["groups"][0]["paired"]
    assert (pair["against"], pair["level"]) == ("context_dependent", "exploitative")
    assert pair["units"]["both"] == 12
    assert pair["archetype"]["has_changed"] is True


def test_what_cannot_be_compared_is_refused_in_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("a", "env=survival", "env.scarcity=low", "agents=ethical")
    run("b", "env=prisoners_dilemma", "agents=tit_for_tat")
    assert "name a second to compare it with" in refused(capsys, "a")
    assert "a was given twice" in refused(capsys, "a", "a")
    assert "a and . share a" in refused(capsys, "a", ".")
    assert "3 paths were given" in refused(capsys, "a", "b", ".")
    assert "no environment was played in all paths" in refused(capsys, "a", "b")
    assert "--against needs --between" in refused(capsys, "a", "b", "--against", "a")


def test_a_fault_counts_as_a_fault_and_as_no_act(folder: Path) -> None:
    run("a", "env=prisoners_dilemma", "env.horizon=3", "agents=mute", "episodes=2")
    records = list(read_run(folder / "a").decisions())
    found = counted(records, unit_names([records]))
    cell = Cell(act="faults", env="prisoners_dilemma-v0")
    assert found == {cell: dict.fromkeys(found[cell], (6.0, 6.0))}


def test_agents_that_never_chose_did_not_survive_by_what_they_did(folder: Path) -> None:
    for name in ("mute", "random"):
        run(name, "env=survival", "env.scarcity=high", f"agents={name}", "episodes=2")
    arms = [list(read_run(folder / name).decisions()) for name in ("mute", "random")]
    (lived,) = [each for each in paired_acts(*arms).acts if each.cell.act == "survival"]
    assert lived.difference.first is None
    assert lived.difference.second is not None
    assert not lived.moved


def test_acts_of_nobody_are_none() -> None:
    found = paired_acts([], [])
    assert found.acts == ()
    assert (found.pairing.first, found.pairing.both) == (0, 0)


def test_without_correlation_a_change_has_the_product_of_both_posteriors(folder: Path) -> None:
    run("a", *SCARCE[:2], "episodes=3", "agents=ethical")
    run("b", *SCARCE[:2], "episodes=3", "agents=random")
    arms = [list(read_run(folder / name).decisions()) for name in "ab"]
    found = archetype_change(*arms, load_catalogue())
    for (first, second), share in found.joint.items():
        product = found.first.posterior[first] * found.second.posterior[second]
        # four standard errors of 4000 draws
        assert share == pytest.approx(product, abs=0.04)


def test_a_game_has_no_archetype_to_change(folder: Path) -> None:
    run("a", "env=prisoners_dilemma", "agents=tit_for_tat", "episodes=2")
    records = list(read_run(folder / "a").decisions())
    found = archetype_change(records, records, load_catalogue())
    assert (found.probability, found.joint, found.has_changed) == (None, {}, False)
    assert found.why == "no decision of either left a transgression open"


def test_correlated_errors_make_a_change_on_the_brink_less_probable(folder: Path) -> None:
    run("a", *SCARCE[:2], "episodes=3", "agents=ethical")
    records = list(read_run(folder / "a").decisions())
    catalogue = load_catalogue()
    apart, together = (
        archetype_change(records, records, catalogue, correlation=each) for each in (0.0, 0.99)
    )
    assert apart.probability is not None
    assert together.probability is not None
    assert 0.05 < together.probability < apart.probability - 0.02
    assert sum(together.joint.values()) == pytest.approx(1)


def test_equal_input_gives_equal_bytes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two_agents()
    found: list[Any] = [told(capsys, "a", "b", "--json", "-") for _ in range(2)]
    assert found[0] == found[1]
