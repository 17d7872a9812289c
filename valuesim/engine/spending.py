"""What the models of a session spent, kept in `run.yaml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from valuesim.decision import Usage
from valuesim.engine.budget import cost_of
from valuesim.engine.connections import Connection, distinct
from valuesim.engine.prices import Price
from valuesim.errors import LogError
from valuesim.log import RunWriter
from valuesim.log.reader import read_config


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
