"""The filter line: the same keys as in the page's address, and words to be found.

`env=survival-v0 agent=ethical fault=refused overnight` keeps the episodes of that environment and
agent with a refusal, whose row holds the word. A key may stand several times: any of them. What
holds spaces stands between quotes: `agent="my agent"`.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from valuesim.errors import InputError
from valuesim.replay.finding.listing import Page, Selection, asked

PAGE = 50
"""The episodes of a page; no more are ever held."""
_PLACED = ("offset", "limit")


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is looked for: the filter line as it was typed, and what it asks."""

    line: str
    selection: Selection
    sort: str = ""

    def page(self, offset: int, limit: int = PAGE) -> Page:
        """Return the part of the selection that begins at `offset`."""
        return Page(sort=self.sort, offset=offset, limit=limit)


def question(line: str, sort: str = "", runs: Mapping[str, str] | None = None) -> Question:
    """Return what a filter line asks; a `sort=` in it goes before `sort`.

    `runs` maps the names of runs to their ids: either may be given. Raises InputError for an open
    quote, an unknown key, and a column that nothing is sorted by.
    """
    pairs, words = [], []
    for word in _words(line):
        key, equals, given = word.partition("=")
        if not equals or not _is_key(key):
            words.append(word)
        elif key in _PLACED:
            raise InputError(f"{key}= is not for the filter line: n and p turn the pages")
        elif key == "run":
            pairs.append((key, (runs or {}).get(given, given)))
        elif key == "text":
            words.append(given)
        elif key == "sort":
            sort = given
        else:
            pairs.append((key, given))
    selection, page = asked([*pairs, ("text", " ".join(words)), ("sort", sort)])
    return Question(line=line, selection=selection, sort=page.sort)


def _is_key(key: str) -> bool:
    """Return whether a word before "=" is meant as a key, known or not."""
    return key.startswith("condition.") or (key.isascii() and key.isalpha())


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    # an apostrophe and a backslash are signs like others
    lexer.whitespace_split, lexer.quotes, lexer.escape, lexer.commenters = True, '"', "", ""
    try:
        return list(lexer)
    except ValueError:
        raise InputError("a quote in the filter line is not closed") from None
