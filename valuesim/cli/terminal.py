"""What is printed: clean text from logs and models, tables, JSON."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from pathlib import Path
from shutil import get_terminal_size
from textwrap import wrap
from typing import Any

from valuesim.plain import clean as clean

_BETWEEN = 2
"""The columns of a terminal between two of a table."""
_LONGEST = 60
"""The longest word that is not broken."""
_GLUE = "\ue000"
"""Stands for a space that no line may be broken at, while a table is laid out."""
_NUMBER = r"[-+]?\d[\d.,]*(?: %)?"
_FIGURE = re.compile(rf"{_NUMBER}(?: to {_NUMBER})?")
_FIGURES = re.compile(r"[-+\d.,:;%()<*? ]*(?:to [-+\d.,:;%()<*? ]*)?")


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
    """Print a table; numbers, and whatever else is not text, stand right.

    Text is folded between words to the width there is. A number, an interval or a word of at most
    60 characters is never broken: a table of many is wider than the terminal.
    """
    from rich.cells import cell_len

    listed = [list(row) for row in rows]
    cells = [[row[index] for row in listed] for index in range(len(columns))]
    told = [_told(name, own) for name, own in zip(columns, cells, strict=True)]
    natural = [max(map(cell_len, own)) for own in told]
    least = [min(max(_longest_word(cell, cell_len) for cell in own), _LONGEST) for own in told]
    widths = _fitted(natural, least, width() - _BETWEEN * len(columns))
    is_text = list(map(_is_text, cells))
    heading, *body = [_row(row, widths, is_text) for row in zip(*told, strict=True)]
    rule = f" {'─' * (sum(widths) + _BETWEEN * len(widths) - 1)}"
    lines = [line for row in (heading, [rule], *body) for line in row]
    print("\n".join([*wrap(clean(title), max(width(), 40)), "", *lines, ""]))


def _row(cells: Sequence[str], widths: Sequence[int], is_text: Sequence[bool]) -> list[str]:
    """Return the lines of one row, its cells folded at spaces; text stands left."""
    from rich.cells import cell_len

    folded = [_folded(cell, wide) for cell, wide in zip(cells, widths, strict=True)]
    lines = []
    for parts in zip_longest(*folded, fillvalue=""):
        line = ""
        for part, wide, left in zip(parts, widths, is_text, strict=True):
            room = " " * (wide - cell_len(part))
            line += " " * _BETWEEN + (part + room if left else room + part)
        lines.append(line.replace(_GLUE, " ").rstrip())
    return lines


def _folded(cell: str, wide: int) -> list[str]:
    from rich.cells import cell_len, chop_cells

    lines = [""]
    for word in cell.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(joined) <= wide:
            lines[-1] = joined
        else:
            lines += chop_cells(word, wide)
    return [line for line in lines if line] or [""]


def _is_text(cells: Sequence[object]) -> bool:
    return all(isinstance(cell, str) for cell in cells)


def _told(heading: str, cells: Sequence[object]) -> list[str]:
    """Return a column as printed, its heading first; what must not be broken is glued."""
    shown = [_shown(cell) for cell in cells]
    if all(map(_FIGURES.fullmatch, shown)):
        # a number and its interval may stand below each other
        shown = [cell.replace(" ", _GLUE).replace(f"{_GLUE}(", " (") for cell in shown]
    return [_FIGURE.sub(_glued, cell) for cell in [clean(heading), *shown]]


def _glued(found: re.Match[str]) -> str:
    return found[0].replace(" ", _GLUE)


def _longest_word(cell: str, length: Callable[[str], int]) -> int:
    return max(map(length, cell.split(" ")))


def _fitted(natural: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Return widths that fill at most `room`, the widest narrowed first, none below its least."""
    widths = list(natural)
    while sum(widths) > room:
        widest = max(range(len(widths)), key=lambda at: (widths[at] > least[at], widths[at]))
        if widths[widest] <= least[widest]:
            break
        widths[widest] -= 1
    return widths


def _shown(cell: object) -> str:
    if cell is None:
        return "-"
    return _decimal(cell) if isinstance(cell, float) else clean(cell)


def interval(low: float | None, high: float | None) -> str | None:
    """Return an interval as text, or None where it is unknown."""
    return None if low is None or high is None else f"{_decimal(low)} to {_decimal(high)}"


def percent(share: float | None) -> str:
    """Return a share in [0, 1] in per cent; "-" where it is unknown."""
    return "-" if share is None else f"{100 * share:.1f} %"


def p_value(p: float) -> str:
    """Return a p-value as text, which is never 0.

    >>> p_value(0.0002), p_value(0.0471)
    ('p < 0.001', 'p 0.047')
    """
    return "p < 0.001" if p < 0.001 else f"p {p:.3f}"


def _decimal(number: float) -> str:
    # adding 0.0 turns -0.0 into 0.0
    return f"{round(number, 2) + 0.0:.2f}"
