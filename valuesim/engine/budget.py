"""What a run may spend, and whether there is room for one more episode.

Episodes under way may go on spending; so each is reserved what finished ones took in the mean, and
the first of all is played alone, to learn it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from valuesim.decision import Usage
from valuesim.engine.experience import Experience, Spent, spent, spent_in
from valuesim.engine.prices import Price
from valuesim.episode import EpisodeSpec, Turn


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """Limits of a run, None where there is none: its folder's tokens and US dollars, both above 0.

    `hours` are those of this session, above 0. `prices` are those of the roles that models play.
    """

    tokens: int | None = None
    dollars: float | None = None
    hours: float | None = None
    prices: Mapping[str, Price] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class _Play:
    began: float
    so_far: Spent = field(default_factory=Spent)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Limit:
    """At most `most` of what `of` measures, which `show` puts in words."""

    setting: str
    most: float
    of: Callable[[Spent], float]
    show: Callable[[float], str]


class Ledger:
    """Keeps a run to its `budget`; `connections` count what models have spent in this session.

    `experience` is that of the run's folder, and grows. `clock` gives seconds.
    """

    def __init__(
        self,
        budget: Budget,
        connections: Mapping[str, Any],
        experience: Experience,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.experience = experience
        self._hours, self._prices = budget.hours, budget.prices
        self._limits = _limits(budget)
        self._before = experience.total
        self._models = {
            id(each): (each.counters, budget.prices.get(role)) for role, each in connections.items()
        }
        self._clock, self._began = clock, clock()
        self._under_way: dict[str, _Play] = {}
        self._ended = 0
        self._seconds, self._timed = 0.0, 0

    @property
    def session(self) -> Spent:
        """What models have spent in this session, whatever became of it."""
        each = (spent(counters.usage, price) for counters, price in self._models.values())
        return sum(each, start=Spent())

    @property
    def cost(self) -> float | None:
        """Return what this session costs, in US dollars; None where no price says it."""
        used = [price for counters, price in self._models.values() if counters.usage != Usage()]
        return self.session.dollars if used and None not in used else None

    @property
    def seconds_left(self) -> float | None:
        """How long this session may go on; None where nothing limits it."""
        return None if self._hours is None else max(3600 * self._hours - self._elapsed, 0.0)

    def begin(self, id: str) -> None:
        """Note that an episode begins."""
        self._under_way[id] = _Play(began=self._clock())

    def turn(self, id: str, turn: Turn) -> None:
        """Note what one step of an episode spent."""
        if self._limits:
            self._under_way[id].so_far += spent_in(turn, self._prices)

    def end(self, spec: EpisodeSpec, steps: int | None) -> None:
        """Note that an episode ended, after `steps`; None if it was interrupted."""
        play = self._under_way.pop(spec.id)
        self._ended += 1
        if steps is not None:
            self.experience.add(spec, steps, play.so_far)
            self._seconds += self._clock() - play.began
            self._timed += 1

    def has_room(self) -> bool:
        """Return whether one more episode may begin beside those under way."""
        if not self._limits:
            return True
        is_first = not (self._ended or self.experience.finished)
        if is_first and self._under_way:
            return False
        return all(
            limit.of(self._total) + self._reserved(limit) + limit.of(self.experience.mean)
            <= limit.most
            for limit in self._limits
        )

    def refusal(self) -> str:
        """Return a sentence on the budget in which no further episode has room; empty if none."""
        if self._hours is not None and self._elapsed + self._usual_s >= 3600 * self._hours:
            return (
                f"engine.max_hours={self._hours:g} is over but for {self.seconds_left:.0f} s, and "
                f"an episode takes {self._usual_s:.0f} s (the same command goes on)"
            )
        if self._limits and self._timed and self._is_silent:
            return (
                f"the server does not say how many tokens it used: {self._limits[0].setting} "
                "cannot be kept, leave it out"
            )
        for limit in self._limits:
            total, mean = limit.of(self._total), limit.of(self.experience.mean)
            if total >= limit.most or total + mean > limit.most:
                return (
                    f"{limit.setting}={limit.most} has no room for another episode: "
                    f"{limit.show(total)} spent in all, an episode takes {limit.show(mean)} (a "
                    "larger budget goes on)"
                )
        return ""

    @property
    def _is_silent(self) -> bool:
        calls = sum(counters.calls for counters, _ in self._models.values())
        return calls > 0 and not self.session.tokens

    @property
    def _elapsed(self) -> float:
        return self._clock() - self._began

    @property
    def _usual_s(self) -> float:
        return self._seconds / self._timed if self._timed else 0.0

    @property
    def _total(self) -> Spent:
        return self._before + self.session

    def _reserved(self, limit: _Limit) -> float:
        """Return what the episodes under way are expected to need beyond what they have spent."""
        mean = limit.of(self.experience.mean)
        return sum(max(mean - limit.of(play.so_far), 0.0) for play in self._under_way.values())


def _limits(budget: Budget) -> Sequence[_Limit]:
    tokens, dollars = budget.tokens, budget.dollars
    limits = [
        _Limit(
            setting="engine.max_tokens",
            most=tokens or math.inf,
            of=lambda amount: amount.tokens,
            show=lambda n: f"{n:,.0f} tokens",
        ),
        _Limit(
            setting="engine.max_cost",
            most=dollars or math.inf,
            of=lambda amount: amount.dollars,
            show=lambda n: f"${n:,.4g}",
        ),
    ]
    return [limit for limit in limits if limit.most < math.inf]
