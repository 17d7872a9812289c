"""Sequential Elo over battles, as some value studies rank by it, and the battles themselves.

A battle is one value of the option taken against one of the other, so that a decision between two
options with four values each is sixteen battles; a value on both sides is a tie with itself and
moves nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from valuesim.graph.rank import ELO_PER_LOG_ODDS

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

START = 1000.0
STEP = 4.0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Battles:
    """Winner and loser of each battle (indices of values), and the decision it comes from."""

    winner: IntArray
    loser: IntArray
    decision: IntArray


def battles_of(stakes: FloatArray, taken: IntArray) -> Battles:
    """Return the battles of decisions between two options.

    `stakes` (n x 2 x V) is over 0 where a value speaks for an option; `taken` is 0 or 1.
    """
    rows = np.arange(len(taken))
    won, lost = stakes[rows, taken] > 0, stakes[rows, 1 - taken] > 0
    decision, winner, loser = np.nonzero(won[:, :, None] & lost[:, None, :])
    return Battles(winner=winner, loser=loser, decision=decision)


def sequential_elo(winners: Iterable[int], losers: Iterable[int], values: int) -> list[float]:
    """Return the ratings after all battles in the order given, from `START` by steps of `STEP`."""
    ratings = [START] * values
    for winner, loser in zip(winners, losers, strict=True):
        behind = ratings[winner] - ratings[loser]
        gain = STEP / (1.0 + 10.0 ** (behind / 400.0))
        ratings[winner] += gain
        ratings[loser] -= gain
    return ratings


def elo_by_name(battles: Iterable[tuple[str, str, str]]) -> dict[str, float]:
    """Return the same ratings as published code computes them, without its data frames.

    A battle is (first value, second value, "value_1", "value_2" or "tie"); ratings stand in a
    dictionary by name, and both sides' expectations are computed.
    """
    ratings: defaultdict[str, float] = defaultdict(lambda: START)
    scores = {"value_1": 1.0, "value_2": 0.0, "tie": 0.5}
    for first, second, winner in battles:
        one, other = ratings[first], ratings[second]
        score = scores[winner]
        ratings[first] += STEP * (score - 1 / (1 + 10 ** ((other - one) / 400)))
        ratings[second] += STEP * (1 - score - 1 / (1 + 10 ** ((one - other) / 400)))
    return dict(ratings)


def permuted_elo(
    battles: Battles, values: int, rounds: int, rng: np.random.Generator
) -> FloatArray:
    """Return the ratings (rounds x values) of the same battles in `rounds` random orders.

    All orders are walked side by side, one battle of each at a time.
    """
    n_battles = len(battles.winner)
    orders = rng.permuted(np.tile(np.arange(n_battles), (rounds, 1)), axis=1)
    rows = np.arange(rounds) * values
    winners = (battles.winner[orders] + rows[:, None]).T
    losers = (battles.loser[orders] + rows[:, None]).T
    ratings = np.full(rounds * values, START)
    for winner, loser in zip(winners.copy(), losers.copy(), strict=True):
        gain = STEP / (1.0 + np.exp((ratings[winner] - ratings[loser]) / ELO_PER_LOG_ODDS))
        ratings[winner] += gain
        ratings[loser] -= gain
    return ratings.reshape(rounds, values)
