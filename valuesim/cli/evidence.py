"""What the analysing commands share: reading runs, grouping their decisions, saying why none."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from valuesim.choices import Choices, choices
from valuesim.cli.terminal import clean
from valuesim.episode import Player
from valuesim.errors import InputError
from valuesim.graph import Group, grouped
from valuesim.log import DecisionRecord, RunFolder, find_runs, read_run
from valuesim.log.reader import InterruptedRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """The decisions of some runs by group, and the episodes that were never finished.

    `interrupted` counts those by group and reason; it has labels for agent, model and role only,
    and none for episodes that a kill cut off.
    """

    groups: Mapping[Group, list[DecisionRecord]]
    interrupted: Mapping[Group, Mapping[str, int]]

    @property
    def all_groups(self) -> list[Group]:
        """Every group with a decision; without any decision, those of the interrupted episodes."""
        return list(self.groups or self.interrupted)

    def choices(self, group: Group) -> Choices:
        """Return the evidence in the decisions of `group`."""
        return choices(self.groups.get(group, ()))

    @property
    def why_nothing(self) -> str | None:
        """Why there is no decision to analyse, or None if there is one."""
        if self.groups:
            return None
        if not self.interrupted:
            return "no episode has been played"
        reasons = {reason for counts in self.interrupted.values() for reason in counts}
        return f"no episode was finished; interrupted: {'; '.join(sorted(map(clean, reasons)))}"


def read_evidence(paths: Sequence[Path], by: str) -> Evidence:
    """Return the decisions in and below `paths`, grouped by the comma-separated keys `by`."""
    keys = [key.strip() for key in by.split(",")]
    if not all(keys):
        raise InputError(f"--by {by!r} has an empty key: write KEY or KEY,KEY")
    runs = [read_run(path) for path in find_runs(paths)]
    _note_repeated(runs)
    return Evidence(
        groups=grouped((record for run in runs for record in run.decisions()), keys),
        interrupted=_interrupted(runs, keys),
    )


def _note_repeated(runs: Sequence[RunFolder]) -> None:
    times = Counter(id for run in runs for id in run.episodes)
    if repeated := sum(count > 1 for count in times.values()):
        print(
            f"valuesim: note: {repeated} episodes stand in more than one of these runs; each time "
            "counts, as evidence from one episode",
            file=sys.stderr,
        )


def _interrupted(runs: Sequence[RunFolder], keys: Sequence[str]) -> dict[Group, Counter[str]]:
    # the last reason of each episode: an episode is counted once, however often it was tried
    last = {(run.path, r.episode): r for run in runs for r in run.interrupted if r.is_open}
    counts: dict[Group, Counter[str]] = {}
    for record in last.values():
        for group in {_group(role, player, keys) for role, player in _players(record)}:
            counts.setdefault(group, Counter())[record.reason] += 1
    return counts


def _players(record: InterruptedRecord) -> list[tuple[str | None, Player | None]]:
    return list(record.population.items()) or [(None, None)]


def _group(role: str | None, player: Player | None, keys: Sequence[str]) -> Group:
    known: dict[str, str | None] = {"role": role}
    if player is not None:
        known |= {"agent": player.agent, "model": player.model_name}
    return Group(tuple((key, known.get(key)) for key in keys))


def file_for(path: Path, group: Group, groups: int) -> Path:
    """Return `path`, with the group's name in it where there are several groups."""
    if groups == 1:
        return path
    name = "-".join(str(label) for label in group.values() if label is not None) or "all"
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
    return path.with_name(f"{path.stem}-{safe}{path.suffix}")
