"""The tables of a run folder, kept beside its log: derived, and made anew when the log has changed.

They are `derived/tables-1/episodes.parquet` and `decisions.parquet` in the run folder, and may be
deleted at any time. Each file carries what the log was when it was made (`state_of`); where that
differs, or there is none, both are made anew, in memory that does not grow with the decisions.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from valuesim.formats.parquet import ROWS, libraries
from valuesim.log.reader import RunFolder, read_run
from valuesim.log.segments import FILES, log_folders
from valuesim.tables.columns import (
    DECISIONS,
    EPISODES,
    REAL,
    RUNS,
    SCHEMA,
    TRUTH,
    WHOLE,
    Cells,
    decision_rows,
    episode_rows,
    run_row,
)

FOLDER = f"derived/tables-{SCHEMA}"
"""Where the tables stand in a run folder."""
_NAMES: Mapping[str, Mapping[str, str]] = {
    "runs": RUNS,
    "episodes": EPISODES,
    "decisions": DECISIONS,
}
_STATE = b"valuesim.state"
_END = 65_536
_BLOCK = ROWS // 5


@dataclass(frozen=True, kw_only=True, slots=True)
class RunTables:
    """The files that hold a run folder's tables, by name; `is_kept` if they stand in it.

    `is_new` says that they were made just now.
    """

    run: Path
    files: Mapping[str, Path]
    is_kept: bool
    is_new: bool


def tables_of(run: Path, spare: Path) -> RunTables:
    """Return the tables of the run folder `run`, made anew unless they are those of its log.

    Where the folder cannot be written, they are made in the folder `spare`, which is then emptied
    by whoever gave it. A log that grows meanwhile is read up to where it was, or a bit further, and
    anew the next time. Raises LogError where the run cannot be read, and InputError without
    pyarrow.
    """
    libraries(run)
    state = state_of(run)
    kept = {name: run / FOLDER / f"{name}.parquet" for name in _NAMES}
    if all(_state_in(path) == state for path in kept.values()):
        return RunTables(run=run, files=kept, is_kept=True, is_new=False)
    found = read_run(run)
    with suppress(OSError):
        _make(found, run / FOLDER, state)
        return RunTables(run=run, files=kept, is_kept=True, is_new=True)
    _make(found, spare, state)
    made = {name: spare / f"{name}.parquet" for name in _NAMES}
    return RunTables(run=run, files=made, is_kept=False, is_new=True)


def state_of(run: Path) -> bytes:
    """Return what tells one state of a run's log from another, as JSON.

    Of `run.yaml` and each file of the log it is its size, a digest of its end, and when it was
    changed.
    """
    paths = [run / "run.yaml", *(folder / name for folder in log_folders(run) for name in FILES)]
    files, times = {}, {}
    for path in paths:
        with suppress(FileNotFoundError), path.open("rb") as file:
            status = os.fstat(file.fileno())
            file.seek(max(status.st_size - _END, 0))
            name = path.relative_to(run).as_posix()
            end = file.read(min(status.st_size, _END))
            files[name] = [status.st_size, hashlib.sha256(end).hexdigest()[:16]]
            times[name] = status.st_mtime_ns
    told = {"schema": SCHEMA, "run": run.name, "path": str(run), "files": files, "time": times}
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)


def _state_in(path: Path) -> bytes | None:
    """Return the state of the log that the file at `path` was made of; None if it is no table."""
    pyarrow, parquet = libraries(path)
    try:
        metadata = parquet.read_schema(path).metadata or {}
    except (pyarrow.ArrowException, OSError):
        return None
    found: bytes | None = metadata.get(_STATE)
    return found


def _make(run: RunFolder, folder: Path, state: bytes) -> None:
    """Write the tables of `run` into `folder`, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: Mapping[str, Iterable[Cells]] = {
        "runs": [run_row(run)],
        "episodes": episode_rows(run),
        "decisions": decision_rows(run),
    }
    # a name of its own, as another process may be at the same work
    with tempfile.TemporaryDirectory(prefix=".making-", dir=folder) as draft:
        for name, own in rows.items():
            _write(Path(draft) / name, _NAMES[name], own, state)
        for name in rows:
            (Path(draft) / name).replace(folder / f"{name}.parquet")


def _write(path: Path, columns: Mapping[str, str], rows: Iterable[Cells], state: bytes) -> None:
    pyarrow, parquet = libraries(path)
    kinds = {WHOLE: pyarrow.int64(), REAL: pyarrow.float64(), TRUTH: pyarrow.bool_()}
    schema = pyarrow.schema(
        [(name, kinds.get(kind, pyarrow.string())) for name, kind in columns.items()],
        metadata={_STATE: state},
    )
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        block: list[Cells] = []
        for row in rows:
            block.append(row)
            if len(block) == _BLOCK:
                writer.write_table(_table(pyarrow, block, schema))
                block = []
        writer.write_table(_table(pyarrow, block, schema))


def _table(pyarrow: Any, block: list[Cells], schema: Any) -> Any:
    columns = [
        pyarrow.array([row[field.name] for row in block], type=field.type) for field in schema
    ]
    return pyarrow.Table.from_arrays(columns, schema=schema)
