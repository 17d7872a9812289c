"""What an agent may do now, what that takes, and which values are at stake in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Amount:
    """A number in [low, high]; left out, it is `high`."""

    low: float
    high: float

    @property
    def default(self) -> float:
        """The value used when the argument is left out."""
        return self.high

    def schema(self) -> dict[str, Any]:
        """Return the argument's JSON schema."""
        return {"type": "number", "minimum": self.low, "maximum": self.high}

    def fault(self, given: object) -> str | None:
        """Return why `given` is not allowed, or None if it is."""
        if isinstance(given, bool) or not isinstance(given, int | float) or not isfinite(given):
            return f"{given!r} is not a number"
        if not self.low <= given <= self.high:
            return f"{given:g} is outside {self.low:g} to {self.high:g}"
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Name:
    """One of `names`; left out, it is the first."""

    names: tuple[str, ...]

    @property
    def default(self) -> str:
        """The value used when the argument is left out."""
        return self.names[0]

    def schema(self) -> dict[str, Any]:
        """Return the argument's JSON schema."""
        return {"type": "string", "enum": list(self.names)}

    def fault(self, given: object) -> str | None:
        """Return why `given` is not allowed, or None if it is."""
        return None if given in self.names else f"{given!r} is not one of {', '.join(self.names)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """Free text of at most `longest` characters; left out, it is empty."""

    longest: int = 400

    @property
    def default(self) -> str:
        """The value used when the argument is left out."""
        return ""

    def schema(self) -> dict[str, Any]:
        """Return the argument's JSON schema."""
        return {"type": "string", "maxLength": self.longest}

    def fault(self, given: object) -> str | None:
        """Return why `given` is not allowed, or None if it is."""
        if not isinstance(given, str):
            return f"{given!r} is not text"
        if len(given) > self.longest:
            return f"text of {len(given)} characters is longer than {self.longest}"
        return None


Argument = Amount | Name | Text


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """The name of an option and the arguments it is taken with."""

    option: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One thing an agent may do in the present state.

    `stakes` maps names of values to [-1, 1]: positive upholds the value, negative violates it; a
    value that is absent is not at stake (0). `tags` are what measures and archetypes look for:
    "transgression" (the forbidden act), "approach" (a step towards it), "cooperation", "talk".
    `is_omission` marks letting things take their course.
    """

    name: str
    text: str
    stakes: Mapping[str, float] = field(default_factory=dict)
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    is_omission: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError for a stake outside [-1, 1]."""
        for value, stake in self.stakes.items():
            if not -1.0 <= stake <= 1.0:
                raise ValueError(
                    f"stake {stake} of {value!r} in option {self.name!r} is not in [-1, 1]"
                )

    def complete(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return `arguments` with the defaults of those left out."""
        return {name: kind.default for name, kind in self.arguments.items()} | dict(arguments)

    def fault(self, arguments: Mapping[str, Any]) -> str | None:
        """Return why the option cannot be taken with `arguments`, or None if it can."""
        for name, given in arguments.items():
            if name not in self.arguments:
                takes = ", ".join(self.arguments) or "no arguments"
                return f"{self.name} takes {takes}, not {name!r}"
            if reason := self.arguments[name].fault(given):
                return f"{name} of {self.name}: {reason}"
        return None
