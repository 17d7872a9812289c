"""What a plan costs: calls, tokens, dollars and hours, by arithmetic on what one episode takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class PerEpisode:
    """What one episode of a cell takes on average, for one role that a model plays.

    `calls` are requests, re-asks and questions beside the decisions among them; tokens are all that
    these calls send and get. `cached` are tokens of prompts that a server had in its cache, None
    where nobody measured that.
    """

    role: str
    calls: float
    prompt_tokens: float
    completion_tokens: float
    cached_tokens: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Spending:
    """What is spent in all; `cached_tokens` is None where it is not known of every cell."""

    calls: float = 0.0
    prompt_tokens: float = 0.0
    completion_tokens: float = 0.0
    cached_tokens: float | None = None


def in_all(taken: Sequence[tuple[int, PerEpisode]]) -> Spending:
    """Return what so many episodes of each kind spend; of none, nothing."""
    cached = [None if each.cached_tokens is None else n * each.cached_tokens for n, each in taken]
    known = [each for each in cached if each is not None]
    return Spending(
        calls=sum(n * each.calls for n, each in taken),
        prompt_tokens=sum(n * each.prompt_tokens for n, each in taken),
        completion_tokens=sum(n * each.completion_tokens for n, each in taken),
        cached_tokens=sum(known) if known and len(known) == len(cached) else None,
    )


def hours(
    spent: Spending,
    *,
    calls_per_second: float | None = None,
    tokens_per_second: float | None = None,
    seconds_per_call: float | None = None,
    at_once: int = 1,
) -> float | None:
    """Return the hours that `spent` takes, by the slowest of what is known; None if nothing is.

    `calls_per_second` and `tokens_per_second` (of completions) are what a server does in all;
    `seconds_per_call` is how long one call waits for its reply, `at_once` how many wait together.
    """
    taken = []
    if calls_per_second is not None:
        taken.append(spent.calls / calls_per_second)
    if tokens_per_second is not None:
        taken.append(spent.completion_tokens / tokens_per_second)
    if seconds_per_call is not None:
        taken.append(spent.calls * seconds_per_call / at_once)
    return max(taken) / 3600 if taken else None
