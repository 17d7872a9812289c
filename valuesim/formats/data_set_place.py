"""The place of a data set that is written: nothing but an earlier one of ours may stand there."""

from __future__ import annotations

from pathlib import Path

from valuesim.errors import InputError
from valuesim.formats.choice_columns import COLUMNS
from valuesim.formats.parquet import parquet_columns

FILE = "part-0.parquet"
"""The name of the one file of a partition."""


def check_place(folder: Path) -> None:
    """Raise InputError where `folder` holds what a `DataSetWriter` did not write.

    An empty folder passes, and what does not exist.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: name a folder for a data set")
    for path in folder.rglob("*") if folder.is_dir() else ():
        if not _is_own(folder, path):
            raise InputError(
                f"{folder} holds something else than a data set that was exported "
                f"({path.relative_to(folder)}): name a new folder, or an empty one"
            )


def _is_own(folder: Path, path: Path) -> bool:
    """Return whether `path` below `folder` is a folder KEY=... or a file as they are written."""
    *keys, name = (part.partition("=")[0] for part in path.relative_to(folder).parts)
    if path.is_symlink():
        return False
    if path.is_dir():
        return "=" in path.name and name in COLUMNS
    if not keys or name != FILE:
        return False
    try:
        return [*parquet_columns(path)] == [each for each in COLUMNS if each not in keys]
    except InputError:
        return False
