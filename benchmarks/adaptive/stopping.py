"""What the claims of adaptive runs are worth: wrong orders among those said to be sure, coverage.

The runs are those of `engine.adaptive.Cell`, the code that asks in earnest, with planted agents of
few values: runs then end because all neighbours are told apart, which those with many seldom do.
Coverage is that of the 95 % intervals of strengths which `valuesim graph` prints, beside that of as
many questions taken by lot from the same pool.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np

from benchmarks.adaptive.planted import (
    FAULT,
    Kind,
    Planted,
    contested,
    draw,
    even,
    scattered,
    scenes,
)
from valuesim.choices import Choices, Evidence
from valuesim.engine.adaptive import Cell
from valuesim.engine.asking import SETTLED, Asked, Asking
from valuesim.engine.pool import Pool, Said
from valuesim.episode import EpisodeSpec
from valuesim.graph import rank_values
from valuesim.graph.design import FloatArray
from valuesim.graph.information import Prospects

SCENES = 1000
ASKING = Asking(budget=800, batch=32, sure=0.95, pool=SCENES)


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A kind of agent, and among how many values it is asked to choose."""

    values: int
    kind: Kind


def _spaced(*gaps: float) -> Callable[[int, np.random.Generator], FloatArray]:
    """Return what draws strengths with these gaps between neighbours, in any order."""
    return lambda _, rng: np.asarray(rng.permutation(np.cumsum([0.0, *gaps])))


CASES: Mapping[str, Case] = {
    "2 values, 0.05 apart": Case(values=2, kind=Kind(strengths=_spaced(0.05))),
    "2 values, 0.2 apart": Case(values=2, kind=Kind(strengths=_spaced(0.2))),
    "3 values, one pair 0.05 apart": Case(values=3, kind=Kind(strengths=_spaced(1.5, 0.05))),
    "5 values, even, 1 apart": Case(values=5, kind=Kind(strengths=even(2.0))),
    "  with position bias": Case(values=5, kind=Kind(strengths=even(2.0), position=1.0)),
    "  with 5 % faults": Case(values=5, kind=Kind(strengths=even(2.0), faults=0.05)),
    "  with scene noise": Case(values=5, kind=Kind(strengths=even(2.0), noise=1.0)),
    "5 values, normal": Case(values=5, kind=Kind(strengths=scattered)),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Stopped:
    """How one run ended, and how much of what it says is true.

    Of `claims` (neighbours said to be told apart) so many are `wrong`. Of `intervals` of strengths
    so many hold the truth: `covered`, and `covered_by_lot` for as many questions drawn by lot.
    """

    case: str
    settled: bool
    decisions: int
    claims: int
    wrong: int
    intervals: int
    covered: int
    covered_by_lot: int


def stopped(case: str, first: int, count: int, seed: int) -> list[Stopped]:
    """Return how the runs of agents `first`, `first` + 1, ... of this case ended."""
    known = contested(scenes(CASES[case].values, 2, SCENES, seed))
    keys = ((seed, crc32(case.encode()), number) for number in range(first, first + count))
    return [_stopped(case, known, key) for key in keys]


def ask(known: Prospects, agent: Planted, asking: Asking, key: tuple[int, ...]) -> Cell:
    """Return a cell after it has asked `agent` to the end."""
    spec = EpisodeSpec(env="planted", parameters={}, population={}, elicitation={}, seed=0)
    cell = Cell(
        name={},
        pool=Pool(
            specs=tuple(replace(spec, seed=k) for k in range(len(known.questions))),
            questions=known.questions,
            lengths=(1,) * len(known.questions),
        ),
        asking=asking,
        key=key,
    )
    in_flight: list[int] = []
    while (picked := cell.choose_next(in_flight)) or in_flight:
        cell.batches.append(picked)
        # answers may be in at once: `choose_next` looks at none that is said to be in flight
        cell.answers |= {each: _said(known, agent, each) for each in picked}
        in_flight = picked
    return cell


def is_wrong(pair: tuple[str, str], truth: Mapping[str, float]) -> bool:
    """Return whether the first of `pair` is planted below the second."""
    return bool(truth[pair[0]] < truth[pair[1]])


def _stopped(case: str, known: Prospects, key: tuple[int, ...]) -> Stopped:
    agent = draw(CASES[case].kind, known, np.random.default_rng(key))
    truth = dict(zip(known.design.values, agent.strengths.tolist(), strict=True))
    cell = ask(known, agent, ASKING, key)
    ended: Asked = cell.ended()
    claims = [pair for pair in cell.order.pairs if pair not in cell.order.open]
    chosen = [question for batch in cell.batches for question in batch]
    by_lot = np.random.default_rng([*key, 1]).permutation(len(known.questions))
    lot = by_lot[: len(chosen)].tolist()
    return Stopped(
        case=case,
        settled=ended.why == SETTLED,
        decisions=ended.decisions,
        claims=len(claims),
        wrong=sum(is_wrong(pair, truth) for pair in claims),
        intervals=len(truth),
        covered=_covered(known, agent, truth, chosen),
        covered_by_lot=_covered(known, agent, truth, lot),
    )


def _said(known: Prospects, agent: Planted, question: int) -> Said:
    return Said(decisions=1, evidence=tuple(_evidence(known, agent, [question])))


def _evidence(known: Prospects, agent: Planted, asked: list[int]) -> list[Evidence]:
    return [
        replace(known.questions[each], position=int(agent.answers[each]))
        for each in asked
        if agent.answers[each] != FAULT
    ]


def _covered(known: Prospects, agent: Planted, truth: Mapping[str, float], asked: list[int]) -> int:
    evidence = _evidence(known, agent, asked)
    ranking = rank_values(Choices(decisions=len(asked), evidence=tuple(evidence)))
    centre = float(np.mean(list(truth.values())))
    return sum(
        each.low is not None
        and each.high is not None
        and each.low <= truth[each.value] - centre <= each.high
        for each in ranking.values
    )
