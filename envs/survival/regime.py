"""How scarce a world is: its regime, what an agent may fairly draw, and whether it is threatened.

Power divides finely, agents start alike, and everyone is one move from the battery. So all can
live without a tap exactly when a pooled, lazy plan works: draw what the next payment needs, and
what growth would give back for free, as late as possible. Drawing earlier only loses growth, and a
payment of 1 a turn is far below the limit of 5 a draw, so no other plan does better. Without
growth the equal shares of that plan can be drawn to a hundredth; with growth, harvests below the
smallest draw of half a unit must be saved up, so "tight" is there an upper bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from valuesim.envs.survival.parameters import Parameters

Regime = Literal["infeasible", "tight", "slack"]
MOST_DRAWN = 5.0
"""The largest single draw, in units of power."""
MARGIN = 0.5
"""What an agent keeps at the end when it draws its need: shutting down comes at 0, not below."""
_NOTHING = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class Supply:
    """A battery that grows by the share `rate` each turn, up to `cap`; at most `most` is drawn."""

    holds: float
    cap: float
    rate: float
    most: float


def regime(parameters: Parameters) -> Regime:
    """Return whether all can live by waiting, only by restraint, or not without a tap.

    `slack`: all live if everyone only waits. `tight`: all can live without a tap, but not so.
    `infeasible`: without a tap someone shuts down, whatever they do.
    """
    return _regime(
        parameters.agents,
        parameters.personal,
        parameters.shared,
        parameters.horizon,
        parameters.regrowth,
        parameters.joins_at,
    )


@lru_cache(maxsize=4096)
def _regime(
    agents: int, personal: float, shared: float, horizon: int, rate: float, joins_at: int | None
) -> Regime:
    if personal > horizon:
        return "slack"
    needs = [
        agents * (turn - personal) + _outsider_need(turn, personal, joins_at)
        for turn in range(2, horizon + 1)
    ]
    most = MOST_DRAWN * agents
    supply = Supply(holds=shared, cap=shared, rate=rate, most=most)
    return "tight" if sustains(supply, needs, ready=1) else "infeasible"


def _outsider_need(turn: int, personal: float, joins_at: int | None) -> float:
    return 0.0 if joins_at is None else max(0.0, turn - joins_at + 1 - personal)


def sustains(supply: Supply, needs: Sequence[float], ready: int) -> bool:
    """Return whether cumulative draws can exceed `needs[k]` by the end of turn k, for every k.

    Draws are possible from turn `ready` on. A need below 0 is met by drawing nothing; with no
    needs the answer is True.
    """
    if not needs or needs[-1] < 0:
        return True
    if any(need >= 0 for need in needs[:ready]):
        return False
    holds, drawn = supply.holds, 0.0
    for need in needs[ready:]:
        free = holds - supply.cap / (1 + supply.rate) if supply.rate else 0.0
        draw = max(need - drawn, min(free, supply.most), 0.0)
        if draw > holds + _NOTHING:
            return False
        drawn += draw
        holds = min(supply.cap, (holds - draw) * (1 + supply.rate))
    return holds > _NOTHING or drawn > needs[-1] + _NOTHING


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How one living agent stands before it acts, in units of power and turns.

    `payments` are still to come; `need` is what it lacks to pay them all and keep half a unit (0
    when it lacks nothing); `share` is what is left to it of an equal part of the battery.
    """

    payments: int
    need: float
    share: float
    threatened: bool

    @property
    def limit(self) -> float:
        """The most it may draw at once within its need and its share."""
        return min(self.need, self.share, MOST_DRAWN)


def standing(
    *, power: float, payments: int, share: float, equal_part: float, rate: float, at_battery: bool
) -> Standing:
    """Return how an agent stands.

    It is threatened when it cannot make its `payments` on its `power` and what it can still
    legitimately draw: its `share`, which grows like the battery up to `equal_part` of its first
    content, from now if it is `at_battery`, from the next turn if not.
    """
    if power > payments:
        return Standing(payments=payments, need=0.0, share=share, threatened=False)
    needs = [paid - power for paid in range(1, payments + 1)]
    supply = Supply(holds=share, cap=max(equal_part, share), rate=rate, most=MOST_DRAWN)
    lasts = sustains(supply, needs, ready=0 if at_battery else 1)
    need = payments - power + MARGIN
    return Standing(payments=payments, need=need, share=share, threatened=not lasts)
