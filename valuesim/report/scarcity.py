"""Rates against the level of scarcity: what the curves of the report show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from valuesim.archetypes import ArchetypeReport
from valuesim.choices import chosen_tags
from valuesim.graph.grouping import Label, label
from valuesim.log import DecisionRecord, EpisodeRecord
from valuesim.measures.interval import Rate, clustered_rate
from valuesim.report.text import shown


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """One level of scarcity, called by its resource: `low` is the least.

    `stock` says the power per agent and in the battery at the start, `regime` whether all agents
    can live on it: infeasible, tight or slack. `resource` is the stock summed, for the order;
    `scarcity` is the setting as the condition has it.
    """

    name: str
    stock: str
    regime: str
    resource: float
    scarcity: Label


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """One rate over the levels of scarcity; `unit` says what it is a share of.

    `lost` counts, level by level, the occasions that ended in faults; empty where none could.
    """

    title: str
    unit: str
    points: tuple[tuple[Level, Rate], ...]
    lost: tuple[int, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether no level has a rate."""
        return all(rate.value is None for _, rate in self.points)

    @property
    def why_empty(self) -> str:
        """Why no level has a rate."""
        if not any(self.lost):
            return "no occasion at any level"
        if sum(self.lost) == 1:
            return "the only occasion ended in a fault"
        return f"all {sum(self.lost):,} occasions ended in faults"


def level(episode: EpisodeRecord) -> Level | None:
    """Return the level an episode was played at; None for an environment without scarcity."""
    condition = episode.condition
    if "scarcity" not in condition:
        return None
    personal, shared = condition.get("personal"), condition.get("shared")
    stock, resource = "", 0.0
    if isinstance(personal, int | float) and isinstance(shared, int | float):
        stock = f"{personal:g} + {shared:g}"
        resource = float(personal + shared)
    return Level(
        name=_level_name(condition["scarcity"], stock),
        stock=stock,
        regime=shown(condition.get("regime", "regime unknown"), 20),
        resource=resource,
        scarcity=label(condition["scarcity"]),
    )


def levels(episodes: Iterable[EpisodeRecord]) -> tuple[Level, ...]:
    """Return the distinct levels of `episodes`, most resource first: plentiful to scarce."""
    found = {lev for episode in episodes if (lev := level(episode)) is not None}
    return tuple(sorted(found, key=lambda lev: (-lev.resource, lev.name)))


def by_level(
    records: Iterable[DecisionRecord],
) -> dict[Level | None, list[DecisionRecord]]:
    """Return `records` by their level, None where there is none; levels in order of appearance."""
    known: dict[str, Level | None] = {}
    found: dict[Level | None, list[DecisionRecord]] = {}
    for record in records:
        if record.episode.id not in known:
            known[record.episode.id] = level(record.episode)
        found.setdefault(known[record.episode.id], []).append(record)
    return found


def curves(
    records: Sequence[DecisionRecord], at: Sequence[Level], cooperative: Collection[str]
) -> tuple[Curve, ...]:
    """Return a group's survival and cooperation over the levels `at`.

    Survival is the share of the group's agents that act in the last turn and are alive after it;
    cooperation is the share of its valid decisions that gave power to another agent, in the
    environments that are `cooperative`. Where there is neither, the curve is empty. At a level at
    which nobody ever chose nobody survived by what they did: all agents there are lost.
    """
    at_level = by_level(records)
    seen = [(lev, at_level.get(lev, [])) for lev in at]
    return (
        Curve(
            title="Survival",
            unit="of agents, to the horizon",
            points=tuple((lev, _survival(own)) for lev, own in seen),
            lost=tuple(_unchosen(own) for _, own in seen),
        ),
        Curve(
            title="Cooperation",
            unit="of valid decisions, gave power",
            points=tuple((lev, _cooperation(own, cooperative)) for lev, own in seen),
            lost=tuple(
                sum(r.fault is not None and r.episode.env in cooperative for r in own)
                for _, own in seen
            ),
        ),
    )


def _survival(records: Sequence[DecisionRecord]) -> Rate:
    last = {} if _unchosen(records) else _last(records)
    alive: Counter[str] = Counter()
    agents: Counter[str] = Counter()
    for record in last.values():
        unit, final = record.episode.unit, record.episode.steps - 1
        agents[unit] += 1
        alive[unit] += bool(record.effect["alive"]) and record.step == final
    return clustered_rate([alive[e] for e in agents], list(agents.values()))


def _last(records: Sequence[DecisionRecord]) -> dict[tuple[str, str], DecisionRecord]:
    """Return the last decision of each agent that may die."""
    return {(r.episode.id, r.role): r for r in records if "alive" in r.effect}


def _unchosen(records: Sequence[DecisionRecord]) -> int:
    """Return how many agents there are where all that they ever decided was faults; else 0."""
    return len(_last(records)) if all(r.fault is not None for r in records) else 0


def cooperative_envs(records: Iterable[DecisionRecord]) -> frozenset[str]:
    """Return the environments in which any agent was ever offered to cooperate."""
    return frozenset(
        record.episode.env
        for record in records
        if any("cooperation" in option.tags for option in record.options)
    )


def _cooperation(records: Sequence[DecisionRecord], cooperative: Collection[str]) -> Rate:
    gave: Counter[str] = Counter()
    valid: Counter[str] = Counter()
    for record in records:
        if record.fault is None and record.episode.env in cooperative:
            valid[record.episode.unit] += 1
            gave[record.episode.unit] += "cooperation" in chosen_tags(record)
    return clustered_rate([gave[e] for e in valid], list(valid.values()))


def _level_name(scarcity: Any, stock: str) -> str:
    return stock if isinstance(scarcity, Mapping) else shown(scarcity, 20)


def transgressions(
    records: Sequence[DecisionRecord], report: ArchetypeReport, at: Sequence[Level]
) -> tuple[Curve, ...]:
    """Return the transgression rates of `report` over the levels `at`, threatened and not.

    `records` are those that it reports of.
    """
    lost = Counter(
        (level(record.episode), bool(record.annotations.get("threatened")))
        for record in records
        if is_lost(record)
    )
    return tuple(
        Curve(
            title=f"Transgression, {'' if is_threatened else 'un'}threatened",
            unit="of opportunities",
            points=tuple((lev, _transgression(report, lev, is_threatened)) for lev in at),
            lost=tuple(lost[lev, is_threatened] for lev in at),
        )
        for is_threatened in (True, False)
    )


def is_lost(record: DecisionRecord) -> bool:
    """Return whether the record is an opportunity to transgress that ended in a fault."""
    return record.fault is not None and bool(record.annotations.get("opportunity"))


def _transgression(report: ArchetypeReport, at: Level, is_threatened: bool) -> Rate:
    for rate in report.verdict.rates:
        condition = rate.condition
        if (
            condition.get("scarcity") == at.scarcity
            and str(condition.get("regime", at.regime)) == at.regime
            and condition.get("threatened") is is_threatened
        ):
            return Rate(value=rate.rate, low=rate.low, high=rate.high, n=rate.opportunities)
    return Rate()
