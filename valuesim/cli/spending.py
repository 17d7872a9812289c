"""What a run may spend, read from its settings, and what a session spent, told and kept."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from valuesim.cli.connecting import asked_roles
from valuesim.config import RunConfig
from valuesim.decision import Usage
from valuesim.engine.budget import Budget, cost_of
from valuesim.engine.connections import Connection, distinct
from valuesim.engine.prices import Price, price_of
from valuesim.episode import EpisodeSpec
from valuesim.errors import InputError, LogError
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


@contextmanager
def spending_kept(
    writer: RunWriter, connections: Mapping[str, Connection], prices: Mapping[str, Price]
) -> Iterator[None]:
    """Say in `run.yaml` what the last session spent, if models were asked, however it ends.

    `connections` and `prices` are those of the roles that models play.
    """
    try:
        yield
    except BaseException:
        # what ended the session is told, not that its disk then takes no more
        with suppress(LogError):
            _keep_spending(writer, connections, prices)
        raise
    _keep_spending(writer, connections, prices)


def _keep_spending(
    writer: RunWriter, connections: Mapping[str, Connection], prices: Mapping[str, Price]
) -> None:
    if not connections:
        return
    models = distinct(connections)
    usage = sum((each.counters.usage for each in models), start=Usage())
    described = read_config(writer.folder)
    spent: dict[str, Any] = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
    }
    if usage.cached_tokens:
        spent["cached_tokens"] = usage.cached_tokens
    is_free = not any(each.counters.calls for each in models)
    spent["dollars"] = 0.0 if is_free else cost_of(connections, prices)
    described["sessions"][-1]["spent"] = spent
    writer.describe(described)
