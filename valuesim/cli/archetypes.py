"""`valuesim archetypes`: posteriors of risky archetypes, transgression rates and risk flags."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from valuesim.archetypes import (
    ArchetypeReport,
    Catalogue,
    Flag,
    Rate,
    classify,
    load_catalogue,
    to_json,
)
from valuesim.archetypes.wording import level_name
from valuesim.cli import evidence
from valuesim.cli.terminal import clean, interval, percent, print_table, write_json
from valuesim.graph import Group, rank_values
from valuesim.graph.statement import count


def main(arguments: argparse.Namespace) -> int:
    """Classify, and return 0; without a decision, every archetype is undetermined and says why."""
    catalogue = load_catalogue(*arguments.catalogue)
    found = evidence.read_evidence(arguments.paths, arguments.by)
    reports = {group: _classified(found, group, catalogue) for group in found.all_groups}
    if arguments.json:
        groups = [
            to_json(group, report) | {"notes": found.notes(group)}
            for group, report in reports.items()
        ]
        told = {"schema": 1, "groups": groups, "unplaced": found.unplaced, "why": found.why_nothing}
        write_json(told, arguments.json)
    if arguments.json != "-":
        for group, report in reports.items():
            print_report(group, report, [found.interruptions(group), *found.notes(group)])
        for line in filter(None, (found.why_nothing, found.why_unplaced)):
            print(f"undetermined: {line}")
    return 0


def print_report(
    group: Group | str, report: ArchetypeReport, remarks: Iterable[str | None] = ()
) -> None:
    """Print the archetype of one group, why, the evidence, and `remarks` on it."""
    posterior = ", ".join(f"{name} {p:.2f}" for name, p in report.verdict.posterior.items())
    faults = sum(report.faults.values()) / report.decisions if report.decisions else None
    print(clean(f"{group}: {report.verdict.archetype}"))
    print(f"  {count(report.decisions, 'decision')}, {percent(faults)} faults")
    if posterior:
        print(f"  posterior: {posterior}")
    if report.verdict.why:
        print(f"  why: {clean(report.verdict.why)}")
    if report.verdict.rates:
        columns = ("scarcity", "threatened", "done", "of", "rate", "95 % interval")
        met = [rate for rate in report.verdict.rates if rate.opportunities]
        print_table("transgressions, of opportunities", columns, map(_rate_row, met))
    if report.flags:
        names = ("flag", "puts", "p", "95 % of the margin", "n")
        print_table("value signatures", names, map(_flag_row, report.flags))
    for remark in filter(None, remarks):
        print(f"  note: {clean(remark)}")
    print()


def _classified(found: evidence.Evidence, group: Group, catalogue: Catalogue) -> ArchetypeReport:
    return classify(
        found.groups.get(group, ()),
        rank_values(found.choices(group)),
        catalogue,
        interrupted=found.interrupted.get(group, {}),
    )


def _rate_row(rate: Rate) -> tuple[object, ...]:
    low_to_high = None if rate.low is None else f"{percent(rate.low)} to {percent(rate.high)}"
    threat = {"True": "yes", "False": "no"}.get(str(rate.condition.get("threatened")), "all")
    level = level_name(rate.condition)
    return (level, threat, rate.transgressions, rate.opportunities, percent(rate.rate), low_to_high)


def _flag_row(flag: Flag) -> tuple[object, ...]:
    puts = f"{flag.puts} over {', '.join(flag.over)}"
    return (flag.name, puts, flag.probability, interval(flag.low, flag.high), flag.decisions)
