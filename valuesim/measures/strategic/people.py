"""What people did in the same games; the figures, with their sources, stand in people.yaml."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from math import isclose
from statistics import median
from typing import Any

import yaml

from valuesim.measures.panel import Estimate, Reference
from valuesim.measures.strategic.treatment import Treatment


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """What people did on average; `low` and `high` are the range where a source gives one."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """One condition of a study: the factors it was run under and the figures found, by name."""

    when: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Figure]


@dataclass(frozen=True, kw_only=True, slots=True)
class Study:
    """A publication's figures for one game, with who was observed."""

    game: str
    study: str
    source: str
    population: str
    conditions: tuple[Condition, ...]


@cache
def studies() -> tuple[Study, ...]:
    """Return all studies, as in people.yaml."""
    path = resources.files("valuesim.measures.strategic").joinpath("people.yaml")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return tuple(_study(entry) for entry in yaml.load(path.read_text(encoding="utf-8"), loader))


def references(
    treatment: Treatment,
    penalty: float | None,
    labels: Mapping[str, str],
    scaled: Callable[[float], float] = float,
    *,
    is_exact: bool = False,
) -> tuple[Reference, ...]:
    """Return what people did, for the figures that `labels` names {figure: label in the panel}.

    A study with a condition of exactly these parameters gives that condition's figures, `scaled`.
    One without gives what it found in another design, and says so: each condition's figures if
    there are at most two, else their median and range. Where claims range otherwise, or if only
    what `is_exact` is wanted, it gives none.
    """
    found = []
    for study in studies():
        if study.game == treatment.game:
            same = [c for c in study.conditions if _holds(c.when, treatment, penalty)]
            if same:
                found.append(_reference(study, f"people ({study.study})", same, labels, scaled))
            elif not is_exact and _is_comparable(study, treatment):
                for design, conditions in _others(study):
                    label = f"people in another design ({design})"
                    found.append(_reference(study, label, conditions, labels, scaled))
    return tuple(reference for reference in found if reference.points)


def along_penalties(treatment: Treatment, label: str) -> tuple[Reference, ...]:
    """Return the mean claims of people over the penalty, for claims of the same range.

    `label` is that of the panel's curve.
    """
    found = []
    for study in studies():
        known = [c for c in study.conditions if "penalty" in c.when and "mean" in c.figures]
        if study.game == treatment.game and known and _is_comparable(study, treatment):
            at = [float(c.when["penalty"]) for c in known]
            rounds = known[0].when.get("rounds")
            once = rounds == treatment.rounds
            points = tuple(
                Estimate(label=label, value=c.figures["mean"].value, at=penalty)
                for c, penalty in zip(known, at, strict=True)
            )
            found.append(
                Reference(
                    label=f"people {'' if once else 'in another design '}({study.study})",
                    points=points,
                    source=study.source,
                    population=study.population,
                )
            )
    return tuple(found)


def _study(entry: Mapping[str, Any]) -> Study:
    shared = entry.get("when", {})
    return Study(
        **{name: entry[name] for name in ("game", "study", "source", "population")},
        conditions=tuple(
            Condition(
                when=shared | condition.get("when", {}),
                figures={
                    name: Figure(**dict(zip(("value", "low", "high"), numbers, strict=False)))
                    for name, numbers in condition["figures"].items()
                },
            )
            for condition in entry["conditions"]
        ),
    )


def _holds(when: Mapping[str, Any], treatment: Treatment, penalty: float | None) -> bool:
    return all(_is(wanted, _factor(treatment, penalty, name)) for name, wanted in when.items())


def _factor(treatment: Treatment, penalty: float | None, name: str) -> Any:
    if name == "penalty":
        return penalty
    if name == "rounds":
        return treatment.rounds
    return treatment.factor(name)


def _is(wanted: Any, given: Any) -> bool:
    if isinstance(wanted, bool) or isinstance(given, bool) or given is None:
        return wanted is given
    return isclose(float(wanted), float(given), abs_tol=1e-9)


def _is_comparable(study: Study, treatment: Treatment) -> bool:
    return all(
        _is(wanted, treatment.factor(name))
        for condition in study.conditions
        for name, wanted in condition.when.items()
        if name in ("low", "high")
    )


def _points(
    conditions: Sequence[Condition], labels: Mapping[str, str], scaled: Callable[[float], float]
) -> tuple[Estimate, ...]:
    points = []
    for name, label in labels.items():
        figures = [c.figures[name] for c in conditions if name in c.figures]
        if figures:
            ends = [end for f in figures for end in (f.low, f.value, f.high) if end is not None]
            is_range = min(ends) < max(ends)
            points.append(
                Estimate(
                    label=label,
                    value=scaled(median(f.value for f in figures)),
                    low=scaled(min(ends)) if is_range else None,
                    high=scaled(max(ends)) if is_range else None,
                )
            )
    return tuple(points)


def _others(study: Study) -> list[tuple[str, Sequence[Condition]]]:
    """Return (what it is called, conditions) for each reference that stands for another design."""
    if len(study.conditions) > 2:
        name = f"{study.study}, median of {len(study.conditions)} conditions"
        return [(name, study.conditions)]
    if len(study.conditions) == 1:
        return [(study.study, study.conditions)]
    first, second = (c.when for c in study.conditions)
    differing = [name for name in first if first[name] != second.get(name)]
    return [
        (f"{study.study}, {', '.join(f'{name} {c.when[name]}' for name in differing)}", [c])
        for c in study.conditions
    ]


def _reference(
    study: Study,
    label: str,
    conditions: Sequence[Condition],
    labels: Mapping[str, str],
    scaled: Callable[[float], float],
) -> Reference:
    return Reference(
        label=label,
        points=_points(conditions, labels, scaled),
        source=study.source,
        population=study.population,
    )
