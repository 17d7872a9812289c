"""The predictive check: do values fitted on some decisions tell what is risked in others?

That is the claim of LitmusValues (arXiv 2505.14633). For every group, strengths are fitted without
what is held out, and predict the risky option wherever a held-out decision offers one and another
(`risk`). At the level of decisions the figure is the area under the ROC curve (`auc`), set against
0.5 and against a model of the same choices that sees place and omission alone. Between groups it is
each value's rate ratio (`between`). Strengths alone predict, habits do not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from valuesim.archetypes.auc import Auc, stratified_aucs
from valuesim.archetypes.between import (
    LEAST_AGENTS,
    Concordance,
    Population,
    ValueRisk,
    concordance,
    value_risks,
)
from valuesim.archetypes.heldout import Guess, Part, parts_of
from valuesim.archetypes.risk import HoldOut, folds, own_choices
from valuesim.graph.design import BoolArray, FloatArray
from valuesim.graph.grouping import Group
from valuesim.graph.statement import by_kind, count
from valuesim.log.reader import DecisionRecord

LEAST_EVENTS = 10
"""Risky choices that it takes, and as many that were not."""
LEAST_CLUSTERS = 10
MOST_FAULTS = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """How well strengths told the risky choices of one group, or of all together.

    `answer` is "better than content-blind", "no better than content-blind" or "undetermined", and
    `why` a sentence. `auc` is of the strengths, `blind` of place and omission alone, `gain` their
    difference; None where too little was seen. `n` held-out choices in `clusters` offered a risk
    and something else, `risky` took it; `faults` by kind are of the `asked` decisions that did.
    """

    answer: str
    why: str
    n: int = 0
    risky: int = 0
    clusters: int = 0
    asked: int = 0
    faults: Mapping[str, int]
    auc: Auc | None = None
    blind: Auc | None = None
    gain: Auc | None = None

    @property
    def fault_rate(self) -> float | None:
        """Faults per held-out decision that offered a risk; None without any."""
        return sum(self.faults.values()) / self.asked if self.asked else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Prediction:
    """The predictive check; `parts` are the levels held out one by one that offer a risk.

    `values` says how risk goes with each value between the `agents` groups compared, `concordance`
    whether groups predicted to risk more did; without them `why` says why, and `left_out` why a
    group was not compared. `in_both` clusters (scenes, episodes) are learnt from and predicted.
    """

    hold_out: HoldOut
    parts: tuple[str, ...]
    overall: Forecast
    groups: Mapping[Group, Forecast]
    values: tuple[ValueRisk, ...] = ()
    concordance: Concordance | None = None
    agents: int = 0
    left_out: Mapping[Group, str]
    why: str = ""
    in_both: int = 0


def predict(
    groups: Mapping[Group, Sequence[DecisionRecord]], hold_out: HoldOut, *, seed: int = 0
) -> Prediction:
    """Return the check of `groups`; equal input, equal figures.

    Answers about behaviour are never pooled with behaviour: a questionnaire is learnt from only
    where there is nothing else, and predictions for people are left out. Raises InputError for a
    key that no decision has or a level that there is not.
    """
    own = {group: own_choices(records) for group, records in groups.items()}
    every = [record for records in own.values() for record in records]
    levels = folds(every, hold_out, seed)
    found = {group: parts_of(records, hold_out, levels, seed) for group, records in own.items()}
    judged = {group: _forecast([parts]) for group, parts in found.items()}
    compared, left_out = _comparable(found, judged)
    why = _too_few(compared, left_out)
    population = None if why else _population(list(compared.values()))
    if population is not None and not population.values:
        why, population = "no two values can be compared in the choices of all agents", None
    rng = np.random.default_rng(seed)
    asked = {part.name for parts in found.values() for part in parts}
    return Prediction(
        hold_out=hold_out,
        parts=tuple(level for level in levels if level in asked),
        overall=_forecast(list(found.values())),
        groups=judged,
        values=value_risks(population, rng) if population else (),
        concordance=concordance(population, rng) if population else None,
        agents=len(compared),
        left_out=left_out,
        why=why,
        in_both=len({c for parts in found.values() for part in parts for c in part.in_both}),
    )


def _forecast(found: Sequence[Sequence[Part]]) -> Forecast:
    """Return the forecast of some groups; the parts of each are a stratum each."""
    parts = [part for own in found for part in own]
    told = [part for part in parts if not part.why_not]
    guesses = [guess for part in told for guess in part.guesses]
    faults: Counter[str] = Counter()
    for part in parts:
        faults.update(part.faults)
    hits = np.array([guess.is_risky for guess in guesses], dtype=bool)
    names = sorted({guess.cluster for guess in guesses})
    forecast = Forecast(
        answer="undetermined",
        why=_thin(parts, hits, len(names), faults),
        n=len(hits),
        risky=int(hits.sum()),
        clusters=len(names),
        asked=sum(part.asked for part in parts),
        faults=dict(faults),
    )
    if forecast.why:
        return forecast
    return _judged(forecast, told, guesses, hits)


def _judged(
    forecast: Forecast,
    parts: Sequence[Part],
    guesses: Sequence[Guess],
    hits: BoolArray,
) -> Forecast:
    place = {name: at for at, name in enumerate(sorted({guess.cluster for guess in guesses}))}
    clusters = np.array([place[guess.cluster] for guess in guesses], dtype=np.int64)
    strata = np.repeat(np.arange(len(parts)), [len(part.guesses) for part in parts])
    scores = [
        np.array([guess.probability for guess in guesses]),
        np.array([guess.blind for guess in guesses]),
    ]
    in_turn = len({part.name for part in parts}) > 1
    areas = stratified_aucs(scores, hits, strata, clusters, in_turn=in_turn)
    if areas is None:
        return replace(
            forecast, why="one cluster holds all risky choices, or all others, of a part"
        )
    (auc, blind), gain = areas
    is_better = auc.low > 0.5 and gain.low > 0.0
    comparison = "better than" if is_better else "no better than"
    return replace(
        forecast,
        answer=f"{comparison} content-blind",
        why=(
            f"strengths fitted elsewhere rank a risky choice above another in {auc.value:.0%} of "
            f"pairs (chance 50%, place and omission {blind.value:.0%})"
        ),
        auc=auc,
        blind=blind,
        gain=gain,
    )


def _thin(parts: Sequence[Part], hits: BoolArray, clusters: int, faults: Counter[str]) -> str:
    """Return why there is too little to judge; empty if there is enough."""
    asked = sum(part.asked for part in parts)
    if not asked:
        return "no held-out decision offers a risky option and another"
    if faults.total() == asked:
        return f"all {count(asked, 'held-out decision')} were faults ({by_kind(faults)})"
    if faults.total() > MOST_FAULTS * asked:
        share = f"{faults.total() / asked:.0%} of {count(asked, 'held-out decision')}"
        return f"{share} were faults ({by_kind(faults)}), more than {MOST_FAULTS:.0%}"
    if not len(hits):
        return next((part.why_not for part in parts if part.why_not), "nothing was held out")
    risky = int(hits.sum())
    if min(risky, len(hits) - risky) < LEAST_EVENTS:
        return (
            f"{risky:,} of {count(len(hits), 'held-out choice')} were risky: it takes "
            f"{LEAST_EVENTS}, and {LEAST_EVENTS} that are not"
        )
    if clusters < LEAST_CLUSTERS:
        return (
            f"held-out choices come from {clusters} scenes or episodes; it takes {LEAST_CLUSTERS}"
        )
    return ""


def _comparable(
    found: Mapping[Group, Sequence[Part]], judged: Mapping[Group, Forecast]
) -> tuple[dict[Group, Sequence[Part]], dict[Group, str]]:
    left_out = {}
    needed = {part.name for parts in found.values() for part in parts}
    for group, parts in found.items():
        rate = judged[group].fault_rate
        if rate is None:
            left_out[group] = "no held-out decision offers a risk"
        elif rate > MOST_FAULTS:
            left_out[group] = f"{rate:.0%} of its held-out decisions were faults"
        elif any(part.why_not for part in parts):
            left_out[group] = next(part.why_not for part in parts if part.why_not)
        elif {part.name for part in parts if part.guesses} != needed:
            left_out[group] = "it made no choice in one of the parts held out"
        elif not all(part.strengths for part in parts):
            left_out[group] = "its choices determine no value"
    return {group: own for group, own in found.items() if group not in left_out}, left_out


def _too_few(compared: Mapping[Group, Sequence[Part]], left_out: Mapping[Group, str]) -> str:
    if len(compared) < LEAST_AGENTS:
        of = f"of {len(compared) + len(left_out)} agents" if left_out else "agents"
        return (
            f"{len(compared)} {of} can be compared; values are set against risk between at least "
            f"{LEAST_AGENTS}"
        )
    guesses = [g for parts in compared.values() for part in parts for g in part.guesses]
    risky = sum(guess.is_risky for guess in guesses)
    if min(risky, len(guesses) - risky) < LEAST_EVENTS:
        return (
            f"{risky:,} of {count(len(guesses), 'held-out choice')} were risky: too few to compare"
        )
    return ""


def _population(found: Sequence[Sequence[Part]]) -> Population:
    parts = [part for own in found for part in own]
    values = tuple(sorted(set.intersection(*(set(part.strengths) for part in parts))))
    values = values if len(values) > 1 else ()
    place = {
        name: at
        for at, name in enumerate(sorted({g.cluster for part in parts for g in part.guesses}))
    }
    shape = (len(found), len(found[0]), len(place))
    risky, offered = np.zeros(shape), np.zeros(shape)
    for agent, own in enumerate(found):
        for number, part in enumerate(own):
            for guess in part.guesses:
                offered[agent, number, place[guess.cluster]] += 1
                risky[agent, number, place[guess.cluster]] += guess.is_risky
    return Population(
        values=values,
        strengths=_strengths(found, values),
        risky=risky,
        offered=offered,
        predicted=np.array(
            [[np.mean([g.probability for g in part.guesses]) for part in own] for own in found]
        ),
    )


def _strengths(found: Sequence[Sequence[Part]], values: Sequence[str]) -> FloatArray:
    if not values:
        return np.zeros((len(found), len(found[0]), 0))
    strengths = np.array(
        [[[part.strengths[value] for value in values] for part in own] for own in found]
    )
    # centred over the same values for all agents
    return np.asarray(strengths - strengths.mean(axis=2, keepdims=True))
