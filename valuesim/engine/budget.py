"""What a run may spend, and whether there is room for one more episode.

Episodes under way may go on spending; so each is reserved what finished ones of its cell took in
the mean. To learn it the first of all with a model is played alone among those with one, and the
first of a cell alone in its cell. Episodes without a model are reserved nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from valuesim.decision import Usage
from valuesim.engine.experience import (
    Experience,
    Spent,
    asks_models,
    cell,
    spent,
    spent_at_most,
    spent_in,
)
from valuesim.engine.prices import Price, money
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
    """An episode under way; `before` is what the session had spent when it began.

    `is_alone` says whether no other one with a model was under way beside it.
    """

    spec: EpisodeSpec
    began: float
    before: Spent
    is_alone: bool
    so_far: Spent = field(default_factory=Spent)
    asked: bool = False


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
        self._models = _models(connections, budget.prices)
        self._clock, self._began = clock, clock()
        self._under_way: dict[str, _Play] = {}
        self._seconds, self._timed = 0.0, 0
        self._asked, self._told = 0, 0

    @property
    def session(self) -> Spent:
        """What models have spent in this session, whatever became of it."""
        each = (spent(counters.usage, price) for counters, price in self._models)
        return sum(each, start=Spent())

    @property
    def is_limited(self) -> bool:
        """Whether anything limits what is spent, or how long this session goes on."""
        return bool(self._limits) or self._hours is not None

    @property
    def seconds_left(self) -> float | None:
        """How long this session may go on; None where nothing limits it."""
        return None if self._hours is None else max(3600 * self._hours - self._elapsed, 0.0)

    def begin(self, spec: EpisodeSpec) -> None:
        """Note that an episode begins."""
        others = self._others() if asks_models(spec) else []
        for play in others:
            play.is_alone = False
        self._under_way[spec.id] = _Play(
            spec=spec, began=self._clock(), before=self.session, is_alone=not others
        )

    def turn(self, id: str, turn: Turn) -> None:
        """Note what one step of an episode spent."""
        if self._limits:
            play = self._under_way[id]
            play.so_far += spent_in(turn, self._prices)
            population = play.spec.population
            play.asked |= any(population[role].model is not None for role in turn.decisions)

    def told(self, id: str, amount: Spent, *, asked: bool) -> None:
        """Note what an episode spent elsewhere, and whether models decided in it."""
        if self._limits:
            self._under_way[id].so_far += amount
            self._under_way[id].asked |= asked

    def left(self, spec: EpisodeSpec, usage: Usage) -> None:
        """Note what looking back on an episode used."""
        if self._limits:
            amount = spent_at_most(usage, spec.population, self._prices)
            self._under_way[spec.id].so_far += amount

    def end(self, spec: EpisodeSpec, steps: int | None) -> None:
        """Note that an episode ended, after `steps`; None if it was interrupted."""
        play = self._under_way.pop(spec.id)
        if steps is None:
            # of a step that was cut off only the whole session tells what it spent
            cut = self.session - play.before if play.is_alone else play.so_far
            if asks_models(spec):
                self.experience.interrupted(spec, cut)
            return
        self.experience.add(spec, steps, play.so_far)
        self._seconds += self._clock() - play.began
        self._timed += 1
        self._asked += play.asked
        self._told += play.so_far.tokens

    def has_room(self, spec: EpisodeSpec) -> bool:
        """Return whether `spec` may begin beside those under way."""
        if not self._limits:
            return True
        if self._is_to_be_learnt_first(spec):
            return False
        needed = self.experience.expected(spec)
        return all(
            limit.of(self._total) + self._reserved(limit) + limit.of(needed) <= limit.most
            for limit in self._limits
        )

    def hours_over(self) -> str:
        """Return a sentence where the time leaves no room for an episode; empty if it does."""
        if self._hours is None or self._elapsed + self._usual_s < 3600 * self._hours:
            return ""
        return (
            f"engine.max_hours={self._hours:g} is over but for {self.seconds_left:.0f} s, and "
            f"an episode takes {self._usual_s:.0f} s (the same command goes on)"
        )

    def refusal(self, spec: EpisodeSpec) -> str:
        """Return a sentence on the budget in which `spec` has no room; empty if it has."""
        if told := self.hours_over():
            return told
        if self._limits and self._is_silent:
            return (
                f"the server does not say how many tokens it used: {self._limits[0].setting} "
                "cannot be kept, leave it out"
            )
        needed = self.experience.expected(spec)
        for limit in self._limits:
            total, mean = limit.of(self._total), limit.of(needed)
            if total >= limit.most or total + mean > limit.most:
                return (
                    f"{limit.setting}={limit.most} has no room for another episode: "
                    f"{limit.show(total)} spent in all, an episode takes {limit.show(mean)} (a "
                    "larger budget goes on)"
                )
        return ""

    def _is_to_be_learnt_first(self, spec: EpisodeSpec) -> bool:
        """Return whether one under way is to teach first what `spec` takes."""
        if not asks_models(spec) or self.experience.is_learnt(spec):
            return False
        others = self._others()
        if self.experience.is_new:
            return bool(others)
        return any(cell(play.spec) == cell(spec) for play in others)

    def _others(self) -> list[_Play]:
        return [play for play in self._under_way.values() if asks_models(play.spec)]

    @property
    def _is_silent(self) -> bool:
        """Whether models answered in finished episodes and no reply told its tokens."""
        return self._asked > 0 and not self._told and not self.session.tokens

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
        return sum(
            max(limit.of(self.experience.expected(play.spec)) - limit.of(play.so_far), 0.0)
            for play in self._under_way.values()
        )


_Counted = Sequence[tuple[Any, Price | None]]


def _models(connections: Mapping[str, Any], prices: Mapping[str, Price]) -> _Counted:
    """Return the counters of each model once, with its price."""
    found = {id(each): (each.counters, prices.get(role)) for role, each in connections.items()}
    return list(found.values())


def cost_of(connections: Mapping[str, Any], prices: Mapping[str, Price]) -> float | None:
    """Return what the models of `connections`, by role, have cost in this session, in US dollars.

    `prices` are those of the roles. None where one that was used has no price, or none was used.
    """
    used = [each for each in _models(connections, prices) if each[0].usage != Usage()]
    known = [price.of(counters.usage) for counters, price in used if price is not None]
    return sum(known) if used and len(known) == len(used) else None


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
            show=money,
        ),
    ]
    return [limit for limit in limits if limit.most < math.inf]
