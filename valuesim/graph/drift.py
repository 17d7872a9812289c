"""How value strengths move over ordered checkpoints that played the same seeds and scenes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from valuesim.choices import Choices
from valuesim.graph.compared import LevelCount
from valuesim.graph.comparison import centre_of, level_counts, thinned, why_nothing
from valuesim.graph.contrasts import Contrasts, holm
from valuesim.graph.design import FloatArray
from valuesim.graph.joint import Joint, estimate_jointly
from valuesim.graph.steps import Timing, movement, timing


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """A figure at one checkpoint with its 95 % interval, None where it is not known.

    `at` is the checkpoint's position, `n` counts what the figure rests on.
    """

    checkpoint: str
    at: float
    value: float | None
    low: float | None
    high: float | None
    n: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """The last figure less the first, with its 95 % interval; None where there is none."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """One figure over the checkpoints that have it.

    `p` is that of nothing having moved, uncorrected; `moved` tells that it did at 5 % after Holm's
    correction for all figures of its table. `visible` is the smallest step that would be seen with
    80 % probability in whichever gap it lay, None where it is not known. `timing` is there where
    it moved. `why` says why nothing is tested, and is None where something is.
    """

    name: str
    points: tuple[Point, ...]
    change: Change
    p: float | None = None
    moved: bool = False
    visible: float | None = None
    timing: Timing | None = None
    why: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueDrift:
    """The strengths of values over checkpoints, those that moved most first.

    `counts` are what each checkpoint's figures rest on; `left_out` says why a value is not
    followed, `thin` why a checkpoint is not, `why` why nothing is.
    """

    counts: tuple[LevelCount, ...]
    drifts: tuple[Drift, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    thin: Mapping[str, str] = field(default_factory=dict)
    why: str | None = None


BOUNDED = "its choices never contradict it at some checkpoint: the prior alone bounds its size"


def value_drift(
    arms: Mapping[str, Choices], positions: Mapping[str, float], *, seed: int = 0
) -> ValueDrift:
    """Return how strengths move over `arms` (by checkpoint, in order); equal input, equal figures.

    Strengths are centred on their mean over the values that are followed, as in `comparison`; all
    clusters that checkpoints share count in the joint covariance.
    """
    joint = estimate_jointly(arms, seed=seed)
    found = ValueDrift(counts=level_counts(arms, joint))
    if len(joint.levels) < 2:
        return replace(found, why=why_nothing(arms, joint))
    names, thin = thinned(joint, list(joint.levels))
    values, left_out = joint.common(names)
    found = replace(found, left_out=left_out, thin=thin)
    if len(values) < 2:
        return replace(found, why="fewer than two values are compared at all checkpoints")
    followed = _Followed.of(joint, names, values)
    drifts = [
        followed.drift(value, positions, np.random.default_rng([seed, 4, place]))
        for place, value in enumerate(values)
    ]
    return replace(found, drifts=tested(drifts))


def tested(drifts: Sequence[Drift]) -> tuple[Drift, ...]:
    """Return `drifts`, surest first, with `moved` after Holm's correction for all of them.

    Where nothing is said to have moved there is no timing.
    """
    ordered = sorted(drifts, key=lambda each: (each.p is None, each.p))
    moved = iter(holm(np.array([each.p for each in ordered if each.p is not None])))
    told = []
    for each in ordered:
        has_moved = each.p is not None and bool(next(moved))
        told.append(replace(each, moved=has_moved, timing=each.timing if has_moved else None))
    return tuple(told)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Followed:
    """The strengths of some values at all checkpoints, and the last less the first."""

    joint: Joint
    names: Sequence[str]
    values: Sequence[str]
    strengths: Contrasts
    change: Contrasts
    bounded: frozenset[str]

    @classmethod
    def of(cls, joint: Joint, names: Sequence[str], values: Sequence[str]) -> _Followed:
        """Return `values` at the checkpoints `names`, row after row; two of each at least."""
        centre = centre_of(joint, names, values)
        rows = {name: joint.rows(name, values, centre) for name in names}
        nothing = {name: np.zeros_like(each) for name, each in rows.items()}
        every = {
            name: np.vstack([each if other == name else nothing[name] for other in names])
            for name, each in rows.items()
        }
        bounded = joint.bounded(names)
        return cls(
            joint=joint,
            names=names,
            values=values,
            strengths=joint.contrasts(every),
            change=joint.contrasts({names[0]: -rows[names[0]], names[-1]: rows[names[-1]]}),
            # a centre whose sizes are unknown leaves no strength known
            bounded=frozenset(values) if not bounded.isdisjoint(centre) else bounded,
        )

    def drift(self, value: str, positions: Mapping[str, float], rng: np.random.Generator) -> Drift:
        place = self.values.index(value)
        at = np.arange(len(self.names)) * len(self.values) + place
        estimate, half = self.strengths.estimate[at], self.strengths.half[at]
        change, reach = float(self.change.estimate[place]), float(self.change.half[place])
        found = Drift(
            name=value,
            points=self._points(value, positions, estimate, half),
            change=Change(value=change, low=change - reach, high=change + reach),
        )
        if value in self.bounded:
            return replace(found, why=BOUNDED)
        covariance = self.strengths.covariance[np.ix_(at, at)]
        clusters = float(self.strengths.clusters[at].min())
        error = 0.05 / max(len(set(self.values) - self.bounded), 1)
        moved = movement(estimate, covariance, clusters, rng, error=error)
        when = timing(estimate, covariance, [positions[name] for name in self.names], clusters)
        return replace(found, p=moved.p, visible=moved.visible, timing=when)

    def _points(
        self,
        value: str,
        positions: Mapping[str, float],
        estimate: FloatArray,
        half: FloatArray,
    ) -> tuple[Point, ...]:
        return tuple(
            Point(
                checkpoint=name,
                at=positions[name],
                value=float(estimate[place]),
                low=float(estimate[place] - half[place]),
                high=float(estimate[place] + half[place]),
                n=self.joint.levels[name].met(value),
            )
            for place, name in enumerate(self.names)
        )


def to_json(found: ValueDrift) -> dict[str, Any]:
    """Return `found` as JSON values, schema 1; what is unknown is None."""
    return {
        "levels": [asdict(each) for each in found.counts],
        "values": [drift_to_json(each) for each in found.drifts],
        "left_out": dict(found.left_out),
        "thin": dict(found.thin),
        "why": found.why,
    }


def drift_to_json(drift: Drift) -> dict[str, Any]:
    """Return one drift as JSON values; checkpoints are told by name."""
    return {**asdict(drift), "timing": drift.timing and _timing(drift, drift.timing)}


def _timing(drift: Drift, when: Timing) -> dict[str, Any]:
    names = [point.checkpoint for point in drift.points]
    return {
        "after": names[when.gap],
        "before": names[when.gap + 1],
        "earliest": names[when.first],
        "latest": names[when.last],
        "probabilities": list(when.probabilities),
        "step": when.step,
        "shape": when.shape,
        "size": when.size,
        "low": when.low,
        "high": when.high,
    }
