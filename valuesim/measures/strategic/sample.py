"""The decisions of one group in one treatment, and the panel that is made of some of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from valuesim.log.reader import DecisionRecord
from valuesim.measures.interval import Rate
from valuesim.measures.panel import Estimate, Panel, Reference, fault_counts
from valuesim.measures.strategic.treatment import Treatment

PREDICTED = "predicted for people"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """Decisions of one treatment at one penalty; `name` sets it apart from the group's others."""

    treatment: Treatment
    penalty: float | None
    name: str
    records: tuple[DecisionRecord, ...]

    def panel(
        self,
        id: str,
        title: str,
        unit: str,
        estimates: Sequence[Estimate],
        *,
        records: Sequence[DecisionRecord] | None = None,
        references: Iterable[Reference] = (),
        axis: str | None = None,
        bounds: tuple[float | None, float | None] = (0.0, 1.0),
        note: str = "",
    ) -> Panel:
        """Return the panel of `records` (all of the sample's if None), entitled for the sample.

        References that share no label (no place, with an axis) with an estimate are left out.
        """
        own = self.records if records is None else records
        said = [PREDICTED] if self.treatment.is_predicted else []
        said += [self.name] if self.name else []
        places = {e.at if axis else e.label for e in estimates}
        return Panel(
            id=f"{id}/{self.name}" if self.name else id,
            title=f"{title} ({'; '.join(said)})" if said else title,
            unit=unit,
            estimates=tuple(estimates),
            references=tuple(
                reference
                for reference in references
                if any((p.at if axis else p.label) in places for p in reference.points)
            ),
            axis=axis,
            bounds=bounds,
            decisions=len(own),
            faults=fault_counts(own),
            note=note,
        )


def estimate(label: str, rate: Rate, at: float | None = None) -> Estimate:
    """Return `rate` as an estimate."""
    return Estimate(
        label=label, value=rate.value, low=rate.low, high=rate.high, n=int(rate.n), at=at
    )
