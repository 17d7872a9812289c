"""The decisions of some runs by group, what is pooled in each, and what was never finished."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from valuesim.choices import Choices, choices
from valuesim.errors import InputError
from valuesim.graph.grouping import Group, group_of, settings_of
from valuesim.log.chosen import CHOSEN
from valuesim.log.reader import DecisionRecord, EpisodeRecord, InterruptedRecord
from valuesim.plain import clean


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """The decisions of some runs by group, and the episodes that were never finished.

    `by` holds the keys of the groups. `interrupted` counts episodes by group and reason: one counts
    in each group that played in it. `unplaced` counts, by reason, those of which too little was
    written to tell their groups (a kill cut them off, or an earlier version wrote them). `chosen`
    are the episodes whose questions were chosen by the answers to others.
    """

    by: tuple[str, ...]
    groups: Mapping[Group, list[DecisionRecord]]
    interrupted: Mapping[Group, Mapping[str, int]] = field(default_factory=dict)
    unplaced: Mapping[str, int] = field(default_factory=dict)
    chosen: Collection[str] = frozenset()

    @property
    def all_groups(self) -> list[Group]:
        """Every group with a decision, then those of which every episode was interrupted."""
        return list({**self.groups, **self.interrupted})

    def records(self, group: Group) -> Sequence[DecisionRecord]:
        """Return the decisions of `group`."""
        return self.groups.get(group, ())

    def choices(self, group: Group) -> Choices:
        """Return the evidence in the decisions of `group`."""
        return choices(self.groups.get(group, ()))

    def notes(self, group: Group) -> list[str]:
        """Return a sentence for each factor that differs within `group` and is pooled.

        Where questions were chosen by the answers, a sentence tells that as well.
        """
        own = {r.episode.id: r.episode for r in self.groups.get(group, ())}
        is_chosen = any(id in self.chosen for id in own)
        return [*pooled(self.by, own.values()), *([CHOSEN] if is_chosen else [])]

    def interruptions(self, group: Group) -> str | None:
        """Return how many episodes of `group` were interrupted and why, or None without any."""
        found = self.interrupted.get(group)
        return f"interrupted, and counted nowhere: {_told(found)}" if found else None

    @property
    def why_unplaced(self) -> str | None:
        """How many interrupted episodes no group can be told of, and why; None without any."""
        if not self.unplaced:
            return None
        return (
            f"interrupted, and not known of which group (by {','.join(self.by)}): "
            f"{_told(self.unplaced)}"
        )

    @property
    def why_nothing(self) -> str | None:
        """Why there is no decision to analyse, or None if there is one."""
        if self.groups:
            return None
        counts = [*self.interrupted.values(), self.unplaced]
        reasons = {reason for each in counts for reason in each}
        if not reasons:
            return "no episode has been played"
        return f"no episode was finished; interrupted: {'; '.join(sorted(map(clean, reasons)))}"


def pooled(by: Sequence[str], episodes: Collection[EpisodeRecord]) -> list[str]:
    """Return a sentence for each factor that differs in `episodes`, grouped by the keys `by`."""
    envs = sorted({episode.env for episode in episodes})
    differing = ({"env": envs} if len(envs) > 1 else {}) | settings_of(episodes)
    return [
        f"pooled over {name} ({len(each)} settings); --by {','.join([*by, name])} separates them"
        for name, each in differing.items()
    ]


def keys_of(by: str) -> tuple[str, ...]:
    """Return the comma-separated keys of `--by`; raise InputError where one is empty."""
    keys = tuple(key.strip() for key in by.split(","))
    if not all(keys):
        raise InputError(f"--by {by!r} has an empty key: write KEY or KEY,KEY")
    return keys


def interrupted_by_group(
    records: Iterable[InterruptedRecord], keys: Sequence[str]
) -> tuple[dict[Group, Counter[str]], Counter[str]]:
    """Return how many of `records` there are, by group and reason, and those of no known group."""
    placed: defaultdict[Group, Counter[str]] = defaultdict(Counter)
    unplaced: Counter[str] = Counter()
    for record in records:
        if not _is_told(record, keys):
            unplaced[record.reason] += 1
            continue
        for group in {group_of(record, role, keys): None for role in record.population}:
            placed[group][record.reason] += 1
    return dict(placed), unplaced


def _is_told(record: InterruptedRecord, keys: Sequence[str]) -> bool:
    """Return whether enough was written of the episode to group it by `keys`."""
    of_the_players = {"agent", "model", "role", "others", "env", "family", "intervention"}
    needs_condition = {key for key in keys if key.partition(".")[0] not in of_the_players}
    if not record.population or ({"env", "family"} & set(keys) and record.env is None):
        return False
    return not needs_condition or record.condition is not None


def _told(reasons: Mapping[str, int]) -> str:
    count = sum(reasons.values())
    spoken = "; ".join(f"{clean(reason)} ({number:,})" for reason, number in reasons.items())
    return f"{count:,} {'episode' if count == 1 else 'episodes'}: {spoken}"
