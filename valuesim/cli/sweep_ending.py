"""How a sweep ended: its table and files, its last line, its exit code, how to go on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from valuesim.cli.ending import STOPPED, tell_how_to_go_on
from valuesim.cli.job import FINISHED
from valuesim.cli.job_row import JobRow
from valuesim.cli.sweep_job import SweepJob
from valuesim.cli.sweep_table import as_json, print_rows, write_csv
from valuesim.cli.terminal import clean, interval, write_json
from valuesim.errors import LogError


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """The jobs of a sweep as they stand at its end, and what was played.

    `direction` is "minimize" or "maximize" where the task's objective was searched by, else None;
    then the rows are those that were asked for, each once, however often.
    """

    rows: Sequence[JobRow]
    task: SweepJob
    direction: str | None
    was_stopped: bool


def tell(ended: Ended, overrides: Sequence[str], json_target: str | None) -> int:
    """Print and write how the jobs stand, and return the exit code.

    That is 130 where the sweep was stopped, else 0 where every run is finished (and a search has a
    best one), else 1.
    """
    task, rows = ended.task, [_with_objective(row, ended) for row in ended.rows]
    best = _best(rows, ended)
    write_csv(rows, task.folder / "sweep.csv")
    if json_target:
        content = {"schema": 1, "sweep": str(task.shown), "jobs": as_json(rows, task.shown)}
        if ended.direction is not None:
            content["best"] = as_json([best], task.shown)[0] if best is not None else None
        write_json(content, json_target)
    told = sys.stderr if json_target == "-" else sys.stdout
    if json_target != "-":
        print_rows(rows)
    finished = sum(row.status == FINISHED for row in rows)
    is_search = ended.direction is not None
    wanted = len(rows) if is_search and not ended.was_stopped else task.total
    print(f"{finished} of {wanted} runs finished in {clean(task.shown)}", file=told)
    if is_search:
        print(_best_told(best, ended), file=told)
    is_done = finished == wanted and (best is not None or not is_search)
    if finished < wanted:
        tell_how_to_go_on(["-m", *overrides], task.shown)
    return STOPPED if ended.was_stopped else 0 if is_done else 1


def _with_objective(row: JobRow, ended: Ended) -> JobRow:
    """Return `row`, which says why it has no objective if one was searched by and it has none."""
    if ended.task.objective is None or row.status != FINISHED:
        return row
    try:
        row.figure(ended.task.objective)
    except LogError as error:
        return replace(row, why=str(error))
    return row


def _best(rows: Sequence[JobRow], ended: Ended) -> JobRow | None:
    objective = ended.task.objective
    if objective is None:
        return None
    known = [row for row in rows if row.status == FINISHED and not row.why]
    sign = 1 if ended.direction == "minimize" else -1
    return min(known, key=lambda row: sign * row.figure(objective), default=None)


def _best_told(best: JobRow | None, ended: Ended) -> str:
    objective = str(ended.task.objective)
    which = "least" if ended.direction == "minimize" else "most"
    if best is None:
        return f"no run has a figure {objective}"
    rate = next((each.rate for each in best.figures if each.name == objective), None)
    apart = interval(rate.low, rate.high) if rate is not None else None
    figure = f"{best.figure(objective):.2f}" + (f" ({apart})" if apart else "")
    made = ", ".join(f"{name}={value}" for name, value in best.record.settings.items())
    return clean(f"{which} {objective}: {figure} with {made or best.record.name}")
