"""What can be varied between questionnaires, checked at the door."""

from __future__ import annotations

from dataclasses import dataclass

from valuesim.envs.questionnaire.instrument import INSTRUMENTS, Instrument, instrument
from valuesim.errors import unknown
from valuesim.values import load_taxonomy

PERSPECTIVES = ("act", "predict")


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameters:
    """One cell of the design; every field is an argument of `Questionnaire` (see the package).

    Raises ValueError, naming the argument, for anything not allowed, InputError for an unknown
    vocabulary.
    """

    instrument: str = "pairwise"
    vocabulary: str = "valuesim"
    template: int | str = "drawn"
    items: int | str | None = None
    part: int | None = None
    definitions: bool = True
    reversed: bool = False
    perspective: str = "act"

    def __post_init__(self) -> None:
        """Check every argument that can be checked without the items."""
        if self.instrument not in INSTRUMENTS:
            raise ValueError(unknown("instrument", self.instrument, INSTRUMENTS))
        if self.perspective not in PERSPECTIVES:
            raise ValueError(unknown("perspective", self.perspective, PERSPECTIVES))
        for name in ("definitions", "reversed"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name}={getattr(self, name)!r} is not allowed: True or False")
        wordings = self.asked.wordings
        if self.template != "drawn" and not _is_whole(self.template, 0, wordings - 1):
            raise ValueError(
                f"template={self.template!r} is not allowed: 'drawn' or from 0 to {wordings - 1}"
            )
        if self.asked.shows_values:
            load_taxonomy(self.vocabulary)

    @property
    def asked(self) -> Instrument:
        """The instrument."""
        return instrument(self.instrument)

    @property
    def wording_id(self) -> str:
        """The exact version of the words: instrument, perspective, direction, template, naming."""
        direction = "reversed" if self.reversed else "forward"
        named = [] if not self.asked.shows_values else [self.naming]
        version = f"{self.instrument}-{self.asked.version}"
        return "/".join([version, self.perspective, direction, str(self.template), *named])

    @property
    def naming(self) -> str:
        """How values are shown: "defined" or "named"."""
        return "defined" if self.definitions else "named"

    def count(self, available: int) -> int:
        """Return how many of `available` items an episode asks; raise ValueError for too many."""
        usual = self.asked.usual
        if self.items is None:
            return available if usual is None else min(usual, available)
        if self.items == "all":
            return available
        if not _is_whole(self.items, 1, available):
            raise ValueError(
                f"items={self.items!r} is not allowed: 'all', None for the usual number, or from "
                f"1 to {available} for {self.instrument}"
            )
        return int(self.items)

    def slice(self, available: int) -> slice | None:
        """Return where `part` lies among `available` items, None if the items are drawn."""
        if self.part is None:
            return None
        count = self.count(available)
        last = -(-available // count) - 1
        if not _is_whole(self.part, 0, last):
            raise ValueError(
                f"part={self.part!r} is not allowed: None, or from 0 to {last} "
                f"({available} items, {count} a part)"
            )
        return slice(self.part * count, (self.part + 1) * count)


def _is_whole(given: object, low: int, high: int) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and low <= given <= high
