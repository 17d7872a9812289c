"""What models have used over all sessions of a run, also where one was cut off before it told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from valuesim.decision import Usage
from valuesim.engine.experience import Spent, spent
from valuesim.engine.prices import Price
from valuesim.errors import LogError
from valuesim.log import RunFolder

_KINDS = ("prompt_tokens", "completion_tokens", "cached_tokens")


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlay:
    """What all sessions of a run have spent, as `run.yaml` tells of each at its end.

    `untold` sessions were cut off before they told. Then `usage` is at least what was used: of each
    kind of token the larger of what the others told and what finished episodes hold. `told` is what
    sessions told in US dollars, `dollars` what all cost: None where one is untold, or where the
    price of one is not known.
    """

    usage: Usage
    told: float
    dollars: float | None
    untold: int

    @property
    def tokens(self) -> int:
        """Tokens of prompts and completions."""
        return self.usage.prompt_tokens + self.usage.completion_tokens

    def least(self, price: Price | None) -> Spent:
        """Return what was spent at least, where tokens cost `price` (None: nobody knows)."""
        if not self.untold:
            return Spent(tokens=self.tokens, dollars=self.told)
        return spent(self.usage, price).at_least(Spent(dollars=self.told))


def outlay(run: RunFolder) -> Outlay | None:
    """Return what all sessions of `run` have spent; None where no model plays.

    Raises LogError where `run.yaml` or an episode has something else than counts.
    """
    listed = run.config.get("sessions")
    sessions = listed if isinstance(listed, list) else []
    told = [each.get("spent") for each in sessions if isinstance(each, Mapping)]
    kept = [each for each in told if isinstance(each, Mapping)]
    if not kept and not _asks_models(run):
        return None
    untold = len(told) - len(kept)
    usage = sum((_usage(run, each) for each in kept), start=Usage())
    dollars = [each.get("dollars") for each in kept]
    known = [float(each) for each in dollars if isinstance(each, int | float)]
    is_known = bool(kept) and not untold and len(known) == len(kept)
    return Outlay(
        usage=_at_least(usage, _logged(run)) if untold else usage,
        told=sum(known),
        dollars=sum(known) if is_known else None,
        untold=untold,
    )


def _asks_models(run: RunFolder) -> bool:
    players = (each for episode in run.episodes.values() for each in episode.population.values())
    return run.config.get("prompt") is not None or any(each.model is not None for each in players)


def _logged(run: RunFolder) -> Usage:
    """Return what finished episodes used; nothing where all replies are from a cache."""
    engine = (run.config.get("config") or {}).get("engine")
    if isinstance(engine, Mapping) and engine.get("cache") == "replay":
        return Usage()
    return sum((_usage(run, each.usage) for each in run.episodes.values()), start=Usage())


def _at_least(one: Usage, other: Usage) -> Usage:
    return Usage(**{kind: max(getattr(one, kind), getattr(other, kind)) for kind in _KINDS})


def _usage(run: RunFolder, written: Mapping[str, Any]) -> Usage:
    counts = {kind: written.get(kind, 0) for kind in _KINDS}
    for kind, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise LogError(f"{run.path} tells {kind}={count!r:.80} of what was spent: no count")
    return Usage(**counts)
