"""All that the page shows, as frozen records computed from run folders."""

from __future__ import annotations

import os
import shlex
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from valuesim import __version__
from valuesim.archetypes import GameRule, Rule, load_catalogue
from valuesim.archetypes.entries import RATES
from valuesim.graph import Group, grouped
from valuesim.graph.bootstrap import sharing
from valuesim.graph.grouping import kept_apart, settings_of
from valuesim.log import DecisionRecord, EpisodeRecord, RunFolder, decisions_once
from valuesim.measures.interventions import ArmCheck, checks, effects, uncontrolled
from valuesim.measures.panel import Panel
from valuesim.report import status
from valuesim.report.comparison import ComparedGroup, across_families, moved_by_condition
from valuesim.report.dose_figure import about
from valuesim.report.faults import FaultRow, fault_rows
from valuesim.report.group import GroupSummary, Material, summary_of
from valuesim.report.scarcity import Level, by_level, cooperative_envs, level, levels
from valuesim.report.text import shown

_MOST_IN_TITLE = 2


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
    families: tuple[ComparedGroup, ...]
    checks: tuple[ArmCheck, ...]
    effects: tuple[Panel, ...]
    uncontrolled: tuple[str, ...]
    episodes: int
    decisions: int
    interrupted: int
    command: str
    seed: int
    rule: Rule
    game_rule: GameRule
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
    def players(self) -> tuple[GroupSummary, ...]:
        """The groups that played a game of two."""
        return tuple(group for group in self.groups if group.archetypes.conduct)

    @property
    def move_rates(self) -> tuple[str, ...]:
        """The names of the rates of cooperation that any group has, in order."""
        conducts = [group.archetypes.conduct for group in self.players]
        seen = {rate.name for found in conducts if found for rate in found.rates}
        return tuple(name for name in RATES if name in seen)

    @property
    def doses(self) -> dict[str, list[tuple[GroupSummary, int]]]:
        """The groups that met more than one dose, by what was dosed, and which of their tables."""
        found: dict[str, list[tuple[GroupSummary, int]]] = {}
        for group in self.groups:
            for place, table in enumerate(group.doses):
                found.setdefault(about(table), []).append((group, place))
        return found

    @property
    def shifting(self) -> tuple[GroupSummary, ...]:
        """The groups whose signatures are known at several levels of scarcity."""
        return tuple(group for group in self.groups if group.shifts)

    @property
    def faultless(self) -> tuple[GroupSummary, ...]:
        """The groups without a fault."""
        return tuple(group for group in self.groups if not group.faults)


def summarise(runs: Sequence[RunFolder], *, seed: int = 0) -> Summary:
    """Return what the finished episodes of `runs` show; an episode in two of them counts once."""
    pool = decisions_once(runs)
    episodes, records = pool.episodes, pool.decisions
    stopped = status.interruptions(pool.interrupted)
    groups = _named(grouped(records, _by(episodes.values())))
    material = Material(
        episodes=_by_episode(records),
        at=levels(episodes.values()),
        cooperative=cooperative_envs(records),
        catalogue=load_catalogue(),
        seed=seed,
    )
    with sharing():
        summaries = tuple(
            summary_of(f"g{place}", name, own, material)
            for place, (name, own) in enumerate(groups.items())
        )
        moved = moved_by_condition(episodes.values(), records, seed=seed)
        families = across_families(episodes.values(), records, seed=seed)
    return Summary(
        title=_title(episodes.values()),
        facts=status.facts(runs, episodes.values(), len(records)),
        warnings=status.warnings(
            stopped,
            pool.notes,
            {group.name: group.ranking for group in summaries},
            _fewest(groups),
            material.at,
            material.catalogue.rule,
        ),
        groups=summaries,
        levels=material.at,
        pooled=_pooled([e for e in episodes.values() if not material.at or level(e) is not None]),
        fault_rows=fault_rows(groups, material.at),
        moved=moved,
        families=families,
        checks=checks(records),
        effects=effects(records),
        uncontrolled=uncontrolled(records),
        episodes=len(episodes),
        decisions=len(records),
        interrupted=stopped.episodes,
        command=_command(runs),
        seed=seed,
        rule=material.catalogue.rule,
        game_rule=material.catalogue.game_rule,
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


def _fewest(groups: Mapping[str, Sequence[DecisionRecord]]) -> tuple[str, int, str] | None:
    cells: dict[tuple[str, str], set[str]] = defaultdict(set)
    for name, records in groups.items():
        for lev, own in by_level(records).items():
            cell = f"{name} at {lev.name}" if lev else name
            for episode in (record.episode for record in own):
                unit = "episode" if episode.chain is None else "chain"
                cells[cell, unit].add(episode.unit)
    counted = ((cell, len(ids), unit) for (cell, unit), ids in cells.items())
    return min(counted, key=lambda c: c[1], default=None)


def _pooled(episodes: Collection[EpisodeRecord]) -> tuple[str, ...]:
    differing = settings_of(episodes)
    return tuple(f"{shown(name, 40)} ({len(each)} settings)" for name, each in differing.items())


def _title(episodes: Collection[EpisodeRecord]) -> str:
    envs = sorted({episode.env for episode in episodes})
    if len(envs) > _MOST_IN_TITLE:
        return f"Values at stake in {len(envs)} environments"
    return f"Values at stake in {' and '.join(envs)}" if envs else "No episode was finished"


def _command(runs: Sequence[RunFolder]) -> str:
    paths = [run.path for run in runs]
    where = paths[0] if len(paths) == 1 else os.path.commonpath(paths)
    return f"valuesim report {shlex.quote(str(where))}"
