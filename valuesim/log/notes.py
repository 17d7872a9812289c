"""Notes that a session of a run leaves in its `run.yaml`."""

from __future__ import annotations

from valuesim.log.reader import read_config
from valuesim.log.writer import RunWriter


def note(writer: RunWriter, *told: str) -> None:
    """Keep sentences with the last session in `run.yaml`."""
    described = read_config(writer.folder)
    session = described["sessions"][-1]
    session["notes"] = [*session.get("notes", ()), *told]
    writer.describe(described)
