"""What can be varied between questionnaires, checked at the door."""

from __future__ import annotations

from dataclasses import dataclass

from valuesim.envs.questionnaire.instrument import INSTRUMENTS, Instrument, instrument
from valuesim.parameters import flag, levels, whole
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
        levels(self, {"instrument": INSTRUMENTS, "perspective": PERSPECTIVES})
        for name in ("definitions", "reversed"):
            flag(name, getattr(self, name))
        if self.template != "drawn":
            whole("template", self.template, 0, self.asked.wordings - 1, " or 'drawn'")
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
        others = f" for {self.instrument}, 'all', or None for the usual number"
        whole("items", self.items, 1, available, others)
        return int(self.items)

    def slice(self, available: int) -> slice | None:
        """Return where `part` lies among `available` items, None if the items are drawn."""
        if self.part is None:
            return None
        count = self.count(available)
        last = -(-available // count) - 1
        whole("part", self.part, 0, last, f" ({available} items, {count} a part) or None")
        return slice(self.part * count, (self.part + 1) * count)
