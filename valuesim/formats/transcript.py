"""An episode as a chat, and what it came to, in words: what a log viewer shows of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, Literal

import orjson

from valuesim.choices import choices
from valuesim.log.reader import DecisionRecord, EpisodeRecord, RunFolder
from valuesim.log.segments import log_folders

Speaker = Literal["system", "user", "assistant"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One message: who speaks, what, for which model (None for no model), and facts beside it."""

    speaker: Speaker
    text: str
    model: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def transcript(records: Sequence[DecisionRecord], rules: str) -> list[Line]:
    """Return the messages of an episode: the rules, then what each role saw and answered.

    Where several roles decide, each message begins with the role's name in brackets. What
    interventions added stands where it stood, but that an addition to the system message is told
    once. An attempt that was asked again stands before the last. The reply of an agent that uses no
    words is the option it took.
    """
    is_told = len({record.role for record in records}) > 1
    lines = [Line(speaker="system", text=rules)] if rules.strip() else []
    told: set[tuple[str, str]] = set()
    for record in records:
        label = f"[{record.role}] " if is_told else ""
        place = {"role": record.role, "step": record.step}
        for text in _added(record, "system"):
            if (record.role, text) not in told:
                lines.append(Line(speaker="system", text=label + text, facts=place))
                told.add((record.role, text))
        lines.append(Line(speaker="user", text=label + _seen(record), facts=place))
        model = record.player.model_name or record.player.agent
        replies = [(t.reply, {"fault": str(t.fault), "why": t.detail}) for t in record.tries]
        replies.append((record.reply or _deed(record), decided(record)))
        for reply, facts in replies:
            spoken = Line(speaker="assistant", text=label + reply, model=model, facts=place | facts)
            lines.append(spoken)
    return lines


def _seen(record: DecisionRecord) -> str:
    offered = "\n".join(
        f"- {option.name}: {option.text}" if option.text else f"- {option.name}"
        for option in record.options
    )
    own = [record.text] if record.text else []
    parts = [*_added(record, "before"), *own, f"Options:\n{offered}", *_added(record, "after")]
    return "\n\n".join(parts)


def _added(record: DecisionRecord, place: str) -> list[str]:
    return [addition.text for addition in record.added if addition.place == place]


def _deed(record: DecisionRecord) -> str:
    if record.chosen is None:
        return f"(no choice: {record.fault})"
    given = ", ".join(f"{name}={given}" for name, given in record.arguments.items())
    return f"{record.chosen} ({given})" if given else record.chosen


def decided(record: DecisionRecord) -> dict[str, Any]:
    """Return what a decision put first and behind, in shares of its vote, or its fault."""
    if record.fault is not None:
        return {"option": None, "fault": str(record.fault), "why": record.fault_detail}
    votes = choices([record]).evidence[0].votes()
    first: Counter[str] = Counter()
    behind: Counter[str] = Counter()
    for (over, under), share in votes.items():
        first[over] += share  # type: ignore[assignment]
        behind[under] += share  # type: ignore[assignment]
    return {"option": record.chosen, "first": dict(first), "behind": dict(behind)}


def put_first(records: Sequence[DecisionRecord]) -> dict[str, float]:
    """Return by value how many decisions put it first, less those that put it behind."""
    net: dict[str, float] = {}
    for told in map(decided, records):
        for value, share in told.get("first", {}).items():
            net[value] = net.get(value, 0.0) + share
        for value, share in told.get("behind", {}).items():
            net[value] = net.get(value, 0.0) - share
    return dict(sorted(net.items(), key=lambda item: (-item[1], item[0])))


def measured(episode: EpisodeRecord) -> dict[str, float]:
    """Return those measures of an episode that are one finite number or truth each, by name."""
    return {
        name: float(measure)
        for name, measure in episode.measures.items()
        if isinstance(measure, int | float) and isfinite(measure)
    }


_TAIL = 2**22


def last_time(run: RunFolder) -> str | None:
    """Return when the last decision in the log of `run` was made; None where none says so.

    Decisions are appended as they are made; a last line that a kill cut short is passed over.
    """
    times = [_last_time(folder / "decisions.jsonl") for folder in log_folders(run.path)]
    return max((time for time in times if time is not None), default=None)


def _last_time(path: Path) -> str | None:
    if not path.exists():
        return None
    with path.open("rb") as file:
        file.seek(max(file.seek(0, 2) - _TAIL, 0))
        lines = file.read().splitlines()
    for line in reversed(lines):
        try:
            return str(orjson.loads(line)["time"]["at"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            continue
    return None
