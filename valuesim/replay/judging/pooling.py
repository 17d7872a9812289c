"""What all people judged below a path: sessions read again from their folders, and pooled."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from valuesim.errors import LogError
from valuesim.log.files import MISSHAPEN, corrupt, read_lines, wrong_in
from valuesim.log.pool import PERSON
from valuesim.log.reader import read_config
from valuesim.replay.indexing.naming import Place, check_confined, found_below, sentence
from valuesim.replay.indexing.shelf import FAILURES, check_size
from valuesim.replay.judging.checking import check_line
from valuesim.replay.judging.judged import JUDGEMENTS
from valuesim.replay.judging.tallying import Judged, Line, judged_in, pooled, tallied

_WHO = ("env", "agent", "model", "interventions")


@dataclass(kw_only=True, slots=True)
class _Read:
    """What was read of the sessions below a path, by the lines of each, so that none counts twice.

    `unread` says of those that cannot be read why.
    """

    judged: list[Judged] = field(default_factory=list)
    lines: set[bytes] = field(default_factory=set)
    repeated: int = 0
    unread: dict[str, str] = field(default_factory=dict)

    def add(self, place: Place, root: Path) -> None:
        """Read a run if it is a session; a copy of one that was read is counted alone."""
        if not (place.path / JUDGEMENTS).is_file():
            return
        check_confined(place, root)
        lines, person = _lines(place, root), _person(place)
        content = orjson.dumps(lines)
        if lines and content in self.lines:
            self.repeated += 1
            return
        self.lines.add(content)
        self.judged += judged_in(lines, person)


def over_people(root: Path) -> dict[str, Any]:
    """Return what all sessions of judging below `root` come to, as docs/replay.md says.

    Who gave a code is one person in all their sessions; without one each session is a person of its
    own. Groups are apart by who was judged: environment, agent, model and interventions.
    """
    root = root.resolve()
    read = _Read()
    for place in found_below(root):
        try:
            read.add(place, root)
        except FAILURES as error:
            read.unread[place.name] = sentence(error, root, place)
    groups: dict[bytes, list[Judged]] = defaultdict(list)
    for each in read.judged:
        groups[orjson.dumps([each.before.get(name) for name in _WHO])].append(each)
    return {
        "schema": 1,
        "people": len({each.person for each in read.judged}),
        "repeated": read.repeated,
        "unread": read.unread,
        "groups": [
            dict(zip(_WHO, orjson.loads(key), strict=True)) | {"tasks": pooled(groups[key])}
            for key in sorted(groups)
        ],
    }


def _lines(place: Place, root: Path) -> list[Line]:
    """Return the judgements of a session; raise LogError where they are none."""
    path = place.path / JUDGEMENTS
    if not path.resolve().is_relative_to(root):
        raise LogError(f"{place.name}: {JUDGEMENTS} is a link that leads out of what is shown")
    lines = [_checked(line, path, n) for n, line in read_lines(path, {}) if "phase" in line]
    try:
        # what was said before and after must fit together
        tallied(lines)
    except MISSHAPEN as error:
        raise LogError(f"{path} holds what is no judgement: {wrong_in(error)}") from error
    return lines


def _checked(line: Line, path: Path, number: int) -> Line:
    try:
        check_line(line)
    except MISSHAPEN as error:
        raise corrupt(path, number, f"is no judgement: {wrong_in(error)}") from error
    return line


def _person(place: Place) -> str:
    check_size(place)
    said = read_config(place.path).get(PERSON)
    code = said.get("participant") if isinstance(said, dict) else None
    return f"code {code}" if isinstance(code, str) else f"session {place.id}"
