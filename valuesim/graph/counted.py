"""Evidence without its records: what is only counted need not be kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from valuesim.choices import Choices, choices
from valuesim.graph.coded import CodedChoices, Coding
from valuesim.graph.evidence import Evidence, interrupted_by_group, pooled
from valuesim.graph.grouping import Group, group_of, grouped
from valuesim.log.chosen import CHOSEN, is_adaptive
from valuesim.log.reader import DecisionRecord, EpisodeRecord, InterruptedRecord, RunFolder

_BLOCK = 1000
"""The records that are held before they are counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Streamed(Evidence):
    """What `Evidence` says, its choices as columns; it holds no record.

    `coded` holds the choices and `episodes` the episodes of each group with a decision.
    """

    coded: Mapping[Group, CodedChoices]
    episodes: Mapping[Group, Mapping[str, EpisodeRecord]]

    def choices(self, group: Group) -> CodedChoices | Choices:  # type: ignore[override]
        """Return the evidence in the decisions of `group`."""
        return self.coded[group] if group in self.coded else choices(())

    def notes(self, group: Group) -> list[str]:
        """Return a sentence for each factor that is pooled within `group`, and on how it came."""
        own = self.episodes.get(group, {})
        is_chosen = any(id in self.chosen for id in own)
        return [*pooled(self.by, own.values()), *([CHOSEN] if is_chosen else [])]


def streamed(
    counts: Counts,
    keys: tuple[str, ...],
    lost: Iterable[InterruptedRecord],
    runs: Iterable[RunFolder],
) -> Streamed:
    """Return what was counted of `runs` by `keys`, beside the episodes that were `lost`."""
    interrupted, unplaced = interrupted_by_group(lost, keys)
    return Streamed(
        by=keys,
        groups={group: [] for group in counts.groups},
        interrupted=interrupted,
        unplaced=unplaced,
        chosen={id for run in runs if is_adaptive(run.config) for id in run.episodes},
        coded={group: each.columns() for group, each in counts.groups.items()},
        episodes={group: each.episodes for group, each in counts.groups.items()},
    )


def check_keys(
    keys: Sequence[str], episodes: Iterable[EpisodeRecord], beside: Iterable[InterruptedRecord] = ()
) -> None:
    """Raise InputError where one of `keys` is none of the episodes, as `grouping.grouped` does."""
    grouped(map(_blank, filter(_has_decided, episodes)), keys, beside=beside)


def _has_decided(episode: EpisodeRecord) -> bool:
    return episode.decisions > 0 and bool(episode.population)


def _blank(episode: EpisodeRecord) -> DecisionRecord:
    """Return a decision of nothing, which says what `episode` may be grouped by."""
    role = next(iter(episode.population))
    return DecisionRecord(episode=episode, step=0, role=role, options=(), chosen=None)


class Counts:
    """The decisions of each group, in order of appearance, as they are read."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Begin with none; `keys` are those of the groups."""
        self.groups: dict[Group, Counted] = {}
        self._keys = keys
        self._known: dict[tuple[str, str], Group] = {}

    def add(self, records: Iterable[DecisionRecord]) -> None:
        """Count `records`, some of which are held at a time."""
        blocks: defaultdict[Group, list[DecisionRecord]] = defaultdict(list)
        for record in records:
            own = self.group(record)
            self.groups.setdefault(own, Counted())
            blocks[own].append(record)
            if len(blocks[own]) == _BLOCK:
                self.groups[own].add(blocks.pop(own))
        for own, block in blocks.items():
            self.groups[own].add(block)

    def group(self, record: DecisionRecord) -> Group:
        """Return the group of a record."""
        source = record.episode.id, record.role
        if source not in self._known:
            self._known[source] = group_of(record.episode, record.role, self._keys)
        return self._known[source]


class Counted:
    """The decisions of one group."""

    def __init__(self) -> None:
        """Begin with none."""
        self.episodes: dict[str, EpisodeRecord] = {}
        self._coding = Coding()
        self._decisions = 0
        self._faults: dict[str, int] = {}
        self._units: set[str] = set()
        self._played: dict[str, str] = {}
        self._seeds: set[str] = set()

    def add(self, records: Sequence[DecisionRecord]) -> None:
        """Count some records."""
        found = choices(records)
        self._decisions += found.decisions
        for fault, number in found.faults.items():
            self._faults[fault] = self._faults.get(fault, 0) + number
        self.episodes.update((record.episode.id, record.episode) for record in records)
        chosen = (record for record in records if record.fault is None)
        for evidence, record in zip(found.evidence, chosen, strict=True):
            self._coding.add(evidence)
            if evidence.unit in ("episode", "seed"):
                self._world(evidence.cluster, record.episode.id)
            else:
                self._units.add(evidence.unit)

    def _world(self, cluster: str, episode: str) -> None:
        """Remember which episode was of a world, and whether others were."""
        if self._played.setdefault(cluster, episode) != episode:
            self._seeds.add(cluster)

    def columns(self) -> CodedChoices:
        """Return what was counted."""
        units = set(self._units)
        if self._seeds:
            units.add("seed")
        if len(self._seeds) < len(self._played):
            units.add("episode")
        unit = units.pop() if len(units) == 1 else "cluster" if units else "episode"
        return self._coding.columns(decisions=self._decisions, faults=self._faults, unit=unit)
