"""What an agent may do now, what that takes, and which values are at stake in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from reprlib import Repr
from typing import Any, Generic, TypeVar

_MOST_ATTEMPTED = 8
_LONGEST_ATTEMPTED = 200
_LONGEST_QUOTE = 100
_SHORT = Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 2, 60, 60
_MOST_DIGITS = 4000
_LARGEST = 2**53


def quoted(given: object) -> str:
    """Return `given` as a sentence quotes it: its repr, shortened to at most 100 characters.

    >>> quoted(10**6)
    '1000000'
    >>> len(quoted(10**400)) <= 60
    True
    """
    # Python does not write out numbers that are longer still
    if isinstance(given, int) and abs(given) >= 10**_MOST_DIGITS:
        return f"a number of more than {_MOST_DIGITS} digits"
    quote = _SHORT.repr(given)
    return quote if len(quote) <= _LONGEST_QUOTE else f"{quote[: _LONGEST_QUOTE - 3]}..."


@dataclass(frozen=True, kw_only=True, slots=True)
class Amount:
    """A number in [low, high]; it must be given."""

    low: float
    high: float

    @property
    def default(self) -> float:
        """What completes a move of the catalogue that leaves the argument out."""
        return self.high

    def schema(self) -> dict[str, Any]:
        """Return the argument's JSON schema."""
        return {"type": "number", "minimum": self.low, "maximum": self.high}

    def fault(self, given: object) -> str | None:
        """Return why `given` is not allowed, or None if it is."""
        if isinstance(given, bool) or not isinstance(given, int | float):
            return f"{quoted(given)} is not a number"
        # only a float is asked whether it is finite: a whole number may be too large to become one
        if isinstance(given, float) and not isfinite(given):
            return f"{quoted(given)} is not a number"
        if not self.low <= given <= self.high:
            return f"{quoted(given)} is outside {self.low:g} to {self.high:g}"
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Name:
    """One of `names`; it must be given."""

    names: tuple[str, ...]

    @property
    def default(self) -> str:
        """What completes a move of the catalogue that leaves the argument out."""
        return self.names[0]

    def schema(self) -> dict[str, Any]:
        """Return the argument's JSON schema."""
        return {"type": "string", "enum": list(self.names)}

    def fault(self, given: object) -> str | None:
        """Return why `given` is not allowed, or None if it is."""
        if given in self.names:
            return None
        return f"{quoted(given)} is not one of {', '.join(self.names)}"


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
            return f"{quoted(given)} is not text"
        if len(given) > self.longest:
            return f"text of {len(given)} characters is longer than {self.longest}"
        return None


Argument = Amount | Name | Text


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """The name of an option and the arguments it is taken with."""

    option: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def attempted(cls, option: str, arguments: Mapping[str, Any]) -> Move:
        """Return what an agent attempted, legal or not, as a move short and plain enough to log.

        Names and texts are cut at 200 characters, the first eight arguments are kept, and an
        argument that is no text, truth value or number up to 2**53 is kept as its quote.
        """
        kept = list(arguments.items())[:_MOST_ATTEMPTED]
        return cls(
            option=option[:_LONGEST_ATTEMPTED],
            arguments={name[:_LONGEST_ATTEMPTED]: _plain(given) for name, given in kept},
        )


def _plain(given: object) -> Any:
    if isinstance(given, str):
        return given[:_LONGEST_ATTEMPTED]
    is_plain = given is None or isinstance(given, bool)
    if is_plain or (isinstance(given, int | float) and -_LARGEST <= given <= _LARGEST):
        return given
    return quoted(given)


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
        """Return `arguments` with the defaults of those left out, as moves of a catalogue need."""
        return {name: kind.default for name, kind in self.arguments.items()} | dict(arguments)

    def fault(self, arguments: Mapping[str, Any]) -> str | None:
        """Return why the option cannot be taken with `arguments`, or None if it can.

        Each argument that the option has must be given, but for a text, which is then empty.
        """
        for name, kind in self.arguments.items():
            if name not in arguments and not isinstance(kind, Text):
                return f"{name} of {self.name} is missing"
        for name, given in arguments.items():
            if name not in self.arguments:
                takes = ", ".join(self.arguments) or "no arguments"
                return f"{self.name} takes {takes}, not {quoted(name)}"
            if reason := self.arguments[name].fault(given):
                return f"{name} of {self.name}: {reason}"
        return None


_Made = TypeVar("_Made")


class PerOption(Generic[_Made]):
    """What `make` makes of an option, made once for each object: many stay the same for long.

    At most `most` are kept.
    """

    def __init__(self, make: Callable[[Option], _Made], most: int = 4096) -> None:
        self._make, self._most = make, most
        self._kept: dict[int, tuple[Option, _Made]] = {}

    def __call__(self, option: Option) -> _Made:
        """Return what is made of `option`; it is shared, and not to be changed."""
        kept = self._kept.get(id(option))
        if kept is None:
            if len(self._kept) >= self._most:
                self._kept.clear()
            # the option is kept, so that its address is not given to another
            kept = self._kept[id(option)] = option, self._make(option)
        return kept[1]
