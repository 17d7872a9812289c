"""Checks of single places in a card that somebody else may have written.

Each function returns what stands at a place, and raises ValueError, in a few words, for all else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from valuesim.parameters import is_number

_LONGEST, _MOST, _DEEPEST = 2000, 200, 6
_COUNT = 10**12
_HEX = re.compile(r"[0-9a-f]{8,64}")
T = TypeVar("T")


def mapping(told: Any, where: str) -> Mapping[str, Any]:
    """Return `told` if it is an object that is not too large."""
    if not isinstance(told, dict) or len(told) > _MOST:
        raise ValueError(f"{where} is not an object of at most {_MOST} keys")
    return told


def part(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the object under `name`."""
    return mapping(told.get(name), name)


def several(
    told: Mapping[str, Any], name: str, read: Callable[[Mapping[str, Any]], T]
) -> tuple[T, ...]:
    """Return what `read` makes of each object in the list under `name`."""
    listed = told.get(name)
    if not isinstance(listed, list) or len(listed) > _MOST:
        raise ValueError(f"{name} is not a list of at most {_MOST}")
    return tuple(read(mapping(each, name)) for each in listed)


def text(told: Mapping[str, Any], name: str, least: int = 1) -> str:
    """Return the text under `name`, of `least` characters or more."""
    given = told.get(name)
    if not isinstance(given, str) or not least <= len(given) <= _LONGEST:
        raise ValueError(f"{name} is not a text of {least} to {_LONGEST} characters")
    return given


def maybe_text(told: Mapping[str, Any], name: str) -> str | None:
    """Return the text under `name`, None where there is none."""
    return None if told.get(name) is None else text(told, name)


def name_of(given: str) -> str:
    """Return `given` if it is fit for a name."""
    return text({"a name": given}, "a name")


def texts(told: Mapping[str, Any], name: str) -> dict[str, str]:
    """Return the texts by name under `name`."""
    own = part(told, name)
    return {name_of(each): text(own, each) for each in own}


def digits(told: Mapping[str, Any], name: str) -> str:
    """Return the hexadecimal digits under `name`."""
    given = told.get(name)
    if not isinstance(given, str) or not _HEX.fullmatch(given):
        raise ValueError(f"{name} is not 8 to 64 hexadecimal digits")
    return given


def flag(told: Mapping[str, Any], name: str) -> bool:
    """Return the truth value under `name`."""
    given = told.get(name)
    if not isinstance(given, bool):
        raise ValueError(f"{name} is neither true nor false")
    return given


def whole(told: Mapping[str, Any], name: str, where: str) -> int:
    """Return the whole number from 0 under `name`."""
    given = told.get(name)
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= _COUNT:
        raise ValueError(f"{name} of {where} is not a whole number from 0")
    return given


def counts(told: Mapping[str, Any], name: str) -> dict[str, int]:
    """Return the whole numbers by name under `name`."""
    own = part(told, name)
    return {name_of(each): whole(own, each, name) for each in own}


def number(
    told: Mapping[str, Any], name: str, least: float, most: float, where: str
) -> float | None:
    """Return the number under `name`, None where it is null."""
    given = told.get(name)
    if given is None:
        return None
    if not is_number(given) or not least <= given <= most:
        raise ValueError(f"{name} of {where} is {given!r:.40}: a number from {least:g} to {most:g}")
    return float(given)


def known(told: Mapping[str, Any], name: str, least: float, most: float) -> float:
    """Return the number under `name`, which must be there."""
    found = number(told, name, least, most, name)
    if found is None:
        raise ValueError(f"{name} is not a number")
    return found


def plain(told: Any, where: str, depth: int = 0) -> Any:
    """Return plain settings, nested at most `_DEEPEST` deep; raise ValueError for anything else."""
    if depth > _DEEPEST:
        raise ValueError(f"{where} is nested too deeply")
    if isinstance(told, Mapping):
        return {
            name_of(key): plain(each, where, depth + 1)
            for key, each in mapping(told, where).items()
        }
    if isinstance(told, Sequence) and not isinstance(told, str):
        if len(told) > _MOST:
            raise ValueError(f"a list in {where} holds more than {_MOST}")
        return [plain(each, where, depth + 1) for each in told]
    if isinstance(told, str):
        return text({where: told}, where, least=0)
    if told is None or isinstance(told, bool) or is_number(told):
        return told
    raise ValueError(f"{where} holds {told!r:.40}")
