"""An offered option as the log keeps it, there and back: its text by hash, its bounds inline."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from valuesim.option import Amount, Argument, Name, Option, Text


@lru_cache(maxsize=4096)
def text_id(text: str) -> str:
    """Return the twelve hexadecimal digits by which a text is known in the log."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def option_line(option: Option) -> dict[str, Any]:
    """Return what a decision's line holds of `option`; what is empty or false is left out.

    "arguments" lists pairs, in the order shown: a name, and its bounds ([low, high] of an amount,
    the list of names, the length of a text).
    """
    line: dict[str, Any] = {"name": option.name, "stakes": option.stakes}
    if option.text:
        line["text"] = text_id(option.text)
    if option.arguments:
        line["arguments"] = [[name, _bounds(kind)] for name, kind in option.arguments.items()]
    if option.tags:
        line["tags"] = sorted(option.tags)
    if option.is_omission:
        line["omission"] = True
    return line


class OptionReader:
    """Reads options back; the few that differ are made once, so that a log is read at its speed."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        """Read with the `texts` of the log, by id."""
        self._texts = texts
        self._known: dict[bytes, Option] = {}

    def __call__(self, line: Any) -> Option:
        """Return the option of a line, as it was offered.

        Raises KeyError, TypeError, ValueError or AttributeError where the line is not an option's.
        """
        key = orjson.dumps(line)
        if key not in self._known:
            self._known[key] = _option(line, self._texts)
        return self._known[key]


def _option(line: Any, texts: Mapping[str, str]) -> Option:
    return Option(
        name=line["name"],
        text=texts[line["text"]] if "text" in line else "",
        stakes=line["stakes"],
        arguments={name: _argument(bounds) for name, bounds in line.get("arguments", ())},
        tags=frozenset(line.get("tags", ())),
        is_omission=line.get("omission", False),
    )


def _bounds(kind: Argument) -> Any:
    if isinstance(kind, Amount):
        return [kind.low, kind.high]
    return list(kind.names) if isinstance(kind, Name) else kind.longest


def _argument(bounds: Any) -> Argument:
    if isinstance(bounds, int):
        return Text(longest=bounds)
    if any(isinstance(bound, str) for bound in bounds):
        return Name(names=tuple(bounds))
    low, high = bounds
    return Amount(low=low, high=high)
