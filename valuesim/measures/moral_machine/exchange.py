"""How judgements change when agents hear one another's arguments: the panel mode."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from valuesim.choices import cluster_of
from valuesim.log.reader import DecisionRecord
from valuesim.measures.interval import Rate, rate_by_cluster
from valuesim.measures.moral_machine.amce import ATTRIBUTES, plus_group, spares_plus
from valuesim.measures.moral_machine.contrast import Effect, score_interval
from valuesim.measures.moral_machine.judgements import BoolArray, FloatArray, IntArray, judgements
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
    differences; its error is clustered (CR1). The interval is that of a difference of two shares,
    of decisions that moved to the + side and away from it (see `_difference`), so that rare
    switches all to one side, and none at all, leave possible what so few clusters do.
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
    low, high = _difference(differences > 0, differences < 0, weight, codes)
    return Effect(value=value, se=se, low=2 * low, high=2 * high, n=n, clusters=n_clusters)


def _difference(
    gained: BoolArray, lost: BoolArray, weight: FloatArray, codes: IntArray
) -> tuple[float, float]:
    """Return the 95 % interval of the share `gained` less the share `lost`, within [-1, 1].

    Each has its score interval; they are put together with their correlation between clusters as
    Newcombe does for paired shares (Statistics in Medicine 17, 1998, method 10; Donner and Zou,
    Statistical Methods in Medical Research 21, 2012).
    """
    moved = np.stack([gained, lost]).astype(float)
    up, down = shares = moved @ weight / weight.sum()
    off = (moved - shares[:, None]) * weight / weight.sum()
    sums = np.stack([np.bincount(codes, weights=each) for each in off])
    n_clusters = sums.shape[1]
    covariance = n_clusters / (n_clusters - 1) * sums @ sums.T
    scale = np.sqrt(covariance[0, 0] * covariance[1, 1])
    together = float(covariance[0, 1] / scale) if scale > 0 else 0.0
    up_low, up_high = score_interval(up, covariance[0, 0], n_clusters)
    down_low, down_high = score_interval(down, covariance[1, 1], n_clusters)

    def reach(own: float, other: float) -> float:
        return float(np.sqrt(max(0.0, own**2 + other**2 - 2 * together * own * other)))

    value = float(up - down)
    return (
        value - reach(up - up_low, down_high - down),
        value + reach(up_high - up, down - down_low),
    )


def _side(own: bool, everyone: Sequence[bool]) -> str | None:
    """Return how `own`, one of `everyone`'s, stands to the majority of the others, if any."""
    others, of_others = sum(everyone) - own, len(everyone) - 1
    if 2 * others == of_others:
        return None
    return "along" if (2 * others > of_others) == own else "alone"
