"""Ranks a million decisions, and measures sequential Elo over the same battles beside it.

`python -m benchmarks.million A_SIDE` is one process of its own, so that its peak memory is that of
the work; it prints one line of JSON. With one value a side a decision is one battle; with four,
as is usual in sets of dilemmas, it is sixteen.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from itertools import combinations
from statistics import median

import numpy as np

from benchmarks.elo import (
    Battles,
    FloatArray,
    IntArray,
    battles_of,
    elo_by_name,
    sequential_elo,
)
from valuesim.graph import rank_values
from valuesim.graph.coded import CodedChoices, Situation
from valuesim.option import Option

DECISIONS = 1_000_000
VALUES = 20
EPISODES = 10_000
SCENES = 3000
DRAWS = 1000
PERMUTATIONS = 3
SCALED_TO = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """Seconds from columns to the full ranking, its peak memory, and seconds of one Elo pass.

    An Elo pass is a random order of the `battles` and a walk through them: `fastest` is as fast as
    plain Python goes, `by_name` as published code has it, without its data frames (medians of
    `PERMUTATIONS`; `by_name` is None where the battles' names would not fit the memory). `peak` is
    in MiB and was read before Elo began.
    """

    battles: int
    ranking: float
    peak: float
    fastest: float
    by_name: float | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Decisions:
    """Which scene each decision met, whether swapped, and the side taken (0 or 1).

    `sides` (S x 2 x V) is 1 where a value speaks for a side.
    """

    sides: FloatArray
    scene: IntArray
    is_swapped: IntArray
    taken: IntArray
    episode: IntArray


def main() -> None:
    a_side = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    made = _decisions(a_side, np.random.default_rng(0))
    columns = _columns(made)
    started = time.perf_counter()
    ranking = rank_values(columns, draws=DRAWS)
    seconds = time.perf_counter() - started
    assert ranking.coherence.is_coherent
    peak = _peak()
    battles = battles_of(made.sides[made.scene], made.taken)
    fastest = median(_fastest(battles, PERMUTATIONS if a_side == 1 else 1))
    by_name = median(_by_name(battles)) if a_side == 1 else None
    timing = Timing(
        battles=len(battles.winner), ranking=seconds, peak=peak, fastest=fastest, by_name=by_name
    )
    print(json.dumps(asdict(timing)))


def _decisions(a_side: int, rng: np.random.Generator) -> _Decisions:
    """Return decisions of a planted agent: all pairs of values, or `SCENES` scenes of several."""
    strengths = np.linspace(-1.0, 1.0, VALUES)
    if a_side == 1:
        pairs = np.array(list(combinations(range(VALUES), 2)))
        sides = np.eye(VALUES)[pairs]
    else:
        sides = np.zeros((SCENES, 2, VALUES))
        ranks = rng.random(sides.shape).argsort(axis=2)
        sides[ranks < a_side] = 1.0
    scene = rng.integers(len(sides), size=DECISIONS)
    gap = (sides[:, 0] - sides[:, 1]) @ strengths
    taken = rng.random(DECISIONS) > 1 / (1 + np.exp(-gap[scene]))
    return _Decisions(
        sides=sides,
        scene=scene,
        is_swapped=rng.integers(2, size=DECISIONS),
        taken=taken.astype(np.int64),
        episode=np.sort(rng.integers(EPISODES, size=DECISIONS)),
    )


def _columns(made: _Decisions) -> CodedChoices:
    names = [f"value {number:02}" for number in range(VALUES)]
    situations: list[Situation] = []
    for scene in made.sides > 0:
        one, other = (
            Option(name=str(side), text="", stakes={names[v]: 1.0 for v in np.flatnonzero(speaks)})
            for side, speaks in enumerate(scene)
        )
        situations += [((one, other), True), ((other, one), True)]
    return CodedChoices(
        situations=tuple(situations),
        clusters=tuple(f"{number:05}" for number in range(EPISODES)),
        situation=2 * made.scene + made.is_swapped,
        cluster=made.episode,
        position=made.taken ^ made.is_swapped,
        decisions=DECISIONS,
    )


def _fastest(battles: Battles, permutations: int) -> list[float]:
    rng = np.random.default_rng(1)
    seconds = []
    for _ in range(permutations):
        started = time.perf_counter()
        order = rng.permutation(len(battles.winner))
        winners, losers = battles.winner[order].tolist(), battles.loser[order].tolist()
        sequential_elo(winners, losers, VALUES)
        seconds.append(time.perf_counter() - started)
    return seconds


def _by_name(battles: Battles) -> list[float]:
    rng = np.random.default_rng(1)
    names = [f"value {v:02}" for v in range(VALUES)]
    named = [
        (names[winner], names[loser], "value_1")
        for winner, loser in zip(battles.winner, battles.loser, strict=True)
    ]
    seconds = []
    for _ in range(PERMUTATIONS):
        started = time.perf_counter()
        elo_by_name([named[place] for place in rng.permutation(len(named)).tolist()])
        seconds.append(time.perf_counter() - started)
    return seconds


def _peak() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts KiB, macOS bytes
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    main()
