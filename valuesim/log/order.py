"""The decisions of a run in the order of its plan, whichever episode or worker was faster.

What a log holds is ordered by when it happened, which is chance where servers answer or several
processes write. Figures that draw from decisions must not depend on it.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import accumulate
from pathlib import Path
from typing import Any

from valuesim.log.files import DECISION_KEYS, line_at, read_lines, read_places
from valuesim.log.records import EpisodeRecord

_Found = tuple[Path, int, Any]
Counts = Callable[[Path, Any], bool]


def by_place(episodes: Mapping[str, EpisodeRecord]) -> dict[str, EpisodeRecord]:
    """Return `episodes` in the order of the plan; those without a place come first, as they are."""
    return dict(sorted(episodes.items(), key=lambda item: _rank(item[1])))


def in_order(
    folders: Sequence[Path], episodes: Mapping[str, EpisodeRecord], counts: Counts
) -> Iterator[_Found]:
    """Yield (file, number, line) of the decisions in `folders` that count, in the plan's order.

    Those of one episode keep the order of the log; so do all where no episode has a place.
    Lines are read twice: memory holds 34 bytes for each that counts. Raises LogError for one that
    is corrupt.
    """
    paths = [folder / "decisions.jsonl" for folder in folders]
    if all(episode.place is None for episode in episodes.values()):
        yield from _as_logged(paths, counts)
        return
    where, number, begins, rank = array("H"), array("q"), array("q"), array("q")
    for k, path in enumerate(paths):
        for at, start, line in read_places(path, DECISION_KEYS):
            if counts(path, line):
                where.append(k)
                number.append(at)
                begins.append(start)
                rank.append(_rank(episodes[line["episode"]]))
    with ExitStack() as stack:
        files = [stack.enter_context(path.open("rb")) if path.exists() else None for path in paths]
        for each in _sorted(rank):
            path, at = paths[where[each]], number[each]
            file = files[where[each]]
            assert file is not None, "a line of it was read"
            yield path, at, line_at(file, begins[each], path, at)


def _sorted(ranks: Sequence[int]) -> array[int]:
    """Return the places in `ranks` by what stands there, equal ones as they are.

    They are counted and then put where they belong, as a list of so many numbers to sort by would
    take seven times the memory.

    >>> list(_sorted([2, 0, 2, 1]))
    [1, 3, 0, 2]
    """
    counts = Counter(ranks)
    ends = accumulate(counts[rank] for rank in sorted(counts))
    free = {rank: end - counts[rank] for rank, end in zip(sorted(counts), ends, strict=True)}
    found = array("q", bytes(8 * len(ranks)))
    for place, rank in enumerate(ranks):
        found[free[rank]] = place
        free[rank] += 1
    return found


def _as_logged(paths: Sequence[Path], counts: Counts) -> Iterator[_Found]:
    for path in paths:
        for number, line in read_lines(path, DECISION_KEYS):
            if counts(path, line):
                yield path, number, line


def _rank(episode: EpisodeRecord) -> int:
    return -1 if episode.place is None else episode.place
