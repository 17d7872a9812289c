"""What is noted of a run's models before it begins: who does not keep to the form asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from valuesim.errors import Interruption
from valuesim.log import RunWriter
from valuesim.log.notes import note


async def probed(
    connections: Iterable[Any], writer: RunWriter, told: Callable[[str], None]
) -> None:
    """Note in `run.yaml`, and have `told`, which models do not keep to the form they are asked for.

    `connections` are those of models, each of which is asked once at most.
    """
    broken = []
    for connection in connections:
        # a server that is away ends every episode in the same words; they are told there
        with suppress(Interruption):
            if sentence := await connection.probe():
                broken.append(sentence)
                told(sentence)
    if broken:
        note(writer, *broken)
