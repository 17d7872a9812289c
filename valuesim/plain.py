"""Text from models, people, logs and files without what a terminal would obey."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

_OBEYED = ("Cc", "Cf", "Cs")
_JOINERS = "\u200c\u200d"
"""What Persian, Hindi and joined emoji are spelled with; no terminal obeys them."""
_MARKS = ("Mn", "Me")
MOST_MARKS = 4
"""The marks on one letter that are shown; more would run over the lines beside it."""
_TAB = 4


def clean(text: object) -> str:
    """Return `text` on one line, without what a terminal would obey.

    White space becomes single spaces; control, format (bidirectional overrides) and surrogate
    characters become "?", but for those that join letters; so do marks beyond four on a letter.
    """
    return _harmless(" ".join(str(text).split()))


def kept(text: str) -> str:
    r"""Return what somebody typed on one line, as a log keeps it: all but control characters.

    White space becomes single spaces; control and surrogate characters become "?".

    >>> kept(" a\tb\x1b[2J\u202e ")
    'a b?[2J\u202e'
    """
    line = " ".join(text.split())
    return "".join("?" if unicodedata.category(each) in ("Cc", "Cs") else each for each in line)


def clean_lines(text: object) -> str:
    r"""Return `text` with its lines and indentation, without what a terminal would obey.

    Tabs become spaces; control, format and surrogate characters become "?", but for those that join
    letters.

    >>> clean_lines("one\n\ttwo\x1b[2J")
    'one\n    two?[2J'
    """
    return "\n".join(_harmless(line.expandtabs(_TAB)) for line in str(text).splitlines())


def escaped_lines(text: object) -> str:
    r"""Return `text` with its lines, and with what a terminal would obey written out.

    >>> print(escaped_lines("red: \x1b[31m"))
    red: \x1b[31m
    """
    return "\n".join("".join(map(_escaped, line)) for line in str(text).split("\n"))


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _OBEYED:
        return character
    return character.encode("unicode_escape").decode()


def with_few_marks(text: str, spelt: Callable[[str], str]) -> str:
    r"""Return `text` with the marks beyond `MOST_MARKS` on one letter as `spelt` has them.

    >>> with_few_marks("e\u0301" + 5 * "\u0302", lambda _: "?") == "e\u0301" + 3 * "\u0302" + "??"
    True
    """
    if text.isascii():
        return text
    found, marks = [], 0
    for each in text:
        marks = marks + 1 if unicodedata.category(each) in _MARKS else 0
        found.append(each if marks <= MOST_MARKS else spelt(each))
    return "".join(found)


def _harmless(line: str) -> str:
    told = "".join("?" if _is_obeyed(each) else each for each in line)
    return with_few_marks(told, lambda _: "?")


def _is_obeyed(character: str) -> bool:
    return unicodedata.category(character) in _OBEYED and character not in _JOINERS
