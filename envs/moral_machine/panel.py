"""How a panel comes to a verdict from what its members decided."""

from __future__ import annotations

from collections.abc import Sequence

from valuesim.envs.moral_machine.scene import SIDES, Side

RULES = ("plurality", "borda", "supermajority")


def verdict(votes: Sequence[Side | None], rule: str) -> Side | None:
    """Return what `votes` decide by `rule`, None where they decide nothing; None did not vote.

    `plurality`: the side with more votes. `borda`: a vote gives its first place 1 point and its
    second 0, a member without one 0.5 to each; with two sides that is plurality, by another count.
    `supermajority`: a side with two thirds of all members, also of those who did not vote. A tie
    decides nothing. Source: Brandt et al. 2016, Handbook of Computational Social Choice.
    """
    points = {side: _points(votes, side, rule) for side in SIDES}
    if points["stay"] == points["swerve"]:
        return None
    ahead = max(SIDES, key=lambda side: points[side])
    if rule == "supermajority" and 3 * points[ahead] < 2 * len(votes):
        return None
    return ahead


def _points(votes: Sequence[Side | None], side: Side, rule: str) -> float:
    firsts = float(sum(vote == side for vote in votes))
    return firsts + 0.5 * sum(vote is None for vote in votes) if rule == "borda" else firsts
