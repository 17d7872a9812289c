"""What is printed: clean text from logs and models, tables, JSON."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from shutil import get_terminal_size
from typing import Any, Literal

_BETWEEN = 2
"""The columns of a terminal between two of a table."""


def clean(text: object) -> str:
    """Return `text` on one line, without what a terminal would obey.

    White space becomes single spaces; control, format (bidirectional overrides) and surrogate
    characters become "?".
    """
    kept = (
        "?" if unicodedata.category(character) in ("Cc", "Cf", "Cs") else character
        for character in " ".join(str(text).split())
    )
    return "".join(kept)


def write_json(content: Any, target: str) -> None:
    """Write `content` as indented JSON to the file `target`, or to the output for "-".

    A file is written whole or not at all; a number that is none becomes null.
    """
    import orjson

    from valuesim.log.whole import whole

    written = orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
    if target == "-":
        sys.stdout.write(written.decode() + "\n")
    else:
        with whole(Path(target)) as draft:
            draft.write_bytes(written + b"\n")


def check_json_target(target: str | None, folder: Path) -> None:
    """Raise what `write_json` would raise for a bad `target`, before there is work to be lost.

    A place in `folder`, which the work is still to make, is not looked at.
    """
    from valuesim.log.whole import check_place

    if target in (None, "-") or folder.resolve() in Path(str(target)).resolve().parents:
        return
    check_place(Path(str(target)))


def width() -> int:
    """Return the columns there are to print in: those of the terminal, 100 where there is none."""
    return get_terminal_size((100, 24)).columns


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; numbers, and whatever else is not text, stand right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    listed = [list(row) for row in rows]
    table = Table(box=box.SIMPLE_HEAD, collapse_padding=True)
    cells = [[row[index] for row in listed] for index in range(len(columns))]
    least = _least_widths(columns, cells)
    for column, own, narrowest in zip(columns, cells, least, strict=True):
        justify: Literal["left", "right"] = "left" if _is_text(own) else "right"
        table.add_column(column, justify=justify, overflow="fold", min_width=narrowest)
    for row in listed:
        table.add_row(*(Text(_shown(cell)) for cell in row))
    console = Console(file=sys.stdout, highlight=False, width=width())
    with console.capture() as captured:
        console.print(Text(clean(title)), table, sep="\n")
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _is_text(cells: Sequence[object]) -> bool:
    return all(isinstance(cell, str) for cell in cells)


def _least_widths(columns: Sequence[str], cells: Sequence[Sequence[object]]) -> list[int | None]:
    """Return how narrow columns of text may get: to their longest word, where there is room.

    Room is what the numbers beside them leave.
    """
    is_text = [_is_text(own) for own in cells]
    taken = [
        max(len(_shown(cell)) for cell in [*own, *column.split()])
        for column, own, text in zip(columns, cells, is_text, strict=True)
        if not text
    ]
    room = width() - sum(taken) - _BETWEEN * (len(columns) + 1)
    share = max(room // max(sum(is_text), 1), 1)
    words = ([len(word) for cell in own for word in clean(cell).split()] for own in cells)
    return [
        min(max(own, default=1), share) if text else None
        for own, text in zip(words, is_text, strict=True)
    ]


def _shown(cell: object) -> str:
    if cell is None:
        return "-"
    return f"{cell:.2f}" if isinstance(cell, float) else clean(cell)


def interval(low: float | None, high: float | None) -> str | None:
    """Return an interval as text, or None where it is unknown."""
    return None if low is None or high is None else f"{low:.2f} to {high:.2f}"


def percent(share: float | None) -> str:
    """Return a share in [0, 1] in per cent; "-" where it is unknown."""
    return "-" if share is None else f"{100 * share:.1f} %"
