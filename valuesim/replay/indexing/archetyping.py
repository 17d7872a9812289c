"""The archetype of each group of episodes, worked out beside the list and kept with the run.

A group is the episodes of a run that one player plays, as `valuesim archetypes` groups them: by
agent and model, with interventions and packs kept apart. Where different players meet, no archetype
is told of the episode: it would be nobody's.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from pathlib import Path
from threading import Lock, Thread

import orjson

import valuesim
from valuesim.replay.indexing.archetyped import MOST, Named, kept
from valuesim.replay.indexing.shelf import Shelf, Shelved, Signature


class Archetypes:
    """Fills the column `archetype` of a shelf, run by run, in a thread of its own."""

    def __init__(self, shelf: Shelf) -> None:
        """Begin with nothing known."""
        self._shelf = shelf
        self._lock = Lock()
        self._told: dict[str, Signature] = {}
        self._works = False

    def wanted(self) -> None:
        """Begin to work on the runs whose archetypes are not known; return at once."""
        with self._lock:
            if self._works or not self._missing():
                return
            self._works = True
        Thread(target=self._work, name="archetypes", daemon=True).start()

    @property
    def pending(self) -> int:
        """How many runs there are of which archetypes are not known yet."""
        return len(self._missing())

    def settle(self) -> None:
        """Work on all runs whose archetypes are not known, and return when they are."""
        for shelved in self._missing():
            found = _found(shelved)
            for archetype, episodes in found.items():
                self._shelf.rows.ask(
                    "UPDATE own SET archetype = ? WHERE run = ? "
                    "AND episode IN (SELECT unnest(?::VARCHAR[]))",
                    [archetype, shelved.place.id, episodes],
                )
            self._shelf.changed()
            self._told[shelved.place.id] = shelved.signature

    def _missing(self) -> list[Shelved]:
        return [
            run
            for run in self._shelf.runs.values()
            if run.is_read and run.error is None and self._told.get(run.place.id) != run.signature
        ]

    def _work(self) -> None:
        try:
            self.settle()
        finally:
            with self._lock:
                self._works = False


def _found(shelved: Shelved) -> Named:
    """Return the archetypes of a run; none where it has too many decisions, or cannot be read."""
    if not 0 < shelved.decisions <= MOST:
        return {}
    known = kept(shelved.place.path)
    return _worked_out(shelved.place.path) if known is None else known


def _worked_out(run: Path) -> Named:
    # -P: what lies in the folder that somebody else made is no module of ours
    command = [sys.executable, "-P", "-m", "valuesim.replay.indexing.archetyped", str(run)]
    home = str(Path(valuesim.__file__).parent.parent)
    path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
    worker = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": path},
        # Ctrl-C is this process's to tell
        start_new_session=True,
    )
    atexit.register(worker.kill)
    try:
        told, _ = worker.communicate()
    finally:
        atexit.unregister(worker.kill)
    if worker.returncode != 0:
        return {}
    found: Named = orjson.loads(told)
    return found
