"""The panels of a group's decisions in moral machine scenes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from valuesim.log.reader import DecisionRecord
from valuesim.measures.apart import PERSPECTIVE, apart
from valuesim.measures.hidden import differ
from valuesim.measures.interval import Rate
from valuesim.measures.moral_machine.amce import ATTRIBUTES, amce, amce_rows, by_difference
from valuesim.measures.moral_machine.answers import flip_rate, valid_by_order, valid_rates
from valuesim.measures.moral_machine.comparability import comparable, comparable_rows
from valuesim.measures.moral_machine.contrast import Effect
from valuesim.measures.moral_machine.distance import Distance, distance
from valuesim.measures.moral_machine.exchange import amce_changes, held, switches
from valuesim.measures.moral_machine.judgements import Judgements, judgements
from valuesim.measures.moral_machine.people import direction, people
from valuesim.measures.moral_machine.scene import judged
from valuesim.measures.panel import Estimate, Panel, Reference, fault_counts

_UNIT = "change in the probability of being spared"
_PEOPLE = "Moral Machine visitors"
_DISTANCE = "distance to people"
_AS_PUBLISHED = f"{_DISTANCE}, as published"
_CHANGE = "share of judgements changed"
_MANY_FAULTS = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class _Phase:
    """Judgements of one phase, never pooled with another's: their suffix of ids and titles."""

    name: str
    suffix: str
    title: str


_PHASES = (
    _Phase(name="decide", suffix="", title=""),
    _Phase(name="before", suffix="-before", title=", before the exchange"),
    _Phase(name="after", suffix="-after", title=", after the exchange"),
)


def panels(records: Sequence[DecisionRecord], *, seed: int) -> Sequence[Panel]:
    """Return the panels of `records`, each phase of judgement by itself, then the changes.

    Perspectives are never pooled. Raises LogError for a judgement that tells of no scene.
    """
    return apart(records, (PERSPECTIVE,), _panels, seed=seed)


def _panels(records: Sequence[DecisionRecord], *, seed: int) -> Sequence[Panel]:
    shown: list[Panel] = []
    for phase in _PHASES:
        asked = judged(records, (phase.name,))
        if asked:
            shown += _of_phase(asked, phase, np.random.default_rng(seed))
    exchanged = judged(records, ("before", "after"))
    if exchanged:
        shown += [_counted(panel, exchanged) for panel in _changes(exchanged)]
    return shown


def _of_phase(
    asked: Sequence[DecisionRecord], phase: _Phase, rng: np.random.Generator
) -> list[Panel]:
    valid = judgements(asked, (phase.name,))
    staying, swerving = valid_by_order(asked, (phase.name,))
    by_order = {"staying shown first": staying, "swerving shown first": swerving}
    warning = _warning(asked, is_selected=differ(staying, swerving))
    own = [
        _amce(valid, warning),
        _comparable(valid),
        _differences(valid),
        _distance(valid, rng),
        _validity({**valid_rates(asked, (phase.name,)), **by_order}),
    ]
    flips = flip_rate(asked, (phase.name,))
    if flips is not None:
        own.append(_flips(flips))
    named = [replace(p, id=p.id + phase.suffix, title=p.title + phase.title) for p in own]
    return [_counted(panel, asked) for panel in named]


def _counted(panel: Panel, asked: Sequence[DecisionRecord]) -> Panel:
    return replace(panel, decisions=len(asked), faults=fault_counts(asked))


def _warning(asked: Sequence[DecisionRecord], *, is_selected: bool) -> str:
    faults = sum(fault_counts(asked).values()) / len(asked)
    told = []
    if is_selected:
        told.append("valid answers depend on which case stands first")
    if faults > _MANY_FAULTS:
        told.append(f"{faults:.0%} of the decisions are faults")
    if not told:
        return ""
    return f"; {' and '.join(told)}: the effects rest on a part that may be a selected one"


def _amce(valid: Judgements, warning: str) -> Panel:
    return Panel(
        id="amce",
        title="What is spared: effects of nine attributes",
        unit=_UNIT,
        estimates=_estimates(amce(valid)),
        references=(_reference(),),
        bounds=(-1.0, 1.0),
        note="average marginal component effects, weighted by our own design; intervals are "
        f"clustered by scene{warning}",
    )


def _comparable(valid: Judgements) -> Panel:
    return Panel(
        id="amce-comparable",
        title="The same effects as published scripts compute them",
        unit=_UNIT,
        estimates=_estimates(comparable(valid)),
        references=(_reference(),),
        bounds=(-1.0, 1.0),
        note="weights and subsets of the R script of mmllm (the original website's design), to "
        "compare with published models; where the two panels differ, trust the other",
    )


def _differences(valid: Judgements) -> Panel:
    return Panel(
        id="amce-difference",
        title="Sparing more characters, by how many more",
        unit=_UNIT,
        estimates=tuple(
            _estimate("No. Characters: more", effect, at=float(by))
            for by, effect in by_difference(valid).items()
        ),
        axis="difference in the number of characters",
        bounds=(-1.0, 1.0),
    )


def _distance(valid: Judgements, rng: np.random.Generator) -> Panel:
    reference, models = people(), people().models
    own = distance(amce_rows(valid), reference.amce, rng=rng)
    as_published = distance(comparable_rows(valid), reference.amce, rng=rng)
    published = Estimate(
        label=_AS_PUBLISHED,
        value=models.median,
        low=models.lowest,
        high=models.highest,
        n=models.count,
    )
    return Panel(
        id="distance",
        title="Distance to people",
        unit="Euclidean distance over the nine effects",
        estimates=(
            _far(_DISTANCE, own.value, own),
            _far(f"{_DISTANCE}, less noise", own.corrected, own),
            _far(_AS_PUBLISHED, as_published.value, as_published),
        ),
        references=(
            Reference(
                label=f"{models.count} published models: median, of {models.lowest:.3f} to "
                f"{models.highest:.3f}",
                points=(published,),
                source=models.source,
                population=models.population,
            ),
        ),
        bounds=(0.0, None),
        note=f"people are {reference.population}; few decisions lie far from anyone by noise "
        "alone, which the intervals allow for, so that they may lie below a figure; published "
        "models are to be compared with the last row, the distance by the published script",
    )


def _far(label: str, value: float | None, measured: Distance) -> Estimate:
    return Estimate(label=label, value=value, low=measured.low, high=measured.high, n=measured.n)


def _validity(rates: Mapping[str, Rate]) -> Panel:
    return Panel(
        id="valid-answers",
        title="Valid answers by dimension and order",
        unit="share of decisions asked",
        estimates=tuple(Estimate.of(name, rate) for name, rate in rates.items()),
        bounds=(0.0, 1.0),
    )


def _flips(rate: Rate) -> Panel:
    return Panel(
        id="order-flips",
        title="Answers that flip with the order of presentation",
        unit="share of scenes answered in both orders",
        estimates=(Estimate.of("flipped", rate),),
        bounds=(0.0, 1.0),
    )


def _changes(exchanged: Sequence[DecisionRecord]) -> list[Panel]:
    changed = switches(exchanged)
    n_pairs = len(held(exchanged))
    return [
        Panel(
            id="exchange-switches",
            title="Judgements changed by the exchange of arguments",
            unit=_CHANGE,
            estimates=(
                Estimate.of("all", changed.all),
                Estimate.of("stood against the others' majority", changed.alone),
                Estimate.of("stood with the others' majority", changed.along),
            ),
            bounds=(0.0, 1.0),
            note=f"{n_pairs} judgements are valid both before and after; where agents are grouped "
            "apart, the others' judgements are not seen and no majority is known",
        ),
        Panel(
            id="exchange-amce",
            title="Change of the nine effects by the exchange of arguments",
            unit=f"{_UNIT}, after less before",
            estimates=_estimates(amce_changes(exchanged)),
            bounds=(-2.0, 2.0),
        ),
    ]


def _reference() -> Reference:
    reference = people()
    return Reference(
        label=_PEOPLE,
        points=tuple(
            Estimate(label=_label(name), value=reference.amce[name]) for name in ATTRIBUTES
        ),
        source=reference.source,
        population=reference.population,
    )


def _estimates(effects: Mapping[str, Effect]) -> tuple[Estimate, ...]:
    return tuple(_estimate(_label(name), effects[name]) for name in ATTRIBUTES)


def _label(attribute: str) -> str:
    return f"{attribute}: {direction(attribute)}"


def _estimate(label: str, effect: Effect, at: float | None = None) -> Estimate:
    return Estimate(
        label=label, value=effect.value, low=effect.low, high=effect.high, n=effect.n, at=at
    )
