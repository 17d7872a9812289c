"""The share of decisions that were faults, by kind, group and level of scarcity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from valuesim.decision import Fault
from valuesim.log import DecisionRecord
from valuesim.measures.interval import Rate, clustered_rate
from valuesim.report.scarcity import Level, by_level
from valuesim.report.text import short


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultRow:
    """The faults of one group at one level: share of its decisions by kind, and their total."""

    label: str
    shares: tuple[tuple[str, float], ...]
    total: Rate


def fault_rows(
    groups: Mapping[str, Sequence[DecisionRecord]], at: Sequence[Level]
) -> tuple[FaultRow, ...]:
    """Return a row for each level of each group that has any fault; groups without have none."""
    rows: list[FaultRow] = []
    for name, records in groups.items():
        if any(record.fault is not None for record in records):
            rows += _rows(name, records, at)
    return tuple(rows)


def fault_rate(records: Sequence[DecisionRecord]) -> Rate:
    """Return faults per decision, clustered by episode or chain."""
    faults: Counter[str] = Counter()
    decisions: Counter[str] = Counter()
    for record in records:
        decisions[record.episode.unit] += 1
        faults[record.episode.unit] += record.fault is not None
    return clustered_rate([faults[e] for e in decisions], list(decisions.values()))


def _rows(name: str, records: Sequence[DecisionRecord], at: Sequence[Level]) -> list[FaultRow]:
    found = by_level(records)
    label = short(name, 30)
    return [
        _row(f"{label}, {lev.name}" if lev else label, found[lev])
        for lev in (*at, None)
        if lev in found
    ]


def _row(label: str, records: Sequence[DecisionRecord]) -> FaultRow:
    counts = Counter(record.fault for record in records if record.fault is not None)
    return FaultRow(
        label=f"{label} (n {len(records):,})",
        shares=tuple((str(f), counts[f] / len(records)) for f in Fault if counts[f]),
        total=fault_rate(records),
    )
