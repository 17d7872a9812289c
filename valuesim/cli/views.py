"""What `valuesim graph` prints and writes only where asked: the test of cycles, other models."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from valuesim.choices import Choices
from valuesim.cli.ranking import print_line
from valuesim.cli.terminal import interval, print_table
from valuesim.graph import ValueRanking
from valuesim.graph.coded import CodedChoices
from valuesim.graph.cyclic import CycleTest, cycles_test
from valuesim.graph.davidson import BradleyTerry, bradley_terry
from valuesim.graph.design import compact
from valuesim.graph.logit import PRIOR_SD, fit
from valuesim.graph.rank import ELO_PER_LOG_ODDS

LEVEL = 0.05
"""The p below which cycles count as more than chance makes."""
_CAVEAT = (
    "Bradley-Terry takes each vote as a match of two values: it holds neither the place of an "
    "option nor what else was at stake equal, and has no interval. Rank by the estimate."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What was asked for of one group beside its ranking; None where it was not."""

    cycles: CycleTest | None = None
    bradley_terry: BradleyTerry | None = None
    values: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return what was asked for as JSON values, by key."""
        told: dict[str, Any] = {}
        if self.cycles is not None:
            told["cycles_test"] = asdict(self.cycles)
        if self.bradley_terry is not None:
            view = self.bradley_terry
            strengths = dict(zip(self.values, view.strengths, strict=True))
            told["bradley_terry"] = {"strengths": strengths, "reason": view.reason}
        return told


def asked_of(
    choices: Choices | CodedChoices,
    ranking: ValueRanking,
    *,
    cycles: bool,
    bradley_terry: bool,
    seed: int = 0,
) -> Asked:
    """Return what is asked for of `choices` and their ranking; equal input, equal figures."""
    return Asked(
        cycles=_cycles(choices, seed) if cycles else None,
        bradley_terry=_bradley_terry(ranking) if bradley_terry else None,
        values=ranking.tally.values,
    )


def print_asked(ranking: ValueRanking, asked: Asked) -> None:
    """Print what was asked for below a ranking."""
    if asked.cycles is not None:
        _print_cycles(asked.cycles)
    if asked.bradley_terry is not None:
        _print_bradley_terry(ranking, asked.bradley_terry)


def _cycles(choices: Choices | CodedChoices, seed: int) -> CycleTest:
    design = compact(choices)
    if not design.values:
        return CycleTest(reason="no value is at stake")
    return cycles_test(design, fit(design), np.random.default_rng(seed))


def _bradley_terry(ranking: ValueRanking) -> BradleyTerry:
    if not ranking.tally.values:
        return BradleyTerry(strengths=(), nu=None, components=(), reason="no value is at stake")
    return bradley_terry(ranking.tally.votes, prior_sd=PRIOR_SD)


def _print_cycles(test: CycleTest) -> None:
    if test.p_value is None:
        print_line(f"test of cycles: undetermined, {test.reason}")
        return
    verdict = "more than chance makes" if test.p_value < LEVEL else "chance alone may make them"
    print_line(
        f"test of cycles: p = {test.p_value:.2f} against {test.simulations} simulated sets of "
        f"choices without any; {verdict}"
    )


def _print_bradley_terry(ranking: ValueRanking, view: BradleyTerry) -> None:
    strengths = dict(zip(ranking.tally.values, view.strengths, strict=True))
    if not any(strength is not None for strength in view.strengths):
        print_line(f"Bradley-Terry: undetermined, {view.reason}")
        return
    rows = []
    for value in ranking.values:
        strength = strengths.get(value.value)
        elo = None if strength is None else round(1000 + strength * ELO_PER_LOG_ODDS)
        estimate = (value.strength, interval(value.low, value.high))
        rows.append((value.value, *estimate, strength, elo))
    columns = ("value", "estimate", "95 % interval", "Bradley-Terry", "its elo")
    print_table("the estimate beside Bradley-Terry, in log-odds", columns, rows)
    print_line(f"caveat: {_CAVEAT}")
    if view.reason:
        print_line(f"note: {view.reason}")
