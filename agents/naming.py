"""The options that a JSON object of a reply names, and the arguments it gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

NAMING_KEYS = ("option", "action", "choice")
"""The keys under which a reply may name an option, the one that is asked for first."""
_LARGEST_NUMERAL = 1e12


class Named(NamedTuple):
    """An option's name in an object, and its arguments: in an object of their own, or beside it."""

    option: str
    arguments: Mapping[str, Any]
    is_nested: bool


def options_named(found: object, names: frozenset[str]) -> list[Named]:
    """Return the options named at the shallowest level of `found` that names any.

    A number counts as a name where an option is called so ("180" of `names`).
    """
    level = [found]
    # raw_decode has bounded the depth
    while level:
        choices = [
            choice for node in level if isinstance(node, dict) for choice in _named_by(node, names)
        ]
        if choices:
            return choices
        level = [child for node in level for child in _children(node)]
    return []


def _named_by(node: Mapping[str, Any], names: frozenset[str]) -> list[Named]:
    for key in NAMING_KEYS:
        given = node.get(key)
        if (numeral := _numeral(given)) in names:
            return [_with_arguments(numeral, node, key)]
        if isinstance(given, str):
            return [_with_arguments(given, node, key)]
        if isinstance(given, list) and given and all(isinstance(name, str) for name in given):
            return [Named(name, {}, is_nested=False) for name in given]
    return []


def _numeral(given: object) -> str:
    """Return a number as an option that is called by it is spelled; "" for anything else."""
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    return f"{given:.12g}" if is_number and abs(given) < _LARGEST_NUMERAL else ""  # type: ignore[arg-type]


def _with_arguments(option: str, node: Mapping[str, Any], key: str) -> Named:
    nested = node.get("arguments")
    if isinstance(nested, dict):
        return Named(option, nested, is_nested=True)
    spare = ("rationale", "arguments", key)
    beside = {name: given for name, given in node.items() if name not in spare}
    return Named(option, beside, is_nested=False)


def _children(node: object) -> list[object]:
    if isinstance(node, dict):
        return list(node.values())
    return list(node) if isinstance(node, list) else []
