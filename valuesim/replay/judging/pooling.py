"""What all people judged below a path: sessions read again from their folders, and pooled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from valuesim.errors import LogError, ValueSimError
from valuesim.log.files import MISSHAPEN, read_lines, wrong_in
from valuesim.log.pool import PERSON
from valuesim.log.reader import read_config
from valuesim.replay.indexing.naming import Place, check_confined, found_below
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
        """Read one session; a copy of one that was read is counted alone."""
        lines = _lines(place, root)
        content = orjson.dumps(lines)
        if lines and content in self.lines:
            self.repeated += 1
            return
        self.lines.add(content)
        self.judged += judged_in(lines, _person(place))


def over_people(root: Path, sentence: Callable[[Exception, Place], str]) -> dict[str, Any]:
    """Return what all sessions of judging below `root` come to, as docs/replay.md says.

    Who gave a code is one person in all their sessions; without one each session is a person of its
    own. Groups are apart by who was judged: environment, agent, model and interventions. `sentence`
    says what went wrong where a session cannot be read.
    """
    read = _Read()
    for place in found_below(root):
        if (place.path / JUDGEMENTS).is_file():
            try:
                read.add(place, root)
            except (ValueSimError, OSError) as error:
                read.unread[place.name] = sentence(error, place)
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
    check_confined(place, root)
    path = place.path / JUDGEMENTS
    if not path.resolve().is_relative_to(root.resolve()):
        raise LogError(f"{JUDGEMENTS} is a link that leads out of what is shown")
    lines = [line for _, line in read_lines(path, {}) if "phase" in line]
    try:
        # whatever figure it adds to can be made of it
        tallied(lines)
    except (ArithmeticError, *MISSHAPEN) as error:
        raise LogError(f"{JUDGEMENTS} holds what is no judgement: {wrong_in(error)}") from error
    return lines


def _person(place: Place) -> str:
    said = read_config(place.path).get(PERSON)
    code = said.get("participant") if isinstance(said, dict) else None
    return f"code {code}" if isinstance(code, str) else f"session {place.name}"
