"""One play of an episode as far as the log has it, and what single lines tell of it."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from valuesim.log.lines import SCHEMA
from valuesim.replay.indexing.tailing import Line

_SHORT = 200


@dataclass(slots=True, kw_only=True)
class Played:
    """One play of an episode, as far as the log has it.

    `places` say where its decisions stand (`gathering.at`, by the parts of `Progress`), `steps` and
    `sizes` which step each is of, and how many bytes its line has. `reason` says why the play does
    not count, `ends` where the line of the finished episode stands; both None while it is open.
    """

    episode: str
    play: int
    places: array[int] = field(default_factory=lambda: array("q"))
    steps: array[int] = field(default_factory=lambda: array("q"))
    sizes: array[int] = field(default_factory=lambda: array("q"))
    faults: int = 0
    roles: dict[str, None] = field(default_factory=dict)
    reason: str | None = None
    ends: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it may still go on."""
        return self.reason is None and self.ends is None


def decoded(line: Line) -> Mapping[str, Any] | None:
    """Return a line of this schema, None for anything else."""
    try:
        found = orjson.loads(line.raw)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) and found.get("schema") == SCHEMA else None


def step_told(id: str, step: int, role: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return a decision in short."""
    said = answer.get("message") or answer.get("rationale")
    return {
        "episode": id,
        "step": step,
        "role": role[:200],
        "chosen": None if answer["option"] is None else str(answer["option"])[:200],
        "fault": None if answer["fault"] is None else str(answer["fault"])[:100],
        "said": str(said)[:_SHORT] if said else None,
    }
