"""Which values tell risky agents from others: strengths in some decisions, risk in others.

For each value, the rate ratio is how many times as often an agent takes the risky option whose
strength is one standard deviation (between the agents) higher: a Poisson regression of risky
choices on the strength, with the held-out decisions as exposure and an intercept for each part held
out. The p-value is of a permutation test (agents' strengths are exchanged, all values together),
corrected for the number of values by Holm (Scandinavian Journal of Statistics 6, 1979). The
interval is robust to what decisions of an agent share and to what those of a scene share (two-way
clusters: Cameron, Gelbach and Miller, Journal of Business and Economic Statistics 29, 2011), with
each agent's score freed of its own pull as a jackknife does (CR3), and Student's t with the
effective number of agents less 1: (sum i)^2 / sum i^2 over the information i of each agent, for
which few agents with many decisions count as few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from valuesim.graph.design import FloatArray

LEAST_AGENTS = 8
PERMUTATIONS = 4999
_STEPS = 50
_LEAST_LEFT = 0.05
_MOST = 6.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueRisk:
    """How risk goes with the strength of one value.

    `ratio` is of risk rates for one standard deviation (`sd`, log-odds per unit of stake) of
    strength, `low` to `high` its 95 % interval; `p` is of no relation, `p_corrected` over all
    values together.
    """

    value: str
    ratio: float
    low: float
    high: float
    sd: float
    p: float
    p_corrected: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Concordance:
    """How often, of two agents, the one predicted to risk more did; 0.5 is chance."""

    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Population:
    """Agents (A), parts held out (F), values (V) and held-out clusters (C).

    `strengths` (A x F x V) were fitted without the part; `risky` and `offered` (A x F x C) count
    held-out choices; `predicted` (A x F) is the mean probability of risk in them.
    """

    values: tuple[str, ...]
    strengths: FloatArray
    risky: FloatArray
    offered: FloatArray
    predicted: FloatArray


def value_risks(population: Population, rng: np.random.Generator) -> tuple[ValueRisk, ...]:
    """Return each value's rate ratio, the smallest p-value first; none if nothing differs."""
    spread = population.strengths.std(axis=0, ddof=1)
    mean_spread = spread.mean(axis=0)
    told = np.flatnonzero(mean_spread > 1e-9)
    if not len(told):
        return ()
    centred = population.strengths - population.strengths.mean(axis=0)
    x = (centred / np.where(spread > 1e-9, spread, 1.0))[:, :, told]
    risky, offered = population.risky.sum(axis=2), population.offered.sum(axis=2)
    slopes = _slopes(x, risky, offered)
    p = _permuted(x, risky, offered, rng)
    corrected = _holm(p)
    errors, effective = _errors(population, x, slopes)
    half = special.stdtrit(np.maximum(effective - 1, 1), 0.975) * errors
    found = [
        ValueRisk(
            value=population.values[value],
            ratio=float(np.exp(slopes[at])),
            low=float(np.exp(slopes[at] - half[at])),
            high=float(np.exp(slopes[at] + half[at])),
            sd=float(mean_spread[value]),
            p=float(p[at]),
            p_corrected=float(corrected[at]),
        )
        for at, value in enumerate(told)
    ]
    return tuple(sorted(found, key=lambda risk: (risk.p, risk.value)))


def concordance(population: Population, rng: np.random.Generator) -> Concordance | None:
    """Return whether agents predicted to risk more do; None if no two differ in risk.

    Agents are compared within each part held out. The interval is of the jackknife over agents, the
    p-value of a permutation test.
    """
    risky, offered = population.risky.sum(axis=2), population.offered.sum(axis=2)
    rates = risky / np.maximum(offered, 1)
    agents = len(rates)
    one = np.ones((1, agents))
    value = float(_concordant(population.predicted, rates, one)[0])
    if np.isnan(value):
        return None
    left = _concordant(population.predicted, rates, 1.0 - np.eye(agents))
    if np.isnan(left).any():
        return None
    variance = (agents - 1) / agents * float(((left - left.mean()) ** 2).sum())
    half = float(special.stdtrit(agents - 1, 0.975)) * variance**0.5
    by_chance = np.array(
        [
            _concordant(population.predicted[rng.permutation(agents)], rates, one)[0]
            for _ in range(PERMUTATIONS)
        ]
    )
    as_far = np.abs(by_chance - 0.5) >= abs(value - 0.5) - 1e-12
    return Concordance(
        value=value,
        low=max(0.0, value - half),
        high=min(1.0, value + half),
        p=float((1 + as_far.sum()) / (1 + PERMUTATIONS)),
    )


def _concordant(predicted: FloatArray, rates: FloatArray, counts: FloatArray) -> FloatArray:
    """Return the share of pairs in the right order for each row of `counts` (draws x A)."""
    wins = np.zeros((len(rates), len(rates)))
    pairs = np.zeros_like(wins)
    for guess, rate in zip(predicted.T, rates.T, strict=True):
        is_higher = rate[:, None] > rate[None, :]
        agreement = (np.sign(guess[:, None] - guess[None, :]) + 1) / 2
        wins += is_higher * agreement
        pairs += is_higher
    total = np.einsum("da,ab,db->d", counts, pairs, counts)
    won = np.einsum("da,ab,db->d", counts, wins, counts)
    return np.asarray(np.divide(won, total, out=np.full(len(counts), np.nan), where=total > 0))


def _slopes(x: FloatArray, risky: FloatArray, offered: FloatArray) -> FloatArray:
    """Return the Poisson slope on each value (V) of x (A x F x V) and counts (A x F).

    The intercept of each part is profiled out. Slopes stay within `_MOST`, lest agents that a
    strength separates throw them out of sight.
    """
    slopes = np.zeros(x.shape[2])
    for _ in range(_STEPS):
        expected = _expected(x, risky, offered, slopes)
        centred = _centred(x, expected)
        score = ((risky[:, :, None] - expected) * centred).sum(axis=(0, 1))
        curvature = (expected * centred**2).sum(axis=(0, 1))
        step = np.clip(score / np.maximum(curvature, 1e-9), -1.0, 1.0)
        slopes = np.clip(slopes + step, -_MOST, _MOST)
        if np.abs(step).max() < 1e-8:
            break
    return np.asarray(slopes)


def _expected(
    x: FloatArray, risky: FloatArray, offered: FloatArray, slopes: FloatArray
) -> FloatArray:
    """Return the expected risky choices of each agent and part, by value (A x F x V)."""
    weights = offered[:, :, None] * np.exp(slopes * x)
    share = weights / np.maximum(weights.sum(axis=0), 1e-300)
    return np.asarray(share * risky.sum(axis=0)[:, None])


def _centred(x: FloatArray, expected: FloatArray) -> FloatArray:
    return np.asarray(x - (expected * x).sum(axis=0) / np.maximum(expected.sum(axis=0), 1e-300))


def _errors(
    population: Population, x: FloatArray, slopes: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return each slope's standard error and effective number of agents (V); see the module."""
    risky, offered = population.risky.sum(axis=2), population.offered.sum(axis=2)
    expected = _expected(x, risky, offered, slopes)
    centred = _centred(x, expected)
    own = (expected * centred**2).sum(axis=1)
    curvature = np.maximum(own.sum(axis=0), 1e-9)
    scores = ((risky[:, :, None] - expected) * centred).sum(axis=1)
    freed = scores / np.maximum(1 - own / curvature, _LEAST_LEFT)
    rate = expected / np.maximum(offered, 1)[:, :, None]
    shared = np.zeros(x.shape[2])
    for value in range(x.shape[2]):
        cells = population.risky - population.offered * rate[:, :, value, None]
        cells = (cells * centred[:, :, value, None]).sum(axis=1)
        shared[value] = (cells.sum(axis=0) ** 2).sum() - (cells**2).sum()
    errors = np.sqrt((freed**2).sum(axis=0) + np.maximum(shared, 0.0)) / curvature
    effective = curvature**2 / np.maximum((own**2).sum(axis=0), 1e-18)
    return np.asarray(errors), np.asarray(effective)


def _permuted(
    x: FloatArray, risky: FloatArray, offered: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Return the p-value of each value: the score at slope 0 against exchanged agents."""
    expected = offered * (risky.sum(axis=0) / np.maximum(offered.sum(axis=0), 1))
    excess = risky - expected
    seen = np.abs(np.einsum("af,afv->v", excess, x))
    as_far = np.zeros_like(seen)
    for _ in range(PERMUTATIONS):
        drawn = np.abs(np.einsum("af,afv->v", excess, x[rng.permutation(len(x))]))
        as_far += drawn >= seen - 1e-9
    return np.asarray((1 + as_far) / (1 + PERMUTATIONS))


def _holm(p: Sequence[float] | FloatArray) -> FloatArray:
    """Return p-values corrected for their number, in their own order.

    >>> [round(float(each), 3) for each in _holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p, dtype=float)
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(raised, 1.0)
    return corrected
