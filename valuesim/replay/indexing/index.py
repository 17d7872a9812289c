"""What the viewer keeps of a run: a row an episode, with the places of its lines in the log.

It stands in `derived/replay-1/episodes.parquet` of the run folder, may be deleted at any time, and
is made anew when the log has changed (see `tables.derived`). With the places an episode is opened
by reading its own lines alone, however long the log is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from valuesim.errors import LogError, ValueSimError
from valuesim.formats.parquet import libraries
from valuesim.log.pool import PERSON
from valuesim.log.reader import read_run
from valuesim.log.whole import whole
from valuesim.replay.indexing.gathering import COLUMNS, TEXT, TEXTS, WHOLE, WHOLES, Cells, rows
from valuesim.tables.derived import state_of

SCHEMA = 1
FOLDER = f"derived/replay-{SCHEMA}"
"""Where the index stands in a run folder."""
_STATE = b"valuesim.state"
_BESIDE = b"valuesim.beside"
_TOLD = ("interrupted", "parent", "is_game")
_BLOCK = 10_000


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Index:
    """The index of a run as an Arrow table, and what else is told of it without reading its log.

    `interrupted` counts episodes that were never finished; `parent` is what a branch was made of;
    `is_game` tells what a person played in the viewer.
    """

    table: Any
    interrupted: int = 0
    parent: Mapping[str, Any] | None = None
    is_game: bool = False


def index_of(run: Path) -> Index:
    """Return the index of the run folder `run`: the kept one, or one made (and kept) now.

    Where the folder cannot be written, none is kept. Raises LogError for what cannot be read.
    """
    state = state_of(run)
    path = run / FOLDER / "episodes.parquet"
    if (kept := _kept(path, state)) is not None:
        return kept
    found = read_run(run)
    beside = {
        "interrupted": len({each.episode for each in found.interrupted if each.is_open}),
        "parent": bounded(found.config.get("parent")),
        "is_game": PERSON in found.config,
    }
    made = Index(table=table_of(rows(found), run), **beside)
    keep(run, made, state)
    return made


def keep(run: Path, index: Index, state: bytes) -> None:
    """Keep the index of a log that was in `state`; none is kept where that cannot be written."""
    _, parquet = libraries(run)
    path = run / FOLDER / "episodes.parquet"
    beside = {name: getattr(index, name) for name in _TOLD}
    told = {_STATE: state, _BESIDE: orjson.dumps(beside)}
    with suppress(OSError, ValueSimError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as draft:
            marked = index.table.replace_schema_metadata(told)
            parquet.write_table(marked, draft, compression="zstd")


def bounded(content: Any, most: int = 10_000) -> Any:
    """Return what a YAML file holds as JSON has it, if it is small; else raise LogError.

    An alias in YAML may make of a few lines more than any memory holds. What JSON has no word for
    (a date, bytes) becomes text.
    """
    left = most
    waiting = [content]
    while waiting:
        each = waiting.pop()
        left -= 1
        if left < 0:
            raise LogError(f"run.yaml tells more than {most:,} things of where the run came from")
        if isinstance(each, Mapping):
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    if not isinstance(content, Mapping):
        return None
    try:
        written = orjson.dumps(content, default=str, option=orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError as error:
        told = f"run.yaml tells of where the run came from what is no JSON: {error}"
        raise LogError(told) from error
    found: dict[str, Any] = orjson.loads(written)
    return found


def schema_of(path: Path) -> Any:
    """Return the Arrow schema of an index; raise InputError, naming `path`, without pyarrow."""
    pyarrow, _ = libraries(path)
    kinds = {
        TEXT: pyarrow.string(),
        TEXTS: pyarrow.list_(pyarrow.string()),
        WHOLE: pyarrow.int64(),
        WHOLES: pyarrow.list_(pyarrow.int64()),
    }
    return pyarrow.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])


def table_of(found: Iterator[Cells], path: Path) -> Any:
    """Return rows of the index of `path` as an Arrow table."""
    pyarrow, _ = libraries(path)
    schema = schema_of(path)
    blocks = []
    while block := list(islice(found, _BLOCK)):
        columns = [pyarrow.array([row[f.name] for row in block], type=f.type) for f in schema]
        blocks.append(pyarrow.Table.from_arrays(columns, schema=schema))
    return pyarrow.concat_tables(blocks) if blocks else schema.empty_table()


def _kept(path: Path, state: bytes) -> Index | None:
    """Return the index at `path` if it is whole and of this state of the log; else None."""
    pyarrow, parquet = libraries(path)
    if not path.is_file():
        return None
    try:
        metadata = parquet.read_schema(path).metadata or {}
        if metadata.get(_STATE) != state:
            return None
        beside = orjson.loads(metadata.get(_BESIDE, b""))
        table = parquet.read_table(path).cast(schema_of(path))
        found = Index(table=table, **{name: beside[name] for name in _TOLD})
    except (pyarrow.ArrowException, OSError, ValueError, TypeError, LookupError):
        return None
    return found if _is_sound(found) else None


def _is_sound(found: Index) -> bool:
    """Return whether each row of a kept index can be shown; whoever sent the run may have made it.

    Nothing may be missing but what is undetermined, and JSON must be JSON.
    """
    whole = [name for name in COLUMNS if name not in ("first", "place")]
    table = found.table
    is_told = isinstance(found.interrupted, int) and isinstance(found.parent, dict | None)
    is_told = is_told and isinstance(found.is_game, bool)
    if not is_told or any(table.column(name).null_count for name in whole):
        return False
    texts = (table.column(name).unique().to_pylist() for name in ("condition", "faults_by_kind"))
    try:
        return all(isinstance(orjson.loads(text), dict) for column in texts for text in column)
    except orjson.JSONDecodeError:
        return False
