"""Which episode begins next: in the order of the plan, and towards the end the longest first.

The plan's order keeps the cells of a run that is stopped half-way even. At its end it may leave one
long episode to be played alone; so the last ones are begun longest first (Graham 1969, "Bounds on
multiprocessing timing anomalies").
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from valuesim.engine.experience import Experience, cell
from valuesim.episode import EpisodeSpec

_Placed = tuple[int, EpisodeSpec]
TAIL = 4
"""How many times as many episodes as seats are begun longest first."""


class Waiting:
    """The episodes that have not begun; `experience` tells how long those of a cell are.

    A cell of which nothing is known counts as long as the mean of the others.
    """

    def __init__(self, specs: Sequence[EpisodeSpec], seats: int, experience: Experience) -> None:
        self._specs = specs
        self._experience = experience
        self._tail = min(TAIL * seats, len(specs))
        self._taken = 0
        self._cells: list[deque[_Placed]] = []

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._specs) - self._taken

    def peek(self) -> EpisodeSpec | None:
        """Return the episode that begins next; None if none waits."""
        if not len(self):
            return None
        if len(self) > self._tail:
            return self._specs[self._taken]
        if not self._cells:
            self._cells = _by_cell(self._specs[self._taken :])
        return self._longest()[0][1]

    def take(self) -> EpisodeSpec:
        """Return the episode that begins next, which then waits no more; IndexError if none."""
        spec = self.peek()
        if spec is None:
            raise IndexError("no episode waits")
        self._taken += 1
        if self._cells:
            longest = self._longest()
            longest.popleft()
            if not longest:
                self._cells.remove(longest)
        return spec

    def _longest(self) -> deque[_Placed]:
        if len(self._cells) == 1:
            return self._cells[0]
        lengths = [self._experience.steps(waiting[0][1]) for waiting in self._cells]
        known = [length for length in lengths if length is not None]
        usual = sum(known) / len(known) if known else 0.0

        def urgency(k: int) -> tuple[float, int]:
            length = lengths[k]
            # of equals the first in the plan
            return usual if length is None else length, -self._cells[k][0][0]

        return self._cells[max(range(len(lengths)), key=urgency)]


def _by_cell(specs: Sequence[EpisodeSpec]) -> list[deque[_Placed]]:
    cells: dict[tuple[str, int, int], deque[_Placed]] = {}
    for placed in enumerate(specs):
        cells.setdefault(cell(placed[1]), deque()).append(placed)
    return list(cells.values())
