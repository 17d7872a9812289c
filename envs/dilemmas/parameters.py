"""What can be varied between episodes of dilemmas, checked at the door."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from valuesim.envs.dilemmas.format import MOST_DILEMMAS
from valuesim.envs.dilemmas.generator import GENERATED
from valuesim.envs.dilemmas.pack import Pack
from valuesim.errors import unknown
from valuesim.labels import LETTERS
from valuesim.parameters import levels, whole

LABELS: dict[str, tuple[str, ...]] = {
    "letters": LETTERS,
    "numbers": tuple(str(number) for number in range(1, len(LETTERS) + 1)),
}
"""What options may be called."""
PERSPECTIVES = ("act", "predict")
DRAWN = "drawn"
"""The paraphrase that is drawn for every scene."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameters:
    """One cell of the design; every field is an argument of `Dilemmas`.

    Raises ValueError, naming the argument, for what can be seen to be wrong without the pack.
    """

    pack: str | os.PathLike[str] = "daily"
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
        if not isinstance(self.pack, str | os.PathLike) or not str(self.pack):
            raise ValueError(f"pack={self.pack!r} is not allowed: a pack's name or a file's path")
        if self.scenes is not None:
            whole("scenes", self.scenes, 1, MOST_DILEMMAS)
        levels(self, {"perspective": PERSPECTIVES, "labels": LABELS})
        for name in ("pairs", "per_pair"):
            if getattr(self, name) is not None and self.pack != GENERATED:
                raise ValueError(f"{name} is only for pack={GENERATED!r}: leave it out")


def asked(pack: Pack, given: Parameters) -> tuple[int, ...]:
    """Return which dilemmas of `pack` may be asked, by their places in it, in its order.

    Those of the topics; of these, with a part, every k-th, so that each part has something of
    everything and the parts together have each dilemma once. Raises ValueError for an unknown
    topic, for topics without a dilemma, and for a part that there is not.
    """
    topics = topics_of(pack, given.topics)
    places = [i for i, dilemma in enumerate(pack.dilemmas) if dilemma.topic in topics]
    if not places:
        raise ValueError(f"topics={given.topics!r}: no dilemma of {pack.id} is on any of these")
    if given.part is None:
        return tuple(places)
    parts = 1 if given.scenes is None else -(-len(places) // given.scenes)
    whole("part", given.part, 0, parts - 1)
    return tuple(places[given.part :: parts])


def topics_of(pack: Pack, given: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the topics named by `given` (a list, or names with commas between), None for all."""
    if given is None:
        return pack.topics
    names = given.split(",") if isinstance(given, str) else given
    if not isinstance(names, list | tuple):
        raise ValueError(f"topics={given!r} is not allowed: a list, or names with commas between")
    topics = [name.strip() if isinstance(name, str) else name for name in names]
    for topic in topics:
        if topic not in pack.topics:
            raise ValueError(unknown("topic", topic, pack.topics, f"topics, pack {pack.id}"))
    if not topics:
        raise ValueError("topics=[] is not allowed: name one or more, or leave them out")
    return tuple(sorted(set(topics)))


def check_paraphrase(pack: Pack, paraphrase: int | str) -> None:
    """Raise ValueError unless `paraphrase` is one of the pack's, or "drawn"."""
    if paraphrase != DRAWN:
        most = len(pack.role) - 1
        whole("paraphrase", paraphrase, 0, most, f" or {DRAWN!r}")
