"""What a pack may hold: names, limits, and what counts as plain text."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

SCHEMA = 1
LARGEST_FILE = 32 * 2**20
"""Bytes of the largest pack that is read (32 MB)."""
MOST_NODES = 1_500_000
"""Texts, numbers, lists and mappings that a file may hold: what it takes to keep it in memory."""
MOST_DILEMMAS = 20_000
MOST_OPTIONS = 8
MOST_TELLINGS = 10
MOST_TURNS = 50
LONGEST_TEXT = 6000
LONGEST_LINE = 600
"""Characters of what must stand on one line: an option's text, a title, a name."""
MOST_PROBLEMS = 1000

KINDS = ("new_facts", "pressure", "perspective", "repair")
"""What a turn of a dilemma that unfolds brings."""
START = "start"
"""The name of the situation that a dilemma starts with; no turn may have it."""

PACK_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
LOCALE = re.compile(r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{1,8})*")

_JOINERS = "\u200c\u200d"
_REFUSED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_HTML = re.compile(
    r"<[/!?]?[A-Za-z-][^<>]*>|<!--|&(?:[A-Za-z]{2,31}|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});"
)
_MARKDOWN = re.compile(
    r"\*\*|__|`|!?\[[^\[\]\n]*\]\([^()\n]*\)|(?<!\w)\*\S[^*\n]*\*(?!\w)|(?<!\w)_\S[^_\n]*_(?!\w)"
    r"|^[ ]{0,3}(?:\#{1,6}|[-*+>])[ ]",
    re.MULTILINE,
)
_MARKS = frozenset("*_`#<>&[]")
_EMPHASIS = re.compile(r"\*\*|__|`|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)")
_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\([^()\n]*\)")
_MARKER = re.compile(r"^[ ]{0,3}(?:\#{1,6}|[-*+>])[ ]+", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing that is wrong in a file: on which line (None: the file itself), where in it, why.

    `where` is the path of keys and ids to what is wrong, "" for the file as a whole.
    """

    file: Path
    line: int | None
    where: str
    reason: str

    def __str__(self) -> str:
        place = str(self.file) if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (place, self.where, self.reason) if part)


def is_refused(character: str) -> bool:
    """Return whether `character` may not stand in a pack: it controls, hides or reorders text.

    That is every control and format character (bidirectional overrides among them) but line feed
    and the two joiners that some scripts need, and whatever has no meaning in Unicode.
    """
    if character == "\n" or character in _JOINERS:
        return False
    return unicodedata.category(character) in _REFUSED


def impurity(text: str) -> str | None:
    """Return why `text` is not plain text, or None if it is.

    >>> impurity("Press <b>now</b>.")
    "looks like HTML: '<b>'"
    >>> impurity("5 < 6 and 7 > 6 * 1 * 1") is None
    True
    """
    refused = next((c for c in sorted(set(text)) if is_refused(c)), None)
    if refused is not None:
        return f"holds the character {named(refused)}, which controls, hides or reorders text"
    for kind, pattern in (("HTML", _HTML), ("markdown", _MARKDOWN)):
        if found := pattern.search(text):
            return f"looks like {kind}: {found.group()[:30]!r}"
    return None


def named(character: str) -> str:
    """Return the code point of `character` with its name, as in "U+202E RIGHT-TO-LEFT OVERRIDE"."""
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X} {name}".rstrip()


def harmless(text: str) -> str:
    """Return `text` as plain text on one line, for texts that others wrote.

    Refused characters and marks of emphasis go, entities and links become their text, the angle
    brackets of tags become single quotation marks, and any run of white space one space.
    """
    decoded = html.unescape(_LINK.sub(r"\1", text))
    lines = _EMPHASIS.sub("", _MARKER.sub("", decoded))
    spaced = " ".join(lines.split())
    plain = "".join(c for c in spaced if not is_refused(c))
    if _HTML.search(plain):
        plain = plain.replace("<", "\u2039").replace(">", "\u203a").replace("&", "+")
    if impurity(plain) is None:
        return plain
    # what was taken out has joined other marks to new ones: then no mark stays at all
    return " ".join("".join(c for c in plain if c not in _MARKS).split()).lstrip("-+ ")
