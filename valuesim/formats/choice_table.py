"""The table of choices, to a file and back; see `choice_columns` for its columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any

import orjson

from valuesim.choices import cluster_of
from valuesim.decision import Fault
from valuesim.episode import Player
from valuesim.errors import InputError
from valuesim.formats.choice_columns import (
    COLUMNS,
    JSON,
    LABELS,
    NEEDED,
    NUMBERS,
    TRUTHS,
    Row,
    rows_of,
    situation_of,
)
from valuesim.formats.exported import Exported, Source
from valuesim.formats.imported import Importing
from valuesim.formats.rows import CsvTable, guarded, text_lines, unguarded, write_csv
from valuesim.log.reader import DecisionRecord, EpisodeRecord
from valuesim.log.whole import whole
from valuesim.option import Option

_LARGEST = 2.0**53
_WORDS = {"true": True, "false": False, "1": True, "0": False, "": None}


def write_choices(source: Source, path: Path) -> Exported:
    """Write a row for each decision of `source`, as the suffix of `path` says, whole or not at all.

    A text that a spreadsheet would run stands in a CSV file with an apostrophe before it, which
    `read_choices` takes away. Raises InputError where `path` is no place to write to.
    """
    writers: Mapping[str, Callable[[Path, Iterable[Row]], None]] = {
        ".parquet": _write_parquet,
        ".csv": _write_csv,
        ".jsonl": _write_json_lines,
    }
    with whole(path) as draft:
        writers[path.suffix.lower()](draft, rows_of(source.pool.decisions, source.run_of))
    return Exported(files={path: len(source.pool.decisions)})


def read_choices(path: Path) -> Importing:
    """Return the decisions in the table of choices at `path`: the same evidence, faults and groups.

    What the table does not hold (texts, replies, measures) is empty. Raises InputError, saying
    where, for a table that cannot be read or a row that is no decision.
    """
    return Importing(records=_records(path, choice_rows(path)))


def choice_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Yield (its line, or number, from 1; itself) of each row of the table at `path`.

    Raises InputError as `read_choices`.
    """
    readers: Mapping[str, Callable[[Path], Iterator[tuple[int, Row]]]] = {
        ".parquet": _parquet,
        ".csv": _csv,
        ".jsonl": _json_lines,
    }
    usual: Row = dict.fromkeys(COLUMNS)
    for line, row in readers[path.suffix.lower()](path):
        yield line, usual | row


def _write_parquet(path: Path, rows: Iterable[Row]) -> None:
    from valuesim.formats.parquet import write_parquet

    write_parquet(path, rows)


def _write_csv(path: Path, rows: Iterable[Row]) -> None:
    write_csv(path, COLUMNS, ([_cell(name, row[name]) for name in COLUMNS] for row in rows))


def _cell(name: str, cell: object) -> object:
    if isinstance(cell, bool):
        return str(cell).lower()
    return guarded(cell) if isinstance(cell, str) and name in LABELS else cell


def _write_json_lines(path: Path, rows: Iterable[Row]) -> None:
    with path.open("wb") as file:
        for row in rows:
            file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


def _parquet(path: Path) -> Iterator[tuple[int, Row]]:
    from valuesim.formats.parquet import parquet_columns, parquet_rows

    found = parquet_columns(path)
    _check_columns(path, found)
    for number, row in enumerate(parquet_rows(path, [c for c in COLUMNS if c in found]), start=1):
        yield number, _typed(path, number, row)


def _csv(path: Path) -> Iterator[tuple[int, Row]]:
    table = CsvTable(path, NEEDED)
    readers = [
        (name, at, _reader(name)) for name in COLUMNS if (at := table.place(name)) is not None
    ]
    for line, cells in table:
        try:
            row = {name: read(cells[at]) for name, at, read in readers}
        except (ValueError, KeyError) as error:
            raise InputError(f"{path}:{line}: a cell cannot be read: {error}") from None
        yield line, _typed(path, line, row)


def _reader(name: str) -> Callable[[str], Any]:
    if name in NUMBERS:
        return lambda cell: _whole(float(cell)) if cell else None
    if name in TRUTHS:
        return lambda cell: _WORDS[cell.lower()]
    return (lambda cell: cell or None) if name in JSON else (lambda cell: unguarded(cell) or None)


def _json_lines(path: Path) -> Iterator[tuple[int, Row]]:
    for line, text in text_lines(path):
        if not text.strip():
            continue
        try:
            row = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise InputError(f"{path}:{line}: is not JSON: {error.msg}") from None
        if not isinstance(row, dict):
            raise InputError(f"{path}:{line}: is not a JSON object")
        _check_columns(f"{path}:{line}", row)
        yield line, _typed(path, line, {name: row[name] for name in COLUMNS if name in row})


def _check_columns(place: object, found: Iterable[str]) -> None:
    missing = [name for name in NEEDED if name not in set(found)]
    if missing:
        needed = ", ".join(NEEDED)
        raise InputError(f"{place} lacks the column {missing[0]!r} of choices; needed: {needed}")


def _whole(number: float) -> float | int | None:
    """Return a number as a whole one where it is one, None for nan: pandas writes such."""
    if isnan(number):
        return None
    return int(number) if number.is_integer() and abs(number) < _LARGEST else number


def _typed(path: Path, line: int, found: Mapping[str, Any]) -> Row:
    row: dict[str, Any] = {
        name: _whole(cell) if name in NUMBERS and isinstance(cell, float) else cell
        for name, cell in found.items()
    }
    for name, cell in row.items():
        kind = int if name in NUMBERS else bool if name in TRUTHS else str
        is_of = isinstance(cell, kind) and (kind is bool or not isinstance(cell, bool))
        if cell is not None and not is_of:
            raise InputError(f"{path}:{line}: {name}={cell!r:.60} is not {_KINDS[kind]}")
    return row


_KINDS = {int: "a whole number", bool: "true or false", str: "text"}


def _records(path: Path, rows: Iterable[tuple[int, Row]]) -> Iterator[DecisionRecord]:
    reading = _Reading()
    for line, row in rows:
        try:
            yield reading.record(row)
        except (ValueError, TypeError) as error:
            raise InputError(f"{path}:{line}: {error}") from None


class _Reading:
    """Makes records of rows; what many rows share is made once."""

    def __init__(self) -> None:
        self._episodes: dict[str, tuple[EpisodeRecord, Row]] = {}
        self._situations: dict[str, tuple[Option, ...]] = {}
        self._settings: dict[str, dict[str, Any]] = {}
        self._decided: set[tuple[str, str, int]] = set()

    def record(self, row: Row) -> DecisionRecord:
        """Return the decision of a row; raise ValueError, with the reason, for one that is none."""
        lacking = [name for name in NEEDED if row[name] in (None, "") and name != "position"]
        if lacking:
            raise ValueError(f"{lacking[0]} is empty")
        options = self._options(str(row["situation"]))
        fault = None if row["fault"] is None else Fault(str(row["fault"]))
        role, step = str(row["role"]), _count(row, "step")
        record = DecisionRecord(
            episode=self._episode(row, role),
            step=step,
            role=role,
            options=options,
            chosen=_chosen(row, options, fault),
            fault=fault,
            annotations=_annotations(row),
        )
        decided = (record.episode.id, role, step)
        if decided in self._decided:
            raise ValueError(f"repeats what {role} decided at step {step} of {record.episode.id}")
        self._decided.add(decided)
        if row["cluster"] is not None and row["cluster"] != cluster_of(record):
            raise ValueError(
                f"cluster={row['cluster']!r:.80} is not {cluster_of(record)!r:.80}, which env and "
                "scene (else condition and seed) give; leave the column out, or name the scene"
            )
        return record

    def _options(self, text: str) -> tuple[Option, ...]:
        if text not in self._situations:
            self._situations[text] = situation_of(text)
        return self._situations[text]

    def _episode(self, row: Row, role: str) -> EpisodeRecord:
        id = str(row["episode"])
        known = self._episodes.get(id)
        if known is None:
            known = self._episodes[id] = _episode(row, self._setting), row
        episode, first = known
        for name in ("env", "seed", "condition", "elicitation"):
            if row[name] != first[name]:
                raise ValueError(f"{name} differs from that of an earlier row of episode {id}")
        player = Player(
            agent=str(row["agent"]), model=None if row["model"] is None else {"name": row["model"]}
        )
        # roles are added as their rows come; the episode's own line is written last
        if episode.population.setdefault(role, player) != player:  # type: ignore[attr-defined]
            raise ValueError(f"{role} of episode {id} was another player in an earlier row")
        return episode

    def _setting(self, text: object) -> dict[str, Any]:
        key = "{}" if text is None else str(text)
        if key not in self._settings:
            found = orjson.loads(key)
            if not isinstance(found, dict):
                raise ValueError(f"{key!r:.60} is not a JSON object")
            self._settings[key] = found
        return self._settings[key]


def _episode(row: Row, setting: Callable[[object], dict[str, Any]]) -> EpisodeRecord:
    return EpisodeRecord(
        id=str(row["episode"]),
        env=str(row["env"]),
        condition=setting(row["condition"]),
        population={},
        elicitation=setting(row["elicitation"]),
        seed=0 if row["seed"] is None else _count(row, "seed"),
        steps=0,
        outcome={},
        measures={},
        decisions=0,
        faults={},
        usage={},
    )


def _count(row: Row, name: str) -> int:
    number = row[name]
    if not isinstance(number, int) or number < 0:
        raise ValueError(f"{name}={number!r:.60} is not a whole number from 0")
    return number


def _chosen(row: Row, options: Sequence[Option], fault: Fault | None) -> str | None:
    position = row["position"]
    if (position is None) == (fault is None):
        raise ValueError("there is neither a position nor a fault, or there are both")
    if position is None:
        return None
    if not isinstance(position, int) or not 0 <= position < len(options):
        raise ValueError(f"position {position} is not that of one of {len(options)} options")
    name = options[position].name
    if row["chosen"] not in (None, name):
        raise ValueError(f"chosen={row['chosen']!r:.60} is not the option at {position}: {name!r}")
    return name


def _annotations(row: Row) -> dict[str, Any]:
    annotations: dict[str, Any] = {}
    if row["scene"] is not None:
        annotations["scene"] = row["scene"]
    if row["ordered"] is False:
        annotations["order"] = "unknown"
    return annotations
