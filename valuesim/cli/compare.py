"""`valuesim compare`: how value rankings differ between agents, conditions, families or runs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from valuesim.cli.compared import print_comparison
from valuesim.cli.evidence import files_for
from valuesim.cli.paired import Arm, arm_to_json, beside_first, print_paired
from valuesim.cli.pairs import check_pairs, read_pair
from valuesim.cli.sources import RUN, named_paths, read_pool
from valuesim.cli.terminal import clean, write_json
from valuesim.errors import InputError, unknown
from valuesim.graph import Group, grouped
from valuesim.graph.arms import is_arm_key
from valuesim.graph.compared import Comparison, to_json
from valuesim.graph.evidence import Evidence, interrupted_by_group
from valuesim.graph.flips import Pair
from valuesim.graph.grouping import Played
from valuesim.graph.levels import Records, compare_levels, groups_beside, level_keys, levels, mixed
from valuesim.log.pool import Pool
from valuesim.log.whole import whole

UNPAIRED = ("family", "env")
"""Keys whose levels are other questions, so that no rate of one is one of another."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Compared:
    """The levels of one group, their comparison, and what must be known to read it."""

    levels: Mapping[str, Records]
    comparison: Comparison
    notes: Sequence[str]
    arms: Sequence[Arm]


def main(arguments: argparse.Namespace) -> int:
    """Compare, and return 0; where nothing can be compared, say why."""
    if arguments.png:
        from valuesim.report.drawing import graph_format

        graph_format(arguments.png)
    pairs = [read_pair(given) for given in arguments.pair]
    if arguments.between is None:
        from valuesim.cli.two_runs import main as compare_two

        return compare_two(arguments, pairs)
    return _compare_levels(arguments, arguments.between, pairs)


def _compare_levels(arguments: argparse.Namespace, key: str, pairs: Sequence[Pair]) -> int:
    sources = _sources(arguments.paths, key)
    by = _by(arguments.by, key, sources)
    placed, unplaced = interrupted_by_group(
        [record for pool in sources.values() for record in pool.interrupted], by
    )
    stopped = Evidence(by=by, groups={}, interrupted=placed, unplaced=unplaced)
    groups = _levels(sources, by, key, arguments.against)
    check_pairs(pairs, (records for own in groups.values() for records in own.values()))
    found = {
        group: _compared(own, key, pairs, _notes(group, own, by, key, stopped))
        for group, own in groups.items()
    }
    why = None if found else stopped.why_nothing
    if arguments.json:
        told = {"schema": 1, "groups": _json(found, key), "unplaced": unplaced, "why": why}
        write_json(told, arguments.json)
    if arguments.json != "-":
        _print(found, key)
        for line in filter(None, (why and f"nothing to compare: {why}", stopped.why_unplaced)):
            print(line)
    _draw(arguments.png, found)
    return 0


def _compared(
    own: Mapping[str, Records], key: str, pairs: Sequence[Pair], notes: Iterator[str]
) -> _Compared:
    return _Compared(
        levels=own,
        comparison=compare_levels(own, key, pairs=pairs),
        notes=list(notes),
        arms=_arms(own, key),
    )


def _print(found: Mapping[Group, _Compared], key: str) -> None:
    for group, own in found.items():
        if own.levels:
            print_comparison(f"{group}, between levels of {key}", own.comparison, own.notes)
            for arm in (each for each in own.arms if each.has_acts):
                print_paired(arm)
                print()
    without = [str(group) for group, own in found.items() if not own.levels]
    if without:
        print(clean(f"without {key}: {'; '.join(without)}"))


def _arms(own: Mapping[str, Records], key: str) -> list[Arm]:
    if key in UNPAIRED:
        return []
    episodes = [record.episode for records in own.values() for record in records[:1]]
    is_who = key in ("agent", "model", RUN) or is_arm_key(key, episodes)
    return beside_first(own, with_archetype=is_who)


def _sources(paths: Sequence[Path], key: str) -> dict[str, Pool]:
    """Return what was played: all as one, or for each path its own, under its name."""
    if key in ("condition", "elicitation"):
        raise InputError(f"--between {key} is many factors: name one, such as scarcity")
    if key != RUN:
        return {"": read_pool(paths)}
    named = named_paths(paths)
    if len(named) < 2:
        raise InputError(f"--between run compares paths with each other; given: {paths[0]}")
    return {name: read_pool([path]) for name, path in named.items()}


def _by(given: str, key: str, sources: Mapping[str, Pool]) -> tuple[str, ...]:
    """Return the keys of the groups: those given but for `key`, and what is never pooled."""
    keys = [each.strip() for each in given.split(",")]
    if not all(keys):
        raise InputError(f"--by {given!r} has an empty key: write KEY or KEY,KEY")
    episodes = [each for pool in sources.values() for each in pool.episodes.values()]
    return groups_beside(keys, key, episodes)


def _levels(
    sources: Mapping[str, Pool], by: Sequence[str], key: str, against: str | None
) -> dict[Group, dict[str, Records]]:
    """Return the levels of each group, `against` first."""
    played = [each for pool in sources.values() for each in pool.episodes.values()]
    stopped = [each for pool in sources.values() for each in pool.interrupted]
    known: list[Played] = [*played, *stopped]
    found: dict[Group, dict[str, Records]] = {}
    for name, pool in sources.items():
        if key != RUN:
            grouped(pool.decisions[:1], level_keys(key)[:1], beside=known)
        for group, own in grouped(pool.decisions, by, beside=known).items():
            each = {name: own} if key == RUN else levels(own, key)
            found[group] = {**found.get(group, {}), **each}
    if played:
        _check(found, key, against)
    first = {} if against is None else {against: ()}
    return {
        group: {name: own[name] for name in {**first, **own} if name in own}
        for group, own in found.items()
    }


def _check(found: Mapping[Group, Mapping[str, Records]], key: str, against: str | None) -> None:
    known = list(dict.fromkeys(name for own in found.values() for name in own))
    if not known:
        raise InputError(f"--between {key}: no decision has a {key}")
    if all(len(own) < 2 for own in found.values()):
        told = f"each group has one {key} only ({', '.join(known)})"
        if len(known) == 1:
            told = f"{key} is {known[0]} everywhere"
        raise InputError(f"--between {key}: {told}; a comparison needs two levels in a group")
    if against is not None and against not in known:
        raise InputError(unknown("level", against, known, "--against"))


def _notes(
    group: Group, own: Mapping[str, Records], by: Sequence[str], key: str, stopped: Evidence
) -> Iterator[str]:
    yield from filter(None, [stopped.interruptions(group)])
    within, between = mixed(own, key)
    for name, number in within.items():
        keys = ",".join([*by, name])
        yield f"pooled over {name} ({number} settings); --by {keys} separates them"
    for name in between:
        yield f"{name} differs between the levels as well, and may be what moves values"


def _json(found: Mapping[Group, _Compared], key: str) -> list[dict[str, Any]]:
    return [
        {
            "group": dict(group.items()),
            "between": key,
            "paired": [arm_to_json(arm) for arm in own.arms],
            **to_json(own.comparison),
            "notes": list(own.notes),
        }
        for group, own in found.items()
    ]


def _draw(png: Path | None, found: Mapping[Group, _Compared]) -> None:
    if png is None:
        return
    from valuesim.report.comparison_figure import save_comparison

    drawn = [group for group, own in found.items() if own.levels]
    for group, path in files_for(png, drawn).items():
        with whole(path) as draft:
            save_comparison(found[group].comparison, draft, str(group))
