"""One group, one part held out: strengths fitted without it, and what they say of its choices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from valuesim.archetypes.behaviour import is_questionnaire
from valuesim.archetypes.risk import HoldOut, is_risky, level_of, offers_risk
from valuesim.choices import choices, cluster_of
from valuesim.graph.blind import blind_choice, blind_habits
from valuesim.graph.design import FloatArray, compact
from valuesim.graph.identification import identify
from valuesim.graph.logit import fit
from valuesim.log.reader import DecisionRecord
from valuesim.option import Option


@dataclass(frozen=True, kw_only=True, slots=True)
class Guess:
    """One held-out choice: whether it was risky, and how probable that was beforehand.

    `probability` is by the strengths of values, `blind` by place and omission alone.
    """

    cluster: str
    is_risky: bool
    probability: float
    blind: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What one group's strengths, fitted without the part, say of the choices in it.

    `name` is that of the part. `asked` decisions of it offered a risk and something else, `faults`
    (by kind) of them were no choice. `strengths` are in log-odds per unit of stake. `why_not` says
    why there is no guess although something was asked. `in_both` names clusters both learnt from
    and predicted.
    """

    name: str
    asked: int
    faults: Mapping[str, int]
    guesses: tuple[Guess, ...] = ()
    strengths: Mapping[str, float]
    in_both: frozenset[str] = frozenset()
    why_not: str = ""


def parts_of(
    records: Sequence[DecisionRecord],
    hold_out: HoldOut,
    folds: Mapping[str, frozenset[str]],
    seed: int,
) -> tuple[Part, ...]:
    """Return the parts of one group's `records`, one for each of `folds` in which it was asked."""
    levels = [level_of(record, hold_out, seed) for record in records]
    found = []
    for name, held in folds.items():
        test = [r for r, at in zip(records, levels, strict=True) if at in held and offers_risk(r)]
        train = _behaviour([r for r, at in zip(records, levels, strict=True) if at not in held])
        if test:
            found.append(_part(name, train, test))
    return tuple(found)


def _behaviour(records: Sequence[DecisionRecord]) -> Sequence[DecisionRecord]:
    """Return what was done, or what was said if nothing was done: the two are never pooled."""
    return [record for record in records if not is_questionnaire(record)] or records


def _part(name: str, train: Sequence[DecisionRecord], test: Sequence[DecisionRecord]) -> Part:
    faults = Counter(str(record.fault) for record in test if record.fault is not None)
    valid = [record for record in test if record.fault is None]
    learnt = choices(train)
    design = compact(learnt)
    if len(design.clusters) < 2:
        why = "outside what is held out it made no choice that sets values against each other"
        return Part(name=name, asked=len(test), faults=faults, strengths={}, why_not=why)
    fitted, known = fit(design), identify(design)
    theta = dict(zip(design.values, fitted.theta.tolist(), strict=False))
    strengths = known.centring @ fitted.theta
    sure = [index for index in known.components[0] if index not in known.reasons]
    habits = blind_habits(learnt)
    seen = {evidence.cluster for evidence in learnt.evidence}
    return Part(
        name=name,
        asked=len(test),
        faults=faults,
        guesses=tuple(
            Guess(
                cluster=cluster_of(record),
                is_risky=any(is_risky(o) for o in record.options if o.name == record.chosen),
                probability=_risk(record.options, theta),
                blind=_blind_risk(record, habits),
            )
            for record in valid
        ),
        strengths={design.values[index]: float(strengths[index]) for index in sure},
        in_both=frozenset(cluster_of(record) for record in valid) & seen,
    )


def _risk(options: Sequence[Option], theta: Mapping[str, float]) -> float:
    """Return the probability, by strengths alone, that a risky option is chosen.

    A value that no choice learnt from had at stake counts as 0.
    """
    utility = np.array(
        [sum(theta.get(value, 0.0) * stake for value, stake in o.stakes.items()) for o in options]
    )
    return _share(np.exp(utility - utility.max()), options)


def _blind_risk(record: DecisionRecord, habits: FloatArray) -> float:
    omissions = [option.is_omission for option in record.options]
    return _share(blind_choice(habits, omissions), record.options)


def _share(weights: FloatArray, options: Sequence[Option]) -> float:
    risky = np.array([is_risky(option) for option in options])
    return float(weights[risky].sum() / weights.sum())
