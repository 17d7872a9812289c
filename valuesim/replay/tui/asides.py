"""What is laid over a screen: a choice, a number that is asked for, help, a text in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, Input, OptionList, Static

from valuesim.replay.tui.style import content
from valuesim.replay.tui.texts import Piece, Pieces, count, parts, visible

_LEAVE = Binding("escape,q", "leave", "Back")


class Choosing(ModalScreen[int | None]):
    """One of several; gives its place, or None where it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        _LEAVE,
        Binding("j", "down", show=False),
        Binding("k", "up", show=False),
    ]

    def __init__(self, title: str, choices: Sequence[str], chosen: int) -> None:
        """Ask for one of `choices`, beginning at the place `chosen`."""
        super().__init__()
        self._title = title
        self._choices = choices
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        """Yield the title and the list."""
        with Vertical(classes="aside"):
            yield Static(content([(self._title, "title")]), markup=False)
            yield OptionList(*map(Content, self._choices), markup=False)

    def on_mount(self) -> None:
        """Stand where the present choice is."""
        self.query_one(OptionList).highlighted = self._chosen

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Give what was chosen."""
        event.stop()
        self.dismiss(event.option_index)

    def action_down(self) -> None:
        """Go to the next choice."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """Go to the choice before."""
        self.query_one(OptionList).action_cursor_up()

    def action_leave(self) -> None:
        """Choose nothing."""
        self.dismiss(None)


class Number(ModalScreen[int | None]):
    """A number that is asked for; None where it was left, or nothing was given."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Back")]

    def __init__(self, title: str) -> None:
        """Ask for a whole number."""
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        """Yield the title and the field."""
        with Vertical(classes="aside"):
            yield Static(content([(self._title, "title")]), markup=False)
            yield Input(restrict=r"[0-9]*", max_length=9)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give the number."""
        event.stop()
        self.dismiss(int(event.value) if event.value else None)

    def action_leave(self) -> None:
        """Give none."""
        self.dismiss(None)


class Help(ModalScreen[None]):
    """The keys there are; any of Escape, q and ? leaves it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark", "leave", "Back")]

    def __init__(self, pieces: Pieces) -> None:
        """Show `pieces`."""
        super().__init__()
        self._pieces = pieces

    def compose(self) -> ComposeResult:
        """Yield the keys, which scroll where there is no room for them."""
        with VerticalScroll(classes="aside wide"):
            yield Static(content(self._pieces), markup=False)

    def action_leave(self) -> None:
        """Go back."""
        self.dismiss(None)


class Reading(Screen[None]):
    """Texts in full, one below the other under their titles, a part at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        _LEAVE,
        Binding("n", "turn(1)", "Next part"),
        Binding("p", "turn(-1)", "Previous part"),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
    ]

    def __init__(self, title: str, texts: Sequence[tuple[str, str]]) -> None:
        """Show `texts`, each with its title; they are as the log has them."""
        super().__init__()
        self._title = title
        whole = [text for _, text in texts[:1]]
        if len(texts) > 1:
            whole = [f"== {heading} ==\n{text.rstrip()}\n\n" for heading, text in texts]
        self._text = "".join(whole)
        self._parts = parts(self._text)
        self._part = 0

    def compose(self) -> ComposeResult:
        """Yield the title, the text, and the keys."""
        yield Static(id="reading-title", markup=False)
        with VerticalScroll(id="reading"):
            yield Static(id="reading-text", markup=False)
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Show the first part."""
        self._show()
        self.query_one("#reading").focus()

    def _show(self) -> None:
        begin, end = self._parts[self._part]
        told: list[Piece] = [(self._title, "title")]
        told.append((f"  {count(len(self._text), 'character')}", "muted"))
        if len(self._parts) > 1:
            told.append((f", part {self._part + 1:,} of {len(self._parts):,}", "muted"))
        self.query_one("#reading-title", Static).update(content(told))
        shown = Content(visible(self._text[begin:end]) or "(empty)")
        self.query_one("#reading-text", Static).update(shown)
        self.query_one("#reading").scroll_home(animate=False)

    def action_turn(self, by: int) -> None:
        """Go to the next or previous part, if there is one."""
        part = max(0, min(len(self._parts) - 1, self._part + by))
        if part != self._part:
            self._part = part
            self._show()

    def action_scroll(self, by: int) -> None:
        """Scroll by a line."""
        self.query_one("#reading").scroll_relative(y=by, animate=False)

    def action_leave(self) -> None:
        """Go back."""
        self.dismiss(None)
