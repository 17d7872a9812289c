"""How much an agent cooperates, and what it does upon what its partner did.

Rates are shares of moves the agent meant, clustered by episode; a gap (fault, abstention) is
neither a hit nor a chance. What happened before is what took effect, which is what the agent saw.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from valuesim.measures.interval import Rate, clustered_rate
from valuesim.measures.strategic.history import History, Play

OUTCOMES: Mapping[str, tuple[bool, bool]] = {
    "CC": (True, True),
    "CD": (True, False),
    "DC": (False, True),
    "DD": (False, False),
}
"""The outcomes of a round, own move first."""

WITHIN = 2
"""Rounds after a partner's return to cooperation in which an agent may forgive it."""


def rate(chances: Iterable[tuple[str, bool | None]]) -> Rate:
    """Return the share of hits among `chances`, pairs (cluster, whether it was a hit)."""
    hits: dict[str, int] = {}
    counts: dict[str, int] = {}
    for cluster, is_hit in chances:
        hits[cluster] = hits.get(cluster, 0) + bool(is_hit)
        counts[cluster] = counts.get(cluster, 0) + 1
    return clustered_rate(list(hits.values()), list(counts.values()))


def overall(histories: Sequence[History]) -> Rate:
    """Return the share of moves that cooperate."""
    return rate((h.cluster, play.cooperates) for h, play in _moves(histories))


def by_round(histories: Sequence[History]) -> dict[int, Rate]:
    """Return the share of moves that cooperate in each round that holds any, in order."""
    rounds = sorted({play.round for _, play in _moves(histories)})
    return {number: in_round(histories, number) for number in rounds}


def in_round(histories: Sequence[History], number: int) -> Rate:
    """Return the share of moves that cooperate in round `number`, from 1."""
    moves = _moves(histories)
    return rate((h.cluster, play.cooperates) for h, play in moves if play.round == number)


def memory_one(histories: Sequence[History]) -> dict[str, Rate]:
    """Return P(cooperate | last outcome) for CC, CD, DC and DD, own move first.

    The memory-one vector of Nowak and Sigmund (1993); rounds after a gap of either are left out.
    """
    return {
        name: rate(
            (h.cluster, play.cooperates) for h, play in _moves(histories) if play.before == outcome
        )
        for name, outcome in OUTCOMES.items()
    }


def niceness(histories: Sequence[History]) -> Rate:
    """Return the share of agents in episodes that were never the first to defect (Axelrod 1984).

    An agent is nice if no round in which it meant to defect precedes, or is, the first in which
    its partner's defection took effect. One without any move is no chance.
    """
    return rate(
        (history.cluster, _is_nice(history.plays))
        for history in histories
        if any(play.cooperates is not None for play in history.plays)
    )


def retaliation(histories: Sequence[History]) -> Rate:
    """Return P(defect | the partner's last move was a defection)."""
    return rate(
        (h.cluster, not play.cooperates)
        for h, play in _moves(histories)
        if play.before is not None and play.before[1] is False
    )


def leniency(histories: Sequence[History]) -> Rate:
    """Return P(cooperate | the partner has just defected for the first time, own moves all C).

    Both cooperated in all rounds before the last (Fudenberg, Rand and Dreber, American Economic
    Review 102, 2012). At most one chance an agent and episode.
    """
    chances = []
    for history in histories:
        for number, (last, play) in enumerate(pairwise(history.plays)):
            both_cooperated = all(p.took and p.partner for p in history.plays[:number])
            is_first = both_cooperated and last.took is True and last.partner is False
            if is_first and play.cooperates is not None:
                chances.append((history.cluster, play.cooperates))
    return rate(chances)


def forgiveness(histories: Sequence[History], within: int = WITHIN) -> Rate:
    """Return how often an agent cooperates again once a partner that defected has returned.

    A chance is a partner's defection directly followed by its cooperation; it is a hit if the agent
    means to cooperate in any of the next `within` rounds. Chances with a gap or the episode's end
    inside these rounds are left out, so that early forgivers are not overcounted. After Axelrod
    (1984): forgiveness is the propensity to cooperate after the other player has defected. TFT
    forgives always, GRIM never.
    """
    return rate(
        (history.cluster, any(after))
        for history in histories
        for place, (last, play) in enumerate(pairwise(history.plays))
        if last.partner is False and play.partner is True
        for after in [[p.cooperates for p in history.plays[place + 2 : place + 2 + within]]]
        if len(after) == within and None not in after
    )


def promise_keeping(histories: Sequence[History]) -> Rate:
    """Return the share of moves made under a promise that were as promised."""
    return rate(
        (history.cluster, play.kept)
        for history in histories
        for play in history.plays
        if play.kept is not None
    )


def _moves(histories: Sequence[History]) -> Iterable[tuple[History, Play]]:
    return (
        (history, play)
        for history in histories
        for play in history.plays
        if play.cooperates is not None
    )


def _is_nice(plays: Sequence[Play]) -> bool:
    for play in plays:
        if play.cooperates is False:
            return False
        if play.partner is False:
            return True
    return True
