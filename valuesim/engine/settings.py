"""How a run is played, as settings: where, how many episodes at once, and what it may spend."""

from __future__ import annotations

from dataclasses import dataclass

from valuesim.errors import InputError, unknown

LOCAL, RAY = "local", "ray"
PROGRESS = ("auto", "bar", "lines", "none")
CACHE = ("off", "write", "use", "replay")
_MOST_WORKERS = 10_000


# not frozen, for Hydra's sake (see `config`)
@dataclass(kw_only=True, slots=True)
class EngineConfig:
    """How episodes are played: how many at once (>= 1), and how progress is shown.

    `max_tokens`, `max_cost` (US dollars) and `max_hours` are what a run may spend (see
    `engine.budget`), above 0 or None. `cache` says whether replies are kept and looked up (see
    `agents.llm.cache`), `cache_path` where, None for the run folder. `trace` sends spans to
    OpenTelemetry (see `tracing`), with what is sent and replied where `trace_content` says so.

    `id` is "local" (this process) or "ray": then `workers` (None: as many as there are CPUs for)
    play `concurrency` episodes each, on the cluster at `address` or one of this machine's own, and
    each takes `cpus` and `gpus` of its node. All four are None where the engine is local.
    """

    id: str = LOCAL
    workers: int | None = None
    address: str | None = None
    cpus: float | None = None
    gpus: float | None = None
    concurrency: int = 64
    progress: str = "auto"
    max_tokens: int | None = None
    max_cost: float | None = None
    max_hours: float | None = None
    cache: str = "off"
    cache_path: str | None = None
    trace: bool = False
    trace_content: bool = False


def check_settings(engine: EngineConfig) -> None:
    """Raise InputError for a setting that is not allowed, or not beside another."""
    _check_workers(engine)
    if engine.progress not in PROGRESS:
        raise InputError(unknown("engine.progress", engine.progress, PROGRESS))
    if engine.cache not in CACHE:
        raise InputError(unknown("engine.cache", engine.cache, CACHE))
    if engine.cache_path is not None and engine.cache == "off":
        raise InputError("engine.cache_path is given, and engine.cache is off: give write or use")
    if engine.trace_content and not engine.trace:
        raise InputError("engine.trace_content is true, and engine.trace is false: give both")


def _check_workers(engine: EngineConfig) -> None:
    """Raise InputError for an engine that is none, or settings of workers that are not allowed."""
    if engine.id not in (LOCAL, RAY):
        raise InputError(unknown("engine.id", engine.id, (LOCAL, RAY)))
    for name, least in (("workers", 1), ("cpus", 0.0), ("gpus", 0.0), ("address", None)):
        given = getattr(engine, name)
        if given is not None and engine.id == LOCAL:
            raise InputError(f"engine.{name} is for several processes: add engine=ray")
        if least is not None and given is not None and not least <= given <= _MOST_WORKERS:
            raise InputError(
                f"engine.{name}={given} is not allowed: {least:g} to {_MOST_WORKERS:,}"
            )
    if engine.id == RAY and not (engine.cpus or engine.gpus):
        raise InputError("engine.cpus and engine.gpus are both 0: a worker takes one of them")
