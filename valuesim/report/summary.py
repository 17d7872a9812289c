"""All that the page shows, as frozen records computed from run folders."""

from __future__ import annotations

import os
import shlex
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from valuesim import __version__
from valuesim.archetypes import ArchetypeReport, Catalogue, Rule, classify, load_catalogue
from valuesim.choices import choices
from valuesim.graph import Group, ValueRanking, grouped, rank_values
from valuesim.graph.grouping import kept_apart, settings_of
from valuesim.log import DecisionRecord, EpisodeRecord, RunFolder, decisions_once
from valuesim.measures.panel import Panel, panels
from valuesim.report import status
from valuesim.report.comparison import ComparedGroup, moved_by_condition, said_and_done
from valuesim.report.factors import Factor, factors
from valuesim.report.faults import FaultRow, fault_rows
from valuesim.report.scarcity import (
    Curve,
    Level,
    by_level,
    cooperative_envs,
    curves,
    level,
    levels,
    transgressions,
)
from valuesim.report.text import shown
from valuesim.report.timeline import Timeline, timeline


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupSummary:
    """One group of decisions (an agent and its model) and what is known of it.

    `key` is fit for ids in the page; `fault_rate` is None without decisions.
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
    curves: tuple[Curve, ...]
    panels: tuple[Panel, ...]
    factors: tuple[Factor, ...]
    timelines: tuple[Timeline, ...]

    @property
    def fault_words(self) -> str:
        """The faults by kind, most frequent first; "none" where there are none."""
        ordered = sorted(self.faults.items(), key=lambda item: (-item[1], item[0]))
        return ", ".join(f"{kind} {count:,}" for kind, count in ordered) or "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """The content of one page; without decisions, `groups` is empty and a warning says why."""

    title: str
    facts: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    groups: tuple[GroupSummary, ...]
    levels: tuple[Level, ...]
    pooled: tuple[str, ...]
    fault_rows: tuple[FaultRow, ...]
    moved: tuple[ComparedGroup, ...]
    said_done: tuple[ComparedGroup, ...]
    episodes: int
    decisions: int
    interrupted: int
    command: str
    seed: int
    rule: Rule
    version: str = __version__

    @property
    def judged(self) -> tuple[GroupSummary, ...]:
        """The groups that could transgress; of a lone group, that one anyway."""
        judged = tuple(group for group in self.groups if group.archetypes.decisions)
        return judged or self.groups[:1]

    @property
    def unjudged(self) -> tuple[GroupSummary, ...]:
        """The other groups: no archetype can come from their environments."""
        return tuple(group for group in self.groups if group not in self.judged)

    @property
    def has_timelines(self) -> bool:
        """Whether an episode is shown as rows of agents."""
        return any(not each.cards for group in self.groups for each in group.timelines)

    @property
    def has_panels(self) -> bool:
        """Whether a family of its own measures was played."""
        return any(group.panels for group in self.groups)

    @property
    def faultless(self) -> tuple[GroupSummary, ...]:
        """The groups without a fault."""
        return tuple(group for group in self.groups if not group.faults)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Material:
    """What every group's summary is made with."""

    episodes: Mapping[str, Sequence[DecisionRecord]]
    at: tuple[Level, ...]
    cooperative: frozenset[str]
    catalogue: Catalogue
    seed: int


def summarise(runs: Sequence[RunFolder], *, seed: int = 0) -> Summary:
    """Return what the finished episodes of `runs` show; an episode in two of them counts once."""
    pool = decisions_once(runs)
    episodes, records = pool.episodes, pool.decisions
    stopped = status.interruptions(pool.interrupted)
    groups = _named(grouped(records, _by(episodes.values())))
    material = _Material(
        episodes=_by_episode(records),
        at=levels(episodes.values()),
        cooperative=cooperative_envs(records),
        catalogue=load_catalogue(),
        seed=seed,
    )
    summaries = tuple(
        _summary(f"g{place}", name, own, material)
        for place, (name, own) in enumerate(groups.items())
    )
    return Summary(
        title=_title(episodes.values()),
        facts=status.facts(runs, episodes.values(), len(records)),
        warnings=status.warnings(
            stopped,
            pool.notes,
            {group.name: group.fault_rate for group in summaries},
            _fewest(groups),
            material.at,
            material.catalogue.rule,
        ),
        groups=summaries,
        levels=material.at,
        pooled=_pooled([e for e in episodes.values() if not material.at or level(e) is not None]),
        fault_rows=fault_rows(groups, material.at),
        moved=moved_by_condition(episodes.values(), records, seed=seed),
        said_done=said_and_done(episodes.values(), records, seed=seed),
        episodes=len(episodes),
        decisions=len(records),
        interrupted=stopped.episodes,
        command=_command(runs),
        seed=seed,
        rule=material.catalogue.rule,
    )


def _by(episodes: Collection[EpisodeRecord]) -> tuple[str, ...]:
    several = len({episode.env for episode in episodes}) > 1
    keys = ("env", "agent", "model") if several else ("agent", "model")
    return kept_apart(keys, episodes)


def _named(
    groups: Mapping[Group, Sequence[DecisionRecord]],
) -> dict[str, Sequence[DecisionRecord]]:
    """Return the groups by a name to show; names that were cut to the same stay apart."""
    named: dict[str, Sequence[DecisionRecord]] = {}
    for group, records in groups.items():
        name = " · ".join(shown(label, 60) for label in group.values() if label is not None)
        named[f"{name} (group {len(named) + 1})" if name in named else name] = records
    return named


def _by_episode(records: Sequence[DecisionRecord]) -> dict[str, list[DecisionRecord]]:
    episodes: dict[str, list[DecisionRecord]] = defaultdict(list)
    for record in records:
        episodes[record.episode.id].append(record)
    return episodes


def _summary(
    key: str, name: str, records: Sequence[DecisionRecord], material: _Material
) -> GroupSummary:
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
        curves=_curves(records, archetypes, material),
        panels=panels(records, seed=material.seed),
        factors=factors(records, material.catalogue, seed=material.seed),
        timelines=tuple(timeline(material.episodes[e.id]) for e in _shown_episodes(records)),
    )


def _curves(
    records: Sequence[DecisionRecord], archetypes: ArchetypeReport, material: _Material
) -> tuple[Curve, ...]:
    if all(lev is None for lev in by_level(records)):
        return ()
    return (
        *transgressions(archetypes, material.at),
        *curves(records, material.at, material.cooperative),
    )


def _shown_episodes(records: Sequence[DecisionRecord]) -> list[EpisodeRecord]:
    """Return the episode of the smallest seed of each environment and level of scarcity."""
    first: dict[tuple[str, Level | None], EpisodeRecord] = {}
    for episode in {record.episode.id: record.episode for record in records}.values():
        cell = (episode.env, level(episode))
        if cell not in first or episode.seed < first[cell].seed:
            first[cell] = episode
    return [first[cell] for cell in sorted(first, key=_harshest_first)][:_MOST_TIMELINES]


_MOST_TIMELINES = 6


def _harshest_first(cell: tuple[str, Level | None]) -> tuple[str, float]:
    env, lev = cell
    return env, lev.resource if lev else 0.0


def _fewest(groups: Mapping[str, Sequence[DecisionRecord]]) -> tuple[str, int] | None:
    cells: dict[str, set[str]] = defaultdict(set)
    for name, records in groups.items():
        for lev, own in by_level(records).items():
            cells[f"{name} at {lev.name}" if lev else name] |= {r.episode.id for r in own}
    return min(((cell, len(ids)) for cell, ids in cells.items()), key=lambda c: c[1], default=None)


def _pooled(episodes: Collection[EpisodeRecord]) -> tuple[str, ...]:
    differing = settings_of(episodes)
    return tuple(f"{shown(name, 40)} ({len(each)} settings)" for name, each in differing.items())


def _title(episodes: Collection[EpisodeRecord]) -> str:
    envs = sorted({episode.env for episode in episodes})
    return f"Values at stake in {' and '.join(envs)}" if envs else "No episode was finished"


def _command(runs: Sequence[RunFolder]) -> str:
    paths = [run.path for run in runs]
    where = paths[0] if len(paths) == 1 else os.path.commonpath(paths)
    return f"valuesim report {shlex.quote(str(where))}"
