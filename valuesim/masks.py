"""Which moves of a catalogue may be made now, as 0 and 1, for RL libraries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from valuesim.option import Move, Option


class Masks:
    """Tells, of the moves of one catalogue, which are possible with what is on offer."""

    def __init__(self, catalogue: Sequence[Move]) -> None:
        self._size = len(catalogue)
        self._indexed: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
        for index, move in enumerate(catalogue):
            self._indexed.setdefault(move.option, []).append((index, move.arguments))

    def of(self, offered: Sequence[Option]) -> NDArray[np.int8]:
        """Return 1 for each move that an option of `offered` takes, 0 for all others."""
        mask = np.zeros(self._size, dtype=np.int8)
        for option in offered:
            for index, arguments in self._indexed.get(option.name, ()):
                mask[index] = not option.fault(option.complete(arguments))
        return mask
