"""What passes between a run and its workers: episodes to play, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from valuesim.engine.experience import Spent
from valuesim.episode import Chain, EpisodeSpec


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """An episode of a cell that both sides know: `cell` is its place among the cells told."""

    cell: int
    seed: int
    chain: Chain | None = None

    def spec(self, cells: Sequence[EpisodeSpec]) -> EpisodeSpec:
        """Return the episode; those of one cell share their parameters and players."""
        return replace(cells[self.cell], seed=self.seed, chain=self.chain)


@dataclass(frozen=True, kw_only=True, slots=True)
class Parcel:
    """An episode that a worker is to play, and which play of it that is.

    `place` is its own in the plan. `before` is the episode before it in its chain, whose agents
    `carried` on something, and `late` the one behind it, where that is finished already: its play
    is then `late_play`.
    """

    episode: Named
    place: int
    play: int
    before: Named | None = None
    carried: Mapping[str, Any] = field(default_factory=dict)
    late: Named | None = None
    late_play: int = 0


@dataclass(kw_only=True, slots=True)
class Made:
    """What was decided in one episode since it was last told; `asked` says whether of a model."""

    decisions: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    spent: Spent = field(default_factory=Spent)
    asked: bool = False

    def add(self, other: Made) -> None:
        """Take in what was decided since."""
        self.decisions += other.decisions
        self.faults.update(other.faults)
        self.spent += other.spent
        self.asked |= other.asked


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How one play ended: after `steps`, or for a `reason` before its end, of which one is None.

    `carried` is what goes on to the next episode of its chain.
    """

    episode: str
    steps: int | None = None
    reason: str | None = None
    carried: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """What ended a worker's play that is no interruption: the name of an error class, its words."""

    kind: str
    told: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What a worker did since its last report.

    `made` is by episode, `dropped` lists episodes that it was given and will not begin, and
    `counters` holds what was counted of each role's model since. `paused` says by role why nothing
    is asked of its server at the moment. After a report with `is_over` there is none.
    """

    made: Mapping[str, Made] = field(default_factory=dict)
    ended: Sequence[Ended] = ()
    dropped: Sequence[str] = ()
    counters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    paused: Mapping[str, str] = field(default_factory=dict)
    failed: Failed | None = None
    is_over: bool = False
