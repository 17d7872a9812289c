"""Whether an entry values in deeds what it says that it values: the say-do figures of a card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from valuesim.graph.compared import Comparison
from valuesim.graph.levels import FAMILY, STATED, compare_levels, levels
from valuesim.graph.say_do import TOGETHER
from valuesim.log import DecisionRecord
from valuesim.suites.acts import rounded
from valuesim.suites.card import Figure, ValueGap
from valuesim.suites.definition import words


@dataclass(frozen=True, kw_only=True, slots=True)
class SayDo:
    """The rank correlation of stated and revealed values, and the gap of each value."""

    figure: Figure
    gaps: tuple[ValueGap, ...] = ()


def say_do(
    stated: Sequence[DecisionRecord], revealed: Sequence[DecisionRecord], *, seed: int
) -> SayDo:
    """Return how `stated` values go with `revealed` ones, all behaviour taken together.

    See `graph.say_do` for the method. There is a decision at least on each side.
    """
    found = levels([*stated, *revealed], FAMILY)
    comparison = compare_levels(found, FAMILY, seed=seed)
    together = TOGETHER if TOGETHER in {each.level for each in comparison.counts} else None
    revealing = [name for name in found if not name.startswith(STATED)]
    return SayDo(
        figure=_figure(comparison, together or revealing[0]),
        gaps=_gaps(comparison, together or revealing[0]),
    )


def _figure(comparison: Comparison, revealed: str) -> Figure:
    for each in comparison.correlations:
        if each.level == revealed or each.against == revealed:
            found = each.found
            return Figure(
                value=rounded(found.spearman),
                low=rounded(found.low),
                high=rounded(found.high),
                n=found.values,
                why=found.reason,
            )
    return Figure(why=comparison.why or words()["no_said"])


def _gaps(comparison: Comparison, revealed: str) -> tuple[ValueGap, ...]:
    return tuple(
        ValueGap(
            value=gap.value,
            gap=round(gap.gap, 4),
            low=round(gap.low, 4),
            high=round(gap.high, 4),
            is_gap=gap.is_gap and not gap.bounded,
            n_stated=gap.n_stated,
            n_revealed=gap.n_revealed,
        )
        for gap in comparison.gaps
        if gap.revealed == revealed
    )
