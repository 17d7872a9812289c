"""Text from models, people, logs and files without what a terminal would obey."""

from __future__ import annotations

import unicodedata

_OBEYED = ("Cc", "Cf", "Cs")
_TAB = 4


def clean(text: object) -> str:
    """Return `text` on one line, without what a terminal would obey.

    White space becomes single spaces; control, format (bidirectional overrides) and surrogate
    characters become "?".
    """
    return _harmless(" ".join(str(text).split()))


def clean_lines(text: object) -> str:
    r"""Return `text` with its lines and indentation, without what a terminal would obey.

    Tabs become spaces; control, format and surrogate characters become "?".

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
    return "".join("?" if unicodedata.category(each) in _OBEYED else each for each in line)
