"""What a run may spend, read from its settings, and what a session spent, told and kept."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from valuesim.config import RunConfig
from valuesim.engine import Summary
from valuesim.engine.budget import Budget
from valuesim.engine.prices import price_of
from valuesim.episode import EpisodeSpec
from valuesim.errors import InputError
from valuesim.log import RunWriter
from valuesim.log.reader import read_config


def budget_of(config: RunConfig, specs: Iterable[EpisodeSpec]) -> Budget:
    """Return what a run of `specs` may spend.

    Raises InputError for a limit that is none, or for one of dollars where a model has no price.
    """
    engine = config.engine
    for key in ("max_tokens", "max_cost", "max_hours"):
        given = getattr(engine, key)
        if given is not None and not 0 < given < math.inf:
            raise InputError(f"engine.{key}={given} is not allowed: a number above 0, or null")
    populations = {id(spec.population): spec.population for spec in specs}
    roles = {r for each in populations.values() for r, who in each.items() if who.model is not None}
    prices = {role: price_of(config.model_of(role)) for role in sorted(roles)}
    for role, price in prices.items():
        if price is None and engine.max_cost is not None:
            name = config.model_of(role).get("name")
            raise InputError(
                f"engine.max_cost needs a price, and conf/prices.yaml has none of {name!r}: give "
                "model.price.prompt and model.price.completion, US dollars for a million tokens"
            )
    # what comes from a cache costs nothing, however many tokens it once took
    is_free = engine.cache == "replay"
    return Budget(
        tokens=None if is_free else engine.max_tokens,
        dollars=None if is_free else engine.max_cost,
        hours=engine.max_hours,
        prices={role: price for role, price in prices.items() if price is not None},
    )


def keep_spending(writer: RunWriter, summary: Summary) -> None:
    """Say in `run.yaml` what the last session spent, if models were asked."""
    usage = summary.usage
    if not usage.prompt_tokens + usage.completion_tokens:
        return
    described = read_config(writer.folder)
    spent: dict[str, Any] = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
    }
    if usage.cached_tokens:
        spent["cached_tokens"] = usage.cached_tokens
    described["sessions"][-1]["spent"] = spent | {"dollars": summary.cost}
    writer.describe(described)
