"""JSON as a reply writes it, read the same way wherever it stands: a key that stands twice is seen.

Python keeps the last of two equal keys, which would make up a choice between them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any


class Doubled(dict[str, Any]):
    """A JSON object in which, at any depth, keys stand twice: those in `twice`."""

    def __init__(self, pairs: Iterable[tuple[str, Any]], twice: frozenset[str]) -> None:
        super().__init__(pairs)
        self.twice = twice


def decode(text: str, start: int = 0) -> tuple[object, int]:
    """Return the JSON value that begins at `start` of `text`, and where it ends.

    Bare control characters may stand in strings, as constrained decoding lets them. Raises
    ValueError for what is not JSON (NaN and Infinity are not) and RecursionError for what is nested
    too deeply.
    """
    return _DECODER.raw_decode(text, start)


def whole(text: str) -> object:
    """Return the JSON value that `text` is, or None if it is not one alone."""
    written = text.strip()
    try:
        value, end = decode(written)
    except (ValueError, RecursionError):
        return None
    return value if end == len(written) else None


def twice(value: object) -> frozenset[str]:
    """Return the keys that stand twice in an object of a decoded value, at any depth."""
    found: frozenset[str] = frozenset()
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Doubled):
            found |= node.twice
        elif isinstance(node, list):
            waiting += node
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _may_be_doubled(value: object) -> bool:
    return isinstance(value, Doubled | list)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs) and not any(map(_may_be_doubled, plain.values())):
        return plain
    counts = Counter(key for key, _ in pairs)
    doubled = frozenset(key for key, count in counts.items() if count > 1)
    doubled |= twice([value for _, value in pairs])
    return Doubled(pairs, doubled) if doubled else dict(pairs)


_DECODER = json.JSONDecoder(parse_constant=_refuse, object_pairs_hook=_pairs, strict=False)
