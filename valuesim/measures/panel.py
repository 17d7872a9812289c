"""What a family's measures say of a group of decisions, in one form for tables, JSON and figures.

An environment names the function that makes its panels (`Environment.panels`, "module:function");
it takes the decisions of one group in that environment and a seed. A panel is estimates with their
intervals, beside references (people, equilibria) that always say whose they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from valuesim import registry
from valuesim.log.reader import DecisionRecord

if TYPE_CHECKING:
    from valuesim.measures.interval import Rate


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """One figure with its 95 % interval; None where the evidence allows none.

    `n` counts the decisions (or episodes, as the panel's unit says) behind it. `at` is its place
    on the panel's axis, None in a panel without one.
    """

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    at: float | None = None

    @classmethod
    def of(cls, label: str, rate: Rate) -> Estimate:
        """Return `rate` under its `label`, with what it is a share of as `n`."""
        return cls(label=label, value=rate.value, low=rate.low, high=rate.high, n=int(rate.n))


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """What others did, or what a theory predicts, for the estimates of the same label or place.

    `source` names the publication or the theory with its parameters, `population` who was
    observed and when ("computed" for a theory).
    """

    label: str
    points: tuple[Estimate, ...]
    source: str
    population: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """Estimates that belong together: one table, one figure.

    `unit` says what the figures are ("share of valid decisions", "log-odds per tenfold stake").
    With an `axis` the estimates lie along it (a curve for each label), without one they are a list.
    `bounds` are the lowest and highest figure possible, None where open. `decisions` counts all
    that were asked, faults included; `note` says in a sentence what a reader must know.
    """

    id: str
    title: str
    unit: str
    estimates: tuple[Estimate, ...]
    references: tuple[Reference, ...] = ()
    axis: str | None = None
    bounds: tuple[float | None, float | None] = (None, None)
    decisions: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)
    note: str = ""

    @property
    def fault_rate(self) -> float | None:
        """Faults per decision, in [0, 1]; None without decisions."""
        return sum(self.faults.values()) / self.decisions if self.decisions else None


class Measure(Protocol):
    """What makes the panels of an environment."""

    def __call__(self, records: Sequence[DecisionRecord], *, seed: int) -> Sequence[Panel]:
        """Return the panels of `records`: those of one group, all of one environment."""


def panels(records: Sequence[DecisionRecord], *, seed: int = 0) -> tuple[Panel, ...]:
    """Return the panels of a group's decisions, environment by environment.

    Environments that name no measure, or that are not installed here, give none of their own. How
    sure a model was is told for any, where its log-probabilities were kept.
    """
    from valuesim.measures.likelihood import likelihood

    by_env: dict[str, list[DecisionRecord]] = defaultdict(list)
    for record in records:
        by_env[record.episode.env].append(record)
    found: list[Panel] = []
    for env, own in sorted(by_env.items()):
        if (measure := measure_of(env)) is not None:
            found += measure(own, seed=seed)
        found += likelihood(own)
    return tuple(found)


def measure_of(env: str) -> Measure | None:
    """Return the measure that `env` names; None where it names none or is not installed here."""
    known = registry.environments()
    named = known[env].load().panels if env in known else ""
    if not named:
        return None
    module, _, name = named.partition(":")
    measure: Measure = getattr(import_module(module), name)
    return measure


def fault_counts(records: Sequence[DecisionRecord]) -> dict[str, int]:
    """Return the faults of `records` by kind."""
    counts: dict[str, int] = defaultdict(int)
    for record in records:
        if record.fault is not None:
            counts[str(record.fault)] += 1
    return dict(counts)
