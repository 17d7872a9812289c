"""How many decisions it takes until the estimated order of values is the planted one, nearly.

That is Kendall's tau >= 0.9 between the estimated and the planted strengths. The estimate is the
same for every order of asking: the mode of valuesim's choice model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from scipy.stats import kendalltau

from benchmarks.adaptive.bound import possible
from benchmarks.adaptive.orders import BATCH, ORDERS, answered_to
from benchmarks.adaptive.planted import KINDS, POOLS, Planted, contested, draw
from valuesim.graph.design import FloatArray
from valuesim.graph.information import Prospects, belief

TAU = 0.9
STEP = BATCH // 2


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Curves:
    """Tau of each agent (rows) after STEP, 2 STEP, ... decisions, by the order of asking.

    `possible` is the mean share of random order's decisions that the best design needs (`bound`).
    """

    pool: str
    kind: str
    tau: Mapping[str, FloatArray]
    possible: float

    def of_mean(self, order: str) -> float:
        """Return after how many decisions the mean tau is TAU; inf if it never is."""
        return _first(self.tau[order].mean(axis=0) >= TAU)

    def of_agents(self, order: str) -> FloatArray:
        """Return after how many decisions each agent's tau is TAU and stays so; inf if never."""
        lasting = np.logical_and.accumulate(self.tau[order][:, ::-1] >= TAU, axis=1)[:, ::-1]
        return np.array([_first(each) for each in lasting])


def curves(pool: str, kinds: tuple[str, ...], agents: int, most: int, seed: int) -> list[Curves]:
    """Return the curves of so many `agents` of each kind over `most` decisions from one pool."""
    known = contested(POOLS[pool]())
    return [_curves(known, pool, kind, agents, most, seed) for kind in kinds]


def _curves(known: Prospects, pool: str, kind: str, agents: int, most: int, seed: int) -> Curves:
    tau: dict[str, list[list[float]]] = {order: [] for order in ORDERS}
    shares = []
    for number in range(agents):
        key = [seed, crc32(f"{pool}/{kind}".encode()), number]
        agent = draw(KINDS[kind], known, np.random.default_rng(key))
        shares.append(possible(known, agent, KINDS[kind], TAU))
        for order, ask in ORDERS.items():
            asked = ask(known, agent, most, np.random.default_rng([*key, 1]))
            tau[order].append(_taus(known, agent, asked))
    return Curves(
        pool=pool,
        kind=kind,
        tau={name: np.array(each) for name, each in tau.items()},
        possible=float(np.mean(shares)),
    )


def _taus(known: Prospects, agent: Planted, asked: list[int]) -> list[float]:
    found = []
    for count in range(STEP, len(asked) + 1, STEP):
        theta = belief(answered_to(known, agent, asked[:count])).theta
        found.append(float(kendalltau(theta[: len(agent.strengths)], agent.strengths).statistic))
    return found


def _first(is_reached: np.ndarray) -> float:
    return float((np.argmax(is_reached) + 1) * STEP) if is_reached.any() else np.inf
