"""Ranks a million decisions, and measures sequential Elo over the same battles beside it.

`python -m benchmarks.million` is one process of its own, so that its peak memory is that of the
work; it prints one line of JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from statistics import median

import numpy as np

from benchmarks.elo import IntArray, elo_by_name, sequential_elo
from valuesim.graph import rank_values
from valuesim.graph.coded import CodedChoices
from valuesim.option import Option

DECISIONS = 1_000_000
VALUES = 20
EPISODES = 10_000
DRAWS = 1000
PERMUTATIONS = 3
SCALED_TO = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """Seconds from columns to the full ranking, its peak memory, and seconds of one Elo pass.

    An Elo pass is a random order of the battles and a walk through them, the median of
    `PERMUTATIONS`: `fastest` is as fast as plain Python goes, `by_name` as published code has it,
    without its data frames. `peak` is in MiB and was read before Elo began.
    """

    ranking: float
    peak: float
    fastest: float
    by_name: float


def main() -> None:
    winner, loser, is_first, episode = _battles(np.random.default_rng(0))
    columns = _columns(winner, loser, is_first, episode)
    started = time.perf_counter()
    ranking = rank_values(columns, draws=DRAWS)
    seconds = time.perf_counter() - started
    assert ranking.coherence.is_coherent
    peak = _peak()
    fastest, by_name = _passes(winner, loser)
    timing = Timing(ranking=seconds, peak=peak, fastest=fastest, by_name=by_name)
    print(json.dumps(asdict(timing)))


def _battles(rng: np.random.Generator) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Return winner, loser, whether the winner was shown first, and the episode, of each."""
    strengths = np.linspace(-1.0, 1.0, VALUES)
    one = rng.integers(VALUES, size=DECISIONS)
    other = (one + rng.integers(1, VALUES, size=DECISIONS)) % VALUES
    is_first = rng.random(DECISIONS) < 1 / (1 + np.exp(strengths[other] - strengths[one]))
    winner, loser = np.where(is_first, one, other), np.where(is_first, other, one)
    return winner, loser, is_first.astype(np.int64), np.sort(rng.integers(EPISODES, size=DECISIONS))


def _columns(
    winner: IntArray, loser: IntArray, is_first: IntArray, episode: IntArray
) -> CodedChoices:
    options = [Option(name=str(v), text="", stakes={f"value {v:02}": 1.0}) for v in range(VALUES)]
    return CodedChoices(
        situations=tuple(((one, other), True) for one in options for other in options),
        clusters=tuple(f"{number:05}" for number in range(EPISODES)),
        situation=np.where(is_first, winner * VALUES + loser, loser * VALUES + winner),
        cluster=episode,
        position=1 - is_first,
        decisions=DECISIONS,
    )


def _passes(winner: IntArray, loser: IntArray) -> tuple[float, float]:
    rng = np.random.default_rng(1)
    names = [f"value {v:02}" for v in range(VALUES)]
    battles = [(names[w], names[v], "value_1") for w, v in zip(winner, loser, strict=True)]
    fastest, by_name = [], []
    for _ in range(PERMUTATIONS):
        started = time.perf_counter()
        order = rng.permutation(len(winner))
        sequential_elo(winner[order].tolist(), loser[order].tolist(), VALUES)
        halfway = time.perf_counter()
        elo_by_name([battles[place] for place in rng.permutation(len(battles)).tolist()])
        fastest.append(halfway - started)
        by_name.append(time.perf_counter() - halfway)
    return median(fastest), median(by_name)


def _peak() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts KiB, macOS bytes
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    main()
