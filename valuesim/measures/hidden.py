"""What faults may hide: bounds of a share, and whether validity depends on what stands first.

A fault enters no share. Where faults depend on the content or on its place, what is left is a
selected part of the decisions, and its shares say little of the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from valuesim.choices import cluster_of
from valuesim.log.reader import DecisionRecord
from valuesim.measures.interval import Rate, rate_by_cluster
from valuesim.measures.panel import Estimate, Panel, fault_counts

Judge = Callable[[DecisionRecord], Sequence[bool] | None]
"""Says of each option, in the order shown, whether it would be a hit; None: no such question."""

_EMPTY = 1e-9


def hidden_panels(
    records: Sequence[DecisionRecord], judges: Mapping[str, Judge], judge: Judge, *, what: str
) -> tuple[Panel, ...]:
    """Return what the faults of `records` may hide of choices of `what`; none without a fault.

    First the bounds of the share of hits by each of `judges`, then the share of valid answers by
    whether a hit by `judge` stands first (see `valid_by_first`).
    """
    asked = [record for record in records if any(own(record) for own in judges.values())]
    faults = fault_counts(asked)
    if not faults:
        return ()
    first, later = valid_by_first(asked, judge)
    panel = Panel(
        id="hidden",
        title=f"{what.capitalize()} choices, whatever the faults hid",
        unit="share of decisions asked",
        estimates=tuple(e for label, own in judges.items() for e in _bounds(asked, own, label)),
        bounds=(0.0, 1.0),
        decisions=len(asked),
        faults=faults,
        note=f"The share if no fault hid a {what} choice, and if every one did; each with its "
        "interval.",
    )
    validity = replace(
        panel,
        id="valid",
        title=f"Valid answers by whether a {what} option stands first",
        estimates=(
            Estimate.of(f"{what} option first", first),
            Estimate.of(f"{what} option not first", later),
        ),
        note="With the order drawn by lot they differ only if faults follow place and content.",
    )
    return panel, validity


def selection(records: Sequence[DecisionRecord], judge: Judge) -> str:
    """Return in a sentence that faults select, empty if valid answers do not show that they do."""
    if not differ(*valid_by_first(records, judge)):
        return ""
    return "Valid answers depend on what stands first: the rates rest on a selected part."


def valid_by_first(records: Sequence[DecisionRecord], judge: Judge) -> tuple[Rate, Rate]:
    """Return the share of valid choices where a hit stands first, and where it stands elsewhere.

    Decisions that `judge` says nothing of do not count; the rates are clustered.
    """
    sides: tuple[list[tuple[str, float]], ...] = ([], [])
    for record in records:
        hits = judge(record)
        if hits:
            sides[0 if hits[0] else 1].append((cluster_of(record), float(record.fault is None)))
    return rate_by_cluster(sides[0]), rate_by_cluster(sides[1])


def differ(one: Rate, other: Rate) -> bool:
    """Return whether two rates differ for certain: their intervals are known and do not overlap."""
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.low > other.high or other.low > one.high


def without_empty_ends(rate: Rate) -> Rate:
    """Return `rate` with an end that is 0 or 1 but for the rounding of numbers set to it."""
    ends = [
        end if end is None else 0.0 if end < _EMPTY else 1.0 if end > 1 - _EMPTY else end
        for end in (rate.low, rate.high)
    ]
    return replace(rate, low=ends[0], high=ends[1])


def _bounds(asked: Sequence[DecisionRecord], judge: Judge, label: str) -> list[Estimate]:
    def share(if_fault: float) -> Rate:
        return rate_by_cluster(
            (cluster_of(record), _hit(record, hits, if_fault))
            for record in asked
            if (hits := judge(record))
        )

    return [
        Estimate.of(f"{label}, no fault counted", share(0.0)),
        Estimate.of(f"{label}, every fault counted", share(1.0)),
    ]


def _hit(record: DecisionRecord, hits: Sequence[bool], if_fault: float) -> float:
    if record.chosen is None:
        return if_fault
    return float(hits[[option.name for option in record.options].index(record.chosen)])
