"""In which order questions may be asked: by what is most telling, by lot, or pair by pair."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from benchmarks.adaptive.planted import FAULT, Planted
from valuesim.graph.information import Prospects, choose

BATCH = 32
"""Questions in flight at once, as an adaptive run has by default."""
_LEAST_STAKE = 1e-9

Order = Callable[[Prospects, Planted, int, np.random.Generator], list[int]]


def adaptive(known: Prospects, agent: Planted, count: int, rng: np.random.Generator) -> list[int]:
    """Return what an adaptive run asks that is not stopped, in half-batches as `Cell` does."""
    asked: list[int] = []
    in_flight: list[int] = []
    while len(asked) < count:
        answered = asked[: len(asked) - len(in_flight)]
        picked = choose(
            answered_to(known, agent, answered),
            asked=asked,
            in_flight=in_flight,
            size=BATCH // 2,
            rng=rng,
        )
        if not picked:
            break
        asked, in_flight = asked + picked, picked
    return asked[:count]


def by_lot(known: Prospects, _: Planted, count: int, rng: np.random.Generator) -> list[int]:
    """Return questions drawn from the pool at random, none of them twice."""
    return [int(each) for each in rng.permutation(len(known.questions))[:count]]


def all_pairs(known: Prospects, _: Planted, count: int, rng: np.random.Generator) -> list[int]:
    """Return a round robin over pairs of values: in each round a question that sets them apart.

    Of those that do, one with the fewest values at stake comes first. A question is asked once.
    """
    waiting = {pair: deque(own) for pair, own in _by_pair(known, rng).items()}
    asked: dict[int, None] = {}
    pairs = sorted(waiting)
    while len(asked) < count and any(waiting.values()):
        for place in rng.permutation(len(pairs)):
            queue = waiting[pairs[place]]
            while queue and queue[0] in asked:
                queue.popleft()
            if queue:
                asked[queue.popleft()] = None
    return list(asked)[:count]


ORDERS: Mapping[str, Order] = {"adaptive": adaptive, "random": by_lot, "all pairs": all_pairs}


def answered_to(known: Prospects, agent: Planted, asked: list[int]) -> Prospects:
    """Return `known` with the agent's answers to the questions `asked`; faults say nothing."""
    told = [question for question in asked if agent.answers[question] != FAULT]
    situations = known.asked[told]
    chosen = known.design.features[situations, agent.answers[told]].sum(axis=0)
    return replace(known, answered=situations, chosen=chosen)


def _by_pair(known: Prospects, rng: np.random.Generator) -> dict[tuple[int, int], list[int]]:
    """Return the questions that set each pair of values apart, those about few values first."""
    n_values = len(known.design.values)
    found: dict[tuple[int, int], list[tuple[int, float, int]]] = defaultdict(list)
    for question, situation in enumerate(known.asked.tolist()):
        features = known.design.features[situation, :, :n_values]
        features = features[known.design.offered[situation]]
        at_stake = np.flatnonzero(np.ptp(features, axis=0) > _LEAST_STAKE)
        for place, u in enumerate(at_stake):
            for w in at_stake[place + 1 :]:
                gap = features[:, u] - features[:, w]
                is_apart = gap.max() > _LEAST_STAKE and gap.min() < -_LEAST_STAKE
                if is_apart:
                    found[int(u), int(w)].append((len(at_stake), rng.random(), question))
    return {pair: [question for _, _, question in sorted(own)] for pair, own in found.items()}
