"""A pack of dilemmas as records: who is asked, what, what may be done, what is at stake in it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import orjson

from valuesim.envs.dilemmas.format import START


@dataclass(frozen=True, kw_only=True, slots=True)
class PackOption:
    """One way to go: `stakes` by value in [-1, 1], the risky behaviours that it shows.

    `omission` is letting things take their course; `then` names the turn that follows, or None.
    """

    id: str
    text: str
    stakes: Mapping[str, float]
    behaviours: tuple[str, ...] = ()
    omission: bool = False
    then: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DilemmaTurn:
    """One question of a dilemma: `kind` is "start" or one of `format.KINDS`.

    `tellings` are the same facts in other words, one for each telling of the pack's role.
    """

    kind: str
    tellings: tuple[str, ...]
    options: tuple[PackOption, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Dilemma:
    """One dilemma: the turn it starts with and, if it unfolds, the branch table of those to come.

    `parties` are those affected.
    """

    id: str
    topic: str
    parties: tuple[str, ...]
    start: DilemmaTurn
    turns: Mapping[str, DilemmaTurn] = field(default_factory=dict)

    def turn(self, name: str) -> DilemmaTurn:
        """Return the turn called `name`; "start" is the first."""
        return self.start if name == START else self.turns[name]

    def all_turns(self) -> tuple[DilemmaTurn, ...]:
        """Return the first turn and all others."""
        return (self.start, *self.turns.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """Whose norms the stakes express, who assigned them and how, when, and whence the dilemmas."""

    norms: str
    annotators: str
    as_of: str
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Pack:
    """A pack of dilemmas; every value at stake is one of the vocabulary `taxonomy`.

    `role` says who the agent is, once for each telling. `predict` says in its place whose choice
    is predicted; it is empty where the words for any pack will do.
    """

    id: str
    version: int
    title: str
    taxonomy: str
    locale: str
    statement: Statement
    role: tuple[str, ...]
    topics: tuple[str, ...]
    behaviours: tuple[str, ...]
    dilemmas: tuple[Dilemma, ...]
    predict: tuple[str, ...] = ()

    def __hash__(self) -> int:
        """Return a hash of what names the pack: its texts are many and cannot all be hashed."""
        return hash((self.id, self.version, len(self.dilemmas)))

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that change with anything the pack says."""
        return _digest(self)

    @property
    def most_options(self) -> int:
        """The largest number of options that any turn offers."""
        return _most_options(self)


@lru_cache(maxsize=64)
def _digest(pack: Pack) -> str:
    canonical = orjson.dumps(pack, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).hexdigest()[:12]


@lru_cache(maxsize=64)
def _most_options(pack: Pack) -> int:
    return max(len(turn.options) for each in pack.dilemmas for turn in each.all_turns())
