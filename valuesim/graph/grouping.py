"""Decisions by who made them and under which condition."""

from __future__ import annotations

import json
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from valuesim.errors import InputError, unknown
from valuesim.log.reader import DecisionRecord

Label = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Group(Mapping[str, Label]):
    """What the decisions of a group have in common: an ordered, hashable mapping.

    A label is None where it does not apply (the model of an agent without one). Settings that are
    mappings or lists are given as JSON text.
    """

    labels: tuple[tuple[str, Label], ...] = ()

    def __getitem__(self, key: str) -> Label:
        return dict(self.labels)[key]

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self.labels))

    def __len__(self) -> int:
        return len(self.labels)

    def items(self) -> ItemsView[str, Label]:
        """Return the labels in order."""
        return dict(self.labels).items()

    def __str__(self) -> str:
        """Return the labels that apply, as `name=label` with commas; "all" without any."""
        shown = [f"{name}={label}" for name, label in self.labels if label is not None]
        return ", ".join(shown) or "all"


_KEYS: dict[str, Callable[[DecisionRecord], Label]] = {
    "agent": lambda record: record.player.agent,
    "model": lambda record: record.player.model_name,
    "env": lambda record: record.episode.env,
    "role": lambda record: record.role,
}


def grouped(
    records: Iterable[DecisionRecord], by: Sequence[str]
) -> dict[Group, list[DecisionRecord]]:
    """Return `records` by the keys `by`, groups in order of appearance, records in their own.

    A key is "agent", "model", "env", "role", "condition" (every factor of the episode's condition)
    or the name of one such factor. Without keys all records are one group; without records there is
    none. Raises InputError for a key that no record has.
    """
    groups: dict[Group, list[DecisionRecord]] = {}
    by_source: dict[tuple[int, str], Group] = {}
    factors: set[str] = set()
    for record in records:
        # an episode's role settles every label, so that a group is made once for each
        source = (id(record.episode), record.role)
        group = by_source.get(source)
        if group is None:
            factors |= set(record.episode.condition)
            group = Group(tuple(_labels(record, by)))
            by_source[source] = group
        groups.setdefault(group, []).append(record)
    if groups:
        allowed = {*_KEYS, "condition", *factors}
        for key in by:
            if key not in allowed:
                raise InputError(unknown("grouping", key, allowed))
    return groups


def _labels(record: DecisionRecord, by: Sequence[str]) -> Iterator[tuple[str, Label]]:
    condition = record.episode.condition
    for key in by:
        if key in _KEYS:
            yield key, _KEYS[key](record)
        elif key == "condition":
            yield from ((name, label(condition[name])) for name in sorted(condition))
        else:
            yield key, label(condition.get(key))


def label(setting: Any) -> Label:
    """Return a setting as a hashable label: as it is, or as JSON text if it has parts."""
    if setting is None or isinstance(setting, str | int | float | bool):
        return setting
    return json.dumps(setting, sort_keys=True, default=str)
