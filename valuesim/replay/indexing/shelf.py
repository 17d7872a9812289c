"""All runs below a path, kept up with what is written there while it is looked at."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock, Thread
from typing import Any, TypeVar

from valuesim.errors import InputError, LogError, ValueSimError
from valuesim.formats.parquet import libraries
from valuesim.log.files import MISSHAPEN
from valuesim.log.segments import FILES, log_folders
from valuesim.replay.indexing.growing import Growing
from valuesim.replay.indexing.index import Index, index_of, schema_of
from valuesim.replay.indexing.naming import (
    NotThereError,
    Place,
    check_confined,
    found_below,
    left_from,
    sentence,
    shown,
)
from valuesim.tables.database import Rows

_REST_S = 2.0
_SHARE = 10.0
_LARGEST_YAML = 8_000_000
_NOWHERE = Place(id="", name="", path=Path("the index of a run"))
FAILURES = (ValueSimError, OSError, RuntimeError, *MISSHAPEN, LookupError, ArithmeticError)
"""What reading a run raises, be its folder made by anybody: the others are shown all the same."""

T = TypeVar("T")
Signature = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelved:
    """A run as it was last read: how much it has, or the sentence why it has none.

    `parent` is what a branch was made of, its `run` as it lies below what is shown; `is_read` is
    false while it waits to be read.
    """

    place: Place
    signature: Signature
    episodes: int = 0
    decisions: int = 0
    interrupted: int = 0
    error: str | None = None
    parent: Mapping[str, Any] | None = None
    is_read: bool = True


class Shelf:
    """The runs below `root`, and a row for each of their episodes in the table `own` of `rows`.

    One that cannot be read is kept with why; it never hides the others. Raises InputError where
    nothing is found below `root`.
    """

    def __init__(
        self, root: Path, clock: Callable[[], float] = time.monotonic, *, waits: bool = True
    ) -> None:
        """Read all that is below `root`; unless it `waits`, beside whoever goes on."""
        self.root = root.resolve()
        self.runs: Mapping[str, Shelved]
        self.rows = Rows(_placed(schema_of(root).empty_table(), _NOWHERE))
        self._clock = clock
        self._version = 0
        self._growing: dict[str, Growing] = {}
        self._once: dict[str, tuple[int, Any]] = {}
        self._busy = Lock()
        self._next = 0.0
        self.runs = {
            place.id: Shelved(place=place, signature=(), is_read=False)
            for place in found_below(self.root)
        }
        if not self.runs:
            raise InputError(
                f"{root} holds no run folder: there is no run.yaml in or below it (`valuesim run` "
                "makes one)"
            )
        if waits:
            self.refresh()
        else:
            self.keep_up()

    def refresh(self) -> None:
        """Look for runs that are new, have changed or are gone; the latter are forgotten."""
        with self._busy:
            self._refresh()

    def keep_up(self) -> None:
        """Look again, beside whoever asks, unless that was done just now.

        It takes a tenth of the time at most, so that a log that grows is not read without end.
        """
        if self._clock() >= self._next and self._busy.acquire(blocking=False):
            Thread(target=self._catch_up, name="shelf", daemon=True).start()

    def look_soon(self) -> None:
        """Look again at once, beside whoever asks: something was begun that will be asked for."""
        self._next = 0.0
        self.keep_up()

    def run(self, id: str) -> Shelved:
        """Return a run by its id; raise NotThereError without one."""
        found = self.runs.get(id)
        if found is None:
            raise NotThereError(f"no run below {shown(self.root.name)} is named {id!r:.40}")
        return found

    def sentence(self, error: Exception, place: Place | None = None) -> str:
        """Return what went wrong, in words that do not say where `root` is on this machine."""
        return sentence(error, self.root, place)

    def changed(self) -> None:
        """Forget what was worked out of the rows, which are others now."""
        self._version += 1

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return what `make` makes of the rows as they are, made once for each state of them."""
        version = self._version
        made = self._once.get(name)
        if made is None or made[0] != version:
            made = self._once[name] = version, make()
        found: T = made[1]
        return found

    def _catch_up(self) -> None:
        try:
            self._refresh()
        finally:
            self._busy.release()

    def _refresh(self) -> None:
        started = self._clock()
        places = {place.id: place for place in found_below(self.root)}
        runs = dict(self.runs)
        for id in [id for id in runs if id not in places]:
            self._forget(id)
            del runs[id]
        for id, place in places.items():
            signature = signature_of(place.path)
            known = runs.get(id)
            if known is not None and known.signature == signature:
                if (growing := self._growing.get(id)) is not None:
                    growing.settle()
            else:
                runs[id] = self._read(place, signature)
                # others iterate over what they were given
                self.runs = dict(runs)
        self.runs = runs
        ended = self._clock()
        self._next = ended + max(_REST_S, _SHARE * (ended - started))

    def _read(self, place: Place, signature: Signature) -> Shelved:
        try:
            check_confined(place, self.root)
            check_size(place)
            index = self._index(place)
            is_aside = index.is_game or index.parent is not None
            place = replace(place, is_branch=place.is_branch and is_aside)
            self.rows.put(_placed(index.table, place), place.id)
            self.changed()
        except FAILURES as error:
            self._forget(place.id)
            told = self.sentence(error, place)
            return Shelved(place=place, signature=signature, error=told)
        return Shelved(
            place=place,
            signature=signature,
            episodes=len(index.table),
            decisions=sum(index.table.column("decisions").to_pylist()),
            interrupted=index.interrupted,
            parent=self._left(place, index.parent),
        )

    def _left(self, place: Place, told: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        return told and {**told, "run": left_from(place, self.root, str(told.get("run")))}

    def _index(self, place: Place) -> Index:
        """Return the index of a run; of one that has grown since it was read, the extended one."""
        known = self.runs.get(place.id)
        if known is None or not known.is_read or known.error is not None:
            self._growing.pop(place.id, None)
            return index_of(place.path)
        return self._growing.setdefault(place.id, Growing(place.path)).index()

    def _forget(self, id: str) -> None:
        self._growing.pop(id, None)
        self.rows.ask("DELETE FROM own WHERE run = ?", [id])
        self.changed()


def check_size(place: Place) -> None:
    """Raise LogError where the run.yaml of a run is too long to be read."""
    size = (place.path / "run.yaml").stat().st_size
    if size > _LARGEST_YAML:
        raise LogError(f"{place.name}: run.yaml has {size:,} bytes; at most {_LARGEST_YAML:,}")


def signature_of(run: Path) -> Signature:
    """Return what changes whenever a file of the run's log does, without reading any."""
    found = []
    names = ["run.yaml", *FILES]
    for folder in log_folders(run):
        for name in names:
            try:
                status = (folder / name).stat()
            except OSError:
                continue
            found.append((f"{folder.name}/{name}", status.st_size, status.st_mtime_ns))
    return tuple(found)


def _placed(table: Any, place: Place) -> Any:
    """Return an index with what is known of its run before each row."""
    pyarrow, _ = libraries(place.path)
    for name, told in (
        ("archetype", None),
        ("is_branch", place.is_branch),
        ("run_name", place.name),
        ("run", place.id),
    ):
        kind = pyarrow.bool_() if name == "is_branch" else pyarrow.string()
        column = pyarrow.repeat(pyarrow.scalar(told, type=kind), len(table))
        table = table.add_column(0, name, column)
    return table
