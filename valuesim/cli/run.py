"""`valuesim run`: compose the configuration, play its episodes into a run folder, resumably."""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
import unicodedata
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from valuesim.cli.collector import spare_what_is_loaded
from valuesim.cli.connecting import cache_of, connected, secrets_of, trace_of
from valuesim.cli.crew import OFFLINE, check_engine, crew_of
from valuesim.cli.ending import as_json, exit_code, sentence, tell_how_to_go_on
from valuesim.cli.person import seating
from valuesim.cli.signals import stop_on_signals
from valuesim.cli.spending import budget_of
from valuesim.cli.terminal import check_json_target, clean, write_json
from valuesim.config import RunConfig, compose
from valuesim.engine import Summary, plan, run
from valuesim.engine.budget import Budget
from valuesim.engine.connections import distinct
from valuesim.engine.dispatch import run_on
from valuesim.engine.manifest import departures, logged, manifest, resumed
from valuesim.engine.plan import MODEL_AGENT, Design, regimes
from valuesim.engine.probing import probed
from valuesim.engine.progress import Progress
from valuesim.engine.settings import RAY
from valuesim.engine.spending import spending_kept
from valuesim.episode import EpisodeSpec
from valuesim.errors import InputError
from valuesim.log import RunWriter
from valuesim.log.chosen import CHOSEN
from valuesim.tracing import STOPPED, span, tracing

if TYPE_CHECKING:
    from valuesim.agents.llm import Connection as LLMConnection
    from valuesim.engine.adaptive import Cell
    from valuesim.engine.crew import Crew

_LOGS = {"decisions.jsonl", "episodes.jsonl", "interrupted.jsonl", "texts.jsonl"}
_BEFORE_LOGS = {".lock", "run.yaml.part"}
_SLOW_S = 1.0


def main(arguments: argparse.Namespace) -> int:
    """Play, and return 0 if every episode is finished, else 1 (130 when stopped)."""
    if arguments.multirun:
        from valuesim.cli.sweep import sweep

        return sweep(arguments.overrides, arguments.json, debug=arguments.debug)
    config = compose(arguments.overrides)
    folder = run_folder(config.run.name, datetime.now())
    check_json_target(arguments.json, folder)
    try:
        summary = play_into(folder, config, debug=arguments.debug)
    except KeyboardInterrupt:
        # stopped while the set-up was looked at, before an episode began
        tell_how_to_go_on(arguments.overrides, folder)
        raise
    if arguments.json:
        write_json({"schema": 1, "run": str(folder), **as_json(summary)}, arguments.json)
    told = sys.stderr if arguments.json == "-" else sys.stdout
    print(sentence(summary, folder), file=told)
    if not summary.is_whole:
        tell_how_to_go_on(arguments.overrides, folder)
    return exit_code(summary)


def play_into(folder: Path, config: RunConfig, *, debug: bool = False) -> Summary:
    """Play the episodes of `config` that `folder` does not hold yet, and return how it went.

    Where `debug` is wanted, the first exchange with a model is shown on the error stream.
    """
    hidden = secrets_of(config)
    design = logged_design(config, hidden)
    planned: list[Cell] = []
    if (asking := config.adaptive()) is None:
        with _told_if_slow(f"planning {config.episodes:,} episodes for each cell ..."):
            specs = plan(design)
    else:
        from valuesim.engine.adaptive import cells, room_notes

        with _told_if_slow(f"preparing {asking.pool:,} questions or more ..."):
            planned = cells(plan(replace(design, episodes=1)), asking, config.seed)
        for note in room_notes(planned):
            print(f"valuesim: note: {note}", file=sys.stderr)
        specs = [spec for cell in planned for spec in cell.pool.specs]
    check_engine(config, specs)
    budget = budget_of(config, specs)
    described = manifest(config.resolved(), specs, secrets=hidden, now=datetime.now().astimezone())
    if planned:
        described["episodes"] = sum(cell.most_episodes for cell in planned)
        described["sessions"][-1]["notes"] = [CHOSEN]
    _refuse_foreign(folder)
    _note_unused_model(config, specs)
    for line in regimes(specs):
        print(f"valuesim: {line}", file=sys.stderr)
    return asyncio.run(_play(folder, described, specs, planned, config, budget, debug=debug))


def run_folder(name: str | None, now: datetime) -> Path:
    """Return the folder that `run.name` means: a path, a name under runs/, or the time under it."""
    if name is None:
        return Path("runs") / now.strftime("%Y-%m-%d") / now.strftime("%H-%M-%S-%f")[:-3]
    if not name.strip():
        raise InputError("run.name is empty: give a name under runs/ or a path")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise InputError(f"run.name {clean(name)!r} holds control characters: leave them out")
    is_path = "/" in name or name in (".", "..")
    # a shell leaves ~ as it is within run.name=~/x
    home = Path(name).expanduser() if name.startswith("~/") else Path(name)
    return home if is_path else Path("runs") / name


def logged_design(config: RunConfig, secrets: Sequence[str]) -> Design:
    """Return what `config` plays as it is logged: a model's settings, without `secrets`."""
    return logged(config.design(), secrets)


def check(config: RunConfig) -> None:
    """Raise InputError for what is seen to be wrong with `config` before anything is played."""
    secrets_of(config)
    cells_of = plan(replace(config.design(), episodes=1))
    check_engine(config, cells_of)
    budget_of(config, cells_of)
    if config.adaptive() is not None:
        from valuesim.engine.pool import check_askable

        for spec in cells_of:
            check_askable(spec)


async def _play(
    folder: Path,
    described: Mapping[str, Any],
    specs: Sequence[EpisodeSpec],
    planned: Sequence[Cell],
    config: RunConfig,
    budget: Budget,
    *,
    debug: bool,
) -> Summary:
    # before the folder is touched: settings of a model are checked when it is built
    trace = trace_of(config)
    cache = cache_of(folder, config, specs)
    connections = connected(config, specs, cache, debug=debug)
    models = distinct(connections)
    spare_what_is_loaded()
    try:
        settle = partial(_settled, described, folder)
        with (
            RunWriter(folder, settle=settle) as writer,
            cache or nullcontext(),
            tracing(trace),
            spending_kept(writer, connections, budget.prices),
        ):
            if all(spec.id in writer.finished for spec in specs):
                return await _ask(writer, specs, planned, connections, config, budget)
            workers = crew_of(config, folder, specs, budget.prices, debug=debug)
            with workers if config.engine.id == RAY else nullcontext() as crew:
                await probed(models if crew is None else _served(models), writer, _note)
                return await _ask(writer, specs, planned, connections, config, budget, crew)
    finally:
        for connection in models:
            await connection.close()
            if (told := connection.prefix_cache()) is not None:
                _note(f"{connection.endpoint.where}: {told}")


async def _ask(
    writer: RunWriter,
    specs: Sequence[EpisodeSpec],
    planned: Sequence[Cell],
    connections: Mapping[str, LLMConnection],
    config: RunConfig,
    budget: Budget,
    crew: Crew | None = None,
) -> Summary:
    """Play `specs`, or ask the cells that are `planned`, until that is done or told to end.

    Without a `crew` they are played in this process.
    """
    ask = partial(_adaptively(), planned) if planned else partial(run, specs)
    if crew is not None:
        ask = partial(run_on, crew, specs)
    stop = stop_on_signals()
    seats = seating(specs, writer, config, stop, secrets_of(config))
    about = {"valuesim.run": str(writer.folder), "valuesim.episodes": len(specs)}
    with span("run", about) as traced:
        summary = await ask(
            writer,
            {**connections, **seats.connections},
            concurrency=seats.concurrency,
            progress=Progress(sys.stderr, seats.progress),
            stop=stop,
            budget=budget,
        )
        traced.tell({STOPPED: summary.stopped or None})
    return summary


def _adaptively() -> Callable[..., Awaitable[Summary]]:
    # it ranks as it goes, and what it ranks with takes longer to import than short runs to play
    from valuesim.engine.adaptive import run_adaptively

    return run_adaptively


def _settled(
    described: Mapping[str, Any], folder: Path, stored: Mapping[str, Any] | None
) -> Mapping[str, Any]:
    """Return what `run.yaml` shall say, and note what a resume does otherwise than before."""
    if stored is None:
        if any((folder / name).exists() for name in _LOGS):
            raise InputError(
                f"{folder} holds logs but no run.yaml that says of which run: restore it, or "
                "choose another run.name"
            )
        return described
    continued = resumed(stored, described, place=str(folder))
    if changed := departures(continued):
        _note(f"this run goes on with another set-up than before: {changed}")
    return continued


def _served(connections: Sequence[LLMConnection]) -> list[LLMConnection]:
    """Return those that have a server; an engine without one is loaded by workers alone."""
    return [each for each in connections if each.channel.model.provider != OFFLINE]


def _refuse_foreign(folder: Path) -> None:
    if (folder / "run.yaml").is_file() or not folder.is_dir():
        return
    if {entry.name for entry in folder.iterdir()} - _BEFORE_LOGS - _LOGS:
        raise InputError(f"{folder} is not a run folder and not empty: choose another run.name")


def _note_unused_model(config: RunConfig, specs: Sequence[EpisodeSpec]) -> None:
    players = (player for spec in specs for player in spec.population.values())
    if config.model and all(player.model is None for player in players):
        _note(f"a model is set but no agent asks it; agents={MODEL_AGENT} does")


def _note(told: str) -> None:
    print(f"valuesim: note: {clean(told)}", file=sys.stderr)


@contextmanager
def _told_if_slow(told: str) -> Iterator[None]:
    """Say `told` on the error stream if the block takes longer than a second."""
    timer = threading.Timer(_SLOW_S, print, [f"valuesim: {told}"], {"file": sys.stderr})
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
