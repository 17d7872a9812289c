"""How much a question would tell of which values are put first, and which to ask next.

What is known is the posterior of the choice model (`logit`), normal around its mode. Of two values
it says which is put first with some probability p, from z, their difference in posterior standard
errors. A question that takes the share s of the variance of that difference away brings, for small
s, s * phi(z)^2 / (2 p (1 - p)) nats of information on which of the two is put first (the expected
fall of the entropy of the order; phi is the normal density). Its worth is the sum over all pairs:
pairs that are apart count little, and so do questions whose answer is foreseen. The information of
an answer is averaged over draws from the posterior, as in Bayesian optimal design (Chaloner and
Verdinelli 1995, "Bayesian experimental design: a review"), because near the mode alone it promises
too much while little is known.

Questions of one batch are chosen one after the other, each as if those before it had been answered
as expected. No answer is used that is not in.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy import special

from valuesim.choices import Choices, Evidence
from valuesim.graph.design import Design, FloatArray, compact
from valuesim.graph.identification import identify
from valuesim.graph.logit import PRIOR_SD, information, mode, probabilities
from valuesim.graph.sandwich import roots

LIKENESS = 0.1
"""How alike answers to one scene are taken to be: their intraclass correlation."""
DRAWS = 16
_TIE = 1e-9
_LEAST = 1e-300


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Prospects:
    """What may be asked and what was answered, as one design.

    Rows of `design` are the questions, then the answers; what sets no values against each other is
    left out. `asked` says of each question in which situation it puts the agent, -1 where it is
    left out, and `answered` the same of each answer; `chosen` sums the features of the options
    taken. `pairs` (C x 2) are the values, by index, that the questions can compare.
    """

    design: Design
    questions: tuple[Evidence, ...]
    asked: np.ndarray
    answered: np.ndarray
    chosen: FloatArray
    pairs: np.ndarray

    @property
    def contrasts(self) -> FloatArray:
        """The difference of each of `pairs`, as a row (C x P)."""
        rows = np.zeros((len(self.pairs), self.design.features.shape[2]))
        place = np.arange(len(self.pairs))
        rows[place, self.pairs[:, 0]], rows[place, self.pairs[:, 1]] = 1.0, -1.0
        return rows

    def met(self, situations: np.ndarray) -> FloatArray:
        """Return how often each situation of the design is among `situations` (-1 is none)."""
        among = situations[situations >= 0]
        return np.bincount(among, minlength=len(self.design.situations)).astype(float)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Belief:
    """A normal posterior of the coefficients: its mode, and the inverse of its covariance."""

    theta: FloatArray
    hessian: FloatArray


def prospects(questions: Sequence[Evidence], answers: Sequence[Evidence]) -> Prospects:
    """Return `questions` (whose position says nothing) and `answers` as one design."""
    rows = [
        replace(each, cluster=f"{number:09d}") for number, each in enumerate([*questions, *answers])
    ]
    design = compact(Choices(decisions=len(rows), evidence=tuple(rows)))
    situations = np.full(len(rows), -1)
    kept = np.array([int(name) for name in design.clusters], dtype=int)
    situations[kept] = design.asked.indices
    asked, answered = situations[: len(questions)], situations[len(questions) :]
    chosen = design.totals[kept >= len(questions)].sum(axis=0)
    components = identify(design).components
    pairs = [sorted(pair) for group in components for pair in combinations(group, 2)]
    return Prospects(
        design=design,
        questions=tuple(questions),
        asked=asked,
        answered=answered,
        chosen=np.asarray(chosen),
        pairs=np.array(sorted(pairs), dtype=int).reshape(-1, 2),
    )


def belief(known: Prospects) -> Belief:
    """Return what the answers say, with the weak prior of `logit`; without answers, the prior."""
    met = known.met(known.answered)
    theta = mode(known.design, met, known.chosen)
    prior = np.eye(len(theta)) * PRIOR_SD**-2
    return Belief(theta=theta, hessian=information(known.design, met, theta) + prior)


def choose(
    known: Prospects,
    *,
    asked: Sequence[int],
    in_flight: Sequence[int],
    size: int,
    rng: np.random.Generator,
) -> list[int]:
    """Return the `size` questions (or all that are left) to ask next, the most telling first.

    `asked` are those asked before, answered or not, `in_flight` those of them whose answers are
    not in: they count with the information expected of them.
    """
    believed = belief(known)
    awaited = known.met(known.asked[list(in_flight)])
    hessian = believed.hessian + information(known.design, awaited, believed.theta)
    covariance = np.asarray(np.linalg.inv(hessian))
    rows = _rows(known.design, believed.theta, covariance, rng)
    stock = _Stock(known, asked, rng)
    contrasts = known.contrasts
    picked: list[int] = []
    while len(picked) < size and stock.is_left:
        kind, question = stock.take(_worth(rows, stock, covariance, contrasts, believed.theta))
        picked.append(question)
        covariance = _updated(covariance, stock.scaled(rows, kind))
    return picked


def order_information(z: FloatArray) -> FloatArray:
    """Return the nats on the order of two values per share of their difference's variance.

    `z` is the difference in standard errors; see the module. At 0 it is 1 / pi, the most.
    """
    p = special.ndtr(-np.abs(z))
    weight = np.exp(-(z**2)) / (2 * np.pi) / np.maximum(2 * p * (1 - p), _LEAST)
    return np.asarray(np.where(np.abs(z) > 30, 0.0, weight))


def _rows(
    design: Design, theta: FloatArray, covariance: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Return rows (S x K-1 x P) whose squares sum to each situation's expected information.

    They are those at the mean probabilities over draws of theta, in mirrored pairs, scaled to the
    mean of the draws' own variances: exact for two options.
    """
    away = rng.standard_normal((DRAWS // 2, len(theta))) @ np.linalg.cholesky(covariance).T
    each = [probabilities(design, theta + one) for one in (*away, *-away)]
    mean = np.mean(each, axis=0)
    spread = np.mean([1 - (p**2).sum(axis=1) for p in each], axis=0)
    at_mean = np.maximum(1 - (mean**2).sum(axis=1), _LEAST)
    return np.asarray(roots(design, mean) * np.sqrt(spread / at_mean)[:, None, None])


def _worth(
    rows: FloatArray,
    stock: _Stock,
    covariance: FloatArray,
    contrasts: FloatArray,
    theta: FloatArray,
) -> FloatArray:
    """Return the information, in nats, on the order of all pairs that each kind of `stock` brings.

    `rows` are those of the situations.
    """
    variance = ((contrasts @ covariance) * contrasts).sum(axis=1)
    weight = order_information(contrasts @ theta / np.sqrt(variance)) / variance
    weighted = (contrasts * weight[:, None]).T @ contrasts
    if rows.shape[1] == 1:
        # two options, the usual case: plain products of matrices, once for each situation
        row = rows[:, 0]
        moved = row @ covariance
        gained = ((moved @ weighted) * moved).sum(axis=1)[stock.situation]
        own = (moved * row).sum(axis=1)[stock.situation]
        return np.asarray(gained * stock.discount / (1.0 + own * stock.discount))
    scaled = stock.scaled(rows, slice(None))
    moved = scaled @ covariance
    gained = moved @ weighted @ moved.transpose(0, 2, 1)
    own = np.eye(rows.shape[1]) + moved @ scaled.transpose(0, 2, 1)
    return np.asarray(np.trace(np.linalg.solve(own, gained), axis1=1, axis2=2))


def _updated(covariance: FloatArray, rows: FloatArray) -> FloatArray:
    """Return `covariance` after the information of `rows` (K-1 x P) was added."""
    moved = rows @ covariance
    own = np.eye(len(rows)) + moved @ rows.T
    return np.asarray(covariance - moved.T @ np.linalg.solve(own, moved))


class _Stock:
    """Questions that may still be asked, alike ones together: one situation of one scene."""

    def __init__(self, known: Prospects, asked: Sequence[int], rng: np.random.Generator) -> None:
        clusters = [question.cluster for question in known.questions]
        self._times = Counter(clusters[index] for index in asked)
        self._alike: dict[tuple[int, str], list[int]] = {}
        is_asked = set(asked)
        for index, situation in enumerate(known.asked.tolist()):
            if situation >= 0 and index not in is_asked:
                self._alike.setdefault((situation, clusters[index]), []).append(index)
        self._kinds = list(self._alike)
        self.situation = np.array([situation for situation, _ in self._kinds], dtype=int)
        self._scene = [scene for _, scene in self._kinds]
        self._of_scene: defaultdict[str, list[int]] = defaultdict(list)
        for place, scene in enumerate(self._scene):
            self._of_scene[scene].append(place)
        self._left = np.array([len(alike) for alike in self._alike.values()], dtype=int)
        # questions that bring the same are taken by lot, not in the order of the pool
        self._lot = 1 + _TIE * rng.random(len(self._kinds))
        self.discount = np.array([_discount(self._times[scene]) for scene in self._scene])

    @property
    def is_left(self) -> bool:
        """Whether there is still something to ask."""
        return bool((self._left > 0).any())

    def take(self, worth: FloatArray) -> tuple[int, int]:
        """Return the kind that is worth most and the first question of it, which is then gone."""
        kind = int(np.argmax(np.where(self._left > 0, worth * self._lot, -1.0)))
        alike = self._alike[self._kinds[kind]]
        question = alike[len(alike) - self._left[kind]]
        self._left[kind] -= 1
        scene = self._scene[kind]
        self._times[scene] += 1
        self.discount[self._of_scene[scene]] = _discount(self._times[scene])
        return kind, question

    def scaled(self, rows: FloatArray, kinds: int | slice) -> FloatArray:
        """Return the rows of `kinds`, of those of all situations, with their discount."""
        return np.asarray(
            rows[self.situation[kinds]] * np.sqrt(self.discount[kinds])[..., None, None]
        )


def _discount(times: int) -> float:
    """Return what the next answer to a scene is worth after so many, against the first's 1.

    n answers with the intraclass correlation r are worth n / (1 + (n - 1) r) independent ones
    (Kish 1965); this is the difference between one more and as many.
    """
    if times == 0:
        return 1.0
    return (1 - LIKENESS) / ((1 + (times - 1) * LIKENESS) * (1 + times * LIKENESS))
