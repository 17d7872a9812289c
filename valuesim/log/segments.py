"""The parts of a run folder's log: its own files, and a folder for each worker that wrote beside."""

from __future__ import annotations

from pathlib import Path

SEGMENTS = "segments"
"""The folder, in a run folder, that holds a folder of log files for each worker."""


def log_folders(run: Path) -> list[Path]:
    """Return the folders that hold log files of `run`: itself, then its segments by name."""
    below = run / SEGMENTS
    return (
        [run, *(sorted(each for each in below.iterdir() if each.is_dir()))]
        if below.is_dir()
        else [run]
    )
