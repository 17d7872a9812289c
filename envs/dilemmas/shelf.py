"""The packs that may be asked, one or several together: which dilemmas, and what an episode takes.

The dilemmas of all packs are one pool, but an episode asks those of one pack alone, drawn by lot
with as many chances as it has dilemmas. So every scene keeps its own context: who the agent is, and
what frames the situation, are told as they are where the pack is asked by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from valuesim.envs.dilemmas import wording
from valuesim.envs.dilemmas.generator import GENERATED, PER_PAIR, generated_pack, pairs_of
from valuesim.envs.dilemmas.loading import load_pack
from valuesim.envs.dilemmas.pack import Pack
from valuesim.envs.dilemmas.parameters import DRAWN, Parameters
from valuesim.errors import unknown
from valuesim.parameters import whole

Places = tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelf:
    """The packs, and of each (in the same order) the places of the dilemmas that may be asked.

    A pack of which nothing is asked has no places; one of them has some.
    """

    packs: tuple[Pack, ...]
    places: tuple[Places, ...]

    @property
    def most_options(self) -> int:
        """The largest number of options that any turn of any pack offers."""
        return max(pack.most_options for pack in self.packs)

    @property
    def size(self) -> int:
        """How many dilemmas may be asked."""
        return sum(map(len, self.places))

    def first(self) -> int:
        """Return the first pack, by its place, of which something may be asked."""
        return next(index for index, places in enumerate(self.places) if places)

    def draw(self, rng: np.random.Generator) -> int:
        """Return the pack of an episode, by its place: a lot, where there is more than one."""
        if sum(map(bool, self.places)) == 1:
            return self.first()
        ends = np.cumsum([len(places) for places in self.places])
        return int(np.searchsorted(ends, rng.integers(ends[-1]), side="right"))


def shelf(given: Parameters) -> Shelf:
    """Return the packs that `given` names, and which of their dilemmas may be asked.

    Those of the topics. With a part, the k-th: each pack is dealt out to as few parts as `scenes`
    allow, so that each part has something of everything in the pack, and the parts of all packs,
    one pack after the other, have each dilemma once. Raises ValueError for an unknown topic, for
    topics without a dilemma, for a telling or a part that there is not and for packs that do not go
    together; InputError for a pack that is unknown or has any problem.
    """
    packs = _packs(given)
    for pack in packs:
        _check_paraphrase(pack, given.paraphrase)
    topics = topics_of(packs, given.topics)
    found = [
        tuple(i for i, dilemma in enumerate(pack.dilemmas) if dilemma.topic in topics)
        for pack in packs
    ]
    if not any(found):
        told = _listed(packs)
        raise ValueError(f"topics={given.topics!r}: no dilemma of {told} is on any of these")
    if given.part is not None:
        found = _part(found, given.part, given.scenes)
    return Shelf(packs=packs, places=tuple(found))


def condition(asked: Shelf, given: Parameters, shuffled: bool) -> dict[str, Any]:
    """Return the factors of an episode; of several packs what tells each, with + between."""
    topics = topics_of(asked.packs, given.topics)
    pairs = (
        None if given.pairs is None else ",".join("/".join(pair) for pair in pairs_of(given.pairs))
    )
    versions = [pack.version for pack in asked.packs]
    worded = "+".join(f"{pack.id}.{pack.version}" for pack in asked.packs)
    return {
        "pack": "+".join(pack.id for pack in asked.packs),
        "pack_version": versions[0] if len(versions) == 1 else "+".join(map(str, versions)),
        "pack_digest": "+".join(pack.digest for pack in asked.packs),
        "taxonomy": asked.packs[0].taxonomy,
        "locale": asked.packs[0].locale,
        "scenes": given.scenes,
        "part": given.part,
        "topics": None if given.topics is None else ",".join(topics),
        "paraphrase": given.paraphrase,
        "perspective": given.perspective,
        "labels": given.labels,
        "shuffle_options": shuffled,
        "pairs": pairs,
        "per_pair": given.per_pair,
        "wording_id": f"{wording.version()}/{worded}/{given.perspective}",
    }


def topics_of(packs: Sequence[Pack], given: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the topics named by `given` (a list, or names with commas between), None for all."""
    known = tuple(dict.fromkeys(topic for pack in packs for topic in pack.topics))
    if given is None:
        return known
    names = given.split(",") if isinstance(given, str) else given
    if not isinstance(names, list | tuple):
        raise ValueError(f"topics={given!r} is not allowed: a list, or names with commas between")
    topics = [name.strip() if isinstance(name, str) else name for name in names]
    for topic in topics:
        if topic not in known:
            raise ValueError(unknown("topic", topic, known, f"topics, {_listed(packs)}"))
    if not topics:
        raise ValueError("topics=[] is not allowed: name one or more, or leave them out")
    return tuple(sorted(set(topics)))


def _packs(given: Parameters) -> tuple[Pack, ...]:
    """Return the packs by name, so that it makes no difference in which order they are given."""
    packs = [
        generated_pack(given.pairs, PER_PAIR if given.per_pair is None else given.per_pair)
        if name == GENERATED
        else load_pack(name)
        for name in given.packs
    ]
    packs.sort(key=lambda pack: pack.id)
    for one, other in pairwise(packs):
        if one.id == other.id:
            raise ValueError(f"pack={given.pack!r} is not allowed: {one.id} is there twice")
    for name in ("taxonomy", "locale"):
        if len({getattr(pack, name) for pack in packs}) > 1:
            told = ", ".join(f"{pack.id} {getattr(pack, name)}" for pack in packs)
            raise ValueError(f"packs that are asked together must have one {name}: {told}")
    return tuple(packs)


def _part(found: Sequence[Places], part: int, scenes: int | None) -> list[Places]:
    """Return what the part asks: some dilemmas of one pack, none of the others."""
    parts = [-(-len(places) // (scenes or max(len(places), 1))) for places in found]
    whole("part", part, 0, sum(parts) - 1)
    asked: list[Places] = [() for _ in found]
    before = 0
    for index, (places, own) in enumerate(zip(found, parts, strict=True)):
        if before <= part < before + own:
            asked[index] = places[part - before :: own]
        before += own
    return asked


def _check_paraphrase(pack: Pack, paraphrase: int | str) -> None:
    if paraphrase != DRAWN:
        whole("paraphrase", paraphrase, 0, len(pack.role) - 1, f" or {DRAWN!r}")


def _listed(packs: Sequence[Pack]) -> str:
    names = [pack.id for pack in packs]
    return f"pack {names[0]}" if len(names) == 1 else f"packs {', '.join(names)}"
