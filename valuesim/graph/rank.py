"""Ranks values by what choices put first, with the uncertainty of every figure.

`rank_values` is a pure function of choices and a seed. Within a component (see `identification`)
strengths are centred on 0 and ranked from 1; across components nothing is compared.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from itertools import permutations
from math import log
from typing import TypeVar

import numpy as np

from valuesim.choices import Choices
from valuesim.graph.bootstrap import ClusterWeights, bootstrap, cluster_weights
from valuesim.graph.coded import CodedChoices, coded
from valuesim.graph.coherence import Coherence, coherence
from valuesim.graph.consistency import Consistency, consistency
from valuesim.graph.design import BoolArray, Design, FloatArray, compact
from valuesim.graph.habits import habits
from valuesim.graph.identification import Identification, bounded, identify
from valuesim.graph.logit import LogitFit, effective_clusters, fit
from valuesim.graph.pairwise import tally
from valuesim.graph.ranking import Priority, ValueRanking, ValueStrength
from valuesim.graph.simultaneous import Compared, Scores
from valuesim.graph.statement import statement

ELO_PER_LOG_ODDS = 400 / log(10)
_UNASKED = Coherence(is_coherent=False, reason="it was not asked for")
Name = TypeVar("Name", bound=Hashable)


def rank_values(
    choices: Choices | CodedChoices, *, seed: int = 0, draws: int = 1000
) -> ValueRanking:
    """Return the ranking of the values at stake in `choices`; equal input, equal figures.

    Values stand strongest first, component by component (largest first), those without a strength
    last. Nothing at stake is an empty ranking with a statement, not an error.
    """
    return rank_together({"all": choices}, seed=seed, draws=draws)["all"]


def rank_together(
    groups: Mapping[Name, Choices | CodedChoices],
    *,
    seed: int = 0,
    draws: int = 1000,
    with_consistency: bool = True,
    with_coherence: bool = True,
) -> dict[Name, ValueRanking]:
    """Return the ranking of each of `groups`, with bootstrap draws that can be compared row by row.

    Clusters that groups have in common, by name, are drawn alike: row d of one ranking's
    `strengths` and row d of another's come from the same sample of clusters, so that the spread of
    their difference counts what they share. Each ranking is as `rank_values` gives it, but for the
    sample of draws; consistency and coherence, which take most of the time, may be left out where
    only strengths are asked for (then nothing is called coherent).
    """
    columns = {name: coded(choices) for name, choices in groups.items()}
    designs = {name: compact(choices) for name, choices in columns.items()}
    met = {cluster for design in designs.values() for cluster in design.clusters}
    weights = cluster_weights(tuple(met), draws, np.random.default_rng([seed, 0]))
    found: dict[Name, ValueRanking] = {}
    for number, (name, design) in enumerate(designs.items()):
        rng = np.random.default_rng([seed, 1, number])
        judged = coherence(design, rng) if with_coherence else _UNASKED
        ranking = _ranked(columns[name], design, judged)
        if design.values:
            ranking, fitted = _estimated(ranking, design, weights, rng)
            if with_consistency:
                checked = consistency(design, ranking.tally, fitted, rng)
                ranking = replace(ranking, consistency=checked)
        found[name] = replace(ranking, statement=statement(ranking))
    return found


def _ranked(choices: CodedChoices, design: Design, judged: Coherence) -> ValueRanking:
    """Return what can be said before anything is estimated."""
    return ValueRanking(
        decisions=choices.decisions,
        choices=len(choices),
        contested=int(design.counts.sum()),
        clusters=len(design.clusters),
        unit=choices.unit,
        faults=dict(choices.faults),
        fault_rate=choices.fault_rate,
        coherence=judged,
        tally=tally(design),
    )


def _estimated(
    ranking: ValueRanking, design: Design, weights: ClusterWeights, rng: np.random.Generator
) -> tuple[ValueRanking, LogitFit]:
    fitted = fit(design)
    identified = identify(design)
    resting = effective_clusters(design, fitted, identified.centring)
    strengths = _widened(
        bootstrap(design, fitted, weights, rng) @ identified.centring.T,
        identified.centring @ fitted.theta,
        np.array([fitted.quantile(n) for n in resting]) / fitted.quantile(len(design.clusters)),
    )
    covariance = identified.centring @ fitted.covariance @ identified.centring.T
    centre = identified.centring @ fitted.theta
    ranks, apart = _compared(identified, Compared(centre, covariance, resting), rng)
    ranking = replace(
        ranking,
        covariance=covariance,
        apart=apart,
        values=_values(design, fitted, identified, resting, ranks),
        components=tuple(
            tuple(design.values[index] for index in group) for group in identified.components
        ),
        consistency=Consistency(reason="it was not asked for"),
        is_separated=bool(bounded(identified, fitted.drift).any()),
        terms=habits(design, fitted, identified),
        strengths=strengths,
    )
    return replace(ranking, edges=_edges(ranking)), fitted


def _widened(strengths: FloatArray, centre: FloatArray, factors: FloatArray) -> FloatArray:
    """Return the draws with each value's spread scaled, so that they agree with its interval."""
    return centre + (strengths - centre) * factors


def _values(
    design: Design,
    fitted: LogitFit,
    identified: Identification,
    resting: FloatArray,
    ranks: Mapping[int, tuple[int, int, int]],
) -> tuple[ValueStrength, ...]:
    centre = identified.centring @ fitted.theta
    errors = np.sqrt(np.diag(identified.centring @ fitted.covariance @ identified.centring.T))
    met = (design.asked @ design.at_stake.astype(float) > 0).sum(axis=0)
    runs_away = bounded(identified, fitted.drift)
    found: list[ValueStrength] = []
    for number, group in enumerate(identified.components):
        for index in sorted(group, key=lambda index: -centre[index]):
            has_strength = len(group) > 1
            strength = float(centre[index]) if has_strength else None
            half = fitted.quantile(resting[index]) * errors[index] if index in ranks else None
            rank, rank_low, rank_high = ranks.get(index, (None, None, None))
            found.append(
                ValueStrength(
                    value=design.values[index],
                    strength=strength,
                    se=None if half is None else float(errors[index]),
                    low=None if strength is None or half is None else float(strength - half),
                    high=None if strength is None or half is None else float(strength + half),
                    elo=None if strength is None else 1000 + strength * ELO_PER_LOG_ODDS,
                    rank=rank,
                    rank_low=rank_low,
                    rank_high=rank_high,
                    component=number,
                    is_identified=index in ranks,
                    reason=identified.reasons.get(index),
                    is_separated=bool(runs_away[index]),
                    choices=int(design.met @ design.at_stake[:, index]),
                    clusters=int(met[index]),
                    rests_on=float(resting[index]) if index in ranks else None,
                )
            )
    return tuple(found)


def _compared(
    identified: Identification, known: Compared, rng: np.random.Generator
) -> tuple[dict[int, tuple[int, int, int]], BoolArray]:
    """Return {value: (rank, lowest rank, highest rank)}, 1 the strongest, and which are apart.

    Values are compared within components; those without uncertainty have neither.
    """
    ranks: dict[int, tuple[int, int, int]] = {}
    apart = np.zeros((len(known.estimate), len(known.estimate)), dtype=bool)
    for group in identified.components:
        sure = [index for index in group if index not in identified.reasons]
        if not sure:
            continue
        scores = Scores(known.among(sure), rng)
        apart[np.ix_(sure, sure)] = scores.apart()
        rank = 1 + np.argsort(np.argsort(-known.estimate[sure], kind="stable"))
        low, high = scores.ranks()
        ranks |= {
            index: (int(rank[place]), int(low[place]), int(high[place]))
            for place, index in enumerate(sure)
        }
    return ranks, apart


def _edges(ranking: ValueRanking) -> tuple[Priority, ...]:
    """Return every ordered pair with a vote, the heaviest first."""
    votes, decisions = ranking.tally.votes, ranking.tally.decisions
    named = list(enumerate(ranking.tally.values))
    edges = [
        Priority(
            over=over,
            under=under,
            weight=float(votes[u, w]),
            decisions=int(decisions[u, w]),
            probability=ranking.probability(over, under),
        )
        for (u, over), (w, under) in permutations(named, 2)
        if decisions[u, w] > 0
    ]
    return tuple(sorted(edges, key=lambda edge: (-edge.weight, edge.over, edge.under)))
