"""The table at the end of a sweep: a row for each job, on the terminal, as CSV and as JSON."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from valuesim.cli.job import FAILED, short_names
from valuesim.cli.job_row import JobRow
from valuesim.cli.terminal import clean, interval, percent, print_table, width
from valuesim.engine.prices import money
from valuesim.formats.rows import guarded
from valuesim.log.whole import whole
from valuesim.measures.headline import Headline
from valuesim.measures.interval import Rate

_NUMBER = re.compile(r"[+-]?[\d.]+(e[+-]?\d+)?", re.IGNORECASE)
_SPARE = ("seconds", "decisions", "cost", "tokens")
"""Columns that a narrow terminal goes without, in this order, after the later figures."""


def print_rows(rows: Sequence[JobRow]) -> None:
    """Print a row for each job: settings that differ, how it stands, its figures.

    Where the terminal has no room for all, later figures are left out, then others, and the first
    figure stays; the CSV has everything.
    """
    if not rows:
        return
    columns = _columns(rows)
    figures = list(_figures(rows))
    left_out = []
    for name in (*reversed(figures[1:]), *_SPARE):
        if _wide(columns) <= width():
            break
        if any(column.of == name for column in columns):
            columns = [column for column in columns if column.of != name]
            left_out.append(name)
    cells = zip(*(column.cells for column in columns), strict=True)
    print_table("jobs", [column.heading for column in columns], [list(row) for row in cells])
    shown = [f"{name}: {told}" for name, told in _figures(rows).items() if name not in left_out]
    print("".join(f"  {clean(each)}\n" for each in shown), end="")
    if left_out:
        print(f"  in sweep.csv alone: {', '.join(reversed(left_out))}")
    if any(row.untold for row in rows):
        print("  a session that was cut off did not tell what it spent: cost is not known there")
    print()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Column:
    """A column of the table; `of` names what it belongs to, together with others."""

    of: str
    heading: str
    cells: Sequence[object]


def _columns(rows: Sequence[JobRow]) -> list[_Column]:
    found = [
        _Column(
            of=_setting(key),
            heading=name,
            cells=[row.record.settings.get(key, "-") for row in rows],
        )
        for key, name in short_names(_differing(rows)).items()
    ]
    columns: dict[str, list[object]] = {
        "episodes": [f"{row.finished} of {_known(row.planned)}" for row in rows],
        "decisions": [row.decisions for row in rows],
        "faults": [percent(row.fault_rate) for row in rows],
    }
    found += [_Column(of=name, heading=name, cells=cells) for name, cells in columns.items()]
    for name in _figures(rows):
        rates = [_rate(row, name) for row in rows]
        apart = [interval(rate.low, rate.high) for rate in rates]
        found.append(_Column(of=name, heading=name, cells=[rate.value for rate in rates]))
        found.append(_Column(of=name, heading="95 %", cells=apart))
    ends: dict[str, list[object]] = {"seconds": [f"{row.record.seconds:.1f}" for row in rows]}
    if any(row.tokens for row in rows):
        ends["tokens"] = [_tokens(row) for row in rows]
        ends["cost"] = ["-" if row.dollars is None else money(row.dollars) for row in rows]
    ends["status"] = [f"{row.status}: {row.why}" if row.why else row.status for row in rows]
    return found + [_Column(of=name, heading=name, cells=cells) for name, cells in ends.items()]


def _setting(key: str) -> str:
    # a setting is never left out, whatever else is named as it is
    return f"setting {key}"


def _tokens(row: JobRow) -> str:
    least = "at least " if row.untold else ""
    return "-" if row.tokens is None else f"{least}{row.tokens:,}"


def _wide(columns: Sequence[_Column]) -> int:
    """Return how wide a table of `columns` is at least; reasons are folded."""
    wide = 0
    for column in columns:
        cells = [str(cell).partition(":")[0] for cell in column.cells]
        wide += 2 + max(map(len, [column.heading, *(c if c != "None" else "-" for c in cells)]))
    return wide


def _known(planned: int | None) -> object:
    return "?" if planned is None else planned


def _rate(row: JobRow, name: str) -> Rate:
    found = _figure(row, name)
    return Rate() if found is None else found.rate


def write_csv(rows: Sequence[JobRow], path: Path) -> None:
    """Write a row for each job to `path`, with all figures, whole or not at all.

    No text in it is run by a spreadsheet (see `formats.rows.guarded`); numbers stay what they are.
    """
    keys = list(dict.fromkeys(key for row in rows for key in row.record.settings))
    figures = _figures(rows)
    heading = [*keys, "run", "status", "why", "finished", "planned", "decisions", "faults"]
    for name in figures:
        heading += [name, f"{name}_low", f"{name}_high", f"{name}_n"]
    heading += ["seconds", "tokens", "dollars", "untold_sessions"]
    with whole(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(map(_harmless, heading))
        for row in rows:
            writer.writerow(map(_harmless, _values(row, keys, list(figures))))


def _harmless(cell: object) -> object:
    if not isinstance(cell, str) or _NUMBER.fullmatch(cell):
        return cell
    return guarded(cell)


def as_json(rows: Sequence[JobRow], folder: Path) -> list[dict[str, Any]]:
    """Return each job as `valuesim run --json` tells a run, and how it stands in all."""
    return [_json(row, folder) for row in rows]


def _json(row: JobRow, folder: Path) -> dict[str, Any]:
    record = row.record
    told: dict[str, Any] = {
        "run": str(folder / record.name),
        "overrides": list(record.overrides),
        "exit_code": record.exit_code,
        **record.summary,
        **({"error": record.why} if record.status == FAILED else {}),
        "settings": dict(record.settings),
        "status": row.status,
        "why": row.why or None,
    }
    told["total"] = {
        "finished": row.finished,
        "planned": row.planned,
        "decisions": row.decisions,
        "faults": dict(row.faults),
        "fault_rate": row.fault_rate,
        "tokens": row.tokens,
        "dollars": row.dollars,
        "untold_sessions": row.untold,
    }
    told["figures"] = [
        {"name": each.name, "told": each.told, "value": each.rate.value, "low": each.rate.low}
        | {"high": each.rate.high, "n": each.rate.n, "episodes": each.rate.episodes}
        for each in row.figures
    ]
    return told | {"time": {"seconds": record.seconds}}


def _values(row: JobRow, keys: Sequence[str], figures: Sequence[str]) -> list[object]:
    values: list[object] = [row.record.settings.get(key) for key in keys]
    values += [row.record.name, row.status, row.why, row.finished, row.planned, row.decisions]
    values.append(sum(row.faults.values()))
    for name in figures:
        rate = _rate(row, name)
        values += [rate.value, rate.low, rate.high, rate.n]
    return [*values, round(row.record.seconds, 3), row.tokens, row.dollars, row.untold]


def _differing(rows: Sequence[JobRow]) -> list[str]:
    """Return the swept settings that are not the same in all rows, or all if there is one row."""
    keys = dict.fromkeys(key for row in rows for key in row.record.settings)
    differ = [key for key in keys if len({row.record.settings.get(key) for row in rows}) > 1]
    return differ or list(keys)


def _figures(rows: Sequence[JobRow]) -> dict[str, str]:
    """Return the figures that any row has, by name with what they are."""
    return {each.name: each.told for row in rows for each in row.figures}


def _figure(row: JobRow, name: str) -> Headline | None:
    return next((each for each in row.figures if each.name == name), None)
