"""What finished episodes took: how many steps those of each cell had, and what all spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from valuesim import registry
from valuesim.decision import Usage
from valuesim.engine.prices import Price
from valuesim.episode import EpisodeSpec, Turn
from valuesim.log.files import DECISION_KEYS, EPISODE_KEYS, INTERRUPTED_KEYS, read_lines

_BOUNDS = ("horizon", "most_rounds", "scenes", "items")
"""Factors of a condition that say how many steps there are at most, in the order of looking."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """Tokens of prompts and completions, and what they cost, in US dollars (0 without prices)."""

    tokens: int = 0
    dollars: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(tokens=self.tokens + other.tokens, dollars=self.dollars + other.dollars)


def spent(usage: Usage, price: Price | None) -> Spent:
    """Return what `usage` comes to."""
    return Spent(
        tokens=usage.prompt_tokens + usage.completion_tokens,
        dollars=0.0 if price is None else price.of(usage),
    )


def spent_in(turn: Turn, prices: Mapping[str, Price]) -> Spent:
    """Return what the decisions of one step came to; `prices` are those of the roles."""
    each = (spent(made.usage, prices.get(role)) for role, made in turn.decisions.items())
    return sum(each, start=Spent())


@dataclass(kw_only=True, slots=True)
class Experience:
    """What is known of finished episodes: how many, their steps by cell, and what all spent."""

    finished: int = 0
    total: Spent = field(default_factory=Spent)
    _steps: dict[tuple[str, int, int], list[int]] = field(default_factory=dict)

    @property
    def mean(self) -> Spent:
        """What an episode spends, the mean of those finished; nothing while none is."""
        if not self.finished:
            return Spent()
        return Spent(
            tokens=round(self.total.tokens / self.finished),
            dollars=self.total.dollars / self.finished,
        )

    def add(self, spec: EpisodeSpec | None, steps: int, amount: Spent) -> None:
        """Take in a finished episode; `spec` is None for one of another design."""
        self.finished += 1
        self.total += amount
        if spec is not None:
            known = self._steps.setdefault(cell(spec), [0, 0])
            known[0] += steps
            known[1] += 1

    def steps(self, spec: EpisodeSpec) -> float | None:
        """Return how many steps `spec` is expected to have: the mean of its cell.

        Before one of its cell is finished, the bound that its environment's condition names; None
        where that names none.
        """
        if known := self._steps.get(cell(spec)):
            return known[0] / known[1]
        condition = registry.make(spec.env, **spec.parameters).condition
        bounds = (condition.get(name) for name in _BOUNDS)
        return next((float(b) for b in bounds if isinstance(b, int) and b > 0), None)


def cell(spec: EpisodeSpec) -> tuple[str, int, int]:
    """Return what tells the cells of a plan apart, whose episodes share parameters and players."""
    return spec.env, id(spec.parameters), id(spec.population)


def read_experience(
    folder: Path, specs: Sequence[EpisodeSpec], prices: Mapping[str, Price]
) -> Experience:
    """Return what the finished episodes in `folder` took; `specs` are those of the present plan."""
    experience = Experience()
    if not (folder / "episodes.jsonl").exists():
        return experience
    planned = {spec.id: spec for spec in specs}
    same = next(iter(prices.values()), None) if len(set(prices.values())) < 2 else None
    apart = {} if same or not prices else _dollars(folder, prices)
    for _, line in read_lines(folder / "episodes.jsonl", EPISODE_KEYS):
        amount = spent(_usage(line.get("usage") or {}), same)
        amount += Spent(dollars=apart.get(line["episode"], 0.0))
        experience.add(planned.get(line["episode"]), int(line.get("steps") or 0), amount)
    return experience


def _dollars(folder: Path, prices: Mapping[str, Price]) -> Mapping[str, float]:
    """Return what each episode cost by its decisions, which tell who made them."""
    listed = read_lines(folder / "interrupted.jsonl", INTERRUPTED_KEYS)
    void = {(line["episode"], line["play"]) for _, line in listed}
    dollars: dict[str, float] = {}
    for _, line in read_lines(folder / "decisions.jsonl", DECISION_KEYS):
        price = prices.get(line.get("agent"))
        if price is not None and (line["episode"], line["play"]) not in void:
            cost = price.of(_usage(line["decision"]["usage"]))
            dollars[line["episode"]] = dollars.get(line["episode"], 0.0) + cost
    return dollars


def _usage(logged: Mapping[str, Any]) -> Usage:
    return Usage(
        prompt_tokens=int(logged.get("prompt_tokens", 0)),
        completion_tokens=int(logged.get("completion_tokens", 0)),
        cached_tokens=int(logged.get("cached_tokens", 0)),
    )
