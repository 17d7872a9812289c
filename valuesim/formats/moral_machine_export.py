"""Moral machine decisions as the tables that the published R scripts read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from valuesim.errors import InputError
from valuesim.formats.exported import Exported, Source
from valuesim.log.reader import DecisionRecord
from valuesim.measures.moral_machine import export


def write_moral_machine(source: Source, path: Path) -> Exported:
    """Write the table for the script of mmllm; raises as `export.write_moral_machine`.

    Raises InputError also where there is no moral machine decision.
    """
    return _written(source, path, export.write_moral_machine)


def write_moral_machine_awad(source: Source, path: Path) -> Exported:
    """Write the table for the script of Awad et al.; as `write_moral_machine`."""
    return _written(source, path, export.write_moral_machine_awad)


def _written(
    source: Source, path: Path, write: Callable[[Sequence[DecisionRecord], Path], int]
) -> Exported:
    scenes = [record for record in source.pool.decisions if "moral_scene" in record.annotations]
    if not scenes:
        folders = ", ".join(str(run.path) for run in source.runs)
        raise InputError(
            f"there is no moral-machine decision in {folders}: play some with env=moral_machine"
        )
    return Exported(files={path: write(scenes, path)}, notes=source.arms_lost())
