"""What a worker's episodes did since it last told; stands where a progress and a ledger do."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from valuesim.decision import Usage
from valuesim.engine.budget import Budget, Ledger
from valuesim.engine.experience import Experience, Spent, spent_at_most, spent_in
from valuesim.engine.parcels import Ended, Made
from valuesim.engine.prices import Price
from valuesim.engine.progress import Progress
from valuesim.episode import EpisodeSpec, Turn


class Tally(Ledger):
    """Counts by episode; the run that is told of it keeps the budget. `prices` are by role."""

    def __init__(self, prices: Mapping[str, Price]) -> None:
        super().__init__(Budget(), {}, Experience())
        self._priced = prices
        self._specs: dict[str, EpisodeSpec] = {}
        self._made: dict[str, Made] = {}
        self.ended: list[Ended] = []

    def taken(self) -> tuple[dict[str, Made], list[Ended]]:
        """Return what there is to tell, which then counts as told."""
        told = self._made, self.ended
        self._made, self.ended = {}, []
        return told

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not self._made and not self.ended

    def begin(self, spec: EpisodeSpec) -> None:
        """Note that an episode begins."""
        self._specs[spec.id] = spec

    def turn(self, id: str, turn: Turn) -> None:
        """Note what one step of an episode did."""
        population = self._specs[id].population
        made = self._made.setdefault(id, Made())
        made.decisions += len(turn.decisions)
        made.faults.update(str(d.fault) for d in turn.decisions.values() if d.fault is not None)
        made.spent += spent_in(turn, self._priced)
        made.asked |= any(population[role].model is not None for role in turn.decisions)

    def left(self, spec: EpisodeSpec, usage: Usage) -> None:
        """Note what looking back on an episode used."""
        amount = spent_at_most(usage, spec.population, self._priced)
        if amount != Spent():
            self._made.setdefault(spec.id, Made()).spent += amount

    def end(self, spec: EpisodeSpec, steps: int | None) -> None:
        """Forget an episode; how it ended, its writer tells."""
        del self._specs[spec.id]


class Silent(Progress):
    """A progress that shows nothing: the run that a worker reports to shows its own."""

    def __init__(self) -> None:
        super().__init__(sys.stderr, "none")

    def ending(self, under_way: int, spent: str) -> None:
        """Tell nothing."""
