"""Writes the page; the one module of the report that touches the disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from valuesim.errors import InputError
from valuesim.log import RunFolder
from valuesim.log.whole import unwritable, whole
from valuesim.report.page import render
from valuesim.report.summary import Summary, summarise


def write_report(runs: Sequence[RunFolder], out: Path, *, seed: int = 0) -> Path:
    """Write the page of `runs` to the file `out`, whole or not at all, and return its path.

    A folder as `out` gets a `report.html`. Without a finished episode the page says why. `seed`
    is that of the bootstrap and posterior draws. Raises InputError when `runs` is empty or `out` is
    no place to write to, ValueSimError when the disk takes no more.
    """
    if not runs:
        raise InputError("a report needs at least one run folder; none was given")
    return write_page(summarise(runs, seed=seed), out)


def write_page(summary: Summary, out: Path) -> Path:
    """Write the page of `summary` like `write_report`, and return its path."""
    path = out / "report.html" if out.is_dir() else out
    page = render(summary)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error
    with whole(path) as draft:
        draft.write_text(page, encoding="utf-8")
    return path
