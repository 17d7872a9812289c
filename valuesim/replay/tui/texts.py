"""Texts that others wrote, as a terminal may show them: nothing is obeyed, what is hidden is told.

A styled text is a list of pieces, each a text with the name of a style; `style.py` says what the
names look like. No piece is ever read as markup.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from valuesim.plain import with_few_marks

Piece = tuple[str, str]
Pieces = list[Piece]

SHOWN_AT_FIRST = 4_000
"""The characters of a long text that are shown until all of it is asked for."""
PART = 20_000
"""The characters of a part of a text that is read in full."""
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u2028\u2029\u3164\uffa0"
"""Signs that show nothing, though they are none of control or format."""
_JOINERS = "\u200c\u200d"
_NUMBERED = ("Cc", "Cf", "Cs")
_PLAIN = re.compile(r"[\n -~]*")


def visible(text: str) -> str:
    r"""Return `text` with its lines, and with what would hide, turn or steer written by its number.

    Tabs become spaces; marks beyond four on a letter are numbered too.

    >>> print(visible("a\tb\x1b[2J\u202e"))
    a   b⟨U+001B⟩[2J⟨U+202E⟩
    """
    text = text.replace("\r\n", "\n")
    if _PLAIN.fullmatch(text):
        return text
    lines = (line.expandtabs(4) if "\t" in line else line for line in text.split("\n"))
    told = "\n".join(line.translate(_SIGNS) for line in lines)
    return with_few_marks(told, _numbered)


class _Signs(dict[int, str]):
    """How each sign is shown, looked up once: a text may have a million of them."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        is_hidden = unicodedata.category(sign) in _NUMBERED or sign in _BLANK
        shown = _numbered(sign) if is_hidden and sign not in _JOINERS else sign
        return self.setdefault(code, shown)


def _numbered(sign: str) -> str:
    return f"\u27e8U+{ord(sign):04X}\u27e9"


_SIGNS = _Signs()


def name(text: object, most: int = 60) -> str:
    """Return a word or a line of others' text as one line of at most `most` signs of theirs."""
    told = str(text)
    line = " ".join(told[: 4 * most].split())
    is_cut = len(line) > most or len(told) > 4 * most
    return visible(line[:most]).replace("\n", " ") + ("\u2026" if is_cut else "")


def passage(text: str, most: int = SHOWN_AT_FIRST) -> Pieces:
    """Return a text of others as it stands; of a long one the beginning, and how it is read whole.

    It ends with a line break.
    """
    if not text:
        return [("(empty)\n", "muted")]
    pieces: Pieces = [(visible(text[:most]).rstrip("\n") + "\n", "")]
    if len(text) > most:
        told = f"\u2026 {most:,} of {len(text):,} characters: a shows all\n"
        pieces.append((told, "muted"))
    return pieces


def parts(text: str, size: int = PART) -> list[tuple[int, int]]:
    """Return where the parts of `text` begin and end: at a line, else a word, else anywhere.

    >>> parts("one two three", 8)
    [(0, 8), (8, 13)]
    """
    found, begin = [], 0
    while len(text) - begin > size:
        end = _last(text, "\n", begin, size) or _last(text, " ", begin, size) or begin + size
        found.append((begin, end))
        begin = end
    return [*found, (begin, len(text))]


def _last(text: str, sign: str, begin: int, size: int) -> int:
    """Return the place behind the last `sign` in the second half of a part; 0 without one."""
    return text.rfind(sign, begin + size // 2, begin + size) + 1


def said(given: object) -> str:
    """Return a value of a log on one line: a text as it is, anything else as JSON."""
    if given is None:
        return "none"
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, int | float):
        return figure(given)
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


def figure(number: float) -> str:
    """Return a number with commas, a fraction to three significant digits.

    >>> figure(12345), figure(0.29166), figure(2.0)
    ('12,345', '0.292', '2')
    """
    if isinstance(number, int) or (number == number // 1 and abs(number) < 1e15):
        return f"{int(number):,}"
    return f"{number:.3g}"


def count(number: int, noun: str, plural: str = "") -> str:
    """Return "1 step", "2 steps".

    >>> count(1, "reply", "replies"), count(2000, "step")
    ('1 reply', '2,000 steps')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def is_bare(given: object) -> bool:
    """Return whether a value is nothing worth showing: null, or an empty text, list or table."""
    return given is None or (isinstance(given, str | list | dict | tuple) and not given)


def table(given: object) -> Mapping[str, Any]:
    """Return a table of a log, an empty one for what is none."""
    return given if isinstance(given, Mapping) else {}


def facts(told: Mapping[str, Any], most: int = SHOWN_AT_FIRST) -> Pieces:
    """Return a table as lines of names and values; what is nested stands as JSON."""
    if not told:
        return [("Nothing.\n", "muted")]
    pieces: Pieces = []
    for key, value in list(told.items())[:_MOST_FACTS]:
        pieces.append((f"{name(key)}  ", "muted"))
        if is_bare(value):
            pieces.append(("(empty)\n" if value == "" else "none\n", "muted"))
        else:
            line = said(value)
            pieces += passage(line, most)
    if len(told) > _MOST_FACTS:
        pieces.append((f"and {len(told) - _MOST_FACTS:,} more\n", "muted"))
    return pieces


_MOST_FACTS = 200


def plain(pieces: Iterable[Piece]) -> str:
    """Return what pieces say, without their styles."""
    return "".join(text for text, _ in pieces)


def listed(names: Sequence[str], most: int = 3, signs: int = 40) -> str:
    """Return names as "a, b, c and 2 more"; "–" for none."""
    told = ", ".join(name(each, signs) for each in names[:most])
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return told + more or "\u2013"
