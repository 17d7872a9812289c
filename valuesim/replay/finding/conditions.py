"""The conditions under which episodes were played, by the text that each row has of its own.

Many episodes share one: it is read once.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import orjson

from valuesim.replay.indexing.shelf import Shelf
from valuesim.tables.columns import json_text

_KEPT = 200_000
Levels = Mapping[str, str]
"""Factor -> level as text."""


def conditions(shelf: Shelf) -> Mapping[str, Levels]:
    """Return the levels of each condition on the shelf, branches among them, by its JSON text."""
    return shelf.once("conditions", lambda: _read(shelf))


def pointer(factor: str) -> str:
    """Return where a condition's JSON has the level of `factor`, as a JSON pointer.

    >>> pointer("scarcity"), pointer("a/b~c")
    ('/scarcity', '/a~1b~0c')
    """
    return "/" + factor.replace("~", "~0").replace("/", "~1")


def _read(shelf: Shelf) -> Mapping[str, Levels]:
    found = shelf.rows.ask("SELECT DISTINCT condition FROM own")
    return {text: _levels(text) for (text,) in found}


@lru_cache(maxsize=_KEPT)
def _levels(text: str) -> Levels:
    told = orjson.loads(text)
    return {name: x if isinstance(x, str) else json_text(x) for name, x in told.items()}
