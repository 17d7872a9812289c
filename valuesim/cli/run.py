"""`valuesim run`: compose the configuration, play its episodes into a run folder, resumably."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import threading
import unicodedata
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from valuesim.cli.ending import as_json, exit_code, sentence, tell_how_to_go_on
from valuesim.cli.terminal import check_json_target, clean, write_json
from valuesim.config import RunConfig, compose
from valuesim.engine import Summary, plan, run
from valuesim.engine.manifest import departures, manifest, redacted, resumed
from valuesim.engine.plan import MODEL_AGENT, regimes
from valuesim.engine.progress import Progress
from valuesim.episode import EpisodeSpec
from valuesim.errors import InputError, Interruption
from valuesim.log import RunWriter
from valuesim.log.chosen import CHOSEN
from valuesim.log.reader import read_config
from valuesim.secrets import check_address, secrets

if TYPE_CHECKING:
    from valuesim.agents.llm import Connection as LLMConnection
    from valuesim.engine.adaptive import Cell

_LOGS = {"decisions.jsonl", "episodes.jsonl", "interrupted.jsonl", "texts.jsonl"}
_BEFORE_LOGS = {".lock", "run.yaml.part"}
_SLOW_S = 1.0


def main(arguments: argparse.Namespace) -> int:
    """Play, and return 0 if every episode is finished, else 1 (130 when stopped)."""
    if arguments.multirun:
        from valuesim.cli.sweep import sweep

        return sweep(arguments.overrides, arguments.json)
    config = compose(arguments.overrides)
    folder = run_folder(config.run.name, datetime.now())
    check_json_target(arguments.json, folder)
    summary = play_into(folder, config)
    if arguments.json:
        write_json({"schema": 1, "run": str(folder), **as_json(summary)}, arguments.json)
    told = sys.stderr if arguments.json == "-" else sys.stdout
    print(sentence(summary, folder), file=told)
    # a stop between two batches leaves nothing unfinished, and more to ask
    if summary.stopped or summary.finished < summary.planned:
        tell_how_to_go_on(arguments.overrides, folder)
    return exit_code(summary)


def play_into(folder: Path, config: RunConfig) -> Summary:
    """Play the episodes of `config` that `folder` does not hold yet, and return how it went."""
    hidden = _hidden(config)
    design = config.design()
    # a model's settings are logged with every episode
    models = {role: redacted(model, hidden) for role, model in design.models.items()}
    design = replace(design, model=redacted(design.model, hidden), models=models)
    planned: list[Cell] = []
    if (asking := config.adaptive()) is None:
        with _told_if_slow(f"planning {config.episodes:,} episodes for each cell ..."):
            specs = plan(design)
    else:
        from valuesim.engine.adaptive import cells

        with _told_if_slow(f"preparing {asking.pool:,} questions or more ..."):
            planned = cells(plan(replace(design, episodes=1)), asking, config.seed)
        specs = [spec for cell in planned for spec in cell.pool.specs]
    described = manifest(config.resolved(), specs, secrets=hidden, now=datetime.now().astimezone())
    if planned:
        described["episodes"] = sum(cell.most_episodes for cell in planned)
        described["sessions"][-1]["notes"] = [CHOSEN]
    _refuse_foreign(folder)
    _note_unused_model(config, specs)
    for line in regimes(specs):
        print(f"valuesim: {line}", file=sys.stderr)
    return asyncio.run(_play(folder, described, specs, planned, config))


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


def check(config: RunConfig) -> None:
    """Raise InputError for what is seen to be wrong with `config` before anything is played."""
    _hidden(config)
    cells_of = plan(replace(config.design(), episodes=1))
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
) -> Summary:
    # before the folder is touched: settings of a model are checked when it is built
    connections = _connect(config, specs)
    distinct = list({id(each): each for each in connections.values()}.values())
    try:
        with RunWriter(folder, settle=partial(_settled, described, folder)) as writer:
            if any(spec.id not in writer.finished for spec in specs):
                await _probe(distinct, writer)
            ask = partial(_adaptively(), planned) if planned else partial(run, specs)
            return await ask(
                writer,
                connections,
                concurrency=config.engine.concurrency,
                progress=Progress(sys.stderr, config.engine.progress),
                stop=_stop_on_signals(),
            )
    finally:
        for connection in distinct:
            await connection.close()


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


async def _probe(connections: Sequence[LLMConnection], writer: RunWriter) -> None:
    """Note, also in `run.yaml`, which models do not keep to the form they are asked to keep to."""
    broken = []
    for connection in connections:
        # a server that is away ends every episode in the same words; they are told there
        with suppress(Interruption):
            if told := await connection.probe():
                broken.append(told)
                _note(told)
    if broken:
        described = read_config(writer.folder)
        session = described["sessions"][-1]
        session["notes"] = [*session.get("notes", ()), *broken]
        writer.describe(described)


def _connect(config: RunConfig, specs: Sequence[EpisodeSpec]) -> dict[str, LLMConnection]:
    """Return a connection for each role that a model plays; equal settings share one.

    Models on one server share its limit of requests at once.
    """
    populations = [spec.population for spec in specs]
    roles = {role for p in populations for role, who in p.items() if who.model is not None}
    if not roles:
        return {}
    import numpy as np

    from valuesim.agents.llm import Servers, connect

    rng, servers = np.random.default_rng(config.seed), Servers()
    shared: dict[str, LLMConnection] = {}
    connections = {}
    for role in sorted(roles):
        settings = config.model_of(role)
        key = repr(sorted(settings.items()))
        if key not in shared:
            shared[key] = connect(settings, config.elicitation, rng, servers=servers)
        connections[role] = shared[key]
    return connections


def _stop_on_signals() -> asyncio.Event:
    """Return an event that the first Ctrl-C or SIGTERM sets; the second one ends the process."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal(number: signal.Signals) -> None:
        stop.set()
        loop.remove_signal_handler(number)

    # only the main thread hears signals; elsewhere (a notebook, a test) there is nothing to hear
    with suppress(RuntimeError, ValueError):
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, on_signal, number)
    return stop


def _refuse_foreign(folder: Path) -> None:
    if (folder / "run.yaml").is_file() or not folder.is_dir():
        return
    if {entry.name for entry in folder.iterdir()} - _BEFORE_LOGS - _LOGS:
        raise InputError(f"{folder} is not a run folder and not empty: choose another run.name")


def _hidden(config: RunConfig) -> tuple[str, ...]:
    """Return the secrets that must not be written, after refusing addresses that hold some."""
    models = [config.model, *(config.model_of(role) for role in config.models)]
    for model in models:
        given = model.get("base_url") or ()
        for url in (given,) if isinstance(given, str) else given:
            check_address(str(url), "model.base_url")
    return secrets(os.environ, *(model.get("api_key_env") for model in models))


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
