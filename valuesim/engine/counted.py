"""What models' counters gained since they were last looked at, and adding that elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from valuesim.decision import Usage

_NOW = ("in_flight", "paused")
"""What is no sum."""


def gained(counters: Any, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return what each sum in `counters` is above `before`; what did not move is left out."""
    found = {}
    for name, now in sums(counters).items():
        was = before.get(name)
        more = now if was is None else _less(now, was)
        if more not in (0, 0.0, Usage()):
            found[name] = more
    return found


def sums(counters: Any) -> dict[str, Any]:
    """Return the sums in `counters` by name: numbers, and usage of tokens."""
    return {
        each.name: getattr(counters, each.name)
        for each in fields(counters)
        if each.name not in _NOW
    }


def add(counters: Any, more: Mapping[str, Any]) -> None:
    """Add to `counters` what another process `gained`."""
    for name, each in more.items():
        setattr(counters, name, getattr(counters, name) + each)


def _less(now: Any, was: Any) -> Any:
    if not isinstance(now, Usage):
        return now - was
    return Usage(
        **{each.name: getattr(now, each.name) - getattr(was, each.name) for each in fields(now)}
    )
