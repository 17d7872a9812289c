"""SQL over the tables of run folders, through DuckDB, which only this module imports.

What is asked may come from somebody else: it is one SELECT over the views, it opens no file,
extension or network, changes no setting, and stays within the memory and threads that it is given.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from types import TracebackType
from typing import Any, Self

from valuesim.errors import InputError
from valuesim.formats.choice_columns import COLUMNS
from valuesim.tables.columns import DECISIONS, EPISODES, RUNS
from valuesim.tables.derived import RunTables, tables_of

VIEWS = {
    "runs": tuple(RUNS),
    "episodes": tuple(EPISODES),
    "decisions": tuple(DECISIONS),
    "choices": COLUMNS,
}
"""The views that may be asked: name -> columns."""
_FUNCTIONS = frozenset({"range", "generate_series", "unnest", "json_each", "json_tree", "repeat"})
"""The functions that may stand in a FROM: none of them reads anything but its arguments."""
_FETCHED = 10_000
_CLOSED = {
    "python_enable_replacements": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Answer:
    """What a query found: names and types of its columns, and its rows, which are read once."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


class Database:
    """The tables of some run folders as views; use it in `with`.

    Of an episode in several folders the first one's counts, as in `decisions_once`. `repeated` says
    how many there are, `unkept` in which folders no tables could be kept.
    """

    def __init__(
        self, runs: Sequence[Path], *, memory: str = "2GB", threads: int | None = None
    ) -> None:
        """Ask the run folders `runs`, with at most so much memory (as "500MB") and threads (all).

        Raises InputError where DuckDB or pyarrow is missing, or what is given is no size of a
        memory; LogError for a run that cannot be read.
        """
        self._duckdb = _duckdb()
        self._spare = TemporaryDirectory(prefix="valuesim-tables-")
        try:
            tables = [
                tables_of(run, Path(self._spare.name) / str(number))
                for number, run in enumerate(runs)
            ]
            self.unkept = tuple(each.run for each in tables if not each.is_kept)
            self._connection = self._connected(memory, threads)
            try:
                self.repeated = self._view(self._linked(tables))
            except self._duckdb.OutOfMemoryException:
                raise InputError(
                    f"--memory {memory} is too little for the tables: write 500MB or 4GB"
                ) from None
        except BaseException:
            self._spare.cleanup()
            raise

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the database and take away what it spilled."""
        self._connection.close()
        self._spare.cleanup()

    def interrupt(self) -> None:
        """End the query under way; it may be called from another thread."""
        self._connection.interrupt()

    def query(self, sql: str, parameters: Sequence[object] = ()) -> Answer:
        """Return what one SELECT finds, each `?` in it being one of `parameters`.

        Raises InputError for anything else, or a bad one, and KeyboardInterrupt where it was
        stopped. One answer is read at a time.
        """
        with self._told():
            self._check(sql)
            cursor = self._connection.execute(sql, list(parameters))
            columns = tuple(str(each[0]) for each in cursor.description)
            types = tuple(str(each[1]) for each in cursor.description)
        return Answer(columns=columns, types=types, rows=self._rows(cursor))

    def _rows(self, cursor: Any) -> Iterator[tuple[Any, ...]]:
        while True:
            with self._told():
                block = cursor.fetchmany(_FETCHED)
            if not block:
                return
            yield from block

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Raise what DuckDB raises in the block as an error of ours."""
        try:
            yield
        except self._duckdb.InterruptException:
            raise KeyboardInterrupt from None
        except self._duckdb.OutOfMemoryException as error:
            told = str(error).splitlines()[0][:200]
            raise InputError(f"the SQL cannot be run: {told}; give it more with --memory") from None
        except self._duckdb.Error as error:
            raise _refused(error) from None
        except RuntimeError as error:
            if str(error) != "Query interrupted":
                raise
            raise KeyboardInterrupt from None

    def _check(self, sql: str) -> None:
        """Raise InputError for what is not one SELECT over the views, or reads files."""
        statements = self._connection.extract_statements(sql)
        select = self._duckdb.StatementType.SELECT
        if len(statements) != 1 or statements[0].type != select:
            kinds = ", ".join(statement.type.name for statement in statements) or "nothing"
            raise InputError(f"the SQL holds {kinds}; it must be one SELECT")
        (told,) = self._connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
        tree = json.loads(told)
        if tree["error"]:
            raise InputError(f"the SQL is not a plain SELECT: {tree['error_message']:.200}")
        for name in _called(tree):
            if name.lower() not in _FUNCTIONS:
                raise InputError(
                    f"FROM {name}(...) is not allowed: the views are {', '.join(VIEWS)}, and the "
                    f"functions {', '.join(sorted(_FUNCTIONS))}"
                )
        known = {*VIEWS, *map(str.lower, _named(tree))}
        for name in _read(tree):
            if name.lower() not in known:
                raise InputError(f"{name!r:.60} does not exist: the views are {', '.join(VIEWS)}")

    def _connected(self, memory: str, threads: int | None) -> Any:
        connection = self._duckdb.connect(":memory:", config=_CLOSED)
        spill = Path(self._spare.name) / "spill"
        try:
            connection.execute(f"SET memory_limit={_quoted(memory)}")
        except self._duckdb.Error:
            raise InputError(f"--memory {memory!r:.40} is no size: write 500MB or 4GB") from None
        connection.execute(f"SET temp_directory={_quoted(str(spill))}")
        if threads is not None:
            connection.execute(f"SET threads={int(threads)}")
        return connection

    def _linked(self, tables: Sequence[RunTables]) -> dict[str, list[str]]:
        """Return, by name, paths of our own to the tables: a run's may hold what a pattern does."""
        found: dict[str, list[str]] = {name: [] for name in ("runs", "episodes", "decisions")}
        for number, each in enumerate(tables):
            for name, listed in found.items():
                link = Path(self._spare.name) / f"{name}-{number:06}.parquet"
                link.symlink_to(each.files[name].resolve())
                listed.append(str(link))
        return found

    def _view(self, files: dict[str, list[str]]) -> int:
        """Make the views, then shut the doors; return how many episodes stand in several runs."""
        run = self._connection.execute
        every = ", ".join(_quoted(path) for paths in files.values() for path in paths)
        run(f"SET allowed_paths=[{every}]")
        run("CREATE SCHEMA own")
        for name, paths in files.items():
            listed = ", ".join(map(_quoted, paths))
            number = "parse_filename(filename).regexp_extract('\\d+')::INTEGER AS number"
            run(
                f"CREATE VIEW own.{name} AS SELECT * EXCLUDE (filename), {number} "
                f"FROM read_parquet([{listed}], filename=true)"
            )
        run(
            "CREATE TABLE own.later AS SELECT episode, unnest(list_sort(list(number))[2:]) "
            "AS number FROM own.episodes GROUP BY episode HAVING count(*) > 1"
        )
        (repeated,) = run("SELECT count(DISTINCT episode) FROM own.later").fetchone()
        for name, columns in VIEWS.items():
            run(_view(name, columns, is_once=repeated > 0))
        run("SET enable_external_access=false")
        run("SET lock_configuration=true")
        return int(repeated)


class Rows:
    """Arrow tables of one shape as one table in memory, `own`, for SQL of this package alone.

    Several threads may ask: one after the other. Raises InputError where DuckDB is missing.
    """

    def __init__(self, empty: Any) -> None:
        """Begin with an Arrow table without rows, which says what the others look like."""
        self._connection = _duckdb().connect(":memory:", config=_CLOSED)
        self._lock = Lock()
        self._connection.register("given", empty)
        self._connection.execute("CREATE TABLE own AS SELECT * FROM given")
        self._connection.unregister("given")

    def put(self, table: Any, run: str) -> None:
        """Let the rows of `run` be those of an Arrow table, its columns in the first one's order.

        Nobody finds the run half changed. Raises InputError for a table of another shape.
        """
        duckdb = _duckdb()
        with self._lock:
            self._connection.register("given", table)
            try:
                self._connection.execute("BEGIN")
                self._connection.execute("DELETE FROM own WHERE run = ?", [run])
                self._connection.execute("INSERT INTO own SELECT * FROM given")
                self._connection.execute("COMMIT")
            except duckdb.Error as error:
                self._connection.execute("ROLLBACK")
                raise _refused(error) from None
            finally:
                self._connection.unregister("given")

    def ask(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows that `sql` finds, each `?` in it being one of `parameters`."""
        with self._lock:
            found: list[tuple[Any, ...]] = self._connection.execute(sql, parameters).fetchall()
        return found


def _view(name: str, columns: Sequence[str], *, is_once: bool) -> str:
    source = "decisions" if name == "choices" else name
    listed = ", ".join(f'"{column}"' for column in columns)
    view = f"CREATE VIEW {name} AS SELECT {listed} FROM own.{source}"
    if is_once and name != "runs":
        view += " ANTI JOIN own.later USING (episode, number)"
    return view


def _called(tree: object) -> Iterator[str]:
    """Yield the functions in the FROM of a statement, at any depth."""
    if isinstance(tree, dict) and tree.get("type") == "TABLE_FUNCTION":
        yield str(tree["function"].get("function_name"))
    for each in _below(tree):
        yield from _called(each)


def _named(tree: object) -> Iterator[str]:
    """Yield the names that a statement gives to queries with WITH, at any depth."""
    if isinstance(tree, dict):
        yield from (str(each["key"]) for each in tree.get("cte_map", {}).get("map", ()))
    for each in _below(tree):
        yield from _named(each)


def _read(tree: object) -> Iterator[str]:
    """Yield the tables that a statement reads, at any depth: SCHEMA.NAME, or what it shows."""
    if isinstance(tree, dict) and tree.get("type") == "BASE_TABLE":
        parts = [str(tree[part]) for part in ("catalog_name", "schema_name", "table_name")]
        yield ".".join(part for part in parts if part)
    if isinstance(tree, dict) and tree.get("type") == "SHOW_REF" and tree.get("table_name"):
        yield str(tree["table_name"]).strip('"')
    for each in _below(tree):
        yield from _read(each)


def _below(tree: object) -> Iterable[object]:
    if isinstance(tree, dict):
        return tree.values()
    return tree if isinstance(tree, list) else ()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _refused(error: Exception) -> InputError:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("LINE ", "^"))]
    return InputError(f"the SQL cannot be run: {' '.join(told)[:400]}")


def _duckdb() -> Any:
    try:
        return import_module("duckdb")
    except ImportError:
        needed = "pip install 'valuesim[tables]'"
        raise InputError(f"SQL over run folders needs the package duckdb: {needed}") from None
