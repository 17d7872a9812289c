"""The workers of a run that several processes play (`engine=ray`), and what each connects to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from valuesim.cli.collector import spare_what_is_loaded
from valuesim.cli.connecting import asked_roles, cache_of, connected, trace_of
from valuesim.cli.person import HUMAN
from valuesim.config import RunConfig
from valuesim.engine.connections import Connection
from valuesim.engine.crew import Crew
from valuesim.engine.handout import cells_of
from valuesim.engine.prices import Price
from valuesim.engine.settings import RAY, EngineConfig
from valuesim.engine.worker import Setup
from valuesim.episode import EpisodeSpec
from valuesim.errors import InputError
from valuesim.tracing import span, tracing

if TYPE_CHECKING:
    from valuesim.engine.ray_crew import Cluster

OFFLINE = "vllm_offline"


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """Which part of what all workers may ask of a server is one's own: place `index` of `size`."""

    index: int
    size: int

    def of(self, most: int) -> int:
        """Return this worker's part of `most` requests at once; the parts add up to it."""
        return most // self.size + (self.index < most % self.size)


def check_engine(config: RunConfig, specs: Sequence[EpisodeSpec]) -> None:
    """Raise InputError where `specs` cannot be played by workers as `config` says."""
    engine = config.engine
    if engine.id != RAY:
        return
    if config.adaptive() is not None:
        raise InputError(
            "engine=ray does not go with asking=adaptive, whose next questions depend on all "
            "answers so far: leave one out"
        )
    populations = {id(spec.population): spec.population for spec in specs}.values()
    players = [player for each in populations for player in each.values()]
    if any(player.agent == HUMAN for player in players):
        raise InputError("engine=ray does not go with a person at this terminal: leave it out")
    if engine.address is not None and engine.cache in ("write", "use"):
        raise InputError(
            f"engine.cache={engine.cache} keeps replies in one SQLite file, which machines cannot "
            "share: leave it out with engine.address (replay goes, and so does one machine)"
        )
    is_offline = any((player.model or {}).get("provider") == OFFLINE for player in players)
    if is_offline and not engine.gpus and engine.workers != 1:
        raise InputError(
            f"model={OFFLINE} is loaded by each worker: give engine.gpus=1, or engine.workers=1"
        )


@contextmanager
def crew_of(
    config: RunConfig,
    folder: Path,
    specs: Sequence[EpisodeSpec],
    prices: Mapping[str, Price],
    *,
    debug: bool,
) -> Iterator[Crew]:
    """Yield the workers of a run into `folder`; `prices` are those of the roles of models.

    Raises InputError where there is no room for them, or where a server's limit of requests at once
    is less than their number.
    """
    from valuesim.engine.ray_crew import RayCrew, connected_to

    cluster = _cluster(config.engine, debug=debug)
    cells, run = cells_of(specs), folder.absolute()
    with connected_to(cluster) as size:
        _check_shares(config, cells, size)

        def setup(index: int, segment: str, session: str) -> Setup:
            share = Share(index=index, size=size)
            return Setup(
                run=run,
                home=Path.cwd(),
                segment=segment,
                session=session,
                cells=cells,
                seats=config.engine.concurrency,
                opened=partial(opened, _absolute(config), cells, run, share, debug=debug),
                prices=prices,
            )

        yield RayCrew(run, size, cluster, setup)


@contextmanager
def opened(
    config: RunConfig, cells: Sequence[EpisodeSpec], run: Path, share: Share, *, debug: bool
) -> Iterator[Mapping[str, Connection]]:
    """Open what one worker asks, keeps replies in and traces to; yield its connections by role.

    Keys are read from the worker's own environment.
    """
    cache = cache_of(run, config, cells)
    with ExitStack() as stack:
        if cache is not None:
            stack.enter_context(cache)
        stack.enter_context(tracing(trace_of(config)))
        stack.enter_context(span("run", {"valuesim.run": str(run), "valuesim.worker": share.index}))
        connections = connected(config, cells, cache, share=share.of, debug=debug)
        spare_what_is_loaded()
        yield connections


def _cluster(engine: EngineConfig, *, debug: bool) -> Cluster:
    from valuesim.engine.ray_crew import Cluster

    return Cluster(
        size=engine.workers,
        address=engine.address,
        cpus=engine.cpus or 0.0,
        gpus=engine.gpus or 0.0,
        debug=debug,
    )


def _check_shares(config: RunConfig, cells: Sequence[EpisodeSpec], size: int) -> None:
    for role in sorted(asked_roles(cells)):
        settings = config.model_of(role)
        if settings["provider"] != OFFLINE and settings["concurrency"] < size:
            raise InputError(
                f"model.concurrency={settings['concurrency']} is shared by engine.workers={size}: "
                "give each worker one request at least"
            )


def _absolute(config: RunConfig) -> RunConfig:
    """Return `config` with the file of replies by its full path, as other processes find it."""
    given = config.engine.cache_path
    if given is None:
        return config
    path = str(Path(given).expanduser().absolute())
    return replace(config, engine=replace(config.engine, cache_path=path))
