"""How a run ended: its last line, its JSON, its exit code, and the command that goes on with it."""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from valuesim.cli.terminal import clean, percent
from valuesim.engine import Summary
from valuesim.engine.asking import Asked
from valuesim.engine.manifest import redacted
from valuesim.engine.prices import money
from valuesim.secrets import redact_strictly, secrets

STOPPED = 128 + signal.SIGINT
_MOST_FAULTS = 0.1
_MOST_OPEN = 5
_SETTING = re.compile(r"([\w-]+)(\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\s,{}]+)")


def sentence(summary: Summary, folder: Path) -> str:
    """Return what is told at the end of a run."""
    planned = f"{summary.planned} {'episode' if summary.planned == 1 else 'episodes'}"
    told = f"{summary.finished} of {planned} finished in {clean(folder)}"
    if summary.played < summary.finished:
        told += f" ({summary.played} of them now)"
    if summary.interrupted:
        reasons = "; ".join(f"{count} x {clean(r)}" for r, count in summary.interrupted.items())
        told += f"; {sum(summary.interrupted.values())} interrupted: {reasons}"
    if summary.held_up:
        verb = "waits" if summary.held_up == 1 else "wait"
        told += f"; {summary.held_up:,} {verb} for one of these, before them in their chain"
    if summary.decisions:
        told += f"; {_decided(summary, folder)}"
    if used := _used(summary):
        told += f"; {used}"
    if summary.replayed:
        told += f"; {summary.replayed:,} {_replies(summary.replayed)} from the cache"
    ends = [told, *([f"stopped: {summary.spent}"] if summary.spent else [])]
    if summary.stopped and summary.is_whole:
        ends.append("stopped, when nothing was left to begin: the run is finished")
    return "\n".join([*ends, *map(_asked, summary.asked)])


def _replies(number: int) -> str:
    return "reply" if number == 1 else "replies"


def _used(summary: Summary) -> str:
    """Return how many tokens models used in this session, and what they cost; empty if none."""
    usage = summary.usage
    tokens = usage.prompt_tokens + usage.completion_tokens
    if not tokens:
        return ""
    told = f"{tokens:,} tokens" + (" now" if summary.played < summary.finished else "")
    cached = usage.cached_tokens
    told += f" ({cached:,} of them cached)" if cached else ""
    return f"{told}, {money(summary.cost)}" if summary.cost else told


def _asked(asked: Asked) -> str:
    """Return how the questions of one cell ended: why, after how many, and what is open."""
    cell = ", ".join(
        str(level) if name in ("agent", "env") else f"{name} {level}"
        for name, level in asked.cell.items()
    )
    told = (
        f"{clean(cell)}: {asked.why} after {asked.decisions:,} decisions in all "
        f"({asked.questions:,} questions to choose from); "
        f"{asked.pairs - len(asked.open)} of {asked.pairs} neighbouring pairs of values told apart"
    )
    if not asked.open:
        return told
    shown = [f"{over} / {under}" for over, under in asked.open[:_MOST_OPEN]]
    left = len(asked.open) - len(shown)
    return f"{told}; open: {clean(', '.join(shown))}{f' and {left} more' if left else ''}"


def _decided(summary: Summary, folder: Path) -> str:
    number = summary.decisions
    told = f"{number:,} {'decision' if number == 1 else 'decisions'}"
    if summary.played < summary.finished:
        told += " now"
    share = fault_rate(summary) or 0.0
    if not share:
        return f"{told}, no faults"
    kinds = ", ".join(
        f"{kind} {count:,} = {percent(count / number)}" for kind, count in summary.faults.items()
    )
    told += f", {percent(share)} faults ({kinds})"
    if share <= _MOST_FAULTS:
        return told
    command = shlex.join(["valuesim", "archetypes", clean(folder)])
    return f"{told}: `{command}` says what can be concluded, `valuesim doctor` tries a model server"


def fault_rate(summary: Summary) -> float | None:
    """Return the share of faults in the decisions made now, in [0, 1]; None without a decision."""
    return sum(summary.faults.values()) / summary.decisions if summary.decisions else None


def as_json(summary: Summary) -> dict[str, Any]:
    """Return `summary` for JSON, with its rate of faults; `asked` where questions were chosen."""
    told = asdict(summary) | {"fault_rate": fault_rate(summary)}
    if not summary.asked:
        del told["asked"]
    return told


def exit_code(summary: Summary) -> int:
    """Return 130 if the run was told to stop, else 0 if all is finished, else 1 (a spent budget).

    A stop counts also where all is finished: what was to follow, in a sweep or a script, is not.
    """
    if summary.stopped:
        return STOPPED
    return 0 if summary.is_whole else 1


def tell_how_to_go_on(arguments: Sequence[str], folder: Path, *, command: str = "run") -> None:
    """Print the `command` that plays what `folder` still lacks, without keys."""
    again = [argument for argument in arguments if not argument.startswith("run.name=")]
    # a name without a slash would mean a folder under runs/
    path = str(folder) if "/" in str(folder) else f"./{folder}"
    named = [a.partition("=")[2] for a in again if a.partition("=")[0].endswith("api_key_env")]
    hidden = secrets(os.environ, *named)
    shown = [without_keys(clean(argument), hidden) for argument in [*again, f"run.name={path}"]]
    print(
        f"valuesim: not finished; to go on: {shlex.join(['valuesim', command, *shown])}",
        file=sys.stderr,
    )


def without_keys(argument: str, hidden: Sequence[str]) -> str:
    """Return `argument` without `hidden`, and without what is set under the name of a key."""
    return _SETTING.sub(
        lambda found: f"{found[1]}{found[2]}{redacted(found[3], hidden, found[1])}",
        redact_strictly(argument, hidden),
    )
