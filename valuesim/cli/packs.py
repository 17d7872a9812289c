"""`valuesim doctor pack`: what is wrong with packs of dilemmas."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from valuesim.cli.terminal import clean, write_json
from valuesim.envs.dilemmas import Problem, checked_pack
from valuesim.errors import InputError
from valuesim.graph.statement import count

_MOST_TOLD = 50


def check(files: Sequence[Path], json: str | None) -> int:
    """Print what is wrong with each pack, file and line first; return 1 if anything is."""
    if not files:
        raise InputError("name a pack: valuesim doctor pack FILE")
    found: list[Problem] = []
    for file in files:
        pack, problems = checked_pack(file)
        found += problems
        if json != "-":
            _tell(problems)
            if pack is not None and not problems:
                held = count(len(pack.dilemmas), "dilemma")
                told = f"{held}, {count(len(pack.role), 'telling')} of each"
                print(f"ok      {clean(file)}: {clean(pack.id)}, {told}")
    if json:
        write_json([_row(problem) for problem in found], json)
    return int(bool(found))


def _tell(problems: Sequence[Problem]) -> None:
    for problem in problems[:_MOST_TOLD]:
        print(f"fail    {clean(problem)}")
    if len(problems) > _MOST_TOLD:
        print(f"        ... and {len(problems) - _MOST_TOLD:,} more")


def _row(problem: Problem) -> dict[str, object]:
    return {
        "file": str(problem.file),
        "line": problem.line,
        "where": problem.where,
        "reason": problem.reason,
    }
