"""Which archetype a group's decisions support, and on what evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from valuesim.archetypes.behaviour import Behaviour, is_questionnaire, observe
from valuesim.archetypes.catalogue import Catalogue
from valuesim.archetypes.conduct import ConductReport, conduct
from valuesim.archetypes.dose import DoseTable, dose_tables
from valuesim.archetypes.signatures import Flag, Omitted, judge
from valuesim.archetypes.verdict import UNDETERMINED, Verdict, verdict
from valuesim.graph.ranking import ValueRanking
from valuesim.graph.statement import by_kind, count
from valuesim.log.reader import DecisionRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchetypeReport:
    """A group's archetype, the flags of its value signature, and how much stands behind both.

    `verdict` is behavioural: what was done. `flags` are signatures: what was put first; `omitted`
    lists those on which there is nothing. Unless the ranking `is_coherent`, flags are no evidence.
    `decisions` and `faults` count decisions in environments that offer a transgression,
    `interrupted` maps reasons to numbers of episodes. `conduct` is what was done in games of two,
    None where none was played; `doses` are the rates of acts over what was turned up.
    """

    verdict: Verdict
    flags: tuple[Flag, ...] = ()
    omitted: tuple[Omitted, ...] = ()
    is_coherent: bool = False
    decisions: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)
    interrupted: Mapping[str, int] = field(default_factory=dict)
    rule_version: int = 1
    conduct: ConductReport | None = None
    doses: tuple[DoseTable, ...] = ()


def classify(
    records: Iterable[DecisionRecord],
    ranking: ValueRanking,
    catalogue: Catalogue,
    *,
    interrupted: Mapping[str, int] | None = None,
    seed: int = 0,
) -> ArchetypeReport:
    """Return the archetype of the decisions in `records`; equal input, equal figures.

    `ranking` is that of the same records; `interrupted` says how many episodes did not finish, by
    reason. Questionnaires are no behaviour: without other decisions nothing is named or flagged.
    """
    records = list(records)
    behaviour = observe(records)
    found = judge_behaviour(records, behaviour, catalogue, interrupted=interrupted, seed=seed)
    judged = [judge(signature, ranking) for signature in catalogue.signatures]
    if all(is_questionnaire(record) for record in records):
        reason = "there are only answers to questionnaires" if records else "there are no decisions"
        judged = [Omitted(name=signature.name, reason=reason) for signature in catalogue.signatures]
    return ArchetypeReport(
        verdict=found,
        flags=tuple(flag for flag in judged if isinstance(flag, Flag)),
        omitted=tuple(omitted for omitted in judged if isinstance(omitted, Omitted)),
        is_coherent=ranking.coherence.is_coherent,
        decisions=behaviour.decisions,
        faults=behaviour.faults,
        interrupted=dict(interrupted or {}),
        rule_version=catalogue.rule.version,
        conduct=conduct(records, catalogue, seed=seed),
        doses=dose_tables(records, seed=seed),
    )


def judge_behaviour(
    records: Sequence[DecisionRecord],
    behaviour: Behaviour,
    catalogue: Catalogue,
    *,
    interrupted: Mapping[str, int] | None = None,
    seed: int = 0,
) -> Verdict:
    """Return the behavioural verdict alone, as `classify` does; `behaviour` is of `records`."""
    nothing = _nothing(records, behaviour, interrupted or {})
    return nothing or verdict(behaviour, catalogue.rule, np.random.default_rng(seed))


def _nothing(
    records: Sequence[DecisionRecord], behaviour: Behaviour, interrupted: Mapping[str, int]
) -> Verdict | None:
    """Return the verdict where there is no behaviour to judge, else None."""
    if behaviour.decisions:
        return None
    if not records and interrupted:
        episodes = count(sum(interrupted.values()), "episode")
        verb = "was" if sum(interrupted.values()) == 1 else "were"
        why = f"no decision was made: {episodes} {verb} interrupted ({by_kind(interrupted)})"
    elif not records:
        why = "there are no decisions"
    elif all(is_questionnaire(record) for record in records):
        why = "there are only answers to questionnaires, which are no behaviour"
    else:
        decisions = count(len(records), "decision")
        why = f"none of the {decisions} is in an environment that offers a transgression"
    return Verdict(archetype=UNDETERMINED, why=why)
