"""What a run is connected to before it plays: models, their cache, traces; and its secrets."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from valuesim.config import RunConfig
from valuesim.episode import EpisodeSpec
from valuesim.errors import InputError
from valuesim.secrets import check_address, secrets
from valuesim.tracing import Trace

if TYPE_CHECKING:
    from valuesim.agents.llm import Connection as LLMConnection
    from valuesim.agents.llm.cache import ReplyCache
    from valuesim.agents.llm.exchange import Exchange


def secrets_of(config: RunConfig) -> tuple[str, ...]:
    """Return the secrets that must not be written, after refusing addresses that hold some."""
    models = [config.model, *(config.model_of(role) for role in config.models)]
    for model in models:
        given = model.get("base_url") or ()
        for url in (given,) if isinstance(given, str) else given:
            check_address(str(url), "model.base_url")
    return secrets(os.environ, *(model.get("api_key_env") for model in models))


def trace_of(config: RunConfig) -> Trace | None:
    """Return where the spans of a run go; None where it is not traced."""
    engine = config.engine
    if not engine.trace:
        return None
    return Trace.exported(content=engine.trace_content, secrets=secrets_of(config))


def asked_roles(specs: Iterable[EpisodeSpec]) -> set[str]:
    """Return the roles that a model plays."""
    populations = {id(spec.population): spec.population for spec in specs}.values()
    return {role for p in populations for role, who in p.items() if who.model is not None}


def cache_of(folder: Path, config: RunConfig, specs: Sequence[EpisodeSpec]) -> ReplyCache | None:
    """Return where the replies of a run are kept, not yet open; None where none are."""
    engine = config.engine
    if engine.cache == "off" or not asked_roles(specs):
        return None
    from valuesim.agents.llm.cache import FILE, ReplyCache

    # a shell leaves ~ as it is within engine.cache_path=~/x
    return ReplyCache(Path(engine.cache_path or folder / FILE).expanduser(), engine.cache)


def connected(
    config: RunConfig,
    specs: Sequence[EpisodeSpec],
    cache: ReplyCache | None = None,
    *,
    share: Callable[[int], int] | None = None,
    debug: bool = False,
) -> dict[str, LLMConnection]:
    """Return a connection for each role that a model plays; equal settings share one.

    Models on one server share its limit of requests at once. `share` says which part of it is this
    process's own, None for all of it.
    """
    roles = asked_roles(specs)
    if not roles:
        return {}
    import numpy as np

    from valuesim.agents.llm import Servers, connect

    rng, servers = np.random.default_rng(config.seed), Servers()
    watch = _watch(config) if debug else None
    shared: dict[str, LLMConnection] = {}
    connections = {}
    for role in sorted(roles):
        settings = config.model_of(role)
        # an engine in this process is nobody else's
        if share is not None and settings["provider"] != "vllm_offline":
            settings |= {"concurrency": share(settings["concurrency"])}
        key = repr(sorted(settings.items()))
        if key not in shared:
            shared[key] = connect(
                settings, config.elicitation, rng, servers=servers, cache=cache, watch=watch
            )
        connections[role] = shared[key]
    return connections


def _watch(config: RunConfig) -> Exchange:
    try:
        from valuesim.agents.llm.exchange import Exchange
    except ImportError as error:
        raise InputError('LangChain is not installed: pip install "valuesim[llm]"') from error
    return Exchange(partial(print, file=sys.stderr), secrets_of(config))
