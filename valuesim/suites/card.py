"""What a card holds: the figures of one entry in one suite, each with its n and interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCHEMA = 1
UNDETERMINED = "undetermined"


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A figure with its 95 % interval, and what it rests on.

    Without a `value` it is undetermined, and `why` says why; a value without an interval also has a
    `why`. `n` counts what the figure is of (see `definition.Measure.of`).
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    why: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """A rate at one level of scarcity; `stock` is power per agent and in the battery at the start.

    `lost` counts occasions that ended in faults.
    """

    scarcity: str
    stock: str
    regime: str
    rate: Figure
    lost: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class CardCurve:
    """One rate over the levels of scarcity, the most plentiful first."""

    title: str
    unit: str
    points: tuple[Point, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wording:
    """The figures of one wording of the questions."""

    name: str
    figures: Mapping[str, Figure]


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueGap:
    """A value's standardised strength as stated less as revealed; see `graph.compared.Gap`."""

    value: str
    gap: float
    low: float
    high: float
    is_gap: bool
    n_stated: int
    n_revealed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PartCount:
    """What was played of one part of the suite, and what of it were faults, by kind.

    `closed` says why the agent could not play it, None where it could. `interrupted` counts
    episodes that did not finish, by reason.
    """

    name: str
    planned: int = 0
    finished: int = 0
    decisions: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)
    interrupted: Mapping[str, int] = field(default_factory=dict)
    closed: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all of it was played, or none of it could be."""
        return self.closed is not None or 0 < self.planned == self.finished


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """Who was tried: an agent, the model behind it, how that is asked, what is done to it."""

    agent: str
    model: Mapping[str, Any] | None = None
    elicitation: Mapping[str, Any] = field(default_factory=dict)
    interventions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The model's name, or the agent's, and what makes this entry another than the bare one."""
        told = self.agent if self.model is None else str(self.model.get("name"))
        if (form := self.elicitation.get("format", "json_schema")) != "json_schema":
            told += f", asked for {form}"
        return f"{told} + {', '.join(self.interventions)}" if self.interventions else told


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A name that the evidence supports, or "undetermined", and why."""

    name: str
    why: str
    posterior: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Spending:
    """Tokens and US dollars over all sessions; `why` says why the dollars are None."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    dollars: float | None = None
    why: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """The card of one entry in the suite `suite`.

    `digest` names all that determines what was asked, `reading` how the figures are computed. A
    `is_quick` card is a look, no result. `time` holds the date that was given, and how long replies
    took, in seconds.
    """

    suite: str
    digest: str
    reading: str
    entry: Entry
    is_quick: bool
    parts: tuple[PartCount, ...]
    archetype: Named
    conduct: Named
    figures: Mapping[str, Figure]
    curves: tuple[CardCurve, ...]
    wordings: tuple[Wording, ...]
    gaps: tuple[ValueGap, ...]
    spending: Spending
    versions: Mapping[str, str]
    prompt: str | None = None
    time: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Whether every part that the agent can play is finished."""
        return all(part.is_whole for part in self.parts)

    @property
    def missing(self) -> tuple[str, ...]:
        """A sentence for each part that is not finished."""
        return tuple(
            f"{part.name}: {part.finished:,} of {part.planned:,} episodes"
            + "".join(f"; {why} ({n:,})" for why, n in part.interrupted.items())
            for part in self.parts
            if not part.is_whole
        )

    @property
    def faults(self) -> dict[str, int]:
        """The faults of all parts, by kind, sorted."""
        kinds = sorted({kind for part in self.parts for kind in part.faults})
        return {kind: sum(part.faults.get(kind, 0) for part in self.parts) for kind in kinds}

    @property
    def decisions(self) -> int:
        """The decisions of all parts."""
        return sum(part.decisions for part in self.parts)
