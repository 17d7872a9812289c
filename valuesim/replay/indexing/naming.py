"""Which run folders lie below a path, and the names by which they are asked for.

A run is named by what its place hashes to, so that no path is ever taken from a request. Links to
folders are not followed; a run of which a part leads out of the path is not read.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from valuesim.errors import InputError, LogError, ValueSimError
from valuesim.log.files import INHERITED
from valuesim.log.pool import BRANCHES, PEOPLE
from valuesim.log.segments import FILES, SEGMENTS, log_folders

DERIVED = "derived"
_NEVER_RUNS = frozenset({SEGMENTS, DERIVED})
_DIGITS = 12
_OWN = ("run.yaml", SEGMENTS, INHERITED)


class NotThereError(InputError):
    """What was asked for by a name that nothing has."""


class NotYetError(NotThereError):
    """What was asked for may come to be there in a moment: its run is being read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A run folder below the path that is shown: its `id`, and its `name` to be read by people.

    `is_branch` tells a run that was branched off another, or that a person played in the viewer, as
    far as its place says: it counts in no list of the others.
    """

    id: str
    name: str
    path: Path
    is_branch: bool = False


def found_below(root: Path) -> Iterator[Place]:
    """Yield the run folders that are `root` or lie below it, sorted; none is looked into.

    Links to folders are passed over, and so are hidden folders.
    """
    for folder, below, files in os.walk(root, onerror=None, followlinks=False):
        if "run.yaml" in files:
            yield place_of(Path(folder), root)
            below[:] = [name for name in below if name not in _NEVER_RUNS]
        below[:] = sorted(name for name in below if not name.startswith("."))


def place_of(run: Path, root: Path) -> Place:
    """Return what the run folder `run` is called below `root`.

    >>> place_of(Path("/r/demo/daily"), Path("/r"))
    Place(id='3dab8745b167', name='demo/daily', path=PosixPath('/r/demo/daily'), is_branch=False)
    """
    relative = run.relative_to(root)
    return Place(
        id=id_of(relative.as_posix()),
        name=shown(run.name if relative == Path() else relative.as_posix()),
        path=run,
        is_branch=relative.parts[-2:-1] in ((BRANCHES,), (PEOPLE,)),
    )


def id_of(path: str) -> str:
    """Return the id of the run whose folder is `path` below what is shown, with slashes.

    >>> id_of("demo/daily")
    '3dab8745b167'
    """
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:_DIGITS]


def left_from(place: Place, root: Path, said: str) -> str:
    """Return the path below `root` of the run that the branch at `place` says it leaves.

    A branch says it as it is from the folder that holds `branches`, which may lie below `root`.

    >>> place = Place(id="", name="", path=Path("/r/demo/branches/ab"), is_branch=True)
    >>> left_from(place, Path("/r"), "daily"), left_from(place, Path("/r/demo"), "daily")
    ('demo/daily', 'daily')
    """
    if not place.is_branch:
        return said
    base = place.path.relative_to(root).parent.parent
    return (PurePosixPath(base.as_posix()) / said).as_posix()


def shown(name: str) -> str:
    """Return the name of a file as text that can be sent: what is no UTF-8 becomes U+FFFD."""
    return os.fsencode(name).decode("utf-8", "replace")


def sentence(error: Exception, root: Path, place: Place | None = None) -> str:
    """Return what went wrong, in words that do not say where `root` is on this machine."""
    told = str(error).replace(f"{root}{os.sep}", "")
    if isinstance(error, ValueSimError):
        return told
    where = "a run" if place is None else place.name
    return f"{where} cannot be read: {type(error).__name__}: {told:.200}"


def check_confined(place: Place, root: Path) -> None:
    """Raise LogError where a part of the run leads out of `root` by a link.

    Looked at are all files that are read. What is written to, `derived` and all that is in it, may
    be no link at all: another run's log might be what it leads to.
    """
    inside = root.resolve()
    parts = [place.path / name for name in _OWN]
    for folder in log_folders(place.path):
        parts += [folder, *(folder / name for name in FILES)]
    for part in parts:
        if not part.resolve().is_relative_to(inside):
            raise LogError(f"{_named(part, place)} is a link that leads out of what is shown")
        # a pipe would be waited for without end
        if part.exists() and not (part.is_file() or part.is_dir()):
            raise LogError(f"{_named(part, place)} is neither a file nor a folder")
    derived = place.path / DERIVED
    for part in (derived, *_below(derived)):
        if part.is_symlink():
            raise LogError(f"{_named(part, place)} is a link: what is derived is written there")


def _below(folder: Path) -> Iterator[Path]:
    """Yield all that is in a folder, at any depth; links are followed nowhere."""
    for at, folders, files in os.walk(folder, followlinks=False):
        yield from (Path(at) / name for name in (*folders, *files))


def _named(part: Path, place: Place) -> str:
    return f"{place.name}: {shown(part.relative_to(place.path).as_posix())}"
