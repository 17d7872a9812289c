"""`valuesim drift`: what moved over ordered checkpoints, when, and by a step or a trend."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from valuesim.archetypes.change import change_to_json
from valuesim.cli.checkpoints import positions_of
from valuesim.cli.drifted import print_acts, print_archetypes, print_values
from valuesim.cli.evidence import files_for
from valuesim.cli.paired import Arm, beside_first
from valuesim.cli.ranking import print_line
from valuesim.cli.sources import (
    match_notes,
    matches,
    paired_to_json,
    print_headlines,
    read_apart,
    unplaced,
)
from valuesim.cli.terminal import clean, write_json
from valuesim.errors import InputError
from valuesim.graph import Group
from valuesim.graph.differing import differing
from valuesim.graph.drift import Drift, ValueDrift, drift_to_json, to_json, value_drift
from valuesim.graph.matched import Match
from valuesim.graph.units import choices_together
from valuesim.log.whole import whole
from valuesim.measures.drift_acts import act_drift


@dataclass(frozen=True, kw_only=True, slots=True)
class _Drifted:
    """What one group did over the checkpoints that hold any of it."""

    values: ValueDrift
    acts: Sequence[Drift]
    arms: Sequence[Arm]
    notes: Sequence[str]


def main(arguments: argparse.Namespace) -> int:
    """Follow checkpoints, and return 0; raise InputError where they cannot be followed."""
    if arguments.png:
        from valuesim.report.drawing import graph_format

        graph_format(arguments.png)
    if len(arguments.paths) < 2:
        raise InputError(
            f"one checkpoint was given, {arguments.paths[0]}: drift is between several"
        )
    sources = read_apart(arguments.paths)
    positions = positions_of(sources, arguments.order, arguments.at)
    sources = {name: sources[name] for name in positions}
    found = matches(sources, arguments.by)
    groups = {group: _drifted(match, positions) for group, match in found.items()}
    different = differing({name: pool.episodes.values() for name, pool in sources.items()})
    if arguments.json:
        told = {
            "schema": 1,
            "checkpoints": [{"name": name, "at": at} for name, at in positions.items()],
            "paired": paired_to_json(sources, different),
            "groups": [_to_json(group, own) for group, own in groups.items()],
            "unplaced": unplaced(sources),
            "why": None,
        }
        write_json(told, arguments.json)
    if arguments.json != "-":
        print_headlines(sources, different)
        for group, own in groups.items():
            _print(group, own)
    _draw(arguments.png, groups)
    return 0


def _drifted(match: Match, positions: Mapping[str, float]) -> _Drifted:
    own = {name: at for name, at in positions.items() if name in match.arms}
    arms = {name: match.arms[name] for name in own}
    lacking = [name for name in positions if name not in own]
    notes = [f"nothing of this group was played at {', '.join(lacking)}"] if lacking else []
    return _Drifted(
        values=value_drift(choices_together(arms), own),
        acts=act_drift(arms, own) if len(own) > 1 else (),
        arms=beside_first(arms),
        notes=[*notes, *match_notes(match)],
    )


def _print(group: Group, own: _Drifted) -> None:
    print(clean(str(group)))
    print_acts(own.acts)
    print_archetypes(own.arms)
    print_values(own.values)
    for note in own.notes:
        print_line(f"note: {note}")
    print()


def _to_json(group: Group, own: _Drifted) -> dict[str, Any]:
    changes = [arm.archetype and change_to_json(arm.archetype) for arm in own.arms]
    return {
        "group": dict(group.items()),
        "strengths": to_json(own.values),
        "acts": [drift_to_json(each) for each in own.acts],
        "archetypes": [
            {"checkpoint": arm.name, "against": arm.against, "change": change}
            for arm, change in zip(own.arms, changes, strict=True)
        ],
        "notes": list(own.notes),
    }


def _draw(png: Path | None, groups: Mapping[Group, _Drifted]) -> None:
    if png is None:
        return
    from valuesim.report.drift_figure import save_drift

    for group, path in files_for(png, groups).items():
        own = groups[group]
        with whole(path) as draft:
            save_drift(own.acts, own.values.drifts, draft, str(group))
