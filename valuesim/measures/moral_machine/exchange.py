"""How judgements change when agents hear one another's arguments: the panel mode."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from valuesim.choices import cluster_of
from valuesim.log.reader import DecisionRecord
from valuesim.measures.interval import Rate, rate_by_cluster
from valuesim.measures.moral_machine.amce import ATTRIBUTES, plus_group, spares_plus
from valuesim.measures.moral_machine.contrast import Effect, score_interval
from valuesim.measures.moral_machine.judgements import FloatArray, IntArray, judgements
from valuesim.measures.moral_machine.scene import AFTER, stays

_BEFORE = ("before",)
Held = tuple[DecisionRecord, DecisionRecord]
"""One agent's valid decisions on one scene, before and after the exchange."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Switches:
    """Shares of judgements that an exchange changed, in [0, 1].

    `alone` is of those that stood against a majority of the others before it, `along` of those that
    stood with one; others whose judgements are not among the records are not known.
    """

    all: Rate
    alone: Rate
    along: Rate


def held(records: Iterable[DecisionRecord]) -> list[Held]:
    """Return the pairs of valid decisions before and after an exchange, in order of the first."""
    found: dict[tuple[object, ...], dict[str, DecisionRecord]] = defaultdict(dict)
    for record in records:
        phase = record.annotations.get("phase")
        if phase in (*_BEFORE, *AFTER) and record.chosen is not None:
            told = record.annotations
            key = (record.episode.id, record.role, told["number"], told.get("presentation"))
            found[key][str(phase)] = record
    return [(own["before"], own["after"]) for own in found.values() if len(own) == 2]


def switches(records: Iterable[DecisionRecord]) -> Switches:
    """Return which shares of judgements changed between "before" and "after"."""
    pairs = held(records)
    panel: dict[tuple[str, int], list[bool]] = defaultdict(list)
    for before, _ in pairs:
        panel[before.episode.id, before.step].append(stays(before))
    answers: dict[str, list[tuple[str, bool]]] = {"all": [], "alone": [], "along": []}
    for before, after in pairs:
        answer = (cluster_of(before), stays(before) != stays(after))
        answers["all"].append(answer)
        side = _side(stays(before), panel[before.episode.id, before.step])
        if side is not None:
            answers[side].append(answer)
    return Switches(**{name: rate_by_cluster(own) for name, own in answers.items()})


def amce_changes(records: Iterable[DecisionRecord]) -> dict[str, Effect]:
    """Return each attribute's AMCE after the exchange less before it, in [-2, 2].

    Both are of the same agents on the same scenes, so that the change is a weighted mean of paired
    differences; its error is clustered (CR1) with Student's t. Where nothing changed at all, the
    interval says how much change so few clusters leave possible.
    """
    pairs = held(records)
    first = judgements([before for before, _ in pairs], _BEFORE)
    last = judgements([after for _, after in pairs], AFTER)
    changes = {}
    for name in ATTRIBUTES:
        plus = plus_group(first, name)
        counted = plus >= 0
        moved = spares_plus(last, plus).astype(float) - spares_plus(first, plus)
        weight = 1 / first.probability
        changes[name] = _mean(2 * moved[counted], weight[counted], first.cluster[counted])
    return changes


def _mean(differences: FloatArray, weight: FloatArray, cluster: IntArray) -> Effect:
    n = len(differences)
    if n == 0:
        return Effect()
    value = float(weight @ differences / weight.sum())
    codes = np.unique(cluster, return_inverse=True)[1]
    by_cluster = np.bincount(codes, weights=weight * (differences - value)) / weight.sum()
    n_clusters = len(by_cluster)
    if n_clusters < 2:
        return Effect(value=value, n=n, clusters=n_clusters)
    se = float(np.sqrt(n_clusters / (n_clusters - 1) * (by_cluster @ by_cluster)))
    reach = float(stats.t.ppf(0.975, n_clusters - 1)) * se
    if se < 1e-9:
        # the share of changes that none in so many clusters does not exclude
        reach = 2 * score_interval(0.0, 0.0, n_clusters)[1]
    return Effect(
        value=value,
        se=se,
        low=max(-2.0, value - reach),
        high=min(2.0, value + reach),
        n=n,
        clusters=n_clusters,
    )


def _side(own: bool, everyone: Sequence[bool]) -> str | None:
    """Return how `own`, one of `everyone`'s, stands to the majority of the others, if any."""
    others, of_others = sum(everyone) - own, len(everyone) - 1
    if 2 * others == of_others:
        return None
    return "along" if (2 * others > of_others) == own else "alone"
