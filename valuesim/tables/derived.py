"""The tables of a run folder, kept beside its log: derived, and made anew when the log has changed.

They are `derived/tables-1/episodes.parquet` and `decisions.parquet` in the run folder, and may be
deleted at any time. Each file carries what the log was when it was made (`state_of`); where that
differs, or there is none, all are made anew, in memory that grows by 34 bytes a decision. Their
rows are believed: those in a stranger's run folder may be forged.
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

from valuesim.errors import LogError
from valuesim.formats.parquet import ROWS, libraries
from valuesim.log.files import check_regular
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
    if all(_is_of(path, name, state) for name, path in kept.items()):
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
        # to open a pipe would wait for whoever writes to it
        check_regular(path)
        with suppress(FileNotFoundError), path.open("rb") as file:
            status = os.fstat(file.fileno())
            file.seek(max(status.st_size - _END, 0))
            name = path.relative_to(run).as_posix()
            end = file.read(min(status.st_size, _END))
            files[name] = [status.st_size, hashlib.sha256(end).hexdigest()[:16]]
            times[name] = status.st_mtime_ns
    place = os.path.abspath(run)
    told = {"schema": SCHEMA, "run": run.name, "path": place, "files": files, "time": times}
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)


def _is_of(path: Path, name: str, state: bytes) -> bool:
    """Return whether `path` has the columns of the table `name`, and was made of that state."""
    pyarrow, parquet = libraries(path)
    try:
        # to open a pipe would wait for whoever writes to it
        found = parquet.read_schema(path) if path.is_file() else None
    except (pyarrow.ArrowException, OSError):
        return False
    expected = _schema(pyarrow, _NAMES[name], state)
    return found is not None and bool(expected.equals(found, check_metadata=True))


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
    schema = _schema(pyarrow, columns, state)
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        block: list[Cells] = []
        for row in rows:
            block.append(row)
            if len(block) == _BLOCK:
                writer.write_table(_table(pyarrow, block, schema))
                block = []
        writer.write_table(_table(pyarrow, block, schema))


def _schema(pyarrow: Any, columns: Mapping[str, str], state: bytes) -> Any:
    kinds = {WHOLE: pyarrow.int64(), REAL: pyarrow.float64(), TRUTH: pyarrow.bool_()}
    listed = [(name, kinds.get(kind, pyarrow.string())) for name, kind in columns.items()]
    return pyarrow.schema(listed, metadata={_STATE: state})


def _table(pyarrow: Any, block: list[Cells], schema: Any) -> Any:
    columns = []
    for field in schema:
        cells = [row[field.name] for row in block]
        try:
            columns.append(pyarrow.array(cells, type=field.type))
        except (pyarrow.ArrowException, OverflowError, UnicodeError) as error:
            run = block[0]["run"]
            wrong = f"{field.name} of {run!r:.60} cannot stand in a table: {error!s:.100}"
            raise LogError(wrong) from error
    return pyarrow.Table.from_arrays(columns, schema=schema)
