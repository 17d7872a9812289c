"""`valuesim measures`: what the studies of each family report, for the agents of some runs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from valuesim.cli.evidence import read_evidence
from valuesim.cli.intervened import in_json, intervened, print_checks
from valuesim.cli.terminal import clean, interval, percent, print_table, write_json
from valuesim.graph import Group
from valuesim.measures.panel import Estimate, Panel, Reference, panels


def main(arguments: argparse.Namespace) -> int:
    """Measure, and return 0; without a decision, say why there is nothing."""
    keys = arguments.by if "env" in arguments.by.split(",") else f"env,{arguments.by}"
    found = read_evidence(arguments.paths, keys)
    measured = {group: panels(records) for group, records in found.groups.items()}
    arms = intervened(found.groups)
    if arguments.json:
        groups = [_json(group, own) for group, own in measured.items()]
        content = {"schema": 1, "groups": groups, "why": found.why_nothing}
        content |= in_json(arms)
        write_json(content, arguments.json)
    if arguments.json != "-":
        if found.why_nothing:
            print(f"nothing to measure: {found.why_nothing}")
        _print_unmeasured(measured)
        for group, own in measured.items():
            print_panels(str(group), own)
            for note in found.notes(group):
                print(clean(f"  note: {note}" if own else f"{group}: note: {note}"))
        for group, made in arms.items():
            print_checks(group, made)
            if made.effects:
                print_panels(str(group), made.effects)
    return 0


def _print_unmeasured(measured: Mapping[Group, Sequence[Panel]]) -> None:
    """Print which environments have no measures of their own, each once for all its groups."""
    bare = [group for group, own in measured.items() if not own]
    for env in dict.fromkeys(group["env"] for group in bare):
        first, *others = (group for group in bare if group["env"] == env)
        shared = (own for own in first.items() if all(own in each.items() for each in others))
        print(clean(f"{Group(tuple(shared))}: its environment has no measures of its own\n"))


def print_panels(group: str, measured: Sequence[Panel]) -> None:
    """Print each panel of one group as a table, with whose the references are."""
    for panel in measured:
        print_table(_title(group, panel), list(_columns(panel)), [*_rows(panel)])
        if panel.note:
            print(f"  note: {clean(panel.note)}")
        for reference in panel.references:
            told = f"{reference.label}: {reference.source} ({reference.population})"
            print(f"  reference: {clean(told)}")
        print()


def _title(group: str, panel: Panel) -> str:
    faults = percent(panel.fault_rate)
    return f"{group}: {panel.title} ({panel.unit}; {panel.decisions:,} decisions, {faults} faults)"


def _columns(panel: Panel) -> Iterator[str]:
    yield "measure"
    if panel.axis is not None:
        yield panel.axis
    yield from ("figure", "95 % interval", "n")
    for reference in panel.references:
        yield reference.label


def _rows(panel: Panel) -> Iterator[list[object]]:
    for estimate in panel.estimates:
        row: list[object] = [estimate.label]
        if panel.axis is not None:
            row.append("-" if estimate.at is None else f"{estimate.at:g}")
        row += [estimate.value, interval(estimate.low, estimate.high), estimate.n]
        yield row + [_at(reference, estimate) for reference in panel.references]


def _at(reference: Reference, estimate: Estimate) -> float | None:
    """Return the reference's figure for the place of `estimate`, None where it has none."""
    for point in reference.points:
        is_same = point.at == estimate.at if estimate.at is not None else True
        if is_same and (estimate.at is not None or point.label == estimate.label):
            return point.value
    return None


def _json(group: Group, measured: Sequence[Panel]) -> dict[str, Any]:
    return {"group": dict(group.items()), "panels": [asdict(panel) for panel in measured]}
