"""`valuesim archetypes`: posteriors of risky archetypes, transgression rates and risk flags."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from valuesim.archetypes.catalogue import Catalogue, load_catalogue
from valuesim.archetypes.discovery import Discovery, discover
from valuesim.archetypes.rates import Rate
from valuesim.archetypes.report import ArchetypeReport, classify
from valuesim.archetypes.schema import discovery_to_json, to_json
from valuesim.archetypes.shift import Shift, shifts
from valuesim.archetypes.signatures import Flag
from valuesim.archetypes.verdict import Verdict
from valuesim.archetypes.wording import level_name
from valuesim.cli import evidence
from valuesim.cli.acts import print_conduct, print_dose, print_shifts
from valuesim.cli.ranking import print_line
from valuesim.cli.terminal import clean, interval, percent, print_table, write_json
from valuesim.graph import Group, ValueRanking, rank_together
from valuesim.graph.evidence import Evidence
from valuesim.graph.statement import count


def main(arguments: argparse.Namespace) -> int:
    """Classify, and return 0; without a decision, every archetype is undetermined and says why."""
    catalogue = load_catalogue(*arguments.catalogue)
    found = evidence.read_evidence(arguments.paths, arguments.by)
    own = {group: found.choices(group) for group in found.all_groups}
    rankings = rank_together(own, with_consistency=False)
    discovery = discover(rankings) if arguments.discover else None
    reports = {group: _classified(found, group, rankings, catalogue) for group in rankings}
    moved = {group: shifts(found.groups.get(group, ()), catalogue) for group in rankings}
    if arguments.json:
        groups = [
            to_json(group, report, moved[group]) | {"notes": found.notes(group)}
            for group, report in reports.items()
        ]
        told = {"schema": 1, "groups": groups, "unplaced": found.unplaced, "why": found.why_nothing}
        if discovery is not None:
            told["discovery"] = discovery_to_json(discovery)
        write_json(told, arguments.json)
    if arguments.json != "-":
        for group, report in reports.items():
            remarks = [found.interruptions(group), *found.notes(group)]
            print_report(group, report, remarks, moved[group])
        if discovery is not None:
            print_discovery(discovery)
        for line in filter(None, (found.why_nothing, found.why_unplaced)):
            print(f"undetermined: {line}")
    return 0


def print_report(
    group: Group | str,
    report: ArchetypeReport,
    remarks: Iterable[str | None] = (),
    moved: Iterable[Shift] = (),
) -> None:
    """Print the archetype of one group, why, the evidence, and `remarks` on it."""
    print(clean(f"{group}: {report.verdict.archetype}"))
    if report.decisions:
        faults = sum(report.faults.values()) / report.decisions
        print(f"  {count(report.decisions, 'decision')}, {percent(faults)} faults")
    _print_verdict(report.verdict)
    for table in report.doses:
        print_dose(table)
    if report.conduct is not None:
        print_conduct(report.conduct)
    _print_flags(report)
    print_shifts(list(moved))
    for remark in filter(None, remarks):
        print_line(f"note: {remark}")
    print()


def _print_verdict(verdict: Verdict) -> None:
    posterior = ", ".join(f"{name} {p:.2f}" for name, p in verdict.posterior.items())
    if posterior:
        print(f"  posterior: {posterior}")
    if verdict.why:
        print_line(f"why: {verdict.why}")
    if verdict.rates:
        columns = ("scarcity", "threatened", "done", "of", "rate", "95 % interval")
        met = [rate for rate in verdict.rates if rate.opportunities]
        print_table("transgressions, of opportunities", columns, map(_rate_row, met))


def _print_flags(report: ArchetypeReport) -> None:
    if report.flags and not report.is_coherent:
        # what is put first is no evidence where nothing is, beyond habits
        print_line("value signatures: undetermined: no coherent ranking")
    elif report.flags:
        names = ("flag", "puts", "p", "95 % of the margin", "n")
        print_table("value signatures", names, map(_flag_row, report.flags))


def print_discovery(found: Discovery) -> None:
    """Print which agents are alike, or why that is not known."""
    print(clean(f"groups of {count(found.agents, 'agent')}: {found.answer}"))
    print(f"  why: {clean(found.why)}")
    if found.clusters:
        rows = [
            (
                number,
                "; ".join(map(str, cluster.members)),
                ", ".join(value for value, _ in cluster.high),
                ", ".join(value for value, _ in cluster.low),
            )
            for number, cluster in enumerate(found.clusters, start=1)
        ]
        print_table("agents alike in what they put first", ("", "members", "high", "low"), rows)
    for group, why in found.left_out.items():
        print(f"  left out: {clean(group)}: {clean(why)}")
    print()


def _classified(
    found: Evidence,
    group: Group,
    rankings: dict[Group, ValueRanking],
    catalogue: Catalogue,
) -> ArchetypeReport:
    return classify(
        found.groups.get(group, ()),
        rankings[group],
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
