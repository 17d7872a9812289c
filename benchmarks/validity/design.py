"""Synthetic choices with planted strengths: what the experiments are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from valuesim.graph.coded import CodedChoices
from valuesim.option import Option

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_LEVELS = np.array([-1.0, -0.5, 0.5, 1.0])


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How choices come about.

    `scenes` are drawn, each put `alike` times and answered alike each time; a scene is a cluster,
    unless `clusters` share them out evenly. An option has `a_side` of the `values` at stake, by 1,
    or by -1 to 1 if `is_graded`. `spread` is the standard deviation of a cluster's own strengths
    about the population's. `first` and `omission` are habits, in log-odds; with the latter one
    option of each scene lets things take their course. `order` is that shown: at random, or with
    the option of the value listed first in front. `knows_order` False hides it from the estimate.
    """

    scenes: int = 1000
    alike: int = 1
    values: int = 8
    options: int = 2
    a_side: int = 1
    is_graded: bool = False
    clusters: int | None = None
    spread: float = 0.0
    first: float = 0.0
    omission: float | None = None
    order: Literal["random", "by value"] = "random"
    knows_order: bool = True


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Made:
    """Choices as arrays, one row a decision; options stand in the order shown.

    `stakes` is n x K x V, `omissions` n x K, `cluster` and `taken` (the place of the option taken)
    are n long.
    """

    stakes: FloatArray
    omissions: NDArray[np.bool_]
    cluster: IntArray
    taken: IntArray


def names(values: int) -> tuple[str, ...]:
    """Return the names of so many values, in their order.

    >>> names(2)
    ('value 00', 'value 01')
    """
    return tuple(f"value {number:02}" for number in range(values))


def planted(values: int, rng: np.random.Generator, scale: float = 0.8) -> FloatArray:
    """Return strengths drawn from a normal distribution and centred on 0."""
    drawn = rng.normal(0.0, scale, values)
    return np.asarray(drawn - drawn.mean())


def made(plan: Plan, strengths: FloatArray, rng: np.random.Generator) -> Made:
    """Return choices of an agent with `strengths` under `plan`."""
    cluster = np.arange(plan.scenes)
    if plan.clusters is not None:
        cluster = rng.permutation(cluster % plan.clusters)
    own = strengths + plan.spread * rng.standard_normal((cluster.max() + 1, plan.values))
    stakes, omissions = _scenes(plan, rng)
    content = np.einsum("nkv,nv->nk", stakes, own[cluster])
    content += (plan.omission or 0.0) * omissions + rng.gumbel(size=omissions.shape)
    again = np.repeat(np.arange(plan.scenes), plan.alike)
    shown = _order(plan, stakes[again], rng)
    utility = np.take_along_axis(content[again], shown, axis=1)
    utility[:, 0] += plan.first
    return Made(
        stakes=np.take_along_axis(stakes[again], shown[:, :, None], axis=1),
        omissions=np.take_along_axis(omissions[again], shown, axis=1),
        cluster=cluster[again],
        taken=utility.argmax(axis=1),
    )


def coded(plan: Plan, of: Made, faults: NDArray[np.bool_] | None = None) -> CodedChoices:
    """Return `of` as the estimate takes it; where `faults` says so, a decision was no choice."""
    valid = np.ones(len(of.taken), dtype=bool) if faults is None else ~faults
    n_options = of.omissions.shape[1]
    rows = np.concatenate([of.stakes.reshape(len(of.taken), -1), of.omissions], axis=1)[valid]
    kinds, situation = np.unique((4 * rows).astype(np.int8), axis=0, return_inverse=True)
    known, cluster = np.unique(of.cluster[valid], return_inverse=True)
    return CodedChoices(
        situations=tuple((_options(kind / 4, n_options), plan.knows_order) for kind in kinds),
        clusters=tuple(f"{number:07}" for number in known),
        situation=situation.ravel(),
        cluster=cluster,
        position=of.taken[valid],
        decisions=len(of.taken),
        faults={} if valid.all() else {"unparsed": int((~valid).sum())},
        unit="scene",
    )


def simulated(plan: Plan, strengths: FloatArray, rng: np.random.Generator) -> CodedChoices:
    """Return choices of an agent with `strengths` under `plan`, as the estimate takes them."""
    return coded(plan, made(plan, strengths, rng))


def population(strengths: FloatArray, spread: float) -> FloatArray:
    """Return the strengths that fit the average choice of clusters whose own ones spread.

    They are what an endless number of clusters would give, one value a side, two options, every
    pair as often: the probability of each pair is averaged over the spread (Gauss-Hermite), and
    Bradley-Terry strengths are fitted to that by Newton's method.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    gaps = strengths[:, None] - strengths[None, :]
    shifted = gaps[..., None] + np.sqrt(2.0) * spread * nodes
    average = (1.0 / (1.0 + np.exp(-shifted))) @ weights / weights.sum()
    fitted = strengths.copy()
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-(fitted[:, None] - fitted[None, :])))
        information = np.diag((p * (1 - p)).sum(axis=1)) - p * (1 - p)
        # strengths are known up to a constant: the ones make the information regular
        fitted = fitted + np.linalg.solve(information + 1.0, (average - p).sum(axis=1))
    return np.asarray(fitted - fitted.mean())


def _scenes(plan: Plan, rng: np.random.Generator) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return the stakes (scenes x K x V) and which option is an omission (scenes x K)."""
    shape = (plan.scenes, plan.options, plan.values)
    chosen = np.zeros(shape)
    if plan.a_side == 1:
        own = rng.random((plan.scenes, plan.values)).argsort(axis=1)[:, : plan.options, None]
    else:
        own = rng.random(shape).argsort(axis=2)[:, :, : plan.a_side]
    by = rng.choice(_LEVELS, own.shape) if plan.is_graded else np.ones(own.shape)
    np.put_along_axis(chosen, own, by, axis=2)
    omissions = np.zeros(shape[:2], dtype=bool)
    omissions[:, 0] = plan.omission is not None
    return chosen, omissions


def _order(plan: Plan, stakes: FloatArray, rng: np.random.Generator) -> IntArray:
    if plan.order == "by value":
        return np.asarray((stakes != 0).argmax(axis=2).argsort(axis=1))
    return np.asarray(rng.random(stakes.shape[:2]).argsort(axis=1))


def _options(kind: FloatArray, n_options: int) -> tuple[Option, ...]:
    stakes, omissions = kind[:-n_options].reshape(n_options, -1), kind[-n_options:]
    known = names(stakes.shape[1])
    return tuple(
        Option(
            name=f"option {place}",
            text="",
            stakes={known[v]: float(row[v]) for v in np.flatnonzero(row)},
            is_omission=bool(omission),
        )
        for place, (row, omission) in enumerate(zip(stakes, omissions, strict=True))
    )
