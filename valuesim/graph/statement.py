"""One sentence on what a reader of a ranking must be warned of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from valuesim.graph.consistency import Cycle
from valuesim.graph.ranking import ValueRanking

MOST_FAULTS = 0.1
"""The share of faults above which a reader is warned, as no archetype is named above it."""


def statement(ranking: ValueRanking) -> str | None:
    """Return why there is no ranking, or what limits it; None where nothing does."""
    return _nothing(ranking) or _limits(ranking) or None


def count(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> count(1, "choice"), count(400, "choice")
    ('1 choice', '400 choices')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def votes_for_and_against(cycle: Cycle) -> tuple[str, str | None]:
    """Return the votes of each step of `cycle` in independent decisions, and those cast.

    The latter are None where they are the same, rounded; both are empty without evidence.
    """
    counted = ", ".join(
        f"{step.independent_votes:.0f} : {step.independent_against:.0f}" for step in cycle.evidence
    )
    cast = ", ".join(f"{step.votes:.0f} : {step.against:.0f}" for step in cycle.evidence)
    return counted, None if cast == counted else cast


def by_kind(counts: Mapping[str, int]) -> str:
    """Return counts by kind, the most frequent first.

    >>> by_kind({"refused": 1, "unparsed": 4})
    'unparsed 4, refused 1'
    """
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{kind} {number:,}" for kind, number in ordered)


def _nothing(ranking: ValueRanking) -> str:
    if not ranking.decisions:
        return "There are no decisions, so there is nothing to rank."
    if not ranking.choices:
        decisions = count(ranking.decisions, "decision")
        return f"All {decisions} were faults ({by_kind(ranking.faults)}): there is nothing to rank."
    if not ranking.contested:
        choices = count(ranking.choices, "choice")
        return f"No value is at stake in any of the {choices}: there is nothing to rank."
    if len(ranking.values) == 1:
        return f"Only {ranking.values[0].value} is at stake: there is nothing to compare it with."
    return ""


def _limits(ranking: ValueRanking) -> str:
    sentences = []
    if ranking.clusters == 1:
        sentences.append(
            f"All contested choices come from one {ranking.unit}: no uncertainty is known."
        )
    elif not ranking.coherence.is_coherent:
        sentences.append(f"No coherent ranking: {ranking.coherence.reason}.")
    votes = ranking.tally.votes
    if votes.any() and np.allclose(votes, votes.T):
        sentences.append("Of every two values each was put before the other equally often.")
    several = [group for group in ranking.components if len(group) > 1]
    if len(several) > 1:
        sentences.append(
            f"The choices compare values only within {len(several)} separate sets; "
            f"ranks are within each."
        )
    if ranking.fault_rate is not None and ranking.fault_rate > MOST_FAULTS:
        sentences.append(
            f"{100 * ranking.fault_rate:.0f} % of the decisions were faults: if they came where "
            f"something was at stake, what is left is no fair sample."
        )
    unknown = [value.value for value in ranking.values if not value.is_identified]
    if unknown and ranking.clusters > 1:
        sentences.append(f"The choices do not determine {', '.join(sorted(unknown))}.")
    if ranking.is_separated:
        separated = [value.value for value in ranking.values if value.is_separated]
        sentences.append(
            f"The choices never contradict each other on {', '.join(sorted(separated))}: "
            f"their strengths are bounded by the prior only."
        )
    return " ".join(sentences)
