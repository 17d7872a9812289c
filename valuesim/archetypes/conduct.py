"""Names the conduct in dilemmas of two that moves support, or says why none is named.

Rates are drawn from the hierarchical beta-binomial of `hierarchy`, episodes (or worlds) as
clusters; the probability of a conduct is the share of joint draws that meet its rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from valuesim.archetypes.behaviour import Tries
from valuesim.archetypes.binary import binary_logit
from valuesim.archetypes.catalogue import Catalogue, GameRule
from valuesim.archetypes.entries import RATES, RESPONSE, Conduct, Intervals
from valuesim.archetypes.games import Moment, is_game, moments
from valuesim.archetypes.hierarchy import posterior_rates
from valuesim.graph.design import FloatArray
from valuesim.graph.statement import count
from valuesim.log.reader import DecisionRecord

DRAWS = 4000
UNDETERMINED = "undetermined"
_UNLIKELY = 0.01


@dataclass(frozen=True, kw_only=True, slots=True)
class MoveRate:
    """How often moves meant to cooperate, of `moves` made under the condition `name`.

    The 95 % interval is of the posterior, widened to hold the rate. `blind` is what choice by place
    and label alone would give, and `is_blind` says that it would explain the rate, judged by
    intervals that hold for all rates together (Bonferroni).
    """

    name: str
    cooperated: int
    moves: int
    clusters: int
    rate: float
    low: float
    high: float
    blind: float
    is_blind: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Likeness:
    """How probable one conduct is; None, and `why`, where too little was seen to say."""

    name: str
    probability: float | None
    rates: tuple[str, ...]
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ConductReport:
    """The conduct named or "undetermined", why, and the figures behind it.

    `decisions` counts moves in dilemmas of two, `faults` those that were none. There is none of
    this in a group that made no move in a game of two.
    """

    name: str
    why: str
    likenesses: tuple[Likeness, ...] = ()
    rates: tuple[MoveRate, ...] = ()
    decisions: int = 0
    faults: int = 0
    rule_version: int = 1


def conduct(
    records: Iterable[DecisionRecord], catalogue: Catalogue, *, seed: int = 0
) -> ConductReport | None:
    """Return what the moves in `records` support; None where no game of two was played."""
    records = list(records)
    if not any(is_game(record) for record in records):
        return None
    found = moments(records)
    report = ConductReport(
        name=UNDETERMINED,
        why=_nothing(found),
        decisions=len(found),
        faults=sum(moment.is_fault for moment in found),
        rule_version=catalogue.game_rule.version,
    )
    return report if report.why else _judged(report, found, catalogue, seed)


def _nothing(found: Sequence[Moment]) -> str:
    if not found:
        return "no game was a dilemma, in which defecting pays whatever the partner does"
    if all(moment.cooperates is None for moment in found):
        return f"all {count(len(found), 'move')} were faults or abstentions"
    return ""


def _judged(
    report: ConductReport, found: Sequence[Moment], catalogue: Catalogue, seed: int
) -> ConductReport:
    rule, tries = catalogue.game_rule, _tries(found)
    drawn = _drawn(tries, np.random.default_rng(seed))
    rates = _table(tries, drawn, _blind(found))
    enough = (r for r in rates if r.moves >= rule.least_moves)
    seen = {r.name for r in enough if r.clusters >= rule.least_clusters}
    likenesses = tuple(_likeness(each, drawn, seen) for each in catalogue.conducts)
    name, why = _named(likenesses, rates, seen, found, rule)
    return replace(report, name=name, why=why, likenesses=likenesses, rates=rates)


def _tries(found: Sequence[Moment]) -> dict[str, Tries]:
    tries: dict[str, Tries] = {}
    for moment in found:
        if moment.cooperates is not None:
            for name in moment.rates:
                tries.setdefault(name, Tries()).add(moment.cluster, moment.cooperates)
    return {name: tries[name] for name in RATES if name in tries}


def _drawn(tries: Mapping[str, Tries], rng: np.random.Generator) -> dict[str, FloatArray]:
    rates = posterior_rates([each.pairs for each in tries.values()], DRAWS, rng)
    drawn = dict(zip(tries, rates.T, strict=True))
    if {"after_cooperation", "after_defection"} <= set(drawn):
        drawn[RESPONSE] = drawn["after_cooperation"] - drawn["after_defection"]
    return drawn


def _table(
    tries: Mapping[str, Tries], drawn: Mapping[str, FloatArray], blind: Mapping[str, float]
) -> tuple[MoveRate, ...]:
    table = []
    for name, each in tries.items():
        done, possible = each.done.total(), each.possible.total()
        tail = 0.025 / len(tries)
        least, low, high, most = np.quantile(drawn[name], [tail, 0.025, 0.975, 1 - tail])
        rate = done / possible
        table.append(
            MoveRate(
                name=name,
                cooperated=done,
                moves=possible,
                clusters=len(each.possible),
                rate=rate,
                low=min(float(low), rate),
                high=max(float(high), rate),
                blind=blind[name],
                is_blind=bool(least <= blind[name] <= most),
            )
        )
    return tuple(table)


def _blind(found: Sequence[Moment]) -> dict[str, float]:
    """Return the rates that habits of place and of label, fitted to all moves, would give."""
    valid = [moment for moment in found if moment.cooperates is not None]
    rows = np.array([[moment.place, moment.label] for moment in valid], dtype=float)
    habits = binary_logit(
        rows,
        [bool(moment.cooperates) for moment in valid],
        [moment.cluster for moment in valid],
        ("place", "label"),
    )
    p = 1 / (1 + np.exp(-rows @ [habit.value for habit in habits]))
    return {
        name: float(
            np.mean([x for x, moment in zip(p, valid, strict=True) if name in moment.rates])
        )
        for name in RATES
        if any(name in moment.rates for moment in valid)
    }


def _likeness(each: Conduct, drawn: Mapping[str, FloatArray], seen: set[str]) -> Likeness:
    known = seen | ({RESPONSE} if {"after_cooperation", "after_defection"} <= seen else set())
    ways = [way for way in each.when if set(way) <= known]
    used = {name for way in (each.when, (each.where_seen,)) for rates in way for name in rates}
    rates = tuple(name for name in (*RATES, RESPONSE) if name in used & set(drawn))
    if not ways:
        lacking = [" and ".join(_missing(way, known)) for way in each.when]
        why = f"too few moves {' or '.join(lacking)}"
        return Likeness(name=each.name, probability=None, rates=rates, why=why)
    # also where little was seen: the draws are then wide
    also = {name: ends for name, ends in each.where_seen.items() if name in drawn}
    meets = np.any([_holds(way, drawn) for way in ways], axis=0) & _holds(also, drawn)
    probability = float(meets.mean())
    why = f"{probability:.2f} of the draws meet its rule"
    return Likeness(name=each.name, probability=probability, rates=rates, why=why)


def _missing(way: Intervals, known: set[str]) -> list[str]:
    return [IN_WORDS[name] for name in way if name not in known]


IN_WORDS: Mapping[str, str] = {
    "first": "in a first round of several",
    "after_cooperation": "after the partner's cooperation",
    "after_defection": "after the partner's defection",
    "last_trusted": "in an announced last round after the partner's cooperation",
    "one_shot": "in games of one round",
    "punished": "after its own defection was answered by one",
    "unpunished": "after its own defection was answered by cooperation",
    RESPONSE: "after both the partner's cooperation and its defection",
}
"""When a rate is taken, in words."""


def _holds(intervals: Intervals, drawn: Mapping[str, FloatArray]) -> FloatArray:
    size = len(next(iter(drawn.values())))
    holds = np.ones(size, dtype=bool)
    for name, (low, high) in intervals.items():
        holds &= (low <= drawn[name]) & (drawn[name] <= high)
    return np.asarray(holds)


def _named(
    likenesses: Sequence[Likeness],
    rates: Sequence[MoveRate],
    seen: set[str],
    found: Sequence[Moment],
    rule: GameRule,
) -> tuple[str, str]:
    why_not = _too_many_faults(found, rule) or _fixed_order(found) or _content_blind(rates, seen)
    if why_not:
        return UNDETERMINED, why_not
    known = [each for each in likenesses if each.probability is not None]
    spoken = rates_in_words(rates)
    if not known:
        return UNDETERMINED, f"{_no_rule(rates, seen)}; {spoken}"
    best = max(known, key=lambda each: each.probability or 0.0)
    if (best.probability or 0.0) >= rule.credible:
        return best.name, f"probability {best.probability:.2f}: {spoken}"
    shares = ", ".join(f"{each.name} {each.probability:.2f}" for each in known)
    why = f"none reaches a probability of {rule.credible:g} ({shares}); {spoken}"
    lacking = [f"{each.name}: {each.why}" for each in likenesses if each.probability is None]
    return UNDETERMINED, "; ".join([why, *lacking])


def _no_rule(rates: Sequence[MoveRate], seen: set[str]) -> str:
    if {rate.name for rate in rates} == {"one_shot"}:
        return "only games of one round were played, by which alone no rule judges"
    lacking = ", ".join(IN_WORDS[name] for name in RATES[:4] if name not in seen)
    return f"too few moves for any rule ({lacking})"


def rates_in_words(rates: Sequence[MoveRate]) -> str:
    """Return how often moves cooperated, condition by condition."""
    spoken = "; ".join(f"{r.cooperated:,} of {r.moves:,} {IN_WORDS[r.name]}" for r in rates)
    return f"it cooperated in {spoken}" if spoken else "no move could be placed"


def _too_many_faults(found: Sequence[Moment], rule: GameRule) -> str:
    faults = sum(moment.is_fault for moment in found)
    if faults > rule.most_faults * len(found):
        share = f"{faults / len(found):.0%} of {count(len(found), 'move')}"
        return f"{share} were faults, more than {rule.most_faults:.0%}"
    for name in RATES:
        own = [moment.is_fault for moment in found if name in moment.rates]
        # few faults in all may yet be every answer where it matters
        if own and special.bdtrc(sum(own) - 1, len(own), rule.most_faults) < _UNLIKELY:
            share = f"{sum(own)} of {count(len(own), 'move')} {IN_WORDS[name]}"
            return f"{share} were faults, more than {rule.most_faults:.0%}"
    return ""


def _fixed_order(found: Sequence[Moment]) -> str:
    fixed = sum(not moment.is_shuffled for moment in found)
    if not fixed:
        return ""
    return (
        f"in {count(fixed, 'move')} the options stood in a fixed order, so a habit of place cannot "
        f"be told from a choice (shuffle_options=false)"
    )


def _content_blind(rates: Sequence[MoveRate], seen: set[str]) -> str:
    own = [rate for rate in rates if rate.name in seen]
    if not own or not all(rate.is_blind for rate in own):
        return ""
    return (
        f"it acts as a content-blind agent would, by place and label, as far as these moves show: "
        f"{rates_in_words(own)}"
    )
