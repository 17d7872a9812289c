"""What a log holds, as a writer must know it before it goes on: what is finished, what was cut."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from valuesim.errors import LogError
from valuesim.log.files import (
    DECISION_KEYS,
    EPISODE_KEYS,
    INTERRUPTED_KEYS,
    miscounted,
    read_lines,
)

_logger = logging.getLogger(__name__)


class Standing:
    """What the log files in `folders`, which are one run's, hold together.

    `finished` holds ids of episodes whose line stands in a folder that has all its decisions, in
    plays that no folder lists as interrupted. `carried` is what such an episode carries on, `plays`
    how many plays of an episode there were that did not finish. `cut` lists (episode, plays,
    whether it had a line) where decisions count for nothing and are not listed yet.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        """Read all of `folders`.

        Raises LogError for a corrupt line, and for a finished episode with more decisions than it
        made; of one with fewer a warning is logged.
        """
        self.finished: set[str] = set()
        self.carried: dict[str, Mapping[str, Any]] = {}
        self.plays: dict[str, int] = {}
        self.cut: list[tuple[str, Sequence[int], bool]] = []
        void = _void(folders)
        for episode, play in void:
            self.plays[episode] = max(self.plays.get(episode, 0), play + 1)
        open_plays: dict[str, set[int]] = {}
        short: dict[str, str] = {}
        for folder in folders:
            self._look(folder, void, open_plays, short)
        for id, told in short.items():
            if id not in self.finished:
                _logger.warning("%s; it is played again", told)
        for episode, plays in open_plays.items():
            self.cut.append((episode, sorted(plays), episode in short))

    def _look(
        self,
        folder: Path,
        void: set[tuple[str, int]],
        open_plays: dict[str, set[int]],
        short: dict[str, str],
    ) -> None:
        told: dict[str, int] = {}
        carried = {}
        for _, line in read_lines(folder / "episodes.jsonl", EPISODE_KEYS):
            told[line["episode"]] = line["decisions"]
            if "carried" in line:
                carried[line["episode"]] = line["carried"]
        path = folder / "decisions.jsonl"
        read = _plays_in(path, void)
        for id, count in told.items():
            found = read[id].total() if id in read else 0
            if found > count:
                raise LogError(miscounted(path, id, found, count))
            if found == count:
                self.finished.add(id)
                read.pop(id, None)
                if id in carried:
                    self.carried[id] = carried[id]
            else:
                short[id] = f"{path}: {miscounted(path, id, found, count)}"
        for id, plays in read.items():
            open_plays.setdefault(id, set()).update(plays)


def _void(folders: Sequence[Path]) -> set[tuple[str, int]]:
    """Return the plays that are listed as interrupted."""
    return {
        (line["episode"], line["play"])
        for folder in folders
        for _, line in read_lines(folder / "interrupted.jsonl", INTERRUPTED_KEYS)
    }


def _plays_in(path: Path, void: set[tuple[str, int]]) -> dict[str, Counter[int]]:
    """Return, per episode, the number of decisions of each play that is not void."""
    read: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for _, line in read_lines(path, DECISION_KEYS):
        if (line["episode"], line["play"]) not in void:
            read[line["episode"]][line["play"]] += 1
    return dict(read)
