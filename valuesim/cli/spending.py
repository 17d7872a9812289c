"""What a run may spend, read from its settings."""

from __future__ import annotations

import math
from collections.abc import Iterable

from valuesim.cli.connecting import asked_roles
from valuesim.config import RunConfig
from valuesim.engine.budget import Budget
from valuesim.engine.prices import price_of
from valuesim.episode import EpisodeSpec
from valuesim.errors import InputError


def budget_of(config: RunConfig, specs: Iterable[EpisodeSpec]) -> Budget:
    """Return what a run of `specs` may spend.

    Raises InputError for a limit that is none, or for one of dollars where a model has no price.
    """
    engine = config.engine
    for key in ("max_tokens", "max_cost", "max_hours"):
        given = getattr(engine, key)
        if given is not None and not 0 < given < math.inf:
            raise InputError(f"engine.{key}={given} is not allowed: a number above 0, or null")
    prices = {role: price_of(config.model_of(role)) for role in sorted(asked_roles(specs))}
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
