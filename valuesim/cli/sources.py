"""Paths that are set against each other: each read as one, under a short name."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from valuesim.cli.ranking import print_line
from valuesim.cli.terminal import clean
from valuesim.errors import InputError
from valuesim.graph import Group, grouped
from valuesim.graph.differing import Differing, beside
from valuesim.graph.grouping import Played
from valuesim.graph.levels import groups_beside
from valuesim.graph.matched import Match, matched
from valuesim.log import decisions_once, find_runs, read_run
from valuesim.log.pool import Pool

RUN = "run"
_MOST = 3


def named_paths(paths: Sequence[Path]) -> dict[str, Path]:
    """Return the paths, each once, by the shortest ends of theirs that tell them apart."""
    different = list(dict.fromkeys(path.resolve() for path in paths))
    for length in range(1, max(len(path.parts) for path in different) + 1):
        named = {"/".join(path.parts[-length:]): path for path in different}
        if len(named) == len(different):
            break
    return named


def read_pool(paths: Sequence[Path]) -> Pool:
    """Return what was played in and below `paths`, as one; what must be known of it is noted."""
    pool = decisions_once([read_run(path) for path in find_runs(paths)])
    for note in pool.notes:
        print(f"valuesim: note: {clean(note)}", file=sys.stderr)
    return pool


def read_apart(paths: Sequence[Path]) -> dict[str, Pool]:
    """Return what was played in each of `paths`, by its short name, in order.

    Raises InputError where two paths are the same, or hold the same run folder.
    """
    holds: dict[Path, Path] = {}
    for path in paths:
        for run in find_runs([path]):
            if run.resolve() in holds:
                other = holds[run.resolve()]
                is_same = path.resolve() == other.resolve()
                told = f"{path} was given twice" if is_same else f"{other} and {path} share {run}"
                raise InputError(f"{told}: give run folders that are not the same")
            holds[run.resolve()] = path
    return {name: read_pool([path]) for name, path in named_paths(paths).items()}


def matches(sources: Mapping[str, Pool], by: str) -> dict[Group, Match]:
    """Return what is set against what of `sources`, grouped by the comma-separated keys `by`.

    Raises InputError where the sources have no environment in common.
    """
    keys = [each.strip() for each in by.split(",")]
    if not all(keys):
        raise InputError(f"--by {by!r} has an empty key: write KEY or KEY,KEY")
    played = [each for pool in sources.values() for each in pool.episodes.values()]
    stopped = [each for pool in sources.values() for each in pool.interrupted]
    _check_common(sources)
    known: list[Played] = [*played, *stopped]
    whole = groups_beside(keys, RUN, played)
    runs = {name: grouped(pool.decisions, whole, beside=known) for name, pool in sources.items()}
    return matched(runs, played)


def print_headlines(sources: Mapping[str, Pool], different: Sequence[Differing]) -> None:
    """Print what is told of all groups: what differs between paths, and what was interrupted."""
    for line in (*_differing(different), *_interrupted(sources)):
        print_line(line)
    print()


def _differing(different: Sequence[Differing]) -> Iterator[str]:
    if not different:
        yield "nothing that the runs tell of themselves differs: two samples of one agent"
    for each in different:
        told = " | ".join(f"{name}: {setting}" for name, setting in each.settings.items())
        yield f"differs: {each.what} ({told})"
    if also := beside(different):
        yield (
            f"warning: {', '.join(also)} should be alike in what is compared, and may be what "
            "moves the figures"
        )


def match_notes(match: Match) -> Iterator[str]:
    """Yield what was put together in one group, by path."""
    for name, groups in match.pooled.items():
        more = f"; and {len(groups) - _MOST} more" if len(groups) > _MOST else ""
        yield f"{name} puts together: {'; '.join(groups[:_MOST])}{more}"


def _interrupted(sources: Mapping[str, Pool]) -> Iterator[str]:
    for name, pool in sources.items():
        reasons = Counter(record.reason for record in pool.interrupted)
        if reasons:
            told = "; ".join(f"{reason} ({number:,})" for reason, number in reasons.items())
            yield f"interrupted in {name}, and counted nowhere: {told}"


def paired_to_json(sources: Mapping[str, Pool], different: Sequence[Differing]) -> dict[str, Any]:
    """Return what is told of all groups as JSON values, schema 1."""
    return {
        "paths": list(sources),
        "differs": [asdict(each) for each in different],
        "should_be_alike": list(beside(different)),
        "interrupted": {
            name: Counter(record.reason for record in pool.interrupted)
            for name, pool in sources.items()
        },
    }


def unplaced(sources: Mapping[str, Pool]) -> Counter[str]:
    """Return the interrupted plays of which nothing was written of who played, by reason."""
    stopped = (record for pool in sources.values() for record in pool.interrupted)
    return Counter(record.reason for record in stopped if not record.population)


def _check_common(sources: Mapping[str, Pool]) -> None:
    played = {
        name: {episode.env for episode in pool.episodes.values()} for name, pool in sources.items()
    }
    if not all(played.values()):
        empty = ", ".join(name for name, envs in played.items() if not envs)
        raise InputError(f"no episode was finished in {empty}: there is nothing to compare")
    if not set.intersection(*played.values()):
        told = "; ".join(f"{name}: {', '.join(sorted(envs))}" for name, envs in played.items())
        raise InputError(
            f"nothing in common: no environment was played in all paths ({told}); "
            "`valuesim compare PATH... --between run` sets rankings of different ones side by side"
        )
