"""The value graph of chosen episodes as the page gets it: the figures of `valuesim graph`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from valuesim.errors import InputError
from valuesim.graph import rank_values, to_json
from valuesim.graph.counted import Counts, Streamed, check_keys, streamed
from valuesim.graph.evidence import keys_of
from valuesim.graph.grouping import kept_apart, settings
from valuesim.log.chosen import CHOSEN
from valuesim.log.pool import unfinished
from valuesim.log.reader import DecisionRecord, EpisodeRecord
from valuesim.replay.understanding.backing import Noted
from valuesim.replay.understanding.reading import Chosen
from valuesim.tables.once import DecisionsOnce

MOST_GROUPS = 60
"""More groups than these are asked of `valuesim graph`: each is ranked for itself."""
_OFFERED = ("agent", "model", "env", "family", "role", "others", "condition")
_EACH = 1000

Tell = Callable[[str, int], None]
"""Told what is done, and how far: of decisions read, how many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """The evidence of chosen episodes, where its choices were made, and what is to be known."""

    evidence: Streamed
    noted: Noted
    notes: tuple[str, ...]
    offered: tuple[str, ...]


def gathered(chosen: Sequence[Chosen], by: str, tell: Tell) -> Found:
    """Return the evidence of `chosen` by the comma-separated keys `by`.

    Raises InputError for a key that is none, and for too many groups.
    """
    keys, finished = read_keys(chosen, by)
    folders = {each.path: each.folder() for each in chosen}
    lost = unfinished(folders.values(), finished)
    check_keys(keys, finished.values(), lost)
    parts = {each.path: each for each in chosen}
    runs: dict[Path, str] = {each.path: each.run for each in chosen}
    once = DecisionsOnce(list(parts), parts.__getitem__)
    counts, noted = Counts(keys), Noted()
    for part, records in once.by_run():
        counts.add(_noted(told(records, tell), counts, noted, runs[part.path]))
        check_groups(len(counts.groups), by)
    return Found(
        evidence=streamed(counts, keys, lost, folders.values()),
        noted=noted,
        notes=tuple(note for note in once.notes if not note.endswith(CHOSEN)),
        offered=offered(finished.values()),
    )


def read_keys(
    chosen: Sequence[Chosen], by: str
) -> tuple[tuple[str, ...], dict[str, EpisodeRecord]]:
    """Return the keys of groups, with those that are always kept apart, and all episodes by id."""
    finished: dict[str, EpisodeRecord] = {}
    for each in chosen:
        finished = {**each.episodes, **finished}
    return kept_apart(keys_of(by), finished.values()), finished


def told(records: Iterable[DecisionRecord], tell: Tell) -> Iterator[DecisionRecord]:
    """Yield `records`, telling now and then how many were read."""
    number = 0
    for number, record in enumerate(records, start=1):
        if number % _EACH == 0:
            tell("read", _EACH)
        yield record
    if number % _EACH:
        tell("read", number % _EACH)


def check_groups(count: int, by: str) -> None:
    """Raise InputError where there are too many groups."""
    if count > MOST_GROUPS:
        raise InputError(
            f"by={by} makes more than {MOST_GROUPS} groups: choose fewer episodes or keys, or run "
            f"`valuesim graph --by {by}`, which has no such limit"
        )


def _noted(
    records: Iterable[DecisionRecord], counts: Counts, noted: Noted, run: str
) -> Iterator[DecisionRecord]:
    for record in records:
        if record.fault is None:
            noted.add(counts.group(record), record, run)
        yield record


def offered(episodes: Iterable[EpisodeRecord]) -> tuple[str, ...]:
    """Return the keys by which `episodes` may be grouped: the usual ones, and what varies."""
    levels: dict[str, set[object]] = {}
    for episode in episodes:
        for name, level in settings(episode).items():
            levels.setdefault(name, set()).add(level)
    return (*_OFFERED, *sorted(name for name, each in levels.items() if len(each) > 1))


def as_json(found: Found, tell: Tell) -> dict[str, Any]:
    """Return the graphs of all groups, as `valuesim graph --json` does, and what is beside them."""
    evidence = found.evidence
    groups = []
    check_groups(len(evidence.all_groups), ",".join(evidence.by))
    tell("groups", len(evidence.all_groups))
    for group in evidence.all_groups:
        ranking = rank_values(evidence.choices(group))
        told = to_json(group, ranking) | {
            "interrupted": evidence.interrupted.get(group, {}),
            "notes": evidence.notes(group),
            "name": str(group),
            "episodes": len(evidence.episodes.get(group, ())),
            "unit": ranking.unit,
        }
        groups.append(told | {"edges": _both_ways(told["edges"])})
        tell("ranked", 1)
    return {
        "schema": 1,
        "by": list(evidence.by),
        "offered": list(found.offered),
        "groups": groups,
        "unplaced": evidence.unplaced,
        "why": evidence.why_nothing,
        "notes": list(found.notes),
    }


def _both_ways(edges: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each edge with what the opposite one holds."""
    weights = {(e["over"], e["under"]): (e["weight"], e["decisions"]) for e in edges}
    told = []
    for edge in edges:
        weight, decisions = weights.get((edge["under"], edge["over"]), (0.0, 0))
        told.append({**edge, "against": weight, "against_decisions": decisions})
    return told
