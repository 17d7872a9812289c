"""The words of the viewer in a terminal that are longer than a line; they stand in words.yaml."""

from __future__ import annotations

from functools import cache
from typing import Any

from valuesim.replay.tui.texts import Pieces
from valuesim.shipped import shipped_yaml


def help_pieces() -> Pieces:
    """Return the keys, by where they serve."""
    told = _words()["help"]
    wide = max(len(key) for section in told.values() for key in section)
    pieces: Pieces = []
    for title, section in told.items():
        pieces.append((("\n" if pieces else "") + f"{title}\n", "title"))
        for key, does in section.items():
            pieces += [(f"  {key:<{wide}}  ", "strong"), (f"{does}\n", "")]
    return pieces


@cache
def _words() -> Any:
    return shipped_yaml("valuesim.replay.tui", "words.yaml")
