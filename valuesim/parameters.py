"""Arguments of an environment, checked at the door: each check names what was given and allowed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import isfinite

from valuesim.errors import unknown


def whole(name: str, given: object, low: int, high: int, other: str = "") -> None:
    """Raise ValueError unless `given` is a whole number in [low, high].

    `other` says in the message what else is allowed, where the caller has let it pass already.

    >>> whole("agents", 2, 1, 8)
    """
    if isinstance(given, bool) or not isinstance(given, int) or not low <= given <= high:
        raise ValueError(
            f"{name}={given!r} is not allowed: a whole number from {low} to {high}{other}"
        )


def number(name: str, given: object, low: float, high: float, *, above: bool = False) -> None:
    """Raise ValueError unless `given` is a finite number in [low, high], or (low, high]."""
    if not is_number(given) or not low <= given <= high or (above and given == low):  # type: ignore[operator]
        least = f"above {low:g}" if above else f"from {low:g}"
        raise ValueError(f"{name}={given!r} is not allowed: a number {least} to {high:g}")


def is_number(given: object) -> bool:
    """Return whether `given` is a finite number; a truth value is none."""
    if isinstance(given, float):
        return isfinite(given)
    return isinstance(given, int) and not isinstance(given, bool)


def flag(name: str, given: object) -> None:
    """Raise ValueError unless `given` is True or False."""
    if not isinstance(given, bool):
        raise ValueError(f"{name}={given!r} is not allowed: True or False")


def levels(given: object, factors: Mapping[str, Collection[str]]) -> None:
    """Raise ValueError unless each field of `given` named in `factors` has one of its levels."""
    for name, allowed in factors.items():
        level = getattr(given, name)
        if level not in allowed:
            raise ValueError(unknown(name, level, allowed))
