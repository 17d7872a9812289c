"""The viewer in a terminal: the application, which shows the list first."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from valuesim.replay.indexing.archetyping import Archetypes
from valuesim.replay.indexing.shelf import Shelf
from valuesim.replay.tui.asides import Help
from valuesim.replay.tui.finding import Finding
from valuesim.replay.tui.words import help_pieces

WIDE = 116
"""The columns from which on the scene stands beside the decision."""


class Viewer(App[None]):
    """The episodes of a shelf in a terminal."""

    TITLE = "valuesim replay"
    CSS_PATH = "viewer.tcss"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012 (Textual's)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "quit", "Quit", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", show=False),
        Binding("t", "theme", "Light/dark", show=False),
        Binding("question_mark", "help", "Help", key_display="?"),
    ]

    def __init__(
        self,
        shelf: Shelf,
        archetypes: Archetypes,
        clock: Callable[[], float] = time.monotonic,
        *,
        is_dark: bool = True,
    ) -> None:
        """Show `shelf`; `clock` is in seconds, and says when the next step is due."""
        # without colours, those of the terminal are the ones that can be relied on
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self._is_dark = is_dark
        self._finding = Finding(shelf, archetypes, clock)

    def on_mount(self) -> None:
        """Show the list; a SIGTERM ends it like q."""
        self._paint()
        self.push_screen(self._finding)
        if threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.exit)

    def on_unmount(self) -> None:
        """Give SIGTERM back."""
        if threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)

    def action_theme(self) -> None:
        """Change between light and dark."""
        self._is_dark = not self._is_dark
        self._paint()

    def action_help(self) -> None:
        """Show the keys."""
        self.push_screen(Help(help_pieces()))

    def _paint(self) -> None:
        family = "ansi" if self.no_color else "textual"
        self.theme = f"{family}-{'dark' if self._is_dark else 'light'}"


def is_dark(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether the terminal says that it is dark, which it is held for where it says nothing.

    >>> is_dark({"COLORFGBG": "0;15"}), is_dark({"COLORFGBG": "15;0"}), is_dark({})
    (False, True, True)
    """
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    return background not in ("7", "9", "10", "11", "12", "13", "14", "15")


def run(shelf: Shelf, clock: Callable[[], float] = time.monotonic) -> None:
    """Show `shelf` in the terminal until it is left; the terminal is then as it was."""
    Viewer(shelf, Archetypes(shelf), clock, is_dark=is_dark()).run()
