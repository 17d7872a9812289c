"""Text from models, people, logs and files without what a terminal would obey."""

from __future__ import annotations

import unicodedata

_OBEYED = ("Cc", "Cf", "Cs")
_JOINERS = "\u200c\u200d"
"""What Persian, Hindi and joined emoji are spelled with; no terminal obeys them."""
_TAB = 4


def clean(text: object) -> str:
    """Return `text` on one line, without what a terminal would obey.

    White space becomes single spaces; control, format (bidirectional overrides) and surrogate
    characters become "?", but for those that join letters.
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


def _harmless(line: str) -> str:
    return "".join("?" if _is_obeyed(each) else each for each in line)


def _is_obeyed(character: str) -> bool:
    return unicodedata.category(character) in _OBEYED and character not in _JOINERS
