"""`valuesim compare`: how value rankings differ between agents, conditions, families or runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from valuesim.cli.compared import print_comparison
from valuesim.cli.evidence import Evidence, files_for, interrupted_by_group
from valuesim.cli.terminal import clean, write_json
from valuesim.errors import InputError, unknown
from valuesim.graph import Group, grouped
from valuesim.graph.compared import Comparison, to_json
from valuesim.graph.flips import Pair
from valuesim.graph.grouping import Played
from valuesim.graph.levels import Records, compare_levels, groups_beside, level_keys, levels, mixed
from valuesim.log import decisions_once, find_runs, read_run
from valuesim.log.pool import Pool
from valuesim.log.whole import whole

RUN = "run"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Compared:
    """The levels of one group, their comparison, and what must be known to read it."""

    levels: Mapping[str, Records]
    comparison: Comparison
    notes: Sequence[str]


def main(arguments: argparse.Namespace) -> int:
    """Compare, and return 0; where nothing can be compared, say why."""
    if arguments.png:
        from valuesim.report.drawing import graph_format

        graph_format(arguments.png)
    pairs = [_pair(given) for given in arguments.pair]
    key = arguments.between
    sources = _sources(arguments.paths, key)
    by = _by(arguments.by, key, sources)
    placed, unplaced = interrupted_by_group(
        [record for pool in sources.values() for record in pool.interrupted], by
    )
    stopped = Evidence(by=by, groups={}, interrupted=placed, unplaced=unplaced)
    groups = _levels(sources, by, key, arguments.against)
    _check_pairs(pairs, groups)
    found = {
        group: _Compared(
            levels=own,
            comparison=compare_levels(own, key, pairs=pairs),
            notes=[*filter(None, [stopped.interruptions(group)]), *_notes(own, by, key)],
        )
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


def _print(found: Mapping[Group, _Compared], key: str) -> None:
    for group, own in found.items():
        if own.levels:
            print_comparison(f"{group}, between levels of {key}", own.comparison, own.notes)
    without = [str(group) for group, own in found.items() if not own.levels]
    if without:
        print(clean(f"without {key}: {'; '.join(without)}"))


def _sources(paths: Sequence[Path], key: str) -> dict[str, Pool]:
    """Return what was played: all as one, or for each path its own, under its name."""
    if key in ("condition", "elicitation"):
        raise InputError(f"--between {key} is many factors: name one, such as scarcity")
    if key != RUN:
        return {"": _read(paths)}
    named = _names(paths)
    if len(named) < 2:
        raise InputError(f"--between run compares paths with each other; given: {paths[0]}")
    return {name: _read([path]) for name, path in named.items()}


def _names(paths: Sequence[Path]) -> dict[str, Path]:
    """Return the paths by the shortest ends of theirs that tell them apart."""
    different = list(dict.fromkeys(path.resolve() for path in paths))
    for length in range(1, max(len(path.parts) for path in different) + 1):
        named = {"/".join(path.parts[-length:]): path for path in different}
        if len(named) == len(different):
            break
    return named


def _read(paths: Sequence[Path]) -> Pool:
    pool = decisions_once([read_run(path) for path in find_runs(paths)])
    for note in pool.notes:
        print(f"valuesim: note: {clean(note)}", file=sys.stderr)
    return pool


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


def _pair(given: str) -> Pair:
    over, _, under = (part.strip() for part in given.partition(","))
    if not over or not under or over == under:
        raise InputError(f"--pair {given!r} does not name two values: write U,W")
    return over, under


def _check_pairs(pairs: Sequence[Pair], groups: Mapping[Group, Mapping[str, Records]]) -> None:
    if not pairs:
        return
    each = [records for own in groups.values() for records in own.values()]
    options = {id(o): o for records in each for record in records for o in record.options}
    known = {value for option in options.values() for value in option.stakes}
    for value in (value for pair in pairs for value in pair):
        if known and value not in known:
            raise InputError(unknown("value", value, known, "--pair"))


def _notes(own: Mapping[str, Records], by: Sequence[str], key: str) -> Iterator[str]:
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
