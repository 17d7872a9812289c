"""Writes the page; the one module of the report that touches the disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from valuesim.errors import InputError
from valuesim.log import RunFolder
from valuesim.report.page import render
from valuesim.report.summary import summarise


def write_report(runs: Sequence[RunFolder], out: Path, *, seed: int = 0) -> Path:
    """Write the page of `runs` to the file `out`, whole or not at all, and return its path.

    A folder as `out` gets a `report.html`. Without a finished episode the page says why. `seed`
    is that of the bootstrap and posterior draws. Raises InputError when `out` cannot be written or
    `runs` is empty.
    """
    if not runs:
        raise InputError("a report needs at least one run folder; none was given")
    path = out / "report.html" if out.is_dir() else out
    page = render(summarise(runs, seed=seed))
    draft = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(page, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise InputError(f"the report cannot be written to {path}: {error.strerror}") from error
    return path
