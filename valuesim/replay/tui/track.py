"""The timeline as a widget: drawn for the width there is, and a click goes to a step."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.widgets import Static

from valuesim.replay.tui.playing import Playing
from valuesim.replay.tui.style import content
from valuesim.replay.tui.texts import Pieces, figure
from valuesim.replay.tui.timeline import Marks, drawn, key, window


class Track(Static):
    """The steps of an episode with their marks."""

    @dataclass
    class Sought(Message):
        """The step at `index` was clicked."""

        index: int

    def __init__(self) -> None:
        """Begin with nothing drawn."""
        super().__init__(id="timeline", markup=False)
        self._marks = Marks(faults=(), harms=())
        self._steps = 0
        self._index = 0

    def draw(self, marked: Marks, steps: int, index: int) -> None:
        """Draw the steps around the present one; nothing where there are none."""
        self._marks, self._steps, self._index = marked, steps, index
        seen = window(steps, index, self._columns)
        self.update(content(drawn(marked, index, seen)) if steps else "")

    @property
    def _columns(self) -> int:
        # one at each end says that there is more
        return self.content_size.width - 2

    def on_resize(self) -> None:
        """Draw the same for another width."""
        self.draw(self._marks, self._steps, self._index)

    def on_click(self, event: events.Click) -> None:
        """Tell which step was clicked."""
        event.stop()
        if self._steps:
            seen = window(self._steps, self._index, self._columns)
            column = event.x - self.styles.padding.left - 1
            self.post_message(self.Sought(seen.index(max(0, column))))


def status(playing: Playing, step: int, marked: Marks) -> Pieces:
    """Return whether it plays and how fast, where it stands, and what the marks mean."""
    sign = "\u25ba playing" if playing.is_on else "\u2551 paused"
    pieces: Pieces = [(f" {sign} {figure(playing.speed)}\u00d7", "strong")]
    pieces.append((f"  step {figure(step)}", ""))
    pieces.append((f" ({figure(playing.index + 1)} of {figure(playing.steps)})", "muted"))
    return pieces + key(marked)
