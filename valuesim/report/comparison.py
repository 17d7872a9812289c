"""What a condition moves, and whether an agent is the same across families, words and deeds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from valuesim.graph import Group, grouped
from valuesim.graph.arms import INTERVENTION, arms_apart
from valuesim.graph.compared import Comparison, Gap, PairChange
from valuesim.graph.correlation import RankCorrelation
from valuesim.graph.grouping import settings_of
from valuesim.graph.levels import FAMILY, STATED, compare_levels, groups_beside, levels
from valuesim.graph.say_do import TOGETHER
from valuesim.log import DecisionRecord, EpisodeRecord
from valuesim.report.text import number, shown

CONDITIONS = ("scarcity", "wording", INTERVENTION)
"""The factors whose levels are compared, where there are two or more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparedGroup:
    """The comparison of one group between levels of `factor`; `key` is fit for ids in the page."""

    key: str
    name: str
    factor: str
    comparison: Comparison

    @property
    def moves(self) -> tuple[str, ...]:
        """A sentence for each value that moved and each pair that flipped; often none."""
        found = self.comparison
        moved = [
            f"{each.value}: {number(each.difference)} [{number(each.low)} to {number(each.high)}] "
            f"from {each.against} to {each.level}"
            for each in found.differences
            if each.moved
        ]
        return (*moved, *map(_flip, found.flips))

    @property
    def gaps(self) -> tuple[tuple[Gap, ...], ...]:
        """The gaps of each form of the questionnaire to behaviour, all together where pooled."""
        found = self.comparison.gaps
        pooled = {gap.stated for gap in found if gap.revealed == TOGETHER}
        sides = dict.fromkeys(
            (gap.stated, gap.revealed)
            for gap in found
            if gap.revealed == TOGETHER or gap.stated not in pooled
        )
        return tuple(
            tuple(gap for gap in found if (gap.stated, gap.revealed) == side) for side in sides
        )

    @property
    def has_said(self) -> bool:
        """Whether the group answered a questionnaire."""
        return any(each.level.startswith(STATED) for each in self.comparison.counts)

    @property
    def matrix(self) -> dict[str, dict[str, RankCorrelation]]:
        """The rank correlations by row and column: each level's with those before it."""
        rows: dict[str, dict[str, RankCorrelation]] = {}
        for each in self.comparison.correlations:
            rows.setdefault(each.level, {})[each.against] = each.found
        return rows

    @property
    def is_told(self) -> bool:
        """Whether anything was compared: a value whose size is known, or an order."""
        is_known = any(not each.bounded for each in self.comparison.differences)
        return is_known or self.has_correlations

    @property
    def has_correlations(self) -> bool:
        """Whether any two levels have enough values in common."""
        return any(each.found.spearman is not None for each in self.comparison.correlations)


def moved_by_condition(
    episodes: Collection[EpisodeRecord], records: Sequence[DecisionRecord], *, seed: int
) -> tuple[ComparedGroup, ...]:
    """Return the comparison of each group between the levels of each condition that differs."""
    differing = {name for name in CONDITIONS[1:] if name in settings_of(episodes)}
    if len({str(e.condition["scarcity"]) for e in episodes if "scarcity" in e.condition}) > 1:
        differing.add("scarcity")
    if arms_apart((), episodes):
        differing.add(INTERVENTION)
    return tuple(
        each
        for factor in CONDITIONS
        if factor in differing
        for each in _compared(episodes, records, factor, seed)
    )


def across_families(
    episodes: Collection[EpisodeRecord], records: Sequence[DecisionRecord], *, seed: int
) -> tuple[ComparedGroup, ...]:
    """Return the comparison of families for each group that played in several; often none.

    Those that answered a questionnaire and acted have gaps, and stand first.
    """
    found = _compared(episodes, records, FAMILY, seed)
    return tuple(sorted(found, key=lambda group: not group.has_said))


def _compared(
    episodes: Collection[EpisodeRecord],
    records: Sequence[DecisionRecord],
    factor: str,
    seed: int,
) -> list[ComparedGroup]:
    by = groups_beside(("agent", "model"), factor, episodes)
    found = []
    for place, (group, own) in enumerate(grouped(records, by, beside=episodes).items()):
        at = levels(own, factor)
        asked = [name for name in at if name.startswith(STATED)]
        # two forms of a questionnaire alone are no two families
        if len(at) < 2 or (factor == FAMILY and len(asked) == len(at)):
            continue
        found.append(
            ComparedGroup(
                key=f"{factor[0]}{place}",
                name=_name(group),
                factor=factor,
                comparison=compare_levels(at, factor, seed=seed),
            )
        )
    return found


def _name(group: Group) -> str:
    return " · ".join(shown(label, 60) for label in group.values() if label is not None) or "all"


def _flip(flip: PairChange) -> str:
    return (
        f"{flip.over} before {flip.under} at {flip.against}, and {flip.under} before {flip.over} "
        f"at {flip.level}"
    )
