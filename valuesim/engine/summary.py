"""How a run ended, as its last line and its JSON tell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from valuesim.decision import Usage
from valuesim.engine.asking import CUT, Asked


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """How a run ended: episodes planned, finished (ever, and now), and interrupted now by reason.

    `held_up` counts those that did not begin as one before them in their chain was interrupted.
    `stopped` is true when the run was told to stop, `spent` says which budget ended it (empty where
    none did). `usage` is what models used in this session, whatever became of it, and `cost` what
    that costs, in US dollars, None where a price is not known; `replayed` counts replies that came
    from a cache instead, and cost nothing. Where questions were chosen by the answers, `planned`
    are those chosen, and `asked` tells of each cell how that ended.
    """

    planned: int
    finished: int
    played: int
    interrupted: Mapping[str, int] = field(default_factory=dict)
    held_up: int = 0
    decisions: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)
    stopped: bool = False
    spent: str = ""
    usage: Usage = field(default_factory=Usage)
    replayed: int = 0
    cost: float | None = None
    asked: Sequence[Asked] = ()

    @property
    def is_whole(self) -> bool:
        """Whether all that was planned is finished, and no cell was cut off between two batches."""
        return self.finished == self.planned and all(each.why != CUT for each in self.asked)
