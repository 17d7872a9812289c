"""Which values that stand next to each other are told apart, while answers are still coming in.

Two neighbours are told apart when the order in which the estimate puts them is sure: a test on the
cluster-robust standard error of their difference, with quantiles of Student's t (see `logit`).
Many pairs, and looking again and again, would find differences by chance. Two things may go wrong:
- At the last look, any of the pairs is in the wrong order: the error is shared out among them
  (Bonferroni).
- At some look all seem to be told apart, and asking stops, though one pair is in the wrong order.
  The others do not add to this, for all must be told apart at once; that the pair was looked at
  many times does. A standardised Brownian motion passes z, in the time in which the answers
  become `span` times as many, with probability sf(z) + z phi(z) ln(span) / 2 at most (about;
  Siegmund 1985, "Sequential Analysis").
The stricter of the two bounds holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import special

from valuesim.choices import Choices, Evidence
from valuesim.graph.design import compact
from valuesim.graph.identification import identify
from valuesim.graph.information import Prospects, belief
from valuesim.graph.logit import effective_clusters, fit

Pair = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """The values strongest first (component by component), and what is sure of it.

    `pairs` are the neighbours, the stronger first; `open` are those whose order is not sure.
    """

    values: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()
    open: tuple[Pair, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether every two neighbours are told apart."""
        return bool(self.pairs) and not self.open


def order(
    known: Prospects, answers: Sequence[Evidence], *, sure: float, span: float = 1.0
) -> Order:
    """Return the order of the values that the questions can compare, and which pairs are open.

    `sure`, in (0.5, 1), is the probability that no pair said to be told apart is in the wrong
    order, where the last look has `span` (>= 1) times as many answers as the first. Without answers
    every pair is open.
    """
    theta = belief(known).theta
    names = known.design.values
    standing = [
        sorted(group, key=lambda index: (-theta[index], index))
        for group in identify(known.design).components
    ]
    pairs = [(names[u], names[w]) for group in standing for u, w in pairwise(group)]
    apart = _apart(pairs, answers, error_of_a_look(1 - sure, len(pairs), span))
    return Order(
        values=tuple(names[index] for group in standing for index in group),
        pairs=tuple(pairs),
        open=tuple(pair for pair in pairs if pair not in apart),
    )


def error_of_a_look(error: float, pairs: int, span: float) -> float:
    """Return the error of one of `pairs` at one look that keeps that of all looks to `error`.

    Both errors are one-sided, in (0, 0.5). The last look has `span` (>= 1) times as many answers as
    the first; with 1 there is one look.
    """
    z = np.linspace(0.5, 8.0, 7501)
    once = special.ndtr(-z)
    ever = once + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * np.log(span) / 2
    is_enough = (ever <= error) & (once * pairs <= error)
    return float(once[np.argmax(is_enough)])


def _apart(pairs: Sequence[Pair], answers: Sequence[Evidence], error: float) -> set[Pair]:
    """Return those of `pairs` that `answers` put in this order, each with at most this error."""
    design = compact(Choices(decisions=len(answers), evidence=tuple(answers)))
    if len(design.clusters) < 2:
        return set()
    fitted, place = fit(design), {name: index for index, name in enumerate(design.values)}
    met = [(u, w) for u, w in pairs if u in place and w in place]
    rows = np.zeros((len(met), len(fitted.theta)))
    for row, (over, under) in zip(rows, met, strict=True):
        row[place[over]], row[place[under]] = 1.0, -1.0
    errors = np.sqrt(((rows @ fitted.covariance) * rows).sum(axis=1))
    freedom = np.maximum(effective_clusters(design, fitted, rows) - 1, 1)
    is_sure = rows @ fitted.theta > special.stdtrit(freedom, 1 - error) * errors
    return {pair for pair, sure in zip(met, is_sure, strict=True) if sure}
