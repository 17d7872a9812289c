"""What the names of styles look like, and pieces as what Textual and Rich show: never as markup."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual.content import Content

from valuesim.replay.tui.texts import Piece

_STYLES = {
    "muted": "$foreground 60%",
    "strong": "bold",
    "title": "bold $text-primary",
    "fault": "bold $text-error",
    "harm": "bold $text-warning",
    "taken": "bold $text-success",
    "tag": "italic $text-warning",
    "tab": "bold reverse",
    "now": "bold $text-accent",
    "step": "$foreground 40%",
    "plus": "$text-success",
    "minus": "$text-error",
    "scene": "",
}
_CELLS = {"muted": "dim", "strong": "bold", "fault": "bold red"}


def content(pieces: Iterable[Piece]) -> Content:
    """Return pieces as one text; the line break at its end is left out."""
    styled = [(text, _STYLES.get(style, "")) for text, style in pieces]
    if styled and styled[-1][0].endswith("\n"):
        styled[-1] = (styled[-1][0][:-1], styled[-1][1])
    return Content.assemble(*styled)


def cell(piece: Piece, *, is_number: bool = False) -> Text:
    """Return a piece as the cell of a table."""
    text, style = piece
    told = Text(text, style=_CELLS.get(style, ""), no_wrap=True, end="")
    told.justify = "right" if is_number else "left"
    return told
