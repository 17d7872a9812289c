"""`valuesim run`: compose the configuration, play its episodes into a run folder, resumably."""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from valuesim.cli.terminal import clean, write_json
from valuesim.config import RunConfig, compose
from valuesim.engine import Summary, plan, run
from valuesim.engine.manifest import departures, manifest, redacted, resumed
from valuesim.engine.plan import MODEL_AGENT, regimes
from valuesim.engine.progress import Progress
from valuesim.episode import EpisodeSpec
from valuesim.errors import InputError, Interruption
from valuesim.log import RunWriter
from valuesim.log.reader import read_config
from valuesim.secrets import check_address, redact_strictly, secrets

if TYPE_CHECKING:
    from valuesim.agents.llm import Connection as LLMConnection

_LOG_FILES = {
    *(".lock", "run.yaml.part", "decisions.jsonl", "episodes.jsonl"),
    *("interrupted.jsonl", "texts.jsonl"),
}
STOPPED = 128 + signal.SIGINT
_MOST_FAULTS = 0.1


def main(arguments: argparse.Namespace) -> int:
    """Play, and return 0 if every episode is finished, else 1 (130 when stopped)."""
    if arguments.multirun:
        from valuesim.cli.sweep import sweep

        return sweep(arguments.overrides, arguments.json)
    config = compose(arguments.overrides)
    folder = run_folder(config.run.name, datetime.now())
    summary = play_into(folder, config)
    if arguments.json:
        write_json({"schema": 1, "run": str(folder), **asdict(summary)}, arguments.json)
    told = sys.stderr if arguments.json == "-" else sys.stdout
    print(sentence(summary, folder), file=told)
    if summary.finished < summary.planned:
        tell_how_to_go_on(arguments.overrides, folder)
    return exit_code(summary)


def play_into(folder: Path, config: RunConfig) -> Summary:
    """Play the episodes of `config` that `folder` does not hold yet, and return how it went."""
    hidden = _hidden(config)
    design = config.design()
    # a model's settings are logged with every episode
    models = {role: redacted(model, hidden) for role, model in design.models.items()}
    specs = plan(replace(design, model=redacted(design.model, hidden), models=models))
    described = manifest(config.resolved(), specs, secrets=hidden, now=datetime.now().astimezone())
    _refuse_foreign(folder)
    _note_unused_model(config, specs)
    for line in regimes(specs):
        print(f"valuesim: {line}", file=sys.stderr)
    return asyncio.run(_play(folder, described, specs, config))


def run_folder(name: str | None, now: datetime) -> Path:
    """Return the folder that `run.name` means: a path, a name under runs/, or the time under it."""
    if name is None:
        return Path("runs") / now.strftime("%Y-%m-%d") / now.strftime("%H-%M-%S-%f")[:-3]
    if not name.strip():
        raise InputError("run.name is empty: give a name under runs/ or a path")
    is_path = "/" in name or name in (".", "..")
    return Path(name) if is_path else Path("runs") / name


def sentence(summary: Summary, folder: Path) -> str:
    """Return what is told at the end of a run."""
    told = f"{summary.finished} of {summary.planned} episodes finished in {folder}"
    if summary.played < summary.finished:
        told += f" ({summary.played} of them now)"
    if summary.interrupted:
        reasons = "; ".join(f"{count} x {clean(r)}" for r, count in summary.interrupted.items())
        told += f"; {sum(summary.interrupted.values())} interrupted: {reasons}"
    if summary.faults:
        told += f"; {_faults(summary, folder)}"
    return told


def _faults(summary: Summary, folder: Path) -> str:
    share = sum(summary.faults.values()) / summary.decisions
    kinds = ", ".join(f"{kind} {number:,}" for kind, number in summary.faults.items())
    told = f"{share:.1%} of {summary.decisions:,} decisions were faults ({kinds})"
    if share <= _MOST_FAULTS:
        return told
    return f"{told}: `valuesim archetypes {folder}` says what can still be concluded"


def exit_code(summary: Summary) -> int:
    """Return 0 if all is finished, 130 if the run was stopped, else 1."""
    if summary.stopped:
        return STOPPED
    return 0 if summary.finished == summary.planned else 1


def tell_how_to_go_on(arguments: Sequence[str], folder: Path) -> None:
    """Print the command that plays what `folder` still lacks."""
    again = [argument for argument in arguments if not argument.startswith("run.name=")]
    # a name without a slash would mean a folder under runs/
    path = str(folder) if "/" in str(folder) else f"./{folder}"
    command = shlex.join(["valuesim", "run", *again, f"run.name={path}"])
    told = redact_strictly(clean(command), secrets(os.environ))
    print(f"valuesim: not finished; to go on: {told}", file=sys.stderr)


async def _play(
    folder: Path, described: Mapping[str, Any], specs: Sequence[EpisodeSpec], config: RunConfig
) -> Summary:
    # before the folder is touched: settings of a model are checked when it is built
    connections = _connect(config, specs)
    distinct = list({id(each): each for each in connections.values()}.values())
    try:
        with RunWriter(folder, settle=partial(_settled, described)) as writer:
            if any(spec.id not in writer.finished for spec in specs):
                await _probe(distinct, writer)
            return await run(
                specs,
                writer,
                connections,
                concurrency=config.engine.concurrency,
                progress=Progress(sys.stderr, config.engine.progress),
                stop=_stop_on_signals(),
            )
    finally:
        for connection in distinct:
            await connection.close()


def _settled(described: Mapping[str, Any], stored: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return what `run.yaml` shall say, and note what a resume does otherwise than before."""
    if stored is None:
        return described
    continued = resumed(stored, described)
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
        described["sessions"][-1]["notes"] = broken
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
    if {entry.name for entry in folder.iterdir()} - _LOG_FILES:
        raise InputError(f"{folder} is not a run folder and not empty: choose another run.name")


def _hidden(config: RunConfig) -> tuple[str, ...]:
    """Return the secrets that must not be written, after refusing addresses that hold some."""
    models = [config.model, *(config.model_of(role) for role in config.models)]
    for model in models:
        if model.get("base_url"):
            check_address(str(model["base_url"]), "model.base_url")
    return secrets(os.environ, *(model.get("api_key_env") for model in models))


def _note_unused_model(config: RunConfig, specs: Sequence[EpisodeSpec]) -> None:
    players = (player for spec in specs for player in spec.population.values())
    if config.model and all(player.model is None for player in players):
        _note(f"a model is set but no agent asks it; agents={MODEL_AGENT} does")


def _note(told: str) -> None:
    print(f"valuesim: note: {clean(told)}", file=sys.stderr)
