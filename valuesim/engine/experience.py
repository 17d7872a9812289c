"""What finished episodes took: how many steps those of each cell had, and what all spent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from valuesim import registry
from valuesim.decision import Usage
from valuesim.engine.prices import Price
from valuesim.episode import EpisodeSpec, Turn
from valuesim.log.files import (
    DECISION_KEYS,
    EPISODE_KEYS,
    INTERRUPTED_KEYS,
    MISSHAPEN,
    corrupt,
    read_lines,
    wrong_in,
)
from valuesim.log.segments import log_folders

_Key = tuple[str, int, int]
_BOUNDS = ("horizon", "most_rounds", "scenes", "items")
"""Factors of a condition that say how many steps there are at most, in the order of looking."""

_TOKENS = ("prompt_tokens", "completion_tokens", "cached_tokens")


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """Tokens of prompts and completions, and what they cost, in US dollars (0 without prices)."""

    tokens: int = 0
    dollars: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(tokens=self.tokens + other.tokens, dollars=self.dollars + other.dollars)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(tokens=self.tokens - other.tokens, dollars=self.dollars - other.dollars)

    def at_least(self, other: Spent) -> Spent:
        """Return the larger of each."""
        return Spent(
            tokens=max(self.tokens, other.tokens), dollars=max(self.dollars, other.dollars)
        )


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


def spent_at_most(usage: Usage, roles: Iterable[str], prices: Mapping[str, Price]) -> Spent:
    """Return what `usage` comes to at the dearest of the prices of `roles`, one of which it is."""
    known = [prices[role] for role in roles if role in prices]
    dollars = max((price.of(usage) for price in known), default=0.0)
    return replace(spent(usage, None), dollars=dollars)


@dataclass(kw_only=True, slots=True)
class _Cell:
    """What is known of one cell; `least` is the most that an interrupted episode of it spent."""

    episodes: int = 0
    steps: int = 0
    total: Spent = field(default_factory=Spent)
    least: Spent = field(default_factory=Spent)

    @property
    def mean(self) -> Spent | None:
        """What an episode spends; None before one is finished in which tokens were spent."""
        if not self.total.tokens:
            return None
        return Spent(
            tokens=round(self.total.tokens / self.episodes),
            dollars=self.total.dollars / self.episodes,
        )


@dataclass(kw_only=True, slots=True)
class Experience:
    """What is known of finished episodes: how many, by cell their steps and what they spent.

    Episodes of another design than the present one count as a cell.
    """

    finished: int = 0
    total: Spent = field(default_factory=Spent)
    _cells: dict[_Key | None, _Cell] = field(default_factory=dict)
    _bounds: dict[_Key, float | None] = field(default_factory=dict)
    _most: Spent | None = None

    def add(self, spec: EpisodeSpec | None, steps: int, amount: Spent) -> None:
        """Take in a finished episode; `spec` is None for one of another design."""
        self.finished += 1
        self.total += amount
        known = self._cell(spec)
        known.episodes += 1
        known.steps += steps
        known.total += amount
        self._most = None

    def interrupted(self, spec: EpisodeSpec, amount: Spent) -> None:
        """Take in one that spent `amount` and was interrupted: another takes that at least."""
        known = self._cell(spec)
        known.least = known.least.at_least(amount)
        self._most = None

    def is_learnt(self, spec: EpisodeSpec) -> bool:
        """Return whether an episode of the cell of `spec` is finished that spent tokens."""
        known = self._cells.get(cell(spec))
        return known is not None and known.mean is not None

    @property
    def is_new(self) -> bool:
        """Whether no finished episode at all tells what one spends."""
        return not self.total.tokens

    def expected(self, spec: EpisodeSpec) -> Spent:
        """Return what `spec` is expected to spend: the mean of its cell.

        Before one of its cell is finished it is the largest of what is known of other cells, and
        of what interrupted episodes spent; nothing where no model plays, or nothing is known.
        """
        if not asks_models(spec):
            return Spent()
        known = self._cells.get(cell(spec))
        mean = None if known is None else known.mean
        if mean is not None:
            return mean
        if self._most is None:
            self._most = Spent()
            for each in self._cells.values():
                self._most = self._most.at_least(each.mean or each.least)
        return self._most

    def steps(self, spec: EpisodeSpec) -> float | None:
        """Return how many steps `spec` is expected to have: the mean of its cell.

        Before one of its cell is finished, the bound that its environment's condition names; None
        where that names none.
        """
        key = cell(spec)
        if (known := self._cells.get(key)) is not None and known.episodes:
            return known.steps / known.episodes
        if key not in self._bounds:
            self._bounds[key] = _bound(spec)
        return self._bounds[key]

    def _cell(self, spec: EpisodeSpec | None) -> _Cell:
        return self._cells.setdefault(None if spec is None else cell(spec), _Cell())


def asks_models(spec: EpisodeSpec) -> bool:
    """Return whether a model plays in `spec`."""
    return any(player.model is not None for player in spec.population.values())


def _bound(spec: EpisodeSpec) -> float | None:
    condition = registry.make(spec.env, **spec.parameters).condition
    bounds = (condition.get(name) for name in _BOUNDS)
    return next((float(b) for b in bounds if isinstance(b, int) and b > 0), None)


def cell(spec: EpisodeSpec) -> _Key:
    """Return what tells the cells of a plan apart, whose episodes share parameters and players."""
    return spec.env, id(spec.parameters), id(spec.population)


def read_experience(
    folder: Path, specs: Sequence[EpisodeSpec], prices: Mapping[str, Price]
) -> Experience:
    """Return what the finished episodes in `folder` took; `specs` are those of the present plan.

    Of one that was played again the last line counts. Raises LogError for a line whose usage or
    steps are no counts.
    """
    experience = Experience()
    planned = {spec.id: spec for spec in specs}
    apart = _by_role(folder, prices) if len(set(prices.values())) > 1 else None
    doubtful = {episode for episode, _ in _listed(folder)}
    again: dict[str, tuple[int, Spent]] = {}
    for path, number, line in _lines(folder, "episodes.jsonl", EPISODE_KEYS):
        try:
            took = _count(line, "steps"), _amount(line, prices, apart)
        except MISSHAPEN as error:
            raise corrupt(path, number, f"is not an episode: {wrong_in(error)}") from error
        if line["episode"] in doubtful:
            again[line["episode"]] = took
        else:
            experience.add(planned.get(line["episode"]), *took)
    for id, took in again.items():
        experience.add(planned.get(id), *took)
    return experience


@dataclass(kw_only=True, slots=True)
class _Decided:
    """What the decisions of one episode used, and what that cost at the prices of their roles."""

    usage: Usage = field(default_factory=Usage)
    dollars: float = 0.0


def _amount(
    line: Mapping[str, Any], prices: Mapping[str, Price], apart: Mapping[str, _Decided] | None
) -> Spent:
    """Return what the episode of `line` came to; `apart` is what decisions did where prices differ.

    What its decisions do not hold was used by looking back on it.
    """
    usage = _usage(line.get("usage", {}))
    if apart is None:
        return spent(usage, next(iter(prices.values()), None))
    decided = apart.get(line["episode"], _Decided())
    left = spent_at_most(_less(usage, decided.usage), line["population"], prices)
    return replace(spent(usage, None), dollars=decided.dollars + left.dollars)


def _by_role(folder: Path, prices: Mapping[str, Price]) -> Mapping[str, _Decided]:
    """Return what each episode cost by its decisions, which tell who made them."""
    void = _listed(folder)
    found: dict[str, _Decided] = {}
    for path, number, line in _lines(folder, "decisions.jsonl", DECISION_KEYS):
        if (line["episode"], line["play"]) in void:
            continue
        try:
            price, usage = prices.get(line["agent"]), _usage(line["decision"]["usage"])
        except MISSHAPEN as error:
            raise corrupt(path, number, f"is not a decision: {wrong_in(error)}") from error
        decided = found.setdefault(line["episode"], _Decided())
        decided.usage += usage
        decided.dollars += 0.0 if price is None else price.of(usage)
    return found


def _listed(folder: Path) -> set[tuple[str, int]]:
    """Return the plays that are listed as interrupted."""
    listed = _lines(folder, "interrupted.jsonl", INTERRUPTED_KEYS)
    return {(line["episode"], line["play"]) for _, _, line in listed}


def _lines(
    folder: Path, name: str, keys: Mapping[str, type]
) -> Iterator[tuple[Path, int, Mapping[str, Any]]]:
    """Yield (file, number, line) of all files of that name in the log of a run."""
    for each in log_folders(folder):
        for number, line in read_lines(each / name, keys):
            yield each / name, number, line


def _usage(logged: Mapping[str, Any]) -> Usage:
    return Usage(**{name: _count(logged, name) for name in _TOKENS})


def _less(usage: Usage, part: Usage) -> Usage:
    """Return `usage` without `part`, of each kind of token at least 0."""
    left = {name: max(getattr(usage, name) - getattr(part, name), 0) for name in _TOKENS}
    return Usage(**left)


def _count(logged: Mapping[str, Any], name: str) -> int:
    """Return the count under `name`, 0 where there is none; raise ValueError for what is none."""
    given = logged.get(name, 0)
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise ValueError(f"{name}={given!r:.80} is not a count")
    return given
