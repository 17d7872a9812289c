"""Whose decisions in one run are set against whose in another."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from valuesim.graph.arms import is_arm_key
from valuesim.graph.grouping import Group, Played
from valuesim.graph.units import Records
from valuesim.log.reader import DecisionRecord

_WHO = frozenset({"agent", "model"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """The decisions of several runs that are set against each other, by the run's name.

    `pooled` names, by run, the groups that were put together, where a run has several.
    """

    arms: Mapping[str, Records]
    pooled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def matched(
    runs: Mapping[str, Mapping[Group, Records]], episodes: Collection[Played]
) -> dict[Group, Match]:
    """Return what is set against what, by group, of `runs`, whose decisions are grouped alike.

    A group that all runs have is set against itself: partners, or one agent under two settings.
    What is left of each run is put together, apart only by what does not say who decided: it is
    these agents, models or interventions that are compared. Their labels are then None.
    """
    in_all = [
        group for group in next(iter(runs.values()), {}) if all(group in g for g in runs.values())
    ]
    found = {group: Match(arms={run: own[group] for run, own in runs.items()}) for group in in_all}
    left: dict[Group, dict[str, dict[Group, Records]]] = {}
    for run, own in runs.items():
        for group, records in own.items():
            if group not in in_all:
                place = left.setdefault(_where(group, episodes), {})
                place.setdefault(run, {})[group] = records
    return found | {group: _pooled(own) for group, own in left.items()}


def _pooled(own: Mapping[str, Mapping[Group, Records]]) -> Match:
    arms: dict[str, Sequence[DecisionRecord]] = {
        run: [record for records in groups.values() for record in records]
        for run, groups in own.items()
    }
    several = {run: tuple(map(str, groups)) for run, groups in own.items() if len(groups) > 1}
    return Match(arms=arms, pooled=several)


def _where(group: Group, episodes: Collection[Played]) -> Group:
    """Return the group with None in place of what says who decided."""
    return Group(
        tuple(
            (key, None if key in _WHO or is_arm_key(key, episodes) else label)
            for key, label in group.items()
        )
    )
