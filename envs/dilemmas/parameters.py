"""What can be varied between episodes of dilemmas, checked at the door."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from valuesim.envs.dilemmas.format import MOST_DILEMMAS
from valuesim.envs.dilemmas.generator import GENERATED
from valuesim.labels import LETTERS
from valuesim.parameters import levels, whole

LABELS: dict[str, tuple[str, ...]] = {
    "letters": LETTERS,
    "numbers": tuple(str(number) for number in range(1, len(LETTERS) + 1)),
}
"""What options may be called."""
PERSPECTIVES = ("act", "predict")
PackName = str | os.PathLike[str]
DRAWN = "drawn"
"""The paraphrase that is drawn for every scene."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameters:
    """One cell of the design; every field is an argument of `Dilemmas`.

    Raises ValueError, naming the argument, for what can be seen to be wrong without the pack.
    """

    pack: PackName | Sequence[PackName] = "daily"
    scenes: int | None = 20
    part: int | None = None
    topics: str | Sequence[str] | None = None
    paraphrase: int | str = DRAWN
    perspective: str = "act"
    labels: str = "letters"
    pairs: Sequence[str] | None = None
    per_pair: int | None = None

    def __post_init__(self) -> None:
        """Check what needs no pack."""
        if not self.packs or not all(map(_is_name, self.packs)):
            told = "a pack's name, a file's path, or a list of these"
            raise ValueError(f"pack={self.pack!r} is not allowed: {told}")
        if self.scenes is not None:
            whole("scenes", self.scenes, 1, MOST_DILEMMAS)
        levels(self, {"perspective": PERSPECTIVES, "labels": LABELS})
        for name in ("pairs", "per_pair"):
            if getattr(self, name) is not None and GENERATED not in self.packs:
                raise ValueError(f"{name} is only for pack={GENERATED!r}: leave it out")

    @property
    def packs(self) -> tuple[PackName, ...]:
        """The packs that are named, each a name or a path."""
        if isinstance(self.pack, str | os.PathLike):
            return (self.pack,)
        return tuple(self.pack) if isinstance(self.pack, list | tuple) else ()


def _is_name(given: object) -> bool:
    return isinstance(given, str | os.PathLike) and bool(str(given))
