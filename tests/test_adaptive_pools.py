"""What adaptive asking saves: in packs together, and how the tables of the benchmark tell it."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pytest
from scipy import stats

from benchmarks.adaptive import tables
from benchmarks.adaptive.orders import ORDERS, answered_to
from benchmarks.adaptive.planted import (
    ACROSS,
    KINDS,
    KINDS_OF_POOLS,
    POOLS,
    Kind,
    contested,
    draw,
    even,
    shipped,
)
from benchmarks.adaptive.reach import STEP, Curves
from valuesim.graph.information import belief


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """The intervals are not looked at here."""
    monkeypatch.setattr(tables, "_DRAWS", 20)


def curves(pool: str, *, rate: float, agents: int = 4, most: int = 160) -> list[Curves]:
    """Return agents whose tau grows with decisions, adaptively `rate` times as fast."""
    n = np.arange(STEP, most + 1, STEP)
    found = []
    for kind in KINDS:
        slow = np.tile(1 - 8 / (8 + n), (agents, 1))
        fast = np.tile(1 - 8 / (8 + rate * n), (agents, 1))
        tau = {"adaptive": fast, "random": slow, "all pairs": slow}
        found.append(Curves(pool=pool, kind=kind, tau=tau, possible=1 / rate))
    return found


def row(text: str, name: str) -> list[str]:
    """Return the shares of the row of the second table that begins with `name`."""
    second = text[text.index("is what random order's is after") :]
    (line,) = (each for each in second.splitlines() if each[:40].rstrip() == name)
    return [part.split()[0] for part in line[40:].split(" = ")[1:]]


def test_the_table_tells_the_share_of_each_pool_and_the_average_of_each_kind() -> None:
    measured = [one for pool in POOLS for one in curves(pool, rate=4.0)]
    text = tables.reach(measured, agents=4, most=160)
    for name in (*POOLS, *KINDS_OF_POOLS):
        # 160 / 4 = 40 decisions, told in steps of 16: 48
        assert row(text, name)[2] == "0.30"
    for asked, instead in ACROSS:
        assert row(text, f"{asked}, of {instead} by lot")[2] == "0.30"


def test_a_pool_that_saves_nothing_is_told_as_it_is_and_counts_in_the_averages() -> None:
    rates = dict.fromkeys(POOLS, 4.0) | {"pack daily": 1.0}
    measured = [one for pool in POOLS for one in curves(pool, rate=rates[pool])]
    text = tables.reach(measured, agents=4, most=160)
    assert row(text, "pack daily")[2] == "1.00"
    assert row(text, "with room")[2] == "0.30"
    assert float(row(text, "dilemmas")[2]) > 0.3
    assert float(row(text, "all")[2]) > 0.3


def test_each_pool_is_in_one_kind_and_either_has_room_or_has_none() -> None:
    of_kind = [*KINDS_OF_POOLS["scenes"], *KINDS_OF_POOLS["dilemmas"]]
    assert sorted([*of_kind, *KINDS_OF_POOLS["questionnaires"]]) == sorted(POOLS)
    assert sorted([*KINDS_OF_POOLS["with room"], *KINDS_OF_POOLS["without"]]) == sorted(POOLS)


@pytest.mark.parametrize(
    ("env", "parameters"),
    [
        ("dilemmas-v0", {"pack": ["ai_risk", "daily", "generated"], "per_pair": 2}),
        ("questionnaire-v0", {"instrument": "bundles"}),
    ],
)
def test_half_the_decisions_are_enough_where_there_is_room(
    env: str, parameters: dict[str, object]
) -> None:
    known = contested(shipped(env, parameters, 600))
    found: dict[str, list[float]] = {"adaptive": [], "random": []}
    for number in range(4):
        key = [crc32(env.encode()), number]
        agent = draw(Kind(strengths=even(2.0)), known, np.random.default_rng(key))
        for order, count in (("adaptive", 192), ("random", 384)):
            asked = ORDERS[order](known, agent, count, np.random.default_rng([*key, 1]))
            theta = belief(answered_to(known, agent, asked)).theta[: len(agent.strengths)]
            found[order].append(float(stats.kendalltau(theta, agent.strengths).statistic))
    assert np.mean(found["adaptive"]) > np.mean(found["random"]) - 0.02
