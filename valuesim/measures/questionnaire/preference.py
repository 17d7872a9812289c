"""Choices between values: counts of best and worst, and how consistent pairwise answers are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from valuesim.measures.hidden import without_empty_ends
from valuesim.measures.interval import Rate, rate_by_cluster
from valuesim.measures.panel import Estimate
from valuesim.measures.questionnaire.answers import Answer

_DRAWS = 1000


def best_minus_worst(answers: Sequence[Answer]) -> tuple[Estimate, ...]:
    """Return (best - worst) / shown of every value, in [-1, 1], the strongest first.

    A block counts when both of its questions were answered. `n` counts the blocks that showed the
    value; the interval is clustered by block (the same values, whoever asks for them).
    """
    blocks: dict[tuple[str, str], dict[str, Answer]] = defaultdict(dict)
    for answer in answers:
        if answer.value is not None:
            blocks[answer.administration, answer.item][answer.kind] = answer
    # a block asks twice: a value scores as best, and as not the worst; the mean of the two is
    # (1 + best - worst) / 2
    places: dict[str, list[tuple[str, int]]] = {}
    for answer in answers:
        for value in answer.named:
            places.setdefault(value, [])
    for block in blocks.values():
        if len(block) == 2:
            for value in block["best"].named:
                won = (value == block["best"].value) - (value == block["worst"].value)
                places[value].append((block["best"].cluster, 1 + won))
    found = [_count(value, placed) for value, placed in places.items()]
    return tuple(sorted(found, key=lambda e: (e.value is None, -(e.value or 0.0), e.label)))


def _count(value: str, placed: Sequence[tuple[str, int]]) -> Estimate:
    rate = rate_by_cluster(placed, chances=2.0, is_binary=False)
    ends = [None if end is None else 2 * end - 1 for end in (rate.value, rate.low, rate.high)]
    return Estimate(label=value, value=ends[0], low=ends[1], high=ends[2], n=len(placed))


def preferred(answer: Answer) -> str | None:
    """Return which of the two values of a pairwise answer is put first; None after a fault."""
    if answer.value is None:
        return None
    if answer.kind == "forward":
        return answer.value
    return next(value for value in answer.labels.values() if value != answer.value)


def order_flips(answers: Sequence[Answer]) -> Rate:
    """Return how often the preference turns with the order in which the two values are named.

    It is the share of comparisons of an answer to (u, w) with one to (w, u), in the same template
    and direction, that differ: 0 if the order does not matter, one half if nothing but chance does.
    `n` counts pairs in a template that were asked in both orders; clustered by unordered pair.
    """
    asked: dict[tuple[str, str, int], dict[tuple[str, ...], list[str]]] = {}
    for answer in answers:
        first = preferred(answer)
        if first is not None:
            pair = (answer.cluster, answer.kind, answer.template)
            asked.setdefault(pair, {}).setdefault(answer.named, []).append(first)
    both = {pair: list(orders.values()) for pair, orders in asked.items() if len(orders) == 2}
    return without_empty_ends(
        rate_by_cluster(
            (cluster, _disagreement(*orders)) for (cluster, _, _), orders in both.items()
        )
    )


def _disagreement(one: Sequence[str], other: Sequence[str]) -> float:
    left, right = Counter(one), Counter(other)
    alike = sum(left[value] * right[value] for value in left)
    return 1.0 - alike / (len(one) * len(other))


def cyclic_triads(answers: Sequence[Answer], *, seed: int) -> tuple[Estimate, Estimate]:
    """Return the share of triads of values that are cyclic, and what chance alone would give.

    A triad counts when each of its pairs was decided: one value was put first more often than the
    other. Chance orients every decided pair by a coin: one quarter, with the range of 95 % of 1,000
    draws (Kendall and Babington Smith 1940, Biometrika 31). The interval is the jackknife's over
    pairs. No triad: no figure.
    """
    signs = _majorities(answers)
    triads = _triads(signs)
    count = len(triads)
    label = "cyclic triads"
    if not count:
        return Estimate(label=label, value=None), Estimate(label=label, value=0.25)
    oriented = np.array(list(signs.values()))
    cyclic = _is_cyclic(oriented[triads])
    coins = np.random.default_rng(seed).choice((-1, 1), size=(_DRAWS, len(oriented)))
    chance = _is_cyclic(coins[:, triads]).mean(axis=-1)
    low, high = np.quantile(chance, (0.025, 0.975))
    return (
        _jackknife(label, cyclic, triads, len(oriented)),
        Estimate(label=label, value=0.25, low=float(low), high=float(high), n=count),
    )


def _majorities(answers: Sequence[Answer]) -> Mapping[tuple[str, str], int]:
    """Return {(u, w) in alphabetical order: 1 if u was put first more often, -1 if w was}."""
    net: dict[tuple[str, str], int] = defaultdict(int)
    for answer in answers:
        first = preferred(answer)
        if first is not None:
            u, w = sorted(answer.named)
            net[u, w] += 1 if first == u else -1
    return {pair: 1 if votes > 0 else -1 for pair, votes in net.items() if votes}


def _triads(signs: Mapping[tuple[str, str], int]) -> NDArray[np.intp]:
    """Return, for each triad u < v < w, the places of its pairs (u, v), (v, w), (u, w)."""
    place = {pair: number for number, pair in enumerate(signs)}
    names = sorted({value for pair in signs for value in pair})
    found = [
        (place[u, v], place[v, w], place[u, w])
        for u, v, w in combinations(names, 3)
        if (u, v) in place and (v, w) in place and (u, w) in place
    ]
    return np.array(found, dtype=np.intp).reshape(-1, 3)


def _is_cyclic(signs: NDArray[np.int_]) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = (signs[..., 0] == signs[..., 1]) & (signs[..., 1] != signs[..., 2])
    return same


def _jackknife(
    label: str, cyclic: NDArray[np.bool_], triads: NDArray[np.intp], pairs: int
) -> Estimate:
    share, count = float(cyclic.mean()), len(cyclic)
    held = np.bincount(triads.ravel(), minlength=pairs)
    turned = np.bincount(triads[cyclic].ravel(), minlength=pairs)
    used = (held > 0) & (held < count)
    left = (cyclic.sum() - turned[used]) / (count - held[used])
    number = len(left)
    if number < 2 or np.ptp(left) < 1e-12:
        return Estimate(label=label, value=share, n=count)
    variance = (number - 1) / number * float(((left - left.mean()) ** 2).sum())
    half = float(stats.t.ppf(0.975, number - 1)) * variance**0.5
    return Estimate(
        label=label, value=share, low=max(0.0, share - half), high=min(1.0, share + half), n=count
    )
