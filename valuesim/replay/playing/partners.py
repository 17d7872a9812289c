"""Which registered agents can play an environment, and be brought to a moment of it."""

from __future__ import annotations

from functools import cache
from typing import Any

from valuesim import registry


@cache
def able(env: str) -> dict[str, str]:
    """Return the agents that can play `env`, each with what may follow its name after a colon."""
    return {
        name: str(getattr(kind, "variants", ""))
        for name, entry in registry.agents().items()
        if (kind := _loaded(entry)) is not None
        and hasattr(kind, "recall")
        and ((plays := getattr(kind, "environments", None)) is None or env in plays)
    }


def _loaded(entry: registry.Entry) -> Any:
    try:
        return entry.load()
    except (ImportError, AttributeError):
        # of another package, which is not whole: nobody can play with it
        return None
