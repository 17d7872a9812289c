"""`valuesim compare A B`: two models, arms or checkpoints that played the same seeds and scenes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from valuesim.cli.compared import print_comparison
from valuesim.cli.evidence import files_for
from valuesim.cli.paired import Arm, arm_to_json, beside_first, print_paired
from valuesim.cli.pairs import check_pairs
from valuesim.cli.sources import (
    RUN,
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
from valuesim.graph.compared import Comparison, to_json
from valuesim.graph.comparison import compare
from valuesim.graph.differing import differing
from valuesim.graph.flips import Pair
from valuesim.graph.matched import Match
from valuesim.graph.units import choices_together
from valuesim.log.whole import whole


@dataclass(frozen=True, kw_only=True, slots=True)
class _Beside:
    """What both paths hold of one group, side by side; no `arms` where one holds nothing of it."""

    comparison: Comparison
    arms: Sequence[Arm]
    notes: Sequence[str]


def main(arguments: argparse.Namespace, pairs: Sequence[Pair]) -> int:
    """Compare two paths, and return 0; raise InputError where they cannot be."""
    _check(arguments)
    sources = read_apart(arguments.paths)
    found = matches(sources, arguments.by)
    check_pairs(pairs, (arm for match in found.values() for arm in match.arms.values()))
    different = differing({name: pool.episodes.values() for name, pool in sources.items()})
    groups = {group: _beside(match, pairs) for group, match in found.items()}
    if arguments.json:
        told = {
            "schema": 1,
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


def _check(arguments: argparse.Namespace) -> None:
    paths = arguments.paths
    if len(paths) == 1:
        raise InputError(
            f"one path was given, {paths[0]}: name a second to compare it with, or --between KEY "
            "for what differs within it (agent, model, scarcity, ...)"
        )
    if len(paths) > 2:
        raise InputError(
            f"{len(paths)} paths were given: two are set side by side; --between run sets each "
            "against the first, and `valuesim drift` follows checkpoints in their order"
        )
    if arguments.against is not None:
        raise InputError("--against needs --between: without it the first path is the one")


def _beside(match: Match, pairs: Sequence[Pair]) -> _Beside:
    return _Beside(
        comparison=compare(choices_together(match.arms), pairs=pairs),
        arms=beside_first(match.arms),
        notes=list(match_notes(match)),
    )


def _print(group: Group, own: _Beside) -> None:
    print(clean(str(group)))
    for arm in own.arms:
        print_paired(arm)
    print()
    print_comparison("value strengths", own.comparison, own.notes)


def _to_json(group: Group, own: _Beside) -> dict[str, Any]:
    return {
        "group": dict(group.items()),
        "between": RUN,
        "paired": [arm_to_json(arm) for arm in own.arms],
        **to_json(own.comparison),
        "notes": list(own.notes),
    }


def _draw(png: Path | None, groups: Mapping[Group, _Beside]) -> None:
    if png is None:
        return
    from valuesim.report.paired_figure import save_paired

    for group, path in files_for(png, groups).items():
        own = groups[group]
        with whole(path) as draft:
            save_paired([arm.acts for arm in own.arms], own.comparison, draft, str(group))
