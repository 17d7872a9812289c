"""The decisions of one group in one treatment, its arms, and the panels that are made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from valuesim.log.reader import DecisionRecord
from valuesim.measures.interval import Rate
from valuesim.measures.panel import Estimate, Panel, Reference, fault_counts
from valuesim.measures.strategic.history import is_act
from valuesim.measures.strategic.treatment import Treatment, design, penalty

_DESIGNS = "Between: one stake or penalty an episode; within: each agent answered a list of them."


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """Decisions of one treatment that may be pooled: one design, one penalty (None: no such)."""

    design: str
    penalty: float | None
    records: tuple[DecisionRecord, ...]

    @property
    def acts(self) -> tuple[DecisionRecord, ...]:
        """The moves of the game itself: no talk, answer or punishment."""
        return tuple(record for record in self.records if is_act(record))

    @classmethod
    def of(cls, records: Iterable[DecisionRecord]) -> tuple[Arm, ...]:
        """Return the arms of one treatment's `records`, in order of design and penalty."""
        found: dict[tuple[str, float | None], list[DecisionRecord]] = {}
        for record in records:
            found.setdefault((design(record), penalty(record)), []).append(record)
        ordered = sorted(found.items(), key=lambda item: (item[0][0], item[0][1] or 0.0))
        return tuple(
            cls(design=own, penalty=level, records=tuple(each)) for (own, level), each in ordered
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What was measured in one arm, with references of the same labels."""

    arm: Arm
    estimates: Sequence[Estimate]
    references: Sequence[Reference] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """Decisions of one treatment; `name` sets it apart from the group's others."""

    treatment: Treatment
    name: str
    arms: tuple[Arm, ...]

    @property
    def records(self) -> tuple[DecisionRecord, ...]:
        """All decisions, arm by arm."""
        return tuple(record for arm in self.arms for record in arm.records)

    @property
    def acts(self) -> tuple[DecisionRecord, ...]:
        """The moves of the game itself, arm by arm."""
        return tuple(record for arm in self.arms for record in arm.acts)

    @property
    def designs(self) -> tuple[str, ...]:
        """The designs met, in order of name."""
        return tuple(sorted({arm.design for arm in self.arms}))

    @property
    def penalties(self) -> tuple[float, ...]:
        """The penalties met, ascending; none in games without."""
        return tuple(sorted({arm.penalty for arm in self.arms if arm.penalty is not None}))

    @property
    def is_dosed(self) -> bool:
        """Whether there is more than one penalty, so that figures lie along it."""
        return len(self.penalties) > 1

    def by_design(self) -> list[Sample]:
        """Return the sample's part in each design, named for it where there are several."""
        return [
            replace(
                self,
                name=self.labelled(self.name, design),
                arms=tuple(arm for arm in self.arms if arm.design == design),
            )
            for design in self.designs
        ]

    def labelled(self, label: str, design: str) -> str:
        """Return `label` with the `design`, where there are several."""
        said = [label] if label else []
        return ", ".join([*said, design] if len(self.designs) > 1 else said)

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

        References of one label are put together; those that share no label (no place, with an axis)
        with an estimate are left out.
        """
        own = self.records if records is None else records
        places = {e.at if axis else e.label for e in estimates}
        notes = [note] if note else []
        notes += [_DESIGNS] if len(self.designs) > 1 else []
        return Panel(
            id=f"{id}/{self.name}" if self.name else id,
            title=f"{title} ({self.name})" if self.name else title,
            unit=unit,
            estimates=tuple(estimates),
            references=tuple(
                reference
                for reference in together(references)
                if any((p.at if axis else p.label) in places for p in reference.points)
            ),
            axis=axis,
            bounds=bounds,
            decisions=len(own),
            faults=fault_counts(own),
            note=" ".join(notes),
        )

    def across(
        self,
        id: str,
        title: str,
        unit: str,
        measured: Sequence[Figures],
        *,
        records: Sequence[DecisionRecord] | None = None,
        references: Iterable[Reference] = (),
        bounds: tuple[float | None, float | None] = (0.0, 1.0),
        note: str = "",
    ) -> Panel:
        """Return one panel of what was `measured` in the arms, which are never pooled.

        A list if there is one penalty or none, else curves over the penalty; labels say the design
        where there are several. `references` are added to those of the arms.
        """
        kinds = list(dict.fromkeys(e.label for figures in measured for e in figures.estimates))
        found: dict[str, list[Estimate]] = {kind: [] for kind in kinds}
        beside = list(references)
        for figures in measured:
            at, design = figures.arm.penalty if self.is_dosed else None, figures.arm.design
            is_said = len(kinds) > 1 or not self.is_dosed or len(self.designs) == 1
            labels = {kind: self.labelled(kind if is_said else "", design) for kind in kinds}
            for e in figures.estimates:
                found[e.label].append(replace(e, label=labels[e.label], at=at))
            beside += [_placed(reference, labels, at) for reference in figures.references]
        return self.panel(
            id,
            f"{title} by penalty" if self.is_dosed else title,
            unit,
            [estimate for own in found.values() for estimate in own],
            records=records,
            references=beside,
            axis="penalty" if self.is_dosed else None,
            bounds=bounds,
            note=note,
        )


def estimate(label: str, rate: Rate, at: float | None = None) -> Estimate:
    """Return `rate` as an estimate."""
    return Estimate(
        label=label, value=rate.value, low=rate.low, high=rate.high, n=int(rate.n), at=at
    )


def computed(label: str, source: str, points: Iterable[Estimate]) -> Reference:
    """Return what a theory predicts as a reference."""
    return Reference(label=label, points=tuple(points), source=source, population="computed")


def together(references: Iterable[Reference]) -> list[Reference]:
    """Return `references` with the points of those of one label and source put together.

    Of several points of one place (without a place, of one label) the first stays.
    """
    found: dict[tuple[str, str, str], dict[object, Estimate]] = {}
    for each in references:
        own = found.setdefault((each.label, each.source, each.population), {})
        for point in each.points:
            own.setdefault(point.label if point.at is None else point.at, point)
    return [
        Reference(label=label, points=tuple(points.values()), source=source, population=population)
        for (label, source, population), points in found.items()
    ]


def _placed(reference: Reference, labels: Mapping[str, str], at: float | None) -> Reference:
    points = tuple(
        replace(point, label=labels[point.label], at=at)
        for point in reference.points
        if point.label in labels
    )
    return replace(reference, points=points)
