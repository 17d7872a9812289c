"""One group of decisions, an agent and its model, and all that the page shows of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from valuesim.archetypes import (
    ArchetypeReport,
    Catalogue,
    DoseTable,
    Shift,
    ShiftLevel,
    classify,
    shifts,
)
from valuesim.archetypes.conduct import rates_in_words
from valuesim.choices import choices
from valuesim.graph import ValueRanking, rank_values
from valuesim.graph.planning import Separation, separations
from valuesim.graph.reach import Detectable, detectable
from valuesim.log import DecisionRecord, EpisodeRecord
from valuesim.measures.panel import Panel, panels
from valuesim.report.factors import Factor, factors
from valuesim.report.scarcity import Curve, Level, by_level, curves, level, transgressions
from valuesim.report.timeline import Timeline, timeline

_MOST_TIMELINES = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupSummary:
    """One group of decisions (an agent and its model) and what is known of it.

    `key` is fit for ids in the page; `fault_rate` is None without decisions. `shifts` tell how
    signatures move with scarcity, none without two levels; `neighbours` how far apart the values
    are that are adjacent in rank.
    """

    key: str
    name: str
    envs: tuple[str, ...]
    episodes: int
    decisions: int
    faults: Mapping[str, int]
    fault_rate: float | None
    ranking: ValueRanking
    archetypes: ArchetypeReport
    shifts: tuple[Shift, ...]
    neighbours: tuple[Separation, ...]
    curves: tuple[Curve, ...]
    panels: tuple[Panel, ...]
    factors: tuple[Factor, ...]
    timelines: tuple[Timeline, ...]

    @property
    def fault_words(self) -> str:
        """The faults by kind, most frequent first; "none" where there are none."""
        ordered = sorted(self.faults.items(), key=lambda item: (-item[1], item[0]))
        return ", ".join(f"{kind} {count:,}" for kind, count in ordered) or "none"

    @property
    def doses(self) -> tuple[DoseTable, ...]:
        """The rates of acts over what was turned up, often none."""
        return self.archetypes.doses

    @property
    def why_no_posterior(self) -> str:
        """Why there is no posterior over archetypes, where there is none."""
        lost = any(any(curve.lost) for curve in self.curves[:2]) or self.fault_rate == 1
        return "all faults" if lost else "no opportunity"

    @property
    def conduct_fault_rate(self) -> float | None:
        """The share of faults in moves of games of two; None where there was no such move."""
        found = self.archetypes.conduct
        return found.faults / found.decisions if found and found.decisions else None

    @property
    def conduct_why(self) -> str:
        """Why a conduct was named or not, without the rates, which a table shows."""
        found = self.archetypes.conduct
        if found is None:
            return ""
        rates = rates_in_words(found.rates)
        return found.why.replace(f": {rates}", "").replace(f"; {rates}", "")

    @property
    def conduct_why_unknown(self) -> str:
        """Why no conduct has a probability, where none has, in few words."""
        found = self.archetypes.conduct
        if found is None or not found.decisions:
            return "no dilemma"
        if found.faults == found.decisions:
            return "all faults"
        is_one_shot = {rate.name for rate in found.rates} == {"one_shot"}
        return "one-shot games only" if is_one_shot else "too few moves"

    @property
    def is_uncontradicted(self) -> bool:
        """Whether one order explains all choices, so that all strengths are bounded by the prior.

        The flow between two values then tells how often they met, and its curl tells of no circles.
        """
        known = [value for value in self.ranking.values if value.is_identified]
        return bool(known) and all(value.is_separated for value in known)

    @property
    def shift_levels(self) -> tuple[ShiftLevel, ...]:
        """The levels of scarcity that shifts tell of, the most plentiful first."""
        return self.shifts[0].levels if self.shifts else ()

    @property
    def reach(self) -> Detectable | None:
        """What differences of neighbours in rank so many choices show; None if unknown."""
        return detectable(self.neighbours)

    @property
    def unseparated(self) -> tuple[Separation, ...]:
        """The neighbours in rank that are not told apart, the nearest to it first."""
        left = [pair for pair in self.neighbours if pair.low is None or pair.low <= 0]
        return tuple(sorted(left, key=lambda pair: (pair.needed is None, pair.needed or 0)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """What every group's summary is made with."""

    episodes: Mapping[str, Sequence[DecisionRecord]]
    at: tuple[Level, ...]
    cooperative: frozenset[str]
    catalogue: Catalogue
    seed: int


def summary_of(
    key: str, name: str, records: Sequence[DecisionRecord], material: Material
) -> GroupSummary:
    """Return what is known of the group `name` by its `records`, of which there is at least one."""
    ranking = rank_values(choices(records), seed=material.seed)
    archetypes = classify(records, ranking, material.catalogue, seed=material.seed)
    return GroupSummary(
        key=key,
        name=name,
        envs=tuple(sorted({record.episode.env for record in records})),
        episodes=len({record.episode.id for record in records}),
        decisions=len(records),
        faults={str(kind): number for kind, number in ranking.faults.items()},
        fault_rate=ranking.fault_rate,
        ranking=ranking,
        archetypes=archetypes,
        shifts=shifts(records, material.catalogue, seed=material.seed),
        neighbours=separations(ranking),
        curves=_curves(records, archetypes, material),
        panels=panels(records, seed=material.seed),
        factors=factors(records, material.catalogue, seed=material.seed),
        timelines=tuple(timeline(material.episodes[e.id]) for e in _shown_episodes(records)),
    )


def _curves(
    records: Sequence[DecisionRecord], archetypes: ArchetypeReport, material: Material
) -> tuple[Curve, ...]:
    if all(lev is None for lev in by_level(records)):
        return ()
    return (
        *transgressions(records, archetypes, material.at),
        *curves(records, material.at, material.cooperative),
    )


def _shown_episodes(records: Sequence[DecisionRecord]) -> list[EpisodeRecord]:
    """Return the episode of the smallest seed of each environment and level of scarcity."""
    first: dict[tuple[str, Level | None], EpisodeRecord] = {}
    for episode in {record.episode.id: record.episode for record in records}.values():
        cell = (episode.env, level(episode))
        if cell not in first or episode.seed < first[cell].seed:
            first[cell] = episode
    return [first[cell] for cell in sorted(first, key=_plentiful_first)][:_MOST_TIMELINES]


def _plentiful_first(cell: tuple[str, Level | None]) -> tuple[str, float]:
    env, lev = cell
    return env, -lev.resource if lev else 0.0
