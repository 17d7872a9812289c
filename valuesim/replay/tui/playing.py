"""Playing an episode: where it stands, its speed, and when the next step is due."""

from __future__ import annotations

from collections.abc import Callable

SPEEDS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Steps in a second."""


class Playing:
    """The place of the present step among `steps`, by a clock that is given.

    An episode without steps stands at 0 and never plays.
    """

    def __init__(self, steps: int, clock: Callable[[], float], index: int = 0) -> None:
        """Begin at `index`, not playing."""
        self.steps = steps
        self.is_on = False
        self.speed = 1.0
        self.index = 0
        self._clock = clock
        self._due = 0.0
        self._go(index)

    @property
    def last(self) -> int:
        """The place of the last step."""
        return max(0, self.steps - 1)

    def toggle(self) -> None:
        """Play, from the beginning where the end is reached; or pause."""
        if not self.is_on and self.index >= self.last:
            self.index = 0
        self.is_on = not self.is_on and self.last > 0
        self._wait()

    def seek(self, index: int) -> None:
        """Stop, and go to the step at `index`, or to the nearest there is."""
        self.is_on = False
        self._go(index)

    def change_speed(self, by: int) -> None:
        """Take the next higher (1) or lower (-1) speed, if there is one."""
        place = SPEEDS.index(self.speed) + by
        self.speed = SPEEDS[max(0, min(len(SPEEDS) - 1, place))]
        self._wait()

    def tick(self) -> bool:
        """Go to the next step where it is due, and return whether something changed.

        One step at a time, however late: each one is seen. It stops at the end.
        """
        if not self.is_on or self._clock() < self._due:
            return False
        self._go(self.index + 1)
        self.is_on = self.index < self.last
        self._wait()
        return True

    def _go(self, index: int) -> None:
        self.index = max(0, min(self.last, index))

    def _wait(self) -> None:
        self._due = self._clock() + 1.0 / self.speed
