"""A part of a decision that folds: a title that is chosen with j and k, and the text below it."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from valuesim.replay.tui.moment import Part
from valuesim.replay.tui.style import content

_OPEN, _CLOSED = "\u25bc", "\u25ba"


class FoldTitle(Static, can_focus=True):
    """The title of a part; Enter or a click folds and unfolds it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "fold", "Fold", show=False)]

    class Folded(Message):
        """Whoever looks wants the part the other way."""

    def action_fold(self) -> None:
        """Tell the part."""
        self.post_message(self.Folded())

    def on_click(self, event: events.Click) -> None:
        """Do as Enter does."""
        event.stop()
        self.action_fold()


class Fold(Vertical):
    """A part of the decision that is looked at; hidden where the decision has none of it.

    Whether it stands open is kept while steps go by.
    """

    def __init__(self, id: str, *, is_open: bool) -> None:
        """Begin with nothing to show."""
        super().__init__(id=f"part-{id}", classes="fold")
        self.is_open = is_open
        self.part: Part | None = None
        self.display = False

    def compose(self) -> ComposeResult:
        """Yield the title and the text."""
        yield FoldTitle(markup=False, classes="fold-title")
        yield Static(markup=False, classes="fold-text")

    @property
    def title(self) -> FoldTitle:
        """What can be focused."""
        return self.query_one(FoldTitle)

    def show(self, part: Part | None) -> None:
        """Show a part, or nothing; the text is laid out only where it stands open."""
        self.part = part
        self.display = part is not None
        if part is None:
            return
        sign = _OPEN if self.is_open else _CLOSED
        note = f"  {part.note}" if part.note else ""
        self.title.update(content([(f"{sign} {part.title}", "strong"), (note, "muted")]))
        text = self.query_one(".fold-text", Static)
        text.display = self.is_open
        text.update(content(part.pieces) if self.is_open else "")

    def on_fold_title_folded(self, message: FoldTitle.Folded) -> None:
        """Fold, or unfold."""
        message.stop()
        self.is_open = not self.is_open
        self.show(self.part)
