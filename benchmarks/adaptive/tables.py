"""The tables of what was measured, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from benchmarks.adaptive.orders import ORDERS
from benchmarks.adaptive.planted import ACROSS, KINDS_OF_POOLS, POOLS
from benchmarks.adaptive.reach import STEP, TAU, Curves
from benchmarks.adaptive.stopping import ASKING, Stopped
from valuesim.graph.design import FloatArray

_DRAWS = 1000


def reach(measured: Sequence[Curves], *, agents: int, most: int) -> str:
    """Return the decisions until tau is reached, and their ratios, by pool and kind of agent."""
    lines = [
        f"decisions until Kendall's tau >= {TAU} ({agents} agents a row, {most} decisions at most)",
        f"{'':36}{'the mean tau is':^38}{'half of the agents stay':^38}",
        f"{'pool':15}{'agents':21}{_heads()}{_heads()}{'best':>8}",
    ]
    for each in measured:
        mean = {order: each.of_mean(order) for order in ORDERS}
        half = {order: float(np.median(each.of_agents(order))) for order in ORDERS}
        lines.append(
            f"{each.pool:15}{each.kind:21}{_cells(mean, most)}{_cells(half, most)}"
            f"{each.possible:8.2f}"
        )
    pools = {name: [each for each in measured if each.pool == name] for name in POOLS}
    for name, held in KINDS_OF_POOLS.items():
        pools[name] = [each for pool in held for each in pools[pool]]
    lines += [_average(name, own, most) for name, own in pools.items()]
    lines += ["", "decisions until the mean tau of all agents is what random order's is after n"]
    lines.append(f"{'pool':40}" + "".join(f"{f'n = {n}':>30}" for n in _marks(most)))
    lines += [_same(name, own, own, most) for name, own in pools.items()]
    for asked, instead in ACROSS:
        lines.append(_same(f"{asked}, of {instead} by lot", pools[asked], pools[instead], most))
    return "\n".join([*lines, ""])


def stopping(ended: Sequence[Stopped]) -> str:
    """Return how often runs stopped, how often wrongly, and the coverage of their intervals."""
    lines = [
        f"runs that ask until all neighbours are told apart (sure = {ASKING.sure}) or "
        f"{ASKING.budget} decisions are made",
        f"{'agents':32}{'runs':>6}{'settled':>9}{'wrong':>7}{'decisions':>11}"
        f"{'claims':>8}{'wrong':>7}{'coverage':>10}{'by lot':>8}",
    ]
    for case in dict.fromkeys(each.case for each in ended):
        lines.append(_ended(case, [each for each in ended if each.case == case]))
    lines.append(_ended("all", ended))
    settled = [each for each in ended if each.settled]
    wrong = sum(each.wrong > 0 for each in settled)
    interval = stats.binomtest(wrong, len(ended)).proportion_ci(method="exact")
    lines.append(
        f"{wrong} of {len(ended)} runs stopped with a wrong order: {wrong / len(ended):.1%} "
        f"({interval.low:.1%} to {interval.high:.1%}); allowed: {1 - ASKING.sure:.0%}"
    )
    return "\n".join(lines)


def _ended(name: str, own: Sequence[Stopped]) -> str:
    settled = [each for each in own if each.settled]
    wrong = sum(each.wrong > 0 for each in settled)
    intervals = sum(each.intervals for each in own)
    return (
        f"{name:32}{len(own):6}{len(settled):9}{wrong:7}"
        f"{np.mean([each.decisions for each in own]):11.0f}"
        f"{sum(each.claims for each in own):8}{sum(each.wrong for each in own):7}"
        f"{sum(each.covered for each in own) / intervals:10.1%}"
        f"{sum(each.covered_by_lot for each in own) / intervals:8.1%}"
    )


def _heads() -> str:
    return "".join(f"{order:>10}" for order in ORDERS) + f"{'ratio':>8}"


def _cells(decisions: Mapping[str, float], most: int) -> str:
    """Return the decisions by order of asking, and adaptive's as a share of random's."""
    told = "".join(f"{_told(each, most):>10}" for each in decisions.values())
    return f"{told}{_ratio(decisions['adaptive'], decisions['random'], most):>8}"


def _ratio(adaptive: float, by_lot: float, most: int) -> str:
    """Return the ratio, as a bound where one of the two is not reached; "-" where neither is."""
    if np.isinf(adaptive) and np.isinf(by_lot):
        return "-"
    bound = ">" if np.isinf(adaptive) else "<" if np.isinf(by_lot) else ""
    return f"{bound}{min(adaptive, most) / min(by_lot, most):.2f}"


def _told(decisions: float, most: int) -> str:
    return f"> {most}" if np.isinf(decisions) else f"{decisions:.0f}"


def _average(name: str, measured: Sequence[Curves], most: int) -> str:
    """Return the averages over agents: tau after some decisions, and decisions until TAU.

    An agent that never arrives counts with `most` decisions, which favours the slower order.
    """
    means = {
        order: np.concatenate([np.minimum(each.of_agents(order), most) for each in measured])
        for order in ORDERS
    }
    ratios = means["adaptive"] / means["random"]
    low, high = _spread(means["adaptive"], means["random"])
    told = ", ".join(f"{order} {decisions.mean():.0f}" for order, decisions in means.items())
    return (
        f"average over {len(ratios)} agents, {name}: {told}; adaptive / random "
        f"{means['adaptive'].mean() / means['random'].mean():.2f} ({low:.2f} to {high:.2f}), "
        f"adaptive / all pairs {means['adaptive'].mean() / means['all pairs'].mean():.2f}"
    )


def _marks(most: int) -> list[int]:
    """Return the numbers of decisions at which the orders are compared."""
    return [most // 4, most // 2, most]


def _same(name: str, asked: Sequence[Curves], by_lot: Sequence[Curves], most: int) -> str:
    """Return after how many decisions, and what share of n, adaptive asking knows as much.

    Adaptive asking is that of `asked`, random order that of `by_lot`, with as many agents. The
    interval is a bootstrap over agents.
    """
    adaptive = np.concatenate([each.tau["adaptive"] for each in asked])
    at_random = np.concatenate([each.tau["random"] for each in by_lot])
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(adaptive), (_DRAWS, len(adaptive)))
    told = ""
    for n in _marks(most):
        needed = _until(adaptive.mean(axis=0), at_random.mean(axis=0), n)
        shares = [
            _until(adaptive[each].mean(axis=0), at_random[each].mean(axis=0), n) / n
            for each in drawn
        ]
        low, high = np.quantile(shares, [0.025, 0.975])
        told += f"{f'{needed} = {needed / n:.2f} ({low:.2f} to {high:.2f})':>30}"
    return f"{name:40}{told}"


def _until(adaptive: FloatArray, by_lot: FloatArray, n: int) -> int:
    """Return after how many decisions `adaptive` is where `by_lot` is after n; n if never."""
    is_there = adaptive >= by_lot[n // STEP - 1]
    return int((np.argmax(is_there) + 1) * STEP) if is_there.any() else n


def _spread(part: np.ndarray, whole: np.ndarray) -> tuple[float, float]:
    """Return a 95 % bootstrap interval, over agents, of the ratio of two means."""
    drawn = np.random.default_rng(0).integers(0, len(part), (_DRAWS, len(part)))
    low, high = np.quantile(part[drawn].mean(axis=1) / whole[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)
